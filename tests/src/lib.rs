//! The harness of the whole-process tests: it starts the real binary on free ports in a scratch
//! directory, with echo upstreams behind it, and shows the whole log when a test fails.
//!
//! Waiting is always for a state, with a deadline ([`wait`]); nothing here sleeps and hopes.

pub mod binary;
pub mod gateway;
pub mod http;
pub mod port;
pub mod upstream;
pub mod wait;

pub use gateway::Gateway;
pub use upstream::Upstream;

/// Says why a test is skipped. Past the capture of the test harness, which shows nothing of a test
/// that passes; `.ci/test` counts these lines.
pub fn skip(reason: &str) {
    use std::io::Write;
    // Without a stderr nobody counts.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
