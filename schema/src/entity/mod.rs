//! Kong's entities as typed values, one file each.
//!
//! Field names, defaults and rules are Kong 3.9's (`kong/db/schema/entities/*.lua`). A value of
//! these types has passed validation; untrusted input becomes one only through
//! [`crate::declarative`]. Each entity's file holds its fields as data (`SCHEMA`), the conversion
//! of a validated row, and Kong's JSON of it.
//!
//! Deviations: null in a field with a default reads as that default; an empty list reads as an
//! absent one and shows as null.

mod protocol;
pub mod route;
pub mod service;
mod shared;
pub mod target;
pub mod upstream;

#[cfg(test)]
mod tests;

pub use protocol::{Protocol, Protocols};
pub use route::{CidrPort, HeaderMatch, PathHandling, Route};
pub use service::Service;
pub use target::Target;
pub use upstream::{Algorithm, HashInput, Upstream};
