//! `POST /config`: what is refused with which tree or list of errors, and the ids that entities get.
//! `tests/compat` replays Kong's own answers; here is what those leave out.

use serde_json::{Value, json};
use silverback_tests::{Gateway, gateway::declarative, http::Response};

const SERVICE_ID: &str = "5e000000-0000-4000-8000-000000000001";

/// A node with nothing configured.
fn node() -> Gateway {
    Gateway::started(&declarative(&[]))
}

fn post_text(node: &Gateway, query: &str, kind: &str, body: &str) -> Response {
    let kind = [("Content-Type", kind)];
    node.admin("POST", &format!("/config{query}"), &kind, body.as_bytes())
}

/// Posts a document; the version is added.
fn post(node: &Gateway, query: &str, mut document: Value) -> Response {
    document["_format_version"] = "3.0".into();
    post_text(node, query, "application/json", &document.to_string())
}

/// The tree of errors of a refused document.
fn fields(node: &Gateway, document: Value) -> Value {
    let refused = post(node, "", document);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let refused = refused.json();
    assert_eq!(refused["code"], 14, "{refused}");
    assert_eq!(refused["name"], "invalid declarative configuration");
    refused["fields"].clone()
}

/// The flat list of errors of a refused document, with what is left of the tree.
fn flat(node: &Gateway, document: Value) -> (Vec<Value>, Value) {
    let refused = post(node, "?flatten_errors=1", document);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let refused = refused.json();
    let list = refused["flattened_errors"].as_array();
    let list = list.unwrap_or_else(|| panic!("no list in {refused}"));
    (list.clone(), refused["fields"].clone())
}

/// The only entry of a flat list.
fn only(node: &Gateway, document: Value) -> Value {
    let (mut list, left) = flat(node, document);
    assert_eq!((list.len(), &left), (1, &json!({})), "{list:?}");
    list.remove(0)
}

