//! A `Host` value or the authority of an absolute-form target, split into host and port.
//!
//! Accepts and refuses what nginx does (`ngx_http_validate_host`); Kong's router sees the raw
//! value, `X-Forwarded-Host` the [lower-cased host](Authority::write_lower).

use std::fmt;

use super::is_control_or_space;

/// The `Host` value cannot be used: empty host, slash, control character, space, or two dots in
/// a row. Answered with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadAuthority;

impl fmt::Display for BadAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid host")
    }
}

impl std::error::Error for BadAuthority {}

/// Host and port as written; both borrow from the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host without port and without a closing dot; an IPv6 address keeps its brackets.
    pub host: &'a [u8],
    /// What follows the colon, if there is one. Not necessarily a number: a wrong port does no
    /// harm, for nothing connects to it.
    pub port: Option<&'a [u8]>,
}

impl<'a> Authority<'a> {
    /// Splits `value`.
    ///
    /// # Errors
    /// [`BadAuthority`] as nginx refuses it.
    pub fn parse(value: &'a [u8]) -> Result<Self, BadAuthority> {
        let is_bad = |&byte: &u8| byte == b'/' || is_control_or_space(byte);
        if value.iter().any(is_bad) || value.windows(2).any(|pair| pair == b"..") {
            return Err(BadAuthority);
        }
        let (host, rest) = value.split_at(host_len(value));
        let host = host.strip_suffix(b".").unwrap_or(host);
        if host.is_empty() {
            return Err(BadAuthority);
        }
        let port = memchr::memchr(b':', rest).map(|colon| &rest[colon + 1..]);
        Ok(Self { host, port })
    }

    /// The port, if it is written as a number from 1 to 65535.
    #[must_use]
    pub fn port_number(&self) -> Option<u16> {
        let digits = self.port?;
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        str::from_utf8(digits)
            .ok()?
            .parse()
            .ok()
            .filter(|&port| port != 0)
    }

    /// Appends the host in lower case, as `X-Forwarded-Host` carries it.
    pub fn write_lower(&self, out: &mut Vec<u8>) {
        out.extend(self.host.iter().map(u8::to_ascii_lowercase));
    }
}

/// The length of the host part: up to the first colon, or through the bracket of an IP literal.
fn host_len(value: &[u8]) -> usize {
    let end = match value.first() {
        Some(b'[') => memchr::memchr(b']', value).map(|bracket| bracket + 1),
        _ => memchr::memchr(b':', value),
    };
    end.unwrap_or(value.len())
}
