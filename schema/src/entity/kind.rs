//! The registry of entity kinds.

use std::fmt;
use std::sync::LazyLock;

use super::{
    ca_certificate, certificate, consumer, data_plane, filter_chain, key, key_set, parameter,
    plugin, route, service, sni, target, upstream, vault, workspace,
};
use crate::field::{Rules, Schema};
use crate::plugin::PLUGINS;

/// Kong's own entities, what is referred to before what refers to it. Adding one is a line here.
static CORE: &[&Schema] = &[
    &certificate::SCHEMA,
    &sni::SCHEMA,
    &ca_certificate::SCHEMA,
    &service::SCHEMA,
    &route::SCHEMA,
    &consumer::SCHEMA,
    &upstream::SCHEMA,
    &target::SCHEMA,
    &key_set::SCHEMA,
    &key::SCHEMA,
    &vault::SCHEMA,
    &plugin::SCHEMA,
    &filter_chain::SCHEMA,
    &parameter::SCHEMA,
    &data_plane::SCHEMA,
    &workspace::SCHEMA,
];

/// Kong's own entities, then those of the plugins.
static ALL: LazyLock<Vec<&'static Schema>> = LazyLock::new(|| {
    let of_plugins = PLUGINS.iter().flat_map(|plugin| plugin.entities);
    CORE.iter().chain(of_plugins).chain(TEST).copied().collect()
});

#[cfg(not(test))]
static TEST: &[&Schema] = &[];
#[cfg(test)]
static TEST: &[&Schema] = &[&super::test_kinds::PEOPLE, &super::test_kinds::BADGES];

/// A kind of entity: `services`, `keyauth_credentials`. Ordered so that what is referred to comes
/// before what refers to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKind(u8);

impl EntityKind {
    /// `certificates`
    pub const CERTIFICATES: Self = Self(0);
    /// `snis`
    pub const SNIS: Self = Self(1);
    /// `ca_certificates`
    pub const CA_CERTIFICATES: Self = Self(2);
    /// `services`
    pub const SERVICES: Self = Self(3);
    /// `routes`
    pub const ROUTES: Self = Self(4);
    /// `consumers`
    pub const CONSUMERS: Self = Self(5);
    /// `upstreams`
    pub const UPSTREAMS: Self = Self(6);
    /// `targets`
    pub const TARGETS: Self = Self(7);
    /// `key_sets`
    pub const KEY_SETS: Self = Self(8);
    /// `keys`
    pub const KEYS: Self = Self(9);
    /// `vaults`
    pub const VAULTS: Self = Self(10);
    /// `plugins`
    pub const PLUGINS: Self = Self(11);
    /// `filter_chains`
    pub const FILTER_CHAINS: Self = Self(12);
    /// `parameters`
    pub const PARAMETERS: Self = Self(13);
    /// `clustering_data_planes`
    pub const CLUSTERING_DATA_PLANES: Self = Self(14);
    /// `workspaces`
    pub const WORKSPACES: Self = Self(15);

    /// Every kind.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..=u8::MAX).take(ALL.len()).map(Self)
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// Kong's name, plural.
    pub fn name(self) -> &'static str {
        ALL[usize::from(self.0)].name
    }

    /// Its description; that of routes depends on the router's flavor.
    pub fn schema(self, rules: &Rules) -> &'static Schema {
        if self == Self::ROUTES {
            return route::schema_of(rules.router_flavor);
        }
        ALL[usize::from(self.0)]
    }

    /// Its position among all kinds.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The kinds that refer to this one, with the field that does.
    pub fn children(self) -> impl Iterator<Item = (Self, &'static str)> {
        Self::all().flat_map(move |kind| {
            let references = ALL[kind.index()].references();
            references
                .filter(move |(_, name)| *name == self.name())
                .map(move |(field, _)| (kind, field.name))
        })
    }
}

impl fmt::Debug for EntityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_kinds_are_what_they_say() {
        for (kind, name) in [
            (EntityKind::CERTIFICATES, "certificates"),
            (EntityKind::SNIS, "snis"),
            (EntityKind::CA_CERTIFICATES, "ca_certificates"),
            (EntityKind::SERVICES, "services"),
            (EntityKind::ROUTES, "routes"),
            (EntityKind::CONSUMERS, "consumers"),
            (EntityKind::UPSTREAMS, "upstreams"),
            (EntityKind::TARGETS, "targets"),
            (EntityKind::KEY_SETS, "key_sets"),
            (EntityKind::KEYS, "keys"),
            (EntityKind::VAULTS, "vaults"),
            (EntityKind::PLUGINS, "plugins"),
            (EntityKind::FILTER_CHAINS, "filter_chains"),
            (EntityKind::PARAMETERS, "parameters"),
            (EntityKind::CLUSTERING_DATA_PLANES, "clustering_data_planes"),
            (EntityKind::WORKSPACES, "workspaces"),
        ] {
            assert_eq!(kind.name(), name);
        }
    }

    #[test]
    fn every_kind_has_a_name_of_its_own_and_refers_to_kinds_before_it() {
        let rules = Rules::default();
        for kind in EntityKind::all() {
            assert_eq!(EntityKind::of_name(kind.name()), Some(kind));
            for (field, name) in kind.schema(&rules).references() {
                let target = EntityKind::of_name(name);
                assert!(
                    target.is_some_and(|target| target < kind),
                    "{kind:?}.{}",
                    field.name
                );
            }
        }
    }

    #[test]
    fn every_field_of_kongs_own_entities_says_what_it_is_for() {
        for schema in CORE {
            for field in schema.fields {
                assert!(
                    !field.description.is_empty(),
                    "{}.{}",
                    schema.name,
                    field.name
                );
            }
        }
    }
}
