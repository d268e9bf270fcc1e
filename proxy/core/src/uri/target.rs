//! A request target taken apart: origin form (`/path?query`) or absolute form
//! (`http://host/path?query`). Source: RFC 9112 §3.2, nginx `ngx_http_parse_request_line`.

use std::fmt;

use super::authority::Authority;
use super::is_control_or_space;

/// The target is in none of the accepted forms, or holds a byte that may not stand there.
/// `*` and the authority form of CONNECT are refused as Kong does. Answered with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTarget;

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid request target")
    }
}

impl std::error::Error for BadTarget {}

/// The parts of a request target; all borrow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Host and port of an absolute-form target.
    pub authority: Option<Authority<'a>>,
    /// The path as written, from its slash to the query, not normalised. `X-Forwarded-Path`.
    pub path: &'a [u8],
    /// What follows the question mark and goes to the upstream behind one, byte for byte, up to a
    /// fragment. `Some` and empty for a target that ends in `?`.
    pub query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Splits `target`.
    ///
    /// # Errors
    /// [`BadTarget`] if it is not an origin-form or absolute-form target with legal bytes.
    pub fn parse(target: &'a [u8]) -> Result<Self, BadTarget> {
        // A fold without an early exit: vector instructions, and the answer is nearly always no.
        if target
            .iter()
            .fold(false, |bad, &byte| bad | is_control_or_space(byte))
        {
            return Err(BadTarget);
        }
        let (authority, rest) = match target.first() {
            Some(b'/') => (None, target),
            _ => split_absolute(target)?,
        };
        let (path, query) = split_query(rest);
        Ok(Self {
            authority,
            path,
            query,
        })
    }
}

/// Splits an absolute-form target behind its authority.
fn split_absolute(target: &[u8]) -> Result<(Option<Authority<'_>>, &[u8]), BadTarget> {
    let scheme_len = target
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let rest = target[scheme_len..].strip_prefix(b"://").ok_or(BadTarget)?;
    let authority_len = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(authority_len);
    // Unlike a Host value, an authority has no user info and a numeric port. A fragment right
    // behind it is refused with it.
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~[]:".contains(byte);
    let parsed = Authority::parse(authority).map_err(|_| BadTarget)?;
    let port_is_number = parsed
        .port
        .is_none_or(|port| port.iter().all(u8::is_ascii_digit));
    if scheme_len == 0 || !authority.iter().all(is_plain) || !port_is_number {
        return Err(BadTarget);
    }
    Ok((Some(parsed), rest))
}

/// Splits path and query.
///
/// The path ends at the first question mark. The query follows nginx: it ends at a `#`, does not
/// begin behind one, and an empty one counts only if the target ends in `?`.
fn split_query(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(mark) = memchr::memchr(b'?', rest) else {
        return (or_root(rest), None);
    };
    let path = or_root(&rest[..mark]);
    let query = match memchr::memchr(b'#', rest) {
        None => &rest[mark + 1..],
        Some(hash) if hash > mark => &rest[mark + 1..hash],
        Some(_) => b"",
    };
    let is_kept = !query.is_empty() || rest.ends_with(b"?");
    (path, is_kept.then_some(query))
}

/// An absolute-form target without a path means the root.
fn or_root(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"/" } else { path }
}
