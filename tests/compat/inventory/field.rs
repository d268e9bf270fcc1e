//! The fields of `fields.tsv` and those of the schemas: the same names, types and defaults.

use std::collections::BTreeMap;

use serde_json::Value;
use silverback_schema::conf::RouterFlavor;
use silverback_schema::entity::EntityKind;
use silverback_schema::field::{Default, Field, Kind, Record, Rules, Schema, Type};
use silverback_schema::plugin::PLUGINS;

use super::{Breaches, assert_excepted, rows};

/// Differences of the fields that Kong has.
pub(super) const MISSING: &str = "fields";
/// Fields that Kong does not have.
pub(super) const OWN: &str = "own_fields";

/// What a cell says of a thing that is not compared.
pub(super) const UNKNOWN: &str = "?";

/// A field of Kong's.
pub(super) struct Wanted {
    /// The entity, `plugin:<name>` or `vault:<name>`.
    pub(super) owner: String,
    /// Where it is in the owner.
    pub(super) path: String,
    /// Kong's word.
    pub(super) ty: String,
    /// R, - or ?.
    pub(super) required: String,
    default: String,
}

impl Wanted {
    /// How exceptions name it.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.owner, self.path)
    }

    /// Whether null is refused.
    pub(super) fn is_required(&self) -> bool {
        self.required == "R"
    }
}

/// A field of a schema.
pub(super) struct Known {
    /// Kong's word for its type.
    pub(super) ty: &'static str,
    /// Whether it is another spelling of fields.
    pub(super) is_shorthand: bool,
    /// Whether null is refused.
    pub(super) required: bool,
    default: Value,
}

/// Kong's fields.
pub(super) fn wanted() -> Vec<Wanted> {
    let columns = ["owner", "path", "type", "required", "default"];
    let rows = rows("fields.tsv", columns).into_iter();
    let wanted = |[owner, path, ty, required, default]: [String; 5]| Wanted {
        owner,
        path,
        ty,
        required,
        default,
    };
    rows.map(wanted).collect()
}

/// The rules of a node that routes by expressions: routes have further fields.
pub(super) fn expressions() -> Rules {
    Rules {
        router_flavor: RouterFlavor::Expressions,
        ..Rules::default()
    }
}

/// The fields of every schema, by the key that [`Wanted::key`] gives.
pub(super) fn known() -> BTreeMap<String, Known> {
    let mut known = BTreeMap::new();
    for kind in EntityKind::all() {
        for rules in [Rules::default(), expressions()] {
            add_schema(&mut known, kind.schema(&rules));
        }
    }
    for plugin in PLUGINS {
        add_config(
            &mut known,
            &format!("plugin:{}", plugin.name),
            plugin.schema.fields,
        );
    }
    let vaults = EntityKind::VAULTS.schema(&Rules::default()).subschemas;
    let env = vaults.and_then(|vaults| (vaults.known)("env"));
    add_config(
        &mut known,
        "vault:env",
        env.expect("there is a vault env").fields,
    );
    known
}

type All = BTreeMap<String, Known>;

fn add_schema(all: &mut All, schema: &Schema) {
    for field in schema.fields {
        add_field(all, schema.name, "", field);
    }
    if schema.has_ttl {
        let known = Known {
            ty: "number",
            is_shorthand: false,
            required: false,
            default: Value::Null,
        };
        all.insert(format!("{} ttl", schema.name), known);
    }
}

fn add_config(all: &mut All, owner: &str, fields: &[Field]) {
    let config = fields.iter().find(|field| field.name == "config");
    if let Some(Kind::Record(record)) = config.map(|config| config.ty.kind) {
        add_record(all, owner, "", record);
    }
}

fn add_record(all: &mut All, owner: &str, prefix: &str, record: &Record) {
    for field in record.fields {
        add_field(all, owner, prefix, field);
    }
    for shorthand in record.shorthands {
        let known = Known {
            ty: type_name(shorthand.ty.kind),
            is_shorthand: true,
            required: false,
            default: Value::Null,
        };
        all.insert(format!("{owner} {prefix}{}", shorthand.name), known);
    }
}

fn add_field(all: &mut All, owner: &str, prefix: &str, field: &Field) {
    let path = format!("{prefix}{}", field.name);
    let known = Known {
        ty: type_name(field.ty.kind),
        is_shorthand: false,
        required: field.required,
        default: match field.default {
            Default::Record => Value::Null,
            default => default.value(),
        },
    };
    add_members(all, owner, &path, &field.ty);
    all.insert(format!("{owner} {path}"), known);
}

/// The members of the records in a value.
fn add_members(all: &mut All, owner: &str, path: &str, ty: &Type) {
    match ty.kind {
        Kind::Record(record) => add_record(all, owner, &format!("{path}."), record),
        Kind::Array(element) | Kind::Set(element) => {
            add_members(all, owner, &format!("{path}[]"), element);
        }
        Kind::Map(_, member) => add_members(all, owner, &format!("{path}.*"), member),
        _ => {}
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Set(_) => "set",
        Kind::Array(_) => "array",
        Kind::Map(..) => "map",
        Kind::Record(_) | Kind::Abstract => "record",
        Kind::Foreign(_) => "foreign",
        Kind::Any => "json",
    }
}

/// Whether two values are equal, 1 and 1.0 included.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// What a schema says otherwise than Kong.
fn differences(wanted: &Wanted, known: &Known) -> Vec<String> {
    let mut told = Vec::new();
    if wanted.ty != UNKNOWN && wanted.ty != known.ty {
        told.push(format!("type {} instead of {}", known.ty, wanted.ty));
    }
    if wanted.required != UNKNOWN && wanted.is_required() != known.required {
        told.push(format!("required is {}", known.required));
    }
    if wanted.default != UNKNOWN {
        let default = match wanted.default.as_str() {
            "" => Value::Null,
            json => serde_json::from_str(json).unwrap_or_else(|e| panic!("{}: {e}", wanted.key())),
        };
        if !is_same(&default, &known.default) {
            told.push(format!("default {} instead of {default}", known.default));
        }
    }
    told
}

#[test]
fn every_field_of_kong_is_in_the_schemas_with_its_type_and_default() {
    let (wanted, known) = (wanted(), known());
    assert!(wanted.len() > 900, "only {} fields are read", wanted.len());
    let mut breaches = Breaches::new();
    for field in &wanted {
        let told = match known.get(&field.key()) {
            Some(known) => differences(field, known),
            None => vec!["no schema has it".to_owned()],
        };
        if !told.is_empty() {
            breaches.insert(field.key(), told.join(", "));
        }
    }
    assert_excepted(MISSING, &breaches);
}

#[test]
fn every_field_of_the_schemas_is_kongs() {
    let wanted: Vec<String> = wanted().iter().map(Wanted::key).collect();
    let known = known();
    let own = known.keys().filter(|key| !wanted.contains(key));
    let breaches = own.map(|key| (key.clone(), "Kong has no such field".to_owned()));
    assert_excepted(OWN, &breaches.collect());
}

#[test]
fn a_field_of_another_type_or_default_is_told() {
    let wanted = Wanted {
        owner: "o".into(),
        path: "p".into(),
        ty: "set".into(),
        required: "R".into(),
        default: "[1]".into(),
    };
    let known = |ty, required, default| Known {
        ty,
        is_shorthand: false,
        required,
        default,
    };
    let same = known("set", true, serde_json::json!([1.0]));
    assert_eq!(differences(&wanted, &same), Vec::<String>::new());
    let other = known("array", false, Value::Null);
    assert_eq!(differences(&wanted, &other).len(), 3);
}
