//! Ids of items: the one that is written, else the one that Kong derives from the item's key, so
//! that a file gives the same ids at each load.
//!
//! The name that is hashed is the item's text as written: the same plugin bound by name, by id and
//! by its place in the file gets three ids, as in Kong. Deviation: a reference by object counts
//! with its id, where Kong leaves it out and lets two plugins of one name collide.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::plan::KindPlan;
use crate::field::{Kind, OnDelete, Schema};

/// Stands for the workspace in names.
const WORKSPACE: &str = "*";

/// The enclosing item of a nested one, as far as it matters for an id.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// The field that refers to it.
    pub(super) field: &'static str,
    /// Its id, unless that is random.
    pub(super) id: Option<Uuid>,
}

/// The written or derived id; `None`: the item gets a random one.
pub(super) fn id_of(
    plan: &KindPlan,
    object: &Map<String, Value>,
    scope: Option<Scope>,
) -> Option<Uuid> {
    match object.get("id") {
        None | Some(Value::Null) => {}
        Some(id) => return id.as_str().and_then(|id| Uuid::try_parse(id).ok()),
    }
    let name = if plan.schema.cache_key.is_empty() {
        endpoint_name(plan.schema, object, scope)
    } else {
        cache_name(plan.schema, object, scope)
    }?;
    Some(Uuid::new_v5(&plan.namespace, name.as_bytes()))
}

/// `<kind>:*:<value>:<value>…` over the fields that are unique together.
fn cache_name(
    schema: &Schema,
    object: &Map<String, Value>,
    scope: Option<Scope>,
) -> Option<String> {
    let mut name = format!("{}:{WORKSPACE}", schema.name);
    for key in schema.cache_key {
        let field = schema.field(key)?;
        if field.auto {
            return None;
        }
        let part = match (object.get(*key), scope) {
            (Some(Value::String(text)), _) => text.clone(),
            (Some(Value::Object(target)), _) => target.get("id")?.as_str()?.to_owned(),
            (Some(_), _) => continue,
            (None, Some(scope)) if scope.field == *key => scope.id?.to_string(),
            (None, _) if field.required => return None,
            (None, _) => String::new(),
        };
        name.push(':');
        name.push_str(&part);
    }
    Some(name)
}

/// The endpoint key; one that is not unique by itself with what it is unique under.
fn endpoint_name(
    schema: &Schema,
    object: &Map<String, Value>,
    scope: Option<Scope>,
) -> Option<String> {
    let key = schema.endpoint_key?;
    let mut name = object.get(key)?.as_str()?.to_owned();
    if schema.field(key)?.unique {
        return Some(name);
    }
    let owners = schema.fields.iter().filter(|field| {
        matches!(field.ty.kind, Kind::Foreign(_)) && field.on_delete == OnDelete::Cascade
    });
    for owner in owners {
        name.push(':');
        match scope {
            Some(scope) => name.push_str(&scope.id?.to_string()),
            None => name.push_str(object.get(owner.name)?.as_str()?),
        }
    }
    name.push(':');
    name.push_str(WORKSPACE);
    Some(name)
}
