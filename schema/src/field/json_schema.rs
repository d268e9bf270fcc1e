//! JSON Schemas of entities, as OpenAPI 3.1 takes them: what a request may say and an answer says.
//!
//! Limits: Lua patterns, rules that are code and checks across fields are not expressed; lengths
//! count characters where Kong counts bytes; duplicates in sets are dropped, so none is refused.
//!
//! Source: JSON Schema, draft 2020-12.

use serde_json::{Map, Value, json};

use super::{Check, Default, Expand, Field, Kind, Record, Schema, Shorthand, Type, describe};
use crate::entity::EntityKind;

type Object = Map<String, Value>;

/// What a value may be that stands for a secret elsewhere.
const VAULT_REFERENCE: &str = r"^\{vault://.*\}$";

impl Schema {
    /// The JSON Schema of an entity: an object, `required` naming what a new one must say.
    pub fn json_schema(&self) -> Value {
        let mut properties = properties(self.fields);
        if self.has_ttl {
            let about = "Seconds until it ends.";
            properties.insert(
                "ttl".into(),
                json!({ "type": ["integer", "null"], "minimum": 0, "description": about }),
            );
        }
        Value::Object(object(properties, required(self.fields, &[])))
    }
}

impl Record {
    /// The JSON Schema of a nested object.
    pub fn json_schema(&self) -> Value {
        Value::Object(of_record(self))
    }
}

impl Type {
    /// The JSON Schema of a value that is not null.
    pub fn json_schema(&self) -> Value {
        Value::Object(of_type(self))
    }
}

fn object(properties: Object, required: Vec<&str>) -> Object {
    let mut object = Object::new();
    object.insert("type".into(), "object".into());
    object.insert("properties".into(), properties.into());
    if !required.is_empty() {
        object.insert("required".into(), required.into());
    }
    object
}

fn of_record(record: &Record) -> Object {
    let mut properties = properties(record.fields);
    for shorthand in record.shorthands {
        properties.insert(shorthand.name.into(), of_shorthand(shorthand).into());
    }
    object(properties, required(record.fields, record.shorthands))
}

fn properties(fields: &[Field]) -> Object {
    let pairs = fields.iter().map(|field| (field.name, of_field(field)));
    pairs
        .map(|(name, schema)| (name.to_owned(), schema.into()))
        .collect()
}

/// The fields that a new object must name: those that neither a default, the node or a subschema
/// fills, nor another spelling.
fn required<'a>(fields: &'a [Field], shorthands: &[Shorthand]) -> Vec<&'a str> {
    let is_spelt_otherwise = |field: &Field| {
        shorthands.iter().any(|shorthand| match shorthand.expand {
            Expand::To(path) => path.first() == Some(&field.name),
            Expand::With(_) => false,
        })
    };
    let needed = fields.iter().filter(|field| {
        let is_abstract = matches!(field.ty.kind, Kind::Abstract);
        let is_filled = field.auto || is_abstract || !matches!(field.default, Default::None);
        field.required && !is_filled && !is_spelt_otherwise(field)
    });
    needed.map(|field| field.name).collect()
}

fn of_field(field: &Field) -> Object {
    let mut schema = of_type(&field.ty);
    if field.referenceable {
        schema = or_reference(schema);
    }
    // What the node fills is never null in an answer.
    if !field.required && !field.auto {
        allow_null(&mut schema);
    }
    match field.default {
        // Made anew by each process, or of the members' own.
        Default::None | Default::Record | Default::Made(_) => {}
        default => drop(schema.insert("default".into(), default.value())),
    }
    if !field.description.is_empty() {
        schema.insert("description".into(), field.description.into());
    }
    // Ids and secrets are made when absent, but may be said.
    if field.auto && !matches!(field.ty.kind, Kind::String) {
        schema.insert("readOnly".into(), true.into());
    }
    if field.deprecation.is_some() {
        schema.insert("deprecated".into(), true.into());
    }
    schema
}

