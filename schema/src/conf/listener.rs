//! Listeners: `address:port` and flags (`kong/conf_loader/listeners.lua`, flags of the http lists).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Accept queue when the entry names none: nginx's on Linux.
const BACKLOG_DEFAULT: u32 = 511;
/// Listeners of one list.
const LISTENERS_MAX: usize = 256;

/// What a listener list must look like.
pub(super) const ACCEPTED: &str = "accepted is \"off\", or a comma-separated list of \
    [IPv4|IPv6|*|localhost]:[port] entries, each with any of the flags ssl, http2, \
    proxy_protocol, deferred, bind, reuseport, backlog=N, ipv6only=on|off, \
    so_keepalive=on|off|idle:interval:count";

/// One bound address and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// TLS on this socket.
    pub ssl: bool,
    /// HTTP/2; as in nginx, one entry with it sets it for the whole list.
    pub http2: bool,
    /// A PROXY protocol header comes first.
    pub proxy_protocol: bool,
    /// Accept only once data has arrived.
    pub deferred: bool,
    /// A bind call of its own.
    pub bind: bool,
    /// One socket for each shard.
    pub reuseport: bool,
    /// Accept queue, connections.
    pub backlog: u32,
    /// Whether an IPv6 socket refuses IPv4; `None`: the system's default.
    pub ipv6only: Option<bool>,
    /// TCP keep-alive probes; `None`: the system's default.
    pub so_keepalive: Option<KeepAlive>,
}

/// TCP keep-alive of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// Never.
    Off,
    /// With the system's parameters.
    On,
    /// With these parameters, where given.
    Probes {
        /// Seconds without traffic before the first probe.
        idle: Option<u32>,
        /// Seconds between probes.
        interval: Option<u32>,
        /// Unanswered probes before the connection counts as dead.
        count: Option<u32>,
    },
}

/// The listeners of a list; none for `off`. The error is the entry that does not fit.
pub(super) fn parse(text: &str) -> Result<Vec<Listener>, String> {
    let entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries[0] == "off" {
        return Ok(Vec::new());
    }
    if entries.len() > LISTENERS_MAX {
        return Err(format!("more than {LISTENERS_MAX} listeners"));
    }
    let mut listeners = Vec::with_capacity(entries.len());
    for entry in entries {
        listeners.push(parse_entry(entry).ok_or_else(|| format!("entry {entry:?} does not fit"))?);
    }
    let http2 = listeners.iter().any(|listener| listener.http2);
    for listener in &mut listeners {
        listener.http2 = http2;
    }
    Ok(listeners)
}

fn parse_entry(entry: &str) -> Option<Listener> {
    let (mut address, mut seen) = (None, Vec::new());
    let mut listener = Listener {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        ssl: false,
        http2: false,
        proxy_protocol: false,
        deferred: false,
        bind: false,
        reuseport: false,
        backlog: BACKLOG_DEFAULT,
        ipv6only: None,
        so_keepalive: None,
    };
    for word in entry.split_whitespace() {
        let flag = word.split('=').next().unwrap_or(word);
        if set_flag(&mut listener, word)? {
            if seen.contains(&flag) {
                return None;
            }
            seen.push(flag);
        } else if address.replace(parse_address(word)?).is_some() {
            return None;
        }
    }
    listener.address = address?;
    Some(listener)
}

/// Sets the flag that `word` is; `Some(false)` if it is none, `None` if its value does not fit.
fn set_flag(listener: &mut Listener, word: &str) -> Option<bool> {
    match word {
        "ssl" => listener.ssl = true,
        "http2" => listener.http2 = true,
        "proxy_protocol" => listener.proxy_protocol = true,
        "deferred" => listener.deferred = true,
        "bind" => listener.bind = true,
        "reuseport" => listener.reuseport = true,
        _ => {
            let Some((name, value)) = word.split_once('=') else {
                return Some(false);
            };
            match name {
                "backlog" => listener.backlog = digits(value)?,
                "ipv6only" => listener.ipv6only = Some(parse_switch(value)?),
                "so_keepalive" => listener.so_keepalive = Some(parse_keepalive(value)?),
                _ => return None,
            }
        }
    }
    Some(true)
}

fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn parse_keepalive(text: &str) -> Option<KeepAlive> {
    if let Some(on) = parse_switch(text) {
        return Some(if on { KeepAlive::On } else { KeepAlive::Off });
    }
    let parts: Vec<&str> = text.split(':').collect();
    let [idle, interval, count] = parts[..] else {
        return None;
    };
    let part = |text: &str| match text {
        "" => Some(None),
        _ => digits(text).map(Some),
    };
    Some(KeepAlive::Probes {
        idle: part(idle)?,
        interval: part(interval)?,
        count: part(count)?,
    })
}

fn parse_address(word: &str) -> Option<SocketAddr> {
    let (host, port) = word.rsplit_once(':')?;
    let port = u16::try_from(digits(port)?).ok()?;
    let ip = match host {
        "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(inner) => IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?),
            None => IpAddr::V4(parse_ipv4(host)?),
        },
    };
    Some(SocketAddr::new(ip, port))
}

/// Four decimal parts; leading zeros are allowed, as in Kong.
fn parse_ipv4(host: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = host.split('.');
    for octet in &mut octets {
        let part = parts.next().filter(|part| (1..=3).contains(&part.len()))?;
        *octet = u8::try_from(digits(part)?).ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        let flags = [
            (self.ssl, "ssl"),
            (self.http2, "http2"),
            (self.proxy_protocol, "proxy_protocol"),
            (self.deferred, "deferred"),
            (self.bind, "bind"),
            (self.reuseport, "reuseport"),
        ];
        for (_, name) in flags.iter().filter(|(set, _)| *set) {
            write!(f, " {name}")?;
        }
        write!(f, " backlog={}", self.backlog)?;
        if let Some(only) = self.ipv6only {
            write!(f, " ipv6only={}", if only { "on" } else { "off" })?;
        }
        self.so_keepalive
            .map_or(Ok(()), |keepalive| write!(f, " so_keepalive={keepalive}"))
    }
}

impl fmt::Display for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
        match *self {
            Self::Off => f.write_str("off"),
            Self::On => f.write_str("on"),
            Self::Probes {
                idle,
                interval,
                count,
            } => {
                write!(f, "{}:{}:{}", part(idle), part(interval), part(count))
            }
        }
    }
}
