//! The level of the node's error log, as `/debug/node/log-level` shows and changes it.
//!
//! Source: `kong/api/routes/debug.lua`, `kong/runloop/log_level.lua`.

use std::time::Duration;

use silverback_schema::conf::LogLevel;

/// A level that can be changed for a while.
pub trait LogLevels: Send + Sync {
    /// What is logged now.
    fn level(&self) -> LogLevel;

    /// Logs from that level on for so long; afterwards the configured level returns, with a time of
    /// zero at once.
    fn set_level(&self, level: LogLevel, time: Duration);
}
