//! Each field of `fields.tsv` refuses a value of another type, and null when it is required, with
//! Kong's text at its own place in the error tree: as `POST /schemas/…/validate` answers.

use serde_json::{Value, json};
use silverback_schema::entity::EntityKind;
use silverback_schema::field::{Context, Errors, Mode, Rules};

use super::field::{UNKNOWN, Wanted, expressions, known, wanted};
use super::{Breaches, assert_excepted};

/// Fields that take a value of another type.
pub(super) const WRONG_TYPE: &str = "wrong_type";
/// Required fields that take null.
pub(super) const NULL: &str = "null";

/// The part of a path that stands for any member of a map.
const ANY: &str = "*";

/// One step of a path.
enum Step<'a> {
    /// Into the member of that name.
    Member(&'a str),
    /// Into an element of a list.
    Element,
    /// Into a member of a map, whose errors have no key.
    Any,
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let name = part.trim_end_matches("[]");
        steps.push(match name {
            ANY => Step::Any,
            name => Step::Member(name),
        });
        if name != part {
            steps.push(Step::Element);
        }
    }
    steps
}

/// The object that holds the value at that place and nothing else.
fn nested(steps: &[Step<'_>], value: Value) -> Value {
    steps.iter().rev().fold(value, |value, step| match step {
        Step::Member(name) => json!({ *name: value }),
        Step::Element => json!([value]),
        Step::Any => json!({ "any": value }),
    })
}

/// The part of an error tree at that place.
fn at<'a>(steps: &[Step<'_>], errors: &'a Value) -> &'a Value {
    steps.iter().fold(errors, |errors, step| match step {
        Step::Member(name) => &errors[*name],
        Step::Element => &errors[0],
        Step::Any => errors,
    })
}

/// What else an entity must say for a field to be looked at: `(owner, field, members)`. Other
/// checks would say that the field must not be set at all.
const SURROUNDINGS: &[(&str, &str, &str)] = &[
    ("services", "ca_certificates", r#"{"protocol":"https"}"#),
    ("services", "client_certificate", r#"{"protocol":"https"}"#),
    ("services", "tls_verify", r#"{"protocol":"https"}"#),
    ("services", "tls_verify_depth", r#"{"protocol":"https"}"#),
    ("upstreams", "hash_fallback", r#"{"hash_on":"header"}"#),
];

/// The name of a plugin or vault that restricts no field of the entity.
fn name_of(entity: &str) -> Option<&'static str> {
    match entity {
        "plugins" => Some("correlation-id"),
        "vaults" => Some("env"),
        _ => None,
    }
}

/// The error of a field that has that value; null if there is none.
fn error_of(field: &Field, value: Value) -> Value {
    let mut path = steps(&field.wanted.path);
    let owner = &field.wanted.owner;
    let (entity, name) = match owner.split_once(':') {
        Some((kind, name)) => (format!("{kind}s"), Some(name)),
        None => (owner.clone(), name_of(owner)),
    };
    if *owner != entity {
        path.insert(0, Step::Member("config"));
    }
    let mut object = nested(&path, value);
    if let Some(name) = name
        && object.get("name").is_none()
    {
        object["name"] = name.into();
    }
    add_surroundings(field, &mut object);
    let errors = Value::Object(validate(&entity, field, object));
    match path.last() {
        Some(Step::Member(name)) if field.is_shorthand => errors[*name].clone(),
        _ => at(&path, &errors).clone(),
    }
}

fn add_surroundings(field: &Field, object: &mut Value) {
    for (owner, name, members) in SURROUNDINGS {
        if field.wanted.owner == *owner && field.wanted.path == *name {
            let members: Value = serde_json::from_str(members).expect("JSON");
            for (member, value) in members.as_object().expect("an object") {
                object[member] = value.clone();
            }
        }
    }
}

fn validate(entity: &str, field: &Field, object: Value) -> Errors {
    let kind = EntityKind::of_name(entity).expect("the owners of known fields are kinds");
    let name = field.wanted.path.split('.').next().unwrap_or_default();
    let usual = Rules::default();
    let rules = match kind.schema(&usual).field(name) {
        None if kind == EntityKind::ROUTES => expressions(),
        _ => usual,
    };
    let context = Context {
        mode: Mode::Insert,
        rules: &rules,
    };
    let Value::Object(object) = object else {
        unreachable!("a path has a member first");
    };
    let outcome = kind.schema(&rules).validate(object, context);
    outcome.err().unwrap_or_default()
}

/// A value of another type, one that a careless reader would take, and what is said of it.
fn wrong(ty: &str) -> Option<(Value, Value)> {
    let (value, error) = match ty {
        "string" => (json!(7), json!("expected a string")),
        "integer" => (json!("7"), json!("expected an integer")),
        "number" => (json!("7"), json!("expected a number")),
        "boolean" => (json!("true"), json!("expected a boolean")),
        "array" => (json!("x"), json!("expected an array")),
        "set" => (json!("x"), json!("expected a set")),
        "map" => (json!("x"), json!("expected a map")),
        "record" => (json!("x"), json!("expected a record")),
        "foreign" => (json!({}), json!({ "id": "missing primary key" })),
        _ => return None,
    };
    Some((value, error))
}

/// A field of Kong's whose owner has a schema; what the table leaves open is the schema's.
struct Field {
    wanted: Wanted,
    ty: String,
    is_required: bool,
    is_shorthand: bool,
}

fn fields() -> impl Iterator<Item = Field> {
    let known = known();
    wanted().into_iter().filter_map(move |wanted| {
        let is_owner = |key: &String| key.split(' ').next() == Some(wanted.owner.as_str());
        let ours = known.get(&wanted.key());
        if ours.is_none() && !known.keys().any(is_owner) {
            return None;
        }
        let ty = match (wanted.ty.as_str(), ours) {
            (UNKNOWN, Some(ours)) => ours.ty.to_owned(),
            (ty, _) => ty.to_owned(),
        };
        let is_required = match ours {
            Some(ours) if wanted.required == UNKNOWN => ours.required,
            _ => wanted.is_required(),
        };
        Some(Field {
            wanted,
            ty,
            is_required,
            is_shorthand: ours.is_some_and(|ours| ours.is_shorthand),
        })
    })
}

#[test]
fn every_field_refuses_a_value_of_another_type() {
    let mut breaches = Breaches::new();
    for field in fields() {
        let key = field.wanted.key();
        let Some((value, expected)) = wrong(&field.ty) else {
            breaches.insert(key, format!("{} has no wrong value", field.ty));
            continue;
        };
        let error = error_of(&field, value.clone());
        if error != expected {
            breaches.insert(key, format!("{value} gets {error} instead of {expected}"));
        }
    }
    assert_excepted(WRONG_TYPE, &breaches);
}

#[test]
fn every_required_field_refuses_null() {
    let mut breaches = Breaches::new();
    for field in fields().filter(|field| field.is_required) {
        let error = error_of(&field, Value::Null);
        if error != "required field missing" {
            breaches.insert(field.wanted.key(), format!("null gets {error}"));
        }
    }
    assert_excepted(NULL, &breaches);
}
