//! The paths of the Admin API and of the Status API: which there are, what answers, which methods.
//!
//! Those of entities are made from the registry of kinds: a collection, its items, the entity that
//! a field refers to, and the collections below an entity.
//!
//! Source: `kong/api/init.lua`, `kong/api/endpoints.lua`, `kong/api/routes/*.lua`, `kong/status`.

use std::cmp::Ordering;

use axum::http::Method;
use silverback_schema::{entity::EntityKind, field::Rules};

/// What answers a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/`
    Node,
    /// `/endpoints`
    Endpoints,
    /// `/status`
    Status,
    /// `/status/ready`
    Ready,
    /// `/status/dns`
    Dns,
    /// `/metrics`
    Metrics,
    /// `/timers`
    Timers,
    /// `/config`
    Config,
    /// `/cache`
    Cache,
    /// `/cache/{key}`
    CacheKey,
    /// `/schemas/{name}`
    Schema,
    /// `/schemas/plugins/{name}`
    PluginSchema,
    /// `/schemas/vaults/{name}`
    VaultSchema,
    /// `/schemas/filters/{name}`
    FilterSchema,
    /// `/plugins/schema/{name}`
    PluginConfigSchema,
    /// `/schemas/{db_entity_name}/validate`
    Validate,
    /// `/schemas/plugins/validate`
    ValidatePlugin,
    /// `/schemas/vaults/validate`
    ValidateVault,
    /// `/plugins/enabled`
    EnabledPlugins,
    /// `/tags`
    Tags,
    /// `/tags/{tags}`
    Tag,
    /// `/debug/node/log-level`
    LogLevel,
    /// `/debug/node/log-level/{log_level}` and the same for the cluster
    SetLogLevel,
    /// `/clustering/…`
    Clustering,
    /// `/robots.txt`
    Robots,
    /// `/routes/{routes}/filters/…`
    RouteFilters,
    /// `/upstreams/{upstreams}/health`
    UpstreamHealth,
    /// `/upstreams/{upstreams}/targets/all`
    AllTargets,
    /// `/upstreams/{upstreams}/targets/{targets}/healthy` and the like
    TargetHealth,
    /// `/P`
    Collection(EntityKind),
    /// `/P/{key}`
    Item(EntityKind),
    /// `/P/{key}/field`: the entity that a field refers to.
    Referred {
        /// The kind with the field.
        kind: EntityKind,
        /// The field.
        field: &'static str,
        /// What it refers to.
        target: EntityKind,
    },
    /// `/P/{key}/C`: the entities whose field refers to this one.
    Children(Below),
    /// `/P/{key}/C/{key}`
    Child(Below),
}

/// A collection below an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Below {
    /// The kind of the entity above.
    pub(crate) parent: EntityKind,
    /// The kind of the items.
    pub(crate) child: EntityKind,
    /// The field of the items that refers to it.
    pub(crate) field: &'static str,
}

/// A path with its parameters in braces, as `/endpoints` lists it.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) pattern: String,
    pub(crate) endpoint: Endpoint,
}

/// Every path of a listener.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Route>);

/// A path that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matched {
    pub(crate) endpoint: Endpoint,
    /// The parameters, decoded, in the order of the path.
    pub(crate) keys: Vec<String>,
    /// The first parameter as it was written: links repeat it.
    pub(crate) raw_key: String,
}

/// Paths that are made by the rule and that Kong leaves out.
const LEFT_OUT: &[&str] = &["/snis/{snis}/certificate"];

impl Routes {
    /// The paths of the Admin API.
    pub(crate) fn admin() -> Self {
        let mut routes = Self(Vec::new());
        for (pattern, endpoint) in FIXED {
            routes.add((*pattern).to_owned(), *endpoint);
        }
        let rules = Rules::default();
        for kind in EntityKind::all() {
            routes.add_kind(kind, &rules);
        }
        routes.0.sort_by(|a, b| by_segment(&a.pattern, &b.pattern));
        routes
    }

    /// The paths of the Status API.
    pub(crate) fn status() -> Self {
        let below = Below {
            parent: EntityKind::UPSTREAMS,
            child: EntityKind::TARGETS,
            field: "upstream",
        };
        let upstream = "/upstreams/{upstreams}";
        let mut routes = Self(Vec::new());
        for (pattern, endpoint) in [
            ("/metrics", Endpoint::Metrics),
            ("/robots.txt", Endpoint::Robots),
            ("/status", Endpoint::Status),
            ("/status/dns", Endpoint::Dns),
            ("/status/ready", Endpoint::Ready),
        ] {
            routes.add(pattern.to_owned(), endpoint);
        }
        routes.add(format!("{upstream}/health"), Endpoint::UpstreamHealth);
        routes.add(format!("{upstream}/targets"), Endpoint::Children(below));
        routes.add(format!("{upstream}/targets/all"), Endpoint::AllTargets);
        routes.add(
            format!("{upstream}/targets/{{targets}}"),
            Endpoint::Child(below),
        );
        routes
    }

