//! Tests of the lookup: recorded cases of Kong 3.9.3, and a slow reference router.

use std::cell::Cell;
use std::net::SocketAddr;

use proptest::prelude::*;
use regex::Regex;
use serde_json::Value;
use silverback_schema::declarative::Config;
use silverback_schema::entity::{
    CidrPort, HeaderMatch, PathHandling, Protocol, Protocols, Route, Service,
};
use silverback_schema::snapshot::{Changes, Delta, Source, Store, StoreOptions};
use tempfile::TempDir;
use uuid::Uuid;

use super::{Headers, Match, Request, Router};

/// Request headers as a list.
struct List(Vec<(String, String)>);

impl Headers for List {
    fn for_each_value(&self, name: &str, f: &mut dyn FnMut(&[u8]) -> bool) {
        let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
        for (_, value) in self.0.iter().filter(|(each, _)| plain(each) == plain(name)) {
            if f(value.as_bytes()) {
                return;
            }
        }
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn request<'a>(method: &'a str, host: &'a str, path: &'a str, headers: &'a List) -> Request<'a> {
    Request {
        method: method.as_bytes(),
        host: host.as_bytes(),
        port: 8000,
        path: path.as_bytes(),
        https: false,
        sni: None,
        source: address("10.1.2.3:5555"),
        destination: address("10.9.9.9:8000"),
        headers,
    }
}

fn route(id: u128) -> Route {
    Route {
        expression: None,
        priority: 0,
        exact: None,
        id: Uuid::from_u128(id),
        name: None,
        protocols: Protocols::HTTP,
        methods: Vec::new(),
        hosts: Vec::new(),
        paths: Vec::new(),
        headers: Vec::new(),
        snis: Vec::new(),
        sources: Vec::new(),
        destinations: Vec::new(),
        https_redirect_status_code: 426,
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        service: None,
        tags: Vec::new(),
        created_at: 1,
        updated_at: 1,
    }
}

fn service(id: u128, enabled: bool) -> Service {
    Service {
        exact: None,
        id: Uuid::from_u128(id),
        name: None,
        protocol: Protocol::Http,
        host: "127.0.0.1".into(),
        port: 80,
        path: None,
        retries: 5,
        connect_timeout: 60_000,
        write_timeout: 60_000,
        read_timeout: 60_000,
        enabled,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: Vec::new(),
        client_certificate: None,
        tags: Vec::new(),
        created_at: 1,
        updated_at: 1,
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|each| (*each).to_owned()).collect()
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let options = StoreOptions {
        map_bytes: 1 << 30,
        ..StoreOptions::default()
    };
    let opened = Store::open(&dir.path().join("dbless.lmdb"), &options).expect("a fresh store");
    (dir, opened.store)
}

fn apply(store: &Store, routes: Vec<Route>) {
    let config = Config {
        routes,
        ..Config::default()
    };
    store
        .apply(&config, Source::default())
        .expect("a sound configuration");
}

fn find(store: &Store, request: &Request<'_>) -> Option<Match> {
    let snapshot = store.reader().expect("a snapshot");
    Router::new()
        .find(&snapshot, request)
        .expect("sound records")
}

/// The match among `routes` alone.
fn one(routes: Vec<Route>, request: &Request<'_>) -> Option<Match> {
    let (_dir, store) = store();
    apply(&store, routes);
    find(&store, request)
}

#[test]
fn recorded_cases_route_as_the_gateway_does() {
    let cases: Value = serde_json::from_str(include_str!("testdata/recorded.json")).expect("JSON");
    let (_dir, store) = store();
    for case in cases.as_array().expect("a list") {
        let routes = case["routes"].as_array().expect("a list");
        apply(&store, routes.iter().map(recorded_route).collect());
        for step in case["steps"].as_array().expect("a list") {
            let headers = step["headers"].as_array().expect("a list").iter();
            let pair = |pair: &Value| (text(&pair[0]), text(&pair[1]));
            let headers = List(headers.map(pair).collect());
            let (method, host) = (text(&step["method"]), text(&step["host"]));
            let path = text(&step["path"]);
            let mut request = request(&method, &host, &path, &headers);
            request.port = u16::try_from(step["port"].as_u64().expect("a port")).expect("a port");
            let found = find(&store, &request).map(|found| {
                let is_it = |route: &&Value| text(&route["id"]) == found.route.to_string();
                text(&routes.iter().find(is_it).expect("a route of the case")["service"])
            });
            let wanted = step["route"].as_str().map(str::to_owned);
            assert_eq!(found, wanted, "{}: {step}", case["name"]);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn recorded_route(recorded: &Value) -> Route {
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
    let headers = recorded["headers"].as_object().into_iter().flatten();
    let protocols = recorded["protocols"].as_array().map(|protocols| {
        let names = protocols.iter().filter_map(Value::as_str);
        names.filter_map(Protocol::from_name).collect()
    });
    Route {
        expression: None,
        priority: 0,
        exact: None,
        id: text(&recorded["id"]).parse().expect("a UUID"),
        protocols: protocols.unwrap_or(Protocols::HTTP),
        methods: list(&recorded["methods"]),
        hosts: list(&recorded["hosts"]),
        paths: list(&recorded["paths"]),
        headers: headers
            .map(|(name, values)| HeaderMatch {
                name: name.clone(),
                values: list(values),
            })
            .collect(),
        snis: list(&recorded["snis"]),
        regex_priority: recorded["regex_priority"].as_i64().unwrap_or(0),
        ..route(0)
    }
}

#[test]
fn the_longest_matching_prefix_of_a_route_is_the_one_to_strip() {
    let both = Route {
        paths: texts(&["/a", "/a/b"]),
        ..route(1)
    };
    let none = List(Vec::new());
    let found = |path| one(vec![both.clone()], &request("GET", "h", path, &none));
    assert_eq!(found("/a/b/c").map(|found| found.prefix_len), Some(4));
    assert_eq!(found("/a/x").map(|found| found.prefix_len), Some(2));
}

#[test]
fn a_regex_covers_the_text_it_matched() {
    let none = List(Vec::new());
    let regex = Route {
        paths: texts(&[r"~/v\d+/api"]),
        ..route(1)
    };
    let found = one(vec![regex], &request("GET", "h", "/v22/apix", &none));
    assert_eq!(
        found.map(|found| (found.prefix_len, found.by_path)),
        Some((8, true))
    );
}

#[test]
fn a_route_without_paths_does_not_match_by_path() {
    let none = List(Vec::new());
    let found = one(
        vec![Route {
            hosts: texts(&["h"]),
            ..route(7)
        }],
        &request("GET", "h", "/x", &none),
    );
    let wanted = Match {
        route: Uuid::from_u128(7),
        prefix_len: 0,
        by_path: false,
    };
    assert_eq!(found, Some(wanted));
}

#[test]
fn a_path_that_is_not_text_matches_nothing_once_a_route_has_paths() {
    let none = List(Vec::new());
    let by_host = Route {
        hosts: texts(&["h"]),
        ..route(1)
    };
    let by_path = Route {
        paths: texts(&["/"]),
        ..route(2)
    };
    let request = Request {
        path: b"/\xff",
        ..request("GET", "h", "", &none)
    };
    assert!(one(vec![by_host.clone()], &request).is_some());
    assert_eq!(one(vec![by_host, by_path], &request), None);
}

#[test]
fn a_host_with_a_zero_byte_reaches_no_key_of_another_host() {
    let none = List(Vec::new());
    let by_host = Route {
        hosts: texts(&["h"]),
        paths: texts(&["/admin"]),
        ..route(1)
    };
    assert_eq!(
        one(vec![by_host], &request("GET", "h\0/admin", "/x", &none)),
        None
    );
}

#[test]
fn server_names_restrict_tls_only() {
    let none = List(Vec::new());
    let by_sni = Route {
        snis: texts(&["a.test.", "*.b.test"]),
        ..route(1)
    };
    let plain = request("GET", "h", "/", &none);
    let tls = |sni| Request {
        https: true,
        sni,
        ..plain
    };
    let matches = |request| one(vec![by_sni.clone()], &request).is_some();
    assert!(matches(plain));
    assert!(matches(tls(Some("a.test"))) && matches(tls(Some("a.test."))));
    assert!(matches(tls(Some("x.y.b.test"))));
    assert!(!matches(tls(Some("b.test"))) && !matches(tls(None)));
}

#[test]
fn addresses_match_by_network_and_port() {
    let none = List(Vec::new());
    let plain = request("GET", "h", "/", &none);
    let net = |ip: Option<&str>, port| CidrPort {
        ip: ip.map(str::to_owned),
        port,
    };
    let from = |ip, port| {
        let by_source = Route {
            sources: vec![net(ip, port)],
            ..route(1)
        };
        one(vec![by_source], &plain).is_some()
    };
    assert!(from(Some("10.1.9.9/16"), None) && from(Some("10.1.2.3"), Some(5555)));
    assert!(from(None, Some(5555)) && from(Some("0.0.0.0/0"), None));
    assert!(!from(Some("10.2.0.0/16"), None) && !from(Some("10.1.2.3"), Some(1)));
    assert!(!from(Some("::/0"), None));
}

#[test]
fn lower_cased_patterns_and_repeated_headers_match_as_in_kong() {
    let by_header = |value: &str| Route {
        headers: vec![HeaderMatch {
            name: "X-Re".into(),
            values: texts(&[value]),
        }],
        ..route(1)
    };
    let header = |value: &str| {
        List(vec![
            ("x_re".into(), "no".into()),
            ("X-RE".into(), value.into()),
        ])
    };
    let matches = |pattern, value| {
        one(
            vec![by_header(pattern)],
            &request("GET", "h", "/", &header(value)),
        )
        .is_some()
    };
    assert!(matches(r"~*^Foo\D+$", "Foo12") && !matches(r"~*^Foo\D+$", "foobar"));
    assert!(matches("ÄB", "Äb"));
    assert!(!matches("v1", "v1,v2"));
}

#[test]
fn routes_of_a_disabled_service_do_not_match() {
    let none = List(Vec::new());
    let (_dir, store) = store();
    let routes = vec![Route {
        service: Some(Uuid::from_u128(1)),
        ..route(5)
    }];
    let mut config = Config {
        routes,
        services: vec![service(1, true)],
        ..Config::default()
    };
    let request = request("GET", "h", "/", &none);
    let mut matched = |enabled| {
        config.services[0].enabled = enabled;
        store.apply(&config, Source::default()).expect("sound");
        find(&store, &request).is_some()
    };
    assert!(matched(true) && !matched(false) && matched(true));
}

#[test]
fn a_lookup_allocates_nothing_once_warm() {
    // The buffers' capacities stand for the allocator: they are all that a lookup writes to.
    let none = List(Vec::new());
    let (_dir, store) = store();
    apply(
        &store,
        vec![Route {
            paths: texts(&["/a", r"~/b\d"]),
            ..route(1)
        }],
    );
    let snapshot = store.reader().expect("a snapshot");
    let mut router = Router::new();
    let warm = router.find(&snapshot, &request("GET", "host.test", "/b1", &none));
    let capacity = (
        router.key.capacity(),
        router.lower.capacity(),
        router.regexes.len(),
    );
    assert_eq!(
        warm,
        router.find(&snapshot, &request("GET", "host.test", "/b1", &none))
    );
    assert_eq!(
        capacity,
        (
            router.key.capacity(),
            router.lower.capacity(),
            router.regexes.len()
        )
    );
}

// -- a slow, obvious router, written from Kong's translation to expressions ----------------------

/// One path group of a route.
struct Group {
    paths: Vec<String>,
    id: Uuid,
}

fn groups(route: &Route) -> Vec<Group> {
    let mut groups: Vec<(Option<usize>, Vec<String>)> = Vec::new();
    for path in &route.paths {
        let key = (!path.starts_with('~')).then_some(path.len());
        match groups.iter_mut().find(|(each, _)| *each == key) {
            Some((_, paths)) => paths.push(path.clone()),
            None => groups.push((key, vec![path.clone()])),
        }
    }
    if groups.len() < 2 {
        return vec![Group {
            paths: route.paths.clone(),
            id: route.id,
        }];
    }
    let namespace = Uuid::parse_str("7f145bf9-0dce-4f91-98eb-debbce4b9f6b").expect("a UUID");
    let name = |at: usize| format!("{}#{}", route.id, at + 1);
    let group = |(at, (_, paths))| Group {
        paths,
        id: Uuid::new_v5(&namespace, name(at).as_bytes()),
    };
    groups.into_iter().enumerate().map(group).collect()
}

/// The observed order in words: four attributes, plain host, regex, attributes, headers, length. The
/// sign that four attributes leave behind covers the bits of plain host and regex.
fn order(route: &Route, group: &Group) -> (bool, bool, bool, usize, usize, i64, usize) {
    let used = [
        route.methods.is_empty(),
        route.hosts.is_empty(),
        route.headers.is_empty(),
        route.snis.is_empty(),
        route.paths.is_empty(),
        route.sources.is_empty(),
        route.destinations.is_empty(),
    ];
    let attributes = used.iter().filter(|is_empty| !**is_empty).count();
    let plain = !route.hosts.is_empty() && !route.hosts.iter().any(|host| host.contains('*'));
    let regex = group
        .paths
        .first()
        .is_some_and(|path| path.starts_with('~'));
    let length = if regex {
        0
    } else {
        group.paths.first().map_or(0, String::len)
    };
    let priority = if regex { route.regex_priority } else { 0 };
    let four = attributes >= 4;
    (
        four,
        plain && !four,
        regex && !four,
        attributes,
        route.headers.len(),
        priority,
        length,
    )
}

fn reference(routes: &[Route], request: &Request<'_>, headers: &List) -> Option<Match> {
    let mut best: Option<((_, Uuid), Match)> = None;
    for route in routes {
        for group in groups(route) {
            let rank = (order(route, &group), group.id);
            if best.as_ref().is_some_and(|(best, _)| *best >= rank) {
                continue;
            }
            if let Some(prefix) = reference_match(route, &group, request, headers) {
                let by_path = !group.paths.is_empty();
                let found = Match {
                    route: route.id,
                    prefix_len: prefix,
                    by_path,
                };
                best = Some((rank, found));
            }
        }
    }
    best.map(|(_, found)| found)
}

fn reference_match(
    route: &Route,
    group: &Group,
    request: &Request<'_>,
    headers: &List,
) -> Option<usize> {
    let method = std::str::from_utf8(request.method).expect("text");
    let host = std::str::from_utf8(request.host).expect("text");
    let path = std::str::from_utf8(request.path).expect("text");
    let fits = (route.methods.is_empty() || route.methods.iter().any(|each| each == method))
        && (route.hosts.is_empty()
            || route
                .hosts
                .iter()
                .any(|each| reference_host(each, host, request.port)))
        && route
            .headers
            .iter()
            .all(|header| reference_header(header, headers));
    if !fits {
        return None;
    }
    if group.paths.is_empty() {
        return Some(0);
    }
    group
        .paths
        .iter()
        .find_map(|each| match each.strip_prefix('~') {
            Some(pattern) => Regex::new(&format!("^{pattern}"))
                .expect("a sound pattern")
                .find(path)
                .map(|found| found.len()),
            None => path.starts_with(each.as_str()).then_some(each.len()),
        })
}

fn reference_host(wanted: &str, host: &str, port: u16) -> bool {
    let (wanted, wanted_port) = match wanted.split_once(':') {
        Some((wanted, port)) => (wanted, Some(port.parse::<u16>().expect("a port"))),
        None => (wanted, None),
    };
    wanted_port.is_none_or(|wanted| wanted == port)
        && match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
            (Some(suffix), _) => host.ends_with(suffix),
            (_, Some(prefix)) => host.starts_with(prefix),
            _ => wanted == host,
        }
}

fn reference_header(wanted: &HeaderMatch, headers: &List) -> bool {
    let found = Cell::new(false);
    headers.for_each_value(&wanted.name, &mut |value| {
        let value = String::from_utf8_lossy(value).to_lowercase();
        let fits = wanted
            .values
            .iter()
            .any(|each| match each.strip_prefix("~*") {
                Some(pattern) => Regex::new(&pattern.to_lowercase())
                    .expect("sound")
                    .is_match(&value),
                None => each.to_lowercase() == value,
            });
        found.set(found.get() || fits);
        fits
    });
    found.get()
}

const HOSTS: [&str; 10] = [
    "a.t", "b.a.t", "c.b.a.t", "*.t", "*.a.t", "a.*", "b.*", "a.t:81", "*.a.t:81", "b.a.*",
];
const REQUEST_HOSTS: [&str; 7] = ["a.t", "b.a.t", "c.b.a.t", "x.t", "a.x", "b.a.x", "zz"];
const REGEXES: [&str; 8] = [
    r"~/a\d+",
    r"~/a1/b(?:1|2)",
    "~/a2|/b",
    "~/(?i)A3",
    r"~/a[0-9]/b\d$",
    "~/",
    "~/a1/b",
    "~.*7",
];
const VALUES: [&str; 4] = ["v1", "~*^v\\d$", "V2", "~*x"];

prop_compose! {
    fn any_path()(kind in 0..10, a in 0..30_u32, b in 0..20_u32, c in 0..3_u32, at in 0..REGEXES.len())
        -> String {
        match kind {
            0 => REGEXES[at].to_owned(),
            1 => "/".to_owned(),
            2 | 3 => format!("/a{a}"),
            4..=7 => format!("/a{a}/b{b}"),
            _ => format!("/a{a}/b{b}/c{c}"),
        }
    }
}

prop_compose! {
    fn any_route()(
        id in any::<u128>(),
        methods in prop::sample::subsequence(vec!["GET", "POST", "FOO"], 0..2),
        hosts in prop::sample::subsequence(HOSTS.to_vec(), 0..3),
        is_hostless in any::<bool>(),
        paths in prop::collection::vec(any_path(), 0..4),
        headers in prop::sample::subsequence(vec!["x-a", "X_B"], 0..=2),
        has_headers in prop::bool::weighted(0.2),
        value in 0..VALUES.len(),
        regex_priority in 0..2_i64,
        service in prop::option::of(1..4_u128),
    ) -> Route {
        let header = |name: &&str| HeaderMatch { name: (*name).into(), values: texts(&[VALUES[value]]) };
        Route {
            methods: texts(&methods),
            hosts: if is_hostless { Vec::new() } else { texts(&hosts) },
            paths,
            headers: if has_headers { headers.iter().map(header).collect() } else { Vec::new() },
            regex_priority,
            service: service.map(Uuid::from_u128),
            ..route(id)
        }
    }
}

type Asked = (
    &'static str,
    &'static str,
    String,
    u16,
    Vec<(String, String)>,
);

prop_compose! {
    fn any_request()(
        method in prop::sample::select(vec!["GET", "POST", "FOO", "PUT"]),
        host in prop::sample::select(REQUEST_HOSTS.to_vec()),
        path in any_path(),
        rest in prop::sample::select(vec!["", "/", "x", "/b1", "7"]),
        port in 80..83_u16,
        headers in prop::collection::vec(
            (prop::sample::select(vec!["X-A", "x-b"]), prop::sample::select(vec!["v1", "V2", "x"])),
            0..3,
        ),
    ) -> Asked {
        let path = format!("{}{rest}", path.trim_start_matches('~'));
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        (method, host, path, port, headers.into_iter().map(owned).collect())
    }
}

fn check(store: &Store, routes: &[Route], asked: &[Asked]) -> Result<(), TestCaseError> {
    let snapshot = store.reader().expect("a snapshot");
    let mut router = Router::new();
    for (method, host, path, port, headers) in asked {
        let headers = List(headers.clone());
        let request = Request {
            port: *port,
            ..request(method, host, path, &headers)
        };
        let found = router.find(&snapshot, &request).expect("sound records");
        let wanted = reference(routes, &request, &headers);
        prop_assert_eq!(found, wanted, "{} {} {}:{}", method, path, host, port);
    }
    Ok(())
}

/// The routes whose service is not disabled.
fn served(routes: &[Route], enabled: &[bool; 3]) -> Vec<Route> {
    let is_served = |route: &&Route| {
        route
            .service
            .is_none_or(|id| enabled[usize::try_from(id.as_u128()).expect("small") - 1])
    };
    routes.iter().filter(is_served).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn lookups_agree_with_the_reference(
        routes in prop::collection::vec(any_route(), 1..900),
        asked in prop::collection::vec(any_request(), 60),
    ) {
        let (_dir, store) = store();
        let services = (1..4).map(|id| service(id, true)).collect();
        let config = Config { routes: routes.clone(), services, ..Config::default() };
        store.apply(&config, Source::default()).expect("sound");
        check(&store, &routes, &asked)?;
    }

    #[test]
    fn deltas_answer_as_a_fresh_build(
        routes in prop::collection::vec(any_route(), 1..700),
        steps in prop::collection::vec(
            (prop::collection::vec(any_route(), 0..150), 0..100_u8, 0..100_u8, any::<[bool; 3]>()),
            1..5,
        ),
        asked in prop::collection::vec(any_request(), 30),
    ) {
        let (_dir, store) = store();
        let services = (1..4).map(|id| service(id, true)).collect();
        let mut routes = routes;
        let config = Config { routes: routes.clone(), services, ..Config::default() };
        store.apply(&config, Source::default()).expect("sound");
        for (upsert, deleted, changed, enabled) in steps {
            let mut delta = Delta::default();
            let total = routes.len();
            let part = |percent: u8| total * usize::from(percent) / 100;
            delta.routes.delete = routes.drain(..part(deleted)).map(|route| route.id).collect();
            // Some routes take over the conditions of others.
            for at in 1..part(changed).min(50).min(routes.len()) {
                routes[at] = Route { id: routes[at].id, ..routes[at - 1].clone() };
                delta.routes.upsert.push(routes[at].clone());
            }
            routes.extend(upsert.iter().cloned());
            delta.routes.upsert.extend(upsert);
            let services = (1..4).zip(enabled).map(|(id, enabled)| service(id, enabled)).collect();
            delta.services = Changes { upsert: services, delete: Vec::new() };
            store.apply_delta(&delta, Source::default()).expect("sound");
            let served = served(&routes, &enabled);
            check(&store, &served, &asked)?;
            store.verify_all().expect("sound records");
        }
    }
}
