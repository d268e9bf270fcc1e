//! Tests of the schema engine, on a schema made for them.

use serde_json::{Map, Value, json};

use super::form::{DEPTH_MAX, FormError, PAIRS_MAX, structure};
use super::*;

static REDIS: Record = Record::new(&[
    Field::new("host", Type::new(Kind::String)),
    Field::new(
        "port",
        Type::with(Kind::Integer, &[Check::Between(0, 65_535)]),
    )
    .default(Default::Integer(6379)),
    Field::new("password", Type::with(Kind::String, &[Check::LenMax(4)])).referenceable(),
]);

const REDIS_HOST: Deprecation = Deprecation {
    message: "use redis.host",
    removal_in_version: "4.0",
    replaced_with: &[&["redis", "host"]],
    old_default: Default::None,
};

static CONFIG: Record = Record::new(&[
    Field::new("limit", Type::with(Kind::Integer, &[Check::Gt(0.0)])),
    Field::new(
        "policy",
        Type::with(Kind::String, &[Check::OneOf(&["local", "redis"])]),
    )
    .required()
    .default(Default::String("local")),
    Field::record("redis", &REDIS),
    Field::new(
        "servers",
        Type::new(Kind::Array(&Type::new(Kind::Record(&REDIS)))),
    ),
    Field::new(
        "by_name",
        Type::new(Kind::Map(
            &Type::new(Kind::String),
            &Type::new(Kind::Record(&REDIS)),
        )),
    ),
    Field::new("old", Type::new(Kind::Integer))
        .default(Default::Integer(1))
        .deprecated(&Deprecation {
            message: "old has no effect",
            removal_in_version: "4.0",
            replaced_with: &[],
            old_default: Default::Integer(1),
        }),
    Field::new(
        "headers",
        Type::new(Kind::Map(
            &Type::new(Kind::String),
            &Type::with(Kind::String, &[Check::LenMax(4)]),
        )),
    )
    .referenceable(),
    Field::new("maybe", Type::new(Kind::Record(&REDIS))),
    Field::new(
        "list",
        Type::new(Kind::Array(&Type::new(Kind::Record(&REDIS)))),
    )
    .default(Default::Json(r#"[{"host":"a"}]"#)),
])
.shorthands(&[
    Shorthand {
        name: "redis_host",
        ty: Type::new(Kind::String),
        expand: Expand::To(&["redis", "host"]),
        deprecation: Some(&REDIS_HOST),
    },
    Shorthand {
        name: "limits",
        ty: Type::new(Kind::Integer),
        expand: Expand::With(|value| [("limit".to_owned(), value)].into_iter().collect()),
        deprecation: None,
    },
]);

static LIMITER: Subschema = Subschema {
    fields: &[
        Field::new(
            "consumer",
            Type::with(Kind::Foreign("services"), &[Check::Null]),
        ),
        Field::record("config", &CONFIG),
    ],
    entity_checks: &[
        EntityCheck::Conditional(Conditional::new(
            "config.policy",
            Match::Equals("redis"),
            "config.redis.host",
            Match::Required,
        )),
        EntityCheck::AtLeastOneOf(&["config.limit", "config.redis.password"]),
    ],
};

static THINGS: Schema = Schema::new(
    "things",
    &[
        Field::new("id", Type::with(Kind::String, &[Check::Uuid])).auto(),
        Field::new("kind", Type::new(Kind::String)).required(),
        Field::new("key", Type::new(Kind::String)).auto(),
        Field::new("consumer", Type::new(Kind::Foreign("services"))),
        Field::new("config", Type::new(Kind::Abstract)).required(),
    ],
)
.subschemas(&Subschemas {
    selector: "kind",
    find: |name, _| known(name).ok_or_else(|| format!("no kind '{name}'")),
    known,
});

fn known(name: &str) -> Option<&'static Subschema> {
    (name == "limiter").then_some(&LIMITER)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

fn validate(value: Value) -> Result<Row, Errors> {
    let rules = Rules::default();
    let mode = Mode::Insert;
    THINGS.validate(
        object(value),
        Context {
            mode,
            rules: &rules,
        },
    )
}

#[track_caller]
fn accepted(value: Value) -> Value {
    let shown = value.to_string();
    match validate(value) {
        Ok(row) => Value::Object(row.into_object()),
        Err(errors) => panic!("{shown} was refused: {}", Value::Object(errors)),
    }
}

#[track_caller]
fn assert_refused(value: Value, expected: Value) {
    let shown = value.to_string();
    match validate(value) {
        Ok(row) => panic!("{shown} was accepted: {}", Value::Object(row.into_object())),
        Err(errors) => assert_eq!(Value::Object(errors), expected, "{shown}"),
    }
}

fn limiter(config: Value) -> Value {
    json!({ "kind": "limiter", "config": config })
}

#[test]
fn without_a_known_selector_nothing_else_is_looked_at() {
    let missing = json!({ "kind": REQUIRED });
    assert_refused(json!({ "foo": 1 }), missing.clone());
    assert_refused(json!({ "kind": null, "config": 1 }), missing);
    assert_refused(json!({ "kind": 1 }), json!({ "kind": "expected a string" }));
    assert_refused(
        json!({ "kind": "x", "foo": 1 }),
        json!({ "kind": "no kind 'x'" }),
    );
}

#[test]
fn the_subschema_replaces_fields_and_adds_checks() {
    let either = "at least one of these fields must be non-empty: 'config.limit', \
                  'config.redis.password'";
    assert_refused(json!({ "kind": "limiter" }), json!({ "@entity": [either] }));
    assert_refused(
        json!({ "kind": "limiter", "consumer": { "id": 1 }, "config": { "limit": 1 } }),
        json!({ "consumer": "value must be null" }),
    );
    assert_refused(
        limiter(json!({ "limit": 1, "policy": "redis" })),
        json!({
            "@entity": ["failed conditional validation given value of field 'config.policy'"],
            "config": { "redis": { "host": REQUIRED } },
        }),
    );
}

#[test]
fn config_has_the_shape_of_a_record() {
    for (config, error) in [
        (json!("x"), json!("expected a record")),
        (json!([1]), json!(["unknown field"])),
        (Value::Null, json!(REQUIRED)),
        (json!({ "foo": 1 }), json!({ "foo": "unknown field" })),
    ] {
        let shown = config.to_string();
        let errors = validate(limiter(config)).map(Row::into_object).unwrap_err();
        assert_eq!(errors["config"], error, "{shown}");
    }
}

#[test]
fn defaults_are_filled_at_every_depth() {
    let config = json!({ "limit": 1, "servers": [{}], "by_name": { "a": {} } });
    let thing = accepted(limiter(config));
    let redis = json!({ "host": null, "port": 6379, "password": null });
    let config = &thing["config"];
    assert_eq!(config["redis"], redis);
    assert_eq!(config["servers"], json!([redis]));
    assert_eq!(config["by_name"], json!({ "a": redis }));
    assert_eq!(config["list"][0]["port"], 6379);
    assert_eq!(
        (&config["policy"], &config["maybe"]),
        (&json!("local"), &Value::Null)
    );
}

#[test]
fn null_stays_null_where_a_default_would_stand() {
    let thing = accepted(limiter(
        json!({ "limit": 1, "redis": { "port": null }, "list": null }),
    ));
    assert_eq!(thing["config"]["redis"]["port"], Value::Null);
    assert_eq!(thing["config"]["list"], Value::Null);
}

#[test]
fn an_absent_key_becomes_a_random_text_and_a_null_one_does_not() {
    let key = |thing: &Value| thing["key"].as_str().map(str::to_owned);
    let one = key(&accepted(limiter(json!({ "limit": 1 })))).expect("a key");
    let two = key(&accepted(limiter(json!({ "limit": 1 })))).expect("a key");
    assert!(
        one.len() == auto::LENGTH && one.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{one}"
    );
    assert_ne!(one, two);
    let thing = accepted(json!({ "kind": "limiter", "key": null, "config": { "limit": 1 } }));
    assert_eq!(key(&thing), None);
}

#[test]
fn an_old_name_moves_to_the_new_field_and_is_shown_beside_it() {
    let row = validate(limiter(json!({ "limit": 1, "redis_host": "a" }))).expect("valid");
    let warning = Warning {
        path: "config.redis_host".into(),
        message: "use redis.host",
        removal_in_version: "4.0",
    };
    assert_eq!(row.warnings(), [warning]);
    let mut thing = row.into_object();
    assert_eq!(thing["config"]["redis"]["host"], "a");
    assert_eq!(thing["config"].get("redis_host"), None);
    THINGS.add_old_names(&mut thing);
    assert_eq!(thing["config"]["redis_host"], "a");
    assert_eq!(thing["config"].get("limits"), None);
    let again = accepted(Value::Object(thing));
    assert_eq!(again["config"]["redis"]["host"], "a");
}

#[test]
fn an_old_name_that_contradicts_the_new_field_is_refused() {
    let config = json!({ "limit": 1, "redis_host": "a", "redis": { "host": "b" } });
    let error = "both deprecated and new field are used but their values mismatch: redis_host = a \
                 vs redis.host = b";
    assert_refused(limiter(config), json!({ "redis_host": error }));
    assert_refused(
        limiter(json!({ "redis_host": 1 })),
        json!({ "redis_host": "expected a string" }),
    );
    let agreeing = json!({ "limit": 1, "redis_host": "a", "redis": { "host": "a" } });
    accepted(limiter(agreeing));
    let thing = accepted(limiter(
        json!({ "limit": 1, "redis_host": null, "redis": { "host": "b" } }),
    ));
    assert_eq!(thing["config"]["redis"]["host"], "b");
}

#[test]
fn a_shorthand_can_become_other_fields() {
    let thing = accepted(limiter(json!({ "limits": 7 })));
    assert_eq!(thing["config"]["limit"], 7);
}

#[test]
fn only_a_value_that_is_not_the_default_of_a_deprecated_field_is_worth_a_warning() {
    let paths = |config: Value| {
        let row = validate(limiter(config)).expect("valid");
        row.warnings()
            .iter()
            .map(|warning| warning.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(json!({ "limit": 1, "old": 2 })), ["config.old"]);
    assert!(paths(json!({ "limit": 1, "old": 1 })).is_empty());
    assert!(paths(json!({ "limit": 1 })).is_empty());
}

#[test]
fn a_vault_reference_skips_the_checks_of_its_field_and_those_that_look_at_it() {
    let reference = "{vault://env/password}";
    let thing = accepted(limiter(json!({ "redis": { "password": reference } })));
    assert_eq!(thing["config"]["redis"]["password"], reference);
    accepted(limiter(
        json!({ "limit": 1, "headers": { "a": reference } }),
    ));
    assert_refused(
        limiter(json!({ "limit": 1, "policy": reference })),
        json!({ "config": { "policy": "expected one of: local, redis" } }),
    );
    assert_refused(
        limiter(json!({ "limit": 1, "redis": { "password": "{vault" } })),
        json!({ "config": { "redis": { "password": "length must be at most 4" } } }),
    );
}

fn update(stored: Value, request: Value) -> Result<Row, Errors> {
    THINGS.validate_update(object(stored), object(request), &Rules::default())
}

#[test]
fn an_update_merges_records_and_replaces_everything_else() {
    let stored = accepted(limiter(json!({
        "limit": 1, "redis": { "host": "a", "port": 1 }, "servers": [{ "host": "x" }],
        "by_name": { "a": {} },
    })));
    let request = json!({
        "config": { "redis": { "port": 2 }, "servers": [{}], "by_name": {}, "list": null },
    });
    let row = update(stored.clone(), request).expect("valid");
    let config = row.value("config").clone();
    assert_eq!(
        config["redis"],
        json!({ "host": "a", "port": 2, "password": null })
    );
    assert_eq!(config["servers"][0]["host"], Value::Null);
    assert_eq!(
        (&config["by_name"], &config["list"]),
        (&json!({}), &Value::Null)
    );
    assert_eq!(config["limit"], 1);
    let unchanged = update(stored.clone(), json!({})).expect("valid");
    assert_eq!(Value::Object(unchanged.into_object()), stored);
}

#[test]
fn an_update_is_checked_as_a_whole() {
    let stored = accepted(limiter(json!({ "limit": 1 })));
    let refused = |request: Value| {
        let errors = update(stored.clone(), request)
            .map(Row::into_object)
            .unwrap_err();
        Value::Object(errors)
    };
    let either = "when updating, at least one of these fields must be non-empty: 'config.limit', \
                  'config.redis.password'";
    for (request, errors) in [
        (
            json!({ "config": { "limit": null } }),
            json!({ "@entity": [either] }),
        ),
        (
            json!({ "config": null }),
            json!({ "config": REQUIRED, "@entity": [either] }),
        ),
        (
            json!({ "config": "x" }),
            json!({ "config": "expected a record", "@entity": [either] }),
        ),
        (json!({ "foo": null }), json!({ "foo": "unknown field" })),
        (json!({ "kind": "x" }), json!({ "kind": "no kind 'x'" })),
        (json!({ "kind": null }), json!({ "kind": REQUIRED })),
        (
            json!({ "config": { "foo": 1 } }),
            json!({ "config": { "foo": "unknown field" } }),
        ),
    ] {
        assert_eq!(refused(request.clone()), errors, "{request}");
    }
}

#[test]
fn an_update_takes_the_old_name_over_what_is_stored() {
    let mut stored = object(accepted(limiter(
        json!({ "limit": 1, "redis": { "host": "a" } }),
    )));
    THINGS.add_old_names(&mut stored);
    let request = json!({ "config": { "redis_host": "b" } });
    let row = update(Value::Object(stored), request).expect("valid");
    assert_eq!(row.value("config")["redis"]["host"], "b");
}

#[test]
fn validation_changes_nothing_the_second_time() {
    let once = accepted(limiter(
        json!({ "limit": 1, "servers": [{}], "redis_host": "a" }),
    ));
    assert_eq!(accepted(once.clone()), once);
}

#[test]
fn the_message_lists_entity_errors_and_then_fields_by_name() {
    for (errors, text) in [
        (json!({ "a": "x" }), "schema violation (a: x)"),
        (
            json!({ "b": "y", "@entity": ["e", "f"], "a": "x" }),
            "4 schema violations (e; f; a: x; b: y)",
        ),
        (
            json!({ "l": [null, "x", "y"] }),
            "2 schema violations (l.2: x; l.3: y)",
        ),
        (
            json!({ "r": { "b": "y", "a": "x" } }),
            "2 schema violations (r.a: x; r.b: y)",
        ),
        (
            json!({ "r": { "a": { "b": "x", "2 c": { "d": "\"" } } } }),
            "schema violation (r.a: {\n  [\"2 c\"] = {\n    d = \"\\\"\"\n  },\n  b = \"x\"\n})",
        ),
        (
            json!({ "r": { "a": [null, "x"] } }),
            "schema violation (r.a: {\n  [2] = \"x\"\n})",
        ),
        (
            json!({ "r": { "a": { "l": ["x"], "m": "y" } } }),
            "schema violation (r.a: {\n  l = {\n    \"x\"\n  },\n  m = \"y\"\n})",
        ),
    ] {
        assert_eq!(message::text(&object(errors.clone())), text, "{errors}");
    }
}

#[test]
fn the_body_of_a_violation_has_kongs_code() {
    let body = message::body(&object(json!({ "a": "x" })));
    let expected = json!({
        "code": 2, "name": "schema violation", "message": "schema violation (a: x)",
        "fields": { "a": "x" },
    });
    assert_eq!(body, expected);
}

#[test]
fn a_schema_is_described_with_kongs_attributes() {
    let described = LIMITER.describe();
    assert_eq!(
        described["fields"][0],
        json!({ "consumer": { "type": "foreign", "reference": "services", "eq": null } })
    );
    let config = &described["fields"][1]["config"];
    assert_eq!(
        (&config["type"], &config["required"]),
        (&json!("record"), &json!(true))
    );
    let fields = &config["fields"];
    assert_eq!(
        fields[0],
        json!({ "limit": { "type": "integer", "gt": 0 } })
    );
    assert_eq!(
        fields[1]["policy"],
        json!({ "type": "string", "one_of": ["local", "redis"], "required": true, "default": "local" })
    );
    let headers = &fields[6]["headers"];
    assert_eq!(headers["values"]["referenceable"], true);
    assert_eq!(fields[5]["old"]["deprecation"]["removal_in_version"], "4.0");
    let old_name = &config["shorthand_fields"][0]["redis_host"];
    assert_eq!(
        old_name["deprecation"]["replaced_with"],
        json!([{ "path": ["redis", "host"] }])
    );
    assert_eq!(
        described["entity_checks"][0]["conditional"],
        json!({
            "if_field": "config.policy", "if_match": { "eq": "redis" },
            "then_field": "config.redis.host", "then_match": { "required": true },
        })
    );
    let abstract_config = THINGS.describe()["fields"][4]["config"].clone();
    assert_eq!(
        abstract_config,
        json!({ "type": "record", "abstract": true, "required": true })
    );
}

#[test]
fn the_old_description_of_a_plugin_is_that_of_its_config() {
    assert_eq!(
        LIMITER.describe_config()["fields"][0]["limit"]["type"],
        "integer"
    );
}

fn form(pairs: &[(&str, &str)]) -> Value {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Value::Object(structure(pairs).expect("within the limits"))
}

#[test]
fn names_of_a_form_say_its_structure() {
    for (pairs, expected) in [
        (&[("a.b.c", "1")][..], json!({ "a": { "b": { "c": "1" } } })),
        (
            &[("a[b]", "1"), ("a[b.c]", "2")],
            json!({ "a": { "b": "1", "b.c": "2" } }),
        ),
        (&[("a[]", "x")], json!({ "a": ["x"] })),
        (&[("a[]", "x"), ("a[]", "y")], json!({ "a": ["x", "y"] })),
        (&[("a", "x"), ("a", "y")], json!({ "a": ["x", "y"] })),
        (&[("a[2]", "y"), ("a[1]", "x")], json!({ "a": ["x", "y"] })),
        (
            &[("a[1].b", "x"), ("a[1].c", "y")],
            json!({ "a": [{ "b": "x", "c": "y" }] }),
        ),
        (&[("a%5B1%5d", "x")], json!({ "a": ["x"] })),
        (&[("a[0]", "x")], json!({ "a": { "0": "x" } })),
        (
            &[("a[1]", "x"), ("a[3]", "y")],
            json!({ "a": { "1": "x", "3": "y" } }),
        ),
        (
            &[("a[99999999999999999999]", "x")],
            json!({ "a": { "99999999999999999999": "x" } }),
        ),
        (
            &[("a.b[]", "x"), ("a.b[]", "y")],
            json!({ "a": { "b": ["x", "y"] } }),
        ),
        (&[("a", "x"), ("a.b", "y")], json!({ "a": { "b": "y" } })),
        (&[("a.b", "y"), ("a", "x")], json!({ "a": "x" })),
        (
            &[(".a", "x"), ("a.", "y"), ("", "z")],
            json!({ ".a": "x", "a.": "y", "": "z" }),
        ),
        (
            &[("a[", "x"), ("b]", "y"), ("c[[1]", "z")],
            json!({ "a[": "x", "b]": "y", "c[[1]": "z" }),
        ),
        (&[("a[].b", "x")], json!({ "a[].b": "x" })),
        (&[("a[1]b", "x")], json!({ "a[1]b": "x" })),
        (&[], json!({})),
    ] {
        assert_eq!(form(pairs), expected, "{pairs:?}");
    }
}

#[test]
fn a_form_has_limits() {
    let pairs = |count: usize| (0..count).map(|i| (format!("a{i}"), String::new()));
    assert_eq!(
        structure(pairs(PAIRS_MAX)).map(|object| object.len()),
        Ok(PAIRS_MAX)
    );
    assert_eq!(structure(pairs(PAIRS_MAX + 1)), Err(FormError::TooMany));
    let deep = |levels: usize| [(vec!["a"; levels].join("."), String::new())];
    assert!(structure(deep(DEPTH_MAX)).is_ok());
    assert!(matches!(
        structure(deep(DEPTH_MAX + 1)),
        Err(FormError::TooDeep { .. })
    ));
}

#[test]
fn the_schema_says_what_the_texts_of_a_form_mean() {
    let rules = Rules::default();
    let infer =
        |pairs: &[(&str, &str)]| Value::Object(THINGS.infer(object(form(pairs)), None, &rules));
    let config = |name: &str, text: &str| {
        let pair = format!("config.{name}");
        infer(&[("kind", "limiter"), (&pair, text)])["config"].clone()
    };
    for (text, expected) in [
        ("5", json!(5)),
        ("0x50", json!(80)),
        ("-1", json!(-1)),
        ("1.5", json!(1.5)),
        (" 7 ", json!(7)),
        ("1e3", json!(1000.0)),
        ("x", json!("x")),
        ("0x", json!("0x")),
        ("inf", json!("inf")),
        ("", Value::Null),
    ] {
        assert_eq!(
            config("limit", text),
            json!({ "limit": expected }),
            "{text:?}"
        );
    }
    assert_eq!(config("redis.port", "1"), json!({ "redis": { "port": 1 } }));
    assert_eq!(config("limits", "1"), json!({ "limits": 1 }));
    assert_eq!(
        infer(&[("consumer.name", "")])["consumer"],
        json!({ "name": null })
    );
    assert_eq!(config("nope", ""), json!({ "nope": null }));
}

#[test]
fn a_form_that_changes_an_entity_has_the_types_of_the_stored_one() {
    let rules = Rules::default();
    let stored = object(json!({ "kind": "limiter" }));
    let changes = object(form(&[("config.limit", "5")]));
    let inferred = THINGS.infer(changes, Some(&stored), &rules);
    assert_eq!(inferred["config"], json!({ "limit": 5 }));
}
