//! Chunked framing: a strict incremental decoder, and heads for chunks of our own.
//!
//! [`Framing`] is fed slices as they arrive and names the parts of them that are payload or
//! trailers; it copies and allocates nothing, and any cut of the same bytes gives the same answer.
//! Use [`Framing::advance`] to read a body, [`Framing::skip`] to relay one as it is and only
//! learn where it ends.
//!
//! Invariants: a call on input that is not empty makes progress until the message is done; an
//! error is final; no two readers of RFC 9112 can disagree about where an accepted message ends.
//! Limits: [`SIZE_MAX`], [`LINE_BYTES_MAX`], [`EXTENSION_EXCESS_MAX`], [`TRAILER_BYTES_MAX`].
//!
//! Source: RFC 9112 §7.1. Stricter than nginx, which takes a bare LF for a line end and blanks
//! behind a size; both have been used to smuggle requests. Laxer than the RFC in one point:
//! the text of an extension is not parsed, it may hold anything but control characters.

mod head;

use std::fmt;
use std::ops::Range;

pub use head::{CHUNK_END, ChunkHead, LAST_CHUNK};

#[cfg(test)]
mod abuse_tests;
#[cfg(test)]
mod tests;

/// The largest chunk, in bytes: the largest size that also fits a signed 64-bit number, for the
/// sake of whoever reads the message after us.
pub const SIZE_MAX: u64 = i64::MAX as u64;

/// The longest chunk line, in bytes without its CRLF: size, blanks and extensions.
pub const LINE_BYTES_MAX: u32 = 512;

/// How many bytes of extensions a message may hold beyond what its payload outweighs: each chunk
/// pays for 16 bytes and for twice its size. Stops bodies that are all extension.
pub const EXTENSION_EXCESS_MAX: u32 = 16 * 1024;

/// The longest trailer section, in bytes with line ends but without the empty line.
pub const TRAILER_BYTES_MAX: u32 = 8 * 1024;

/// What is wrong with a chunked message. From a client it means 400, from an upstream 502; in
/// both cases the connection must not be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadChunk {
    /// A chunk line does not begin with a hexadecimal digit.
    NoSize,
    /// A byte behind the size that begins neither an extension nor the line end.
    BadSize,
    /// The size is above [`SIZE_MAX`].
    SizeTooLarge,
    /// The chunk line is longer than [`LINE_BYTES_MAX`].
    LineTooLong,
    /// A control character in an extension.
    BadExtension,
    /// Extensions outweigh the payload by more than [`EXTENSION_EXCESS_MAX`].
    ExtensionsTooLong,
    /// The data of a chunk goes on beyond its size.
    DataTooLong,
    /// A trailer line that is no header field: no name, a blank in or before it, folding, or a
    /// control character.
    BadTrailer,
    /// The trailer section is longer than [`TRAILER_BYTES_MAX`].
    TrailersTooLong,
    /// A line ends in LF alone.
    BareLf,
    /// CR without LF behind it.
    BareCr,
}

impl fmt::Display for BadChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSize => "chunk without a size",
            Self::BadSize => "invalid byte behind a chunk size",
            Self::SizeTooLarge => "chunk size too large",
            Self::LineTooLong => "chunk line too long",
            Self::BadExtension => "control character in a chunk extension",
            Self::ExtensionsTooLong => "chunk extensions too long",
            Self::DataTooLong => "chunk data longer than its size",
            Self::BadTrailer => "invalid trailer field",
            Self::TrailersTooLong => "trailers too long",
            Self::BareLf => "line feed without carriage return",
            Self::BareCr => "carriage return without line feed",
        })
    }
}

impl std::error::Error for BadChunk {}

/// What one call of [`Framing::advance`] found. Ranges are positions in that call's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of the input are dealt with; the next call gets what is behind them.
    pub consumed: usize,
    /// Payload, up to the end of one chunk or of the input. Empty if there was none.
    pub payload: Range<usize>,
    /// Lines of the trailer section with their line ends, without the empty line that ends it.
    pub trailer: Range<usize>,
    /// The message is complete; what is behind `consumed` belongs to the next one.
    pub done: bool,
}

