//! The agent: the data plane's thread for everything that shards must not wait for.
//!
//! It turns texts into configurations and hands them to the store's only writer (`apply`), and it
//! resolves names for the shards ([`names`]). It owns no sockets and knows no shard: what it
//! needs to ring or answer comes in as closures.
//!
//! Invariants: one configuration is applied at a time; a refused one changes nothing, the last good
//! one keeps serving. Nothing here blocks the runtime thread: parsing, LMDB and getaddrinfo run on
//! the blocking pool, with named limits.

mod apply;
mod declared;
mod ineffective;
pub mod names;
mod reading;

use silverback_schema::declarative::Config;

pub use apply::{Accepted, Agent, ApplyError, Input, Outcome, Request, Turn};
pub use declared::{Declared, DeclaredError, FILE_BYTES_MAX};

/// What to say at each load of a configuration, a line each: fields that will go, and what is kept
/// without effect.
pub fn warnings(config: &Config) -> Vec<String> {
    let mut lines = config.warnings.clone();
    lines.extend(ineffective::ineffective(config));
    lines
}
