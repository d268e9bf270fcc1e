//! Writes of entities. A node without a database refuses them, but says first what would be wrong
//! with them in any case.
//!
//! Source: `kong/api/endpoints.lua`, `kong/db/strategies/off/init.lua` (texts).

use serde_json::{Value, json};
use silverback_schema::{
    entity::EntityKind,
    field::{Context, Kind, Mode},
};
use uuid::Uuid;

use crate::{
    answer::{self, Answer},
    entities::{Entities, Key, Object, uuid_of},
    error::{Refusal, Unresolved},
    input::Input,
    item,
    route::Below,
};

/// `POST /P`, and below an entity.
pub(crate) fn create(
    entities: &Entities,
    kind: EntityKind,
    parent: Option<(&'static str, Uuid)>,
    input: &Input,
) -> Refusal {
    match try_create(entities, kind, parent, input) {
        Err(refusal) => refusal,
        Ok(()) => unsupported("create", kind, None),
    }
}

fn try_create(
    entities: &Entities,
    kind: EntityKind,
    parent: Option<(&'static str, Uuid)>,
    input: &Input,
) -> Result<(), Refusal> {
    let mut object = input.object(entities.schema(kind), None, &entities.rules)?;
    if let Some((field, id)) = parent {
        object.insert(field.to_owned(), json!({ "id": id.to_string() }));
    }
    check(entities, kind, object)
}

/// Resolves references by name and validates a whole entity.
fn check(entities: &Entities, kind: EntityKind, mut object: Object) -> Result<(), Refusal> {
    resolve_references(entities, kind, &mut object)?;
    let context = Context {
        mode: Mode::Insert,
        rules: &entities.rules,
    };
    let outcome = entities.schema(kind).validate(object, context);
    outcome.map(drop).map_err(Refusal::Schema)
}

/// `POST /P/{key}/C`.
pub(crate) fn create_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    input: &Input,
) -> Result<Answer, Refusal> {
    let parent = entities.parent(below, parent)?;
    Err(create(
        entities,
        below.child,
        Some((below.field, parent)),
        input,
    ))
}

/// `PUT /P/{key}`.
pub(crate) fn replace(
    entities: &Entities,
    kind: EntityKind,
    text: &str,
    input: &Input,
) -> Result<Answer, Refusal> {
    if kind == EntityKind::CERTIFICATES && uuid_of(text).is_none() {
        let object = input.object(entities.schema(kind), None, &entities.rules)?;
        check(entities, kind, object)?;
        return Err(unsupported("create or update", kind, None));
    }
    let key = entities.key(kind, text)?;
    let mut object = input.object(entities.schema(kind), None, &entities.rules)?;
    object.insert(key.field().to_owned(), key.text().into());
    check(entities, kind, object)?;
    Err(unsupported("create or update", kind, Some(&key)))
}

/// `PUT /P/{key}/C/{key}`.
pub(crate) fn replace_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    text: &str,
    input: &Input,
) -> Result<Answer, Refusal> {
    if below.child == EntityKind::TARGETS {
        return change_below(entities, below, parent, text, input);
    }
    let parent = entities.parent(below, parent)?;
    let key = entities.key(below.child, text)?;
    let mut object = input.object(entities.schema(below.child), None, &entities.rules)?;
    object.insert(key.field().to_owned(), key.text().into());
    object.insert(below.field.to_owned(), json!({ "id": parent.to_string() }));
    check(entities, below.child, object)?;
    Err(unsupported("create or update", below.child, Some(&key)))
}

/// `PATCH /P/{key}`.
pub(crate) fn change(
    entities: &Entities,
    kind: EntityKind,
    text: &str,
    input: &Input,
) -> Result<Answer, Refusal> {
    let key = item::key(entities, kind, text)?;
    let stored = entities.by_key(kind, &key)?;
    let stored = stored.ok_or_else(|| item::missing(&key))?;
    merge(entities, kind, stored, input)?;
    Err(unsupported("update", kind, Some(&key)))
}

/// `PATCH /P/{key}/C/{key}`.
pub(crate) fn change_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    text: &str,
    input: &Input,
) -> Result<Answer, Refusal> {
    let (_, stored) = item::child(entities, below, parent, text)?;
    merge(
        entities,
        below.child,
        stored.ok_or(Refusal::NotFound)?,
        input,
    )?;
    let key = entities.key(below.child, text)?;
    Err(unsupported("update", below.child, Some(&key)))
}

