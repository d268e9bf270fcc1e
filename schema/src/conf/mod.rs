//! The node's configuration: `kong.conf`, the environment, and the typed result.
//!
//! Owns every key Kong knows ([`KEYS`] with effect, [`OTHER_KEYS`] accepted without effect so
//! far), the file grammar, precedence, and the messages for what does not fit. Text keeps its
//! origin (file line, variable, command line) until it has become a typed value, so every error
//! can say where to correct it. Nothing here reads the process environment: it is passed in.
//!
//! Precedence, lowest first: defaults, the file, `KONG_*`, `SILVERBACK_*`, the command line.
//!
//! Source: `kong/conf_loader/*.lua`, `kong/templates/kong_defaults.lua` of Kong 3.9.3. Deviations:
//! - numbers keep their text (Kong turns `0123` into `123`);
//! - malformed switches and numbers are errors (Kong takes them as off or unset);
//! - an unknown key, a `[section]` and a line without `=` are warnings (Kong is silent);
//! - a listener needs an address literal, `*` or `localhost`: names are not looked up;
//! - `database` that nobody set is `off`.

mod dump;
mod key;
mod listener;
mod load;
mod node;
mod suggest;
mod syntax;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;

pub use dump::{default_file, dump};
pub use key::{KEYS, Key, Kind, OTHER_KEYS, find};
pub use listener::{KeepAlive, Listener};
pub use load::{LoadOptions, Loaded, load};
pub use node::{
    LogLevel, LogTarget, NodeConfig, OtherSetting, ResponseHeader, ResponseHeaders, Role,
    RouterFlavor, WorkerCount,
};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it: the table's default.
    Default,
    /// A line of a file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line on which the assignment starts.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A command-line option.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// The file cannot be read.
    #[error("cannot read configuration file {}: {source}; check its path and permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is larger than a configuration can be, or not text.
    #[error("configuration file {} is {problem}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value does not fit its key.
    #[error("{origin}: {key} = {value:?}: {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// The text as written.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What is accepted, or what to set instead.
        expected: String,
    },
}
