//! Tests of chunked framing: whole messages, every cut of them, and the writer against the reader.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;

/// What a reader makes of a message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    payload: Vec<u8>,
    trailer: Vec<u8>,
    consumed: usize,
    done: bool,
}

/// Feeds `pieces` one after the other, checking that every call makes progress.
pub(super) fn read_pieces<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, Vec<u8>, usize, bool), BadChunk> {
    let mut framing = Framing::new();
    let mut read = Read::default();
    for mut piece in pieces {
        while !piece.is_empty() && !read.done {
            let progress = framing.advance(piece)?;
            assert!(
                progress.consumed > 0,
                "no progress on {}",
                piece.escape_ascii()
            );
            assert!(progress.payload.end <= progress.consumed);
            assert!(progress.trailer.end <= progress.consumed);
            read.payload.extend_from_slice(&piece[progress.payload]);
            read.trailer.extend_from_slice(&piece[progress.trailer]);
            read.consumed += progress.consumed;
            read.done = progress.done;
            piece = &piece[progress.consumed..];
        }
    }
    assert_eq!(read.done, framing.is_done());
    Ok((read.payload, read.trailer, read.consumed, read.done))
}

fn read(message: &[u8]) -> Result<Read, BadChunk> {
    let (payload, trailer, consumed, done) = read_pieces([message])?;
    Ok(Read {
        payload,
        trailer,
        consumed,
        done,
    })
}

fn write(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Vec::new();
    for chunk in chunks {
        if let Some(size) = NonZeroUsize::new(chunk.len()) {
            message.extend_from_slice(ChunkHead::new(size).as_bytes());
            message.extend_from_slice(chunk);
            message.extend_from_slice(CHUNK_END);
        }
    }
    message.extend_from_slice(LAST_CHUNK);
    message
}

#[test]
fn a_message_is_read_to_its_end_and_no_further() {
    let message = b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\nGET / HTTP/1.1";
    let read = read(message).expect("a good message");
    assert_eq!(read.payload, b"hello world");
    assert_eq!(read.trailer, b"");
    assert!(read.done);
    assert_eq!(&message[read.consumed..], b"GET / HTTP/1.1");
}

