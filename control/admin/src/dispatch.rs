//! From a request to its endpoint, in Kong's order: path, content type, unknown path, undefined
//! method, closed endpoints, malformed JSON, too many arguments, then the endpoint. The order is
//! visible to clients, because each check has its own status.
//!
//! Entities are read on the blocking pool: a list with a filter may look at a million of them.
//!
//! Source: `kong/api/init.lua`, `kong/api/api_helpers.lua` (`attach_routes`).

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
};
use hyper::body::Body as _;
use serde_json::Value;
use silverback_schema::entity::EntityKind;
use tokio::task;

use crate::{
    answer::{self, Answer, Asked},
    body, collection, config,
    entities::Entities,
    error::Refusal,
    form::{self, Fields},
    health,
    input::{self, Input},
    item, metrics, node,
    route::{Endpoint, Matched},
    schemas,
    serve::{Api, Served},
    status, tags, write,
};

/// Answers one request.
pub(crate) async fn dispatch(State(served): State<Served>, request: Request) -> Answer {
    let asked = Asked::note(request.headers());
    let answer = route(&served, request).await;
    let answer = answer.unwrap_or_else(Refusal::into_answer);
    asked.finish(answer, &served)
}

/// A request whose endpoint is known.
struct Call {
    matched: Matched,
    method: Method,
    query: Fields,
    input: Input,
}

async fn route(served: &Served, request: Request) -> Result<Answer, Refusal> {
    let matched = served.routes.find(request.uri().path());
    if !acceptable_content(matched.as_ref(), &request) {
        return Ok(answer::unsupported_content());
    }
    let matched = matched.ok_or(Refusal::NotFound)?;
    let methods = matched.endpoint.methods(served.api == Api::Status);
    if !methods.contains(request.method()) {
        return Err(Refusal::MethodNotAllowed);
    }
    if request.method() == Method::OPTIONS {
        return Ok(answer::options(methods, request.headers()));
    }
    if needs_wasm(matched.endpoint) && !served.admin.rules.wasm {
        return Err(node::without_wasm());
    }
    let call = read(served, matched, request).await?;
    answer(served, call).await
}

async fn read(served: &Served, matched: Matched, request: Request) -> Result<Call, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let query = form::urlencoded(query.as_bytes()).map_err(|_| input::too_many())?;
    let method = request.method().clone();
    let kind = content_type(request.headers()).map(str::to_owned);
    let is_write = matches!(method, Method::POST | Method::PUT | Method::PATCH);
    let bytes = match is_write {
        true => body::read(request.into_body(), served.admin.body_bytes_max).await?,
        false => Vec::new(),
    };
    let input = Input { kind, bytes };
    // The configuration is parsed once, by its own endpoint.
    if is_write && matched.endpoint != Endpoint::Config {
        input.check_json()?;
    }
    Ok(Call {
        matched,
        method,
        query,
        input,
    })
}

async fn answer(served: &Served, call: Call) -> Result<Answer, Refusal> {
    let admin = &served.admin;
    let key = |at: usize| call.matched.keys.get(at).map_or("", String::as_str);
    let ok = |value: Value| Ok(answer::json(StatusCode::OK, &value));
    match call.matched.endpoint {
        Endpoint::Endpoints => ok(node::endpoints(&served.routes)),
        Endpoint::Timers => ok(node::timers()),
        Endpoint::LogLevel => ok(node::log_level(admin)),
        Endpoint::SetLogLevel => Err(node::set_log_level()),
        Endpoint::Clustering => Err(node::clustering()),
        Endpoint::RouteFilters => Err(node::without_wasm()),
        Endpoint::Robots => Ok(answer::robots()),
        Endpoint::Status => ok(status::get(admin, &call.query)?),
        Endpoint::Ready if call.method == Method::POST => Ok(status::set_ready(admin, &call.input)),
        Endpoint::Ready => Ok(status::ready(admin)),
        Endpoint::Dns => Ok(status::dns()),
        Endpoint::Metrics => Ok(metrics::get(admin)),
        // Nothing is cached that could be shown or dropped.
        Endpoint::Cache | Endpoint::CacheKey if call.method == Method::DELETE => {
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        Endpoint::Cache | Endpoint::CacheKey => Err(Refusal::NotFound),
        Endpoint::Schema => ok(schemas::entity(key(0), &admin.rules)?),
        Endpoint::PluginSchema => ok(schemas::plugin(key(0))?),
        Endpoint::PluginConfigSchema => ok(schemas::plugin_config(key(0))?),
        Endpoint::VaultSchema => ok(schemas::vault(key(0))?),
        Endpoint::FilterSchema => Err(schemas::filter(key(0))),
        Endpoint::Validate => ok(schemas::validate(key(0), &admin.rules, &call.input)?),
        Endpoint::ValidatePlugin => ok(schemas::validate("plugins", &admin.rules, &call.input)?),
        Endpoint::ValidateVault => ok(schemas::validate("vaults", &admin.rules, &call.input)?),
        Endpoint::EnabledPlugins => ok(schemas::enabled_plugins(&admin.rules)),
        Endpoint::Config if call.method == Method::POST => {
            Ok(config::post(admin, call.query, call.input).await)
        }
        Endpoint::UpstreamHealth => {
            let upstream = key(0).to_owned();
            let found = on_entities(served, move |entities| health::find(entities, &upstream));
            let found = found.await?;
            ok(health::show(admin, found, &call.query).await)
        }
        _ => {
            let admin = admin.clone();
            on_entities(served, move |entities| of_entities(&admin, entities, &call)).await
        }
    }
}

/// Runs work that reads entities.
async fn on_entities<T: Send + 'static>(
    served: &Served,
    work: impl FnOnce(&Entities) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let store = served.admin.agent.store().clone();
    let rules = served.admin.rules.clone();
    let work = task::spawn_blocking(move || {
        let snapshot = store.reader().map_err(Refusal::from)?;
        work(&Entities::new(snapshot, rules))
    });
    work.await.unwrap_or_else(|_| Err(Refusal::unexpected()))
}

