//! Tests of the entities that have no type of their own, and of what the typed ones keep beside.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::*;
use crate::conf::RouterFlavor;
use crate::field::{Context, Mode, Row, Rules, message};

const EC_CERT: &str = include_str!("fixtures/ec.crt");
const EC_KEY: &str = include_str!("fixtures/ec.key");
const EC_PUBLIC: &str = include_str!("fixtures/ec.pub");
const OTHER_KEY: &str = include_str!("fixtures/other.key");
const OTHER_CERT: &str = include_str!("fixtures/other.crt");
const RSA_CERT: &str = include_str!("fixtures/rsa.crt");
const RSA_KEY: &str = include_str!("fixtures/rsa.key");
const ED_CERT: &str = include_str!("fixtures/ed.crt");
const ED_KEY: &str = include_str!("fixtures/ed.key");
const CA: &str = include_str!("fixtures/ca.crt");
const OLD_CA: &str = include_str!("fixtures/old-ca.crt");

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

fn validate(kind: EntityKind, value: Value, rules: &Rules) -> Result<Row, Value> {
    let mode = Mode::Insert;
    let context = Context { mode, rules };
    kind.schema(rules)
        .validate(object(value), context)
        .map_err(Value::Object)
}

#[track_caller]
fn accepted(kind: EntityKind, value: Value) -> Value {
    let shown = value.to_string();
    match validate(kind, value, &Rules::default()) {
        Ok(row) => Value::Object(row.into_object()),
        Err(errors) => panic!("{kind:?} {shown} was refused: {errors}"),
    }
}

#[track_caller]
fn assert_refused(kind: EntityKind, cases: &[(Value, Value)]) {
    for (value, expected) in cases {
        match validate(kind, value.clone(), &Rules::default()) {
            Ok(row) => panic!("{kind:?} {value} was accepted: {row:?}"),
            Err(errors) => assert_eq!(&errors, expected, "{kind:?} {value}"),
        }
    }
}

#[track_caller]
fn assert_problem(kind: EntityKind, value: Value, problem: &str) {
    assert_refused(kind, &[(value, json!({ "@entity": [problem] }))]);
}

#[test]
fn a_consumer_needs_one_of_its_names() {
    let either = "at least one of these fields must be non-empty: 'custom_id', 'username'";
    assert_refused(
        EntityKind::CONSUMERS,
        &[
            (json!({}), json!({ "@entity": [either] })),
            (
                json!({ "username": "" }),
                json!({ "@entity": [either], "username": "length must be at least 1" }),
            ),
            (
                json!({ "username": 1 }),
                json!({ "username": "expected a string" }),
            ),
            (
                json!({ "username": "x", "nope": null }),
                json!({ "nope": "unknown field" }),
            ),
            (
                json!({ "id": "", "username": "x" }),
                json!({ "id": "expected a valid UUID" }),
            ),
        ],
    );
    let bob = accepted(
        EntityKind::CONSUMERS,
        json!({ "username": "bob ü/", "tags": ["a", "a"] }),
    );
    assert_eq!(
        (&bob["custom_id"], &bob["tags"]),
        (&Value::Null, &json!(["a"]))
    );
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    for (cert, key) in [
        (EC_CERT, EC_KEY),
        (EC_CERT, include_str!("fixtures/ec-sec1.key")),
        (RSA_CERT, RSA_KEY),
        (RSA_CERT, include_str!("fixtures/rsa-pkcs1.key")),
        (ED_CERT, ED_KEY),
    ] {
        accepted(
            EntityKind::CERTIFICATES,
            json!({ "cert": cert, "key": key }),
        );
    }
    let chain = format!("{EC_CERT}{CA}");
    accepted(
        EntityKind::CERTIFICATES,
        json!({ "cert": chain, "key": EC_KEY }),
    );
    for (cert, key) in [(EC_CERT, OTHER_KEY), (EC_CERT, RSA_KEY), (RSA_CERT, ED_KEY)] {
        let pair = json!({ "cert": cert, "key": key });
        assert_problem(
            EntityKind::CERTIFICATES,
            pair,
            "certificate does not match key",
        );
    }
}

