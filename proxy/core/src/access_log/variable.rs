//! The variables of formats and their values.
//!
//! Ours, beside nginx's: `$kong_request_id`, `$service_id`, `$service_name`, `$route_id`,
//! `$route_name`, and `$proxy_latency` and `$upstream_latency` in milliseconds, as the headers of
//! these names have them.

use std::io::Write as _;

use super::{
    Entry, Format, FormatError,
    format::{Escape, FORMAT_FIELDS_MAX},
    head::{fields, parts, request_line},
};
use crate::{http1::request::put_number, timestamp::put_millis, uri::Authority};

/// Longest user name that is logged of an Authorization header; a longer one is cut.
const USER_BYTES_MAX: usize = 256;

/// One variable. `Field` and `User` hold the position of their header among the format's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Field(usize),
    User(usize),
    Host(usize),
    Argument(Box<[u8]>),
    Fixed(&'static str),
    RemoteAddr,
    RemotePort,
    ServerAddr,
    ServerPort,
    ServerName,
    TimeLocal,
    TimeIso8601,
    Msec,
    Request,
    Method,
    Uri,
    Arguments,
    Protocol,
    Status,
    BytesSent,
    BodyBytesSent,
    RequestId,
    RequestTime,
    UpstreamAddr,
    UpstreamStatus,
    UpstreamHeaderTime,
    UpstreamResponseTime,
    Connection,
    ConnectionRequests,
    Pid(u32),
    ServiceId,
    ServiceName,
    RouteId,
    RouteName,
    ProxyLatency,
    UpstreamLatency,
}

/// The variables without a part of the name that is free, but for those that need a header.
const NAMED: [(&str, Variable); 34] = [
    ("remote_addr", Variable::RemoteAddr),
    ("remote_port", Variable::RemotePort),
    ("server_addr", Variable::ServerAddr),
    ("server_port", Variable::ServerPort),
    ("server_name", Variable::ServerName),
    ("scheme", Variable::Fixed("http")),
    ("https", Variable::Fixed("")),
    ("time_local", Variable::TimeLocal),
    ("time_iso8601", Variable::TimeIso8601),
    ("msec", Variable::Msec),
    ("request", Variable::Request),
    ("request_method", Variable::Method),
    ("request_uri", Variable::Uri),
    ("args", Variable::Arguments),
    ("query_string", Variable::Arguments),
    ("server_protocol", Variable::Protocol),
    ("status", Variable::Status),
    ("bytes_sent", Variable::BytesSent),
    ("body_bytes_sent", Variable::BodyBytesSent),
    ("request_id", Variable::RequestId),
    ("kong_request_id", Variable::RequestId),
    ("request_time", Variable::RequestTime),
    ("upstream_addr", Variable::UpstreamAddr),
    ("upstream_status", Variable::UpstreamStatus),
    ("upstream_header_time", Variable::UpstreamHeaderTime),
    ("upstream_response_time", Variable::UpstreamResponseTime),
    ("connection", Variable::Connection),
    ("connection_requests", Variable::ConnectionRequests),
    ("service_id", Variable::ServiceId),
    ("service_name", Variable::ServiceName),
    ("route_id", Variable::RouteId),
    ("route_name", Variable::RouteName),
    ("proxy_latency", Variable::ProxyLatency),
    ("upstream_latency", Variable::UpstreamLatency),
];

/// Those that need a header, or the process.
const OTHERS: [&str; 5] = [
    "remote_user",
    "host",
    "content_type",
    "content_length",
    "pid",
];

impl Variable {
    /// The variable of that name; the headers that it needs are added to `fields`.
    pub(super) fn find(name: &str, fields: &mut Vec<Box<[u8]>>) -> Result<Self, FormatError> {
        if let Some((_, variable)) = NAMED.iter().find(|(other, _)| *other == name) {
            return Ok(variable.clone());
        }
        Ok(match name {
            "remote_user" => Self::User(position(fields, "authorization")?),
            "host" => Self::Host(position(fields, "host")?),
            "content_type" | "content_length" => Self::Field(position(fields, name)?),
            "pid" => Self::Pid(std::process::id()),
            _ => match (name.strip_prefix("http_"), name.strip_prefix("arg_")) {
                (Some(field), _) if !field.is_empty() => Self::Field(position(fields, field)?),
                (_, Some(argument)) if !argument.is_empty() => {
                    Self::Argument(argument.as_bytes().into())
                }
                _ => return Err(FormatError::Variable(name.to_owned())),
            },
        })
    }

