//! Types that several entities share (`kong/db/schema/typedefs.lua`), and how validated values
//! become typed ones.

use serde_json::Value;
use uuid::Uuid;

use crate::field::{Check, Default, Field, Kind, Type, host, text};

/// A name without checks: any text of a validated value.
pub(crate) const UUID: Type = Type::with(Kind::String, &[Check::Uuid]);
pub(crate) const BOOLEAN: Type = Type::new(Kind::Boolean);
pub(crate) const NAME: Type = Type::with(Kind::String, &[Check::Text(text::name)]);
pub(crate) const TAGS: Type = Type::new(Kind::Set(
    &Type::with(Kind::String, &[Check::Text(text::tag)]).required(),
));
pub(crate) const PORT: Type = Type::with(Kind::Integer, &[Check::Between(0, 65_535)]);
pub(crate) const PATH: Type = Type::with(
    Kind::String,
    &[
        Check::StartsWith("/"),
        Check::Text(text::no_empty_segments),
        Check::Text(text::path),
    ],
);
pub(crate) const SNI: Type = Type::with(Kind::String, &[Check::Text(host::server_name)]);
pub(crate) const HEADER_NAME: Type = Type::with(Kind::String, &[Check::Text(text::header_name)]);
pub(crate) const STRING: Type = Type::new(Kind::String);
/// All of Kong's protocols, in the order of its message.
pub(crate) const PROTOCOL: Type = Type::with(
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

pub(crate) const ID: Field = Field::new("id", UUID).auto().description("Id.");
pub(crate) const CREATED_AT: Field =
    Field::new("created_at", Type::with(Kind::Integer, &[Check::Timestamp]))
        .auto()
        .description("When it was made, Unix seconds.");
pub(crate) const UPDATED_AT: Field =
    Field::new("updated_at", Type::with(Kind::Integer, &[Check::Timestamp]))
        .auto()
        .description("When it last changed, Unix seconds.");
pub(crate) const CREATED_AT_MS: Field =
    Field::new("created_at", Type::with(Kind::Number, &[Check::Timestamp]))
        .auto()
        .description("When it was made, Unix seconds.");
pub(crate) const UPDATED_AT_MS: Field =
    Field::new("updated_at", Type::with(Kind::Number, &[Check::Timestamp]))
        .auto()
        .description("When it last changed, Unix seconds.");

/// A switch that is never null.
pub(crate) const fn switch(name: &'static str, default: bool) -> Field {
    Field::new(name, BOOLEAN)
        .required()
        .default(Default::Boolean(default))
}

pub(crate) fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(crate) fn strings(value: Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.into_iter().filter_map(string).collect(),
        _ => Vec::new(),
    }
}

/// A number within the range of its type; null gives `default`, Kong's value for an absent field.
pub(crate) fn integer<T: TryFrom<i64>>(value: &Value, default: T) -> T {
    value
        .as_i64()
        .and_then(|number| T::try_from(number).ok())
        .unwrap_or(default)
}

pub(crate) fn boolean(value: &Value, default: bool) -> bool {
    value.as_bool().unwrap_or(default)
}

pub(crate) fn uuid(value: &Value) -> Option<Uuid> {
    value.as_str().and_then(|text| Uuid::try_parse(text).ok())
}

/// The id of a reference in its object form.
pub(crate) fn reference(value: &Value) -> Option<Uuid> {
    value.get("id").and_then(uuid)
}

/// A reference as Kong shows it.
pub(crate) fn reference_json(id: Option<Uuid>) -> Value {
    id.map_or(
        Value::Null,
        |id| serde_json::json!({ "id": id.to_string() }),
    )
}

/// A list as Kong shows it; an empty one counts as not given.
pub(crate) fn list_json(list: &[String]) -> Value {
    if list.is_empty() {
        Value::Null
    } else {
        list.iter().cloned().collect()
    }
}

/// Kong's JSON of a typed entity, with the fields that its types would not give back.
pub(crate) fn with_exact(mut json: Value, exact: Option<&str>) -> Value {
    let exact = exact.and_then(|text| serde_json::from_str(text).ok());
    if let (Value::Object(fields), Some(Value::Object(exact))) = (&mut json, exact) {
        fields.extend(exact);
    }
    json
}
