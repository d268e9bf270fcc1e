//! What is wrong with a file, by item: the source of both forms of the error, the tree that mirrors
//! the file and the flat list.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Invalid;
use crate::entity::EntityKind;

/// Position of an item in the walk.
pub(super) type PlaceIndex = u32;

/// Where an item stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) kind: EntityKind,
    /// Position in its list.
    pub(super) index: u32,
    /// The enclosing item.
    pub(super) parent: Option<PlaceIndex>,
}

/// A reference to nothing.
pub(super) struct Unresolved {
    pub(super) place: PlaceIndex,
    pub(super) field: &'static str,
    /// What names the item in the error tree.
    pub(super) key: Option<String>,
    pub(super) text: String,
}

/// A value of a unique field that another item has already.
pub(super) struct Taken {
    pub(super) place: PlaceIndex,
    /// What names the item in the error tree.
    pub(super) key: Option<String>,
    pub(super) text: String,
}

/// Everything that is wrong in one pass.
#[derive(Default)]
pub(super) struct Faults {
    /// Every item, in the order of the walk.
    pub(super) places: Vec<Place>,
    /// Problems of keys at the top that are no items.
    pub(super) sections: Map<String, Value>,
    /// Problems of items: a tree or a text.
    pub(super) items: BTreeMap<PlaceIndex, Value>,
    pub(super) unresolved: Vec<Unresolved>,
    /// Values that another item has already.
    pub(super) taken: Vec<Taken>,
    /// Ids that the items with problems, and those around them, got from the load.
    pub(super) ids: HashMap<PlaceIndex, Uuid>,
}

impl Faults {
    /// A text that is no configuration at all.
    pub(super) fn of_text(problem: &str) -> Self {
        Self {
            sections: Invalid::unparsable(problem.to_owned()).fields,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sections.is_empty()
            && self.items.is_empty()
            && self.unresolved.is_empty()
            && self.taken.is_empty()
    }

    /// Adds a problem of an item; trees of the same item are united.
    pub(super) fn add(&mut self, place: PlaceIndex, error: Value) {
        match (self.items.entry(place).or_default(), error) {
            (Value::Object(there), Value::Object(more)) => there.extend(more),
            (there, error) => *there = error,
        }
    }

    /// Adds a problem of a field of an item.
    pub(super) fn add_field(&mut self, place: PlaceIndex, field: &str, error: Value) {
        let tree = [(field.to_owned(), error)].into_iter().collect();
        self.add(place, Value::Object(tree));
    }

    /// The items with problems.
    pub(super) fn places_with_problems(&self) -> impl Iterator<Item = PlaceIndex> {
        let items = self.items.keys().copied();
        let unresolved = self.unresolved.iter().map(|fault| fault.place);
        items
            .chain(unresolved)
            .chain(self.taken.iter().map(|fault| fault.place))
    }

    /// The way from the top to an item: kind and position of each list on it.
    pub(super) fn path(&self, place: PlaceIndex) -> Vec<(EntityKind, usize)> {
        let mut path = Vec::new();
        let mut next = Some(place);
        while let Some(index) = next {
            let place = self.places[index as usize];
            path.push((place.kind, place.index as usize));
            next = place.parent;
        }
        path.reverse();
        path
    }

    /// The tree that mirrors the file.
    pub(super) fn tree(&self) -> Map<String, Value> {
        let mut tree = self.sections.clone();
        for (place, error) in &self.items {
            *slot(&mut tree, &self.path(*place)) = error.clone();
        }
        for kind in EntityKind::all() {
            self.add_unresolved(kind, &mut tree);
            self.add_taken(kind, &mut tree);
        }
        tree
    }

    /// Kong shows such errors under the item's key; where one of a kind has none, all of the kind
    /// are shown at their positions.
    fn add_unresolved(&self, kind: EntityKind, tree: &mut Map<String, Value>) {
        let faults = self.unresolved.iter();
        let of_kind = faults.filter(|fault| self.kind(fault.place) == kind);
        let has_keys = of_kind.clone().all(|fault| fault.key.is_some());
        for fault in of_kind {
            match &fault.key {
                Some(key) if has_keys => {
                    let list = section(tree, kind).entry(key.clone());
                    if let Value::Array(list) = list.or_insert_with(|| json!([])) {
                        list.push(fault.text.clone().into());
                    }
                }
                _ => {
                    let slot = slot(tree, &self.path(fault.place));
                    object(slot).insert(fault.field.to_owned(), fault.text.clone().into());
                }
            }
        }
    }

    /// The same for values that are taken.
    fn add_taken(&self, kind: EntityKind, tree: &mut Map<String, Value>) {
        let faults = self.taken.iter();
        let of_kind = faults.filter(|fault| self.kind(fault.place) == kind);
        let has_keys = of_kind.clone().all(|fault| fault.key.is_some());
        for fault in of_kind {
            let text = Value::from(fault.text.clone());
            match &fault.key {
                Some(key) if has_keys => drop(section(tree, kind).insert(key.clone(), text)),
                _ => *slot(tree, &self.path(fault.place)) = text,
            }
        }
    }

    fn kind(&self, place: PlaceIndex) -> EntityKind {
        self.places[place as usize].kind
    }
}

/// The errors of a kind as an object.
fn section(tree: &mut Map<String, Value>, kind: EntityKind) -> &mut Map<String, Value> {
    object(tree.entry(kind.name()).or_insert(Value::Null))
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made an object")
}

/// The slot of an item in a tree, made with all that leads to it.
pub(super) fn slot<'a>(
    tree: &'a mut Map<String, Value>,
    path: &[(EntityKind, usize)],
) -> &'a mut Value {
    let ((kind, index), rest) = path.split_first().expect("an item stands in a list");
    let list = tree.entry(kind.name()).or_insert(Value::Null);
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let list = list.as_array_mut().expect("made a list");
    if list.len() <= *index {
        list.resize(index + 1, Value::Null);
    }
    if rest.is_empty() {
        &mut list[*index]
    } else {
        slot(object(&mut list[*index]), rest)
    }
}
