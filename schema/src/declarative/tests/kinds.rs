//! Kinds without a type of their own: nesting, references, ids, uniqueness.

use serde_json::{Value, json};

use super::{fields, file, load, uuid};
use crate::declarative::{Config, Options, from_value, to_kong_json};
use crate::entity::{Entity, EntityKind};

fn entities<'c>(config: &'c Config, kind: &str) -> Vec<&'c Entity> {
    let kind = EntityKind::of_name(kind).expect("a kind");
    let entities = config.entities.iter();
    entities.filter(|entity| entity.kind == kind).collect()
}

/// The only entity of a kind, as Kong shows it.
fn only(config: &Config, kind: &str) -> Value {
    let body = to_kong_json(config);
    let section = body[kind].as_object().expect(kind);
    assert_eq!(section.len(), 1, "{body}");
    section.values().next().expect("one").clone()
}

#[test]
fn items_stand_inside_what_they_refer_to_at_any_depth() {
    let config = load(file(json!({
        "services": [{ "name": "s", "host": "h", "routes": [{
            "name": "r", "paths": ["/"], "plugins": [{ "name": "request-size-limiting" }],
        }] }],
        "consumers": [{ "username": "c", "plugins": [{ "name": "request-size-limiting" }] }],
    })));
    let plugins = entities(&config, "plugins");
    let consumer = entities(&config, "consumers")[0].id;
    let route = &config.routes[0];
    assert_eq!(route.service, Some(config.services[0].id));
    assert_eq!(plugins[0].references, [("route", route.id)]);
    assert_eq!(plugins[1].references, [("consumer", consumer)]);
}

#[test]
fn entities_come_kind_by_kind_in_the_registrys_order() {
    let config = load(file(json!({
        "key_sets": [{ "name": "k" }],
        "consumers": [{ "username": "c", "keyauth_credentials": [{ "key": "k" }] }],
        "plugins": [{ "name": "request-size-limiting" }],
    })));
    let kinds: Vec<EntityKind> = config.entities.iter().map(|entity| entity.kind).collect();
    assert!(kinds.is_sorted() && kinds.len() == 4, "{kinds:?}");
}

#[test]
fn a_nested_item_may_repeat_its_parent_and_name_no_other() {
    let nested = |plugin: Value| {
        file(json!({
            "services": [{ "name": "s", "host": "h", "plugins": [plugin] }],
            "consumers": [{ "username": "c" }],
        }))
    };
    let config = load(nested(
        json!({ "name": "request-size-limiting", "service": "s" }),
    ));
    assert_eq!(entities(&config, "plugins")[0].references.len(), 1);
    let plugin = json!({ "name": "request-size-limiting", "consumer": "c" });
    let error = from_value(nested(plugin), &Options::default()).expect_err("refused");
    let expected = json!({ "services": [{ "plugins": [{ "consumer": "value must be null" }] }] });
    assert_eq!(Value::Object(error.fields), expected);
}

#[test]
fn snis_of_a_certificate_are_objects() {
    let texts = json!({ "certificates": [{ "cert": "c", "key": "k", "snis": ["a.test"] }] });
    let found = fields(texts);
    assert_eq!(
        found["certificates"][0]["snis"],
        json!(["expected a record"])
    );
}

#[test]
fn references_find_keys_before_ids() {
    let id = "00000003-0000-4000-8000-000000000003";
    let config = load(file(json!({
        "consumers": [{ "username": "other", "id": id }, { "username": id }, { "username": "c" }],
        "keyauth_credentials": [
            { "key": "1", "consumer": "c" },
            { "key": "2", "consumer": id },
            { "key": "3", "consumer": { "id": id } },
        ],
    })));
    let consumers = entities(&config, "consumers");
    let targets: Vec<_> = entities(&config, "keyauth_credentials")
        .iter()
        .map(|credential| credential.references[0].1)
        .collect();
    assert_eq!(targets, [consumers[2].id, consumers[1].id, consumers[0].id]);
}

