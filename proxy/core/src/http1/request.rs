//! What a request head says, and the head that goes to the upstream in its place.
//!
//! Framing is decided once, strictly (RFC 9112 §6.3): anything by which two parsers could disagree
//! about where the message ends is refused. Header rules are Kong's (`kong/runloop/handler.lua`,
//! `kong/templates/nginx_kong.lua`): names listed in the first Connection line, hop-by-hop fields
//! and the fields that the gateway sets itself do not pass.

use super::head::{RequestHead, Version, list_items};
use crate::{
    header_set::HeaderSet,
    uri::{Authority, Target},
};

/// Most names in a Connection line. Each is compared with every field, so that two long lists
/// together must not cost a shard milliseconds.
pub const LISTED_MAX: usize = 64;

/// Longest method name.
pub const METHOD_BYTES_MAX: usize = 64;

/// How a message body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes, perhaps 0: an empty body is announced to the other side as it was here.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Until the connection closes; responses only.
    Close,
}

/// Why a request is answered without being routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400
    BadRequest,
    /// 405: TRACE
    MethodNotAllowed,
    /// 501: a transfer coding other than `chunked`
    NotImplemented,
}

/// What a request head says, beside its fields.
#[derive(Debug)]
pub struct RequestFacts<'b> {
    /// The request target, taken apart.
    pub target: Target<'b>,
    /// The Host header as sent.
    pub host: Option<&'b [u8]>,
    /// The Host header, taken apart.
    pub authority: Option<Authority<'b>>,
    /// How the body is delimited.
    pub framing: Framing,
    /// Whether the client keeps the connection open afterwards.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    /// Whether the client accepts trailers.
    pub accepts_trailers: bool,
    /// The first Via value.
    pub via: Option<&'b [u8]>,
    /// The first X-Forwarded-For value.
    pub forwarded_for: Option<&'b [u8]>,
    /// The first Accept value.
    pub accept: Option<&'b [u8]>,
    /// The first Content-Type value.
    pub content_type: Option<&'b [u8]>,
    /// Header lines that do not pass to the upstream, by position.
    pub dropped: HeaderSet,
}

impl<'b> RequestFacts<'b> {
    /// Reads the facts from a head.
    ///
    /// # Errors
    /// Why the request must be answered at once.
    pub fn read(head: &RequestHead<'_, 'b>) -> Result<Self, Refusal> {
        if !is_method(head.method) {
            return Err(Refusal::BadRequest);
        }
        let target = Target::parse(head.target).map_err(|_| Refusal::BadRequest)?;
        let mut reader = Reader::new(head.version, target);
        for (index, header) in head.headers.iter().enumerate() {
            reader.field(index, header.name.as_bytes(), header.value)?;
        }
        let facts = reader.finish(head)?;
        if head.method == b"TRACE" {
            return Err(Refusal::MethodNotAllowed);
        }
        Ok(facts)
    }
}

/// nginx accepts upper-case letters, `_` and `-` in methods; CONNECT has no meaning here.
fn is_method(method: &[u8]) -> bool {
    !method.is_empty()
        && method.len() <= METHOD_BYTES_MAX
        && method
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'))
        && method != b"CONNECT"
}

/// Collects facts field by field.
struct Reader<'b> {
    facts: RequestFacts<'b>,
    hosts: u32,
    content_length: Option<u64>,
    transfer_encoding: Option<&'b [u8]>,
    connection: Option<&'b [u8]>,
}

impl<'b> Reader<'b> {
    fn new(version: Version, target: Target<'b>) -> Self {
        Self {
            facts: RequestFacts {
                target,
                host: None,
                authority: None,
                framing: Framing::None,
                keep_alive: version == Version::Http11,
                expects_continue: false,
                accepts_trailers: false,
                via: None,
                forwarded_for: None,
                accept: None,
                content_type: None,
                dropped: HeaderSet::default(),
            },
            hosts: 0,
            content_length: None,
            transfer_encoding: None,
            connection: None,
        }
    }