    fn add(&mut self, pattern: String, endpoint: Endpoint) {
        if !LEFT_OUT.contains(&pattern.as_str()) {
            self.0.push(Route { pattern, endpoint });
        }
    }

    fn add_kind(&mut self, kind: EntityKind, rules: &Rules) {
        let schema = kind.schema(rules);
        let name = kind.name();
        if let Some(path) = schema.path {
            let item = format!("/{path}/{{{name}}}");
            self.add(format!("/{path}"), Endpoint::Collection(kind));
            for (field, target) in schema.references() {
                if let Some(target) = EntityKind::of_name(target) {
                    let field = field.name;
                    let endpoint = Endpoint::Referred {
                        kind,
                        field,
                        target,
                    };
                    self.add(format!("{item}/{field}"), endpoint);
                }
            }
            self.add(item, Endpoint::Item(kind));
        }
        let Some(path) = schema.nested_path.or(schema.path) else {
            return;
        };
        for (field, parent) in schema.references() {
            let Some(parent) = EntityKind::of_name(parent) else {
                continue;
            };
            let Some(above) = parent.schema(rules).path else {
                continue;
            };
            let (child, field) = (kind, field.name);
            let below = Below {
                parent,
                child,
                field,
            };
            let collection = format!("/{above}/{{{}}}/{path}", parent.name());
            self.add(format!("{collection}/{{{name}}}"), Endpoint::Child(below));
            self.add(collection, Endpoint::Children(below));
        }
    }

