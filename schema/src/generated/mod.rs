//! The code that flatc makes of `schema/snapshot.fbs`. Never edited, never named outside this crate.

#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::undocumented_unsafe_blocks,
    clippy::semicolon_if_nothing_returned,
    clippy::redundant_closure_for_method_calls,
    dead_code,
    elided_lifetimes_in_paths,
    missing_docs,
    mismatched_lifetime_syntaxes,
    unreachable_pub,
    unsafe_code,
    unused_imports,
    unused_qualifications
)]
#[rustfmt::skip]
mod snapshot_generated;

pub(crate) use snapshot_generated::silverback::*;
