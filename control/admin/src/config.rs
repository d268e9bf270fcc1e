//! `/config`: a node without a database shows its whole configuration, and replaces it.
//!
//! The configuration comes as (a) a JSON object or form that is the configuration itself, (b) a
//! field `config` that holds it as text, or (c) a body of YAML or JSON text. The answer is sent
//! after the commit: a request that a client sends after it meets the new configuration.
//!
//! Source: `kong/api/routes/config.lua`. Deviation: a document that is neither (a) nor (b) nor
//! text is refused with 400 where Kong fails with 500.

use axum::http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use silverback_cluster::agent::{self, ApplyError, Outcome, Turn};
use silverback_schema::{declarative, snapshot::StoreError};
use tokio::task;

use crate::{
    answer::{self, Answer},
    dispatch::Content,
    entities::Entities,
    error::Refusal,
    form::{self, Fields, TooMany},
    input::Input,
    serve::Admin,
};

/// Seconds after which a client that met a running load may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Where the configuration came from, as the store labels it.
const SOURCE: &str = "Admin API";

/// Parameters that steer the load and are no part of the configuration.
const PARAMETERS: [&str; 2] = ["check_hash", "flatten_errors"];

/// A decoded request.
struct Decoded {
    input: agent::Input,
    check_hash: bool,
    flatten: bool,
}

/// Answers `GET /config`.
pub(crate) fn get(entities: &Entities) -> Result<Value, Refusal> {
    Ok(json!({ "config": entities.export()? }))
}

/// Answers `POST /config`.
pub(crate) async fn post(admin: &Admin, query: Fields, input: Input) -> Answer {
    let decoding = task::spawn_blocking(move || {
        let Input { kind, bytes } = input;
        decode(kind.as_deref(), query, bytes)
    });
    match decoding.await {
        Ok(Ok(decoded)) => load(admin, decoded).await,
        Ok(Err(text)) => answer::message(StatusCode::BAD_REQUEST, text),
        Err(_) => unexpected(),
    }
}

async fn load(admin: &Admin, decoded: Decoded) -> Answer {
    let request = agent::Request {
        input: decoded.input,
        source: SOURCE.to_owned(),
        turn: Turn::Now,
        unless_running: decoded.check_hash,
        flatten: decoded.flatten,
    };
    match admin.agent.apply(request).await {
        Ok(Outcome::Unchanged) => answer::empty(StatusCode::NOT_MODIFIED),
        Ok(Outcome::Accepted(accepted)) => {
            let written = task::spawn_blocking(move || {
                let mut text = Vec::new();
                let written = declarative::write_kong_json(&accepted.config, &mut text);
                written.expect("memory takes it all");
                text
            });
            match written.await {
                Ok(text) => answer::json_bytes(StatusCode::CREATED, text),
                Err(_) => unexpected(),
            }
        }
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &ApplyError) -> Answer {
    match error {
        ApplyError::Busy => {
            let text = "Currently loading previous configuration";
            let mut answer = answer::message(StatusCode::TOO_MANY_REQUESTS, text);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
            answer
        }
        ApplyError::Invalid(invalid) => answer::json(StatusCode::BAD_REQUEST, &invalid.to_json()),
        ApplyError::Ended => answer::message(
            StatusCode::SERVICE_UNAVAILABLE,
            "Silverback currently exiting",
        ),
        ApplyError::Store(StoreError::Rejected { .. }) => {
            answer::message(StatusCode::BAD_REQUEST, &error.to_string())
        }
        ApplyError::Store(_) | ApplyError::Declared(_) => {
            tracing::error!("POST /config: {error}; the running configuration is kept");
            answer::message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
    }
}

fn unexpected() -> Answer {
    answer::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "An unexpected error occurred",
    )
}

fn decode(kind: Option<&str>, query: Fields, text: Vec<u8>) -> Result<Decoded, &'static str> {
    let too_many = |TooMany| "Too many arguments";
    match kind.and_then(|k| Content::of(k).map(|c| (k, c))) {
        Some((_, Content::Json)) => decode_json(&query, text),
        Some((_, Content::Form)) => {
            let fields = form::urlencoded(&text).map_err(too_many)?;
            decode_fields(query, fields, text)
        }
        Some((kind, Content::Multipart)) => {
            let fields = form::multipart(kind, &text)
                .unwrap_or(Ok(Fields::new()))
                .map_err(too_many)?;
            decode_fields(query, fields, text)
        }
        Some((_, Content::Yaml)) | None => decode_fields(query, Fields::new(), text),
    }
}

fn decode_json(query: &Fields, text: Vec<u8>) -> Result<Decoded, &'static str> {
    let Ok(Value::Object(mut document)) = serde_json::from_slice(&text) else {
        return Err("Cannot parse JSON body");
    };
    let asked = document
        .get("check_hash")
        .is_some_and(|v| v == "1" || v == 1);
    let check_hash = asked || form::last(query, "check_hash") == Some("1");
    let flatten = match document.get("flatten_errors") {
        Some(Value::Bool(asked)) => *asked,
        Some(Value::String(text)) => is_yes(text),
        Some(other) => other == 1,
        None => wants_flat_errors(query),
    };
    let input = if document.contains_key("_format_version") {
        for name in PARAMETERS {
            document.remove(name);
        }
        add_fields(&mut document, query);
        agent::Input::Document(Value::Object(document))
    } else if let Some(Value::String(config)) = document.remove("config") {
        agent::Input::Text(config.into_bytes(), None)
    } else {
        agent::Input::Text(text, None)
    };
    // Only a text has a hash to compare.
    let check_hash = check_hash && matches!(input, agent::Input::Text(..));
    Ok(Decoded {
        input,
        check_hash,
        flatten,
    })
}

fn decode_fields(query: Fields, body: Fields, text: Vec<u8>) -> Result<Decoded, &'static str> {
    let fields: Fields = query.into_iter().chain(body).collect();
    let check_hash = form::last(&fields, "check_hash") == Some("1");
    let flatten = wants_flat_errors(&fields);
    if form::last(&fields, "_format_version").is_some() {
        let mut document = Map::new();
        add_fields(&mut document, &fields);
        return Ok(Decoded {
            input: agent::Input::Document(Value::Object(document)),
            check_hash: false,
            flatten,
        });
    }
    let text = match form::last(&fields, "config") {
        Some(config) => config.as_bytes().to_vec(),
        None if text.is_empty() => return Err("expected a declarative configuration"),
        None => text,
    };
    Ok(Decoded {
        input: agent::Input::Text(text, None),
        check_hash,
        flatten,
    })
}

fn wants_flat_errors(fields: &Fields) -> bool {
    form::last(fields, "flatten_errors").is_some_and(is_yes)
}

fn is_yes(text: &str) -> bool {
    ["true", "1", "on", "yes"].contains(&text.to_ascii_lowercase().as_str())
}

fn add_fields(document: &mut Map<String, Value>, fields: &Fields) {
    for (name, value) in fields {
        if !PARAMETERS.contains(&name.as_str()) {
            document.insert(name.clone(), Value::String(value.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
