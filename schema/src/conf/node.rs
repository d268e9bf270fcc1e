//! The typed node configuration and the conversion of each kind of text.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::listener::Listener;

/// Everything a node needs to know before it starts. Never changes once loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// Working directory, absolute.
    pub prefix: PathBuf,
    /// Role of this node.
    pub role: Role,
    /// Least severity that is logged.
    pub log_level: LogLevel,
    /// Access log of the proxy.
    pub proxy_access_log: LogTarget,
    /// Error log of the proxy and of the process.
    pub proxy_error_log: LogTarget,
    /// Access log of the Admin API.
    pub admin_access_log: LogTarget,
    /// Error log of the Admin API.
    pub admin_error_log: LogTarget,
    /// Proxy listeners; empty: off.
    pub proxy_listen: Vec<Listener>,
    /// Admin API listeners; empty: off.
    pub admin_listen: Vec<Listener>,
    /// Status API listeners; empty: off.
    pub status_listen: Vec<Listener>,
    /// Number of shards.
    pub nginx_worker_processes: WorkerCount,
    /// Whether start goes to the background.
    pub nginx_daemon: bool,
    /// Response headers that may be added.
    pub headers: ResponseHeaders,
    /// Idle upstream connections kept for each pool; 0: none.
    pub upstream_keepalive_pool_size: u32,
    /// Requests for each upstream connection; 0: no limit.
    pub upstream_keepalive_max_requests: u32,
    /// Idle time of an upstream connection; zero: no limit.
    pub upstream_keepalive_idle_timeout: Duration,
    /// Requests for each client connection.
    pub nginx_http_keepalive_requests: u32,
    /// Declarative file, absolute.
    pub declarative_config: Option<PathBuf>,
    /// Declarative text.
    pub declarative_config_string: Option<String>,
    /// Directory of the configuration store, absolute.
    pub lmdb_environment_path: PathBuf,
    /// Least size of the configuration store, bytes.
    pub lmdb_map_size: u64,
    /// Router engine.
    pub router_flavor: RouterFlavor,
    /// Keys that the user set and that have no effect yet, sorted by name.
    pub other: Vec<OtherSetting>,
}

/// A key of Kong's that has no effect here yet, with the user's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSetting {
    /// Name.
    pub name: String,
    /// Text as written; may be a secret.
    pub value: String,
}

/// Role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Admin API and proxy in one process.
    Traditional,
}

/// Router engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterFlavor {
    /// Kong's default since 3.0.
    TraditionalCompatible,
}

/// Severity, as nginx orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `notice`
    Notice,
    /// `warn`
    Warn,
    /// `error`
    Error,
    /// `crit`
    Crit,
    /// `alert`
    Alert,
    /// `emerg`
    Emerg,
}

impl LogLevel {
    /// Every level, least severe first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warn,
        Self::Error,
        Self::Crit,
        Self::Alert,
        Self::Emerg,
    ];

    /// Their names, in the same order.
    pub const NAMES: &'static [&'static str] = &[
        "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    Off,
    /// A file, absolute (`/dev/stderr` is one).
    File {
        /// The file.
        path: PathBuf,
        /// Name of the line format, if one was given.
        format: Option<String>,
    },
    /// A syslog server, as nginx writes it: `syslog:server=…`.
    Syslog(String),
}

impl LogTarget {
    pub(super) fn parse(text: &str, prefix: &Path) -> Self {
        let (target, format) = match text.split_once(char::is_whitespace) {
            Some((target, format)) => (target, Some(format.trim().to_owned())),
            None => (text, None),
        };
        match target {
            "off" => Self::Off,
            "stderr" => Self::File {
                path: PathBuf::from("/dev/stderr"),
                format,
            },
            _ if target.starts_with("syslog:") => Self::Syslog(text.to_owned()),
            _ => Self::File {
                path: prefix.join(target),
                format,
            },
        }
    }
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::File { path, format: None } => write!(f, "{}", path.display()),
            Self::File {
                path,
                format: Some(format),
            } => write!(f, "{} {format}", path.display()),
            Self::Syslog(text) => f.write_str(text),
        }
    }
}

/// Number of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerCount {
    /// One for each core.
    Auto,
    /// That many, 1 to [`WorkerCount::MAX`].
    Count(u16),
}

impl WorkerCount {
    /// Greatest count.
    pub const MAX: u16 = 1024;

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Auto);
        }
        let count = text
            .parse()
            .ok()
            .filter(|count| (1..=Self::MAX).contains(count))?;
        Some(Self::Count(count))
    }
}

impl fmt::Display for WorkerCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// A response header that `headers` can name; the discriminant is its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ResponseHeader {
    /// `Server`
    Server = 0,
    /// `Via`
    Via = 1,
    /// `X-Kong-Proxy-Latency`
    ProxyLatency = 2,
    /// `X-Kong-Response-Latency`
    ResponseLatency = 3,
    /// `X-Kong-Admin-Latency`
    AdminLatency = 4,
    /// `X-Kong-Upstream-Latency`
    UpstreamLatency = 5,
    /// `X-Kong-Upstream-Status`
    UpstreamStatus = 6,
    /// `X-Kong-Request-Id`
    RequestId = 7,
}

impl ResponseHeader {
    /// Every header, in discriminant order.
    pub const ALL: [Self; 8] = [
        Self::Server,
        Self::Via,
        Self::ProxyLatency,
        Self::ResponseLatency,
        Self::AdminLatency,
        Self::UpstreamLatency,
        Self::UpstreamStatus,
        Self::RequestId,
    ];

    /// The header's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::Via => "Via",
            Self::ProxyLatency => "X-Kong-Proxy-Latency",
            Self::ResponseLatency => "X-Kong-Response-Latency",
            Self::AdminLatency => "X-Kong-Admin-Latency",
            Self::UpstreamLatency => "X-Kong-Upstream-Latency",
            Self::UpstreamStatus => "X-Kong-Upstream-Status",
            Self::RequestId => "X-Kong-Request-Id",
        }
    }
}

/// A set of response headers, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(pub u8);

impl ResponseHeaders {
    /// What `server_tokens` stands for.
    pub const SERVER_TOKENS: Self = Self(0b0000_0011);
    /// What `latency_tokens` stands for.
    pub const LATENCY_TOKENS: Self = Self(0b0011_1100);

    /// Whether `header` is in the set.
    pub fn contains(self, header: ResponseHeader) -> bool {
        self.0 & (1 << header as u8) != 0
    }

    /// The members, in discriminant order.
    pub fn iter(self) -> impl Iterator<Item = ResponseHeader> {
        ResponseHeader::ALL
            .into_iter()
            .filter(move |header| self.contains(*header))
    }

    /// The error is the token that is not known.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut set = Self::default();
        for (index, token) in text.split(',').map(str::trim).enumerate() {
            match token.to_ascii_lowercase().as_str() {
                "off" if index == 0 => return Ok(Self::default()),
                "server_tokens" => set.0 |= Self::SERVER_TOKENS.0,
                "latency_tokens" => set.0 |= Self::LATENCY_TOKENS.0,
                lower => {
                    let known = |header: &ResponseHeader| header.name().eq_ignore_ascii_case(lower);
                    match ResponseHeader::ALL.into_iter().find(known) {
                        Some(header) => set.0 |= 1 << header as u8,
                        None => return Err(token.to_owned()),
                    }
                }
            }
        }
        Ok(set)
    }
}

impl fmt::Display for ResponseHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("off");
        }
        for (index, header) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", header.name())?;
        }
        Ok(())
    }
}