#[test]
fn a_second_certificate_is_whole_matches_and_is_of_another_type() {
    let with = |more: Value| {
        let mut both = object(json!({ "cert": EC_CERT, "key": EC_KEY }));
        both.extend(object(more));
        Value::Object(both)
    };
    accepted(
        EntityKind::CERTIFICATES,
        with(json!({ "cert_alt": RSA_CERT, "key_alt": RSA_KEY })),
    );
    assert_problem(
        EntityKind::CERTIFICATES,
        with(json!({ "cert_alt": RSA_CERT })),
        "all or none of these fields must be set: 'cert_alt', 'key_alt'",
    );
    assert_problem(
        EntityKind::CERTIFICATES,
        with(json!({ "cert_alt": RSA_CERT, "key_alt": EC_KEY })),
        "alternative certificate does not match key",
    );
    assert_problem(
        EntityKind::CERTIFICATES,
        with(json!({ "cert_alt": OTHER_CERT, "key_alt": OTHER_KEY })),
        "certificate and alternative certificate need to have different type (e.g. RSA and \
         ECDSA), the provided certificates were both of the same type",
    );
}

#[test]
fn what_is_no_certificate_or_key_is_refused_at_its_field() {
    let errors = |value: Value| {
        validate(EntityKind::CERTIFICATES, value, &Rules::default()).expect_err("refused")
    };
    let swapped = errors(json!({ "cert": EC_KEY, "key": EC_CERT }));
    assert_eq!(swapped.as_object().map(Map::len), Some(2), "{swapped}");
    let starts = |text: &Value, prefix: &str| text.as_str().is_some_and(|t| t.starts_with(prefix));
    assert!(
        starts(&swapped["cert"], "invalid certificate: "),
        "{swapped}"
    );
    assert!(starts(&swapped["key"], "invalid key: "), "{swapped}");
    let broken = EC_CERT.replace("MII", "AAA");
    let broken = errors(json!({ "cert": broken, "key": EC_KEY, "snis": ["120.0.9.32:90"] }));
    assert!(starts(&broken["cert"], "invalid certificate: "), "{broken}");
    assert_eq!(broken["snis"], json!(["must not be an IP"]));
    assert_eq!(
        errors(json!({})),
        json!({ "cert": "required field missing", "key": "required field missing" })
    );
}

#[test]
fn a_certificate_from_a_vault_is_not_looked_into() {
    let reference = "{vault://env/cert}";
    accepted(
        EntityKind::CERTIFICATES,
        json!({ "cert": reference, "key": EC_KEY }),
    );
    accepted(
        EntityKind::CERTIFICATES,
        json!({ "cert": EC_CERT, "key": reference }),
    );
}

#[test]
fn a_server_name_has_one_wildcard_at_an_end_and_a_certificate() {
    let certificate = json!({ "id": Uuid::nil().to_string() });
    let sni = |name: &str| json!({ "name": name, "certificate": certificate });
    for name in ["a.test", "*.a.test", "a.test.*"] {
        accepted(EntityKind::SNIS, sni(name));
    }
    let missing = "required field missing";
    assert_refused(
        EntityKind::SNIS,
        &[
            (
                json!({}),
                json!({ "certificate": missing, "name": missing }),
            ),
            (
                sni("*.a.*"),
                json!({ "name": "only one wildcard must be specified" }),
            ),
            (
                sni("a.*.b"),
                json!({ "name": "wildcard must be leftmost or rightmost character" }),
            ),
            (sni("a.b:80"), json!({ "name": "must not have a port" })),
            (sni("1.2.3.4"), json!({ "name": "must not be an IP" })),
        ],
    );
}

