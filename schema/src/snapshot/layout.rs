//! Where entities lie, and which of their fields the databases `keys` and `children` list: those
//! that the schemas call unique, and their references.
//!
//! Limits: unique fields are texts, as all of Kong's are; the names of a kind and a field together
//! are at most [`PREFIX_BYTES_MAX`] bytes.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use super::error::Place;
use crate::entity::EntityKind;
use crate::field::{Rules, Schema};

/// What a key of `keys` may begin with, bytes: the rest of LMDB's 511 is for the text.
pub(super) const PREFIX_BYTES_MAX: usize = 111;

/// A field that is listed.
#[derive(Debug)]
pub(super) struct Link {
    /// The kind that has the field.
    pub(super) kind: EntityKind,
    /// Its name.
    pub(super) field: &'static str,
    /// What a reference refers to, where that is a kind of the registry.
    pub(super) parent: Option<EntityKind>,
    /// What the keys of the field begin with: kind, 0x00, field, 0x00.
    pub(super) prefix: Vec<u8>,
}

struct KindLayout {
    schema: &'static Schema,
    unique: Vec<Link>,
    references: Vec<Link>,
    hash: u64,
}

/// By the kind's position.
static KINDS: LazyLock<Vec<KindLayout>> = LazyLock::new(|| {
    let rules = Rules::default();
    let kinds = EntityKind::all();
    kinds
        .map(|kind| KindLayout::new(kind, kind.schema(&rules)))
        .collect()
});

impl KindLayout {
    fn new(kind: EntityKind, schema: &'static Schema) -> Self {
        let stored = schema.fields.iter().filter(|field| !field.transient);
        let unique = stored.filter(|field| field.unique);
        let unique = in_order(unique.map(|field| link(kind, field.name, None)));
        let references = schema.references();
        let references =
            references.map(|(field, parent)| link(kind, field.name, EntityKind::of_name(parent)));
        let references = in_order(references);
        let mut all = Vec::new();
        for link in unique.iter().chain(&references) {
            all.extend_from_slice(&link.prefix);
            all.push(u8::from(link.parent.is_some()));
        }
        Self {
            schema,
            unique,
            references,
            hash: xxh3_64(&all),
        }
    }
}

fn link(kind: EntityKind, field: &'static str, parent: Option<EntityKind>) -> Link {
    let prefix = [kind.name().as_bytes(), field.as_bytes(), b""].join(&0);
    assert!(prefix.len() <= PREFIX_BYTES_MAX, "{kind:?}.{field}");
    Link {
        kind,
        field,
        parent,
        prefix,
    }
}

fn in_order(links: impl Iterator<Item = Link>) -> Vec<Link> {
    let mut links: Vec<_> = links.collect();
    links.sort_unstable_by(|left, right| left.prefix.cmp(&right.prefix));
    links
}

/// The kinds by name, which is the order of keys that begin with it.
pub(super) fn kinds_by_name() -> Vec<EntityKind> {
    let mut kinds: Vec<_> = EntityKind::all().collect();
    kinds.sort_unstable_by_key(|kind| kind.name());
    kinds
}

/// The description of a kind.
pub(super) fn schema(kind: EntityKind) -> &'static Schema {
    KINDS[kind.index()].schema
}

/// The unique fields of a kind, in key order.
pub(super) fn unique(kind: EntityKind) -> &'static [Link] {
    &KINDS[kind.index()].unique
}

/// The references of a kind, in key order.
pub(super) fn references(kind: EntityKind) -> &'static [Link] {
    &KINDS[kind.index()].references
}

/// The unique field of that name.
pub(super) fn unique_field(kind: EntityKind, field: &str) -> Option<&'static Link> {
    unique(kind).iter().find(|link| link.field == field)
}

/// The reference of that name.
pub(super) fn reference(kind: EntityKind, field: &str) -> Option<&'static Link> {
    references(kind).iter().find(|link| link.field == field)
}

/// The references to a kind.
pub(super) fn references_to(parent: EntityKind) -> impl Iterator<Item = &'static Link> {
    let all = KINDS.iter().flat_map(|kind| &kind.references);
    all.filter(move |link| link.parent == Some(parent))
}

/// A hash of what is listed of a kind: `keys` and `children` fit a program if it is the same.
pub(super) fn hash(kind: EntityKind) -> u64 {
    KINDS[kind.index()].hash
}

/// The database that holds a kind.
pub(super) fn place(kind: EntityKind) -> Place {
    match kind {
        EntityKind::SERVICES => Place::Services,
        EntityKind::ROUTES => Place::Routes,
        EntityKind::UPSTREAMS => Place::Upstreams,
        EntityKind::TARGETS => Place::Targets,
        _ => Place::Entities,
    }
}
