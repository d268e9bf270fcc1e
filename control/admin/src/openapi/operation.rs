//! One operation: a method of a path, what it takes and what it answers when it succeeds.

use axum::http::Method;
use serde_json::{Value, json};
use silverback_schema::{entity::EntityKind, field::Rules};

use super::{Object, reference};
use crate::{entities::path_key, route::Endpoint};

pub(super) fn of(pattern: &str, endpoint: Endpoint, method: &Method) -> Object {
    let mut operation = Object::new();
    operation.insert("operationId".into(), id(pattern, method).into());
    if let Some(group) = pattern.split('/').nth(1).filter(|name| !name.is_empty()) {
        operation.insert("tags".into(), json!([group]));
    }
    let queries = queries(endpoint, method);
    if !queries.is_empty() {
        operation.insert("parameters".into(), queries.into());
    }
    if let Some(content) = body(endpoint, method) {
        let body = json!({ "required": true, "content": content });
        operation.insert("requestBody".into(), body);
    }
    let (status, about, content) = answer(endpoint, method);
    let mut success = json!({ "description": about });
    if let Some(content) = content {
        success["content"] = content;
    }
    let responses = json!({ status: success, "default": reference("responses", "refusal") });
    operation.insert("responses".into(), responses);
    operation
}

/// `get-services-services-routes`: the method, then the segments without braces.
fn id(pattern: &str, method: &Method) -> String {
    let path = pattern.replace('/', "-").replace(['{', '}'], "");
    let method = method.as_str().to_ascii_lowercase();
    format!("{method}{path}").trim_end_matches('-').to_owned()
}

/// A parameter of the query.
pub(super) fn query(name: &str, schema: Value, about: &str) -> Value {
    json!({ "name": name, "in": "query", "description": about, "schema": schema })
}

fn queries(endpoint: Endpoint, method: &Method) -> Vec<Value> {
    let text = |name, about| query(name, json!({ "type": "string" }), about);
    let page = |names: &[&str]| -> Vec<Value> {
        let names = names.iter().map(|name| format!("page.{name}"));
        names.map(|name| reference("parameters", &name)).collect()
    };
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    match endpoint {
        Endpoint::Config if *method == Method::POST => vec![
            text(
                "check_hash",
                "`1`: leave a configuration of the same content alone.",
            ),
            text("flatten_errors", "`1`: list the errors of each entity."),
        ],
        _ if !is_read => Vec::new(),
        Endpoint::Collection(kind) => {
            let mut queries = page(&["size", "offset", "tags"]);
            if kind == EntityKind::CONSUMERS {
                queries.push(text(
                    "custom_id",
                    "Only the consumer with this `custom_id`.",
                ));
            }
            queries
        }
        Endpoint::Children(_) | Endpoint::AllTargets | Endpoint::Tags | Endpoint::Tag => {
            page(&["size", "offset"])
        }
        Endpoint::Status => vec![
            text("unit", "Unit of sizes: `b`, `k`, `m` or `g`."),
            text("scale", "Decimals of sizes."),
        ],
        Endpoint::UpstreamHealth => {
            vec![text("balancer_health", "`1`: of the upstream as a whole.")]
        }
        _ => Vec::new(),
    }
}

/// The content of the request's body.
fn body(endpoint: Endpoint, method: &Method) -> Option<Value> {
    let is_complete = match *method {
        Method::POST | Method::PUT => true,
        Method::PATCH => false,
        _ => return None,
    };
    let schema = match endpoint {
        Endpoint::Config => {
            return Some(json!({
                "application/json": { "schema": { "type": "object" } },
                "application/yaml": { "schema": { "type": "string" } },
            }));
        }
        Endpoint::Ready => json!({
            "type": "object",
            "required": ["status"],
            "properties": { "status": { "const": "draining" } },
        }),
        Endpoint::Validate => json!({ "type": "object" }),
        Endpoint::ValidatePlugin => complete(EntityKind::PLUGINS, &[]),
        Endpoint::ValidateVault => complete(EntityKind::VAULTS, &[]),
        Endpoint::Collection(kind) => complete(kind, &[]),
        Endpoint::Item(kind) if is_complete => complete(kind, &key_of(kind)),
        Endpoint::Item(kind) => entity(kind),
        Endpoint::Referred { target, .. } if is_complete => complete(target, &[]),
        Endpoint::Referred { target, .. } => entity(target),
        Endpoint::Children(below) => complete(below.child, &[below.field]),
        // A target is changed by PUT too.
        Endpoint::Child(below) if is_complete && below.child != EntityKind::TARGETS => {
            let said = [key_of(below.child), vec![below.field]].concat();
            complete(below.child, &said)
        }
        Endpoint::Child(below) => entity(below.child),
        _ => return None,
    };
    Some(json_content(schema))
}

