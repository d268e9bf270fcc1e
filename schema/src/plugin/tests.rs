//! Every plugin against recorded answers of Kong, and rules that hold for all of them.

use serde_json::{Map, Value, json};

use super::shared::PROTOCOLS;
use super::*;
use crate::field::{
    Context, Default as Preset, Expand, Field, Kind, Mode, Record, Row, Rules, Schema, Subschemas,
    Type,
};

/// Answers of Kong to plugins: `plugin` with the expanded `config`, the `errors`, or neither where
/// Kong only said that it is valid.
const RECORDED: &str = include_str!("recorded.json");

/// The entity `plugins`, as far as plugins describe it.
static ENTITY: Schema = Schema::new(
    "plugins",
    &[
        Field::new("name", Type::new(Kind::String)).required(),
        Field::new("consumer", Type::new(Kind::Foreign("consumers"))),
        Field::new("service", Type::new(Kind::Foreign("services"))),
        Field::new("route", Type::new(Kind::Foreign("routes"))),
        PROTOCOLS,
        Field::new("config", Type::new(Kind::Abstract)).required(),
    ],
)
.subschemas(&Subschemas {
    selector: "name",
    find: |name, _| {
        let plugin = find(name).ok_or("no plugin of that name")?;
        Ok(&plugin.schema)
    },
    known: |name| find(name).map(|plugin| &plugin.schema),
});

/// The plugin as it is shown, other spellings included.
pub(super) fn validate_plugin(mut plugin: Value, name: &str) -> Result<Value, Value> {
    plugin["name"] = name.into();
    let mut plugin = validate(&ENTITY, &plugin)?;
    if let Value::Object(plugin) = &mut plugin {
        ENTITY.add_old_names(plugin);
    }
    Ok(plugin)
}

fn validate(schema: &'static Schema, object: &Value) -> Result<Value, Value> {
    let rules = Rules::default();
    let context = Context {
        mode: Mode::Insert,
        rules: &rules,
    };
    let object = object.as_object().cloned().unwrap_or_default();
    schema
        .validate(object, context)
        .map(|row| Value::Object(Row::into_object(row)))
        .map_err(Value::Object)
}

fn entity_of(plugin: &str, name: &str) -> &'static Schema {
    let entities = find(plugin).expect("a bundled plugin").entities;
    let entity = entities.iter().find(|entity| entity.name == name);
    entity.expect("an entity of the plugin")
}

const CONSUMER: &str = "a0000000-0000-4000-8000-000000000001";

/// A credential of [`CONSUMER`] as it is stored.
fn credential(plugin: &str, name: &str, mut object: Value) -> Result<Value, Value> {
    let schema = entity_of(plugin, name);
    object["consumer"] = json!({ "id": CONSUMER });
    let mut credential = validate(schema, &object)?;
    if let (Some(transform), Value::Object(credential)) = (schema.transform, &mut credential) {
        transform(credential);
    }
    Ok(credential)
}

/// Differences that are meant, each with its reason.
fn is_difference(plugin: &Value) -> bool {
    let config = &plugin["config"];
    // The template is faulty Lua, and there is no Lua here.
    config["add"]["querystring"] == json!(["a:$(1 +)"])
        // Recorded with a database.
        || config["policy"] == "cluster" && config["limit_by"] == "service"
}

#[test]
fn recorded_plugins_are_answered_as_kong_answers() {
    let cases: Vec<Value> = serde_json::from_str(RECORDED).expect("valid JSON");
    for case in &cases {
        let plugin = &case["plugin"];
        if is_difference(plugin) {
            continue;
        }
        let name = plugin["name"].as_str().expect("a name");
        let outcome = validate_plugin(plugin.clone(), name);
        match (case.get("config"), case.get("errors")) {
            (_, Some(errors)) => assert_eq!(outcome.as_ref().err(), Some(errors), "{plugin}"),
            (Some(config), None) => {
                let shown = outcome.as_ref().map(|shown| &shown["config"]);
                assert_eq!(shown, Ok(config), "{plugin}");
            }
            (None, None) => assert!(outcome.is_ok(), "{plugin}: {outcome:?}"),
        }
    }
}

#[test]
fn every_plugin_of_kong_is_there() {
    assert_eq!(PLUGINS.len(), 45);
}