/// What one call of [`Framing::skip`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// How many bytes of the input belong to the message: all of them, unless it is done.
    pub consumed: usize,
    /// How many of them are payload.
    pub payload_bytes: usize,
    /// The message is complete.
    pub done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    SizeStart,
    Size,
    Blank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    LineStart,
    Name,
    Value,
    TrailerLf,
    EndLf,
    Done,
    Failed(BadChunk),
}

/// Where in a chunked message the reader stands.
#[derive(Debug, Clone)]
pub struct Framing {
    state: State,
    /// The size being read, then how much of the chunk is still to come.
    remaining: u64,
    /// Length of the chunk line so far; in the trailers, of the whole section.
    section_bytes: u32,
    extension_bytes: u32,
    extension_excess: u64,
}

impl Default for Framing {
    fn default() -> Self {
        Self::new()
    }
}

impl Framing {
    /// Stands before the first chunk.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::SizeStart,
            remaining: 0,
            section_bytes: 0,
            extension_bytes: 0,
            extension_excess: 0,
        }
    }

    /// Whether the message is complete. If the connection ends before, the message was cut off.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads on in `input`, up to the end of the first run of payload, the end of the message or
    /// the end of the input.
    ///
    /// # Errors
    /// [`BadChunk`] at the first byte that breaks the framing; the same for every later call.
    pub fn advance(&mut self, input: &[u8]) -> Result<Progress, BadChunk> {
        let answer = self.read(input);
        if let Err(error) = answer {
            self.state = State::Failed(error);
        }
        answer
    }

    /// Reads through all of `input`, for bodies that are relayed with their framing. Extensions
    /// and trailers are relayed with them; where they must not be, `advance` and [`ChunkHead`]
    /// frame the payload anew.
    ///
    /// # Errors
    /// [`BadChunk`] as for [`advance`](Self::advance); nothing of `input` should be relayed then.
    pub fn skip(&mut self, input: &[u8]) -> Result<Skipped, BadChunk> {
        let mut total = Skipped {
            consumed: 0,
            payload_bytes: 0,
            done: self.is_done(),
        };
        while total.consumed < input.len() && !total.done {
            let progress = self.advance(&input[total.consumed..])?;
            total.consumed += progress.consumed;
            total.payload_bytes += progress.payload.len();
            total.done = progress.done;
        }
        Ok(total)
    }

    fn read(&mut self, input: &[u8]) -> Result<Progress, BadChunk> {
        let mut at = 0;
        let mut trailer = 0..0;
        while let Some(&byte) = input.get(at) {
            match self.state {
                State::Data => {
                    let payload = at..self.take_data(input.len() - at) + at;
                    return Ok(Progress {
                        consumed: payload.end,
                        payload,
                        trailer,
                        done: false,
                    });
                }
                State::Done => break,
                State::Failed(error) => return Err(error),
                State::LineStart | State::Name | State::Value | State::TrailerLf => {
                    self.state = self.trailer_byte(byte)?;
                    if self.state != State::EndLf {
                        let start = if trailer.is_empty() {
                            at
                        } else {
                            trailer.start
                        };
                        trailer = start..at + 1;
                    }
                }
                State::EndLf => self.state = line_feed(byte, State::Done)?,
                _ => self.state = self.chunk_byte(byte)?,
            }
            at += 1;
        }
        Ok(Progress {
            consumed: at,
            payload: at..at,
            trailer,
            done: self.is_done(),
        })
    }

    /// Takes up to `available` bytes of the chunk's data and returns how many.
    fn take_data(&mut self, available: usize) -> usize {
        // A chunk larger than the address space is never all there.
        let taken = usize::try_from(self.remaining).map_or(available, |left| left.min(available));
        self.remaining -= taken as u64;
        if self.remaining == 0 {
            self.state = State::DataCr;
        }
        taken
    }

    /// One byte of a chunk line or of the line end behind the data.
    fn chunk_byte(&mut self, byte: u8) -> Result<State, BadChunk> {
        match (self.state, byte) {
            (State::SizeLf, _) => {
                line_feed(byte, State::Data)?;
                self.end_chunk_line()
            }
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataCr, b'\n') => Err(BadChunk::BareLf),
            (State::DataCr, _) => Err(BadChunk::DataTooLong),
            (State::DataLf, _) => line_feed(byte, State::SizeStart),
            (_, b'\n') => Err(BadChunk::BareLf),
            (State::Size | State::Extension, b'\r') => Ok(State::SizeLf),
            _ => {
                self.count_line_byte()?;
                self.chunk_line_byte(byte)
            }
        }
    }

    /// One byte of a chunk line that is no line end.
    fn chunk_line_byte(&mut self, byte: u8) -> Result<State, BadChunk> {
        match (self.state, byte) {
            (State::SizeStart | State::Size, _) if byte.is_ascii_hexdigit() => self.add_digit(byte),
            (State::SizeStart, _) => Err(BadChunk::NoSize),
            (State::Size | State::Blank, b' ' | b'\t') => Ok(State::Blank),
            (State::Size | State::Blank, b';') => Ok(State::Extension),
            (State::Size | State::Blank, _) => Err(BadChunk::BadSize),
            (_, b'\t' | b' '..=b'~' | 0x80..) => {
                self.extension_bytes += 1;
                Ok(State::Extension)
            }
            _ => Err(BadChunk::BadExtension),
        }
    }

    fn count_line_byte(&mut self) -> Result<(), BadChunk> {
        self.section_bytes += 1;
        if self.section_bytes > LINE_BYTES_MAX {
            return Err(BadChunk::LineTooLong);
        }
        Ok(())
    }

    fn add_digit(&mut self, digit: u8) -> Result<State, BadChunk> {
        let value = char::from(digit).to_digit(16).map_or(0, u64::from);
        if self.remaining > SIZE_MAX >> 4 {
            return Err(BadChunk::SizeTooLarge);
        }
        self.remaining = self.remaining << 4 | value;
        Ok(State::Size)
    }

    /// The chunk line is complete: data follows, or the trailers if the size was 0.
    fn end_chunk_line(&mut self) -> Result<State, BadChunk> {
        let paid = self.remaining.saturating_mul(2).saturating_add(16);
        self.extension_excess += u64::from(self.extension_bytes);
        self.extension_excess = self.extension_excess.saturating_sub(paid);
        if self.extension_excess > u64::from(EXTENSION_EXCESS_MAX) {
            return Err(BadChunk::ExtensionsTooLong);
        }
        self.section_bytes = 0;
        self.extension_bytes = 0;
        Ok(if self.remaining == 0 {
            State::LineStart
        } else {
            State::Data
        })
    }

    /// One byte of the trailer section.
    fn trailer_byte(&mut self, byte: u8) -> Result<State, BadChunk> {
        if self.state == State::LineStart && byte == b'\r' {
            return Ok(State::EndLf);
        }
        self.section_bytes += 1;
        if self.section_bytes > TRAILER_BYTES_MAX {
            return Err(BadChunk::TrailersTooLong);
        }
        match (self.state, byte) {
            (State::TrailerLf, _) => line_feed(byte, State::LineStart),
            (_, b'\n') => Err(BadChunk::BareLf),
            (State::Name, b':') => Ok(State::Value),
            (State::LineStart | State::Name, _) if is_token_byte(byte) => Ok(State::Name),
            (State::Value, b'\r') => Ok(State::TrailerLf),
            (State::Value, b'\t' | b' '..=b'~' | 0x80..) => Ok(State::Value),
            _ => Err(BadChunk::BadTrailer),
        }
    }
}

/// Behind a CR only LF may come.
fn line_feed(byte: u8, next: State) -> Result<State, BadChunk> {
    if byte == b'\n' {
        Ok(next)
    } else {
        Err(BadChunk::BareCr)
    }
}

/// The bytes of a header field's name, RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
