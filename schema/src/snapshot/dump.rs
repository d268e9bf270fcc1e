//! A readable listing of a snapshot, for `silverback config dump`.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::candidate::HostKind;
use super::error::Damaged;
use super::reader::Snapshot;
use super::segment::DIRECTORY_KEY;
use crate::entity::EntityKind;

/// Why a listing ended early.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The listing could not be written.
    #[error("cannot write the listing: {0}")]
    Io(#[from] io::Error),
    /// A record is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Writes the label, then one JSON line for each entity, then statistics of the router.
///
/// # Errors
/// When the listing cannot be written, or at the first damaged record.
pub fn dump(snapshot: &Snapshot, out: &mut dyn Write) -> Result<(), DumpError> {
    let meta = snapshot.meta();
    let counts = meta.counts.iter();
    let counts: Map<_, _> = counts
        .map(|(kind, count)| (kind.name().to_owned(), count.into()))
        .collect();
    let label = json!({
        "version": meta.version,
        "config_hash": meta.config_hash,
        "source": meta.source,
        "silverback_version": meta.silverback_version,
        "written_at": meta.written_at,
        "entities": counts,
    });
    line(out, "snapshot", label)?;
    for kind in EntityKind::all() {
        for entity in snapshot.each(kind)? {
            line(out, kind.name(), Value::Object(entity?))?;
        }
    }
    line(out, "router", router_json(snapshot)?)
}

fn line(out: &mut dyn Write, kind: &str, fields: Value) -> Result<(), DumpError> {
    let mut object = Map::new();
    object.insert(kind.to_owned(), fields);
    Ok(writeln!(out, "{}", Value::Object(object))?)
}

fn router_json(snapshot: &Snapshot) -> Result<Value, DumpError> {
    let Some(directory) = snapshot.directory() else {
        return Ok(Value::Null);
    };
    let mut fill = Vec::with_capacity(directory.len());
    for span in directory.spans() {
        let span = span.map_err(|damage| snapshot.router_damage(DIRECTORY_KEY, damage))?;
        fill.push(span.entries);
    }
    let keys = |kind| directory.kind(kind).map_or(0, |kind| kind.entries);
    let (separator_bytes, ancestors) = directory.size();
    Ok(json!({
        "segments": fill.len(),
        "candidates": directory.candidates(),
        "keys": fill.iter().map(|entries| u64::from(*entries)).sum::<u64>(),
        "keys_by_host_kind": {
            "none": keys(HostKind::None),
            "exact": keys(HostKind::Exact),
            "suffix": keys(HostKind::Suffix),
            "prefix": keys(HostKind::Prefix),
        },
        "segment_keys_min": fill.iter().min(),
        "segment_keys_max": fill.iter().max(),
        "separator_bytes": separator_bytes,
        "ancestors": ancestors,
    }))
}