    fn field(&mut self, index: usize, name: &[u8], value: &'b [u8]) -> Result<(), Refusal> {
        let facts = &mut self.facts;
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        // Grouped by length, so that most fields cost one comparison or none.
        let drop = match name.len() {
            2 if is("te") => {
                facts.accepts_trailers |=
                    list_items(value).any(|item| item.eq_ignore_ascii_case(b"trailers"));
                true
            }
            3 if is("via") => first(&mut facts.via, value),
            4 if is("host") => {
                self.hosts += 1;
                first(&mut facts.host, value)
            }
            5 if is("proxy") => true,
            6 if is("expect") => {
                facts.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
                true
            }
            6 if is("accept") => !first(&mut facts.accept, value),
            7 if is("upgrade") => true,
            9 if is("x-real-ip") => true,
            10 if is("connection") => {
                self.connection.get_or_insert(value);
                keep_alive(value, &mut facts.keep_alive);
                true
            }
            10 if is("keep-alive") => true,
            12 if is("content-type") => !first(&mut facts.content_type, value),
            14 if is("content-length") => {
                if self.content_length.replace(length(value)?).is_some() {
                    return Err(Refusal::BadRequest);
                }
                true
            }
            15 if is("x-forwarded-for") => first(&mut facts.forwarded_for, value),
            16 if is("x-forwarded-host") || is("x-forwarded-port") || is("x-forwarded-path") => {
                true
            }
            16 if is("proxy-connection") => true,
            17 if is("x-forwarded-proto") || is("x-kong-request-id") => true,
            17 if is("transfer-encoding") => {
                if self.transfer_encoding.replace(value).is_some() {
                    return Err(Refusal::BadRequest);
                }
                true
            }
            18 if is("x-forwarded-prefix") => true,
            20 if is("x-kong-request-debug") => true,
            24 if is("x-kong-request-debug-log") => true,
            26 if is("x-kong-request-debug-token") => true,
            _ => false,
        };
        if drop {
            facts.dropped.insert(index);
        }
        Ok(())
    }

    fn finish(mut self, head: &RequestHead<'_, 'b>) -> Result<RequestFacts<'b>, Refusal> {
        if self.hosts > 1 || self.hosts == 0 && head.version == Version::Http11 {
            return Err(Refusal::BadRequest);
        }
        if let Some(host) = self.facts.host {
            let authority = Authority::parse(host).map_err(|_| Refusal::BadRequest)?;
            self.facts.authority = Some(authority);
        }
        self.facts.framing = self.framing(head.version)?;
        if let Some(listed) = self.connection {
            drop_listed(listed, head.headers, &mut self.facts.dropped)
                .map_err(|_| Refusal::BadRequest)?;
        }
        Ok(self.facts)
    }

    fn framing(&self, version: Version) -> Result<Framing, Refusal> {
        match (self.transfer_encoding, self.content_length) {
            (None, None) => Ok(Framing::None),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (Some(_), Some(_)) => Err(Refusal::BadRequest),
            (Some(_), None) if version == Version::Http10 => Err(Refusal::BadRequest),
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            (Some(_), None) => Err(Refusal::NotImplemented),
        }
    }
}

/// Applies what a Connection value says about keeping the connection.
pub(crate) fn keep_alive(value: &[u8], keep_alive: &mut bool) {
    for item in list_items(value) {
        if item.eq_ignore_ascii_case(b"close") {
            *keep_alive = false;
        } else if item.eq_ignore_ascii_case(b"keep-alive") {
            *keep_alive = true;
        }
    }
}

/// Keeps the first value of a repeated field; says that the line does not pass.
fn first<'b>(slot: &mut Option<&'b [u8]>, value: &'b [u8]) -> bool {
    slot.get_or_insert(value);
    true
}

/// A Connection line has more than [`LISTED_MAX`] names.
#[derive(Debug)]
pub(crate) struct ListTooLong;

/// Marks the fields that a Connection value names, but for the names that mean the connection.
pub(crate) fn drop_listed(
    listed: &[u8],
    headers: &[httparse::Header<'_>],
    dropped: &mut HeaderSet,
) -> Result<(), ListTooLong> {
    for (count, item) in list_items(listed).enumerate() {
        if count == LISTED_MAX {
            return Err(ListTooLong);
        }
        let is_meaning = [b"close".as_slice(), b"keep-alive", b"upgrade"]
            .iter()
            .any(|meaning| item.eq_ignore_ascii_case(meaning));
        if is_meaning {
            continue;
        }
        for (index, header) in headers.iter().enumerate() {
            if header.name.as_bytes().eq_ignore_ascii_case(item) {
                dropped.insert(index);
            }
        }
    }
    Ok(())
}

/// Digits only, and below 2^63 (RFC 9112 §6.2).
fn length(value: &[u8]) -> Result<u64, Refusal> {
    parse_length(value).ok_or(Refusal::BadRequest)
}

/// A Content-Length value: digits only, below 2^63.
pub(crate) fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > 19 {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?
            .checked_add(digit)
            .filter(|sum| *sum < 1 << 63)
    })
}

