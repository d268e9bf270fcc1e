//! The path for the upstream: service path and request path joined by the rules of
//! `path_handling = v0`, percent-encoded for a request line. Source: see the parent module.

/// Appends the upstream path to `out`, encoded.
///
/// `service_path` is the service's own path, if it has one. `request_path` is normalised.
/// `strip` is the length of the matched prefix if the route strips it; `None` if it does not, or
/// if it was matched by something other than a path.
pub fn join(
    service_path: Option<&[u8]>,
    request_path: &[u8],
    strip: Option<usize>,
    out: &mut Vec<u8>,
) {
    let base = service_path.filter(|path| !path.is_empty()).unwrap_or(b"/");
    // The base without its slash; where one belongs, it is put back between the two parts.
    let bare = base.strip_suffix(b"/").unwrap_or(base);
    let (slash, rest) = match strip {
        Some(prefix_len) => {
            let postfix = sane_postfix(request_path.get(prefix_len..).unwrap_or_default());
            (needs_slash(base, request_path, postfix), postfix)
        }
        // A bare "/" adds nothing to a service path that does not end in one.
        None if request_path == b"/" && bare.len() == base.len() => (false, &b""[..]),
        None => (false, request_path),
    };
    escape_into(bare, out);
    if slash {
        out.push(b'/');
    }
    escape_into(rest, out);
}

/// Whether a slash stands between the bare base and what is left of a stripped request path.
fn needs_slash(base: &[u8], request_path: &[u8], postfix: &[u8]) -> bool {
    if !postfix.is_empty() {
        return !postfix.starts_with(b"/");
    }
    // Nothing is left: a closing slash of the request lives on, "/" alone decides nothing.
    let request_has_slash = request_path.ends_with(b"/");
    base == b"/" || request_has_slash && (base.ends_with(b"/") || request_path.len() > 1)
}

/// Drops a dot segment that cutting the prefix has laid bare: `/r../x` without `/r` must not climb.
fn sane_postfix(postfix: &[u8]) -> &[u8] {
    match postfix {
        b"." | b".." => b"",
        [b'.', b'/', rest @ ..] | [b'.', b'.', b'/', rest @ ..] => rest,
        _ => postfix,
    }
}

/// Appends `text` with every byte that may not stand in a request target as `%XX`, upper-case.
/// Escapes that are already there stay.
pub fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    // A fold without an early exit: vector instructions, and the answer is nearly always no.
    if text
        .iter()
        .fold(true, |legal, &byte| legal & is_legal(byte))
    {
        return out.extend_from_slice(text);
    }
    for &byte in text {
        if is_legal(byte) {
            out.push(byte);
        } else {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]];
            out.extend_from_slice(&[b'%', digits[0], digits[1]]);
        }
    }
}

/// Whether `byte` stands in an upstream path as it is: letters, digits, reserved and unreserved
/// marks, and `%`. Without short circuits, so that a fold over it needs no branch.
pub(super) const fn is_legal(byte: u8) -> bool {
    (byte > b' ')
        & (byte < 0x7f)
        & (byte != b'"')
        & (byte != b'<')
        & (byte != b'>')
        & (byte != b'\\')
        & (byte != b'^')
        & (byte != b'`')
        & ((byte < b'{') | (byte > b'}'))
}
