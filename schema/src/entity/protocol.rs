//! The protocols that services and routes speak (`kong/constants.lua`, `PROTOCOLS`).

use std::fmt;

/// One protocol name of Kong; the discriminant is its bit in [`Protocols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// `http`
    Http = 0,
    /// `https`
    Https = 1,
    /// `tcp`
    Tcp = 2,
    /// `tls`
    Tls = 3,
    /// `udp`
    Udp = 4,
    /// `tls_passthrough`
    TlsPassthrough = 5,
    /// `grpc`
    Grpc = 6,
    /// `grpcs`
    Grpcs = 7,
}

impl Protocol {
    /// Every protocol, in discriminant order.
    pub const ALL: [Self; 8] = [
        Self::Http,
        Self::Https,
        Self::Tcp,
        Self::Tls,
        Self::Udp,
        Self::TlsPassthrough,
        Self::Grpc,
        Self::Grpcs,
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
            Self::TlsPassthrough => "tls_passthrough",
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
        }
    }

    /// The protocol of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
    }

    /// The protocol of that discriminant, if there is one.
    pub fn from_bit(bit: u8) -> Option<Self> {
        Self::ALL.get(usize::from(bit)).copied()
    }

    /// The port that a URL of this protocol leaves out, where it has one.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::Grpc => Some(80),
            Self::Https | Self::Grpcs => Some(443),
            _ => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of protocols, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols(pub u8);

impl Protocols {
    /// What a route accepts when its file says nothing: http and https.
    pub const HTTP: Self = Self(0b11);

    /// Whether `protocol` is in the set.
    pub fn contains(self, protocol: Protocol) -> bool {
        self.0 & (1 << protocol as u8) != 0
    }

    /// The set with `protocol` added.
    #[must_use]
    pub fn with(self, protocol: Protocol) -> Self {
        Self(self.0 | 1 << protocol as u8)
    }

    /// The members, in discriminant order.
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL
            .into_iter()
            .filter(move |protocol| self.contains(*protocol))
    }

    /// Whether a route of this set takes part in HTTP routing (as opposed to stream routing).
    pub fn is_http(self) -> bool {
        [
            Protocol::Http,
            Protocol::Https,
            Protocol::Grpc,
            Protocol::Grpcs,
        ]
        .into_iter()
        .any(|protocol| self.contains(protocol))
    }
}

impl FromIterator<Protocol> for Protocols {
    fn from_iter<I: IntoIterator<Item = Protocol>>(iter: I) -> Self {
        iter.into_iter().fold(Self::default(), Self::with)
    }
}
