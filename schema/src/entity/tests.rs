//! Tests of the entities' rules, in Kong's words.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::field::{Context, Mode, Row, Rules, Schema};

fn row(schema: &'static Schema, value: Value) -> Row {
    let Value::Object(object) = value else {
        panic!("an object")
    };
    match schema.validate(
        object,
        Context {
            mode: Mode::Insert,
            rules: &Rules::default(),
        },
    ) {
        Ok(row) => row,
        Err(errors) => panic!("refused: {}", Value::Object(errors)),
    }
}

fn errors(schema: &'static Schema, value: Value) -> Value {
    let Value::Object(object) = value else {
        panic!("an object")
    };
    match schema.validate(
        object,
        Context {
            mode: Mode::Insert,
            rules: &Rules::default(),
        },
    ) {
        Ok(row) => panic!("accepted: {}", Value::Object(row.into_object())),
        Err(errors) => Value::Object(errors),
    }
}

fn service(value: Value) -> Service {
    Service::from_row(row(&service::SCHEMA, value), Uuid::nil(), 1)
}

fn route(value: Value) -> Route {
    Route::from_row(row(&route::SCHEMA, value), Uuid::nil(), 1)
}

fn upstream(value: Value) -> Upstream {
    Upstream::from_row(row(&upstream::SCHEMA, value), Uuid::nil(), 1)
}

#[track_caller]
fn assert_errors(schema: &'static Schema, cases: &[(Value, Value)]) {
    for (input, expected) in cases {
        assert_eq!(&errors(schema, input.clone()), expected, "{input}");
    }
}

#[test]
fn a_service_takes_kongs_defaults() {
    let service = service(json!({ "host": "a.test" }));
    assert_eq!(
        (service.port, service.retries, service.read_timeout),
        (80, 5, 60_000)
    );
    assert!(service.enabled && service.path.is_none() && service.protocol == Protocol::Http);
}

#[test]
fn the_url_shorthand_replaces_four_fields() {
    let cases = [
        (
            "http://a.b:81/p?q=1#f",
            Protocol::Http,
            "a.b",
            81,
            Some("/p"),
        ),
        ("https://h", Protocol::Https, "h", 443, None),
        ("grpcs://h", Protocol::Grpcs, "h", 80, None),
        ("http://user:secret@h/", Protocol::Http, "h", 80, Some("/")),
        ("http://[::1]:81/", Protocol::Http, "::1", 81, Some("/")),
        ("//h:443", Protocol::Https, "h", 443, None),
    ];
    for (url, protocol, host, port, path) in cases {
        let service = service(json!({ "url": url, "port": 99 }));
        let parts = (
            service.protocol,
            &*service.host,
            service.port,
            service.path.as_deref(),
        );
        assert_eq!(parts, (protocol, host, port, path), "{url}");
    }
}

