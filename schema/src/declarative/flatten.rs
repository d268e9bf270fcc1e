//! The flat form of the error (`flatten_errors`): an entry for each faulty entity, with the entity
//! as it was submitted, for tools that must find their own objects again.
//!
//! Needs the document once more, since the load has long dropped it. What concerns no entity stays
//! in the tree. Entries come in Kong's order: sections and top-level items from the last, what is
//! inside an item before the item.
//!
//! Source: `kong/db/errors.lua`. Deviation: unresolved references and taken values are entries too,
//! where Kong loses them.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Invalid;
use super::fault::{Faults, PlaceIndex, slot};
use super::plan::{KindPlan, Plan};
use crate::entity::EntityKind;

type Path = Vec<(EntityKind, usize)>;

/// Both forms of the error: the entries, and the tree of what is left.
pub(super) fn flatten(faults: &Faults, document: &Value, plan: &Plan) -> Invalid {
    let mut places: Vec<(Path, PlaceIndex)> = faults
        .places_with_problems()
        .map(|place| (faults.path(place), place))
        .collect();
    places.sort_by(|(left, _), (right, _)| order(left, right));
    places.dedup();
    let mut texts = texts_of(faults);
    let mut fields = faults.sections.clone();
    let mut entries = Vec::new();
    for (path, place) in places {
        match lookup(document, &path) {
            Some(item) => {
                let entity = submitted(faults, plan, document, place, item.clone());
                let tree = match faults.items.get(&place) {
                    Some(Value::Object(tree)) => tree.clone(),
                    _ => Map::new(),
                };
                let texts = texts.remove(&place).unwrap_or_default();
                let kind = faults.places[place as usize].kind;
                add_entries((plan, plan.of(kind)), entity, tree, texts, &mut entries);
            }
            None => {
                if let Some(error) = faults.items.get(&place) {
                    *slot(&mut fields, &path) = error.clone();
                }
            }
        }
    }
    Invalid {
        fields,
        flattened: Some(entries),
    }
}

fn order(left: &Path, right: &Path) -> Ordering {
    let root = |path: &Path| {
        path.first()
            .map(|(kind, index)| Reverse((kind.name(), *index)))
    };
    root(left).cmp(&root(right)).then_with(|| {
        let differs = left.iter().zip(right).find(|(left, right)| left != right);
        match differs {
            Some((left, right)) => left.cmp(right),
            None => right.len().cmp(&left.len()),
        }
    })
}

fn lookup<'d>(document: &'d Value, path: &Path) -> Option<&'d Map<String, Value>> {
    let mut value = document;
    for (kind, index) in path {
        value = value.get(kind.name())?.get(index)?;
    }
    value.as_object()
}

/// The item with the ids that the load gave: its own, unless that is random, and the parent's.
fn submitted(
    faults: &Faults,
    plan: &Plan,
    document: &Value,
    place: PlaceIndex,
    mut entity: Map<String, Value>,
) -> Map<String, Value> {
    if entity.get("id").is_none_or(Value::is_null)
        && let Some(id) = generated_id(faults, place)
    {
        entity.insert("id".to_owned(), id.to_string().into());
    }
    let at = faults.places[place as usize];
    let Some(parent) = at.parent else {
        return entity;
    };
    let written = lookup(document, &faults.path(parent)).and_then(valid_id);
    let id = written.map_or_else(
        || generated_id(faults, parent).map(|id| id.to_string()),
        |id| Some(id.to_owned()),
    );
    let parent = plan.of(faults.places[parent as usize].kind);
    if let (Some((_, field)), Some(id)) = (parent.child(at.kind.name()), id)
        && entity.get(field).is_none_or(Value::is_null)
    {
        entity.insert(field.to_owned(), json!({ "id": id }));
    }
    entity
}

/// An id that is derived from the item, and the same the next time.
fn generated_id(faults: &Faults, place: PlaceIndex) -> Option<Uuid> {
    const DERIVED: usize = 5;
    let id = faults.ids.get(&place).copied();
    id.filter(|id| id.get_version_num() == DERIVED)
}