#[test]
fn names_and_priorities_are_unique() {
    for (at, plugin) in PLUGINS.iter().enumerate() {
        let before = PLUGINS[..at]
            .iter()
            .find(|other| other.name == plugin.name || other.priority == plugin.priority);
        assert!(before.is_none(), "{} {before:?}", plugin.name);
    }
}

/// Every field of a list and of the records below it, with its path.
fn walk(fields: &'static [Field], path: &str, visit: &mut dyn FnMut(&str, &'static Field)) {
    for field in fields {
        let path = format!("{path}.{}", field.name);
        visit(&path, field);
        walk_type(&field.ty, &path, visit);
    }
}

fn walk_type(ty: &'static Type, path: &str, visit: &mut dyn FnMut(&str, &'static Field)) {
    match ty.kind {
        Kind::Record(record) => walk(record.fields, path, visit),
        Kind::Array(element) | Kind::Set(element) | Kind::Map(_, element) => {
            walk_type(element, path, visit);
        }
        _ => {}
    }
}

fn every_field(visit: &mut dyn FnMut(&str, &'static Field)) {
    for plugin in PLUGINS {
        walk(plugin.schema.fields, plugin.name, visit);
        for entity in plugin.entities {
            walk(entity.fields, entity.name, visit);
        }
    }
}

#[test]
fn every_default_is_valid_json_and_a_valid_value() {
    every_field(&mut |path, field| {
        if matches!(field.default, Preset::None) {
            return;
        }
        // A default of a record with fields that must be given is no value yet.
        if matches!(field.ty.kind, Kind::Record(_)) {
            field.default.value();
            return;
        }
        let schema = Schema::new("of_one_field", std::slice::from_ref(field));
        let object = json!({ field.name: field.default.value() });
        let outcome = validate(Box::leak(Box::new(schema)), &object);
        assert!(outcome.is_ok(), "{path} = {object}: {outcome:?}");
    });
}

#[test]
fn every_field_of_a_configuration_is_described() {
    let mut silent = Vec::new();
    for plugin in PLUGINS {
        let config = plugin
            .schema
            .fields
            .iter()
            .find(|field| field.name == "config");
        let Some(Kind::Record(record)) = config.map(|field| field.ty.kind) else {
            panic!("{} has no config", plugin.name);
        };
        let undescribed = record
            .fields
            .iter()
            .filter(|field| field.description.is_empty());
        let is_leaf = |field: &&Field| !matches!(field.ty.kind, Kind::Record(_));
        silent.extend(
            undescribed
                .filter(is_leaf)
                .map(|f| format!("{}.{}", plugin.name, f.name)),
        );
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn a_plugin_without_configuration_lacks_only_fields_that_have_no_default() {
    /// Checks across fields ask for one of several.
    fn only_lacks(error: &Value) -> bool {
        match error {
            Value::Object(inner) => inner
                .iter()
                .all(|(name, error)| name == crate::field::ENTITY || only_lacks(error)),
            error => error == crate::field::REQUIRED,
        }
    }
    for plugin in PLUGINS {
        if let Err(errors) = validate_plugin(json!({}), plugin.name) {
            let is_across = errors["config"].is_string();
            assert!(
                is_across || only_lacks(&errors),
                "{}: {errors}",
                plugin.name
            );
        }
    }
}

#[test]
fn other_spellings_lead_to_fields() {
    fn leads(record: &Record, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return true;
        };
        let field = record.fields.iter().find(|field| field.name == *first);
        match field.map(|field| field.ty.kind) {
            Some(Kind::Record(inner)) => leads(inner, rest),
            Some(_) => rest.is_empty(),
            None => false,
        }
    }
    every_field(&mut |path, field| {
        let Kind::Record(record) = field.ty.kind else {
            return;
        };
        for other in record.shorthands {
            let is_right = match other.expand {
                Expand::To(target) => {
                    let replaced = other.deprecation.map_or(&[][..], |d| d.replaced_with);
                    leads(record, target) && replaced == [target]
                }
                Expand::With(make) => {
                    let made: Map<String, Value> = make(json!(1));
                    made.keys().all(|name| leads(record, &[name]))
                }
            };
            assert!(is_right, "{path}: {}", other.name);
        }
    });
}

#[test]
fn plugins_pin_what_they_cannot_be_bound_to() {
    for (name, pins) in [
        ("acme", &["consumer", "service", "route"][..]),
        ("key-auth", &["consumer"]),
        ("rate-limiting", &[]),
    ] {
        let plugin = find(name).expect("a bundled plugin");
        let fields = plugin.schema.fields.iter().map(|field| field.name);
        let expected = pins.iter().copied().chain(["protocols", "config"]);
        assert!(fields.eq(expected), "{name}");
    }
}

#[test]
fn configurations_have_the_defaults_of_kong() {
    for (name, given, expected) in DEFAULTS {
        let given: Value = serde_json::from_str(given).expect("valid JSON");
        let expected: Value = serde_json::from_str(expected).expect("valid JSON");
        let plugin = validate_plugin(json!({ "config": given }), name);
        let config = plugin.as_ref().map(|plugin| &plugin["config"]);
        assert_eq!(config, Ok(&expected), "{name} {given}");
    }
}

/// Minimal configurations and what they become.
const DEFAULTS: &[(&str, &str, &str)] = &[
    (
        "hmac-auth",
        "{}",
        r#"{"hide_credentials": false, "clock_skew": 300, "anonymous": null,
            "validate_request_body": false, "enforce_headers": [],
            "algorithms": ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"],
            "realm": null}"#,
    ),
    (
        "jwt",
        "{}",
        r#"{"uri_param_names": ["jwt"], "cookie_names": [], "key_claim_name": "iss",
            "secret_is_base64": false, "claims_to_verify": null, "anonymous": null,
            "run_on_preflight": true, "maximum_expiration": 0,
            "header_names": ["authorization"], "realm": null}"#,
    ),
    (
        "ldap-auth",
        r#"{"ldap_host": "ldap.test", "base_dn": "dc=a", "attribute": "cn"}"#,
        r#"{"ldap_host": "ldap.test", "ldap_port": 389, "ldaps": false, "start_tls": false,
            "verify_ldap_host": false, "base_dn": "dc=a", "attribute": "cn", "cache_ttl": 60,
            "hide_credentials": false, "timeout": 10000, "keepalive": 60000, "anonymous": null,
            "header_type": "ldap", "realm": null}"#,
    ),
    (
        "ip-restriction",
        r#"{"allow": ["10.0.0.0/8"]}"#,
        r#"{"allow": ["10.0.0.0/8"], "deny": null, "status": null, "message": null}"#,
    ),
    ("bot-detection", "{}", r#"{"allow": [], "deny": []}"#),
    (
        "standard-webhooks",
        r#"{"secret_v1": "s"}"#,
        r#"{"secret_v1": "s", "tolerance_second": 300}"#,
    ),
    (
        "redirect",
        r#"{"location": "https://a.test/x"}"#,
        r#"{"status_code": 301, "location": "https://a.test/x", "keep_incoming_path": false}"#,
    ),
    (
        "correlation-id",
        "{}",
        r#"{"header_name": "Kong-Request-ID", "generator": "uuid#counter",
            "echo_downstream": false}"#,
    ),
    (
        "proxy-cache",
        r#"{"strategy": "memory"}"#,
        r#"{"response_code": [200, 301, 404], "request_method": ["GET", "HEAD"],
            "content_type": ["text/plain", "application/json"], "cache_ttl": 300,
            "strategy": "memory", "cache_control": false, "ignore_uri_case": false,
            "storage_ttl": null, "memory": {"dictionary_name": "kong_db_cache"},
            "vary_query_params": null, "vary_headers": null,
            "response_headers": {"age": true, "X-Cache-Status": true, "X-Cache-Key": true}}"#,
    ),
    (
        "acme",
        r#"{"account_email": "a@b.test"}"#,
        r#"{"account_email": "a@b.test", "account_key": null,
            "api_uri": "https://acme-v02.api.letsencrypt.org/directory", "tos_accepted": false,
            "eab_kid": null, "eab_hmac_key": null, "cert_type": "rsa", "rsa_key_size": 4096,
            "renew_threshold_days": 14, "domains": null, "allow_any_domain": false,
            "fail_backoff_minutes": 5, "storage": "shm",
            "storage_config": {
                "shm": {"shm_name": "kong"},
                "kong": {},
                "redis": {"host": null, "port": 6379, "timeout": 2000, "username": null,
                    "password": null, "database": 0, "ssl": false, "ssl_verify": false,
                    "server_name": null, "extra_options": {"namespace": "", "scan_count": 10},
                    "auth": null, "ssl_server_name": null, "namespace": "", "scan_count": 10},
                "consul": {"https": false, "host": null, "port": null, "kv_path": null,
                    "timeout": null, "token": null},
                "vault": {"https": false, "host": null, "port": null, "kv_path": null,
                    "timeout": null, "token": null, "tls_verify": true, "tls_server_name": null,
                    "auth_method": "token", "auth_path": null, "auth_role": null,
                    "jwt_path": null}},
            "preferred_chain": null, "enable_ipv4_common_name": true}"#,
    ),
];

