//! Rules of names, tags, headers and paths, and the normal form of a path.
//!
//! Source: `kong/db/schema/typedefs.lua`, `kong/tools/uri.lua`, `routes.lua` of Kong 3.9.3.
//! Regexes are those of the `regex` crate, as in Kong's own router: a pattern that only PCRE
//! knows (look-around, back-references) is refused here, where Kong refuses it in the router.

use std::borrow::Cow;

use regex::RegexBuilder;

/// Patterns up to this length, without counted repetition, cannot exceed the compiled size limit,
/// so that parsing them is proof enough; compiling a million would take a minute.
const REGEX_SURELY_SMALL_BYTES: usize = 128;
/// Largest compiled pattern, bytes.
pub const REGEX_COMPILED_BYTES_MAX: usize = 10 << 20;

/// `utf8_name`: beyond ASCII anything, in ASCII letters, digits and `. - _ ~`.
pub fn name(text: &str) -> Result<(), String> {
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-' | b'_' | b'~')
    };
    if text.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "invalid value '{text}': the only accepted ascii characters are alphanumerics or ., -, _, \
         and ~"
    ))
}

/// `tag`: printable, without `,` and `/`.
pub fn tag(text: &str) -> Result<(), String> {
    let refused = |byte: u8| byte < 0x20 || matches!(byte, b',' | b'/' | 0x7f);
    if !text.bytes().any(refused) {
        return Ok(());
    }
    Err(format!(
        "invalid tag '{text}': expected printable ascii (except `,` and `/`) or valid utf-8 \
         sequences"
    ))
}

/// `semantic_version`: digits and dots, then anything after a dash or slash.
pub fn semantic_version(text: &str) -> Result<(), String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let is_version = numbers.starts_with(|c: char| c.is_ascii_digit())
        && (rest.is_empty() || rest.starts_with(['-', '/']));
    if !is_version {
        return Err("invalid version number: must be in format of X.Y.Z".into());
    }
    if numbers.contains("..") {
        return Err("must not have empty version segments".into());
    }
    Ok(())
}

/// `http_method`: upper-case letters.
pub fn method(text: &str) -> Result<(), String> {
    let valid = text.bytes().all(|byte| byte.is_ascii_uppercase());
    valid
        .then_some(())
        .ok_or_else(|| format!("invalid value: {text}"))
}

/// `header_name`.
pub fn header_name(text: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if text.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "bad header name '{text}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"
    ))
}

/// A header that a route can match on: any but Host.
pub fn route_header_name(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case("host") {
        return Err(
            "cannot contain 'host' header, which must be specified in the 'hosts' \
                    attribute"
                .into(),
        );
    }
    header_name(text)
}

/// `cookie_name`.
pub fn cookie_name(text: &str) -> Result<(), String> {
    let refused = |byte: u8| byte <= 0x20 || byte >= 0x7f || b"()<>@,;:\\\"/?={}[]".contains(&byte);
    if !text.bytes().any(refused) {
        return Ok(());
    }
    Err(
        "contains one or more invalid characters. ASCII control characters (0-31;127), space, tab \
         and the characters ()<>@,;:\\\"/?={}[] are not allowed."
            .into(),
    )
}

/// No `//` anywhere.
pub fn no_empty_segments(text: &str) -> Result<(), String> {
    if text.contains("//") {
        Err("must not have empty segments".into())
    } else {
        Ok(())
    }
}

/// `path`: the characters of RFC 3986 and whole percent triplets.
pub fn path(text: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%:@!$&'()*+,;=".contains(&byte);
    if !text.bytes().all(allowed) {
        return Err(format!(
            "invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"
        ));
    }
    percent_triplets(text)
}

fn percent_triplets(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('%') {
        let digits = bytes.get(at + 1..at + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            let bad: String = text[at..].chars().take(3).collect();
            return Err(format!("invalid url-encoded value: '{bad}'"));
        }
    }
    Ok(())
}

/// A member of a route's `paths`: a normal prefix `/…`, or a regex `~/…`.
pub fn route_path(text: &str) -> Result<(), String> {
    no_empty_segments(text)?;
    if !text.starts_with('/') && !text.starts_with("~/") {
        return Err("should start with: / (fixed path) or ~/ (regex path)".into());
    }
    percent_triplets(text)?;
    if let Some(pattern) = text.strip_prefix('~') {
        return regex(pattern)
            .map_err(|error| format!("invalid regex: '{pattern}' (PCRE returned: {error})"));
    }
    let normal = normal_path(text);
    if normal == text {
        return Ok(());
    }
    Err(format!(
        "non-normalized path, consider use '{normal}' instead"
    ))
}

fn regex(pattern: &str) -> Result<(), String> {
    regex_syntax::Parser::new()
        .parse(pattern)
        .map_err(|error| match error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            error => error.to_string(),
        })?;
    if pattern.len() <= REGEX_SURELY_SMALL_BYTES && !pattern.contains('{') {
        return Ok(());
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(REGEX_COMPILED_BYTES_MAX)
        .build();
    compiled.map(|_| ()).map_err(|error| error.to_string())
}

/// The normal form of a path prefix: percent triplets decoded except those of reserved
/// characters, dot segments removed, slashes merged. Bytes that are no UTF-8 show as `�`.
pub fn normal_path(path: &str) -> Cow<'_, str> {
    if !path.contains('%') && !path.contains("/.") && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let decoded = decode_percent(path, |_| false);
    let decoded = String::from_utf8_lossy(&decoded);
    Cow::Owned(remove_dot_segments(&decoded))
}

/// Decodes percent triplets; those of reserved characters stay, in upper case. A decoded byte for
/// which `escaped` holds gets a backslash.
pub(crate) fn decode_percent(text: &str, escaped: fn(u8) -> bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = (bytes[at] == b'%')
            .then(|| triplet(&bytes[at + 1..]))
            .flatten();
        match byte {
            Some(byte) if b"!*'();:@&=+$,/?%#[]".contains(&byte) => {
                decoded.extend(bytes[at..at + 3].to_ascii_uppercase());
                at += 3;
            }
            Some(byte) => {
                if escaped(byte) {
                    decoded.push(b'\\');
                }
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn triplet(digits: &[u8]) -> Option<u8> {
    let digit = |index: usize| char::from(*digits.get(index)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

/// RFC 3986 §5.2.4 with empty segments merged.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            "" if !last => {}
            _ => kept.push(segment),
        }
    }
    let mut normal = String::with_capacity(path.len());
    for segment in kept {
        normal.push('/');
        normal.push_str(segment);
    }
    if normal.is_empty() {
        "/".into()
    } else {
        normal
    }
}