#[test]
fn an_authority_is_one_valid_certificate_that_may_sign() {
    let kind = EntityKind::CA_CERTIFICATES;
    let two = format!("{CA}{CA}");
    assert_problem(
        kind,
        json!({ "cert": two }),
        "please submit only one certificate at a time",
    );
    let expired = "certificate expired, \"Not After\" time is in the past";
    assert_problem(kind, json!({ "cert": OLD_CA }), expired);
    let leaf = "certificate does not appear to be a CA because it is missing the \"CA\" basic \
                constraint";
    assert_problem(kind, json!({ "cert": EC_CERT }), leaf);
    let mut authority = object(accepted(kind, json!({ "cert": CA, "cert_digest": "x" })));
    let transform = ca_certificate::SCHEMA.transform.expect("a transformation");
    transform(&mut authority);
    let digest = authority["cert_digest"].as_str().expect("a digest");
    assert!(
        digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{digest}"
    );
}

#[test]
fn a_plugin_must_be_enabled_and_takes_the_rules_of_its_own_schema() {
    let kind = EntityKind::PLUGINS;
    let plugin = accepted(kind, json!({ "name": "request-size-limiting" }));
    assert_eq!(plugin["config"]["allowed_payload_size"], 128);
    assert_eq!(
        plugin["protocols"],
        json!(["grpc", "grpcs", "http", "https"])
    );
    assert_refused(
        kind,
        &[
            (json!({}), json!({ "name": "required field missing" })),
            (json!({ "name": 1 }), json!({ "name": "expected a string" })),
            (
                json!({ "name": "nope", "foo": 1 }),
                json!({ "name": "plugin 'nope' not enabled; add it to the 'plugins' \
                                 configuration property" }),
            ),
            (
                json!({ "name": "request-size-limiting", "protocols": ["tcp"] }),
                json!({ "protocols": ["expected one of: grpc, grpcs, http, https"] }),
            ),
            (
                json!({ "name": "request-size-limiting", "route": { "id": "x" } }),
                json!({ "route": { "id": "expected a valid UUID" } }),
            ),
        ],
    );
    let none = Rules {
        plugins: Vec::new(),
        ..Rules::default()
    };
    let errors = validate(kind, json!({ "name": "request-size-limiting" }), &none).unwrap_err();
    assert!(
        errors["name"]
            .as_str()
            .is_some_and(|text| text.contains("not enabled")),
        "{errors}"
    );
    accepted(
        kind,
        json!({ "name": "request-size-limiting", "protocols": [] }),
    );
}

#[test]
fn a_vault_has_a_prefix_and_the_rules_of_its_kind() {
    let vault =
        |prefix: &str, config: Value| json!({ "name": "env", "prefix": prefix, "config": config });
    for prefix in ["secrets_", "secrets-", "SSL_"] {
        accepted(
            EntityKind::VAULTS,
            vault("my-env", json!({ "prefix": prefix })),
        );
    }
    let invalid = |prefix: &str| {
        let error = format!("invalid value: {prefix}");
        (vault(prefix, json!({})), json!({ "prefix": error }))
    };
    assert_refused(
        EntityKind::VAULTS,
        &[
            (json!({}), json!({ "name": "required field missing" })),
            (
                json!({ "name": "env" }),
                json!({ "prefix": "required field missing" }),
            ),
            (
                json!({ "name": "x" }),
                json!({ "name": "vault 'x' is not installed" }),
            ),
            (
                vault("env", json!({})),
                json!({ "prefix": "must not be one of: env" }),
            ),
            invalid("e"),
            invalid("a-"),
            invalid("A1"),
            invalid("a_b"),
            (
                vault("ab", json!({ "prefix": "1x" })),
                json!({ "config": { "prefix": "invalid value: 1x" } }),
            ),
            (
                vault("ab", json!({ "foo": 1 })),
                json!({ "config": { "foo": "unknown field" } }),
            ),
        ],
    );
}

