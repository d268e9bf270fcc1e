//! The table of errors that the data plane answers itself.

use super::{BodyType, Producer};

/// Why a request is answered by the gateway and not by its upstream.
///
/// Status, message and producer belong to the kind; see each method. Kinds whose message holds a
/// detail, such as a resolver's text, are written by their caller with [`super::write_body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No route matches.
    NoRoute,
    /// The route has no service.
    NoService,
    /// The route wants HTTPS.
    HttpsRequired,
    /// A gRPC route was asked over HTTP/1.
    Http2Required,
    /// A gRPC route was asked with another content type.
    NotGrpc,
    /// No target of the upstream can be used, at the first try.
    NoPeer,
    /// The same, when a retry looks for another target.
    NoPeerLeft,
    /// The service's host has no address.
    NameResolution,
    /// A plugin failed.
    PluginFailed,
    /// The request breaks HTTP.
    BadRequest,
    /// TRACE, or a method that nginx refuses.
    MethodNotAllowed,
    /// The request did not come in time. Only written where the client still listens.
    RequestTimeout,
    /// The body is longer than `client_max_body_size`.
    PayloadTooLarge,
    /// The request line does not fit its buffer.
    UriTooLong,
    /// The headers do not fit their buffers, or are too many. nginx's 494, sent as 400.
    HeadersTooLarge,
    /// A fault of ours.
    Internal,
    /// The upstream refused, closed, or sent no valid response head, in all tries.
    BadGateway,
    /// No upstream is there to answer.
    Unavailable,
    /// Connecting to, writing to or reading from the upstream took too long, in all tries.
    GatewayTimeout,
}

impl ErrorKind {
    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::HeadersTooLarge => 400,
            Self::NoRoute => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::PayloadTooLarge => 413,
            Self::UriTooLong => 414,
            Self::NotGrpc => 415,
            Self::HttpsRequired | Self::Http2Required => 426,
            Self::Internal | Self::PluginFailed => 500,
            Self::BadGateway => 502,
            Self::NoService
            | Self::NoPeer
            | Self::NoPeerLeft
            | Self::NameResolution
            | Self::Unavailable => 503,
            Self::GatewayTimeout => 504,
        }
    }

    /// The message in the body.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NoRoute => "no Route matched with those values",
            Self::NoService => "no Service found with those values",
            Self::HttpsRequired => "Please use HTTPS protocol",
            Self::Http2Required => "Please use HTTP2 protocol",
            Self::NotGrpc => "Non-gRPC request matched gRPC route",
            Self::NoPeer => "failure to get a peer from the ring-balancer",
            Self::NameResolution => "name resolution failed",
            Self::HeadersTooLarge => "Request header or cookie too large",
            _ => match message_of(self.status()) {
                Some(message) => message,
                None => "An unexpected error occurred",
            },
        }
    }

    /// Who answers, which decides how the format is chosen. `default_type` is the node's
    /// `error_default_type`.
    #[must_use]
    pub const fn producer(self, default_type: BodyType) -> Producer {
        match self {
            Self::NoRoute
            | Self::NoService
            | Self::HttpsRequired
            | Self::Http2Required
            | Self::NotGrpc
            | Self::NoPeer
            | Self::NameResolution
            | Self::PluginFailed => Producer::Access,
            Self::NoPeerLeft
            | Self::BadRequest
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::PayloadTooLarge
            | Self::UriTooLong
            | Self::HeadersTooLarge
            | Self::Internal
            | Self::BadGateway
            | Self::Unavailable
            | Self::GatewayTimeout => Producer::Proxy { default_type },
        }
    }

    /// Whether the connection cannot be used after the response: where the next request begins
    /// is not known, or its body is not worth reading.
    #[must_use]
    pub const fn closes_connection(self) -> bool {
        matches!(
            self,
            Self::BadRequest
                | Self::HeadersTooLarge
                | Self::MethodNotAllowed
                | Self::RequestTimeout
                | Self::PayloadTooLarge
                | Self::UriTooLong
                | Self::Internal
        )
    }
}

/// The message that goes with a status if nobody says more. `None` for statuses without one, whose
/// message is `The upstream server responded with N`.
#[must_use]
pub const fn message_of(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "Bad request",
        401 => "Unauthorized",
        402 => "Payment required",
        403 => "Forbidden",
        404 => "Not found",
        405 => "Method not allowed",
        406 => "Not acceptable",
        407 => "Proxy authentication required",
        408 => "Request timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length required",
        412 => "Precondition failed",
        413 => "Payload too large",
        414 => "URI too long",
        415 => "Unsupported media type",
        416 => "Range not satisfiable",
        417 => "Expectation failed",
        418 => "I'm a teapot",
        421 => "Misdirected request",
        422 => "Unprocessable entity",
        423 => "Locked",
        424 => "Failed dependency",
        425 => "Too early",
        426 => "Upgrade required",
        428 => "Precondition required",
        429 => "Too many requests",
        431 => "Request header fields too large",
        451 => "Unavailable for legal reasons",
        494 => "Request header or cookie too large",
        500 => "An unexpected error occurred",
        501 => "Not implemented",
        502 => "An invalid response was received from the upstream server",
        503 => "The upstream server is currently unavailable",
        504 => "The upstream server is timing out",
        505 => "HTTP version not supported",
        506 => "Variant also negotiates",
        507 => "Insufficient storage",
        508 => "Loop detected",
        510 => "Not extended",
        511 => "Network authentication required",
        _ => return None,
    })
}
