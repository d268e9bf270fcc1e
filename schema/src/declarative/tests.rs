//! Tests of declarative configurations.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

mod exported;
mod flat;
mod generate;
mod kinds;
mod large;
mod random;

fn load(value: Value) -> Config {
    match from_value(value.clone(), &Options::default()) {
        Ok(config) => config,
        Err(invalid) => panic!("{value}\nwas refused: {invalid}"),
    }
}

fn refused(value: Value) -> Invalid {
    match from_value(value.clone(), &Options::default()) {
        Ok(_) => panic!("{value}\nwas accepted"),
        Err(invalid) => invalid,
    }
}

fn file(sections: Value) -> Value {
    let mut file = json!({ "_format_version": "3.0" });
    if let (Some(file), Value::Object(sections)) = (file.as_object_mut(), sections) {
        file.extend(sections);
    }
    file
}

fn fields(sections: Value) -> Value {
    Value::Object(refused(file(sections)).fields)
}

fn uuid(text: &str) -> Uuid {
    Uuid::try_parse(text).expect("a UUID")
}

const EXAMPLE: &str = r#"
_format_version: "3.0"
_transform: true
_comment: an example
services:
- name: my-service
  url: http://a.test:81/base
  tags: &tags [x, "yes", y]
  routes:
  - name: my-route
    paths:
    - /a
    - ~/v\d+$
    service: my-service
  - paths: [/b]
    strip_path: no
    tags: *tags
routes:
- name: flat
  hosts: [h.test]
  service: my-service
upstreams:
- name: my-upstream
  targets:
  - target: 10.0.0.1:80
  - target: 10.0.0.2
    weight: 0
targets:
- target: c.test
  upstream: my-upstream
consumers: []
"#;

#[test]
fn a_yaml_file_loads() {
    let config = parse(EXAMPLE.as_bytes(), Some(Format::Yaml), &Options::default()).expect("loads");
    let service = &config.services[0];
    assert_eq!((service.host.as_str(), service.port), ("a.test", 81));
    assert_eq!(service.tags, ["x", "yes", "y"]);
    assert_eq!(config.routes.len(), 3);
    assert!(
        config
            .routes
            .iter()
            .all(|route| route.service == Some(service.id))
    );
    let unnamed = config
        .routes
        .iter()
        .find(|route| route.name.is_none())
        .expect("there");
    assert!(!unnamed.strip_path && unnamed.tags == service.tags);
    let targets: Vec<_> = config
        .targets
        .iter()
        .map(|target| target.target.as_str())
        .collect();
    assert_eq!(targets, ["10.0.0.1:80", "10.0.0.2:8000", "c.test:8000"]);
    assert!(
        config
            .targets
            .iter()
            .all(|target| target.upstream == config.upstreams[0].id)
    );
}

#[test]
fn generated_ids_are_kongs() {
    let config = parse(EXAMPLE.as_bytes(), None, &Options::default()).expect("loads");
    assert_eq!(
        config.services[0].id,
        uuid("0855b320-0dd2-547d-891d-601e9b38647f")
    );
    assert_eq!(
        config.routes[0].id,
        uuid("481a9539-f49c-51b6-b2e2-fe99ee68866c")
    );
    assert_eq!(
        config.upstreams[0].id,
        uuid("00402a2c-1725-5592-97af-b204bc733b7a")
    );
    assert_eq!(
        config.targets[0].id,
        uuid("f84e3d41-b59b-5b29-8655-9ea8de6013ee")
    );
}

#[test]
fn json_and_yaml_mean_the_same() {
    let yaml = "_format_version: '3.0'\nservices:\n- {name: s, host: h, port: 0x50}\n";
    let json = r#"{"_format_version":"3.0","services":[{"name":"s","host":"h","port":80}]}"#;
    let left = parse(yaml.as_bytes(), None, &Options::default()).expect("loads");
    let right = parse(json.as_bytes(), None, &Options::default()).expect("loads");
    assert_eq!(
        (left.services[0].port, left.services[0].id),
        (80, right.services[0].id)
    );
    let trailing_comma = json.replace("80}", "80,}");
    assert!(parse(trailing_comma.as_bytes(), None, &Options::default()).is_ok());
    assert!(
        parse(
            trailing_comma.as_bytes(),
            Some(Format::Json),
            &Options::default()
        )
        .is_err()
    );
}

