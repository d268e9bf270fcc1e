//! `GET /tags` and `GET /tags/{tag}`: every pair of an entity and a tag of it.
//!
//! Source: `kong/api/routes/tags.lua`, `kong/db/dao/tags.lua`. Deviation: pages run over all kinds in
//! one order (kind, id, position of the tag), where Kong answers a page for each kind.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Value, json};
use silverback_schema::{entity::EntityKind, field::text};
use uuid::Uuid;

use crate::{
    entities::{Entities, Object, id_of},
    error::Refusal,
    form::{self, Fields},
    page::{Asked, escaped},
};

/// Entities that are read at a time.
const BATCH: usize = 256;

/// The position of an item: kind, id, tag.
type Position = (String, Uuid, usize);

/// A page of items; only those of a tag when one is named.
pub(crate) fn list(
    entities: &Entities,
    tag: Option<&str>,
    query: &Fields,
) -> Result<Value, Refusal> {
    if let Some(tag) = tag {
        text::tag(tag).map_err(|problem| Refusal::Unique("tag", problem))?;
        if tag.contains('\u{fffd}') {
            let problem = "invalid utf-8 character sequence detected".to_owned();
            return Err(Refusal::Unique("tag", problem));
        }
    }
    let without_filter: Fields = query
        .iter()
        .filter(|(name, _)| name != "tags")
        .cloned()
        .collect();
    let asked = Asked::of(&without_filter)?;
    let after = form::first(query, "offset").map(position).transpose()?;
    let (items, more) = collect(entities, tag, after, asked.size)?;
    let offset = items.last().filter(|_| more).map(|(position, _)| {
        STANDARD_NO_PAD.encode(json!([position.0, position.1, position.2]).to_string())
    });
    let data: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    let path = tag.map_or_else(
        || "/tags".to_owned(),
        |tag| format!("/tags/{}", escaped(tag)),
    );
    let next = offset
        .as_ref()
        .map(|offset| format!("{path}?offset={}", escaped(offset)));
    let mut page = json!({ "data": data, "next": next });
    if let Some(offset) = offset {
        page["offset"] = offset.into();
    }
    Ok(page)
}

fn position(offset: &str) -> Result<Position, Refusal> {
    let refuse = |why| Refusal::Offset(format!("'{offset}' is not a valid offset: {why}"));
    let bytes = STANDARD_NO_PAD
        .decode(offset.trim_end_matches('='))
        .map_err(|_| refuse("bad base64 encoding"))?;
    serde_json::from_slice(&bytes).map_err(|_| refuse("bad json encoding"))
}

fn collect(
    entities: &Entities,
    tag: Option<&str>,
    after: Option<Position>,
    size: usize,
) -> Result<(Vec<(Position, Value)>, bool), Refusal> {
    let mut items = Vec::new();
    let first = after
        .as_ref()
        .and_then(|(kind, ..)| EntityKind::of_name(kind));
    for kind in EntityKind::all().filter(|kind| first.is_none_or(|first| *kind >= first)) {
        if entities.schema(kind).position("tags").is_none() {
            continue;
        }
        let mut last = None;
        if let Some((_, id, ordinal)) = after.as_ref().filter(|_| first == Some(kind)) {
            if let Some(entity) = entities.get(kind, *id)? {
                add(&mut items, kind, &entity, tag, ordinal + 1);
            }
            last = Some(*id);
        }
        loop {
            if items.len() > size {
                items.truncate(size);
                return Ok((items, true));
            }
            let (batch, more) = entities.page(kind, last, BATCH, None)?;
            for entity in &batch {
                add(&mut items, kind, entity, tag, 0);
            }
            last = batch.last().and_then(id_of).or(last);
            if !more {
                break;
            }
        }
    }
    let more = items.len() > size;
    items.truncate(size);
    Ok((items, more))
}

fn add(
    items: &mut Vec<(Position, Value)>,
    kind: EntityKind,
    entity: &Object,
    wanted: Option<&str>,
    skip: usize,
) {
    let Some(id) = id_of(entity) else { return };
    let tags = entity.get("tags").and_then(Value::as_array);
    for (ordinal, tag) in tags.into_iter().flatten().enumerate().skip(skip) {
        if wanted.is_none_or(|wanted| tag == wanted) {
            let item = json!({ "tag": tag, "entity_name": kind.name(), "entity_id": id });
            items.push(((kind.name().to_owned(), id, ordinal), item));
        }
    }
}
