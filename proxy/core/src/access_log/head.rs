//! What the raw head of a request says, without judging it: a head that was refused is logged too.

/// The request line, without its end; what there is of it when the head is incomplete.
pub fn request_line(head: &[u8]) -> &[u8] {
    let start = head
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(head.len());
    line(&head[start..]).0
}

/// Method, target and version of a request line that has three parts.
pub(super) fn parts(head: &[u8]) -> Option<[&[u8]; 3]> {
    let mut parts = request_line(head).split(|byte| *byte == b' ');
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    parts[2].starts_with(b"HTTP/").then_some(parts)
}

/// The header fields in order, up to the empty line: name and trimmed value.
pub(super) fn fields(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let mut rest = line(&head[start.unwrap_or(head.len())..]).1;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (field, after) = line(rest);
            rest = after;
            if field.is_empty() {
                return None;
            }
            if let Some(at) = memchr::memchr(b':', field) {
                return Some((&field[..at], field[at + 1..].trim_ascii()));
            }
        }
        None
    })
}

/// The first field of that name.
pub fn field<'b>(head: &'b [u8], name: &str) -> Option<&'b [u8]> {
    fields(head)
        .find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value)
}

/// The first line without its end, and what follows.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr::memchr(b'\n', bytes) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}