#[test]
fn generated_ids_are_those_of_kong() {
    let config = load(file(json!({
        "services": [{ "name": "my-service", "host": "h", "plugins": [
            { "name": "request-size-limiting" },
        ] }],
        "consumers": [{ "username": "my-user" }, { "username": "ann" }],
        "vaults": [{ "prefix": "my-vault", "name": "env" }],
        "key_sets": [{ "name": "my-set" }],
    })));
    let ids = |kind| {
        entities(&config, kind)
            .iter()
            .map(|e| e.id)
            .collect::<Vec<_>>()
    };
    let expected = [
        uuid("4b1b701d-de2b-5588-9aa2-3b97061d9f52"),
        uuid("acf09174-745e-5b26-aaec-4763c149acd7"),
    ];
    assert_eq!(ids("consumers"), expected);
    assert_eq!(
        ids("vaults"),
        [uuid("93bdc6a1-7d14-589c-8af3-549256c33ecf")]
    );
    assert_eq!(
        ids("key_sets"),
        [uuid("66f6927d-a006-56e9-be06-89f4b4869e11")]
    );
}

#[test]
fn the_id_of_a_plugin_follows_its_text() {
    let plan = crate::declarative::plan::Plan::new(&Options::default().rules);
    let plan = plan.of(EntityKind::of_name("plugins").expect("a kind"));
    let id = |item: Value, scope| {
        let item = item.as_object().expect("an object");
        crate::declarative::identity::id_of(plan, item, scope)
    };
    let global = id(json!({ "name": "key-auth" }), None);
    assert_eq!(global, Some(uuid("6b4f38d1-e026-540b-a5ea-8634739dd2a7")));
    let scope = |id: Option<&str>| {
        Some(crate::declarative::identity::Scope {
            field: "service",
            id: id.map(uuid),
        })
    };
    let service = "0855b320-0dd2-547d-891d-601e9b38647f";
    let nested = id(json!({ "name": "key-auth" }), scope(Some(service)));
    assert_eq!(nested, Some(uuid("4a4d9361-8cf7-5304-acb5-d4e8f72ac40b")));
    let flat = id(json!({ "name": "key-auth", "service": "my-service" }), None);
    assert_eq!(flat, Some(uuid("8d614ef3-b3be-5f32-9dde-3f8c24d41e7c")));
    assert_eq!(id(json!({ "name": "key-auth" }), scope(None)), None);
    let by_object = |target: &str| {
        id(
            json!({ "name": "key-auth", "service": { "id": target } }),
            None,
        )
    };
    assert_ne!(
        by_object(service),
        by_object("00000001-0000-4000-8000-000000001001")
    );
}

#[test]
fn items_without_anything_to_derive_an_id_from_get_a_random_one() {
    let anonymous = file(json!({
        "services": [{ "host": "h" }],
        "consumers": [{ "custom_id": "c" }, { "username": "u", "keyauth_credentials": [{}] }],
    }));
    let (one, other) = (load(anonymous.clone()), load(anonymous));
    assert_ne!(one.services[0].id, other.services[0].id);
    let credential = |config: &Config| only(config, "keyauth_credentials");
    let (one, other) = (credential(&one), credential(&other));
    assert_ne!(one["id"], other["id"]);
    assert!(
        one["key"].as_str().is_some_and(|key| key.len() == 32),
        "{one}"
    );
    assert_ne!(one["key"], other["key"]);
}

#[test]
fn a_key_that_is_taken_is_an_error_at_its_position() {
    let found = fields(json!({ "consumers": [{ "username": "a" }, { "username": "a" }] }));
    let text = "uniqueness violation: 'consumers' entity with username set to 'a' already declared";
    assert_eq!(found, json!({ "consumers": [null, text] }));
    let credentials = json!([{ "key": "k" }, { "key": "k" }]);
    let found = fields(json!({
        "consumers": [{ "username": "a", "keyauth_credentials": credentials }],
    }));
    let text = "uniqueness violation: 'keyauth_credentials' entity with key set to 'k' already \
                declared";
    let expected = json!({ "consumers": [{ "keyauth_credentials": [null, text] }] });
    assert_eq!(found, expected);
}