    /// Every pattern, segment by segment in order.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|route| route.pattern.as_str())
    }

    /// Every path in the same order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// Looks a raw path up; one trailing slash too many is forgiven.
    pub(crate) fn find(&self, path: &str) -> Option<Matched> {
        let exact = |path: &str| {
            let matches = |route: &&Route| is_match(&route.pattern, path);
            let found = self.0.iter().filter(matches);
            let best = found.min_by_key(|route| parameters(&route.pattern))?;
            Some(matched(best, path))
        };
        exact(path).or_else(|| exact(path.strip_suffix('/').filter(|path| !path.is_empty())?))
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Where the parameters are: a path with a literal in an earlier segment wins.
fn parameters(pattern: &str) -> Vec<bool> {
    pattern.split('/').map(is_parameter).collect()
}

fn is_match(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if is_parameter(wanted) && !given.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

fn matched(route: &Route, path: &str) -> Matched {
    let pairs = route.pattern.split('/').zip(path.split('/'));
    let raw: Vec<&str> = pairs
        .filter(|(wanted, _)| is_parameter(wanted))
        .map(|(_, given)| given)
        .collect();
    Matched {
        endpoint: route.endpoint,
        keys: raw
            .iter()
            .map(|key| crate::form::percent_decoded(key.as_bytes()))
            .collect(),
        raw_key: raw.first().copied().unwrap_or_default().to_owned(),
    }
}

fn by_segment(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

impl Endpoint {
    /// The methods in alphabetical order, OPTIONS included.
    pub(crate) fn methods(self, is_status_api: bool) -> &'static [Method] {
        const READ: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS];
        const READ_POST: &[Method] = &[Method::GET, Method::HEAD, Method::OPTIONS, Method::POST];
        const ITEM: &[Method] = &[
            Method::DELETE,
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::PATCH,
            Method::PUT,
        ];
        match self {
            Self::Ready | Self::Config => READ_POST,
            Self::Collection(_) | Self::Children(_) if !is_status_api => READ_POST,
            Self::Item(_) | Self::Child(_) | Self::Referred { .. } if !is_status_api => ITEM,
            Self::Cache => &[Method::DELETE, Method::OPTIONS],
            Self::CacheKey => &[Method::DELETE, Method::GET, Method::HEAD, Method::OPTIONS],
            Self::Validate | Self::ValidatePlugin | Self::ValidateVault => {
                &[Method::OPTIONS, Method::POST]
            }
            Self::SetLogLevel | Self::TargetHealth => &[Method::OPTIONS, Method::PUT],
            _ => READ,
        }
    }
}

/// The paths that no registry gives.
#[rustfmt::skip]
const FIXED: &[(&str, Endpoint)] = &[
    ("/", Endpoint::Node),
    ("/cache", Endpoint::Cache),
    ("/cache/{key}", Endpoint::CacheKey),
    ("/clustering/data-planes", Endpoint::Clustering),
    ("/clustering/status", Endpoint::Clustering),
    ("/config", Endpoint::Config),
    ("/debug/cluster/log-level/{log_level}", Endpoint::SetLogLevel),
    ("/debug/node/log-level", Endpoint::LogLevel),
    ("/debug/node/log-level/{log_level}", Endpoint::SetLogLevel),
    ("/endpoints", Endpoint::Endpoints),
    ("/metrics", Endpoint::Metrics),
    ("/plugins/enabled", Endpoint::EnabledPlugins),
    ("/plugins/schema/{name}", Endpoint::PluginConfigSchema),
    ("/robots.txt", Endpoint::Robots),
    ("/routes/{routes}/filters/all", Endpoint::RouteFilters),
    ("/routes/{routes}/filters/disabled", Endpoint::RouteFilters),
    ("/routes/{routes}/filters/enabled", Endpoint::RouteFilters),
    ("/schemas/filters/{name}", Endpoint::FilterSchema),
    ("/schemas/plugins/validate", Endpoint::ValidatePlugin),
    ("/schemas/plugins/{name}", Endpoint::PluginSchema),
    ("/schemas/vaults/validate", Endpoint::ValidateVault),
    ("/schemas/vaults/{name}", Endpoint::VaultSchema),
    ("/schemas/{db_entity_name}/validate", Endpoint::Validate),
    ("/schemas/{name}", Endpoint::Schema),
    ("/status", Endpoint::Status),
    ("/status/dns", Endpoint::Dns),
    ("/tags", Endpoint::Tags),
    ("/tags/{tags}", Endpoint::Tag),
    ("/timers", Endpoint::Timers),
    ("/upstreams/{upstreams}/health", Endpoint::UpstreamHealth),
    ("/upstreams/{upstreams}/targets/all", Endpoint::AllTargets),
    ("/upstreams/{upstreams}/targets/{targets}/healthy", Endpoint::TargetHealth),
    ("/upstreams/{upstreams}/targets/{targets}/unhealthy", Endpoint::TargetHealth),
    ("/upstreams/{upstreams}/targets/{targets}/{address}/healthy", Endpoint::TargetHealth),
    ("/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy", Endpoint::TargetHealth),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<(Endpoint, Vec<String>)> {
        let matched = Routes::admin().find(path)?;
        Some((matched.endpoint, matched.keys))
    }

    #[test]
    fn collections_items_and_what_hangs_below_are_found() {
        let services = EntityKind::SERVICES;
        assert_eq!(
            found("/services"),
            Some((Endpoint::Collection(services), vec![]))
        );
        assert_eq!(
            found("/services/a%20b+c"),
            Some((Endpoint::Item(services), vec!["a b c".to_owned()]))
        );
        let below = Below {
            parent: services,
            child: EntityKind::ROUTES,
            field: "service",
        };
        assert_eq!(
            found("/services/s/routes/r"),
            Some((Endpoint::Child(below), vec!["s".to_owned(), "r".to_owned()]))
        );
        let referred = Endpoint::Referred {
            kind: EntityKind::ROUTES,
            field: "service",
            target: services,
        };
        assert_eq!(
            found("/routes/r/service"),
            Some((referred, vec!["r".to_owned()]))
        );
    }

    #[test]
    fn literal_segments_win_over_parameters() {
        let (endpoint, _) = found("/upstreams/u/targets/all").expect("a path");
        assert_eq!(endpoint, Endpoint::AllTargets);
        let (endpoint, _) = found("/plugins/enabled").expect("a path");
        assert_eq!(endpoint, Endpoint::EnabledPlugins);
        let (endpoint, _) = found("/schemas/plugins/validate").expect("a path");
        assert_eq!(endpoint, Endpoint::ValidatePlugin);
    }

    #[test]
    fn one_trailing_slash_is_forgiven_and_two_are_not() {
        assert!(found("/services/").is_some());
        assert!(found("/services//").is_none());
        assert!(found("/targets").is_none());
        assert!(found("/").is_some());
    }

    #[test]
    fn patterns_are_sorted_by_segment() {
        let routes = Routes::admin();
        let patterns: Vec<&str> = routes.patterns().collect();
        assert!(patterns.is_sorted_by(|a, b| by_segment(a, b) == Ordering::Less));
    }
}