fn of_shorthand(shorthand: &Shorthand) -> Object {
    let mut schema = of_type(&shorthand.ty);
    allow_null(&mut schema);
    if matches!(shorthand.expand, Expand::With(_)) {
        schema.insert("writeOnly".into(), true.into());
    }
    if let Some(deprecation) = shorthand.deprecation {
        schema.insert("description".into(), deprecation.message.into());
        schema.insert("deprecated".into(), true.into());
    }
    schema
}

/// The schema, or a vault reference, which skips its checks; a text without checks may be one.
fn or_reference(schema: Object) -> Object {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") if schema.keys().all(|key| key == "type" || key == "minLength") => schema,
        Some("array") | Some("object") => schema,
        _ => {
            let reference = json!({ "type": "string", "pattern": VAULT_REFERENCE });
            [("anyOf".to_owned(), json!([schema, reference]))]
                .into_iter()
                .collect()
        }
    }
}

fn allow_null(schema: &mut Object) {
    if let Some(kind) = schema.get_mut("type")
        && kind.is_string()
        && kind != "null"
    {
        *kind = json!([kind.take(), "null"]);
    }
    for (list, null) in [("enum", Value::Null), ("anyOf", json!({ "type": "null" }))] {
        if let Some(Value::Array(list)) = schema.get_mut(list) {
            list.push(null);
        }
    }
}

fn of_type(ty: &Type) -> Object {
    let mut schema = Object::new();
    let (name, member) = match ty.kind {
        Kind::String => ("string", None),
        Kind::Integer => ("integer", None),
        Kind::Number => ("number", None),
        Kind::Boolean => ("boolean", None),
        Kind::Set(element) | Kind::Array(element) => ("array", Some(("items", element))),
        Kind::Map(_, member) => ("object", Some(("additionalProperties", member))),
        Kind::Record(record) => {
            schema = of_record(record);
            ("object", None)
        }
        Kind::Foreign(entity) => {
            schema = of_reference(entity);
            ("object", None)
        }
        Kind::Abstract => ("object", None),
        Kind::Any => return schema,
    };
    schema.insert("type".into(), name.into());
    if let Some((key, member)) = member {
        schema.insert(key.into(), of_type(member).into());
    }
    if name == "string" {
        schema.insert("minLength".into(), 1.into());
    }
    for check in ty.checks {
        add_check(&mut schema, *check, name);
    }
    schema
}

/// A reference: by the id, or by the field that names the entity.
fn of_reference(entity: &str) -> Object {
    let rules = super::Rules::default();
    let kind = EntityKind::of_name(entity);
    let key = kind.and_then(|kind| kind.schema(&rules).endpoint_key);
    let mut properties = Object::new();
    properties.insert("id".into(), json!({ "type": "string", "format": "uuid" }));
    if let Some(key) = key {
        properties.insert(key.into(), json!({ "type": "string", "writeOnly": true }));
    }
    object(properties, Vec::new())
}

