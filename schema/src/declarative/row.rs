//! From a valid row to the fields of an entity without a type of its own.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::field::{Field, Kind, Row, Schema};

/// Every stored field but the references, with what the node fills in: id and times.
/// `ttl` is a Unix time; entities that last forever have none.
pub(super) fn complete(
    schema: &'static Schema,
    row: Row,
    id: Uuid,
    ttl: Option<i64>,
    now_ms: i64,
) -> Map<String, Value> {
    let mut fields = row.into_object();
    for field in schema.fields {
        let is_reference = matches!(field.ty.kind, Kind::Foreign(_));
        if is_reference || field.transient {
            fields.shift_remove(field.name);
        } else if field.auto && fields.get(field.name).is_none_or(Value::is_null) {
            fields.insert(field.name.to_owned(), auto_value(field, id, now_ms));
        }
    }
    if let Some(ttl) = ttl {
        fields.insert("ttl".to_owned(), ttl.into());
    }
    fields
}

#[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
fn auto_value(field: &Field, id: Uuid, now_ms: i64) -> Value {
    match field.ty.kind {
        _ if field.name == "id" => id.to_string().into(),
        Kind::Integer => (now_ms / 1000).into(),
        Kind::Number => (now_ms as f64 / 1000.0).into(),
        _ => Value::Null,
    }
}

/// The compact text of an entity's fields.
pub(super) fn text(fields: &Map<String, Value>) -> Box<str> {
    let text = serde_json::to_string(fields).expect("values are JSON");
    text.into_boxed_str()
}
