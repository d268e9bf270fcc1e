//! What holds for every kind of entity and any JSON.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::EntityKind;
use crate::conf::RouterFlavor;
use crate::field::{Context, Default, Field, Kind, Mode, Row, Rules, Type, form, message};

/// Values of every shape, many of which some field takes.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..1000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z]{0,4}".prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "/a",
            "~/a+",
            "a.test",
            "http",
            "https",
            "grpc",
            "tcp",
            "ip",
            "header",
            "none",
            "request-size-limiting",
            "env",
            "{vault://env/a}",
            "GET",
            "http.path == \"/a\"",
            "00000000-0000-0000-0000-000000000001",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "id",
        "name",
        "active",
        "passive",
        "healthy",
        "interval",
        "ip",
        "port",
        "x-a",
        "config",
        "public_key",
        "prefix",
        "host",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[a-z.\\[\\]]{0,4}"]
}

/// A kind, and an object with some of its fields.
fn item() -> impl Strategy<Value = (EntityKind, Map<String, Value>)> {
    let kinds: Vec<EntityKind> = EntityKind::all().collect();
    prop::sample::select(kinds).prop_flat_map(|kind| {
        let names: Vec<String> = route_fields_too(kind);
        let field = prop_oneof![9 => prop::sample::select(names), 1 => key()];
        let pairs = prop::collection::vec((field, value()), 0..6);
        pairs.prop_map(move |pairs| (kind, pairs.into_iter().collect()))
    })
}

fn rules() -> Rules {
    Rules {
        router_flavor: RouterFlavor::Expressions,
        ..Rules::default()
    }
}

fn route_fields_too(kind: EntityKind) -> Vec<String> {
    let fields = kind.schema(&rules()).fields.iter();
    fields.map(|field| field.name.to_owned()).collect()
}

/// The least valid entities, so that random fields beside them are often valid too.
fn least(kind: EntityKind) -> Map<String, Value> {
    let object = match kind.name() {
        "services" => json!({ "host": "a" }),
        "routes" => json!({ "paths": ["/"] }),
        "upstreams" => json!({ "name": "u" }),
        "consumers" => json!({ "username": "a" }),
        "plugins" => json!({ "name": "request-size-limiting" }),
        "vaults" => json!({ "name": "env", "prefix": "ab" }),
        _ => json!({}),
    };
    object.as_object().cloned().unwrap_or_default()
}

proptest! {
    #[test]
    fn validation_never_panics_and_changes_nothing_the_second_time(
        (kind, object) in item(),
        file in any::<bool>(),
    ) {
        let rules = rules();
        let mode = if file { Mode::Declarative(None) } else { Mode::Insert };
        let context = Context { mode, rules: &rules };
        let schema = kind.schema(&rules);
        let mut whole = least(kind);
        whole.extend(object);
        match schema.validate(whole, context) {
            Ok(row) => {
                let once = row.into_object();
                let twice = schema.validate(once.clone(), context).map(Row::into_object);
                prop_assert_eq!(twice, Ok(once), "{:?}", kind);
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty());
                prop_assert!(message::text(&errors).contains("schema violation"));
            }
        }
    }

    #[test]
    fn updates_and_forms_never_panic(
        (kind, stored) in item(),
        (_, request) in item(),
        pairs in prop::collection::vec((".{0,12}", ".{0,6}"), 0..8),
    ) {
        let rules = rules();
        let schema = kind.schema(&rules);
        let form = form::structure(pairs).expect("within the limits");
        let form = schema.infer(form, Some(&stored), &rules);
        let inferred = schema.infer(request.clone(), None, &rules);
        for request in [form, inferred, request] {
            let outcome = schema.validate_update(stored.clone(), request, &rules);
            prop_assert!(outcome.is_ok() || outcome.is_err_and(|errors| !errors.is_empty()));
        }
    }
}

#[test]
fn every_default_in_json_is_json_and_every_schema_can_be_described() {
    fn fields(fields: &[Field]) {
        for field in fields {
            if let Default::Json(text) = field.default {
                assert!(
                    serde_json::from_str::<Value>(text).is_ok(),
                    "{}: {text}",
                    field.name
                );
            }
            inside(&field.ty);
        }
    }
    fn inside(ty: &Type) {
        match ty.kind {
            Kind::Record(record) => fields(record.fields),
            Kind::Set(ty) | Kind::Array(ty) | Kind::Map(_, ty) => inside(ty),
            _ => {}
        }
    }
    for kind in EntityKind::all() {
        let schema = kind.schema(&rules());
        fields(schema.fields);
        assert!(schema.describe()["fields"].is_array(), "{kind:?}");
    }
    for plugin in crate::plugin::PLUGINS {
        fields(plugin.schema.fields);
        assert!(
            plugin.schema.describe()["fields"].is_array(),
            "{}",
            plugin.name
        );
    }
}