    /// The names that are known, but for `$http_<name>` and `$arg_<name>`.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name).chain(OTHERS)
    }

    /// Whether its value is known only by a look at the clock when the exchange has ended.
    pub(super) fn needs_clock(&self) -> bool {
        matches!(
            self,
            Self::RequestTime | Self::UpstreamResponseTime | Self::Msec
        )
    }

    /// Appends the value, or what stands for none.
    pub(super) fn write(
        &self,
        format: &Format,
        entry: &Entry<'_>,
        found: &Found<'_>,
        out: &mut Vec<u8>,
    ) {
        let escape = format.escape;
        let text = |value: Option<&[u8]>, out: &mut Vec<u8>| match value {
            Some(value) => escape.write(value, out),
            None => escape.write_missing(out),
        };
        let service = entry.route.and_then(|route| route.service.as_ref());
        match self {
            Self::Field(at) => write_field(format, *at, entry, found, out),
            Self::User(at) => {
                let mut room = [0; USER_BYTES_MAX];
                let user = found.values[*at].and_then(|value| basic_user(value, &mut room));
                text(user, out);
            }
            Self::Host(at) => write_host(escape, found.values[*at], entry, out),
            Self::Argument(name) => text(argument(entry.head, name), out),
            Self::Fixed(value) => out.extend_from_slice(value.as_bytes()),
            Self::RemoteAddr => put_display(out, entry.client.ip().to_canonical()),
            Self::RemotePort => put_number(out, entry.client.port().into()),
            Self::ServerAddr => put_display(out, entry.local.ip().to_canonical()),
            Self::ServerPort => put_number(out, entry.local.port().into()),
            Self::ServerName => text(Some(entry.server_name.as_bytes()), out),
            Self::TimeLocal => entry.time.write_access(out),
            Self::TimeIso8601 => entry.time.write_iso8601(out),
            Self::Msec => entry.time.write_msec(out),
            Self::Request => {
                let line = request_line(entry.head);
                text((!line.is_empty()).then_some(line), out);
            }
            Self::Method => text(parts(entry.head).map(|parts| parts[0]), out),
            Self::Uri => text(parts(entry.head).map(|parts| parts[1]), out),
            Self::Arguments => text(query(entry.head), out),
            Self::Protocol => text(parts(entry.head).map(|parts| parts[2]), out),
            Self::Status => put_number(out, entry.status.into()),
            Self::BytesSent => put_number(out, entry.bytes_sent),
            Self::BodyBytesSent => put_number(out, entry.body_bytes_sent),
            Self::RequestId => text(entry.request_id, out),
            Self::RequestTime => put_millis(out, entry.request_ms),
            Self::UpstreamAddr => match entry.upstream.and_then(|upstream| upstream.address) {
                Some(address) => put_display(out, address),
                None => text(None, out),
            },
            Self::UpstreamStatus => match entry.upstream {
                Some(upstream) => put_number(out, upstream.status.into()),
                None => text(None, out),
            },
            Self::UpstreamHeaderTime => match entry.upstream {
                Some(upstream) => put_millis(out, upstream.latency.upstream_ms),
                None => text(None, out),
            },
            Self::UpstreamResponseTime => match entry.upstream {
                Some(upstream) => put_millis(out, upstream.response_ms),
                None => text(None, out),
            },
            Self::Connection => put_number(out, entry.connection),
            Self::ConnectionRequests => put_number(out, entry.connection_requests),
            Self::Pid(pid) => put_number(out, (*pid).into()),
            Self::ServiceId => match service {
                Some(service) => put_display(out, service.service),
                None => text(None, out),
            },
            Self::ServiceName => {
                let name = service.and_then(|service| service.name.as_deref());
                text(name.map(str::as_bytes), out);
            }
            Self::RouteId => match entry.route {
                Some(route) => put_display(out, route.route),
                None => text(None, out),
            },
            Self::RouteName => {
                let name = entry.route.and_then(|route| route.name.as_deref());
                text(name.map(str::as_bytes), out);
            }
            Self::ProxyLatency => {
                let latency = entry.upstream.map(|upstream| upstream.latency.proxy_ms);
                put_optional(escape, latency, out);
            }
            Self::UpstreamLatency => {
                let latency = entry.upstream.map(|upstream| upstream.latency.upstream_ms);
                put_optional(escape, latency, out);
            }
        }
    }
}

/// Adds a header's name, unless it is there, and says where it stands.
fn position(fields: &mut Vec<Box<[u8]>>, name: &str) -> Result<usize, FormatError> {
    let folded: Box<[u8]> = name.bytes().map(fold).collect();
    if let Some(at) = fields.iter().position(|field| *field == folded) {
        return Ok(at);
    }
    if fields.len() == FORMAT_FIELDS_MAX {
        return Err(FormatError::Fields);
    }
    fields.push(folded);
    Ok(fields.len() - 1)
}

