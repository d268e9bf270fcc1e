//! Lists of entities: `GET /services`, `GET /services/{key}/routes`.
//!
//! Source: `kong/api/endpoints.lua` (`get_collection_endpoint`), `kong/api/routes/{consumers,
//! upstreams}.lua`.

use serde_json::{Value, json};
use silverback_schema::entity::EntityKind;

use crate::{
    entities::{Entities, Object, id_of, reference},
    error::Refusal,
    form::{self, Fields},
    input::bad,
    page::{self, Asked},
    route::Below,
};

/// A page of a collection at the top.
pub(crate) fn list(
    entities: &Entities,
    kind: EntityKind,
    query: &Fields,
) -> Result<Value, Refusal> {
    if kind == EntityKind::CONSUMERS
        && let Some(custom_id) = form::first(query, "custom_id")
    {
        return by_custom_id(entities, custom_id);
    }
    let asked = Asked::of(query)?;
    let path = entities.schema(kind).path.unwrap_or_default();
    let (page, more) = entities.page(kind, asked.after()?, asked.size, asked.tags.as_ref())?;
    let offset = offset(&page, more);
    Ok(asked.page(path, page, offset))
}

/// A page of a collection below an entity; `raw_parent` as the path has it.
pub(crate) fn list_below(
    entities: &Entities,
    below: Below,
    parent: &str,
    raw_parent: &str,
    query: &Fields,
) -> Result<Value, Refusal> {
    let asked = Asked::of(query)?;
    let parent = entities.parent(below, parent)?;
    let path = path_below(entities, below, raw_parent);
    if below.child == EntityKind::TARGETS {
        return targets(entities, below, parent, &path, &asked);
    }
    let (page, more) = entities.page_below(below, parent, asked.after()?, asked.size)?;
    let offset = offset(&page, more);
    Ok(page::page_below(&path, page, offset))
}

/// All targets of an upstream, in the order of their ids.
pub(crate) fn all_targets(
    entities: &Entities,
    upstream: &str,
    raw_upstream: &str,
    query: &Fields,
) -> Result<Value, Refusal> {
    let asked = Asked::of(query)?;
    let parent = entities.parent(TARGETS, upstream)?;
    let path = path_below(entities, TARGETS, raw_upstream) + "/all";
    let (page, more) = entities.page_below(TARGETS, parent, asked.after()?, asked.size)?;
    let offset = offset(&page, more);
    Ok(page::page_below(&path, page, offset))
}

/// Targets as a collection.
pub(crate) const TARGETS: Below = Below {
    parent: EntityKind::UPSTREAMS,
    child: EntityKind::TARGETS,
    field: "upstream",
};

fn path_below(entities: &Entities, below: Below, raw_parent: &str) -> String {
    let above = entities.schema(below.parent).path.unwrap_or_default();
    let child = entities.schema(below.child);
    let path = child.nested_path.or(child.path).unwrap_or_default();
    format!("/{above}/{raw_parent}/{path}")
}

fn offset(page: &[Object], more: bool) -> Option<String> {
    let last = page.last().filter(|_| more)?;
    id_of(last).map(page::offset_after)
}

fn by_custom_id(entities: &Entities, custom_id: &str) -> Result<Value, Refusal> {
    if custom_id.is_empty() {
        return Err(bad("custom_id must be an unempty string"));
    }
    let key = crate::entities::Key::Name("custom_id", custom_id.to_owned());
    let found: Vec<Object> = entities
        .by_key(EntityKind::CONSUMERS, &key)?
        .into_iter()
        .collect();
    Ok(json!({ "data": found, "next": null }))
}

/// Most targets of an upstream that are listed in the order of their age.
const TARGETS_MAX: usize = 1 << 20;

/// Targets, newest first; the offset counts them.
fn targets(
    entities: &Entities,
    below: Below,
    parent: uuid::Uuid,
    path: &str,
    asked: &Asked,
) -> Result<Value, Refusal> {
    let skip = match &asked.offset {
        None => 0,
        Some(offset) => offset.parse::<usize>().map_err(|_| {
            Refusal::Offset(format!("'{offset}' is not a valid offset: bad number"))
        })?,
    };
    let targets = newest_targets(entities, below, parent)?;
    let total = targets.len();
    let page: Vec<Object> = targets.into_iter().skip(skip).take(asked.size).collect();
    let end = skip.saturating_add(page.len());
    let offset = (end < total && !page.is_empty()).then(|| end.to_string());
    Ok(page::page_below(path, page, offset))
}

/// Every target of an upstream, newest first, of equal age by descending id.
pub(crate) fn newest_targets(
    entities: &Entities,
    below: Below,
    parent: uuid::Uuid,
) -> Result<Vec<Object>, Refusal> {
    let (mut targets, _) = entities.page_below(below, parent, None, TARGETS_MAX)?;
    debug_assert!(
        targets
            .iter()
            .all(|target| reference(target, below.field) == Some(parent))
    );
    let age = |target: &Object| {
        target
            .get("created_at")
            .and_then(Value::as_f64)
            .unwrap_or(0.0)
    };
    targets.sort_by(|a, b| {
        age(b)
            .total_cmp(&age(a))
            .then_with(|| id_of(b).cmp(&id_of(a)))
    });
    Ok(targets)
}