fn jwk(members: &str) -> Value {
    json!({ "kid": "a", "jwk": format!("{{\"kid\":\"a\",{members}}}") })
}

const EC_JWK: &str = "\"kty\":\"EC\",\"crv\":\"P-256\",\
                      \"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\
                      \"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"";

#[test]
fn a_key_in_json_can_be_loaded_and_names_itself() {
    let kind = EntityKind::KEYS;
    for members in [
        EC_JWK,
        "\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"",
        "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"",
    ] {
        accepted(kind, jwk(members));
    }
    let load = "could not load JWK, likely not a valid key";
    for members in [
        "\"kty\":\"EC\"",
        "\"kty\":\"oct\",\"k\":\"AQAB\"",
        &EC_JWK.replace("f83O", "AAAA"),
        &EC_JWK.replace("P-256", "P-999"),
        "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQAB\"",
        "\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"",
    ] {
        assert_problem(kind, jwk(members), load);
    }
    let other = "kid in jwk.kid must be equal to keys.kid";
    assert_problem(kind, json!({ "kid": "b", "jwk": "{\"kid\":\"a\"}" }), other);
    let text = "could not json decode jwk string";
    assert_problem(kind, json!({ "kid": "b", "jwk": "{" }), text);
    assert_problem(kind, jwk("\"foo\":1"), "jwk.foo: unknown field");
    let object = json!({ "kid": "a", "jwk": { "kid": "a" } });
    assert_refused(kind, &[(object, json!({ "jwk": "expected a string" }))]);
}

#[test]
fn a_key_in_pem_can_be_loaded_and_its_halves_match() {
    let kind = EntityKind::KEYS;
    let pem = |pem: Value| json!({ "kid": "a", "pem": pem });
    let key = accepted(
        kind,
        pem(json!({ "public_key": EC_PUBLIC, "private_key": EC_KEY })),
    );
    assert_eq!(key["jwk"], Value::Null);
    let key = accepted(kind, pem(json!({ "public_key": EC_PUBLIC })));
    assert_eq!(key["pem"]["private_key"], Value::Null);
    accepted(
        kind,
        pem(json!({ "public_key": EC_PUBLIC, "private_key": "{vault://env/key}" })),
    );
    let mismatch = pem(json!({ "public_key": EC_PUBLIC, "private_key": OTHER_KEY }));
    assert_problem(kind, mismatch, "public key does not match private key");
    assert_problem(
        kind,
        pem(json!({ "public_key": "x" })),
        "could not load public key",
    );
    let private = "could not load private key, likely not a valid key";
    assert_problem(kind, pem(json!({ "private_key": "x" })), private);
    let either = "at least one of these fields must be non-empty: 'private_key', 'public_key'";
    assert_refused(
        kind,
        &[(pem(json!({})), json!({ "pem": { "@entity": [either] } }))],
    );
}

#[test]
fn a_key_has_one_form() {
    let neither = "at least one of these fields must be non-empty: 'jwk', 'pem'";
    assert_problem(EntityKind::KEYS, json!({ "kid": "a" }), neither);
    let mut both = jwk(EC_JWK);
    both["pem"] = json!({ "public_key": EC_PUBLIC });
    let one = "only one or none of these fields must be set: 'jwk', 'pem'";
    assert_problem(EntityKind::KEYS, both, one);
}

