//! A request body on its way to the upstream, piece by piece, without I/O.

use std::num::NonZeroUsize;

use silverback_core::http1::{
    chunked::{self, CHUNK_END, ChunkHead, LAST_CHUNK},
    request::Framing,
};

use super::failure::FailureKind;
use crate::buffer::Buffer;

/// A request body on its way.
pub(super) struct Body {
    framing: Framing,
    /// Bytes of a body with a length that were not sent on yet.
    pub(super) remaining: u64,
    chunks: chunked::Framing,
    pub(super) is_done: bool,
    /// Whether bytes were sent that are no longer at hand for another try.
    pub(super) is_spent: bool,
}

impl Body {
    pub(super) fn new(framing: Framing) -> Self {
        let remaining = if let Framing::Length(length) = framing {
            length
        } else {
            0
        };
        Self {
            framing,
            remaining,
            chunks: chunked::Framing::new(),
            is_done: matches!(framing, Framing::None | Framing::Length(0)),
            is_spent: false,
        }
    }

    /// The next piece to send out of what was received.
    pub(super) fn piece(
        &mut self,
        received: &mut Buffer,
        out: &mut Vec<u8>,
    ) -> Result<Piece, FailureKind> {
        let len = received.len();
        if len == 0 {
            return Ok(Piece::Missing);
        }
        if self.framing == Framing::Chunked {
            return self.chunked_piece(received, out);
        }
        // A body is counted in u64, a buffer in usize; both fit 64 bits.
        let here = self.remaining.min(len as u64);
        self.remaining -= here;
        self.is_done = self.remaining == 0;
        let here = usize::try_from(here).unwrap_or(len);
        if here == len {
            return Ok(Piece::Received);
        }
        out.extend_from_slice(&received.filled()[..here]);
        received.consume(here);
        Ok(Piece::Copied)
    }

    /// Unwraps the received chunks and wraps their content anew, so that the upstream sees only
    /// framing that was understood here.
    fn chunked_piece(
        &mut self,
        received: &mut Buffer,
        out: &mut Vec<u8>,
    ) -> Result<Piece, FailureKind> {
        let mut used = 0;
        while used < received.len() && !self.is_done {
            let bytes = &received.filled()[used..];
            let progress = self
                .chunks
                .advance(bytes)
                .map_err(|_| FailureKind::ClientBody)?;
            let payload = &bytes[progress.payload];
            if let Some(size) = NonZeroUsize::new(payload.len()) {
                out.extend_from_slice(ChunkHead::new(size).as_bytes());
                out.extend_from_slice(payload);
                out.extend_from_slice(CHUNK_END);
            }
            used += progress.consumed;
            self.is_done = progress.done;
            if progress.consumed == 0 && !self.is_done {
                break;
            }
        }
        received.consume(used);
        received.compact();
        if self.is_done {
            out.extend_from_slice(LAST_CHUNK);
        }
        Ok(if out.is_empty() {
            Piece::Missing
        } else {
            Piece::Copied
        })
    }
}

/// A piece of a request body, ready to send.
pub(super) enum Piece {
    /// The whole receive buffer.
    Received,
    /// Written to the send buffer.
    Copied,
    /// Nothing at hand: receive more.
    Missing,
}