/// Everything that the upstream's request head is written from.
#[derive(Debug)]
pub struct UpstreamHead<'a> {
    /// Path and query for the upstream, percent-encoded.
    pub target: &'a [u8],
    /// Host header for the upstream.
    pub host: &'a [u8],
    /// Address of the connected client, as text.
    pub client: &'a [u8],
    /// `http` or `https`.
    pub scheme: &'a [u8],
    /// X-Forwarded-Host: lower-case, without port.
    pub forwarded_host: &'a [u8],
    /// X-Forwarded-Port, as text.
    pub forwarded_port: &'a [u8],
    /// X-Forwarded-Path: the request target as sent, without query.
    pub forwarded_path: &'a [u8],
    /// X-Forwarded-Prefix, when something other than `/` was stripped.
    pub forwarded_prefix: Option<&'a [u8]>,
    /// X-Kong-Request-Id.
    pub request_id: &'a [u8],
    /// Our product token, as in Via.
    pub product: &'a [u8],
}

impl UpstreamHead<'_> {
    /// Writes the head to `out`, in Kong's order: the gateway's own fields, the client's remaining
    /// ones as sent, the framing last. Returns where the Host value stands.
    pub fn write(
        &self,
        head: &RequestHead<'_, '_>,
        facts: &RequestFacts<'_>,
        out: &mut Vec<u8>,
    ) -> usize {
        put(out, &[head.method, b" ", self.target, b" HTTP/1.1\r\n"]);
        if facts.accepts_trailers {
            out.extend_from_slice(b"TE: trailers\r\n");
        }
        let version = if head.version == Version::Http11 {
            b"1.1 ".as_slice()
        } else {
            b"1 "
        };
        match facts.via {
            Some(via) => put(out, &[b"Via: ", via, b", ", version, self.product]),
            None => put(out, &[b"Via: ", version, self.product]),
        }
        out.extend_from_slice(b"\r\nHost: ");
        let host_at = out.len();
        put(
            out,
            &[
                self.host,
                b"\r\nConnection: keep-alive\r\nX-Forwarded-For: ",
            ],
        );
        if let Some(earlier) = facts.forwarded_for {
            put(out, &[earlier, b", "]);
        }
        put(out, &[self.client, b"\r\nX-Forwarded-Proto: ", self.scheme]);
        put(out, &[b"\r\nX-Forwarded-Host: ", self.forwarded_host]);
        put(out, &[b"\r\nX-Forwarded-Port: ", self.forwarded_port]);
        put(out, &[b"\r\nX-Forwarded-Path: ", self.forwarded_path]);
        if let Some(prefix) = self.forwarded_prefix {
            put(out, &[b"\r\nX-Forwarded-Prefix: ", prefix]);
        }
        put(out, &[b"\r\nX-Real-IP: ", self.client]);
        put(out, &[b"\r\nX-Kong-Request-Id: ", self.request_id, b"\r\n"]);
        put_fields(out, head.headers, &facts.dropped);
        put_framing(out, facts.framing);
        out.extend_from_slice(b"\r\n");
        host_at
    }
}

/// Appends the parts.
pub(crate) fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends the header lines that are not dropped.
pub(crate) fn put_fields(out: &mut Vec<u8>, headers: &[httparse::Header<'_>], dropped: &HeaderSet) {
    for (index, header) in headers.iter().enumerate() {
        if !dropped.contains(index) {
            put(out, &[header.name.as_bytes(), b": ", header.value, b"\r\n"]);
        }
    }
}

/// Appends the header line that delimits the body.
pub(crate) fn put_framing(out: &mut Vec<u8>, framing: Framing) {
    match framing {
        Framing::None | Framing::Close => {}
        Framing::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            put_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
}

/// Appends a number in decimal, without allocating.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).expect("a digit fits a byte");
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