/// Type and field, or type and message, of the errors of an entry.
fn errors(entry: &Value) -> Vec<(String, String)> {
    let list = entry["errors"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut errors: Vec<_> = list
        .iter()
        .map(|error| match error["type"].as_str() {
            Some("field") => (text(&error["field"]), text(&error["message"])),
            _ => ("@entity".to_owned(), text(&error["message"])),
        })
        .collect();
    errors.sort();
    errors
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn every_form_of_text_is_taken() {
    let node = node();
    let yaml = "_format_version: '3.0'\n\
                services: [{name: my-service, host: h, routes: [{name: my-route, paths: [/]}]}]\n\
                routes: [{paths: [/x], service: null}]\nconsumers: [{username: my-user}]\n";
    let loose = r#"{"_format_version": "3.0", "consumers": [{"username": "a"},],}"#;
    for (kind, body) in [
        ("application/json", json!({ "config": loose }).to_string()),
        ("application/json", json!({ "config": yaml }).to_string()),
        ("application/yaml", yaml.to_owned()),
    ] {
        let posted = post_text(&node, "", kind, &body);
        assert_eq!(posted.status, 201, "{body}: {}", posted.text());
        let again = post_text(&node, "", kind, &body);
        assert_eq!(again.status, 201, "{body}: {}", again.text());
        if !body.contains("my-service") {
            continue;
        }
        let shown = posted.json();
        let (service, route) = (
            "0855b320-0dd2-547d-891d-601e9b38647f",
            "481a9539-f49c-51b6-b2e2-fe99ee68866c",
        );
        assert_eq!(shown["services"][service]["name"], "my-service", "{shown}");
        assert_eq!(shown["routes"][route]["service"]["id"], service, "{shown}");
        assert_eq!(
            shown["consumers"]["4b1b701d-de2b-5588-9aa2-3b97061d9f52"]["username"],
            "my-user"
        );
        assert!(
            !posted.text().contains("ws_id") && shown.get("workspaces").is_none(),
            "{shown}"
        );
    }
    let config = json!({ "config": yaml }).to_string();
    let unless =
        |config: &str| post_text(&node, "?check_hash=1", "application/json", config).status;
    let fresh = json!({ "config": format!("{yaml}\n") }).to_string();
    assert_eq!(
        (unless(&config), unless(&fresh), unless(&fresh)),
        (304, 201, 304)
    );
    let nothing = node.admin("POST", "/config", &[], b"");
    assert_eq!(nothing.status, 400);
    assert_eq!(
        nothing.text(),
        r#"{"message":"expected a declarative configuration"}"#
    );
    let scalar = post_text(
        &node,
        "",
        "application/json",
        r#"{"config":"bobby tables"}"#,
    )
    .json();
    let problem = "failed parsing declarative configuration: expected an object";
    assert_eq!(scalar["fields"], json!({ "error": problem }), "{scalar}");
    assert_eq!(
        scalar["message"],
        format!("declarative config is invalid: {{error=\"{problem}\"}}")
    );
}

#[test]
fn the_tree_of_errors_mirrors_the_document() {
    let node = node();
    let range = "value should be between 0 and 65535";
    let uniqueness = |kind: &str, what: &str| {
        format!("uniqueness violation: '{kind}' entity with {what} already declared")
    };
    let with_id = json!({ "id": SERVICE_ID, "host": "h" });
    let named = json!({ "name": "foo", "host": "h" });
    let consumer = |name: &str| json!({ "username": name, "custom_id": "conflict" });
    let plugin = |member: &str, value: &str| json!({ "name": "cors", member: value });
    let wrong_name = json!({ "username": "a", "plugins": [plugin("service", "s")] });
    for (document, expected) in [
        (
            json!({ "services": [{ "port": -12 }] }),
            json!({ "services": [{ "host": "required field missing", "port": range }] }),
        ),
        (
            json!({ "services": [with_id, with_id] }),
            json!({ "services": [null, uniqueness("services", &format!("primary key set to '{SERVICE_ID}'"))] }),
        ),
        (
            json!({ "services": [named, named] }),
            json!({ "services": [null, uniqueness("services", "name set to 'foo'")] }),
        ),
        (
            json!({ "consumers": [consumer("foo"), consumer("bar")] }),
            json!({ "consumers": { "bar": uniqueness("consumers", "custom_id set to 'conflict'") } }),
        ),
        (
            json!({ "_info": {}, "tags": [], "_workspace": "w" }),
            json!({ "_info": "unknown field", "tags": "unknown field", "_workspace": "unknown field" }),
        ),
        (
            json!({ "consumers": [wrong_name] }),
            json!({ "consumers": [{ "plugins": [{ "service": "value must be null" }] }] }),
        ),
    ] {
        assert_eq!(fields(&node, document.clone()), expected, "{document}");
    }
    let text = post(&node, "", json!({ "services": [{ "port": -12 }] })).json();
    assert_eq!(
        text["message"],
        format!(
            "declarative config is invalid: {{services={{{{host=\"required field missing\",port=\"{range}\"}}}}}}"
        )
    );
    let dangling = post(
        &node,
        "",
        json!({ "plugins": [plugin("service", "unknown-name")] }),
    )
    .text();
    let problem = "invalid reference 'service: unknown-name' (no such entry in 'services')";
    assert!(dangling.contains(problem), "{dangling}");
    let snis = post(
        &node,
        "",
        json!({ "certificates": [{ "cert": "x", "key": "y", "snis": ["a.test"] }] }),
    )
    .text();
    assert!(snis.contains("expected a record"), "{snis}");
    for (version, problem) in [
        ("_format_version: 3", "expected a string"),
        ("_format_version: 3.0", "expected a string"),
        ("_format_version: '2.0'", "expected one of: 1.1, 2.1, 3.0"),
        ("services: []", "required field missing"),
    ] {
        let refused = post_text(&node, "", "text/yaml", version).json();
        assert_eq!(
            refused["fields"]["_format_version"], problem,
            "{version}: {refused}"
        );
    }
}

#[test]
fn the_flat_list_has_an_entry_for_each_faulty_entity() {
    let node = node();
    let service = json!({ "name": "s", "host": "h", "protocol": "nope", "tags": ["t"] });
    let entry = only(&node, json!({ "services": [service] }));
    assert_eq!(
        (&entry["entity_type"], &entry["entity_name"]),
        (&"service".into(), &"s".into())
    );
    assert_eq!(entry["entity_tags"], json!(["t"]));
    assert_eq!(entry["entity"]["protocol"], "nope");
    let protocols = "expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp";
    assert_eq!(errors(&entry), pairs(&[("protocol", protocols)]));

    let upstream = json!({ "name": "u", "host_header": 123, "healthchecks": { "active": { "concurrency": -1 } } });
    let entry = only(&node, json!({ "upstreams": [upstream] }));
    assert_eq!(
        errors(&entry),
        pairs(&[
            (
                "healthchecks.active.concurrency",
                "value should be between 1 and 2147483648"
            ),
            ("host_header", "expected a string"),
        ])
    );

    let service = json!({ "name": "s", "host": "h", "protocol": "tcp", "path": "/x" });
    let entry = only(&node, json!({ "services": [service] }));
    assert_eq!(
        errors(&entry),
        pairs(&[
            (
                "@entity",
                "failed conditional validation given value of field 'protocol'"
            ),
            ("path", "value must be null"),
        ])
    );

    let nested =
        json!({ "id": SERVICE_ID, "host": "h", "routes": [{ "name": "r", "paths": ["x"] }] });
    let entry = only(&node, json!({ "services": [nested] }));
    assert_eq!(
        (&entry["entity_type"], &entry["entity_name"]),
        (&"route".into(), &"r".into())
    );
    assert_eq!(entry["entity"]["service"], json!({ "id": SERVICE_ID }));

    let empty = json!({ "cert": "", "key": "" });
    let inline = json!({ "host": "h", "protocol": "https", "client_certificate": empty });
    let entry = only(&node, json!({ "services": [inline] }));
    assert_eq!(entry["entity_type"], "certificate", "{entry}");
    let short = "length must be at least 1";
    assert_eq!(errors(&entry), pairs(&[("cert", short), ("key", short)]));
}

#[test]
fn an_entry_leaves_out_what_is_not_valid_itself() {
    let node = node();
    for (member, value) in [
        ("name", json!("")),
        ("name", json!(1234)),
        ("id", json!(123_456)),
    ] {
        let entry = only(
            &node,
            json!({ "services": [{ "host": "h", member: value }] }),
        );
        assert!(entry.get(format!("entity_{member}")).is_none(), "{entry}");
        assert_eq!(entry["entity"][member], value, "{entry}");
    }
    let tagged = json!({ "name": "s", "host": "h", "tags": ["a", "b", 1, true] });
    let entry = only(&node, json!({ "services": [tagged] }));
    assert!(entry.get("entity_tags").is_none(), "{entry}");
    let text = "expected a string";
    assert_eq!(errors(&entry), pairs(&[("tags.3", text), ("tags.4", text)]));
}

#[test]
fn duplicates_and_unknown_keys_have_their_place_in_the_flat_list() {
    let node = node();
    let consumer = json!({ "username": "a" });
    let entry = only(&node, json!({ "consumers": [consumer, consumer] }));
    assert_eq!(entry["entity_type"], "consumer");
    let text = "uniqueness violation: 'consumers' entity with username set to 'a' already declared";
    assert_eq!(errors(&entry), pairs(&[("@entity", text)]));

    let target = json!({ "target": "10.20.30.40" });
    let entry = only(
        &node,
        json!({ "upstreams": [{ "name": "u", "targets": [target, target] }] }),
    );
    assert_eq!(entry["entity_type"], "target");
    let told = errors(&entry);
    let text = "uniqueness violation: 'targets' entity with primary key set to '";
    assert!(told.len() == 1 && told[0].1.starts_with(text), "{told:?}");

    let document = json!({
        "nonsense": [],
        "services": [{ "name": "a" }, { "name": "b", "host": "h", "routes": [{ "paths": ["x"] }] }],
        "consumers": [{ "username": 1 }],
        "plugins": [{ "name": "cors", "config": { "x": 1 } }],
    });
    let (list, left) = flat(&node, document.clone());
    assert_eq!(left, json!({ "nonsense": "unknown field" }));
    let mut kinds: Vec<&str> = list
        .iter()
        .filter_map(|e| e["entity_type"].as_str())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["consumer", "plugin", "route", "service"]);
    let nested = post(&node, "?flatten_errors=off", document).json();
    assert!(nested.get("flattened_errors").is_none(), "{nested}");
    assert!(nested["fields"]["services"].is_array(), "{nested}");
}
