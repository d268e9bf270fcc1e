//! That the committed document is not stale, and that it is whole.

use std::collections::BTreeSet;

use super::*;
use crate::node;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for developers, no setting of the gateway"
)]
fn the_committed_document_is_not_stale() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = serde_json::to_string_pretty(&document()).expect("a JSON value") + "\n";
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, &text).expect("the document can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let refresh = "refresh it: UPDATE_PAGES=1 cargo test -p silverback-admin openapi";
    for (number, (new, old)) in text.lines().zip(committed.lines()).enumerate() {
        let number = number + 1;
        assert_eq!(new, old, "line {number} of {path} is stale; {refresh}");
    }
    assert_eq!(text.len(), committed.len(), "{path} is stale; {refresh}");
}

#[test]
fn every_path_that_endpoints_lists_is_described_with_its_methods() {
    let paths = paths();
    for (routes, is_status_api) in [(Routes::admin(), false), (Routes::status(), true)] {
        let listed = node::endpoints(&routes);
        let listed = listed["data"].as_array().expect("a list");
        assert_eq!(listed.len(), routes.iter().count());
        for pattern in listed.iter().filter_map(Value::as_str) {
            let item = paths.get(pattern).unwrap_or_else(|| panic!("no {pattern}"));
            let endpoint = at(&routes, pattern).expect("a listed path");
            for method in endpoint.methods(is_status_api) {
                let name = method.as_str().to_ascii_lowercase();
                assert!(item.get(&name).is_some(), "{method} {pattern}: {item}");
            }
        }
    }
}

#[test]
fn an_operation_names_its_servers_where_the_status_api_has_it() {
    let paths = paths();
    let shared = &paths["/upstreams/{upstreams}/targets"];
    let both = json!([admin_server(), status_server()]);
    assert_eq!(shared["get"]["servers"], both);
    assert_eq!(shared["post"].get("servers"), None);
    let ready = &paths["/status/ready"]["get"];
    assert_eq!(ready["servers"], json!([status_server()]));
}

#[test]
fn every_reference_resolves() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|v| collect(v, references));
        }
        Value::Array(members) => members.iter().for_each(|v| collect(v, references)),
        _ => {}
    }
}

#[test]
fn operation_ids_are_unique() {
    let paths = paths();
    let items = paths.values().filter_map(Value::as_object);
    let mut seen = BTreeSet::new();
    for operation in items.flat_map(|item| item.values()) {
        if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
            assert!(seen.insert(id), "{id} twice");
        }
    }
}

#[test]
fn what_the_path_says_is_not_asked_for_in_the_body() {
    let paths = paths();
    let body = |pattern: &str, method: &str| {
        let pointer = "/requestBody/content/application~1json/schema";
        let schema = paths[pattern][method].pointer(pointer).cloned();
        schema.unwrap_or_else(|| panic!("{method} {pattern} has no body"))
    };
    let targets = body("/upstreams/{upstreams}/targets", "post");
    assert_eq!(targets["allOf"][1], json!({ "required": ["target"] }));
    let change = body("/services/{services}", "patch");
    assert_eq!(change, reference("schemas", "services"));
    let service = body("/services", "post");
    let ways = json!([{ "required": ["host"] }, { "required": ["url"] }]);
    assert_eq!(service["allOf"][1]["anyOf"], ways);
}
