//! The node's configuration: `kong.conf`, the environment, and the typed result.
//!
//! Owns every key Kong knows ([`SECTIONS`]: one row each), the file grammar, precedence, the rules
//! between keys, and the messages for what does not fit. Text keeps its origin (file line,
//! variable, command line), so every error can say where to correct it. Nothing here reads the
//! process environment: it is passed in. Files are read where Kong reads them at load: the
//! configuration itself, certificates that a listener needs, the existence of hosts files.
//!
//! Precedence, lowest first: defaults, the file, `KONG_*`, `SILVERBACK_*`, the command line.
//!
//! | module | owns |
//! |---|---|
//! | `source`, `syntax`, `name` | reading file and environment; names that are no keys |
//! | `key`, `kind`, `check`, `range`, `listener`, `pem` | the table, and what a value may be |
//! | `complete`, `draft`, `rule` | defaults, references resolved, values checked, rules between keys |
//! | `node`, `log`, `headers`, `bundle` | the typed result |
//! | `effective`, `dump`, `page` | looks at a configuration, and at the table |
//!
//! Limits: a file 16 MiB, a line 1 MiB, a list 10,000 elements, 256 of them if they are listeners;
//! of unknown keys the first 100 are compared with the known ones.
//!
//! Source: `kong/conf_loader/*.lua`, `kong/templates/kong_defaults.lua` of Kong 3.9.3. Deviations:
//! - numbers keep their text (Kong turns `0123` into `123`);
//! - malformed switches and numbers are errors (Kong takes them as off or unset), and so are
//!   those with a default that are set to nothing;
//! - an unknown key, a `[section]` and a line without `=` are warnings (Kong is silent);
//! - a listener needs an address literal, `*` or `localhost`: names are not looked up;
//! - `database` that nobody set is `off`, but on a control plane;
//! - `vault_env_prefix` that cannot be one is an error (Kong drops it);
//! - certificates are looked at no deeper than the frame of their PEM; whoever uses them reads on;
//! - the `ssl_*` keys show what was written; a suite does not overwrite them.

mod bundle;
mod check;
mod complete;
mod draft;
mod dump;
mod effective;
mod headers;
mod key;
mod kind;
mod listener;
mod load;
mod log;
mod name;
mod node;
mod page;
mod pem;
mod range;
mod rule;
mod setting;
mod source;
mod syntax;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;

pub use check::{ListCheck, TextCheck};
pub use dump::{display, dump};
pub use headers::{ResponseHeader, ResponseHeaders, UpstreamHeaders};
pub use key::{FAMILIES, Family, Key, Mark, SECTIONS, Section, find, keys};
pub use kind::{Kind, LIST_ELEMENTS_MAX};
pub use listener::{KeepAlive, Listener, Subsystem};
pub use load::{Loaded, load};
pub use log::{ErrorLogFormat, LogLevel, LogTarget};
pub use node::{Database, NodeConfig, Role, RouterFlavor, WorkerCount};
pub use page::{default_file, help, reference_page};
pub use pem::Material;
pub use range::Range;
pub use rule::HTTP_FORMATS;
pub use setting::Setting;
pub use source::{LoadOptions, Unresolved};

use crate::vault::ResolveError;

/// What is shown in place of a secret.
pub const MASK: &str = "******";

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
    /// A line is longer than one can be.
    #[error("{}:{line}: the line is longer than {bytes_max} bytes; name a file instead of its text", path.display())]
    LineTooLong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// A value does not fit its key, or not the other keys.
    #[error("{origin}: {key} = {value:?}: {expected}")]
    Value {
        /// The key.
        key: String,
        /// The text as written, or a mask.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What is accepted, or what to set instead.
        expected: String,
    },
    /// A reference gives no secret.
    #[error("{origin}: {key}{}: cannot resolve {reference}: {cause}", element(*index))]
    Unresolved {
        /// The key.
        key: String,
        /// The reference as written.
        reference: String,
        /// Which element of a list it is, counted from 1.
        index: Option<usize>,
        /// Where it was written.
        origin: Origin,
        /// Why.
        cause: Box<ResolveError>,
    },
    /// The value is valid, and this version cannot run it.
    #[error("{origin}: {key} = {value:?}: this version does not do that yet; {advice}")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// The text as written.
        value: String,
        /// Where it was written.
        origin: Origin,
        /// What to set instead.
        advice: &'static str,
    },
    /// A plugin or a vault strategy is enabled that does not exist here.
    #[error("{origin}: {key}: {name:?} is enabled but not installed; take it out of the list")]
    NotInstalled {
        /// The key that enables it.
        key: &'static str,
        /// Its name.
        name: String,
        /// Where it was written.
        origin: Origin,
    },
}

fn element(index: Option<usize>) -> String {
    index.map_or(String::new(), |index| format!(" (element {index})"))
}
