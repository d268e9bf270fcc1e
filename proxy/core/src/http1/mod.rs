//! HTTP/1: heads, framing of bodies and the gateway's own error pages, without I/O.

pub mod chunked;
pub mod error_page;
pub mod head;
pub mod request;
pub mod response;

#[cfg(test)]
mod tests;
