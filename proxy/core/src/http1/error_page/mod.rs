//! Error responses: which message, in which format, laid out how.
//!
//! Owns the table of our own errors ([`ErrorKind`]), the choice of a format ([`negotiate`]) and
//! the bodies ([`write_body`], [`write_server_page`]). Which headers go with them is the business
//! of whoever writes the head.
//!
//! Two producers exist and choose differently ([`Producer`]): access checks and plugins, and the
//! proxy itself. Invariant: a body never holds an unescaped message, whatever is in it.
//! Limit: the body is as long as its message.
//!
//! Source: Kong 3.9.3 `kong/error_handlers.lua`, `kong/tools/http.lua` (`get_response_type`),
//! `kong/pdk/response.lua` (`response.error`), `kong/constants.lua`; nginx 1.25.3
//! `ngx_http_special_response.c` for the pages that Kong does not replace.
//!
//! Deviations from Kong: the message is escaped for its format (Kong inserts it as it is);
//! `Accept: application/grpc` over HTTP/1 yields a JSON body from access checks (Kong sends an
//! empty body with an empty content type).

mod accept;
mod body;
mod kind;

pub use accept::{Producer, negotiate};
pub use body::{BodyType, write_body, write_server_page};
pub use kind::{ErrorKind, message_of};

#[cfg(test)]
mod tests;
