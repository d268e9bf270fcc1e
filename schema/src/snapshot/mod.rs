//! The snapshot: the only road by which configuration reaches a shard.
//!
//! One LMDB environment holds FlatBuffers records (`schema/snapshot.fbs`): every entity by id, lookup
//! keys and children of every kind, the compiled router, and a label. One writer applies a full
//! configuration or a delta in one transaction; readers get the whole new version at once, by
//! pointer. Nothing is parsed, copied or rebuilt on a shard.
//!
//! | module | owns |
//! |---|---|
//! | `store` | opening, the writer, growth of the map |
//! | `check` | the walk over a file before LMDB maps it |
//! | `gate` | readers and the map |
//! | `apply`, `delta` | what a write does |
//! | `layout`, `keys` | which fields have lookup keys and children, and all keys |
//! | `candidate`, `segment` | routes compiled, and their segments |
//! | `look`, `dump` | what another process sees of a store |
//! | `reader`, [`view`], [`router`] | what a shard reads |
//! | `stored`, `listing` | what the Admin API and exports read |
//!
//! Limits: LMDB keys are at most 511 bytes, therefore router segments have numbers for keys and long
//! texts are hashed; a record is at most 2 GiB.

mod apply;
mod aside;
mod candidate;
mod check;
mod delta;
mod dump;
mod encode;
mod error;
mod gate;
mod json;
mod keys;
mod layout;
mod listing;
mod lmdb;
mod look;
mod reader;
mod record;
pub mod router;
mod segment;
mod store;
mod stored;
#[cfg(test)]
mod tests;
pub mod view;

pub use candidate::{HostKind, OTHER_METHODS, method_bit};
pub use delta::{Changes, Delta, EntityChanges};
pub use dump::{DumpError, dump};
pub use error::{Damage, Damaged, Place, StoreError};
pub use gate::Waker;
pub use look::look;
pub use reader::Snapshot;
pub use segment::common_prefix;
pub use store::{
    Applied, GROW_PATIENCE_DEFAULT, MAP_BYTES_DEFAULT, Opened, Source, State, Store, StoreOptions,
};
pub use view::{Counts, Meta};

/// The format of the records; a file of another one is set aside and fetched again.
pub const FORMAT_VERSION: u32 = 2;
