//! Choosing a target of an upstream.
//!
//! Owns the order in which targets are tried: [`RoundRobin`] and the memory of one exchange's
//! failed tries, [`Tried`]. Knows targets by their index only; names, addresses and health are
//! the caller's. One balancer belongs to one shard, nothing is shared.
//!
//! Limits: [`WHEEL_SLOTS_MAX`], [`TRIED_MAX`].
//!
//! Source: Kong 3.9.3 `kong/runloop/balancer/round_robin.lua`. Deviations from Kong: the wheel is
//! interleaved evenly where Kong shuffles it, so that any few requests in a row are spread as the
//! weights say; a retry prefers targets that have not failed in this exchange, where Kong takes
//! the next slot of the wheel, whichever target it holds.

mod round_robin;
mod tried;

pub use round_robin::{RoundRobin, WHEEL_SLOTS_MAX};
pub use tried::{TRIED_MAX, Tried};

#[cfg(test)]
mod tests;
