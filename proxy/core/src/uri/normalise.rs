//! Path normalisation: percent-decoding, merged slashes, resolved dot segments.
//!
//! Two readers look at a path. [`validate`] reads it as nginx does, with every escape decoded, and
//! refuses what nginx answers with 400. [`rewrite`] reads it as Kong does, keeping reserved escapes,
//! and cannot fail. Source: see the parent module.

use std::fmt;

use super::is_control_or_space;

/// Why a path is answered with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPath {
    /// Empty, or does not begin with `/`.
    NotRooted,
    /// A raw control character, space or DEL.
    Control,
    /// A `%` that is not followed by two hexadecimal digits.
    Escape,
    /// The escape `%00`.
    Nul,
    /// More `..` segments than segments before them, with all escapes decoded.
    AboveRoot,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRooted => "path does not begin with a slash",
            Self::Control => "path holds a control character or a space",
            Self::Escape => "path holds an invalid percent escape",
            Self::Nul => "path holds an encoded NUL",
            Self::AboveRoot => "path climbs above the root",
        })
    }
}

impl std::error::Error for BadPath {}

/// Where the normalised path is. Carries no borrow, so that an exchange can keep it beside buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalised {
    /// The path as it came is normal; nothing was written.
    AsIs,
    /// The output buffer holds the normalised path.
    Rewritten,
}

impl Normalised {
    /// The normalised path, given the two buffers that [`normalise`] was called with.
    #[must_use]
    pub fn of<'a>(self, path: &'a [u8], out: &'a [u8]) -> &'a [u8] {
        match self {
            Self::AsIs => path,
            Self::Rewritten => out,
        }
    }
}

/// Normalises `path` (a target's part before the query) as Kong's router sees it.
///
/// `out` is cleared and used only if the path must change; it never grows beyond `path.len()`.
/// The result may hold decoded controls, spaces and bytes above 0x7f: it is for matching and for
/// [`join`](super::join), never for a wire as it is.
///
/// # Errors
/// [`BadPath`] for paths that nginx refuses with 400.
pub fn normalise(path: &[u8], out: &mut Vec<u8>) -> Result<Normalised, BadPath> {
    if is_normal(path) {
        return Ok(Normalised::AsIs);
    }
    validate(path)?;
    rewrite(path, out);
    Ok(Normalised::Rewritten)
}

/// Whether `path` is certainly valid and normal, in one pass without branches per byte.
///
/// A false answer proves nothing: paths with any escape or with a segment that begins with a dot
/// (`/.well-known`) go the slow way, which gives the same answer.
#[must_use]
pub fn is_normal(path: &[u8]) -> bool {
    if path.first() != Some(&b'/') {
        return false;
    }
    // Plain folds over bytes: the compiler turns each into vector instructions.
    let odd_byte = path.iter().fold(false, |odd, &byte| {
        odd | is_control_or_space(byte) | (byte == b'%')
    });
    let odd_pair = path
        .iter()
        .zip(&path[1..])
        .fold(false, |odd, (&first, &second)| {
            odd | ((first == b'/') & ((second == b'/') | (second == b'.')))
        });
    !(odd_byte | odd_pair)
}

/// Refuses what nginx refuses, reading segments with every escape decoded, so that `%2e%2e` and
/// `..%2f` count as climbing.
fn validate(path: &[u8]) -> Result<(), BadPath> {
    if path.first() != Some(&b'/') {
        return Err(BadPath::NotRooted);
    }
    let mut depth = Depth::default();
    let mut rest = path;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let decoded = match byte {
            b'%' => {
                let value = escape_value(tail).ok_or(BadPath::Escape)?;
                rest = &tail[2..];
                if value == 0 {
                    return Err(BadPath::Nul);
                }
                value
            }
            _ if is_control_or_space(byte) => return Err(BadPath::Control),
            _ => byte,
        };
        depth.push(decoded)?;
    }
    depth.end_segment()
}

/// How many segments deep a path is, fed byte by byte.
#[derive(Default)]
struct Depth {
    segments: usize,
    segment_bytes: usize,
    segment_dots: usize,
}

impl Depth {
    fn push(&mut self, byte: u8) -> Result<(), BadPath> {
        if byte == b'/' {
            return self.end_segment();
        }
        self.segment_bytes += 1;
        self.segment_dots += usize::from(byte == b'.');
        Ok(())
    }

    fn end_segment(&mut self) -> Result<(), BadPath> {
        let is_dots = self.segment_bytes == self.segment_dots;
        match self.segment_bytes {
            0 => {}
            1 if is_dots => {}
            2 if is_dots => {
                self.segments = self.segments.checked_sub(1).ok_or(BadPath::AboveRoot)?;
            }
            _ => self.segments += 1,
        }
        self.segment_bytes = 0;
        self.segment_dots = 0;
        Ok(())
    }
}

/// Writes the normal form of a valid `path` into `out`, replacing its contents.
///
/// Segments are those of Kong: an escaped slash does not end one. So a path that is valid for
/// nginx can still have too many `..` here; as in Kong the surplus ones are dropped.
pub(super) fn rewrite(path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(path.len());
    out.push(b'/');
    // Where the segment being written begins in `out`, always just behind a slash.
    let mut segment = 1;
    let mut rest = path.strip_prefix(b"/").unwrap_or(path);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'/' => segment = end_segment(out, segment),
            b'%' => match escape_value(tail) {
                Some(value) if is_reserved(value) => {
                    out.extend_from_slice(&[
                        b'%',
                        tail[0].to_ascii_uppercase(),
                        tail[1].to_ascii_uppercase(),
                    ]);
                    rest = &tail[2..];
                }
                Some(value) => {
                    out.push(value);
                    rest = &tail[2..];
                }
                None => out.push(b'%'),
            },
            _ => out.push(byte),
        }
    }
    // A dot segment at the end leaves its slash; an ordinary one gains none.
    if matches!(&out[segment..], b"." | b"..") {
        end_segment(out, segment);
    }
}

/// Ends the segment that begins at `segment`: merges it if empty, resolves it if it is a dot
/// segment, else puts a slash behind it. Returns where the next segment begins.
fn end_segment(out: &mut Vec<u8>, segment: usize) -> usize {
    match &out[segment..] {
        b"" | b"." => out.truncate(segment),
        b".." => {
            let parent_end = segment - 1;
            let parent = memchr::memrchr(b'/', &out[..parent_end]).map_or(1, |slash| slash + 1);
            out.truncate(parent);
        }
        _ => out.push(b'/'),
    }
    out.len()
}

/// The value of the escape whose two digits `rest` begins with.
fn escape_value(rest: &[u8]) -> Option<u8> {
    let &[high, low, ..] = rest else { return None };
    Some(hex_digit(high)? << 4 | hex_digit(low)?)
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Bytes whose escapes are kept: decoding them would change what the URI means.
const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'*'
            | b'\''
            | b'('
            | b')'
            | b';'
            | b':'
            | b'@'
            | b'&'
            | b'='
            | b'+'
            | b'$'
            | b','
            | b'/'
            | b'?'
            | b'%'
            | b'#'
            | b'['
            | b']'
    )
}