#[test]
fn a_faulty_configuration_is_told_in_kongs_words() {
    for (name, config, errors) in FAULTS {
        let config: Value = serde_json::from_str(config).expect("valid JSON");
        let errors: Value = serde_json::from_str(errors).expect("valid JSON");
        let outcome = validate_plugin(json!({ "config": config }), name);
        assert_eq!(outcome.as_ref().err(), Some(&errors), "{name} {config}");
    }
}

/// Faulty configurations beside the recorded ones.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "ldap-auth",
        r#"{"ldap_host": "h", "base_dn": "d", "attribute": "a", "ldaps": true, "start_tls": true}"#,
        r#"{"config": {"start_tls": "value must be false",
            "@entity": ["'ldaps' and 'start_tls' cannot be enabled simultaneously"]}}"#,
    ),
    (
        "jwt",
        r#"{"maximum_expiration": 60, "claims_to_verify": ["nbf"]}"#,
        r#"{"config": {"claims_to_verify": "expected to contain: exp"}, "@entity":
            ["failed conditional validation given value of field 'config.maximum_expiration'"]}"#,
    ),
    (
        "rate-limiting",
        r#"{"minute": 1, "sync_rate": 1}"#,
        r#"{"config": "sync_rate can only be used with the redis policy"}"#,
    ),
    (
        "rate-limiting",
        r#"{"minute": 1, "sync_rate": 0.01, "policy": "redis", "redis": {"host": "h"}}"#,
        r#"{"config": "sync_rate must be greater than 0.02, or -1 to disable"}"#,
    ),
    (
        "rate-limiting",
        r#"{"minute": 1, "policy": "redis"}"#,
        r#"{"config": {"redis": {"host": "required field missing"}}, "@entity":
            ["failed conditional validation given value of field 'config.policy'"]}"#,
    ),
    (
        "rate-limiting",
        r#"{"minute": 1, "limit_by": "header"}"#,
        r#"{"config": {"header_name": "required field missing"}, "@entity":
            ["failed conditional validation given value of field 'config.limit_by'"]}"#,
    ),
    (
        "acme",
        r#"{"account_email": "nobody"}"#,
        r#"{"config": {"account_email": "invalid value: nobody"}}"#,
    ),
    (
        "acme",
        r#"{"account_email": "a@b", "api_uri": "https://acme-v02.api.letsencrypt.org"}"#,
        r#"{"config": {"tos_accepted": "value must be true"}, "@entity":
            ["terms of service must be accepted, see https://letsencrypt.org/repository/"]}"#,
    ),
    (
        "acme",
        r#"{"account_email": "a@b", "storage": "redis"}"#,
        r#"{"config": {"storage_config": {"redis": {"host": "required field missing"}}}, "@entity":
            ["failed conditional validation given value of field 'config.storage'"]}"#,
    ),
    (
        "acme",
        r#"{"account_email": "a@b", "storage_config": {"redis": {"extra_options":
            {"namespace": "kong_acme:cert_key:x"}}}}"#,
        r#"{"config": {"storage_config": {"redis": {"extra_options": {"namespace":
            "namespace can't be prefixed with reserved word: kong_acme:cert_key:"}}}}}"#,
    ),
    (
        "request-transformer",
        r#"{"rename": {"headers": ["a:b c"]}, "remove": {"headers": ["d e"]}}"#,
        r#"{"config": {"rename": {"headers": ["'b c' is not a valid header"]},
            "remove": {"headers": ["'d e' is not a valid header"]}}}"#,
    ),
    (
        "rate-limiting",
        r#"{"minute": 1, "redis_host": "a", "redis": {"host": "b"}}"#,
        "{\"redis_host\": \"both deprecated and new field are used but their values mismatch: \
            redis_host = a vs redis.host = b\"}",
    ),
    (
        "redirect",
        r#"{"location": "//host/path"}"#,
        r#"{"config": {"location": "missing scheme in url"}}"#,
    ),
];

