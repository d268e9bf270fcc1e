//! A response body on its way to the client: where it ends, and how it is framed anew, without I/O.

use std::num::NonZeroUsize;

use silverback_core::{
    exchange::{Relay, Responded},
    http1::{
        chunked::{self, CHUNK_END, ChunkHead},
        request::Framing,
    },
};

use crate::buffer::{BODY_BYTES, Buffer};

/// What is still to come of a response body.
pub(super) struct Rest {
    framing: Framing,
    relay: Relay,
    remaining: u64,
    chunks: chunked::Framing,
    received: u64,
    pub(super) is_done: bool,
    /// Whether the upstream sent nothing behind the body.
    pub(super) is_clean: bool,
}

/// The upstream's body breaks its own framing.
pub(super) struct Broken;

impl Rest {
    pub(super) fn new(responded: &Responded) -> Self {
        let remaining = if let Framing::Length(length) = responded.framing {
            length
        } else {
            0
        };
        Self {
            framing: responded.framing,
            relay: responded.relay,
            remaining,
            chunks: chunked::Framing::new(),
            received: 0,
            is_done: matches!(responded.framing, Framing::None | Framing::Length(0)),
            is_clean: true,
        }
    }

    /// Counts a received piece; cuts off what does not belong to the body.
    pub(super) fn take(&mut self, piece: &mut Buffer) -> Result<(), Broken> {
        let len = piece.len();
        self.received += len as u64;
        let used = match self.framing {
            Framing::None => 0,
            Framing::Close => len,
            Framing::Length(_) => {
                let here = self.remaining.min(len as u64);
                self.remaining -= here;
                self.is_done = self.remaining == 0;
                usize::try_from(here).unwrap_or(len)
            }
            Framing::Chunked => return self.take_chunks(piece),
        };
        self.is_clean &= used == len;
        piece.truncate(used);
        Ok(())
    }

    fn take_chunks(&mut self, piece: &mut Buffer) -> Result<(), Broken> {
        let (used, is_clean) = match self.relay {
            Relay::Dechunk => self.unwrap_chunks(piece)?,
            Relay::AsIs | Relay::Chunk => {
                let skipped = self.chunks.skip(piece.filled()).map_err(|_| Broken)?;
                (skipped.consumed, skipped.consumed == piece.len())
            }
        };
        self.is_done = self.chunks.is_done();
        self.is_clean &= is_clean;
        piece.truncate(used);
        Ok(())
    }

    /// Moves the payload together, each byte once; returns where it ends and whether nothing follows
    /// the body.
    fn unwrap_chunks(&mut self, piece: &mut Buffer) -> Result<(usize, bool), Broken> {
        let (mut at, mut end) = (0, 0);
        while at < piece.len() && !self.chunks.is_done() {
            let bytes = &piece.filled()[at..];
            let progress = self.chunks.advance(bytes).map_err(|_| Broken)?;
            let payload = at + progress.payload.start..at + progress.payload.end;
            let len = payload.len();
            piece.copy_within(payload, end);
            end += len;
            at += progress.consumed;
            if progress.consumed == 0 {
                break;
            }
        }
        Ok((end, at == piece.len()))
    }

    /// The upstream closed. Whether that was the body's end.
    pub(super) fn close(&mut self) -> bool {
        self.is_done = self.framing == Framing::Close;
        self.is_done
    }

    pub(super) fn is_large(&self) -> bool {
        self.remaining > BODY_BYTES as u64 || self.received > BODY_BYTES as u64
    }
}

/// Wraps a piece as one chunk.
pub(super) fn wrap(piece: &mut Buffer) {
    let Some(size) = NonZeroUsize::new(piece.len()) else {
        return;
    };
    piece.append(CHUNK_END);
    piece.prepend(ChunkHead::new(size).as_bytes());
}
