//! Files from entities: what `GET /config` and `kong config db_export` give, and what a load takes
//! back without a change.
//!
//! Lists at the top, kind by kind; references as ids; nulls included; `_transform: false`, since
//! passwords are hashed already. Written row by row: nothing but the row is in memory.
//!
//! The YAML has one style: block collections, plain texts only where every reader of YAML 1.1 or
//! 1.2 sees a text, all others in double quotes on one line.
//!
//! Source: `kong/db/declarative/export.lua` of Kong 3.9.3. Deviation: `hash_on: none` is left out
//! beside `algorithm: consistent-hashing`, which Kong loses when it reads its own export.

use std::io::{self, Write};
use std::sync::LazyLock;

use serde_json::{Map, Value};
use thiserror::Error;

use super::load::VERSION;
use crate::entity::EntityKind;
use crate::field::{Rules, Schema};
use crate::snapshot::{Damaged, Snapshot};

/// A key longer than this needs a mark before it (YAML 1.2, 7.4.2: 1,024 characters).
const KEY_BYTES_MAX: usize = 1000;

/// Why a store's content was not exported to the end.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The text could not be written.
    #[error("cannot write the export: {0}")]
    Io(#[from] io::Error),
    /// A record is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Writes all that a snapshot holds as a YAML file.
///
/// # Errors
/// Those of the writer; the first damaged record, with the text up to it written.
pub fn write_snapshot(snapshot: &Snapshot, out: &mut impl Write) -> Result<(), ExportError> {
    let mut lists = Vec::new();
    for kind in EntityKind::all() {
        lists.push((kind, snapshot.each(kind)?));
    }
    let rows = lists
        .into_iter()
        .flat_map(|(kind, rows)| rows.map(move |row| (kind, row)));
    let mut damage = None;
    let sound = rows.map_while(|(kind, row)| match row {
        Ok(row) => Some((kind, row)),
        Err(found) => {
            damage = Some(found);
            None
        }
    });
    write_yaml(sound, out)?;
    damage.map_or(Ok(()), |damage| Err(damage.into()))
}

/// Writes a YAML file. Rows of one kind must come after each other.
///
/// # Errors
/// Those of the writer.
pub fn write_yaml(
    rows: impl Iterator<Item = (EntityKind, Map<String, Value>)>,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "_format_version: '{VERSION}'\n_transform: false")?;
    let mut open = None;
    for (kind, row) in exported(rows) {
        if open != Some(kind) {
            writeln!(out, "{}:", kind.name())?;
            open = Some(kind);
        }
        out.write_all(b"- ")?;
        write_map(&row, 2, out)?;
    }
    Ok(())
}

/// Writes a JSON file. Rows of one kind must come after each other.
///
/// # Errors
/// Those of the writer.
pub fn write_json(
    rows: impl Iterator<Item = (EntityKind, Map<String, Value>)>,
    out: &mut impl Write,
) -> io::Result<()> {
    write!(
        out,
        "{{\"_format_version\":\"{VERSION}\",\"_transform\":false"
    )?;
    let mut open = None;
    for (kind, row) in exported(rows) {
        if open == Some(kind) {
            out.write_all(b",")?;
        } else {
            let end = if open.is_some() { "]" } else { "" };
            write!(out, "{end},\"{}\":[", kind.name())?;
            open = Some(kind);
        }
        serde_json::to_writer(&mut *out, &row)?;
    }
    out.write_all(if open.is_some() { b"]}" } else { b"}" })
}

/// Rows of the kinds that exports contain, as a file says them.
fn exported(
    rows: impl Iterator<Item = (EntityKind, Map<String, Value>)>,
) -> impl Iterator<Item = (EntityKind, Map<String, Value>)> {
    rows.filter(|(kind, _)| schema(*kind).is_exported)
        .map(|(kind, row)| {
            let mut row = stored(kind, row);
            for (field, _) in schema(kind).references() {
                if let Some(value) = row.get_mut(field.name)
                    && let Some(id) = value.get_mut("id")
                {
                    *value = id.take();
                }
            }
            // A `hash_on` that is given sets the algorithm: here to another one.
            if row
                .get("algorithm")
                .is_some_and(|name| name == "consistent-hashing")
                && row.get("hash_on").is_some_and(|input| input == "none")
            {
                row.shift_remove("hash_on");
            }
            (kind, row)
        })
}

/// References and stored fields are the same in every flavor.
fn schema(kind: EntityKind) -> &'static Schema {
    static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);
    kind.schema(&RULES)
}

/// A row without what is not stored with the entity.
pub(super) fn stored(kind: EntityKind, mut row: Map<String, Value>) -> Map<String, Value> {
    for field in schema(kind).fields {
        if field.transient {
            row.shift_remove(field.name);
        }
    }
    row.shift_remove("ws_id");
    row
}

/// The members of a map; the first goes on the line that is open, the others are indented.
pub(super) fn write_map(
    map: &Map<String, Value>,
    indent: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            write!(out, "{:indent$}", "")?;
        }
        if key.len() > KEY_BYTES_MAX {
            out.write_all(b"? ")?;
            write_text(key, out)?;
            write!(out, "\n{:indent$}", "")?;
        } else {
            write_text(key, out)?;
        }
        out.write_all(b":")?;
        write_member(value, indent, out)?;
    }
    Ok(())
}

/// A value after its key.
fn write_member(value: &Value, indent: usize, out: &mut impl Write) -> io::Result<()> {
    let inner = indent + 2;
    match value {
        Value::Object(map) if !map.is_empty() => {
            write!(out, "\n{:inner$}", "")?;
            write_map(map, inner, out)
        }
        Value::Array(list) if !list.is_empty() => {
            out.write_all(b"\n")?;
            for element in list {
                write!(out, "{:indent$}-", "")?;
                write_element(element, indent, out)?;
            }
            Ok(())
        }
        scalar => {
            out.write_all(b" ")?;
            write_scalar(scalar, out)?;
            out.write_all(b"\n")
        }
    }
}

/// A value after the dash of a list.
fn write_element(value: &Value, indent: usize, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.write_all(b" ")?;
            write_map(map, indent + 2, out)
        }
        Value::Array(list) if !list.is_empty() => {
            let inner = indent + 2;
            out.write_all(b"\n")?;
            for element in list {
                write!(out, "{:inner$}-", "")?;
                write_element(element, inner, out)?;
            }
            Ok(())
        }
        scalar => write_member(scalar, indent, out),
    }
}

fn write_scalar(value: &Value, out: &mut impl Write) -> io::Result<()> {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Number(number) => out.write_all(number_text(&number.to_string()).as_bytes()),
        other => write!(out, "{other}"),
    }
}

/// A number that YAML 1.1 takes as one: `1e21` needs a point and a sign there.
fn number_text(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text.to_owned();
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    if is_plain(text) {
        return out.write_all(text.as_bytes());
    }
    out.write_all(b"\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_all(b"\\n")?,
            '\t' => out.write_all(b"\\t")?,
            '\r' => out.write_all(b"\\r")?,
            c if needs_escape(c) => write!(out, "\\u{:04x}", u32::from(c))?,
            c => write!(out, "{c}")?,
        }
    }
    out.write_all(b"\"")
}

/// Characters that YAML forbids or takes as the end of a line.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Whether no reader takes a text without quotes for anything else.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan",
    ];
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'/' || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}
