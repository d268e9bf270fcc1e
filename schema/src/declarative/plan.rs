//! What the walk over a file needs to know of each kind: derived from the registry, once for each
//! load, so that no kind is named here.

use uuid::Uuid;

use crate::entity::EntityKind;
use crate::field::{Field, Rules, Schema};

/// Namespace of the namespaces of generated ids.
const ID_NAMESPACE: Uuid = Uuid::from_u128(0xfd02801f_0957_4a15_a55a_c8d9606f30b5);

/// Kinds that are about a node and what it counted, not about what it should do: read over. All
/// kinds without an id are among them.
pub(super) const IGNORED_KINDS: &[&str] = &[
    "parameters",
    "clustering_data_planes",
    "workspaces",
    "ratelimiting_metrics",
];

/// The kind whose items a list at the top holds.
pub(super) fn kind_of(section: &str) -> Option<EntityKind> {
    EntityKind::of_name(section).filter(|kind| !IGNORED_KINDS.contains(&kind.name()))
}

/// Every kind of the registry.
pub(super) struct Plan {
    kinds: Vec<KindPlan>,
}

/// One kind.
pub(super) struct KindPlan {
    pub(super) kind: EntityKind,
    pub(super) schema: &'static Schema,
    /// Namespace of its generated ids.
    pub(super) namespace: Uuid,
    /// Kinds whose items can stand inside an item of this kind, with the field that refers to it.
    pub(super) children: Vec<(EntityKind, &'static str)>,
    /// Fields that refer to other entities.
    pub(super) references: Vec<Reference>,
    /// The endpoint key, if no two entities share it: references may use it.
    pub(super) unique_key: Option<&'static str>,
    /// Other fields of which no two entities have the same value.
    pub(super) uniques: Vec<&'static str>,
    /// The same among the references.
    pub(super) unique_references: Vec<&'static str>,
}

/// A field that refers to another entity.
#[derive(Clone, Copy)]
pub(super) struct Reference {
    pub(super) field: &'static str,
    /// Kong's name of the kind that it refers to.
    pub(super) name: &'static str,
    /// `None`: the registry has no such kind, and nothing can be found.
    pub(super) kind: Option<EntityKind>,
}

impl Plan {
    pub(super) fn new(rules: &Rules) -> Self {
        let kinds = EntityKind::all().map(|kind| KindPlan::new(kind, kind.schema(rules)));
        Self {
            kinds: kinds.collect(),
        }
    }

    pub(super) fn of(&self, kind: EntityKind) -> &KindPlan {
        &self.kinds[kind.index()]
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &KindPlan> {
        self.kinds.iter()
    }
}

impl KindPlan {
    fn new(kind: EntityKind, schema: &'static Schema) -> Self {
        let is_unique = |name: &str| schema.field(name).is_some_and(|field| field.unique);
        let unique_key = schema.endpoint_key.filter(|key| is_unique(key));
        let is_reference = |field: &Field| schema.references().any(|(r, _)| r.name == field.name);
        let others = |references: bool| {
            let unique = schema.fields.iter().filter(|field| field.unique);
            let wanted = unique.filter(|field| is_reference(field) == references);
            let names = wanted.map(|field| field.name);
            names.filter(|name| Some(*name) != unique_key).collect()
        };
        Self {
            kind,
            schema,
            namespace: Uuid::new_v5(&ID_NAMESPACE, schema.name.as_bytes()),
            children: kind.children().collect(),
            references: schema
                .references()
                .map(|(field, name)| Reference {
                    field: field.name,
                    name,
                    kind: EntityKind::of_name(name),
                })
                .collect(),
            unique_key,
            uniques: others(false),
            unique_references: others(true),
        }
    }

    pub(super) fn child(&self, name: &str) -> Option<(EntityKind, &'static str)> {
        let mut children = self.children.iter().copied();
        children.find(|(kind, _)| kind.name() == name)
    }
}
