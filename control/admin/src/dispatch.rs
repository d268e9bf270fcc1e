//! From a request to its endpoint, in Kong's order: path lookup, content-type gate, unknown path,
//! undefined method, then the endpoint. The order is visible to clients, because each check has its
//! own status.
//!
//! Source: `kong/api/init.lua`, `kong/api/api_helpers.lua` (`attach_routes`).

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
};
use hyper::body::Body as _;

use crate::{
    answer::{self, Answer, Asked},
    config,
    serve::Admin,
    status,
};

/// The endpoints there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    Config,
    Ready,
    Status,
}

impl Endpoint {
    const ALL: [Self; 3] = [Self::Config, Self::Ready, Self::Status];

    fn path(self) -> &'static str {
        match self {
            Self::Config => "/config",
            Self::Ready => "/status/ready",
            Self::Status => "/status",
        }
    }

    /// The methods in alphabetical order, OPTIONS included.
    fn methods(self) -> &'static [Method] {
        match self {
            Self::Config => &[Method::OPTIONS, Method::POST],
            Self::Ready | Self::Status => &[Method::GET, Method::HEAD, Method::OPTIONS],
        }
    }

    /// Looks a path up; one trailing slash too many or too few is forgiven.
    fn find(path: &str) -> Option<Self> {
        let exact = |p: &str| Self::ALL.into_iter().find(|e| e.path() == p);
        exact(path).or_else(|| exact(path.strip_suffix('/')?))
    }
}

/// Answers one request.
pub(crate) async fn dispatch(State(admin): State<Admin>, request: Request) -> Answer {
    let asked = Asked::note(request.headers());
    let answer = route(&admin, request).await;
    asked.finish(answer, &admin.headers)
}

async fn route(admin: &Admin, request: Request) -> Answer {
    let endpoint = Endpoint::find(request.uri().path());
    if !acceptable_content(endpoint, &request) {
        return answer::unsupported_content();
    }
    let Some(endpoint) = endpoint else {
        return answer::message(StatusCode::NOT_FOUND, "Not found");
    };
    if !endpoint.methods().contains(request.method()) {
        return answer::message(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    }
    if request.method() == Method::OPTIONS {
        return answer::options(endpoint.methods(), request.headers());
    }
    match endpoint {
        Endpoint::Config => config::post(admin, request).await,
        Endpoint::Ready => status::ready(admin),
        Endpoint::Status => status::get(admin, &request),
    }
}

/// Whether a writing request's body is of a kind that is read. Without a content type there must be
/// no body, or Kong could not tell what it is.
fn acceptable_content(endpoint: Option<Endpoint>, request: &Request<Body>) -> bool {
    if !matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH
    ) {
        return true;
    }
    match content_type(request.headers()) {
        None => request.body().is_end_stream(),
        Some(kind) => match Content::of(kind) {
            Some(Content::Yaml) => endpoint == Some(Endpoint::Config),
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