#[test]
fn bad_services_get_kongs_messages() {
    let tls = "failed conditional validation given value of field 'protocol'";
    assert_errors(
        &service::SCHEMA,
        &[
            (json!({}), json!({ "host": "required field missing" })),
            (
                json!({ "url": "" }),
                json!({ "url": "length must be at least 1" }),
            ),
            (json!({ "url": 1 }), json!({ "url": "expected a string" })),
            (
                json!({ "url": "invalid url" }),
                json!({ "host": "required field missing", "path": "should start with: /" }),
            ),
            (
                json!({ "host": "x", "port": "80" }),
                json!({ "port": "expected an integer" }),
            ),
            (
                json!({ "host": "x", "port": 80.5 }),
                json!({ "port": "expected an integer" }),
            ),
            (
                json!({ "host": "x", "port": 65536 }),
                json!({ "port": "value should be between 0 and 65535" }),
            ),
            (
                json!({ "host": "x:80" }),
                json!({ "host": "must not have a port" }),
            ),
            (
                json!({ "host": "a b" }),
                json!({ "host": "invalid value: a b" }),
            ),
            (
                json!({ "host": "" }),
                json!({ "host": "length must be at least 1" }),
            ),
            (
                json!({ "host": "x", "path": "/a//b" }),
                json!({ "path": "must not have empty segments" }),
            ),
            (
                json!({ "host": "x", "path": "/a%2" }),
                json!({ "path": "invalid url-encoded value: '%2'" }),
            ),
            (
                json!({ "host": "x", "protocol": "tcp", "path": "/" }),
                json!({ "path": "value must be null", "@entity": [tls] }),
            ),
            (
                json!({ "host": "x", "protocol": "grpcs", "tls_verify": true }),
                json!({ "tls_verify": "value must be null", "@entity": [tls] }),
            ),
            (
                json!({ "host": "x", "enabled": null }),
                json!({ "enabled": "required field missing" }),
            ),
            (
                json!({ "host": "x", "nope": 1 }),
                json!({ "nope": "unknown field" }),
            ),
            (
                json!({ "host": "x", "id": "1" }),
                json!({ "id": "expected a valid UUID" }),
            ),
            (
                json!({ "host": "x", "tags": ["a", "b,c", 5] }),
                json!({ "tags": [
                    null,
                    "invalid tag 'b,c': expected printable ascii (except `,` and `/`) or valid \
                     utf-8 sequences",
                    "expected a string",
                ] }),
            ),
        ],
    );
}

#[test]
fn whole_fractions_are_integers() {
    assert_eq!(service(json!({ "host": "x", "port": 81.0 })).port, 81);
}

#[test]
fn the_nodes_own_times_win_over_updated_at() {
    let service = service(json!({ "host": "x", "updated_at": "never", "created_at": 7 }));
    assert_eq!((service.created_at, service.updated_at), (7, 1));
}

#[test]
fn bad_routes_get_kongs_messages() {
    let https = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' \
                 is 'https'";
    let path = |path: &str, error: &str| (json!({ "paths": [path] }), json!({ "paths": [error] }));
    let host = |host: &str, error: &str| (json!({ "hosts": [host] }), json!({ "hosts": [error] }));
    assert_errors(
        &route::SCHEMA,
        &[
            (json!({}), json!({ "@entity": [https] })),
            (
                json!({ "hosts": {}, "paths": [] }),
                json!({ "@entity": [https] }),
            ),
            (
                json!({ "protocols": ["grpc"], "paths": ["/"], "strip_path": true }),
                json!({ "strip_path": "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'" }),
            ),
            (
                json!({ "protocols": ["foo", "http"], "methods": ["GET"] }),
                json!({ "protocols": [
                    "expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp",
                ] }),
            ),
            (
                json!({ "protocols": ["foo"], "paths": ["nope"] }),
                json!({ "protocols": "unknown type: foo" }),
            ),
            (
                json!({ "protocols": ["http", "tcp"], "paths": ["/"] }),
                json!({ "protocols":
                    "these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')" }),
            ),
            (
                json!({ "protocols": ["http"], "snis": ["a.b"], "paths": ["/"] }),
                json!({
                    "snis": "length must be 0",
                    "@entity": ["'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' \
                                 or 'tls_passthrough'"],
                }),
            ),
            (
                json!({ "protocols": ["tcp"], "sources": [{}] }),
                json!({ "sources": [{ "@entity":
                    ["at least one of these fields must be non-empty: 'ip', 'port'"] }] }),
            ),
            (
                json!({ "protocols": ["tcp"], "sources": [{ "ip": "1.2.3.4/33" }] }),
                json!({ "sources": [{ "ip": "invalid ip or cidr range: '1.2.3.4/33'" }] }),
            ),
            path("a", "should start with: / (fixed path) or ~/ (regex path)"),
            path("/a%20b", "non-normalized path, consider use '/a b' instead"),
            path(
                "/a%2fb",
                "non-normalized path, consider use '/a%2Fb' instead",
            ),
            path("/a/../b", "non-normalized path, consider use '/b' instead"),
            path("/a%zz", "invalid url-encoded value: '%zz'"),
            path(
                "~/a[",
                "invalid regex: '/a[' (PCRE returned: unclosed character class)",
            ),
            host(
                "*",
                "invalid wildcard: must be placed at leftmost or rightmost label",
            ),
            host(
                "a.*.b",
                "invalid wildcard: must be placed at leftmost or rightmost label",
            ),
            host("*.a.*", "invalid wildcard: must have at most one wildcard"),
            host("not ok", "invalid hostname: not ok"),
            (
                json!({ "methods": ["get"] }),
                json!({ "methods": ["invalid value: get"] }),
            ),
            (
                json!({ "headers": { "Host": ["a"] } }),
                json!({ "headers": "cannot contain 'host' header, which must be specified in the \
                                    'hosts' attribute" }),
            ),
            (
                json!({ "headers": { "X-A": "b" } }),
                json!({ "headers": "expected an array" }),
            ),
            (
                json!({ "headers": { "X-A": ["b", ""] } }),
                json!({ "headers": [null, "length must be at least 1"] }),
            ),
            (
                json!({ "paths": ["/"], "expression": "true" }),
                json!({ "expression": "unknown field" }),
            ),
            (
                json!({ "paths": ["/"], "https_redirect_status_code": 200 }),
                json!({ "https_redirect_status_code": "expected one of: 426, 301, 302, 307, 308" }),
            ),
            (
                json!({ "paths": ["/"], "service": {} }),
                json!({ "service": { "id": "missing primary key" } }),
            ),
            (
                json!({ "paths": ["/"], "service": { "id": "x" } }),
                json!({ "service": { "id": "expected a valid UUID" } }),
            ),
        ],
    );
}

