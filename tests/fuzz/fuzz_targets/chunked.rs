//! Chunked framing: the incremental decoder against itself, a slow reference and the writer.
//!
//! The first byte of an input says how large the pieces are that the rest is cut into.
#![no_main]

use std::num::NonZeroUsize;

use libfuzzer_sys::fuzz_target;
use silverback_core::http1::chunked::{BadChunk, CHUNK_END, ChunkHead, Framing, LAST_CHUNK};

#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    payload: Vec<u8>,
    trailer: Vec<u8>,
    consumed: usize,
    done: bool,
}

fuzz_target!(|input: &[u8]| {
    let Some((&piece_len, message)) = input.split_first() else {
        return;
    };
    let whole = read([message]);
    assert_eq!(whole, read(message.chunks(1)));
    assert_eq!(whole, read(message.chunks(usize::from(piece_len).max(1))));
    assert_eq!(
        outcome(&whole),
        skip(message.chunks(usize::from(piece_len).max(1)))
    );
    let Ok(read_once) = whole else { return };
    if read_once.done {
        let framed = &message[..read_once.consumed];
        assert_eq!(reference(framed).as_deref(), Some(&read_once.payload[..]));
        let again = read([&frame(&read_once.payload, usize::from(piece_len))[..]]);
        assert_eq!(again.map(|read| read.payload), Ok(read_once.payload));
    }
});

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Read, BadChunk> {
    let mut framing = Framing::new();
    let mut read = Read::default();
    for mut piece in pieces {
        while !piece.is_empty() && !read.done {
            let progress = framing.advance(piece)?;
            assert!(progress.consumed > 0, "no progress");
            assert!(progress.trailer.is_empty() || progress.payload.is_empty());
            read.payload.extend_from_slice(&piece[progress.payload]);
            read.trailer.extend_from_slice(&piece[progress.trailer]);
            read.consumed += progress.consumed;
            read.done = progress.done;
            piece = &piece[progress.consumed..];
        }
    }
    Ok(read)
}

type Outcome = Result<(usize, usize, bool), BadChunk>;

fn outcome(read: &Result<Read, BadChunk>) -> Outcome {
    read.as_ref()
        .map(|read| (read.consumed, read.payload.len(), read.done))
        .map_err(|error| *error)
}

fn skip<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut framing = Framing::new();
    let (mut consumed, mut payload_bytes) = (0, 0);
    for piece in pieces {
        let skipped = framing.skip(piece)?;
        assert!(skipped.done || skipped.consumed == piece.len());
        consumed += skipped.consumed;
        payload_bytes += skipped.payload_bytes;
    }
    Ok((consumed, payload_bytes, framing.is_done()))
}

/// Reads a complete message line by line; `None` if its parts do not fill it exactly.
fn reference(message: &[u8]) -> Option<Vec<u8>> {
    let mut payload = Vec::new();
    let mut rest = message;
    loop {
        let (line, behind) = split_line(rest)?;
        let digits = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let size = u64::from_str_radix(str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        let size = usize::try_from(size).ok()?;
        if size == 0 {
            rest = behind;
            break;
        }
        payload.extend_from_slice(behind.get(..size)?);
        rest = behind[size..].strip_prefix(b"\r\n")?;
    }
    while !rest.starts_with(b"\r\n") {
        let (line, behind) = split_line(rest)?;
        assert!(line.iter().position(|&byte| byte == b':')? > 0);
        rest = behind;
    }
    (rest == b"\r\n").then_some(payload)
}

fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&text[..end], &text[end + 2..]))
}

fn frame(payload: &[u8], chunk_len: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for chunk in payload.chunks(chunk_len.max(1)) {
        let size = NonZeroUsize::new(chunk.len()).expect("chunks are not empty");
        message.extend_from_slice(ChunkHead::new(size).as_bytes());
        message.extend_from_slice(chunk);
        message.extend_from_slice(CHUNK_END);
    }
    message.extend_from_slice(LAST_CHUNK);
    message
}