/// The endpoints that need nothing but the entities.
fn of_entities(admin: &crate::Admin, entities: &Entities, call: &Call) -> Result<Answer, Refusal> {
    let key = |at: usize| call.matched.keys.get(at).map_or("", String::as_str);
    let ok = |value: Value| Ok(answer::json(StatusCode::OK, &value));
    let (query, input) = (&call.query, &call.input);
    let raw = &call.matched.raw_key;
    match (call.matched.endpoint, &call.method) {
        (Endpoint::Node, _) => ok(node::get(admin, entities)?),
        (Endpoint::Config, _) => ok(config::get(entities)?),
        (Endpoint::Tags, _) => ok(tags::list(entities, None, query)?),
        (Endpoint::Tag, _) => ok(tags::list(entities, Some(key(0)), query)?),
        (Endpoint::AllTargets, _) => ok(collection::all_targets(entities, key(0), raw, query)?),
        (Endpoint::TargetHealth, _) => ok(health::mark(entities, key(0), key(1))?),
        (Endpoint::Collection(kind), &Method::POST) => {
            Err(write::create(entities, kind, None, input))
        }
        (Endpoint::Collection(kind), _) => ok(collection::list(entities, kind, query)?),
        (Endpoint::Item(kind), &Method::PUT) => write::replace(entities, kind, key(0), input),
        (Endpoint::Item(kind), &Method::PATCH) => write::change(entities, kind, key(0), input),
        (Endpoint::Item(kind), &Method::DELETE) => write::delete(entities, kind, key(0)),
        (Endpoint::Item(kind), _) => ok(item::get(entities, kind, key(0))?),
        (
            Endpoint::Referred {
                kind,
                field,
                target,
            },
            &Method::GET | &Method::HEAD,
        ) => {
            let found = item::referred(entities, kind, field, target, key(0))?;
            ok(found.map(Value::Object).ok_or(Refusal::NotFound)?)
        }
        (
            Endpoint::Referred {
                kind,
                field,
                target,
            },
            method,
        ) => write::referred(entities, (kind, field, target), key(0), method, input),
        (Endpoint::Children(below), &Method::POST) => {
            write::create_below(entities, below, key(0), input)
        }
        (Endpoint::Children(below), _) => {
            ok(collection::list_below(entities, below, key(0), raw, query)?)
        }
        (Endpoint::Child(below), &Method::PUT) => {
            write::replace_below(entities, below, key(0), key(1), input)
        }
        (Endpoint::Child(below), &Method::PATCH) => {
            write::change_below(entities, below, key(0), key(1), input)
        }
        (Endpoint::Child(below), &Method::DELETE) => {
            write::delete_below(entities, below, key(0), key(1))
        }
        (Endpoint::Child(below), _) => ok(item::get_below(entities, below, key(0), key(1))?),
        _ => Err(Refusal::NotFound),
    }
}

fn needs_wasm(endpoint: Endpoint) -> bool {
    const CHAINS: EntityKind = EntityKind::FILTER_CHAINS;
    match endpoint {
        Endpoint::Collection(kind) | Endpoint::Item(kind) => kind == CHAINS,
        Endpoint::Referred { kind, .. } => kind == CHAINS,
        Endpoint::Children(below) | Endpoint::Child(below) => below.child == CHAINS,
        _ => false,
    }
}

/// Whether a writing request's body is of a kind that is read. Without a content type there must be
/// no body, or Kong could not tell what it is.
fn acceptable_content(matched: Option<&Matched>, request: &Request<Body>) -> bool {
    if !matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH
    ) {
        return true;
    }
    let is_config = matched.is_some_and(|matched| matched.endpoint == Endpoint::Config);
    match content_type(request.headers()) {
        None => request.body().is_end_stream(),
        Some(kind) => match Content::of(kind) {
            Some(Content::Yaml) => is_config,
            known => known.is_some(),
        },
    }
}

/// The content type as text; an unreadable one is an unknown one.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::CONTENT_TYPE)
        .map(|v| v.to_str().unwrap_or_default())
}

/// The kinds of body that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Multipart,
    Form,
    Yaml,
}

impl Content {
    /// Kong compares the beginning, and the case.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        const KINDS: [(&str, Content); 5] = [
            ("application/json", Content::Json),
            ("multipart/form-data", Content::Multipart),
            ("application/x-www-form-urlencoded", Content::Form),
            ("application/yaml", Content::Yaml),
            ("text/yaml", Content::Yaml),
        ];
        KINDS
            .into_iter()
            .find(|(start, _)| content_type.starts_with(start))
            .map(|(_, kind)| kind)
    }
}
