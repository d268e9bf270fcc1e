//! The success body of `POST /config`: `{kind: {id: entity}}`, kinds without entities left out.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Config, export};

/// The body as a value.
pub fn to_kong_json(config: &Config) -> Value {
    let mut body = Map::new();
    for (kind, row) in config.rows() {
        let row = export::stored(kind, row);
        let id = id_of(&row).to_owned();
        let section = body
            .entry(kind.name())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(section) = section {
            section.insert(id, row.into());
        }
    }
    Value::Object(body)
}

/// Writes what [`to_kong_json`] says, entity by entity: for configurations whose JSON should not
/// be in memory twice.
///
/// # Errors
/// Those of the writer.
pub fn write_kong_json(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let mut open = None;
    out.write_all(b"{")?;
    for (kind, row) in config.rows() {
        let row = export::stored(kind, row);
        let id = id_of(&row);
        if open == Some(kind) {
            write!(out, ",\"{id}\":")?;
        } else {
            let separator = if open.is_some() { "}," } else { "" };
            write!(out, "{separator}\"{}\":{{\"{id}\":", kind.name())?;
            open = Some(kind);
        }
        serde_json::to_writer(&mut *out, &row)?;
    }
    out.write_all(if open.is_some() { b"}}" } else { b"}" })
}

fn id_of(row: &Map<String, Value>) -> &str {
    row.get("id").and_then(Value::as_str).unwrap_or_default()
}