#[test]
fn another_unique_value_that_is_taken_is_an_error_under_the_items_key() {
    let found = fields(json!({ "consumers": [
        { "username": "foo", "custom_id": "c" }, { "username": "bar", "custom_id": "c" },
    ] }));
    let text =
        "uniqueness violation: 'consumers' entity with custom_id set to 'c' already declared";
    assert_eq!(found, json!({ "consumers": { "bar": text } }));
    let unnamed = json!({ "consumers": [{ "custom_id": "c" }, { "custom_id": "c" }] });
    assert_eq!(fields(unnamed), json!({ "consumers": [null, text] }));
}

#[test]
fn the_same_plugin_twice_in_a_scope_collides_by_its_id() {
    let plugin = json!({ "name": "request-size-limiting" });
    let found =
        fields(json!({ "services": [{ "name": "a", "host": "h", "plugins": [plugin, plugin] }] }));
    let text = found["services"][0]["plugins"][1].as_str().expect("a text");
    assert!(
        text.contains("'plugins' entity with primary key set to '"),
        "{text}"
    );
}

#[test]
fn a_reference_to_nothing_is_named_with_its_key_or_its_position() {
    let named = json!({ "plugins": [
        { "name": "request-size-limiting", "instance_name": "i", "service": "nope" },
    ] });
    let text = "invalid reference 'service: nope' (no such entry in 'services')";
    assert_eq!(fields(named), json!({ "plugins": { "i": [text] } }));
    let unnamed = json!({ "plugins": [
        { "name": "request-size-limiting" },
        { "name": "request-size-limiting", "service": "nope" },
    ] });
    assert_eq!(
        fields(unnamed),
        json!({ "plugins": [null, { "service": text }] })
    );
}

#[test]
fn a_time_to_live_is_the_unix_time_of_the_end() {
    let with = |ttl: Value| {
        let key = json!({ "key": "k", "ttl": ttl });
        json!({ "consumers": [{ "username": "u", "keyauth_credentials": [key] }] })
    };
    let config = load(file(with(json!(1_900_000_000))));
    assert_eq!(only(&config, "keyauth_credentials")["ttl"], 1_900_000_000);
    let config = load(file(with(Value::Null)));
    assert_eq!(only(&config, "keyauth_credentials").get("ttl"), None);
    let found = fields(with(json!("soon")));
    let error = &found["consumers"][0]["keyauth_credentials"][0]["ttl"];
    assert_eq!(error, "expected a number");
    let found = fields(json!({ "consumers": [{ "username": "u", "ttl": 1 }] }));
    assert_eq!(found["consumers"][0]["ttl"], "unknown field");
}

#[test]
fn passwords_are_hashed_unless_the_file_says_they_are() {
    let with = |transform: Value| {
        let credential = json!({ "username": "u", "password": "plain" });
        let mut file = file(json!({
            "consumers": [{ "username": "c", "basicauth_credentials": [credential] }],
        }));
        file["_transform"] = transform;
        only(&load(file), "basicauth_credentials")["password"].clone()
    };
    assert_eq!(with(json!(false)), "plain");
    assert_ne!(with(json!(true)), "plain");
    assert_eq!(with(Value::Null), with(json!(true)));
}

#[test]
fn times_of_the_file_are_kept_where_kong_keeps_them() {
    let options = Options {
        now_ms: 1_700_000_000_500,
        ..Options::default()
    };
    let consumer = json!({ "username": "c", "created_at": 5, "updated_at": 6 });
    let given = file(json!({ "consumers": [consumer], "key_sets": [{ "name": "k" }] }));
    let config = from_value(given, &options).expect("loads");
    let consumer = only(&config, "consumers");
    assert_eq!(
        (&consumer["created_at"], &consumer["updated_at"]),
        (&json!(5), &json!(1_700_000_000))
    );
    assert_eq!(only(&config, "key_sets")["created_at"], 1_700_000_000);
}
