//! Types that several entities share (`kong/db/schema/typedefs.lua`), and how validated values
//! become typed ones.

use serde_json::Value;
use uuid::Uuid;

use crate::field::{Check, Default, Field, Kind, Type, host, text};

/// A name without checks: any text of a validated value.
pub(super) const UUID: Type = Type::with(Kind::String, &[Check::Uuid]);
pub(super) const BOOLEAN: Type = Type::new(Kind::Boolean);
pub(super) const NAME: Type = Type::with(Kind::String, &[Check::Text(text::name)]);
pub(super) const TAGS: Type = Type::new(Kind::Set(&Type::with(
    Kind::String,
    &[Check::Text(text::tag)],
)));
pub(super) const PORT: Type = Type::with(Kind::Integer, &[Check::Between(0, 65_535)]);
pub(super) const PATH: Type = Type::with(
    Kind::String,
    &[
        Check::StartsWith("/"),
        Check::Text(text::no_empty_segments),
        Check::Text(text::path),
    ],
);
pub(super) const SNI: Type = Type::with(Kind::String, &[Check::Text(host::server_name)]);
pub(super) const HEADER_NAME: Type = Type::with(Kind::String, &[Check::Text(text::header_name)]);
pub(super) const STRING: Type = Type::new(Kind::String);
/// All of Kong's protocols, in the order of its message.
pub(super) const PROTOCOL: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "grpc",
        "grpcs",
        "http",
        "https",
        "tcp",
        "tls",
        "tls_passthrough",
        "udp",
    ])],
);

pub(super) const ID: Field = Field::new("id", UUID).auto();
pub(super) const CREATED_AT: Field =
    Field::new("created_at", Type::with(Kind::Integer, &[Check::Timestamp])).auto();
pub(super) const UPDATED_AT: Field =
    Field::new("updated_at", Type::with(Kind::Integer, &[Check::Timestamp])).auto();
pub(super) const CREATED_AT_MS: Field =
    Field::new("created_at", Type::with(Kind::Number, &[Check::Timestamp])).auto();

/// A switch that is never null.
pub(super) const fn switch(name: &'static str, default: bool) -> Field {
    Field::new(name, BOOLEAN)
        .required()
        .default(Default::Boolean(default))
}

pub(super) fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(super) fn strings(value: Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.into_iter().filter_map(string).collect(),
        _ => Vec::new(),
    }
}

/// A number within the range of its type; null gives `default`, Kong's value for an absent field.
pub(super) fn integer<T: TryFrom<i64>>(value: &Value, default: T) -> T {
    value
        .as_i64()
        .and_then(|number| T::try_from(number).ok())
        .unwrap_or(default)
}

pub(super) fn boolean(value: &Value, default: bool) -> bool {
    value.as_bool().unwrap_or(default)
}

pub(super) fn uuid(value: &Value) -> Option<Uuid> {
    value.as_str().and_then(|text| Uuid::try_parse(text).ok())
}

/// The id of a reference in its object form.
pub(super) fn reference(value: &Value) -> Option<Uuid> {
    value.get("id").and_then(uuid)
}

/// A reference as Kong shows it.
pub(super) fn reference_json(id: Option<Uuid>) -> Value {
    id.map_or(
        Value::Null,
        |id| serde_json::json!({ "id": id.to_string() }),
    )
}

/// A list as Kong shows it; an empty one counts as not given.
pub(super) fn list_json(list: &[String]) -> Value {
    if list.is_empty() {
        Value::Null
    } else {
        list.iter().cloned().collect()
    }
}