fn key_of(kind: EntityKind) -> Vec<&'static str> {
    let schema = kind.schema(&Rules::default());
    path_key(schema).into_iter().collect()
}

fn entity(kind: EntityKind) -> Value {
    reference("schemas", kind.name())
}

/// A new entity: with every field that nothing fills, but those that the path says.
fn complete(kind: EntityKind, said: &[&str]) -> Value {
    let schema = kind.schema(&Rules::default()).json_schema();
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&Value> = required
        .into_iter()
        .flatten()
        .filter(|name| name.as_str().is_some_and(|name| !said.contains(&name)))
        .collect();
    if required.is_empty() {
        return entity(kind);
    }
    let mut rules = json!({ "required": required });
    if kind == EntityKind::SERVICES {
        // `url` says the host too.
        rules = json!({ "anyOf": [rules, { "required": ["url"] }] });
    }
    json!({ "allOf": [entity(kind), rules] })
}

pub(super) fn json_content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// Status, description and content of the answer to a request that succeeds.
fn answer(endpoint: Endpoint, method: &Method) -> (&'static str, &'static str, Option<Value>) {
    match (method, endpoint) {
        (&Method::OPTIONS, _) => ("204", "The methods, in `Allow`.", None),
        (&Method::HEAD, _) => ("200", "As GET, without the body.", None),
        (&Method::DELETE, Endpoint::Cache | Endpoint::CacheKey) => ("204", "Dropped.", None),
        (&Method::DELETE, _) => ("204", "It is gone, or was not there.", None),
        (&Method::POST, Endpoint::Ready) => ("204", "The node drains.", None),
        (&Method::PUT, Endpoint::TargetHealth) => ("204", "Marked.", None),
        (&Method::POST, Endpoint::Config) => ("201", "The configuration runs.", Some(object())),
        (&Method::POST, Endpoint::Collection(_) | Endpoint::Children(_)) => {
            ("201", "The new entity.", shown(endpoint))
        }
        (&Method::GET, Endpoint::Collection(kind)) => ("200", "A page.", Some(page(entity(kind)))),
        (&Method::GET, Endpoint::Children(below)) => {
            ("200", "A page.", Some(page(entity(below.child))))
        }
        (_, Endpoint::Metrics | Endpoint::Robots) => {
            let content = json!({ "text/plain": { "schema": { "type": "string" } } });
            ("200", "Text.", Some(content))
        }
        _ => ("200", "Success.", shown(endpoint)),
    }
}

/// What an endpoint shows of itself, or of one entity.
fn shown(endpoint: Endpoint) -> Option<Value> {
    let schema = match endpoint {
        Endpoint::Collection(kind) | Endpoint::Item(kind) => entity(kind),
        Endpoint::Referred { target, .. } => entity(target),
        Endpoint::Children(below) | Endpoint::Child(below) => entity(below.child),
        Endpoint::AllTargets => return Some(page(entity(EntityKind::TARGETS))),
        Endpoint::Tags | Endpoint::Tag => return Some(page(tagged())),
        Endpoint::Endpoints => names("data"),
        Endpoint::EnabledPlugins => names("enabled_plugins"),
        Endpoint::Ready
        | Endpoint::LogLevel
        | Endpoint::SetLogLevel
        | Endpoint::Validate
        | Endpoint::ValidatePlugin
        | Endpoint::ValidateVault => reference("schemas", "message"),
        _ => return Some(object()),
    };
    Some(json_content(schema))
}

fn object() -> Value {
    json_content(json!({ "type": "object" }))
}

fn page(item: Value) -> Value {
    let items = json!({ "properties": { "data": { "items": item } } });
    json_content(json!({ "allOf": [reference("schemas", "page"), items] }))
}

fn tagged() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": {
            "tag": text,
            "entity_name": text,
            "entity_id": { "type": "string", "format": "uuid" },
        },
    })
}

fn names(field: &str) -> Value {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    json!({ "type": "object", "properties": { field: list } })
}