#[test]
fn filter_chains_need_wasm_and_filters_that_exist() {
    let service = json!({ "id": Uuid::nil().to_string() });
    let chain = json!({ "service": service, "filters": [{ "name": "x" }] });
    let rules = Rules {
        wasm: true,
        ..Rules::default()
    };
    let errors = validate(EntityKind::FILTER_CHAINS, chain.clone(), &rules).unwrap_err();
    assert_eq!(errors, json!({ "filters": [{ "name": "no such filter" }] }));
    let errors = validate(EntityKind::FILTER_CHAINS, chain, &Rules::default()).unwrap_err();
    assert_eq!(
        errors["@entity"].as_array().map(Vec::len),
        Some(1),
        "{errors}"
    );
    let empty = json!({ "filters": [] });
    let errors = validate(EntityKind::FILTER_CHAINS, empty, &rules).unwrap_err();
    let either = "at least one of these fields must be non-empty: 'service', 'route'";
    let expected = json!({ "filters": "length must be at least 1", "@entity": [either] });
    assert_eq!(errors, expected);
}

#[test]
fn the_entities_of_the_cluster_have_their_rules() {
    let node = |more: Value| {
        let mut node = object(json!({
            "id": Uuid::nil().to_string(), "ip": "127.0.0.1", "hostname": "a.test",
        }));
        node.extend(object(more));
        Value::Object(node)
    };
    let kind = EntityKind::CLUSTERING_DATA_PLANES;
    assert_eq!(accepted(kind, node(json!({})))["sync_status"], "unknown");
    accepted(
        kind,
        node(json!({ "version": "3.9.3-x", "config_hash": "0".repeat(32) })),
    );
    assert_refused(
        kind,
        &[
            (
                node(json!({ "ip": "x" })),
                json!({ "ip": "not an ip address: x" }),
            ),
            (
                node(json!({ "config_hash": "0" })),
                json!({ "config_hash": "length must be 32" }),
            ),
            (
                node(json!({ "version": "x" })),
                json!({ "version": "invalid version number: must be in format of X.Y.Z" }),
            ),
            (
                node(json!({ "version": "1..2" })),
                json!({ "version": "must not have empty version segments" }),
            ),
        ],
    );
    let errors = validate(
        EntityKind::WORKSPACES,
        json!({ "name": "plugins" }),
        &Rules::default(),
    );
    let text = errors.expect_err("reserved")["name"].to_string();
    assert!(
        text.starts_with("\"must not be one of: workspaces, consumers"),
        "{text}"
    );
    accepted(
        EntityKind::PARAMETERS,
        json!({ "key": "cluster_id", "value": "x" }),
    );
}

#[test]
fn a_reference_reports_what_is_wrong_with_the_other_entity() {
    let route = |service: Value| json!({ "paths": ["/"], "service": service });
    let missing = json!({ "service": { "id": "missing primary key" } });
    assert_refused(
        EntityKind::ROUTES,
        &[
            (
                route(json!({ "protocol": "foo" })),
                json!({ "service": { "protocol": "expected one of: grpc, grpcs, http, https, tcp, \
                                                  tls, tls_passthrough, udp" } }),
            ),
            (route(json!({ "protocol": "http" })), missing.clone()),
            (route(json!({ "name": null })), missing.clone()),
            (route(json!({})), missing.clone()),
            (route(json!("s")), missing),
        ],
    );
    let id = Uuid::nil().to_string();
    let linked = accepted(EntityKind::ROUTES, route(json!({ "id": id, "name": "s" })));
    assert_eq!(linked["service"], json!({ "id": id }));
}

fn expressions() -> Rules {
    Rules {
        router_flavor: RouterFlavor::Expressions,
        ..Rules::default()
    }
}

#[track_caller]
fn assert_expression_refused(route: Value, problem: &str) {
    let shown = route.to_string();
    let errors = validate(EntityKind::ROUTES, route, &expressions()).expect_err(&shown);
    let text = format!("Router Expression failed validation: {problem}");
    assert_eq!(errors, json!({ "@entity": [text] }), "{shown}");
}

