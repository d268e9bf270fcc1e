//! Host names and addresses: what counts as one, and the normal form.
//!
//! Source: `kong/tools/ip.lua` of Kong 3.9.3. More than one colon makes an IPv6 address; digits,
//! dots and a colon only make an IPv4 address; everything else is a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A DNS name.
    Name(&'a str),
    /// An address.
    Ip(IpAddr),
}

/// A host with the port it was written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port.
    pub port: Option<u16>,
}

impl fmt::Display for Host<'_> {
    /// Kong's normal form: IPv6 in eight full groups and brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => {
                for (index, group) in ip.segments().iter().enumerate() {
                    write!(f, "{}{group:04x}", if index == 0 { "[" } else { ":" })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl<'a> HostPort<'a> {
    /// Reads a host with an optional port.
    ///
    /// # Errors
    /// Kong's message.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let colons = text.bytes().filter(|byte| *byte == b':').count();
        if colons > 1 {
            return parse_ipv6(text);
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, digits)) if is_digits(digits) => (host, Some(digits)),
            _ => (text, None),
        };
        let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b':';
        let host = if text.bytes().all(numeric) {
            let ip = parse_ipv4(host).ok_or_else(|| format!("invalid ipv4 address: {text}"))?;
            Host::Ip(IpAddr::V4(ip))
        } else if is_name(host) {
            Host::Name(host)
        } else {
            return Err(format!("invalid hostname: {text}"));
        };
        Ok(Self {
            host,
            port: port.map(parse_port).transpose()?,
        })
    }
}

fn parse_ipv6(text: &str) -> Result<HostPort<'_>, String> {
    let invalid = || format!("invalid ipv6 address: {text}");
    let (address, port) = match text.strip_prefix('[') {
        None => (text, None),
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or_else(invalid)?;
            let port = after.strip_prefix(':').filter(|digits| is_digits(digits));
            if port.is_none() && !after.is_empty() {
                return Err(invalid());
            }
            (address, port)
        }
    };
    let ip: Ipv6Addr = address.parse().map_err(|_| invalid())?;
    let host = Host::Ip(IpAddr::V6(ip));
    Ok(HostPort {
        host,
        port: port.map(parse_port).transpose()?,
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_port(digits: &str) -> Result<u16, String> {
    digits.parse().map_err(|_| "invalid port number".to_owned())
}

/// Four parts of one to three digits; leading zeros are dropped.
fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts
            .next()
            .filter(|part| part.len() <= 3 && is_digits(part))?;
        *octet = part
            .parse::<u16>()
            .ok()
            .and_then(|number| u8::try_from(number).ok())?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// Letters, digits, `-`, `_`, `.`; no label ends with `-`, only the last may be empty.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || !text.bytes().all(allowed) {
        return false;
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    labels
        .split('.')
        .all(|label| !label.is_empty() && !label.ends_with('-'))
}

/// `host`: a name or address without port.
pub fn without_port(text: &str) -> Result<(), String> {
    match HostPort::parse(text) {
        Err(_) => Err(format!("invalid value: {text}")),
        Ok(HostPort { port: Some(_), .. }) => Err("must not have a port".into()),
        Ok(_) => Ok(()),
    }
}

/// `host_with_optional_port`.
pub fn with_optional_port(text: &str) -> Result<(), String> {
    HostPort::parse(text).map(|_| ())
}

/// `sni`: a name.
pub fn server_name(text: &str) -> Result<(), String> {
    match HostPort::parse(text) {
        Err(_) => Err(format!("invalid value: {text}")),
        Ok(HostPort {
            host: Host::Ip(_), ..
        }) => Err("must not be an IP".into()),
        Ok(HostPort { port: Some(_), .. }) => Err("must not have a port".into()),
        Ok(_) => Ok(()),
    }
}

/// `wildcard_host`: a name whose first or last character may be `*`.
pub fn wildcard_server_name(text: &str) -> Result<(), String> {
    match text.bytes().filter(|byte| *byte == b'*').count() {
        0 => server_name(text),
        1 if text.starts_with('*') || text.ends_with('*') => {
            server_name(&text.replace('*', "wildcard"))
                .map_err(|error| error.replace("wildcard", "*"))
        }
        1 => Err("wildcard must be leftmost or rightmost character".into()),
        _ => Err("only one wildcard must be specified".into()),
    }
}

/// A member of a route's `hosts`: one label at either end may be `*`, a port may follow.
pub fn route_host(text: &str) -> Result<(), String> {
    match text.bytes().filter(|byte| *byte == b'*').count() {
        0 => with_optional_port(text),
        1 if text.starts_with("*.") || ends_with_wildcard_label(text) => {
            with_optional_port(&text.replace('*', "wildcard"))
                .map_err(|error| error.replace("wildcard", "*"))
        }
        1 => Err("invalid wildcard: must be placed at leftmost or rightmost label".into()),
        _ => Err("invalid wildcard: must have at most one wildcard".into()),
    }
}

fn ends_with_wildcard_label(text: &str) -> bool {
    let host = match text.rsplit_once(':') {
        Some((host, digits)) if is_digits(digits) => host,
        _ => text,
    };
    host.ends_with(".*")
}

/// `ip`: an address of either version.
pub fn ip(text: &str) -> Result<(), String> {
    let parsed = text.parse::<IpAddr>();
    parsed
        .map(drop)
        .map_err(|_| format!("not an ip address: {text}"))
}

/// `ip_or_cidr`.
pub fn ip_or_cidr(text: &str) -> Result<(), String> {
    let invalid = || format!("invalid ip or cidr range: '{text}'");
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip, Some(bits)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().map_err(|_| invalid())?;
    let bits_max = if ip.is_ipv4() { 32 } else { 128 };
    let fits = |bits: &str| is_digits(bits) && bits.parse::<u8>().is_ok_and(|n| n <= bits_max);
    if bits.is_none_or(fits) {
        Ok(())
    } else {
        Err(invalid())
    }
}

/// An upstream's name: a host name that is not an address and has no port.
pub fn upstream_name(text: &str) -> Result<(), String> {
    let problem = match HostPort::parse(text) {
        Err(_) => "must be a valid hostname",
        Ok(HostPort {
            host: Host::Ip(_), ..
        }) => "no ip addresses allowed",
        Ok(HostPort { port: Some(_), .. }) => "no port allowed",
        Ok(_) => return Ok(()),
    };
    Err(format!("Invalid name ('{text}'); {problem}"))
}

/// A target: any host with an optional port.
pub fn target(text: &str) -> Result<(), String> {
    HostPort::parse(text)
        .map(|_| ())
        .map_err(|_| format!("Invalid target ('{text}'); not a valid hostname or ip address"))
}