#[test]
fn old_spellings_of_a_session_are_moved_and_not_shown() {
    let old = json!({ "cookie_idletime": 5, "cookie_samesite": "off", "cookie_renew": 1,
        "cookie_persistent": true });
    let plugin = validate_plugin(json!({ "config": old }), "session").expect("valid");
    let config = &plugin["config"];
    let moved = [
        &config["idling_timeout"],
        &config["cookie_same_site"],
        &config["remember"],
    ];
    assert_eq!(moved, [&json!(5), &json!("Lax"), &json!(true)], "{config}");
    assert_eq!(config.get("cookie_idletime"), None, "{config}");
}

#[test]
fn sessions_have_one_random_secret() {
    let secret = || {
        let plugin = validate_plugin(json!({}), "session").expect("valid");
        plugin["config"]["secret"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(secret().len(), 44);
    assert_eq!(secret(), secret());
}

#[test]
fn a_password_is_stored_as_its_hash_with_the_consumer() {
    let given = json!({ "username": "u", "password": "kong" });
    let stored = credential("basic-auth", "basicauth_credentials", given);
    let password = stored.map(|credential| credential["password"].clone());
    assert_eq!(
        password,
        Ok("aa761fdb80dab8e28d1482f2f5482f4609b25fef".into())
    );
}

#[test]
fn a_clients_secret_is_hashed_only_when_asked() {
    let given = json!({ "name": "a", "client_id": "i", "client_secret": "s" });
    let plain = credential("oauth2", "oauth2_credentials", given.clone()).expect("valid");
    assert_eq!(plain["client_secret"], "s");

    let mut hashed = given;
    hashed["hash_secret"] = true.into();
    let hashed = credential("oauth2", "oauth2_credentials", hashed).expect("valid");
    let secret = hashed["client_secret"].as_str().unwrap_or_default();
    let parts: Vec<usize> = secret.split('$').map(str::len).collect();
    assert!(
        secret.starts_with("$pbkdf2-sha512$i=10000,l=32$"),
        "{secret}"
    );
    assert_eq!(parts, [0, 13, 12, 22, 43], "{secret}");
}

#[test]
fn redirect_uris_are_absolute_and_without_fragment() {
    for (uri, error) in [
        ("nope", "cannot parse 'nope'"),
        (
            "https://a.test/#f",
            "fragment not allowed in 'https://a.test/#f'",
        ),
    ] {
        let given = json!({ "name": "a", "redirect_uris": [uri] });
        let outcome = credential("oauth2", "oauth2_credentials", given);
        assert_eq!(outcome, Err(json!({ "redirect_uris": [error] })), "{uri}");
    }
}

const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
";

#[test]
fn algorithms_with_public_keys_need_one() {
    let of = |given: Value| credential("jwt", "jwt_secrets", given);
    let entity = json!(["failed conditional validation given value of field 'algorithm'"]);
    for (key, error) in [
        (Value::Null, "required field missing"),
        ("bad".into(), "invalid key"),
    ] {
        let given = json!({ "algorithm": "RS256", "rsa_public_key": key });
        let errors = json!({ "rsa_public_key": error, "@entity": entity });
        assert_eq!(of(given.clone()), Err(errors), "{given}");
    }
    for given in [
        json!({ "algorithm": "RS256", "rsa_public_key": PUBLIC_KEY }),
        json!({ "algorithm": "ES256" }),
        json!({}),
    ] {
        let outcome = of(given.clone());
        assert!(outcome.is_ok(), "{given}: {outcome:?}");
    }
}

#[test]
fn credentials_need_a_consumer() {
    for plugin in PLUGINS {
        for entity in plugin.entities {
            let Some(field) = entity.fields.iter().find(|field| field.name == "consumer") else {
                continue;
            };
            assert!(field.required, "{}", entity.name);
            let errors = validate(entity, &json!({})).expect_err("no consumer");
            assert_eq!(
                errors["consumer"], "required field missing",
                "{}",
                entity.name
            );
        }
    }
}

#[test]
fn base64_has_no_padding() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
    ] {
        assert_eq!(shared::base64(bytes.as_bytes()), text);
    }
}