#[test]
fn expressions_name_fields_and_types_that_exist() {
    let unknown = "Unknown LHS field";
    let types = "Type mismatch between the LHS and RHS values of predicate";
    let segments = "illformed http.path.segments.* field";
    for (text, problem) in [
        ("foo.bar == \"x\"", unknown),
        ("http.path == 5", types),
        ("net.dst.port == \"80\"", types),
        ("http.path.segments.2_1 == \"a\"", segments),
        ("http.path.segments.01 == \"a\"", segments),
        (
            "(http.path.segments.x == \"a\") || tls.sni == \"a\"",
            segments,
        ),
    ] {
        assert_expression_refused(json!({ "expression": text }), problem);
    }
    let stream = json!({ "expression": "http.path == \"/a\"", "protocols": ["tcp"] });
    assert_expression_refused(stream, unknown);
    for text in [
        "http.path.segments.0 == \"a\" && http.path.segments.len == 2",
        "http.path.segments.0_1 == \"a/b\"",
        "!(lower(http.headers.x_a) ~ \"^a\") && net.src.ip in 10.0.0.0/8",
        "any(http.queries.a) contains r#\"x\"#",
    ] {
        let route = json!({ "expression": text });
        validate(EntityKind::ROUTES, route, &expressions()).expect(text);
    }
    let port = json!({ "expression": "net.dst.port == 9000", "protocols": ["tcp"] });
    validate(EntityKind::ROUTES, port, &expressions()).expect("a stream field");
}

#[test]
fn an_expression_that_cannot_be_read_is_refused() {
    for text in ["http.path ==", "(", "nope", "http.path == 'a'"] {
        let route = json!({ "expression": text });
        let errors = validate(EntityKind::ROUTES, route, &expressions()).expect_err(text);
        let error = errors["@entity"][0].as_str().unwrap_or_default();
        assert!(
            error.starts_with("Router Expression failed validation: "),
            "{text}: {errors}"
        );
    }
}

#[test]
fn an_expression_has_limits() {
    let nested = |depth: usize| format!("{}net.port == 1{}", "(".repeat(depth), ")".repeat(depth));
    let chained =
        |operators: usize| format!("net.port == 1{}", " && net.port == 1".repeat(operators));
    let route = |text: String| json!({ "expression": text });
    let rules = expressions();
    for text in [
        nested(expression::DEPTH_MAX),
        chained(expression::OPERATORS_MAX),
    ] {
        validate(EntityKind::ROUTES, route(text), &rules).expect("within the limits");
    }
    for text in [
        nested(expression::DEPTH_MAX + 1),
        chained(expression::OPERATORS_MAX + 1),
        format!("http.path == \"{}\"", "a".repeat(expression::BYTES_MAX)),
    ] {
        let errors = validate(EntityKind::ROUTES, route(text), &rules).expect_err("too much");
        assert!(errors["@entity"][0].is_string(), "{errors}");
    }
}

#[test]
fn an_expression_stands_alone() {
    let all = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' \
               simultaneously";
    let expression = "http.path == \"/a\"";
    assert_expression_refused(
        json!({ "expression": expression, "paths": ["/a"] }),
        &format!("cannot set 'expression' with {all}"),
    );
    assert_expression_refused(
        json!({ "expression": expression, "regex_priority": 1 }),
        "cannot set 'regex_priority' with 'expression' simultaneously",
    );
    assert_expression_refused(
        json!({ "paths": ["/a"], "priority": 5 }),
        &format!("cannot set 'priority' with {all}"),
    );
}

