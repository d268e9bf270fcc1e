//! Malformed bodies, most of them tricks seen in request smuggling, with the error each must give.

use super::tests::read_pieces;
use super::{BadChunk, EXTENSION_EXCESS_MAX, LINE_BYTES_MAX, TRAILER_BYTES_MAX};

const MALFORMED: &[(&[u8], BadChunk)] = &[
    // No size.
    (b"\r\n", BadChunk::NoSize),
    (b"\r\n\r\n", BadChunk::NoSize),
    (b"g\r\n", BadChunk::NoSize),
    (b"hello", BadChunk::NoSize),
    (b"-1\r\n", BadChunk::NoSize),
    (b"+1\r\na\r\n0\r\n\r\n", BadChunk::NoSize),
    (b" 1\r\na\r\n0\r\n\r\n", BadChunk::NoSize),
    (b"\t1\r\na\r\n0\r\n\r\n", BadChunk::NoSize),
    (b";x\r\n", BadChunk::NoSize),
    (b"\x001\r\n", BadChunk::NoSize),
    (b"\xef\xbb\xbf1\r\na\r\n", BadChunk::NoSize),
    (b"\xef\xbc\x91\r\na\r\n", BadChunk::NoSize),
    (b"1\r\na\r\n\r\n", BadChunk::NoSize),
    (b"1\r\na\r\n 0\r\n\r\n", BadChunk::NoSize),
    // A size, then something else.
    (b"0x1\r\na\r\n", BadChunk::BadSize),
    (b"0X5\r\nhello\r\n", BadChunk::BadSize),
    (b"1_0\r\n", BadChunk::BadSize),
    (b"1.0\r\n", BadChunk::BadSize),
    (b"1,1\r\n", BadChunk::BadSize),
    (b"5h\r\nhello\r\n", BadChunk::BadSize),
    (b"1\0\r\na\r\n", BadChunk::BadSize),
    (b"1\x0b\r\na\r\n", BadChunk::BadSize),
    (b"1\x0c;\r\na\r\n", BadChunk::BadSize),
    (b"1\xa0\r\na\r\n", BadChunk::BadSize),
    (b"1 1\r\na\r\n", BadChunk::BadSize),
    (b"1 \r\na\r\n0\r\n\r\n", BadChunk::BadSize),
    (b"0\t\r\n\r\n", BadChunk::BadSize),
    (b"1 x\r\na\r\n", BadChunk::BadSize),
    // Sizes out of bounds.
    (b"8000000000000000\r\n", BadChunk::SizeTooLarge),
    (b"ffffffffffffffff\r\n", BadChunk::SizeTooLarge),
    (b"10000000000000000\r\n", BadChunk::SizeTooLarge),
    (b"10000000000000001\r\na\r\n", BadChunk::SizeTooLarge),
    (b"fffffffffffffffffff\r\nabc", BadChunk::SizeTooLarge),
    (
        b"00000000000000000000ffffffffffffffff0\r\n",
        BadChunk::SizeTooLarge,
    ),
    // Line feeds alone.
    (b"\n", BadChunk::BareLf),
    (b"1\na\r\n0\r\n\r\n", BadChunk::BareLf),
    (b"1 \na\r\n0\r\n\r\n", BadChunk::BareLf),
    (b"1;x\na\r\n0\r\n\r\n", BadChunk::BareLf),
    (b"1;\"x\n\"\r\na\r\n0\r\n\r\n", BadChunk::BareLf),
    (b"1\r\na\n0\r\n\r\n", BadChunk::BareLf),
    (b"1\r\na\r\n0\n\r\n", BadChunk::BareLf),
    (b"0\r\n\n", BadChunk::BareLf),
    (b"0\r\nN: v\n\r\n", BadChunk::BareLf),
    (b"0\r\nN\n\r\n", BadChunk::BareLf),
    (b"0\r\n\nGET /admin HTTP/1.1\r\n", BadChunk::BareLf),
    // Carriage returns alone.
    (b"1\ra\r\n0\r\n\r\n", BadChunk::BareCr),
    (b"1\r\r\na\r\n0\r\n\r\n", BadChunk::BareCr),
    (b"1;x\ry\r\na\r\n0\r\n\r\n", BadChunk::BareCr),
    (b"1\r\na\r0\r\n\r\n", BadChunk::BareCr),
    (b"1\r\na\r\r\n0\r\n\r\n", BadChunk::BareCr),
    (b"0\r\n\rX", BadChunk::BareCr),
    (b"0\r\n\r\r\n", BadChunk::BareCr),
    (b"0\r\nN: v\rw\r\n\r\n", BadChunk::BareCr),
    // Extensions.
    (b"1;\0\r\na\r\n", BadChunk::BadExtension),
    (b"1;a=\x01\r\na\r\n", BadChunk::BadExtension),
    (b"1;a=\"\x7f\"\r\na\r\n", BadChunk::BadExtension),
    (b"1;\x0b\r\na\r\n", BadChunk::BadExtension),
    // Data longer or shorter than its size.
    (b"3\r\nabcdef\r\n0\r\n\r\n", BadChunk::DataTooLong),
    (b"5\r\nhello0\r\n\r\n", BadChunk::DataTooLong),
    (b"5\r\nhello \r\n0\r\n\r\n", BadChunk::DataTooLong),
    (b"6\r\nhello\r\n0\r\n\r\n", BadChunk::BareLf),
    (b"7\r\nhello\r\n0\r\n\r\n", BadChunk::DataTooLong),
    // Trailers.
    (b"0\r\nGET / HTTP/1.1\r\n", BadChunk::BadTrailer),
    (b"0\r\n: v\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN : v\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\n N: v\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN: v\r\n w\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN: v\r\n\tw\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN: v\0\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN: \x7f\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN\xc3\xa9: v\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\nN(x): v\r\n\r\n", BadChunk::BadTrailer),
    (b"0\r\n\0\r\n", BadChunk::BadTrailer),
];

