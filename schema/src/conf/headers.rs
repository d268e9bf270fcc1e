//! Which headers the node may add: the keys `headers` and `headers_upstream`.

/// What `headers` takes.
pub(super) const ACCEPTED: &str = "accepted is off, or a list of server_tokens, latency_tokens, Server, \
    Via, X-Kong-Proxy-Latency, X-Kong-Response-Latency, X-Kong-Admin-Latency, \
    X-Kong-Upstream-Latency, X-Kong-Upstream-Status, X-Kong-Request-Id";

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
    pub(super) fn parse(tokens: &[String]) -> Result<Self, String> {
        let mut set = Self::default();
        for (index, token) in tokens.iter().enumerate() {
            match token.to_ascii_lowercase().as_str() {
                "off" if index == 0 => return Ok(Self::default()),
                "server_tokens" => set.0 |= Self::SERVER_TOKENS.0,
                "latency_tokens" => set.0 |= Self::LATENCY_TOKENS.0,
                lower => {
                    let known = |header: &ResponseHeader| header.name().eq_ignore_ascii_case(lower);
                    match ResponseHeader::ALL.into_iter().find(known) {
                        Some(header) => set.0 |= 1 << header as u8,
                        None => return Err(token.clone()),
                    }
                }
            }
        }
        Ok(set)
    }
}

/// Request headers that `headers_upstream` can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamHeaders {
    /// `X-Kong-Request-Id`
    pub request_id: bool,
}

impl UpstreamHeaders {
    /// Of a list that was checked; `off` first is none.
    pub(super) fn parse(names: &[String]) -> Self {
        let first = names.first().map(String::as_str);
        Self {
            request_id: first.is_some_and(|first| first != "off"),
        }
    }
}