#[test]
fn the_router_flavor_decides_about_fields_and_texts() {
    let rules = expressions();
    let errors = |route: Value, rules: &Rules| {
        validate(EntityKind::ROUTES, route, rules).expect_err("refused")
    };
    let must = "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis', 'expression' when \
                'protocols' is 'https'";
    assert_eq!(
        errors(json!({ "name": "x" }), &rules),
        json!({ "@entity": [must] })
    );
    assert_eq!(
        errors(json!({ "expression": "" }), &rules),
        json!({ "@entity": [must], "expression": "length must be at least 1" })
    );
    let priority = json!({ "expression": "net.port == 1", "priority": -1 });
    assert_eq!(
        errors(priority, &rules),
        json!({ "priority": "value should be between 0 and 70368744177663" })
    );
    let source = json!({ "paths": ["/a"], "sources": [{ "port": 1 }] });
    validate(EntityKind::ROUTES, source, &rules).expect("harmless with expressions");
    let route = json!({ "paths": ["/a"], "expression": "true", "priority": 1 });
    let unknown = json!({ "expression": "unknown field", "priority": "unknown field" });
    assert_eq!(errors(route.clone(), &Rules::default()), unknown);
    let traditional = Rules {
        router_flavor: RouterFlavor::Traditional,
        ..Rules::default()
    };
    assert_eq!(errors(route, &traditional), unknown);
    let wildcard = json!({ "snis": ["*.a.test"] });
    validate(EntityKind::ROUTES, wildcard.clone(), &Rules::default()).expect("a wildcard");
    assert!(errors(wildcard, &traditional)["snis"][0].is_string());
}

/// What a typed entity shows for an input, without its times.
fn shown(kind: EntityKind, value: Value, rules: &Rules) -> (Value, bool) {
    let row = validate(kind, value, rules).expect("valid");
    let (id, now) = (Uuid::nil(), 1);
    let (json, exact) = match kind {
        EntityKind::SERVICES => {
            let entity = Service::from_row(row, id, now);
            (entity.to_json(), entity.exact)
        }
        EntityKind::ROUTES => {
            let entity = Route::from_row(row, id, now);
            (entity.to_json(), entity.exact)
        }
        EntityKind::UPSTREAMS => {
            let entity = Upstream::from_row(row, id, now);
            (entity.to_json(), entity.exact)
        }
        _ => {
            let entity = Target::from_row(row, id, id, now);
            (entity.to_json(), entity.exact)
        }
    };
    (json, exact.is_some())
}

#[test]
fn typed_entities_give_back_exactly_what_kong_shows() {
    let rules = Rules::default();
    let upstream = json!({ "id": Uuid::nil().to_string() });
    for (kind, input, fields) in [
        (
            EntityKind::SERVICES,
            json!({ "host": "a", "retries": null, "tags": [], "protocol": "https",
                    "ca_certificates": [] }),
            &["retries", "tags", "ca_certificates"][..],
        ),
        (
            EntityKind::ROUTES,
            json!({ "protocols": ["https", "http"], "paths": ["/"], "hosts": [], "headers": {},
                    "path_handling": null, "regex_priority": null }),
            &[
                "protocols",
                "hosts",
                "headers",
                "path_handling",
                "regex_priority",
            ],
        ),
        (
            EntityKind::UPSTREAMS,
            json!({ "name": "u", "slots": null, "algorithm": null, "hash_on_cookie_path": null }),
            &["slots", "algorithm", "hash_on_cookie_path"],
        ),
        (
            EntityKind::TARGETS,
            json!({ "target": "a:1", "upstream": upstream, "weight": null, "tags": [] }),
            &["weight", "tags"],
        ),
    ] {
        let (json, has_exact) = shown(kind, input.clone(), &rules);
        assert!(has_exact, "{kind:?}");
        for field in fields {
            assert_eq!(json[field], input[field], "{kind:?}.{field}");
        }
    }
}

#[test]
fn ordinary_entities_keep_nothing_beside() {
    let rules = Rules::default();
    let upstream = json!({ "id": Uuid::nil().to_string() });
    for (kind, input) in [
        (
            EntityKind::SERVICES,
            json!({ "host": "a", "tags": ["x"], "path": null }),
        ),
        (
            EntityKind::ROUTES,
            json!({ "paths": ["/"], "sources": null, "service": null }),
        ),
        (EntityKind::UPSTREAMS, json!({ "name": "u" })),
        (
            EntityKind::TARGETS,
            json!({ "target": "a:1", "upstream": upstream }),
        ),
    ] {
        let (_, has_exact) = shown(kind, input.clone(), &rules);
        assert!(!has_exact, "{kind:?} {input}");
    }
}

