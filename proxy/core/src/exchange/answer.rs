//! The gateway's own answers: errors and redirects, with the headers that go with them
//! (`kong/error_handlers.lua`, `kong/runloop/handler.lua`).

use std::time::SystemTime;

use super::{Latency, PRODUCT, RequestId};
use crate::http1::{
    error_page::{BodyType, ErrorKind, Producer, write_body, write_server_page},
    head::BadHead,
    request::{Refusal, put, put_number},
    response::ResponseHeaders,
};

/// An answer that does not come from an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An error of Kong's table.
    Error(ErrorKind),
    /// A name could not be resolved, for another reason than that it does not exist.
    ResolveFailed {
        /// The name.
        name: String,
        /// What the resolver says.
        error: String,
    },
    /// A status that gets the web server's own page: 501 and 505.
    Page(u16),
    /// A redirect.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// Where to.
        location: Vec<u8>,
    },
}

/// In which form errors are shown to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forms {
    /// Errors of access checks.
    pub access: BodyType,
    /// Errors of the proxy itself.
    pub proxy: BodyType,
}

/// What an answer is written with.
#[derive(Debug)]
pub struct AnswerHead<'a> {
    /// In which form errors are shown.
    pub forms: Forms,
    /// Whether the connection stays open.
    pub keep_alive: bool,
    /// Whether the request was HEAD: the body is left out.
    pub is_head: bool,
    /// What the exchange took until now.
    pub latency: Latency,
    /// The time, for the Date header.
    pub now: SystemTime,
    /// The request id.
    pub request_id: &'a RequestId,
    /// Which headers to add.
    pub settings: &'a ResponseHeaders,
}

impl From<BadHead> for Answer {
    fn from(bad: BadHead) -> Self {
        match bad {
            BadHead::Malformed => Self::Error(ErrorKind::BadRequest),
            BadHead::TooLarge => Self::Error(ErrorKind::HeadersTooLarge),
            BadHead::Version => Self::Page(505),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadRequest => Self::Error(ErrorKind::BadRequest),
            Refusal::MethodNotAllowed => Self::Error(ErrorKind::MethodNotAllowed),
            Refusal::NotImplemented => Self::Page(501),
        }
    }
}

impl Answer {
    /// The status code.
    pub fn status(&self) -> u16 {
        match self {
            Self::Error(kind) => kind.status(),
            Self::ResolveFailed { .. } => 500,
            Self::Page(status) | Self::Redirect { status, .. } => *status,
        }
    }

    /// Whether the connection cannot go on afterwards.
    pub fn closes(&self) -> bool {
        match self {
            Self::Error(kind) => kind.closes_connection(),
            Self::Page(_) => true,
            Self::ResolveFailed { .. } | Self::Redirect { .. } => false,
        }
    }

    /// Whether it tells of an upstream that was tried: its latencies and Via are those of a
    /// proxied response then.
    pub fn is_after_try(&self) -> bool {
        use ErrorKind::{BadGateway, GatewayTimeout, NoPeerLeft, Unavailable};
        matches!(
            self,
            Self::Error(BadGateway | GatewayTimeout | NoPeerLeft | Unavailable)
        )
    }

    /// Appends head and body to `out`; returns the length of the head.
    pub fn write(&self, head: &AnswerHead<'_>, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let mut body = Vec::new();
        let content_type = self.body(head, &mut body);
        put(out, &[b"HTTP/1.1 "]);
        put_number(out, self.status().into());
        put(
            out,
            &[b" ", reason(self.status()).as_bytes(), b"\r\nDate: "],
        );
        put(out, &[httpdate::fmt_http_date(head.now).as_bytes()]);
        put(
            out,
            &[
                b"\r\nContent-Type: ",
                content_type.as_bytes(),
                b"\r\nContent-Length: ",
            ],
        );
        put_number(out, body.len() as u64);
        let connection = if head.keep_alive {
            "keep-alive"
        } else {
            "close"
        };
        put(out, &[b"\r\nConnection: ", connection.as_bytes()]);
        match self {
            Self::Error(ErrorKind::HttpsRequired) => {
                put(
                    out,
                    &[b"\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1"],
                );
            }
            Self::Redirect { location, .. } => put(out, &[b"\r\nLocation: ", location]),
            _ => {}
        }
        self.write_gateway_fields(head, out);
        put(out, &[b"\r\n\r\n"]);
        let head_len = out.len() - start;
        if !head.is_head {
            out.extend_from_slice(&body);
        }
        head_len
    }

    /// The fields of the `headers` setting.
    fn write_gateway_fields(&self, head: &AnswerHead<'_>, out: &mut Vec<u8>) {
        let settings = head.settings;
        let mut line = |is_on: bool, name: &str, value: u64| {
            if is_on {
                put(out, &[b"\r\n", name.as_bytes(), b": "]);
                put_number(out, value);
            }
        };
        if self.is_after_try() {
            line(
                settings.upstream_status,
                "X-Kong-Upstream-Status",
                self.status().into(),
            );
            line(
                settings.upstream_latency,
                "X-Kong-Upstream-Latency",
                head.latency.upstream_ms,
            );
            line(
                settings.proxy_latency,
                "X-Kong-Proxy-Latency",
                head.latency.proxy_ms,
            );
            if settings.via {
                put(out, &[b"\r\nVia: 1.1 ", PRODUCT.as_bytes()]);
            }
        } else {
            line(
                settings.response_latency,
                "X-Kong-Response-Latency",
                head.latency.total_ms(),
            );
        }
        if settings.server {
            put(out, &[b"\r\nServer: ", PRODUCT.as_bytes()]);
        }
        if settings.request_id {
            put(out, &[b"\r\nX-Kong-Request-Id: ", head.request_id]);
        }
    }

    /// Writes the body and says its type.
    fn body(&self, head: &AnswerHead<'_>, out: &mut Vec<u8>) -> &'static str {
        let request_id = str::from_utf8(head.request_id).unwrap_or_default();
        match self {
            Self::Error(kind) => {
                let form = match kind.producer(head.forms.proxy) {
                    Producer::Access => head.forms.access,
                    Producer::Proxy { default_type } => default_type,
                };
                write_body(form, kind.message(), request_id, out);
                form.content_type()
            }
            Self::ResolveFailed { name, error } => {
                let message =
                    format!("failed the initial dns/balancer resolve for '{name}' with: {error}");
                write_body(head.forms.access, &message, request_id, out);
                head.forms.access.content_type()
            }
            Self::Page(status) | Self::Redirect { status, .. } => {
                write_server_page(*status, reason(*status), out);
                if matches!(status, 301 | 302) {
                    "text/html"
                } else {
                    "text/html; charset=UTF-8"
                }
            }
        }
    }
}

/// Reason phrases, as nginx has them, of the statuses that the gateway itself answers with.
fn reason(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Not Allowed",
        408 => "Request Time-out",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        415 => "Unsupported Media Type",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
