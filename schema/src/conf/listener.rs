//! Listeners: `address:port` and flags (`kong/conf_loader/listeners.lua`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Accept queue when the entry names none: nginx's on Linux.
const BACKLOG_DEFAULT: u32 = 511;
/// Listeners of one list.
const LISTENERS_MAX: usize = 256;

/// The part of nginx that serves a list; it decides which flags there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subsystem {
    /// Proxy, Admin API, Status API, Kong Manager, data planes.
    Http,
    /// TCP, TLS and UDP.
    Stream,
}

/// Flags of http lists only.
const HTTP_FLAGS: [&str; 2] = ["http2", "deferred"];
/// Flags of stream lists only.
const STREAM_FLAGS: [&str; 1] = ["udp"];
/// Flags of both.
const FLAGS: &str = "ssl, proxy_protocol, bind, reuseport, backlog=N, ipv6only=on|off, \
    so_keepalive=on|off|idle:interval:count";

/// What a listener list must look like.
pub(super) fn accepted(subsystem: Subsystem) -> String {
    let own = match subsystem {
        Subsystem::Http => HTTP_FLAGS.join(", "),
        Subsystem::Stream => STREAM_FLAGS.join(", "),
    };
    format!(
        "accepted is \"off\", or a comma-separated list of [IPv4|IPv6|*|localhost]:[port] \
         entries, each with any of the flags {own}, {FLAGS}"
    )
}

/// One bound address and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// TLS on this socket.
    pub ssl: bool,
    /// HTTP/2; as in nginx, one entry with it sets it for the whole list.
    pub http2: bool,
    /// Datagrams instead of connections.
    pub udp: bool,
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

/// The listeners of a list; none for `off`. The error is the entry that does not fit, and why.
pub(super) fn parse(entries: &[String], subsystem: Subsystem) -> Result<Vec<Listener>, String> {
    match entries.first().map(String::as_str) {
        None => return Err("nothing is given".into()),
        Some("off") => return Ok(Vec::new()),
        Some(_) => {}
    }
    if entries.len() > LISTENERS_MAX {
        return Err(format!("more than {LISTENERS_MAX} listeners"));
    }
    let mut listeners = Vec::with_capacity(entries.len());
    for entry in entries {
        let listener = parse_entry(entry, subsystem);
        listeners.push(listener.map_err(|why| format!("entry {entry:?} does not fit: {why}"))?);
    }
    let http2 = listeners.iter().any(|listener| listener.http2);
    for listener in &mut listeners {
        listener.http2 = http2;
    }
    Ok(listeners)
}

fn parse_entry(entry: &str, subsystem: Subsystem) -> Result<Listener, String> {
    let (mut address, mut seen) = (None, Vec::new());
    let mut listener = Listener {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        ssl: false,
        http2: false,
        udp: false,
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
        let foreign: &[&str] = match subsystem {
            Subsystem::Http => &STREAM_FLAGS,
            Subsystem::Stream => &HTTP_FLAGS,
        };
        if foreign.contains(&word) {
            return Err(format!("{word} is no flag of this list"));
        }
        let is_flag = set_flag(&mut listener, word)
            .ok_or_else(|| format!("{word:?} is no flag, or its value does not fit"))?;
        if is_flag && seen.contains(&flag) {
            return Err(format!("{flag} is given twice"));
        }
        if is_flag {
            seen.push(flag);
        } else if address.replace(parse_address(word)?).is_some() {
            return Err("more than one address".into());
        }
    }
    listener.address = address.ok_or("it has no address")?;
    Ok(listener)
}

/// Sets the flag that `word` is; `Some(false)` if it is none, `None` if its value does not fit.
fn set_flag(listener: &mut Listener, word: &str) -> Option<bool> {
    match word {
        "ssl" => listener.ssl = true,
        "http2" => listener.http2 = true,
        "udp" => listener.udp = true,
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

fn parse_address(word: &str) -> Result<SocketAddr, String> {
    let parts = word.rsplit_once(':').filter(|(host, _)| *host != "unix");
    let (host, port) =
        parts.ok_or_else(|| format!("{word:?} is no flag, and no address with a port"))?;
    let port = digits(port).and_then(|port| u16::try_from(port).ok());
    let port = port.ok_or_else(|| format!("{word:?} has no port from 0 to 65535"))?;
    let literal = || format!("{host:?} is no address; names are not looked up");
    let ip = match host {
        "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => match host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(inner) => IpAddr::V6(inner.parse::<Ipv6Addr>().map_err(|_| literal())?),
            None => IpAddr::V4(parse_ipv4(host).ok_or_else(literal)?),
        },
    };
    Ok(SocketAddr::new(ip, port))
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