fn assert_refused(body: &[u8], expected: BadChunk) {
    let shown = &body[..body.len().min(80)];
    let whole = read_pieces([body]);
    assert_eq!(
        whole.map(|_| ()),
        Err(expected),
        "whole: {}",
        shown.escape_ascii()
    );
    let byte_by_byte = read_pieces(body.chunks(1));
    assert_eq!(
        byte_by_byte.map(|_| ()),
        Err(expected),
        "in bytes: {}",
        shown.escape_ascii()
    );
}

#[test]
fn malformed_bodies_are_refused_for_the_right_reason() {
    for &(body, expected) in MALFORMED {
        assert_refused(body, expected);
    }
}

#[test]
fn endless_lines_are_refused() {
    let too_long = LINE_BYTES_MAX as usize + 1;
    assert_refused(&vec![b'0'; too_long], BadChunk::LineTooLong);
    assert_refused(
        &[b"1", &vec![b' '; too_long][..]].concat(),
        BadChunk::LineTooLong,
    );
    assert_refused(
        &[b"1;", &vec![b'x'; too_long][..]].concat(),
        BadChunk::LineTooLong,
    );
    assert_refused(
        &[b"1;", &vec![b';'; too_long][..]].concat(),
        BadChunk::LineTooLong,
    );
}

#[test]
fn bodies_that_are_mostly_extension_are_refused() {
    let extension = vec![b'x'; LINE_BYTES_MAX as usize - 2];
    let chunk = [b"1;", &extension[..], b"\r\na\r\n"].concat();
    let enough = EXTENSION_EXCESS_MAX as usize / (extension.len() - 18) + 1;
    assert_refused(&chunk.repeat(enough), BadChunk::ExtensionsTooLong);
    assert!(read_pieces([&chunk.repeat(enough - 2)[..]]).is_ok());
}

#[test]
fn endless_trailers_are_refused() {
    let lines = b"N: v\r\n".repeat(TRAILER_BYTES_MAX as usize / 6 + 1);
    assert_refused(&[b"0\r\n", &lines[..]].concat(), BadChunk::TrailersTooLong);
    let name = vec![b'n'; TRAILER_BYTES_MAX as usize + 1];
    assert_refused(&[b"0\r\n", &name[..]].concat(), BadChunk::TrailersTooLong);
}