/// Validates what a stored entity becomes.
fn merge(
    entities: &Entities,
    kind: EntityKind,
    stored: Object,
    input: &Input,
) -> Result<(), Refusal> {
    let schema = entities.schema(kind);
    let mut object = input.object(schema, Some(&stored), &entities.rules)?;
    resolve_references(entities, kind, &mut object)?;
    let outcome = schema.validate_update(stored, object, &entities.rules);
    outcome.map(drop).map_err(Refusal::Schema)
}

/// `DELETE /P/{key}`: what is not there is deleted already.
pub(crate) fn delete(entities: &Entities, kind: EntityKind, text: &str) -> Result<Answer, Refusal> {
    let key = item::key(entities, kind, text)?;
    match entities.by_key(kind, &key)? {
        Some(_) => Err(unsupported("remove", kind, Some(&key))),
        None => Ok(answer::empty(axum::http::StatusCode::NO_CONTENT)),
    }
}

/// `DELETE /P/{key}/C/{key}`.
pub(crate) fn delete_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    text: &str,
) -> Result<Answer, Refusal> {
    let (_, stored) = item::child(entities, below, parent, text)?;
    stored.ok_or(Refusal::NotFound)?;
    let key = entities.key(below.child, text)?;
    Err(unsupported("remove", below.child, Some(&key)))
}

/// Writes to the entity that a field refers to.
pub(crate) fn referred(
    entities: &Entities,
    (kind, field, target): (EntityKind, &'static str, EntityKind),
    text: &str,
    method: &axum::http::Method,
    input: &Input,
) -> Result<Answer, Refusal> {
    use axum::http::Method;
    let stored = item::referred(entities, kind, field, target, text)?;
    match *method {
        Method::DELETE if stored.is_some() => Err(Refusal::MethodNotAllowed),
        Method::DELETE => Err(Refusal::NotFound),
        Method::PATCH => {
            merge(entities, target, stored.ok_or(Refusal::NotFound)?, input)?;
            Err(unsupported("update", target, None))
        }
        _ => {
            let object = input.object(entities.schema(target), None, &entities.rules)?;
            check(entities, target, object)?;
            Err(unsupported("create or update", target, None))
        }
    }
}

fn unsupported(verb: &str, kind: EntityKind, key: Option<&Key>) -> Refusal {
    let name = kind.name();
    let by = match key {
        // Targets are known by their id alone once they are found.
        Some(Key::Name(field, _)) if kind != EntityKind::TARGETS => format!(" by '{field}'"),
        _ => String::new(),
    };
    Refusal::Unsupported(format!(
        "cannot {verb} '{name}' entities{by} when not using a database"
    ))
}

/// References by a unique field become references by id.
fn resolve_references(
    entities: &Entities,
    kind: EntityKind,
    object: &mut Object,
) -> Result<(), Refusal> {
    let mut unresolved = Vec::new();
    for (field, target) in entities.schema(kind).references() {
        let Some(target) = EntityKind::of_name(target) else {
            continue;
        };
        let Some(Value::Object(reference)) = object.get(field.name) else {
            continue;
        };
        if reference.get("id").and_then(Value::as_str).is_some() {
            continue;
        }
        let Some((key, value)) = unique_member(entities, target, reference) else {
            continue;
        };
        match entities.id(target, &Key::Name(key, value.clone()))? {
            Some(id) => {
                object.insert(field.name.to_owned(), json!({ "id": id.to_string() }));
            }
            None => unresolved.push(Unresolved {
                field: field.name,
                key,
                value,
                entities: target.name(),
            }),
        }
    }
    if unresolved.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Unresolved(unresolved))
    }
}

/// The first unique field of the target that a reference gives a valid value for.
fn unique_member(
    entities: &Entities,
    target: EntityKind,
    reference: &Object,
) -> Option<(&'static str, String)> {
    let schema = entities.schema(target);
    let context = Context {
        mode: Mode::Insert,
        rules: &entities.rules,
    };
    let fields = schema.fields.iter();
    let unique = fields.filter(|field| field.unique && matches!(field.ty.kind, Kind::String));
    unique
        .filter_map(|field| {
            let value = reference.get(field.name)?;
            let checked = schema.check_field(field.name, value.clone(), context);
            checked
                .ok()?
                .as_str()
                .map(|text| (field.name, text.to_owned()))
        })
        .next()
}