#[test]
fn good_routes_keep_what_they_say() {
    let route = route(json!({
        "protocols": ["https", "http", "https"],
        "hosts": ["*.a", "a.*", "a.*:80", "1.2.3.4:80"],
        "paths": ["/", "/", "~/v\\d+$", "/%25", "/ü b[", "/.well-known"],
        "headers": { "location": ["x", "y"] },
        "methods": ["GET", "GET", "FOO"],
        "regex_priority": 9_007_199_254_740_992_i64,
    }));
    assert_eq!(route.protocols, Protocols::HTTP);
    assert_eq!(
        (route.paths.len(), route.methods.len(), route.hosts.len()),
        (6, 2, 4)
    );
    assert_eq!(route.headers[0].values, ["x", "y"]);
    assert_eq!(route.regex_priority, 9_007_199_254_740_992);
}

#[test]
fn grpc_routes_do_not_strip_the_path() {
    assert!(!route(json!({ "protocols": ["grpc", "grpcs"], "hosts": ["x.test"] })).strip_path);
}

#[test]
fn a_pattern_that_compiles_to_too_much_is_refused() {
    let bomb = format!("~/{}", "(\\w{100}){100}".repeat(10));
    let errors = errors(&route::SCHEMA, json!({ "paths": [bomb] }));
    assert!(
        errors["paths"][0]
            .as_str()
            .is_some_and(|text| text.starts_with("invalid regex: "))
    );
}

#[test]
fn an_upstream_expands_its_health_checks() {
    let upstream = upstream(json!({
        "name": "my.upstream",
        "healthchecks": { "passive": { "healthy": { "successes": 1 } } },
    }));
    let checks = &upstream.healthchecks;
    assert_eq!(checks["passive"]["healthy"]["successes"], 1);
    assert_eq!(
        checks["active"]["healthy"]["http_statuses"],
        json!([200, 302])
    );
    assert_eq!(checks["active"]["https_sni"], Value::Null);
    assert_eq!(
        (upstream.slots, upstream.hash_on),
        (10_000, HashInput::None)
    );
    assert_eq!(upstream.hash_on_cookie_path, "/");
}

