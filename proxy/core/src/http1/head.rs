//! HTTP/1 heads as borrowed views: request and status lines, header fields, and the limits on
//! them. Parsing is `httparse`'s; what is accepted beyond its grammar is decided here.
//!
//! Limits are Kong's (nginx's `large_client_header_buffers 4 8k`, 1,000 header lines).
//! Source: RFC 9112 §2 to §5; `kong/templates/nginx_kong.lua`.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

/// Longest request head, request line and header section together.
pub const REQUEST_HEAD_BYTES_MAX: usize = 32 * 1024;

/// Longest response head taken from an upstream.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 32 * 1024;

/// Most header lines in one head.
pub const HEADERS_MAX: usize = 1_000;

/// Header lines that most heads stay below; a larger head is parsed a second time with more room.
const HEADERS_USUAL: usize = 64;

/// Room for the header views of one head.
pub type HeaderRoom<'b> = [MaybeUninit<Header<'b>>];

/// HTTP/1 minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

/// A parsed request head that borrows the receive buffer.
#[derive(Debug)]
pub struct RequestHead<'h, 'b> {
    /// Method as sent.
    pub method: &'b [u8],
    /// Request target as sent.
    pub target: &'b [u8],
    /// Version of the request line.
    pub version: Version,
    /// Header fields in order.
    pub headers: &'h [Header<'b>],
    /// Bytes of the head, its final empty line included.
    pub len: usize,
}

/// A parsed response head that borrows the receive buffer.
#[derive(Debug)]
pub struct ResponseHead<'h, 'b> {
    /// Version of the status line.
    pub version: Version,
    /// Status code, 100 to 999.
    pub status: u16,
    /// Reason phrase, perhaps empty.
    pub reason: &'b [u8],
    /// Header fields in order.
    pub headers: &'h [Header<'b>],
    /// Bytes of the head, its final empty line included.
    pub len: usize,
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHead {
    /// It does not follow the grammar.
    Malformed,
    /// The head or one of its parts is larger than the limits.
    TooLarge,
    /// A version other than 1.0 and 1.1.
    Version,
}

/// Whether `bytes` hold a whole head, looked for from `from` on: an empty line was received.
///
/// Cheap enough to run after each receive, so that a client that sends a head byte by byte does
/// not have it parsed as often.
pub fn is_whole(bytes: &[u8], from: usize) -> bool {
    let start = from.saturating_sub(3);
    memchr::memchr_iter(b'\n', &bytes[start..]).any(|at| {
        let rest = &bytes[start + at + 1..];
        rest.starts_with(b"\r\n") || rest.starts_with(b"\n")
    })
}

/// Whether `bytes` can no longer become a request head, however they go on: they begin with a byte
/// that no method has, as the records of TLS do. Waiting for their end would be in vain.
pub fn is_hopeless(bytes: &[u8]) -> bool {
    bytes
        .first()
        .is_some_and(|byte| !byte.is_ascii_graphic() && !matches!(byte, b'\r' | b'\n'))
}

/// Parses a request head and hands it to `then`.
///
/// Returns `None` while the head is incomplete.
///
/// # Errors
/// The reason why the head is refused.
pub fn with_request<'b, R>(
    bytes: &'b [u8],
    then: impl FnOnce(RequestHead<'_, 'b>) -> R,
) -> Result<Option<R>, BadHead> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS_USUAL];
    match parse_request(bytes, &mut room) {
        Ok(head) => Ok(head.map(then)),
        Err(BadHead::TooLarge) => with_large_request(bytes, then),
        Err(bad) => Err(bad),
    }
}

#[cold]
#[inline(never)]
fn with_large_request<'b, R>(
    bytes: &'b [u8],
    then: impl FnOnce(RequestHead<'_, 'b>) -> R,
) -> Result<Option<R>, BadHead> {
    let mut room = vec![MaybeUninit::uninit(); HEADERS_MAX];
    Ok(parse_request(bytes, &mut room)?.map(then))
}

fn parse_request<'h, 'b>(
    bytes: &'b [u8],
    room: &'h mut HeaderRoom<'b>,
) -> Result<Option<RequestHead<'h, 'b>>, BadHead> {
    let mut request = httparse::Request::new(&mut []);
    let parsed = request
        .parse_with_uninit_headers(bytes, room)
        .map_err(bad)?;
    let Status::Complete(len) = parsed else {
        return if bytes.len() >= REQUEST_HEAD_BYTES_MAX {
            Err(BadHead::TooLarge)
        } else {
            Ok(None)
        };
    };
    if len > REQUEST_HEAD_BYTES_MAX {
        return Err(BadHead::TooLarge);
    }
    Ok(Some(RequestHead {
        method: request.method.unwrap_or_default().as_bytes(),
        target: request.path.unwrap_or_default().as_bytes(),
        version: version(request.version)?,
        headers: request.headers,
        len,
    }))
}

/// Parses a response head and hands it to `then`.
///
/// Returns `None` while the head is incomplete.
///
/// # Errors
/// The reason why the head is refused.
pub fn with_response<'b, R>(
    bytes: &'b [u8],
    then: impl FnOnce(ResponseHead<'_, 'b>) -> R,
) -> Result<Option<R>, BadHead> {
    let mut room = [const { MaybeUninit::uninit() }; HEADERS_USUAL];
    match parse_response(bytes, &mut room) {
        Ok(head) => Ok(head.map(then)),
        Err(BadHead::TooLarge) => with_large_response(bytes, then),
        Err(bad) => Err(bad),
    }
}

#[cold]
#[inline(never)]
fn with_large_response<'b, R>(
    bytes: &'b [u8],
    then: impl FnOnce(ResponseHead<'_, 'b>) -> R,
) -> Result<Option<R>, BadHead> {
    let mut room = vec![MaybeUninit::uninit(); HEADERS_MAX];
    Ok(parse_response(bytes, &mut room)?.map(then))
}

fn parse_response<'h, 'b>(
    bytes: &'b [u8],
    room: &'h mut HeaderRoom<'b>,
) -> Result<Option<ResponseHead<'h, 'b>>, BadHead> {
    let mut response = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut response, bytes, room)
        .map_err(bad)?;
    let Status::Complete(len) = parsed else {
        return if bytes.len() >= RESPONSE_HEAD_BYTES_MAX {
            Err(BadHead::TooLarge)
        } else {
            Ok(None)
        };
    };
    if len > RESPONSE_HEAD_BYTES_MAX {
        return Err(BadHead::TooLarge);
    }
    let status = response.code.unwrap_or_default();
    if status < 100 {
        return Err(BadHead::Malformed);
    }
    Ok(Some(ResponseHead {
        version: version(response.version)?,
        status,
        reason: response.reason.unwrap_or_default().as_bytes(),
        headers: response.headers,
        len,
    }))
}

fn version(minor: Option<u8>) -> Result<Version, BadHead> {
    match minor {
        Some(0) => Ok(Version::Http10),
        Some(1) => Ok(Version::Http11),
        _ => Err(BadHead::Version),
    }
}

fn bad(error: httparse::Error) -> BadHead {
    match error {
        httparse::Error::TooManyHeaders => BadHead::TooLarge,
        httparse::Error::Version => BadHead::Version,
        _ => BadHead::Malformed,
    }
}

/// The items of a comma-separated list value, trimmed, empty ones left out.
pub fn list_items(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}
