//! The keys of lookup records.

use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The one key of the database `meta`.
pub(super) const META: &[u8] = b"meta";
/// LMDB takes keys of 511 bytes; of longer names a hash stands for the name.
const NAME_BYTES_MAX: usize = 480;

/// What a child is to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Child {
    /// A route of a service.
    Route = b'r',
    /// A target of an upstream.
    Target = b't',
}

/// The key of an upstream by name.
pub(super) fn upstream_name(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + name.len().min(NAME_BYTES_MAX));
    key.push(b'u');
    if name.len() <= NAME_BYTES_MAX {
        key.extend_from_slice(name.as_bytes());
    } else {
        // A zero byte never starts a name, so hashed and plain names cannot meet.
        key.push(0);
        key.extend_from_slice(&xxh3_128(name.as_bytes()).to_be_bytes());
    }
    key
}

/// The prefix of the keys of a parent's children.
pub(super) fn children(kind: Child, parent: Uuid) -> [u8; 17] {
    let mut key = [kind as u8; 17];
    key[1..].copy_from_slice(parent.as_bytes());
    key
}

/// The key of a child, and its value.
pub(super) fn child(kind: Child, parent: Uuid, child: Uuid) -> ([u8; 33], [u8; 8]) {
    let mut key = [kind as u8; 33];
    key[1..17].copy_from_slice(parent.as_bytes());
    key[17..].copy_from_slice(child.as_bytes());
    let value = xxh3_64(&key).to_le_bytes();
    (key, value)
}

/// The child that a key names.
pub(super) fn child_id(key: &[u8]) -> Option<Uuid> {
    key.last_chunk().map(|bytes| Uuid::from_bytes(*bytes))
}
