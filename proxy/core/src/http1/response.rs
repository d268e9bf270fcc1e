//! What an upstream's response head says, and the head that goes to the client in its place.
//!
//! Source: `kong/runloop/handler.lua` (`header_filter`), nginx's proxy module; RFC 9112 §6.3.

use super::head::{ResponseHead, Version};
use super::request::{
    Framing, drop_listed, keep_alive, parse_length, put, put_fields, put_framing, put_number,
};
use crate::header_set::HeaderSet;

/// Which headers the gateway adds to responses: the `headers` property of `kong.conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `Server` where the upstream sent none, and on our own answers.
    pub server: bool,
    /// `Via`
    pub via: bool,
    /// `X-Kong-Proxy-Latency`
    pub proxy_latency: bool,
    /// `X-Kong-Upstream-Latency`
    pub upstream_latency: bool,
    /// `X-Kong-Response-Latency`, on our own answers.
    pub response_latency: bool,
    /// `X-Kong-Upstream-Status`
    pub upstream_status: bool,
    /// `X-Kong-Request-Id`
    pub request_id: bool,
}

impl Default for ResponseHeaders {
    /// `server_tokens, latency_tokens, X-Kong-Request-Id`
    fn default() -> Self {
        Self {
            server: true,
            via: true,
            proxy_latency: true,
            upstream_latency: true,
            response_latency: true,
            upstream_status: false,
            request_id: true,
        }
    }
}

/// What a response head says, beside its fields.
#[derive(Debug)]
pub struct ResponseFacts<'b> {
    /// How the body is delimited.
    pub framing: Framing,
    /// Whether the upstream keeps the connection open afterwards.
    pub keep_alive: bool,
    /// Content-Length as sent, also where there is no body (HEAD, 304).
    pub content_length: Option<u64>,
    /// The upstream's first Via value.
    pub via: Option<&'b [u8]>,
    /// Whether the upstream sent a Server header.
    pub has_server: bool,
    /// Header lines that do not pass to the client, by position.
    pub dropped: HeaderSet,
}

/// The upstream's response cannot be trusted to end where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadResponse;

impl<'b> ResponseFacts<'b> {
    /// Reads the facts from the head that answers a request of method `method`.
    ///
    /// # Errors
    /// When its framing is ambiguous.
    pub fn read(
        head: &ResponseHead<'_, 'b>,
        is_head_request: bool,
        settings: &ResponseHeaders,
    ) -> Result<Self, BadResponse> {
        let mut facts = Self {
            framing: Framing::Close,
            keep_alive: head.version == Version::Http11,
            content_length: None,
            via: None,
            has_server: false,
            dropped: HeaderSet::default(),
        };
        let mut connection = None;
        let mut is_chunked = false;
        for (index, header) in head.headers.iter().enumerate() {
            let name = header.name.as_bytes();
            let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
            let drop = match name.len() {
                3 if settings.via && is("via") => {
                    facts.via.get_or_insert(header.value);
                    true
                }
                6 if is("server") => {
                    facts.has_server = true;
                    false
                }
                7 if is("trailer") || is("upgrade") => true,
                10 if is("connection") => {
                    connection.get_or_insert(header.value);
                    keep_alive(header.value, &mut facts.keep_alive);
                    true
                }
                10 if is("keep-alive") => true,
                14 if is("content-length") => {
                    let length = parse_length(header.value).ok_or(BadResponse)?;
                    if facts.content_length.replace(length).is_some() {
                        return Err(BadResponse);
                    }
                    true
                }
                17 if is("transfer-encoding") => {
                    if is_chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                        return Err(BadResponse);
                    }
                    is_chunked = true;
                    true
                }
                17 if settings.request_id && is("x-kong-request-id") => true,
                15 if is("x-accel-expires") || is("x-accel-charset") => true,
                16 if is("x-accel-redirect") => true,
                17 if is("x-accel-buffering") => true,
                18 if is("x-accel-limit-rate") => true,
                20 if settings.proxy_latency && is("x-kong-proxy-latency") => true,
                22 if settings.upstream_status && is("x-kong-upstream-status") => true,
                23 if settings.upstream_latency && is("x-kong-upstream-latency") => true,
                _ => false,
            };
            if drop {
                facts.dropped.insert(index);
            }
        }
        if let Some(listed) = connection {
            drop_listed(listed, head.headers, &mut facts.dropped).map_err(|_| BadResponse)?;
        }
        facts.framing = match (is_chunked, facts.content_length) {
            _ if is_head_request || head.status < 200 || matches!(head.status, 204 | 304) => {
                Framing::None
            }
            (true, Some(_)) => return Err(BadResponse),
            (true, None) if head.version == Version::Http10 => return Err(BadResponse),
            (true, None) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Close,
        };
        // A 204 that announces a body may send it, where the next answer is expected.
        let has_illegal_body =
            head.status == 204 && (is_chunked || facts.content_length.is_some_and(|len| len > 0));
        facts.keep_alive &= facts.framing != Framing::Close && !has_illegal_body;
        Ok(facts)
    }
}

/// Everything besides the upstream's own head that the client's head is written from.
#[derive(Debug)]
pub struct ClientHead<'a> {
    /// Which headers to add.
    pub settings: &'a ResponseHeaders,
    /// How the body is delimited towards the client.
    pub framing: Framing,
    /// Whether the client's connection stays open.
    pub keep_alive: bool,
    /// Milliseconds from the last choice of a peer to the upstream's head.
    pub upstream_latency_ms: u64,
    /// Milliseconds spent here before that.
    pub proxy_latency_ms: u64,
    /// X-Kong-Request-Id.
    pub request_id: &'a [u8],
    /// Our product token, as in Server.
    pub product: &'a [u8],
}

impl ClientHead<'_> {
    /// Writes the head to `out`: the upstream's status line and remaining fields as sent, then ours.
    pub fn write(&self, head: &ResponseHead<'_, '_>, facts: &ResponseFacts<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        put_number(out, u64::from(head.status));
        put(out, &[b" ", head.reason, b"\r\n"]);
        put_fields(out, head.headers, &facts.dropped);
        match (self.framing, facts.content_length) {
            // No body, but its length would have been so: HEAD and 304 keep it.
            (Framing::None, Some(length)) => put_framing(out, Framing::Length(length)),
            (framing, _) => put_framing(out, framing),
        }
        out.extend_from_slice(match self.keep_alive {
            true => b"Connection: keep-alive\r\n".as_slice(),
            false => b"Connection: close\r\n",
        });
        if self.settings.server && !facts.has_server {
            put(out, &[b"Server: ", self.product, b"\r\n"]);
        }
        if self.settings.upstream_status {
            put_line(out, b"X-Kong-Upstream-Status: ", u64::from(head.status));
        }
        if self.settings.upstream_latency {
            put_line(out, b"X-Kong-Upstream-Latency: ", self.upstream_latency_ms);
        }
        if self.settings.proxy_latency {
            put_line(out, b"X-Kong-Proxy-Latency: ", self.proxy_latency_ms);
        }
        if self.settings.via {
            match facts.via {
                Some(via) => put(out, &[b"Via: ", via, b", 1.1 ", self.product, b"\r\n"]),
                None => put(out, &[b"Via: 1.1 ", self.product, b"\r\n"]),
            }
        }
        if self.settings.request_id {
            put(out, &[b"X-Kong-Request-Id: ", self.request_id, b"\r\n"]);
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn put_line(out: &mut Vec<u8>, name: &[u8], number: u64) {
    out.extend_from_slice(name);
    put_number(out, number);
    out.extend_from_slice(b"\r\n");
}
