//! Request targets: taking them apart, normalising the path, joining it with a service's path.
//!
//! Owns everything that is known about the text of a URI: [`Target`] splits a request target,
//! [`normalise`] brings its path into the form that routes are matched against, [`join`] makes the
//! path for the upstream, [`Authority`] splits a `Host` value. Nothing here allocates but for a
//! growing output buffer, and most requests copy nothing before `join`.
//!
//! Invariants: a normalised path begins with `/`, holds neither `//` nor a dot segment, and every
//! `%` in it begins a valid escape; what `join` writes holds only bytes that may stand in a
//! request line. Limits: none of its own, the caller bounds the request line.
//!
//! Source: Kong 3.9.3 `kong/tools/uri.lua`, `kong/router/utils.lua`
//! (`strip_uri_args`, `sanitize_uri_postfix`, `get_upstream_uri_v0`); nginx 1.25.3
//! `ngx_http_parse.c` for what is refused; RFC 3986 §5.2.4, RFC 9112 §3.2.
//!
//! Deviations from Kong:
//! - A bad escape, `%00`, or a climb above the root is refused also behind a `#`, where nginx stops
//!   looking (Kong would decode or clamp it).
//! - An absolute-form target without a path (`http://host?x`) has the path `/`; Kong matches
//!   routes against the text `?x`.

mod authority;
mod join;
mod normalise;
mod target;

pub use authority::{Authority, BadAuthority};
pub use join::{escape_into, join};
pub use normalise::{BadPath, Normalised, is_normal, normalise};
pub use target::{BadTarget, Target};

#[cfg(test)]
mod tests;

/// Whether `byte` may not stand in a request target at all: controls, space, DEL.
const fn is_control_or_space(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}