#[test]
fn routes_show_expressions_in_their_flavor_only() {
    let (json, _) = shown(
        EntityKind::ROUTES,
        json!({ "paths": ["/"] }),
        &Rules::default(),
    );
    assert_eq!((json.get("expression"), json.get("priority")), (None, None));
    let (json, _) = shown(
        EntityKind::ROUTES,
        json!({ "paths": ["/"] }),
        &expressions(),
    );
    assert_eq!(
        (&json["expression"], &json["priority"]),
        (&Value::Null, &json!(0))
    );
    let text = "http.path == \"/\"";
    let route = json!({ "expression": text, "priority": 7 });
    let (json, has_exact) = shown(EntityKind::ROUTES, route, &expressions());
    assert_eq!(
        (&json["expression"], &json["priority"]),
        (&json!(text), &json!(7))
    );
    assert!(!has_exact);
}

#[test]
fn a_change_of_protocols_keeps_the_stored_strip_path() {
    let rules = Rules::default();
    let stored = shown(EntityKind::ROUTES, json!({ "hosts": ["a"] }), &rules).0;
    let update = |request: Value| {
        let stored = object(stored.clone());
        EntityKind::ROUTES
            .schema(&rules)
            .validate_update(stored, object(request), &rules)
            .map(Row::into_object)
    };
    let errors = update(json!({ "protocols": ["grpc"] })).expect_err("it stays true");
    assert!(errors["strip_path"].is_string(), "{errors:?}");
    let route = update(json!({ "protocols": ["grpc"], "strip_path": false })).expect("valid");
    assert_eq!(route["protocols"], json!(["grpc"]));
}

#[test]
fn an_update_follows_kongs_words() {
    let rules = Rules::default();
    let update = |kind: EntityKind, stored: Value, request: Value| {
        kind.schema(&rules)
            .validate_update(object(stored), object(request), &rules)
            .map(Row::into_object)
    };
    let bob = accepted(EntityKind::CONSUMERS, json!({ "username": "bob" }));
    let errors = update(EntityKind::CONSUMERS, bob, json!({ "username": null })).unwrap_err();
    let text = "schema violation (when updating, at least one of these fields must be non-empty: \
                'custom_id', 'username')";
    assert_eq!(message::text(&errors), text);
    let service = shown(
        EntityKind::SERVICES,
        json!({ "url": "https://a/b" }),
        &rules,
    )
    .0;
    let changed =
        update(EntityKind::SERVICES, service, json!({ "url": "http://c" })).expect("valid");
    assert_eq!(
        (&changed["port"], &changed["path"]),
        (&json!(80), &Value::Null)
    );
}

#[test]
fn the_description_of_consumers_is_kongs() {
    let mut described = consumer::SCHEMA.describe();
    let drop_text = |value: &mut Value| {
        value
            .as_object_mut()
            .map(|attributes| attributes.swap_remove("description"));
    };
    for field in described["fields"].as_array_mut().expect("a list") {
        field
            .as_object_mut()
            .expect("an object")
            .values_mut()
            .for_each(drop_text);
    }
    let expected = json!({
        "entity_checks": [{ "at_least_one_of": ["custom_id", "username"] }],
        "fields": [
            { "id": { "type": "string", "uuid": true, "auto": true } },
            { "created_at": { "type": "integer", "timestamp": true, "auto": true } },
            { "updated_at": { "type": "integer", "timestamp": true, "auto": true } },
            { "username": { "type": "string", "unique": true } },
            { "custom_id": { "type": "string", "unique": true } },
            { "tags": { "type": "set", "elements": { "type": "string", "required": true } } },
        ],
    });
    assert_eq!(described, expected);
}