#[test]
fn good_messages_are_accepted() {
    for (message, payload) in [
        (&b"0\r\n\r\n"[..], &b""[..]),
        (b"000\r\n\r\n", b""),
        (b"0;last\r\n\r\n", b""),
        (
            b"0A\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n",
            b"0123456789abcdefghijk",
        ),
        (b"5;name=value\r\nhello\r\n0;last\r\n\r\n", b"hello"),
        (b"1 ;x\r\na\r\n0\r\n\r\n", b"a"),
        (b"1\t;\tx = \"q;\\\"\xc3\xa9\"\r\na\r\n0\r\n\r\n", b"a"),
        (b"1;\r\na\r\n0\r\n\r\n", b"a"),
        (
            b"0000000000000000000000000000000001\r\na\r\n0\r\n\r\n",
            b"a",
        ),
        (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n"),
        (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    ] {
        let read = read(message).unwrap_or_else(|e| panic!("{}: {e}", message.escape_ascii()));
        assert_eq!(read.payload, payload, "{}", message.escape_ascii());
        assert!(
            read.done && read.consumed == message.len(),
            "{}",
            message.escape_ascii()
        );
    }
}

#[test]
fn trailers_are_named_without_the_empty_line() {
    let read = read(b"1\r\na\r\n0\r\nX-T: 1\r\nX-U:\r\n\r\nrest").expect("a good message");
    assert_eq!(read.trailer, b"X-T: 1\r\nX-U:\r\n");
    assert!(read.done);
}

#[test]
fn an_unfinished_message_is_not_done() {
    let message = b"5;x\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for len in 0..message.len() {
        assert!(
            !read(&message[..len]).expect("a good start").done,
            "{len} bytes"
        );
    }
}

#[test]
fn after_the_end_nothing_is_consumed() {
    let mut framing = Framing::new();
    assert!(framing.advance(b"0\r\n\r\n").expect("a good message").done);
    let progress = framing.advance(b"5\r\n").expect("done stays done");
    assert_eq!((progress.consumed, progress.done), (0, true));
    let skipped = framing.skip(b"5\r\n").expect("done stays done");
    assert_eq!((skipped.consumed, skipped.done), (0, true));
}

#[test]
fn an_error_is_final() {
    let mut framing = Framing::new();
    assert_eq!(framing.advance(b"x"), Err(BadChunk::NoSize));
    assert_eq!(framing.advance(b"0\r\n\r\n"), Err(BadChunk::NoSize));
    assert_eq!(framing.skip(b"0\r\n\r\n"), Err(BadChunk::NoSize));
    assert!(!framing.is_done());
}

#[test]
fn the_largest_size_is_read() {
    let mut framing = Framing::new();
    let progress = framing
        .advance(b"7fffffffffffffff\r\nabc")
        .expect("the largest size");
    assert_eq!(progress.payload, 18..21);
    assert_eq!(framing.remaining, SIZE_MAX - 3);
}

#[test]
fn payload_pays_for_its_extensions() {
    // A signature of 85 bytes on every chunk, as some upload clients send, for a long time.
    let chunk = [b"40;", &[b's'; 85][..], b"\r\n", &[b'd'; 0x40], b"\r\n"].concat();
    let message = [chunk.repeat(2000), LAST_CHUNK.to_vec()].concat();
    assert_eq!(
        read(&message).expect("a good message").payload.len(),
        2000 * 0x40
    );
}

#[test]
fn limits_are_exact() {
    let line = |extra: usize| {
        let extension = vec![b'x'; LINE_BYTES_MAX as usize - 2 + extra];
        [b"1;", &extension[..], b"\r\na\r\n0\r\n\r\n"].concat()
    };
    assert!(read(&line(0)).is_ok());
    assert_eq!(read(&line(1)), Err(BadChunk::LineTooLong));
    let trailer = |extra: usize| {
        let value = vec![b'v'; TRAILER_BYTES_MAX as usize - 4 + extra];
        [b"0\r\nN:", &value[..], b"\r\n\r\n"].concat()
    };
    assert!(read(&trailer(0)).expect("as long as allowed").done);
    assert_eq!(read(&trailer(1)), Err(BadChunk::TrailersTooLong));
}

#[test]
fn heads_are_written_without_leading_zeros() {
    for (size, head) in [
        (1, "1\r\n"),
        (15, "f\r\n"),
        (16, "10\r\n"),
        (usize::MAX, "ffffffffffffffff\r\n"),
    ] {
        let size = NonZeroUsize::new(size).expect("not zero");
        assert_eq!(ChunkHead::new(size).as_bytes(), head.as_bytes());
    }
}

/// Bytes that look like chunked framing, so that random messages get past the first line.
fn framed_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = proptest::sample::select(vec![
        &b"\r\n"[..],
        b"\r",
        b"\n",
        b"0",
        b"1",
        b"5",
        b"a",
        b"F",
        b";",
        b"x=y",
        b" ",
        b"hello",
        b"1\r\na\r\n",
        b"0\r\n",
        b"N: v\r\n",
        b"\0",
        b":",
        b"\xff",
    ]);
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// Cuts `message` at the positions given, taken modulo its length.
fn cut<'a>(message: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (message.len() + 1)).collect();
    cuts.extend([0, message.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &message[ends[0]..ends[1]])
        .collect()
}

proptest! {
    #[test]
    fn any_cut_of_a_message_reads_the_same(
        message in framed_bytes(),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        prop_assert_eq!(read_pieces(cut(&message, &cuts)), read_pieces([&message[..]]));
        prop_assert_eq!(read_pieces(message.chunks(1)), read_pieces([&message[..]]));
    }

    #[test]
    fn what_is_written_is_read(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let message = write(&chunks);
        let read = read_pieces(cut(&message, &cuts)).expect("our own message");
        prop_assert_eq!(read, (chunks.concat(), vec![], message.len(), true));
    }

    #[test]
    fn skipping_ends_where_reading_ends(
        message in framed_bytes(),
        cuts in proptest::collection::vec(any::<usize>(), 0..4),
    ) {
        let mut framing = Framing::new();
        let mut total = Skipped { consumed: 0, payload_bytes: 0, done: false };
        let mut outcome = Ok(());
        for piece in cut(&message, &cuts) {
            match framing.skip(piece) {
                Ok(skipped) => {
                    total.consumed += skipped.consumed;
                    total.payload_bytes += skipped.payload_bytes;
                    total.done = skipped.done;
                }
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        match read(&message) {
            Ok(read) => {
                prop_assert_eq!(outcome, Ok(()));
                prop_assert_eq!(total.consumed, read.consumed);
                prop_assert_eq!(total.payload_bytes, read.payload.len());
                prop_assert_eq!(total.done, read.done);
            }
            Err(error) => prop_assert_eq!(outcome, Err(error)),
        }
    }
}
