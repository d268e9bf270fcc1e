//! The OpenAPI 3.1 description of the Admin API and the Status API, `control/admin/openapi.json`,
//! written from the tables of paths and the schemas of entities. No listener serves it.
//!
//! Operations that the Status API has too, or alone, name their servers. Limits: the `config` of
//! plugins and vaults is an object without members (`GET /schemas/plugins/{name}` says them); form
//! bodies are not described; what a JSON Schema cannot say is in `json_schema`.
//!
//! Source: OpenAPI Specification 3.1.0.

mod operation;
mod tests;

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value, json};
use silverback_schema::{entity::EntityKind, field::Rules};

use crate::{
    entities::path_key,
    route::{Endpoint, Routes},
};

type Object = Map<String, Value>;

const ABOUT: &str = "How people and programs configure a node and ask how it is. Without a database, entities are \
    replaced by `POST /config` only: every other write of an entity is checked and then refused with 405. \
    Bodies may also be forms, whose field names are paths: `config.minute=5`.";

/// The whole document.
fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Silverback Admin API and Status API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [admin_server()],
        "paths": paths(),
        "components": {
            "schemas": schemas(),
            "parameters": parameters(),
            "responses": { "refusal": {
                "description": "Why the request is refused.",
                "content": operation::json_content(reference("schemas", "error")),
            } },
        },
    })
}

fn admin_server() -> Value {
    json!({ "url": "http://localhost:8001", "description": "Admin API (`admin_listen`)" })
}

fn status_server() -> Value {
    json!({ "url": "http://localhost:8007", "description": "Status API (`status_listen`)" })
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

fn paths() -> Object {
    let (admin, status) = (Routes::admin(), Routes::status());
    let is_admins = |pattern: &str| admin.patterns().any(|other| other == pattern);
    let only_status = status.iter().filter(|route| !is_admins(&route.pattern));
    let routes = admin.iter().chain(only_status);
    routes
        .map(|route| {
            let pattern = route.pattern.as_str();
            let item = path_item(pattern, at(&admin, pattern), at(&status, pattern));
            (pattern.to_owned(), item.into())
        })
        .collect()
}

fn at(routes: &Routes, pattern: &str) -> Option<Endpoint> {
    let route = routes.iter().find(|route| route.pattern == pattern);
    route.map(|route| route.endpoint)
}

/// The operations of a path on either listener.
fn path_item(pattern: &str, admin: Option<Endpoint>, status: Option<Endpoint>) -> Object {
    let mut item = Object::new();
    let names: Vec<Value> = names_in(pattern)
        .map(|name| reference("parameters", name))
        .collect();
    if !names.is_empty() {
        item.insert("parameters".into(), names.into());
    }
    let methods = |endpoint: Option<Endpoint>, is_status_api| {
        endpoint.map_or(&[][..], |endpoint| endpoint.methods(is_status_api))
    };
    let (of_admin, of_status) = (methods(admin, false), methods(status, true));
    let further = of_status
        .iter()
        .filter(|method| !of_admin.contains(*method));
    let Some(endpoint) = admin.or(status) else {
        return item;
    };
    for method in of_admin.iter().chain(further) {
        let mut operation = operation::of(pattern, endpoint, method);
        if of_status.contains(method) {
            let admins = of_admin.contains(method).then(admin_server);
            let servers: Vec<Value> = admins.into_iter().chain([status_server()]).collect();
            operation.insert("servers".into(), servers.into());
        }
        let name = Method::as_str(method).to_ascii_lowercase();
        item.insert(name, operation.into());
    }
    item
}

/// The parameters of a path, in order.
fn names_in(pattern: &str) -> impl Iterator<Item = &str> {
    pattern
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn schemas() -> Object {
    let rules = Rules::default();
    let mut schemas: Object = EntityKind::all()
        .map(|kind| {
            let mut schema = kind.schema(&rules).json_schema();
            // What a new entity must say is a matter of the request: see `operation`.
            if let Some(schema) = schema.as_object_mut() {
                schema.shift_remove("required");
            }
            (kind.name().to_owned(), schema)
        })
        .collect();
    schemas["services"]["properties"]["url"] = json!({
        "type": "string",
        "writeOnly": true,
        "description": "Stands for `protocol`, `host`, `port` and `path`.",
    });
    schemas.insert("page".into(), page());
    schemas.insert("error".into(), error());
    schemas.insert("message".into(), message());
    schemas
}

fn page() -> Value {
    json!({
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": { "type": "array" },
            "next": {
                "type": ["string", "null"],
                "description": "Path of the next page; null on the last.",
            },
            "offset": { "type": "string", "description": "Where the next page begins." },
        },
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "description": "Short refusals have `message` alone.",
        "required": ["message"],
        "properties": {
            "code": { "type": "integer", "description": "Number of the kind of error." },
            "name": { "type": "string", "description": "The kind of error." },
            "message": { "type": "string", "description": "What is wrong, for people." },
            "fields": {
                "type": "object",
                "description": "The errors of each field, nested as the entity is; `@entity`: those across fields.",
            },
            "options": { "type": "object", "description": "The errors of parameters of the query." },
        },
    })
}

fn message() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": { "message": { "type": "string" } },
    })
}

/// The parameters of paths by their names, and those of pages.
fn parameters() -> Object {
    let (admin, status) = (Routes::admin(), Routes::status());
    let patterns = admin.patterns().chain(status.patterns());
    let names: BTreeSet<&str> = patterns.flat_map(names_in).collect();
    let in_paths = names
        .into_iter()
        .map(|name| (name.to_owned(), in_path(name)));
    let in_queries = [
        (
            "page.size",
            json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 }),
            "Entities of a page at most.",
        ),
        (
            "page.offset",
            json!({ "type": "string" }),
            "Where the page begins: `offset` of the page before.",
        ),
        (
            "page.tags",
            json!({ "type": "string" }),
            "Only entities with these tags: all of `a,b`, one of `a/b`; 5 at most.",
        ),
    ];
    let in_queries = in_queries.map(|(component, schema, about)| {
        let name = component.trim_start_matches("page.");
        (component.to_owned(), operation::query(name, schema, about))
    });
    in_paths.chain(in_queries).collect()
}

fn in_path(name: &str) -> Value {
    let rules = Rules::default();
    let schema = EntityKind::of_name(name).map(|kind| kind.schema(&rules));
    let about = match schema.map(path_key) {
        Some(Some(key)) => format!("`id` or `{key}` of one of the {name}."),
        Some(None) => format!("`id` of one of the {name}."),
        None => match name {
            "address" => "An address of the target: `ip:port`.",
            "db_entity_name" => "Name of a kind of entity, plural.",
            "key" => "Key of a cached value.",
            "log_level" => {
                "`debug`, `info`, `notice`, `warn`, `error`, `crit`, `alert` or `emerg`."
            }
            "tags" => "One tag.",
            _ => "Name of the schema.",
        }
        .to_owned(),
    };
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": about,
        "schema": { "type": "string" },
    })
}