/// What is said about whole items.
fn texts_of(faults: &Faults) -> HashMap<PlaceIndex, Vec<String>> {
    let items = faults.items.iter();
    let items = items.filter_map(|(place, error)| Some((*place, error.as_str()?)));
    let unresolved = faults.unresolved.iter().map(|f| (f.place, &*f.text));
    let taken = faults.taken.iter().map(|f| (f.place, &*f.text));
    let mut texts: HashMap<PlaceIndex, Vec<String>> = HashMap::new();
    for (place, text) in items.chain(unresolved).chain(taken) {
        texts.entry(place).or_default().push(text.to_owned());
    }
    texts
}

/// The entry of an entity, after those of entities that stand in its references.
fn add_entries(
    (all, plan): (&Plan, &KindPlan),
    mut entity: Map<String, Value>,
    mut tree: Map<String, Value>,
    texts: Vec<String>,
    entries: &mut Vec<Value>,
) {
    for to in &plan.references {
        let Some(Value::Object(inline)) = entity.get(to.field).cloned() else {
            continue;
        };
        match valid_id(&inline) {
            Some(id) => drop(entity.insert(to.field.to_owned(), json!({ "id": id }))),
            None => drop(entity.shift_remove(to.field)),
        }
        if let (Some(Value::Object(error)), Some(kind)) = (tree.shift_remove(to.field), to.kind) {
            add_entries((all, all.of(kind)), inline, error, Vec::new(), entries);
        }
    }
    for (kind, _) in &plan.children {
        if matches!(
            entity.get(kind.name()),
            Some(Value::Array(_) | Value::Object(_))
        ) {
            entity.shift_remove(kind.name());
        }
    }
    let mut errors = Vec::new();
    categorize(&tree, "", &mut errors);
    errors.extend(texts.into_iter().map(entity_error));
    if !errors.is_empty() {
        entries.push(entry(plan.schema.name, entity, errors));
    }
}

fn entry(kind: &str, entity: Map<String, Value>, errors: Vec<Value>) -> Value {
    let singular = kind.strip_suffix('s').unwrap_or(kind);
    let mut entry = Map::new();
    entry.insert("entity_type".into(), singular.into());
    let name = entity.get("name").and_then(Value::as_str);
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        entry.insert("entity_name".into(), name.into());
    }
    if let Some(id) = valid_id(&entity) {
        entry.insert("entity_id".into(), id.into());
    }
    if let Some(Value::Array(tags)) = entity.get("tags")
        && tags.iter().all(Value::is_string)
    {
        entry.insert("entity_tags".into(), tags.clone().into());
    }
    entry.insert("entity".into(), entity.into());
    entry.insert("errors".into(), errors.into());
    Value::Object(entry)
}

fn valid_id(entity: &Map<String, Value>) -> Option<&str> {
    let id = entity.get("id").and_then(Value::as_str);
    id.filter(|id| Uuid::try_parse(id).is_ok())
}

/// A list of errors with the paths of their fields; positions count from 1.
fn categorize(tree: &Map<String, Value>, prefix: &str, errors: &mut Vec<Value>) {
    let mut members: Vec<_> = tree.iter().collect();
    members.sort_unstable_by_key(|(key, _)| Reverse(key.as_str()));
    for (key, error) in members {
        if key == crate::field::ENTITY {
            let list = error.as_array().map_or(&[][..], Vec::as_slice);
            let texts = list.iter().filter_map(Value::as_str);
            errors.extend(texts.map(|text| entity_error(text.to_owned())));
        } else {
            add_field_errors(format!("{prefix}{key}"), error, errors);
        }
    }
}

fn add_field_errors(field: String, error: &Value, errors: &mut Vec<Value>) {
    match error {
        Value::Object(tree) => categorize(tree, &format!("{field}."), errors),
        Value::Array(list) => {
            for (index, error) in list.iter().enumerate().rev() {
                add_field_errors(format!("{field}.{}", index + 1), error, errors);
            }
        }
        Value::String(text) => {
            errors.push(json!({ "type": "field", "field": field, "message": text }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn entity_error(text: String) -> Value {
    json!({ "type": "entity", "message": text })
}
