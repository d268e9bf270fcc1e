//! What every LMDB value looks like: 8 bytes of xxh3-64 (little endian), then the record.
//!
//! The checksum tells damage from data, and doubles as the content hash by which a shard keeps what
//! it derived from a record.

use flatbuffers::{FlatBufferBuilder, Follow, Verifiable, VerifierOptions};
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::error::Damage;
use crate::generated::Id;

/// Bytes of the checksum in front of a record.
pub(super) const CHECKSUM_BYTES: usize = 8;

/// Tables that a single record may hold: far above what the largest segment needs.
const VERIFIER_TABLES_MAX: usize = 16 * 1024 * 1024;

/// A reusable encoder: one record at a time.
pub(super) struct Encoder {
    pub(super) builder: FlatBufferBuilder<'static>,
    value: Vec<u8>,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            builder: FlatBufferBuilder::with_capacity(4096),
            value: Vec::with_capacity(4096),
        }
    }

    /// Finishes the record and returns it with its checksum in front; the builder is free again.
    pub(super) fn seal<T>(&mut self, root: flatbuffers::WIPOffset<T>) -> &[u8] {
        self.builder.finish_minimal(root);
        let record = self.builder.finished_data();
        self.value.clear();
        self.value.extend_from_slice(&xxh3_64(record).to_le_bytes());
        self.value.extend_from_slice(record);
        self.builder.reset();
        &self.value
    }
}

/// The checksum of a value, as stored.
pub(super) fn checksum(value: &[u8]) -> u64 {
    value
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The 128-bit hash of a record, which the content sum of a configuration adds up.
pub(super) fn content(value: &[u8]) -> u128 {
    xxh3_128(value.get(CHECKSUM_BYTES..).unwrap_or_default())
}

/// The table in a value that has been verified before.
///
/// # Safety
/// `value` must have passed [`checked`] for the same `T`, or have been written by this process.
#[allow(unsafe_code)]
pub(super) unsafe fn trusted<'a, T: Follow<'a> + 'a>(value: &'a [u8]) -> T::Inner {
    // SAFETY: the caller's promise: the bytes are a verified FlatBuffer with this root.
    unsafe { flatbuffers::root_unchecked::<T>(&value[CHECKSUM_BYTES..]) }
}

/// The table in a value, after the checksum and the FlatBuffers verifier agreed.
///
/// # Errors
/// What is wrong with the value.
pub(super) fn checked<'a, T: Follow<'a> + Verifiable + 'a>(
    value: &'a [u8],
) -> Result<T::Inner, Damage> {
    let record = value.get(CHECKSUM_BYTES..).ok_or(Damage::Short)?;
    if xxh3_64(record) != checksum(value) {
        return Err(Damage::Checksum);
    }
    let options = VerifierOptions {
        max_tables: VERIFIER_TABLES_MAX,
        max_apparent_size: usize::MAX,
        ..VerifierOptions::default()
    };
    flatbuffers::root_with_opts::<T>(&options, record).map_err(|_| Damage::Format)
}

/// A UUID as the format stores it.
pub(super) fn id(uuid: Uuid) -> Id {
    let (hi, lo) = uuid.as_u64_pair();
    Id::new(hi, lo)
}

/// The UUID of a stored id.
pub(super) fn uuid(id: &Id) -> Uuid {
    Uuid::from_u64_pair(id.hi(), id.lo())
}
