//! What can go wrong with the snapshot, by what the caller can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::entity::EntityKind;

/// A record that cannot be trusted; small, because it travels the request path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the record of {place}{} with key {key} is damaged: {damage}", of_kind(*kind))]
pub struct Damaged {
    /// The database.
    pub place: Place,
    /// The kind of entity that its key names, in the databases of more than one.
    pub kind: Option<EntityKind>,
    /// The end of the record's key, which is an id for most; shorter keys are padded with zeros in
    /// front.
    pub key: Uuid,
    /// What was found.
    pub damage: Damage,
}

fn of_kind(kind: Option<EntityKind>) -> String {
    kind.map_or_else(String::new, |kind| format!(" ({})", kind.name()))
}

/// The named databases, as error messages call them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `meta`
    Meta,
    /// `services`
    Services,
    /// `routes`
    Routes,
    /// `upstreams`
    Upstreams,
    /// `targets`
    Targets,
    /// `entities`
    Entities,
    /// `upstream_targets`
    UpstreamTargets,
    /// `keys`
    Keys,
    /// `children`
    Children,
    /// `router`
    Router,
}

impl Place {
    /// All databases, in discriminant order.
    pub const ALL: [Self; 10] = [
        Self::Meta,
        Self::Services,
        Self::Routes,
        Self::Upstreams,
        Self::Targets,
        Self::Entities,
        Self::UpstreamTargets,
        Self::Keys,
        Self::Children,
        Self::Router,
    ];

    /// The database's name in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Services => "services",
            Self::Routes => "routes",
            Self::Upstreams => "upstreams",
            Self::Targets => "targets",
            Self::Entities => "entities",
            Self::UpstreamTargets => "upstream_targets",
            Self::Keys => "keys",
            Self::Children => "children",
            Self::Router => "router",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// Shorter than its checksum.
    #[error("it is too short")]
    Short,
    /// The checksum does not fit.
    #[error("its checksum does not fit")]
    Checksum,
    /// The FlatBuffers verifier refused it.
    #[error("it is not a valid record")]
    Format,
    /// It names something that is not there, or lies outside its own bounds.
    #[error("it contradicts other records")]
    Inconsistent,
    /// LMDB could not read it.
    #[error("it cannot be read")]
    Unreadable,
    /// It ought to exist.
    #[error("it is missing")]
    Missing,
}

/// Why a store operation failed. Whatever it was, the version before it still serves.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Fix the permissions or the mount.
    #[error(
        "cannot write the configuration cache {path}: permission denied; let the user that runs \
         silverback own this directory, on a filesystem that is not read-only"
    )]
    PermissionDenied {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Move the file away.
    #[error("{path} is not a directory, but the configuration cache must be one; move it away")]
    NotADirectory {
        /// What is in the way.
        path: PathBuf,
    },
    /// Stop the other process or give this one another prefix.
    #[error(
        "the configuration cache {path} is in use by another silverback process; stop it or set \
         another prefix"
    )]
    Locked {
        /// The cache.
        path: PathBuf,
    },
    /// Free space and apply again.
    #[error(
        "no space left for the configuration cache {path}; the configuration before this one keeps \
         serving; free space and apply again"
    )]
    DiskFull {
        /// The cache.
        path: PathBuf,
    },
    /// Lower `lmdb_map_size` or raise the address-space limit.
    #[error(
        "a map of {bytes} bytes for the configuration cache does not fit the address space; raise \
         the limit (ulimit -v) or lower lmdb_map_size"
    )]
    MapTooBig {
        /// The smallest size that was tried.
        bytes: usize,
    },
    /// Apply again: a reader did not let go of its version in time.
    #[error(
        "the map of the configuration cache must grow, but a reader kept its version for {waited:?}; \
         the configuration before this one keeps serving; apply again"
    )]
    ReadersBusy {
        /// How long was waited.
        waited: Duration,
    },
    /// Correct the configuration.
    #[error("{entity} {id}: {reason}")]
    Rejected {
        /// The kind of entity, Kong's name.
        entity: &'static str,
        /// Its id.
        id: Uuid,
        /// What is wrong with it.
        reason: String,
    },
    /// Apply a full configuration, or open again to have the file set aside.
    #[error("{0}; apply the configuration again")]
    Damaged(#[from] Damaged),
    /// Anything else that the system says. LMDB calls a write that a full disk cut short an
    /// input/output error.
    #[error(
        "the configuration cache {path} cannot be used: {source}; check that disk, and whether it is full"
    )]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// LMDB's own errors.
    #[error("the configuration cache {path} cannot be used: LMDB says: {message}")]
    Lmdb {
        /// The cache.
        path: PathBuf,
        /// LMDB's text.
        message: String,
    },
}
