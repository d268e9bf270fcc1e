//! Files made of entities, and read again.

use serde_json::{Map, Value, json};

use super::{file, load};
use crate::declarative::{Config, Format, Options, export, parse, yaml};
use crate::entity::EntityKind;

pub(super) fn yaml_of(config: &Config) -> String {
    let mut text = Vec::new();
    export::write_yaml(config.rows(), &mut text).expect("memory takes it");
    String::from_utf8(text).expect("YAML is UTF-8")
}

pub(super) fn json_of(config: &Config) -> String {
    let mut text = Vec::new();
    export::write_json(config.rows(), &mut text).expect("memory takes it");
    String::from_utf8(text).expect("JSON is UTF-8")
}

#[test]
fn a_file_has_kongs_form() {
    let config = load(file(json!({
        "upstreams": [{ "name": "u", "targets": [{ "target": "a.test:80", "created_at": 1.5 }] }],
    })));
    let text = yaml_of(&config);
    assert!(
        text.starts_with("_format_version: '3.0'\n_transform: false\nupstreams:\n- id: "),
        "{text}"
    );
    let upstream = config.upstreams[0].id;
    assert!(
        text.contains(&format!("\n  upstream: \"{upstream}\"\n")),
        "{text}"
    );
    assert!(
        text.contains("\n  tags: null\n") && !text.contains("workspaces"),
        "{text}"
    );
    assert_eq!(
        yaml_of(&Config::default()),
        "_format_version: '3.0'\n_transform: false\n"
    );
    assert_eq!(
        json_of(&Config::default()),
        r#"{"_format_version":"3.0","_transform":false}"#
    );
}

#[test]
fn an_exported_file_gives_the_same_configuration() {
    let options = Options::default();
    let given = file(json!({
        "services": [{ "name": "s", "host": "h", "plugins": [{ "name": "request-size-limiting" }],
                       "routes": [{ "paths": ["/a"], "headers": { "x": ["1"] } }] }],
        "consumers": [{ "username": "yes", "basicauth_credentials": [
            { "username": "1e3", "password": "p\n# x: y" },
        ], "keyauth_credentials": [{ "key": "k", "ttl": 1_900_000_000 }] }],
        "upstreams": [{ "name": "u", "targets": [{ "target": "[::1]:80" }] }],
    }));
    let text = given.to_string();
    let first = parse(text.as_bytes(), None, &options).expect("loads");
    for (text, format) in [
        (yaml_of(&first), Format::Yaml),
        (json_of(&first), Format::Json),
    ] {
        let again = parse(text.as_bytes(), Some(format), &options);
        let mut again = again.unwrap_or_else(|error| panic!("{text}\n{error}"));
        again.hash.clone_from(&first.hash);
        assert_eq!(again, first, "{text}");
    }
}

/// A row of a kind with free keys, to see the YAML of any value.
fn written(value: &Value) -> Value {
    let mut row = Map::new();
    row.insert("config".to_owned(), value.clone());
    let kind = EntityKind::of_name("plugins").expect("a kind");
    let mut text = Vec::new();
    export::write_yaml([(kind, row)].into_iter(), &mut text).expect("memory takes it");
    let read = yaml::parse(&text);
    let mut read = read.unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&text)));
    read["plugins"][0]["config"].take()
}

#[test]
fn texts_that_look_like_something_else_stay_texts() {
    let texts = [
        "",
        " ",
        "~",
        "null",
        "Null",
        "true",
        "No",
        "y",
        "N",
        "on",
        "0",
        "0x1f",
        "0o7",
        "017",
        "1_000",
        "1e3",
        "1.5",
        ".5",
        ".inf",
        "-.INF",
        ".nan",
        "1:30",
        "2024-01-02",
        "=",
        "<<",
        "-",
        "- a",
        "? a",
        ": a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "!!str a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "\\",
        "[a]",
        "{a}",
        "a,b",
        "a\nb",
        "a\r\nb\n",
        "\ta\t",
        " a ",
        "a\u{85}b",
        "\u{2028}\u{2029}",
        "\u{feff}a",
        "\u{0}\u{1}\u{7f}",
        "\u{e9}\u{1f600}",
        "---",
        "...",
        "\u{ffff}",
    ];
    for text in texts {
        for value in [json!(text), json!([text]), json!({ text: text })] {
            assert_eq!(written(&value), value, "{text:?}");
        }
    }
}

#[test]
fn nested_values_keep_their_shape() {
    let long = "k".repeat(2000);
    for value in [
        json!({}),
        json!([]),
        json!([[]]),
        json!([{}]),
        json!([[1, [2]], [[3]]]),
        json!({ "a": { "b": [{ "c": { "d": [null, true, -1, 1.5] } }, {}] }, "e": [[{ "f": 1, "g": 2 }]] }),
        json!([1e21, 1e-7, 1.0, i64::MIN, i64::MAX]),
        json!({ long.as_str(): 1, "z": { long.as_str(): [long.as_str()] } }),
    ] {
        assert_eq!(written(&value), value);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_survives(text in "\\PC*|[ -~\n\t:#'\"\\\\]{0,40}|[\u{0}-\u{a0}\u{2020}-\u{2030}]{0,8}") {
        let value = json!({ "v": text, "w": [{ text.as_str(): text }] });
        proptest::prop_assert_eq!(written(&value), value);
    }
}
