//! What a configuration asks for and this version does not do: named at each load, so that nobody
//! finds out by traffic.
//!
//! Entities, fields and values that are accepted and kept, since a later version goes by them. One
//! line for all plugins with their numbers, one for each other kind without effect, and one for each
//! field, with the first [`NAMED_MAX`] entities and the number of the others.

use std::{collections::BTreeMap, fmt::Display};

use serde_json::Value;
use silverback_schema::{
    declarative::Config,
    entity::{Entity, Protocol, Route, Service, Upstream, upstream::Algorithm},
};

/// Entities that a line names.
const NAMED_MAX: usize = 3;

/// One line for each field whose values have no effect, or not the one they ask for.
pub(super) fn ineffective(config: &Config) -> Vec<String> {
    let mut findings = Findings::default();
    for service in &config.services {
        of_service(service, &mut findings);
    }
    for route in &config.routes {
        of_route(route, &mut findings);
    }
    for upstream in &config.upstreams {
        of_upstream(upstream, &mut findings);
    }
    let mut lines = of_entities(&config.entities);
    lines.extend(findings.lines());
    lines
}

/// What is said of plugins, and of each kind that only plugins and TLS make use of.
fn of_entities(entities: &[Entity]) -> Vec<String> {
    let mut plugins: BTreeMap<String, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for entity in entities {
        match entity.kind.name() {
            "plugins" => *plugins.entry(name_of(entity)).or_default() += 1,
            kind => *kinds.entry(kind).or_default() += 1,
        }
    }
    let mut lines = Vec::new();
    if !plugins.is_empty() {
        let counts = plugins
            .iter()
            .map(|(name, count)| format!("{name} ({count})"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        lines.push(format!(
            "plugins: kept, but none runs yet; requests pass as if they were not there, also those \
             that a plugin should refuse: {counts}"
        ));
    }
    let line = |(kind, count)| format!("{kind}: kept, but without effect yet: {count}");
    lines.extend(kinds.into_iter().map(line));
    lines
}

fn name_of(entity: &Entity) -> String {
    let fields: Value = serde_json::from_str(&entity.json).unwrap_or_default();
    fields["name"].as_str().unwrap_or("unnamed").to_owned()
}

fn of_service(service: &Service, findings: &mut Findings) {
    if service.protocol != Protocol::Http {
        let what = "services.protocol: only http is spoken to upstreams yet, requests get 502";
        findings.add(what, name_or_id(service.name.as_deref(), &service.id));
    }
}

fn of_route(route: &Route, findings: &mut Findings) {
    let has = |protocol| route.protocols.contains(protocol);
    let what = if has(Protocol::Http) {
        return;
    } else if has(Protocol::Https) {
        "routes.protocols: https alone is never reached, no listener serves TLS yet"
    } else {
        "routes.protocols: of these none is served yet (gRPC, TCP, UDP, TLS)"
    };
    findings.add(what, name_or_id(route.name.as_deref(), &route.id));
}

fn of_upstream(upstream: &Upstream, findings: &mut Findings) {
    if upstream.algorithm != Algorithm::RoundRobin {
        let what = "upstreams.algorithm: targets are taken in turn by weight, as by round-robin";
        findings.add(what, &upstream.name);
    }
    if is_checked(&upstream.healthchecks) {
        let what = "upstreams.healthchecks: no target is checked or taken out yet";
        findings.add(what, &upstream.name);
    }
    if upstream.use_srv_name {
        let what = "upstreams.use_srv_name: SRV records are not asked for yet";
        findings.add(what, &upstream.name);
    }
}

/// Whether any of the values that switch a health check on is not zero.
fn is_checked(healthchecks: &Value) -> bool {
    const SWITCHES: [&str; 6] = [
        "/active/healthy/interval",
        "/active/unhealthy/interval",
        "/passive/healthy/successes",
        "/passive/unhealthy/http_failures",
        "/passive/unhealthy/tcp_failures",
        "/passive/unhealthy/timeouts",
    ];
    let value = |path| healthchecks.pointer(path).and_then(Value::as_f64);
    SWITCHES.into_iter().filter_map(value).any(|v| v > 0.0)
}

fn name_or_id(name: Option<&str>, id: &dyn Display) -> String {
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// Entities by what is to be said of them.
#[derive(Default)]
struct Findings(BTreeMap<&'static str, Finding>);

#[derive(Default)]
struct Finding {
    named: Vec<String>,
    others: usize,
}

impl Findings {
    fn add(&mut self, what: &'static str, name: impl Into<String>) {
        let finding = self.0.entry(what).or_default();
        if finding.named.len() < NAMED_MAX {
            finding.named.push(name.into());
        } else {
            finding.others += 1;
        }
    }

    fn lines(self) -> Vec<String> {
        let line = |(what, finding): (&str, Finding)| {
            let named = finding.named.join(", ");
            match finding.others {
                0 => format!("{what}: {named}"),
                others => format!("{what}: {named} and {others} more"),
            }
        };
        self.0.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use silverback_schema::declarative::{Format, Options, parse};

    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let text = format!("_format_version: '3.0'\n{text}");
        let config = parse(text.as_bytes(), Some(Format::Yaml), &Options::default())
            .expect("a valid configuration");
        ineffective(&config)
    }

    #[test]
    fn what_works_is_not_mentioned() {
        let none: Vec<String> = Vec::new();
        let text = "services: [{name: s, host: u, routes: [{name: r, paths: [/]}]}]\n\
                    upstreams: [{name: u, targets: [{target: '127.0.0.1:1'}]}]\n";
        assert_eq!(lines(text), none);
    }

    #[test]
    fn fields_without_effect_are_named_with_their_entities() {
        let told = lines(
            "services: [{name: s, url: 'https://a.test', routes: [{name: r, protocols: [https], paths: [/]}, \
             {name: g, protocols: [grpc], paths: [/]}]}]\n\
             upstreams:\n\
             - {name: hashed, hash_on: ip}\n\
             - {name: checked, healthchecks: {active: {healthy: {interval: 0.5}}}}\n\
             - {name: watched, healthchecks: {passive: {unhealthy: {timeouts: 1}}}}\n",
        );
        let ends: Vec<&str> = told.iter().filter_map(|l| l.rsplit(": ").next()).collect();
        assert_eq!(
            ends,
            ["r", "g", "s", "hashed", "checked, watched"],
            "{told:#?}"
        );
    }

    #[test]
    fn plugins_share_a_line_and_other_kinds_have_one_each() {
        let told = lines(
            "plugins: [{name: request-size-limiting}]\n\
             consumers: [{username: a, plugins: [{name: request-size-limiting}]}, {username: b}]\n",
        );
        let expected = [
            "plugins: kept, but none runs yet; requests pass as if they were not there, also those \
             that a plugin should refuse: request-size-limiting (2)",
            "consumers: kept, but without effect yet: 2",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn of_many_entities_few_are_named() {
        let services: Vec<String> = (0..5)
            .map(|n| format!("{{name: s{n}, protocol: https, host: a}}"))
            .collect();
        let told = lines(&format!("services: [{}]\n", services.join(", ")));
        assert_eq!(told.len(), 1);
        assert!(told[0].ends_with(": s0, s1, s2 and 2 more"), "{told:?}");
    }
}
