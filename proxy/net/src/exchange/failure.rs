//! Why a try fails, and what the client is told of it.

use std::{fmt, io};

use silverback_core::{
    exchange::{Answer, BadUpstream},
    http1::error_page::ErrorKind,
};
use silverback_schema::entity::Protocol;

use crate::job::ResolveError;

/// Why a try failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// Whether the request, or a part of it, may have reached the upstream.
    pub(super) is_sent: bool,
    /// Whether the connection had served a request before.
    pub(super) is_reused: bool,
}

#[derive(Debug)]
pub(super) enum FailureKind {
    /// The name of the target could not be resolved.
    Name(String, ResolveError),
    Connect(io::Error),
    Send(io::Error),
    Receive(io::Error),
    /// Closed before an answer.
    Closed,
    TimedOut,
    /// The answer is no answer.
    Bad(BadUpstream),
    /// The service speaks what this version does not.
    Protocol(Protocol),
    /// The client went away while its request was sent on.
    Client,
    /// The client's body is not in the form its head announced.
    ClientBody,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name, ResolveError::NotFound) => write!(f, "{name} has no address"),
            Self::Name(name, ResolveError::Failed(why)) => {
                write!(f, "cannot resolve {name}: {why}")
            }
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Send(error) => write!(f, "cannot send the request: {error}"),
            Self::Receive(error) => write!(f, "cannot receive the answer: {error}"),
            Self::Closed => f.write_str("the connection was closed before an answer"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Bad(BadUpstream::Head(bad)) => write!(f, "the answer is not HTTP/1: {bad:?}"),
            Self::Bad(BadUpstream::Framing) => f.write_str("the end of the answer is ambiguous"),
            Self::Bad(BadUpstream::Upgrade) => f.write_str("protocols were switched unasked"),
            Self::Protocol(protocol) => write!(f, "{protocol} to upstreams is not supported yet"),
            Self::Client => f.write_str("the client went away"),
            Self::ClientBody => f.write_str("the client's chunks are malformed"),
        }
    }
}

/// What the client is told when no try succeeded.
pub(super) fn answer_to(kind: FailureKind) -> Answer {
    Answer::Error(match kind {
        FailureKind::TimedOut => ErrorKind::GatewayTimeout,
        FailureKind::Name(_, ResolveError::NotFound) => ErrorKind::NameResolution,
        FailureKind::Name(name, ResolveError::Failed(error)) => {
            return Answer::ResolveFailed { name, error };
        }
        FailureKind::ClientBody => ErrorKind::BadRequest,
        _ => ErrorKind::BadGateway,
    })
}
