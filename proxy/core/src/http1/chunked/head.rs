//! Heads of chunks that we frame ourselves.

use std::num::NonZeroUsize;

/// What follows the data of each chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// The chunk of size 0 with an empty trailer section: the end of a message.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Digits of the largest size.
const DIGITS_MAX: usize = usize::BITS as usize / 4;

/// The line before a chunk's data: its size in hexadecimal and CRLF, without leading zeros.
///
/// A size of 0 would end the message, so it cannot be expressed; that is [`LAST_CHUNK`].
#[derive(Debug, Clone, Copy)]
pub struct ChunkHead {
    bytes: [u8; DIGITS_MAX + 2],
    start: usize,
}

impl ChunkHead {
    /// The head of a chunk of `size` bytes.
    #[must_use]
    pub fn new(size: NonZeroUsize) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [0; DIGITS_MAX + 2];
        bytes[DIGITS_MAX..].copy_from_slice(b"\r\n");
        let mut start = DIGITS_MAX;
        let mut rest = size.get();
        while rest != 0 {
            start -= 1;
            bytes[start] = HEX[rest & 0xf];
            rest >>= 4;
        }
        Self { bytes, start }
    }

    /// The line as it goes on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}