#[test]
fn algorithm_and_hash_follow_each_other() {
    let cases = [
        (
            json!({ "hash_on": "ip", "algorithm": "round-robin" }),
            Algorithm::ConsistentHashing,
            HashInput::Ip,
        ),
        (
            json!({ "hash_on": "ip", "algorithm": "latency" }),
            Algorithm::Latency,
            HashInput::None,
        ),
        (
            json!({ "hash_on": "none", "algorithm": "consistent-hashing" }),
            Algorithm::RoundRobin,
            HashInput::None,
        ),
        (
            json!({ "algorithm": "consistent-hashing" }),
            Algorithm::ConsistentHashing,
            HashInput::None,
        ),
        (
            json!({ "hash_on": null }),
            Algorithm::RoundRobin,
            HashInput::None,
        ),
    ];
    for (mut input, algorithm, hash_on) in cases {
        input["name"] = "u".into();
        let upstream = upstream(input.clone());
        assert_eq!(
            (upstream.algorithm, upstream.hash_on),
            (algorithm, hash_on),
            "{input}"
        );
    }
}

#[test]
fn bad_upstreams_get_kongs_messages() {
    let on = "failed conditional validation given value of field 'hash_on'";
    let name = |name: &str, error: &str| (json!({ "name": name }), json!({ "name": error }));
    assert_errors(
        &upstream::SCHEMA,
        &[
            (json!({}), json!({ "name": "required field missing" })),
            name("a b", "Invalid name ('a b'); must be a valid hostname"),
            name(
                "1.2.3.4",
                "Invalid name ('1.2.3.4'); no ip addresses allowed",
            ),
            name("a:80", "Invalid name ('a:80'); no port allowed"),
            (
                json!({ "name": "u", "slots": 9 }),
                json!({ "slots": "value should be between 10 and 65536" }),
            ),
            (
                json!({ "name": "u", "hash_on": "consumer", "hash_fallback": "consumer" }),
                json!({
                    "hash_fallback":
                        "expected one of: none, ip, header, cookie, path, query_arg, uri_capture",
                    "@entity": [on],
                }),
            ),
            (
                json!({ "name": "u", "hash_on": "cookie", "hash_on_cookie": "a", "hash_fallback": "ip" }),
                json!({ "hash_fallback": "expected one of: none", "@entity": [on] }),
            ),
            (
                json!({ "name": "u", "hash_on": "header" }),
                json!({ "hash_on_header": "required field missing", "@entity": [on] }),
            ),
            (
                json!({
                    "name": "u", "hash_on": "header", "hash_on_header": "x",
                    "hash_fallback": "header", "hash_fallback_header": "x",
                }),
                json!({ "@entity": ["values of these fields must be distinct: 'hash_on_header', \
                                     'hash_fallback_header'"] }),
            ),
            (
                json!({ "name": "u", "healthchecks": { "threshold": 101 } }),
                json!({ "healthchecks": { "threshold": "value should be between 0 and 100" } }),
            ),
            (
                json!({ "name": "u", "healthchecks": { "foo": 1 } }),
                json!({ "healthchecks": { "foo": "unknown field" } }),
            ),
            (
                json!({ "name": "u", "healthchecks": null }),
                json!({ "healthchecks": "required field missing" }),
            ),
        ],
    );
}

#[test]
fn targets_get_a_port_and_a_normal_form() {
    let cases = [
        ("::1", "[0000:0000:0000:0000:0000:0000:0000:0001]:8000"),
        ("[::1]:80", "[0000:0000:0000:0000:0000:0000:0000:0001]:80"),
        ("001.2.3.4", "1.2.3.4:8000"),
        ("A.B", "A.B:8000"),
        ("a.b.", "a.b.:8000"),
        ("-a.b:1", "-a.b:1"),
    ];
    for (text, normal) in cases {
        assert_eq!(target::normal_target(text), normal);
    }
    for text in [
        "a-.b",
        "1.2.3.4:99999",
        "fe80::1%eth0",
        "hostname:1.0",
        "",
        "8000",
        "a b",
        "1.2.3.256",
    ] {
        let input = json!({ "target": text, "upstream": { "id": Uuid::nil().to_string() } });
        let errors = errors(&target::SCHEMA, input);
        assert!(errors["target"].is_string(), "{text}");
    }
}
