//! Errors in their flat form, and all forms against recorded answers of Kong.

use serde_json::{Value, json};

use super::file;
use crate::declarative::{Format, Options, from_value, parse};

fn flat(sections: Value) -> Value {
    let options = Options {
        flatten: true,
        ..Options::default()
    };
    let error = from_value(file(sections), &options).expect_err("refused");
    error.to_json()
}

/// Fills the places of ids, which stand for whatever is found there.
fn fill(expected: &Value, found: &Value) -> Value {
    match (expected, found) {
        (Value::String(text), Value::String(found)) if text.contains("<uuid:") => {
            let (before, rest) = text.split_once("<uuid:").unwrap_or_default();
            let (_, after) = rest.split_once('>').unwrap_or_default();
            let fits = found.starts_with(before) && found.ends_with(after);
            if fits {
                found.as_str().into()
            } else {
                expected.clone()
            }
        }
        (Value::Array(list), Value::Array(found)) if list.len() == found.len() => {
            list.iter().zip(found).map(|(e, f)| fill(e, f)).collect()
        }
        (Value::Object(map), found) => map
            .iter()
            .map(|(key, value)| (key.clone(), fill(value, &found[key])))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => expected.clone(),
    }
}

#[test]
fn errors_are_those_that_kong_gives() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("recorded_errors.json")).expect("a list of cases");
    assert!(recorded.len() > 30, "{}", recorded.len());
    for case in recorded {
        // Kong loses an unresolved reference here.
        if case["name"] == "err-foreign-unresolved" && case["flatten"] == true {
            continue;
        }
        let options = Options {
            flatten: case["flatten"] == true,
            ..Options::default()
        };
        let outcome = match &case["input"] {
            Value::String(text) => parse(text.as_bytes(), Some(Format::Yaml), &options),
            input => from_value(input.clone(), &options),
        };
        let found = outcome.expect_err("refused").to_json();
        let expected = fill(&case["answer"], &found);
        assert_eq!(found, expected, "{} {}", case["name"], case["input"]);
    }
}

#[test]
fn a_text_and_a_document_have_the_same_flat_errors() {
    let document = file(json!({ "services": [{ "name": "s", "routes": [{ "paths": ["x"] }] }] }));
    let options = Options {
        flatten: true,
        ..Options::default()
    };
    let one = from_value(document.clone(), &options).expect_err("refused");
    for format in [None, Some(Format::Json), Some(Format::Yaml)] {
        let text = document.to_string();
        let other = parse(text.as_bytes(), format, &options).expect_err("refused");
        assert_eq!(one, other);
    }
    assert_eq!(one.flattened.map(|entries| entries.len()), Some(2));
}

#[test]
fn a_nested_entity_names_its_parent_when_that_has_an_id() {
    let id = "00000001-0000-4000-8000-000000001001";
    let service =
        json!({ "id": id, "name": "s", "host": "h", "routes": [{ "name": "r", "paths": ["x"] }] });
    let body = flat(json!({ "services": [service] }));
    let entry = &body["flattened_errors"][0];
    assert_eq!(entry["entity_type"], "route");
    assert_eq!(entry["entity"]["service"], json!({ "id": id }));
    assert_eq!(body["flattened_errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn names_ids_and_tags_are_given_only_when_they_are_valid() {
    let service = json!({ "name": "", "id": 123_456, "host": "h", "tags": ["a", 1, "b", null] });
    let body = flat(json!({ "services": [service] }));
    let entry = &body["flattened_errors"][0];
    for key in ["entity_name", "entity_id", "entity_tags"] {
        assert_eq!(entry.get(key), None, "{entry}");
    }
    assert_eq!(entry["entity"], service);
    let fields: Vec<_> = entry["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].as_str().expect("a field"))
        .collect();
    assert_eq!(fields, ["tags.4", "tags.2", "name", "id"]);
}

#[test]
fn an_entity_in_place_of_a_reference_is_an_entry_of_its_own() {
    let body = flat(json!({ "services": [{
        "url": "https://h", "client_certificate": { "cert": "", "key": "" },
    }] }));
    let entries = body["flattened_errors"].as_array().expect("entries");
    assert_eq!(entries.len(), 1, "{body}");
    assert_eq!(entries[0]["entity_type"], "certificate");
    assert_eq!(entries[0]["entity"], json!({ "cert": "", "key": "" }));
    let messages: Vec<_> = entries[0]["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| (&error["field"], &error["message"]))
        .collect();
    let short = json!("length must be at least 1");
    assert_eq!(
        messages,
        [(&json!("key"), &short), (&json!("cert"), &short)]
    );
}

#[test]
fn a_duplicate_has_its_generated_id_and_its_parents() {
    let body = flat(json!({ "upstreams": [{ "name": "my-upstream", "targets": [
        { "target": "10.0.0.1:80" }, { "target": "10.0.0.1:80" },
    ] }] }));
    let entry = &body["flattened_errors"][0];
    assert_eq!(entry["entity_type"], "target");
    assert_eq!(entry["entity_id"], "f84e3d41-b59b-5b29-8655-9ea8de6013ee");
    let upstream = json!({ "id": "00402a2c-1725-5592-97af-b204bc733b7a" });
    assert_eq!(entry["entity"]["upstream"], upstream);
    assert_eq!(body["fields"], json!({}));
}

#[test]
fn references_to_nothing_and_taken_values_are_entries() {
    let body = flat(json!({ "routes": [{ "name": "r", "paths": ["/"], "service": "nope" }] }));
    let text = "invalid reference 'service: nope' (no such entry in 'services')";
    let entry = &body["flattened_errors"][0];
    assert_eq!(
        entry["errors"],
        json!([{ "type": "entity", "message": text }])
    );
    assert_eq!(entry["entity"]["service"], "nope");
    assert_eq!(body["message"], "declarative config is invalid: {}");
    let body = flat(json!({ "consumers": [
        { "username": "foo", "custom_id": "c" }, { "username": "bar", "custom_id": "c" },
    ] }));
    assert_eq!(body["flattened_errors"][0]["entity"]["username"], "bar");
}

#[test]
fn what_concerns_no_entity_stays_in_the_tree() {
    let body = flat(json!({ "nope": 1, "services": ["text", { "name": "a" }] }));
    let fields = json!({ "nope": "unknown field", "services": ["expected a record"] });
    assert_eq!(body["fields"], fields);
    assert_eq!(body["flattened_errors"].as_array().map(Vec::len), Some(1));
    let options = Options {
        flatten: true,
        ..Options::default()
    };
    let error = parse(b"[", None, &options).expect_err("refused");
    assert_eq!(error.to_json().get("flattened_errors"), None);
}
