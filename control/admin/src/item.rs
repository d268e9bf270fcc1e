//! One entity: `GET /services/{key}`, `GET /services/{key}/routes/{key}`, `GET /routes/{key}/service`.
//!
//! Source: `kong/api/endpoints.lua` (`get_entity_endpoint`), `kong/api/routes/certificates.lua`.

use serde_json::Value;
use silverback_schema::entity::EntityKind;
use uuid::Uuid;

use crate::{
    entities::{Entities, Key, Object, reference, uuid_of},
    error::Refusal,
    route::Below,
};

/// The key of an item at the top; certificates are also known by the names of their SNIs.
pub(crate) fn key(entities: &Entities, kind: EntityKind, text: &str) -> Result<Key, Refusal> {
    if kind == EntityKind::CERTIFICATES && uuid_of(text).is_none() {
        let id = entities.certificate_of(text)?;
        return id.map(Key::Id).ok_or_else(Refusal::unknown_sni);
    }
    entities.key(kind, text)
}

/// An item at the top.
pub(crate) fn get(entities: &Entities, kind: EntityKind, text: &str) -> Result<Value, Refusal> {
    let key = key(entities, kind, text)?;
    match entities.by_key(kind, &key)? {
        Some(entity) => Ok(Value::Object(entity)),
        // Kong's only kind with the long form here.
        None if kind == EntityKind::CERTIFICATES => Err(missing(&key)),
        None => Err(Refusal::NotFound),
    }
}

/// There is no entity with that key: the long form.
pub(crate) fn missing(key: &Key) -> Refusal {
    Refusal::Missing {
        field: key.field(),
        value: key.text(),
    }
}

/// An item of a collection below an entity.
pub(crate) fn get_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    text: &str,
) -> Result<Value, Refusal> {
    let (_, child) = child(entities, below, parent, text)?;
    child.map(Value::Object).ok_or(Refusal::NotFound)
}

/// The parent's id, and the item if it is there and below that parent.
pub(crate) fn child(
    entities: &Entities,
    below: Below,
    parent: &str,
    text: &str,
) -> Result<(Uuid, Option<Object>), Refusal> {
    let parent = entities.parent(below, parent)?;
    let key = entities.key(below.child, text)?;
    Ok((parent, entities.child(below, parent, &key)?))
}

/// The entity that a field of an item refers to; `None`: the field is null.
pub(crate) fn referred(
    entities: &Entities,
    kind: EntityKind,
    field: &str,
    target: EntityKind,
    text: &str,
) -> Result<Option<Object>, Refusal> {
    let key = key(entities, kind, text)?;
    let source = entities.by_key(kind, &key)?.ok_or(Refusal::NotFound)?;
    match reference(&source, field) {
        Some(id) => entities.get(target, id),
        None => Ok(None),
    }
}
