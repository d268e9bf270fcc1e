//! The data plane's thinking, sans-io: no runtime, no clock, no sockets.
//!
//! | module | owns |
//! |---|---|
//! | [`http1`] | heads, chunked framing, error pages |
//! | [`uri`] | normalisation and joining of paths |
//! | [`router`] | matching a request against the compiled router of a snapshot |
//! | [`balancer`] | choosing a target |
//! | [`exchange`] | one request and its response, from head to head |
//! | [`access_log`], [`timestamp`] | lines of access logs; moments as lines write them |

pub mod access_log;
pub mod balancer;
pub mod exchange;
mod header_set;
pub mod http1;
pub mod router;
pub mod timestamp;
pub mod uri;