/// nginx's variables have `_` where headers have `-`, and know no case.
fn fold(byte: u8) -> u8 {
    match byte {
        b'-' => b'_',
        _ => byte.to_ascii_lowercase(),
    }
}

fn is_named(name: &[u8], folded: &[u8]) -> bool {
    name.len() == folded.len() && name.iter().zip(folded).all(|(a, b)| fold(*a) == *b)
}

/// The values of a format's headers: the first ones, and which of them are not the only ones.
pub(super) struct Found<'a> {
    values: [Option<&'a [u8]>; FORMAT_FIELDS_MAX],
    repeated: u32,
}

impl<'a> Entry<'a> {
    /// Looks the headers up, in one pass over the head.
    pub(super) fn look_up(&self, wanted: &[Box<[u8]>]) -> Found<'a> {
        let mut found = Found {
            values: [None; FORMAT_FIELDS_MAX],
            repeated: 0,
        };
        if wanted.is_empty() {
            return found;
        }
        for (name, value) in fields(self.head) {
            if let Some(at) = wanted.iter().position(|folded| is_named(name, folded)) {
                match &mut found.values[at] {
                    Some(_) => found.repeated |= 1 << at,
                    first => *first = Some(value),
                }
            }
        }
        found
    }
}

/// A header that was sent several times is one list.
fn write_field(
    format: &Format,
    at: usize,
    entry: &Entry<'_>,
    found: &Found<'_>,
    out: &mut Vec<u8>,
) {
    match found.values[at] {
        None => format.escape.write_missing(out),
        Some(value) if found.repeated & 1 << at == 0 => format.escape.write(value, out),
        Some(_) => {
            let wanted = &format.fields[at];
            let same = fields(entry.head).filter(|(name, _)| is_named(name, wanted));
            for (index, (_, value)) in same.enumerate() {
                if index > 0 {
                    out.extend_from_slice(b", ");
                }
                format.escape.write(value, out);
            }
        }
    }
}

/// The host of the request line, else of the Host header, in lower case and without port; else the
/// server's name.
fn write_host(escape: Escape, field: Option<&[u8]>, entry: &Entry<'_>, out: &mut Vec<u8>) {
    let absolute = parts(entry.head)
        .and_then(|parts| crate::uri::Target::parse(parts[1]).ok())
        .and_then(|target| target.authority);
    let authority = absolute.or_else(|| field.and_then(|host| Authority::parse(host).ok()));
    match authority {
        Some(authority) => {
            let start = out.len();
            escape.write(authority.host, out);
            out[start..].make_ascii_lowercase();
        }
        None => escape.write(entry.server_name.as_bytes(), out),
    }
}

fn query(head: &[u8]) -> Option<&[u8]> {
    let target = parts(head)?[1];
    let at = memchr::memchr(b'?', target)?;
    Some(&target[at + 1..])
}

fn argument<'b>(head: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    query(head)?.split(|byte| *byte == b'&').find_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        let is_it = pair[..at].eq_ignore_ascii_case(name);
        is_it.then_some(&pair[at + 1..])
    })
}

/// A number, or what stands for none: JSON has a word for it.
fn put_optional(escape: Escape, number: Option<u64>, out: &mut Vec<u8>) {
    match (number, escape) {
        (Some(number), _) => put_number(out, number),
        (None, Escape::Json) => out.extend_from_slice(b"null"),
        (None, _) => escape.write_missing(out),
    }
}

/// Appends what shows itself as text, without a detour by a `String`.
fn put_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // A vector takes all.
    let _ = write!(out, "{value}");
}

/// The user name of `Basic` credentials, decoded into `room`; `None` when they are malformed.
fn basic_user<'r>(value: &[u8], room: &'r mut [u8; USER_BYTES_MAX]) -> Option<&'r [u8]> {
    let (scheme, credentials) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let (mut bits, mut count, mut len, mut end) = (0_u32, 0, 0, None);
    for byte in credentials
        .trim_ascii()
        .iter()
        .take_while(|byte| **byte != b'=')
    {
        bits = bits << 6 | sextet(*byte)?;
        count += 6;
        if count >= 8 {
            count -= 8;
            let decoded = (bits >> count & 0xff) as u8;
            if decoded == b':' {
                end = end.or(Some(len));
            } else if end.is_none() && len < room.len() {
                room[len] = decoded;
                len += 1;
            }
        }
    }
    let user = &room[..end?];
    (!user.is_empty()).then_some(user)
}

/// The six bits of a digit of base64.
fn sextet(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
