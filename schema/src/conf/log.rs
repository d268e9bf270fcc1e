//! Levels and places of logs.

use std::fmt;
use std::path::{Path, PathBuf};

/// Severity, as nginx orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `notice`
    Notice,
    /// `warn`
    Warn,
    /// `error`
    Error,
    /// `crit`
    Crit,
    /// `alert`
    Alert,
    /// `emerg`
    Emerg,
}

impl LogLevel {
    /// Every level, least severe first.
    pub const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warn,
        Self::Error,
        Self::Crit,
        Self::Alert,
        Self::Emerg,
    ];

    /// Their names, in the same order.
    pub const NAMES: &'static [&'static str] = &[
        "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg",
    ];

    /// Kong's spelling.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    Off,
    /// A file, absolute (`/dev/stderr` is one).
    File {
        /// The file.
        path: PathBuf,
        /// Name of the line format, if one was given.
        format: Option<String>,
    },
    /// A syslog server, as nginx writes it: `syslog:server=…`.
    Syslog(String),
}

impl LogTarget {
    pub(super) fn parse(text: &str, prefix: &Path) -> Self {
        let (target, format) = match text.split_once(char::is_whitespace) {
            Some((target, format)) => (target, Some(format.trim().to_owned())),
            None => (text, None),
        };
        match target {
            "off" => Self::Off,
            "stderr" => Self::File {
                path: PathBuf::from("/dev/stderr"),
                format,
            },
            _ if target.starts_with("syslog:") => Self::Syslog(text.to_owned()),
            _ => Self::File {
                path: prefix.join(target),
                format,
            },
        }
    }
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::File { path, format: None } => write!(f, "{}", path.display()),
            Self::File {
                path,
                format: Some(format),
            } => write!(f, "{} {format}", path.display()),
            Self::Syslog(text) => f.write_str(text),
        }
    }
}

/// Form of error log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorLogFormat {
    /// As nginx writes them.
    Text,
    /// One JSON object each.
    Json,
}

impl ErrorLogFormat {
    pub(super) const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// Its word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
