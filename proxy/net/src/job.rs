//! Work that a shard hands to the agent, because it needs to wait for things a shard does not speak.

use std::{net::SocketAddr, time::Duration};

pub use crate::doorbell::Reply;

/// Takes jobs from the shards. Called on a shard: must not block.
pub trait JobQueue: Send + Sync {
    /// Accepts a job.
    ///
    /// # Errors
    /// When the queue is at its limit.
    fn submit(&self, job: Job) -> Result<(), Full>;
}

/// The queue is at its limit; the job was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// One piece of work.
#[derive(Debug)]
pub enum Job {
    /// Find the addresses of a host name.
    Resolve {
        /// The name.
        name: String,
        /// Port of the addresses, where the answer does not say another.
        port: u16,
        /// Takes the result.
        reply: Reply<Result<Resolved, ResolveError>>,
    },
}

/// Addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// At least one.
    pub addresses: Vec<SocketAddr>,
    /// How long they may be used.
    pub ttl: Duration,
}

/// Why a name has no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// It does not exist, or has no address.
    NotFound,
    /// It could not be found out.
    Failed(String),
}