#[test]
fn json_means_the_same_streamed_or_whole() {
    let service = r#"{"name":"s","host":"h","routes":[{"name":"r","paths":["/"]}]}"#;
    let version = r#""_format_version":"3.0""#;
    let texts = [
        format!(r#"{{{version},"services":[{service}]}}"#),
        format!(r#"{{"services":[{service}],{version}}}"#),
        format!(r#"{{{version},"services":{{}},"services":[{service}]}}"#),
        format!(r#"{{"_format_version":"2.1","services":[{service}]}}"#),
    ];
    for text in texts {
        let parsed = parse(text.as_bytes(), Some(Format::Json), &Options::default()).expect(&text);
        let whole = load(serde_json::from_str(&text).expect("JSON"));
        assert_eq!(parsed.routes[0].id, whole.routes[0].id, "{text}");
        assert_eq!(
            (parsed.services.len(), parsed.routes.len()),
            (1, 1),
            "{text}"
        );
    }
    let bad = format!(r#"{{{version},"services":[{service},{{"name":"x"}}],"y":1}}"#);
    let streamed = parse(bad.as_bytes(), None, &Options::default()).expect_err("refused");
    assert_eq!(streamed, refused(serde_json::from_str(&bad).expect("JSON")));
}

#[test]
fn yaml_means_the_same_streamed_or_whole() {
    let service = "services:\n- name: s\n  host: h\n  routes: [{name: r, paths: [/]}]\n";
    let version = "_format_version: '3.0'\n";
    let texts = [
        format!("{version}{service}"),
        format!("{service}{version}"),
        format!("{version}{service}{service}"),
        format!("{version}services: []\n{service}"),
        format!("_format_version: '2.1'\n{service}"),
        format!(
            "{version}services: &all\n- {{name: s, host: h, routes: [{{paths: [/]}}]}}\n_ignore: *all\n"
        ),
    ];
    for text in texts {
        let parsed = parse(text.as_bytes(), Some(Format::Yaml), &Options::default()).expect(&text);
        let whole = load(yaml::parse(text.as_bytes()).expect("YAML"));
        assert_eq!(parsed.services[0].id, whole.services[0].id, "{text}");
        assert_eq!(
            (parsed.services.len(), parsed.routes.len()),
            (1, 1),
            "{text}"
        );
    }
    let bad = format!("{version}{service}- name: x\n");
    let streamed = parse(bad.as_bytes(), None, &Options::default()).expect_err("refused");
    assert_eq!(
        streamed,
        refused(yaml::parse(bad.as_bytes()).expect("YAML"))
    );
}

#[test]
fn references_are_names_or_ids() {
    let id = "00000001-0000-4000-8000-000000001001";
    for reference in [json!("s"), json!(id), json!({ "id": id })] {
        let config = load(file(json!({
            "routes": [{ "name": "r", "paths": ["/a"], "service": reference }],
            "services": [{ "id": id, "name": "s", "host": "h" }],
        })));
        assert_eq!(config.routes[0].service, Some(uuid(id)));
    }
}

#[test]
fn a_name_is_looked_up_before_an_id() {
    let id = "00000001-0000-4000-8000-000000001001";
    let config = load(file(json!({
        "services": [{ "id": id, "host": "a" }, { "name": id, "host": "b" }],
        "routes": [{ "paths": ["/a"], "service": id }],
    })));
    assert_eq!(config.routes[0].service, Some(config.services[1].id));
}

#[test]
fn null_means_absent_where_it_may() {
    let config = load(file(json!({
        "services": [{ "name": "s", "host": "h", "path": null, "tags": null, "retries": null }],
        "routes": [{ "name": "r", "paths": ["/"], "service": null }],
        "plugins": null,
    })));
    assert_eq!(
        (config.services[0].retries, config.routes[0].service),
        (5, None)
    );
    let port = json!({ "services": [{ "name": "s", "host": "h", "port": null }] });
    assert_eq!(
        fields(port),
        json!({ "services": [{ "port": "required field missing" }] })
    );
}

#[test]
fn errors_mirror_the_file() {
    let invalid = refused(file(json!({
        "nope": 1,
        "services": [
            { "host": "ok" },
            { "name": "a", "retries": -1, "host": "h", "routes": [{ "paths": ["/a"] }, { "paths": ["b"] }] },
        ],
    })));
    let path = "should start with: / (fixed path) or ~/ (regex path)";
    assert_eq!(
        invalid.to_json(),
        json!({
            "code": 14,
            "name": "invalid declarative configuration",
            "message": format!(
                "declarative config is invalid: {{nope=\"unknown field\",services={{[2]={{retries=\
                 \"value should be between 0 and 32767\",routes={{[2]={{paths={{\"{path}\"}}}}}}}}}}}}"
            ),
            "fields": {
                "nope": "unknown field",
                "services": [null, {
                    "retries": "value should be between 0 and 32767",
                    "routes": [null, { "paths": [path] }],
                }],
            },
        })
    );
}

#[test]
fn the_message_is_a_lua_table() {
    let fields = json!({ "a-b": { "@entity": ["x \"y\""] }, "c": [null, "d"] });
    let Value::Object(fields) = fields else {
        panic!("an object")
    };
    let flattened = None;
    let message = Invalid { fields, flattened }.message();
    let table = r#"{["a-b"]={["@entity"]={"x \"y\""}},c={[2]="d"}}"#;
    assert_eq!(message, format!("declarative config is invalid: {table}"));
}

#[test]
fn duplicates_are_refused_at_their_position() {
    let name = json!({ "services": [{ "name": "a", "host": "x" }, { "name": "a", "host": "y" }] });
    let text = "uniqueness violation: 'services' entity with name set to 'a' already declared";
    assert_eq!(fields(name), json!({ "services": [null, text] }));
    let id = "00000001-0000-4000-8000-000000000001";
    let same_id = json!({ "services": [{ "id": id, "host": "x" }, { "id": id, "host": "y" }] });
    let text = format!(
        "uniqueness violation: 'services' entity with primary key set to '{id}' already declared"
    );
    assert_eq!(fields(same_id), json!({ "services": [null, text] }));
    let targets = json!({ "upstreams": [{ "name": "my-upstream", "targets": [
        { "target": "10.0.0.1:80" }, { "target": "10.0.0.1:80" },
    ] }] });
    let found = fields(targets);
    let text = found["upstreams"][0]["targets"][1]
        .as_str()
        .expect("an error");
    assert!(
        text.contains("primary key set to 'f84e3d41-b59b-5b29-8655-9ea8de6013ee'"),
        "{text}"
    );
}

#[test]
fn unresolved_references_are_keyed_by_name() {
    let text = "invalid reference 'service: nope' (no such entry in 'services')";
    let named = json!({ "routes": [{ "name": "r", "paths": ["/"], "service": "nope" }] });
    assert_eq!(fields(named), json!({ "routes": { "r": [text] } }));
    let unnamed = json!({ "routes": [{ "paths": ["/"], "service": "nope" }] });
    assert_eq!(fields(unnamed), json!({ "routes": [{ "service": text }] }));
    let beside = json!({
        "routes": [{ "paths": ["/"], "service": "nope" }, { "paths": ["/"], "service": "bad" }],
        "services": [{ "name": "bad" }],
    });
    assert_eq!(
        fields(beside),
        json!({
            "routes": [{ "service": { "id": "missing primary key" } }],
            "services": [{ "host": "required field missing" }],
        })
    );
}

#[test]
fn a_nested_item_cannot_name_another_parent() {
    let found = fields(json!({
        "services": [{ "name": "a", "host": "h", "routes": [{ "paths": ["/"], "service": "b" }] }],
    }));
    let expected = json!({ "services": [{ "routes": [{ "service": "value must be null" }] }] });
    assert_eq!(found, expected);
}

#[test]
fn versions_are_checked() {
    let cases = [
        (json!({}), "required field missing"),
        (json!({ "_format_version": 3.0 }), "expected a string"),
        (
            json!({ "_format_version": "9.9" }),
            "expected one of: 1.1, 2.1, 3.0",
        ),
    ];
    for (value, text) in cases {
        assert_eq!(
            Value::Object(refused(value).fields),
            json!({ "_format_version": text })
        );
    }
}

#[test]
fn what_is_no_kind_is_refused_and_what_a_node_does_not_use_is_read_over() {
    for key in ["_info", "tags", "_workspace", "_plugin_configs", "_konnect"] {
        assert_eq!(fields(json!({ key: [] })), json!({ key: "unknown field" }));
    }
    let nested = json!({ "services": [{ "host": "h", "ws_id": "x", "tags_": [] }] });
    let unknown = json!({ "ws_id": "unknown field", "tags_": "unknown field" });
    assert_eq!(fields(nested), json!({ "services": [unknown] }));
    let nothing = file(json!({
        "_comment": "c",
        "_ignore": [1],
        "workspaces": [{ "name": "default" }],
        "parameters": [{ "key": "cluster_id", "value": "x" }],
        "services": [{ "host": "h", "routes": {}, "_comment": "c", "_ignore": [] }],
    }));
    assert_eq!(load(nothing).services.len(), 1);
    let workspaces = fields(json!({ "workspaces": [{ "name": "other" }] }));
    let text = workspaces["workspaces"].as_str().expect("an error");
    assert!(text.starts_with("there is one workspace"), "{text}");
}

#[test]
fn a_certificate_that_cannot_be_there_is_an_unresolved_reference() {
    let found = fields(json!({
        "services": [{ "name": "s", "url": "https://h", "client_certificate": "c" }],
    }));
    let text = "invalid reference 'client_certificate: c' (no such entry in 'certificates')";
    assert_eq!(found, json!({ "services": { "s": [text] } }));
}

#[test]
fn wrong_shapes_are_named() {
    let list = json!({ "services": { "name": "a" } });
    assert_eq!(fields(list), json!({ "services": "expected an array" }));
    let item = json!({ "services": ["a"] });
    assert_eq!(fields(item), json!({ "services": ["expected a record"] }));
    let unparsable = "failed parsing declarative configuration: expected an object";
    let error = parse(b"bobby tables", None, &Options::default()).expect_err("refused");
    assert_eq!(Value::Object(error.fields), json!({ "error": unparsable }));
}

#[test]
fn old_paths_become_regexes() {
    let cases = [
        ("/plain/a.b", "/plain/a.b"),
        ("/a%20b", "/a b"),
        ("/a%2fb", "/a%2Fb"),
        ("/v(\\d+)", "~/v(\\d+)"),
        ("/regex.+", "~/regex.+"),
        ("/%5ea+", "~/\\^a+"),
    ];
    for (old, new) in cases {
        assert_eq!(migrate::migrate_path(old), new, "{old}");
    }
    let mut old = file(json!({ "routes": [{ "name": "r", "paths": ["/regex.+"] }] }));
    assert_eq!(load(old.clone()).routes[0].paths, ["/regex.+"]);
    old["_format_version"] = "2.1".into();
    assert_eq!(load(old).routes[0].paths, ["~/regex.+"]);
}

#[test]
fn the_hash_is_that_of_the_text() {
    let text = br#"{"_format_version":"3.0","services":[{"host":"h"}]}"#;
    let config = parse(text, None, &Options::default()).expect("loads");
    assert_eq!(config.hash, hash::of_text(text));
    assert_eq!(hash::of_text(b""), "d41d8cd98f00b204e9800998ecf8427e");
    let empty = parse(b"_format_version: '3.0'", None, &Options::default()).expect("loads");
    assert_eq!(empty.hash, EMPTY_HASH);
    let left = load(json!({ "_format_version": "3.0", "services": [{ "host": "h", "port": 1 }] }));
    let right = load(json!({ "services": [{ "port": 1, "host": "h" }], "_format_version": "3.0" }));
    assert_eq!(left.hash, right.hash);
    assert_ne!(left.hash, EMPTY_HASH);
}

#[test]
fn the_answer_to_a_load_is_fully_expanded() {
    let config = parse(EXAMPLE.as_bytes(), None, &Options::default()).expect("loads");
    let body = to_kong_json(&config);
    let service = &body["services"]["0855b320-0dd2-547d-891d-601e9b38647f"];
    assert_eq!(service["connect_timeout"], 60000);
    assert_eq!(service["client_certificate"], Value::Null);
    let route = &body["routes"]["481a9539-f49c-51b6-b2e2-fe99ee68866c"];
    assert_eq!(
        route["service"],
        json!({ "id": "0855b320-0dd2-547d-891d-601e9b38647f" })
    );
    assert_eq!(route["methods"], Value::Null);
    assert_eq!(to_kong_json(&Config::default()), json!({}));
    for config in [config, Config::default()] {
        let mut text = Vec::new();
        write_kong_json(&config, &mut text).expect("memory takes it");
        let read: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(read, to_kong_json(&config));
    }
}

#[test]
fn yaml_scalars_are_those_of_kongs_loader() {
    let cases = [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!("y")),
        ("N", json!("N")),
        ("~", Value::Null),
        ("", Value::Null),
        ("012", json!(10)),
        ("08", json!("08")),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("-17", json!(-17)),
        ("1_000", json!(1000)),
        ("1.5", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("1:30", json!(90)),
        ("1.2.3.4", json!("1.2.3.4")),
        ("1.2.3.4:80", json!("1.2.3.4:80")),
        ("10:80", json!("10:80")),
        ("'12'", json!("12")),
        ("!!str 12", json!("12")),
        (".", json!(".")),
        ("-", json!([null])),
        ("2024-01-02", json!("2024-01-02")),
    ];
    for (text, value) in cases {
        assert_eq!(yaml::parse(text.as_bytes()), Ok(value), "{text}");
    }
}

#[test]
fn yaml_merges_maps_and_keeps_explicit_keys() {
    let text = "base: &b {x: 1, y: 2}\nitem:\n  x: 3\n  <<: *b\n";
    let value = yaml::parse(text.as_bytes()).expect("parses");
    assert_eq!(value["item"], json!({ "x": 3, "y": 2 }));
}

#[test]
fn hostile_yaml_ends_at_a_limit_with_its_line() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let error = yaml::parse(laughs.as_bytes()).expect_err("refused");
    assert!(
        error.starts_with("line ") && error.contains("expand to more than"),
        "{error}"
    );
    let deep = "[".repeat(100_000);
    assert!(yaml::parse(deep.as_bytes()).is_err());
    assert!(yaml::parse(b"a: &a [*a]").is_err());
    assert!(yaml::parse(b"\xff").is_err());
    assert!(yaml::parse(b"? [a]\n: b").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[ -~\n]{0,120}") {
        let _ = parse(text.as_bytes(), None, &Options::default());
        let _ = parse(format!("_format_version: '3.0'\nroutes:\n- {text}\n").as_bytes(), None, &Options::default());
    }

    #[test]
    fn a_normal_path_is_its_own_normal_form(path in "/[a-c/.%20-9\u{e9}]{0,30}") {
        let once = crate::field::text::normal_path(&path).into_owned();
        if !once.contains('\u{fffd}') && !once.contains('%') {
            proptest::prop_assert_eq!(crate::field::text::normal_path(&once).into_owned(), once);
        }
    }
}

#[test]
fn configurations_that_kong_takes_are_taken() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("tests/recorded.json")).expect("a list of cases");
    assert!(!recorded.is_empty());
    for case in recorded {
        let config = load(case["config"].clone());
        let text = case["config"].to_string();
        assert!(
            !config.is_empty() && parse(text.as_bytes(), None, &Options::default()).is_ok(),
            "{}",
            case["name"]
        );
        let again = yaml::parse(text.as_bytes()).expect("JSON is YAML");
        assert_eq!(again, case["config"], "{}", case["name"]);
    }
}
