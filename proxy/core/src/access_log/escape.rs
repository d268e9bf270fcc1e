//! Escaping of values, by the three ways of nginx's `log_format`.

use super::format::Escape;
use crate::http1::request::put;

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

impl Escape {
    /// Appends a value from outside.
    pub(super) fn write(self, value: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Default => runs(value, out, is_special, |byte, out| {
                out.extend([b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
            }),
            Self::Json => {
                for chunk in value.utf8_chunks() {
                    runs(chunk.valid().as_bytes(), out, is_special_in_json, put_json);
                    if !chunk.invalid().is_empty() {
                        out.extend_from_slice("\u{fffd}".as_bytes());
                    }
                }
            }
            Self::None => out.extend_from_slice(value),
        }
    }

    /// Appends what stands for a value that there is not.
    pub(super) fn write_missing(self, out: &mut Vec<u8>) {
        if self == Self::Default {
            out.push(b'-');
        }
    }
}

/// Appends all that is not special as it is.
fn runs(
    value: &[u8],
    out: &mut Vec<u8>,
    is_special: impl Fn(u8) -> bool,
    escape: impl Fn(u8, &mut Vec<u8>),
) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| is_special(*byte)) {
        out.extend_from_slice(&rest[..at]);
        escape(rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\' | 0x7f..)
}

fn is_special_in_json(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn put_json(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend([b'\\', byte]),
        b'\n' => put(out, &[b"\\n"]),
        b'\r' => put(out, &[b"\\r"]),
        b'\t' => put(out, &[b"\\t"]),
        0x08 => put(out, &[b"\\b"]),
        0x0c => put(out, &[b"\\f"]),
        _ => {
            put(out, &[b"\\u00"]);
            out.extend([digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn digit(number: u8) -> u8 {
    UPPER[usize::from(number & 15)]
}
