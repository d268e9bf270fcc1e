//! Receive and send buffers, pooled per shard.
//!
//! A [`Buffer`] owns a fixed piece of memory with a filled range. The kernel receives behind the
//! range and sends from it, so the runtime can take the buffer by value without wrappers. Free
//! buffers are kept per size class, up to [`KEPT_BYTES_MAX`] a class; beyond that they are returned
//! to the allocator.

use std::cell::RefCell;

use monoio::buf::{IoBuf, IoBufMut};

/// Size of the buffer that a connection waits with; most request heads fit.
pub(crate) const WAIT_BYTES: usize = 2 * 1024;

/// Size of the buffer for request heads that did not fit the small one; Kong's limit for a head.
pub(crate) const HEAD_BYTES: usize =
    silverback_core::http1::head::REQUEST_HEAD_BYTES_MAX + TAILROOM_BYTES;

/// Room in front of an answer, where its edited head is written.
pub(crate) const HEADROOM_BYTES: usize = 512;

/// Room kept behind what the kernel receives, where the end of a chunk is written.
const TAILROOM_BYTES: usize = 2;

/// Size of the buffer for answers and request bodies.
pub(crate) const BODY_BYTES: usize = 64 * 1024 + HEADROOM_BYTES;

/// Size of the buffer once a body proved large.
pub(crate) const LARGE_BYTES: usize = 128 * 1024;

/// Most bytes of free buffers that a shard keeps in one size class.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Memory with a filled range.
#[derive(Debug)]
pub(crate) struct Buffer {
    memory: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffer {
    fn new(size: usize) -> Self {
        Self {
            memory: vec![0; size].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// The filled bytes.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    /// How many bytes are filled.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing is filled.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes that can still be received behind the filled ones.
    pub(crate) fn room(&self) -> usize {
        (self.memory.len() - self.end).saturating_sub(TAILROOM_BYTES)
    }

    /// Size of the memory.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Empties the buffer and leaves `headroom` bytes in front.
    pub(crate) fn reset(&mut self, headroom: usize) {
        self.start = headroom;
        self.end = headroom;
    }

    /// Gives up the first `count` filled bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.len(), "only filled bytes can be consumed");
        self.start += count.min(self.len());
        if self.is_empty() {
            self.reset(0);
        }
    }

    /// Gives up the first `count` filled bytes; their memory becomes room in front.
    pub(crate) fn skip(&mut self, count: usize) {
        debug_assert!(count <= self.len(), "only filled bytes can be skipped");
        self.start += count.min(self.len());
    }

    /// Keeps only the first `count` filled bytes.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.end = self.end.min(self.start + count);
    }

    /// Moves the filled bytes to the front, so that all the room is behind them.
    pub(crate) fn compact(&mut self) {
        if self.start > 0 {
            self.memory.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Puts `bytes` right before the filled ones. False, and nothing done, when they do not fit.
    pub(crate) fn prepend(&mut self, bytes: &[u8]) -> bool {
        let Some(start) = self.start.checked_sub(bytes.len()) else {
            return false;
        };
        self.memory[start..self.start].copy_from_slice(bytes);
        self.start = start;
        true
    }

    /// Puts as many of `bytes` as the memory holds behind the filled ones; returns how many.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.memory.len() - self.end);
        self.memory[self.end..self.end + count].copy_from_slice(&bytes[..count]);
        self.end += count;
        count
    }

    /// Copies the bytes of `range` to `to`, both relative to the filled ones and inside them.
    pub(crate) fn copy_within(&mut self, range: std::ops::Range<usize>, to: usize) {
        self.memory[self.start..self.end].copy_within(range, to);
    }
}

#[allow(unsafe_code)] // the runtime's trait for buffers that the kernel reads is unsafe
// SAFETY: `memory` is a boxed slice, so its address does not change when the buffer moves;
// `start..end` lies inside it and is initialised (all of it is, from the start).
unsafe impl IoBuf for Buffer {
    fn read_ptr(&self) -> *const u8 {
        self.filled().as_ptr()
    }

    fn bytes_init(&self) -> usize {
        self.len()
    }
}

#[allow(unsafe_code)] // the runtime's trait for buffers that the kernel writes is unsafe
// SAFETY: as above; the kernel writes to a part of `end..memory.len()` only, and `set_init` moves
// `end` by what it wrote, never past the memory.
unsafe impl IoBufMut for Buffer {
    fn write_ptr(&mut self) -> *mut u8 {
        self.memory[self.end..].as_mut_ptr()
    }

    fn bytes_total(&mut self) -> usize {
        self.room()
    }

    unsafe fn set_init(&mut self, count: usize) {
        self.end = (self.end + count).min(self.memory.len());
    }
}

/// Free buffers of one shard.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    wait: FreeList,
    head: FreeList,
    body: FreeList,
    large: FreeList,
}

impl Pool {
    /// An empty buffer of one of the size classes.
    pub(crate) fn take(&self, size: usize) -> Buffer {
        let mut buffer = self.list(size).pop().unwrap_or_else(|| Buffer::new(size));
        buffer.reset(0);
        buffer
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, buffer: Buffer) {
        self.list(buffer.capacity()).push(buffer);
    }

    fn list(&self, size: usize) -> &FreeList {
        match size {
            WAIT_BYTES => &self.wait,
            HEAD_BYTES => &self.head,
            BODY_BYTES => &self.body,
            _ => &self.large,
        }
    }
}

#[derive(Debug, Default)]
struct FreeList {
    buffers: RefCell<Vec<Buffer>>,
}

impl FreeList {
    fn pop(&self) -> Option<Buffer> {
        self.buffers.borrow_mut().pop()
    }

    fn push(&self, buffer: Buffer) {
        let mut buffers = self.buffers.borrow_mut();
        if (buffers.len() + 1) * buffer.capacity() <= KEPT_BYTES_MAX {
            buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_is_put_before_the_body_when_it_fits() {
        let mut buffer = Buffer::new(32);
        buffer.reset(8);
        assert_eq!(buffer.append(b"head|body"), 9);
        buffer.consume(5);
        assert!(buffer.prepend(b"new head|"));
        assert_eq!(buffer.filled(), b"new head|body");
        assert!(!buffer.prepend(b"far too long for the room"));
        assert_eq!(buffer.filled(), b"new head|body");
    }

    #[test]
    fn append_stops_at_the_end_of_the_memory() {
        let mut buffer = Buffer::new(4);
        assert_eq!(buffer.append(b"abcdef"), 4);
        assert_eq!((buffer.filled(), buffer.room()), (b"abcd".as_slice(), 0));
    }

    #[test]
    fn consumed_bytes_make_room_after_compacting() {
        let mut buffer = Buffer::new(4);
        buffer.append(b"abcd");
        buffer.consume(3);
        buffer.compact();
        assert_eq!(
            (buffer.filled(), buffer.room()),
            (b"d".as_slice(), 3 - TAILROOM_BYTES)
        );
    }

    #[test]
    fn pool_keeps_a_bounded_number_of_bytes() {
        let pool = Pool::default();
        let count = KEPT_BYTES_MAX / LARGE_BYTES + 5;
        for buffer in (0..count)
            .map(|_| pool.take(LARGE_BYTES))
            .collect::<Vec<_>>()
        {
            pool.give(buffer);
        }
        assert_eq!(
            pool.large.buffers.borrow().len(),
            KEPT_BYTES_MAX / LARGE_BYTES
        );
    }
}