/// Adds what a check says, if JSON Schema has a word for it.
fn add_check(schema: &mut Object, check: Check, kind: &str) {
    let (least, most) = match kind {
        "array" => ("minItems", "maxItems"),
        "object" => ("minProperties", "maxProperties"),
        _ => ("minLength", "maxLength"),
    };
    let number = describe::number_json;
    let mut add = |name: &str, value: Value| drop(schema.insert(name.to_owned(), value));
    match check {
        Check::Null => add("type", "null".into()),
        Check::NotOneOf(words) => add("not", json!({ "enum": words })),
        Check::OneOf(words) => add("enum", words.into()),
        Check::OneOfIntegers(numbers) => add("enum", numbers.into()),
        Check::Gt(bound) => add("exclusiveMinimum", number(bound)),
        Check::Timestamp => add("exclusiveMinimum", 0.into()),
        Check::Uuid => add("format", "uuid".into()),
        Check::IsRegex => add("format", "regex".into()),
        Check::Between(low, high) => {
            add("minimum", low.into());
            add("maximum", high.into());
        }
        Check::BetweenNumbers(low, high) => {
            for (name, bound) in [("minimum", low), ("maximum", high)] {
                if bound.is_finite() {
                    add(name, number(bound));
                }
            }
        }
        Check::LenEq(length) => {
            add(least, length.into());
            add(most, length.into());
        }
        Check::LenMin(length) => add(least, length.into()),
        Check::LenMax(length) => add(most, length.into()),
        Check::StartsWith(prefix) => add("pattern", format!("^{}", regex::escape(prefix)).into()),
        Check::Contains(member) => add("contains", json!({ "const": member })),
        Check::NotMatch(_)
        | Check::MatchNone(_)
        | Check::Match(_)
        | Check::MatchAll(_)
        | Check::MatchAny(..)
        | Check::Text(_)
        | Check::Value(_)
        | Check::ExclusiveSubsets(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Rules;

    fn entity(name: &str) -> Value {
        let kind = EntityKind::of_name(name).expect("a kind");
        kind.schema(&Rules::default()).json_schema()
    }

    #[test]
    fn a_nullable_choice_has_null_among_its_types_and_values() {
        const CHOICE: Type = Type::with(Kind::String, &[Check::OneOf(&["a", "b"])]);
        let nullable = Value::Object(of_field(&Field::new("x", CHOICE)));
        assert_eq!(nullable["type"], json!(["string", "null"]));
        assert_eq!(nullable["enum"], json!(["a", "b", null]));
        let required = Value::Object(of_field(&Field::new("x", CHOICE).required()));
        assert_eq!(required, CHOICE.json_schema());
    }

    #[test]
    fn a_vault_reference_may_stand_for_a_number() {
        const PORT: Type = Type::with(Kind::Integer, &[Check::Between(0, 9)]);
        let field = Field::new("port", PORT).referenceable();
        let schema = Value::Object(of_field(&field));
        let choices = json!([
            { "type": "integer", "minimum": 0, "maximum": 9 },
            { "type": "string", "pattern": VAULT_REFERENCE },
            { "type": "null" },
        ]);
        assert_eq!(schema, json!({ "anyOf": choices }));
    }

    #[test]
    fn only_what_nothing_fills_is_required() {
        assert_eq!(entity("services")["required"], json!(["host"]));
        assert_eq!(entity("routes").get("required"), None);
        assert_eq!(entity("plugins")["required"], json!(["name"]));
    }

    #[test]
    fn times_are_read_only_and_ids_may_be_said() {
        let service = entity("services");
        let properties = &service["properties"];
        assert_eq!(properties["created_at"]["readOnly"], json!(true));
        assert_eq!(properties["id"].get("readOnly"), None);
        assert_eq!(properties["id"]["format"], json!("uuid"));
        assert_eq!(properties["id"]["type"], json!("string"));
    }

    #[test]
    fn lua_patterns_are_no_patterns_and_prefixes_are() {
        const LUA: Type = Type::with(Kind::String, &[Check::Match("^%d+$")]);
        assert_eq!(LUA.json_schema().get("pattern"), None);
        const PREFIX: Type = Type::with(Kind::String, &[Check::StartsWith("/a.")]);
        assert_eq!(PREFIX.json_schema()["pattern"], json!(r"^/a\."));
    }

    #[test]
    fn every_default_satisfies_its_own_choice() {
        for kind in EntityKind::all() {
            let schema = kind.schema(&Rules::default()).json_schema();
            let properties = schema["properties"].as_object().expect("an object");
            for (name, property) in properties {
                if let (Some(default), Some(choices)) =
                    (property.get("default"), property.get("enum"))
                {
                    let choices = choices.as_array().expect("a list");
                    assert!(choices.contains(default), "{kind:?}.{name}: {property}");
                }
            }
        }
    }
}
