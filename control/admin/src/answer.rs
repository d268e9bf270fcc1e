//! Answers of the Admin API: Kong's bodies, and the headers that every answer carries.
//!
//! Source: `kong/api/api_helpers.lua` (`default_filter_config`, CORS), `kong/pdk/response.lua`.

use std::time::Instant;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header},
};
use serde_json::{Value, json};

use crate::serve::{Api, Served};

const ADMIN_LATENCY: HeaderName = HeaderName::from_static("x-kong-admin-latency");
const ADMIN_REQUEST_ID: HeaderName = HeaderName::from_static("x-kong-admin-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Which headers name the product (`headers` in `kong.conf`).
#[derive(Clone, Debug)]
pub struct Headers {
    /// `Server: silverback/<version>`; none when `headers` leaves it out.
    pub server: Option<HeaderValue>,
    /// `X-Kong-Admin-Latency`.
    pub latency: bool,
}

/// An answer before its common headers.
pub(crate) type Answer = Response<Body>;

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, value: &Value) -> Answer {
    json_bytes(status, value.to_string().into_bytes())
}

/// An answer with a JSON body that is already text.
pub(crate) fn json_bytes(status: StatusCode, text: Vec<u8>) -> Answer {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer
}

/// The page of Kong's web server, for the one refusal that comes before Kong's own code.
pub(crate) fn unsupported_content() -> Answer {
    const PAGE: &str = "<html>\r\n<head><title>415 Unsupported Media Type</title></head>\r\n\
        <body>\r\n<center><h1>415 Unsupported Media Type</h1></center>\r\n</body>\r\n</html>\r\n";
    let mut answer = Response::new(Body::from(PAGE));
    *answer.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let kind = HeaderValue::from_static("text/html; charset=UTF-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// `/robots.txt`: nothing here is for search engines.
pub(crate) fn robots() -> Answer {
    let mut answer = Response::new(Body::from("User-agent: *\nDisallow: /"));
    let kind = HeaderValue::from_static("text/plain");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// Kong's short form: `{"message": …}`.
pub(crate) fn message(status: StatusCode, text: &str) -> Answer {
    json(status, &json!({ "message": text }))
}

/// What the common headers need to know of the request.
pub(crate) struct Asked {
    started: Instant,
    origin: Option<HeaderValue>,
}

impl Asked {
    /// Notes the request at its start.
    pub(crate) fn note(headers: &HeaderMap) -> Self {
        Self {
            started: Instant::now(),
            origin: headers.get(header::ORIGIN).cloned(),
        }
    }

    /// Adds the common headers.
    pub(crate) fn finish(self, mut answer: Answer, served: &Served) -> Answer {
        let shown = &served.admin.headers;
        let headers = answer.headers_mut();
        let origin = self.origin.unwrap_or(HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // Nobody is signed in at the Status API.
        if served.api == Api::Admin {
            let credentials = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
        }
        if let Some(server) = &shown.server {
            headers.insert(header::SERVER, server.clone());
        }
        if shown.latency {
            let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            headers.insert(ADMIN_LATENCY, HeaderValue::from(millis));
        }
        let id = uuid::Uuid::new_v4().simple().to_string();
        headers.insert(
            ADMIN_REQUEST_ID,
            HeaderValue::try_from(id).expect("hexadecimal digits"),
        );
        answer
    }
}

/// The answer to OPTIONS on a known path; `methods` in alphabetical order.
pub(crate) fn options(methods: &[Method], asked: &HeaderMap) -> Answer {
    let mut answer = empty(StatusCode::NO_CONTENT);
    let list = methods
        .iter()
        .map(Method::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let list = HeaderValue::try_from(list).expect("method names are tokens");
    let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let headers = answer.headers_mut();
    headers.insert(header::ALLOW, list.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, list);
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        wanted.unwrap_or(HeaderValue::from_static("Content-Type")),
    );
    answer
}
