//! The keys of entities, lookup keys and children, and the values of the latter two.

use std::borrow::Cow;
use std::ops::Deref;

use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128};

use super::error::{Damage, Place};
use super::layout::{self, Link, PREFIX_BYTES_MAX};
use crate::entity::EntityKind;

/// The one key of the database `meta`.
pub(super) const META: &[u8] = b"meta";
/// What LMDB takes.
const KEY_BYTES_MAX: usize = 511;
/// A hash stands for longer texts.
const TEXT_BYTES_MAX: usize = KEY_BYTES_MAX - PREFIX_BYTES_MAX;
/// Bytes of a value of `keys`: an id and a checksum.
const REFERENCE_BYTES: usize = 24;

/// A key, without an allocation.
pub(super) struct Key {
    bytes: [u8; KEY_BYTES_MAX],
    length: usize,
}

impl Key {
    /// The parts one after the other; together they are no longer than a key may be.
    fn new<const N: usize>(parts: [&[u8]; N]) -> Self {
        let mut key = Self {
            bytes: [0; KEY_BYTES_MAX],
            length: 0,
        };
        for part in parts {
            let end = key.length + part.len();
            key.bytes[key.length..end].copy_from_slice(part);
            key.length = end;
        }
        key
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// What the keys of a kind begin with in its database.
pub(super) fn of_kind(kind: EntityKind) -> Key {
    match layout::place(kind) {
        Place::Entities => Key::new([kind.name().as_bytes(), &[0]]),
        _ => Key::new([]),
    }
}

/// The key of an entity in the database of its kind.
pub(super) fn entity(kind: EntityKind, id: Uuid) -> Key {
    Key::new([&of_kind(kind), id.as_bytes()])
}

/// The id at the end of a key.
pub(super) fn id(key: &[u8]) -> Option<Uuid> {
    key.last_chunk().map(|bytes| Uuid::from_bytes(*bytes))
}

/// What stands for a text in a key.
pub(super) fn text(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    // A text that starts as hashes do is hashed too, so that the two cannot meet.
    if text.len() <= TEXT_BYTES_MAX && !text.starts_with('\0') {
        return match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
    }
    let mut hash = vec![0];
    hash.extend_from_slice(&xxh3_128(text.as_bytes()).to_be_bytes());
    Cow::Owned(hash)
}

/// The key of an entity by a unique field; `text` is what [`text`] made of its value.
pub(super) fn unique(link: &Link, text: &[u8]) -> Key {
    Key::new([&link.prefix, text])
}

/// The value under a lookup key.
pub(super) fn reference(key: &[u8], id: Uuid) -> [u8; REFERENCE_BYTES] {
    let mut value = [0; REFERENCE_BYTES];
    value[..16].copy_from_slice(id.as_bytes());
    value[16..].copy_from_slice(&reference_checksum(key, id).to_le_bytes());
    value
}

fn reference_checksum(key: &[u8], id: Uuid) -> u64 {
    xxh3_64_with_seed(key, xxh3_64(id.as_bytes()))
}

/// The entity that a lookup key names.
///
/// # Errors
/// When the value is not the key's.
pub(super) fn referred(key: &[u8], value: &[u8]) -> Result<Uuid, Damage> {
    let bytes = value.first_chunk().ok_or(Damage::Short)?;
    let id = Uuid::from_bytes(*bytes);
    if value == reference(key, id) {
        Ok(id)
    } else {
        Err(Damage::Checksum)
    }
}

/// The prefix of the keys of a parent's children.
pub(super) fn children(link: &Link, parent: Uuid) -> Key {
    Key::new([&link.prefix, parent.as_bytes()])
}

/// The key of a child.
pub(super) fn child(link: &Link, parent: Uuid, child: Uuid) -> Key {
    Key::new([&link.prefix, parent.as_bytes(), child.as_bytes()])
}

/// The value under a child's key.
pub(super) fn child_value(key: &[u8]) -> [u8; 8] {
    xxh3_64(key).to_le_bytes()
}
