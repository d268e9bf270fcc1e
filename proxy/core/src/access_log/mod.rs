//! Lines of access logs: which formats there are, and what a line of one exchange says.
//!
//! A [`Format`] is compiled once from nginx's `log_format` syntax into a list of pieces; rendering
//! one [`Entry`] appends to a buffer and allocates nothing once that has its size. Values that come
//! from outside are escaped as the format asks, so that no client can end a line or forge a field.
//!
//! | module | owns |
//! |---|---|
//! | `format` | the syntax of a declaration, the built-in formats, compiling |
//! | `variable` | the variables there are, and their values |
//! | `head` | what the raw head of a request says |
//! | `escape` | escaping of values |
//!
//! Source: nginx's `ngx_http_log_module` and `ngx_http_variables.c`; `kong/templates/nginx_kong.lua`
//! (`kong_log_format`). Deviations: variables that are not known here are refused when the format is
//! compiled; `$upstream_*` tell of the last try only; a value of `escape=json` that is not UTF-8 gets
//! U+FFFD where it is not, so that each line stays JSON.

mod escape;
mod format;
mod head;
mod variable;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

pub use self::format::{Escape, FORMAT_FIELDS_MAX, Format, FormatError, Formats};
pub use self::head::{field, request_line};
use crate::{
    exchange::{Latency, RoutePlan},
    timestamp::Timestamp,
};

/// What a line tells of one exchange.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The request head as it was received, perhaps only its beginning.
    pub head: &'a [u8],
    /// The client.
    pub client: SocketAddr,
    /// The address it connected to.
    pub local: SocketAddr,
    /// Name of the server, where the request names none.
    pub server_name: &'a str,
    /// Number of the client's connection.
    pub connection: u64,
    /// Requests on that connection, this one included.
    pub connection_requests: u64,
    /// The request id, where there is one.
    pub request_id: Option<&'a [u8]>,
    /// Status of the answer.
    pub status: u16,
    /// Bytes sent to the client.
    pub bytes_sent: u64,
    /// The same without the head.
    pub body_bytes_sent: u64,
    /// The time of the line.
    pub time: Timestamp,
    /// Milliseconds from the first byte of the request to now; exact only if the format
    /// [needs](Format::needs_clock) it.
    pub request_ms: u64,
    /// The route that matched, and its service.
    pub route: Option<&'a RoutePlan>,
    /// What came of forwarding it.
    pub upstream: Option<Forwarded>,
}

/// The last try of a request that was sent on.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded {
    /// The target; `None` when its name was not resolved.
    pub address: Option<SocketAddr>,
    /// Status that the upstream answered with, or that its failure is told with.
    pub status: u16,
    /// Time to the choice of the target, and from there to the head of the answer.
    pub latency: Latency,
    /// Milliseconds from the choice of the target to the end of the answer.
    pub response_ms: u64,
}
