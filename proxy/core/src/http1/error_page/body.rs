//! The layouts of error bodies.

use std::io::Write;

/// The format of an error's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyType {
    /// Indented JSON with message and request id.
    Json,
    /// The message alone in JSON on one line, for gRPC clients that came over HTTP/1.
    CompactJson,
    /// A small page.
    Html,
    /// A root element with message and request id.
    Xml,
    /// Two lines of text.
    Plain,
}

impl BodyType {
    /// The value of the `Content-Type` header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::CompactJson => "application/json; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Xml => "application/xml; charset=utf-8",
            Self::Plain => "text/plain; charset=utf-8",
        }
    }

    /// The format for a value of `error_default_type`. `None` for values that it cannot have.
    #[must_use]
    pub fn from_default_type(value: &str) -> Option<Self> {
        match value {
            "application/json" => Some(Self::Json),
            "text/html" => Some(Self::Html),
            "application/xml" => Some(Self::Xml),
            "text/plain" => Some(Self::Plain),
            _ => None,
        }
    }
}

/// Appends the body for `message` to `out`.
pub fn write_body(body_type: BodyType, message: &str, request_id: &str, out: &mut Vec<u8>) {
    let [before, between, after] = layout(body_type);
    out.extend_from_slice(before.as_bytes());
    write_escaped(body_type, message, out);
    out.extend_from_slice(between.as_bytes());
    if body_type != BodyType::CompactJson {
        write_escaped(body_type, request_id, out);
    }
    out.extend_from_slice(after.as_bytes());
}

/// What stands before the message, between it and the request id, and after.
const fn layout(body_type: BodyType) -> [&'static str; 3] {
    match body_type {
        BodyType::Json => ["{\n  \"message\":\"", "\",\n  \"request_id\":\"", "\"\n}"],
        BodyType::CompactJson => ["{\"message\":\"", "\"}", ""],
        BodyType::Html => [
            concat!(
                "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n",
                "    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>"
            ),
            ".</p>\n    <p>request_id: ",
            "</p>\n  </body>\n</html>\n",
        ],
        BodyType::Xml => [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>",
            "</message>\n  <requestid>",
            "</requestid>\n</error>\n",
        ],
        BodyType::Plain => ["", "\nrequest_id: ", "\n"],
    }
}

/// Appends `text` so that it cannot leave its place in the layout.
fn write_escaped(body_type: BodyType, text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| is_special(byte)) {
        out.extend_from_slice(&rest[..at]);
        write_special(body_type, rest[at], out);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Whether `byte` means something in any of the formats.
const fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\' | b'<' | b'>' | b'&')
}

fn write_special(body_type: BodyType, byte: u8, out: &mut Vec<u8>) {
    match (body_type, byte) {
        (BodyType::Json | BodyType::CompactJson, b'"' | b'\\') => {
            out.extend_from_slice(&[b'\\', byte]);
        }
        (BodyType::Json | BodyType::CompactJson, ..=0x1f) => {
            write!(out, "\\u{byte:04x}").expect("a Vec takes every write");
        }
        (BodyType::Html | BodyType::Xml, b'<') => out.extend_from_slice(b"&lt;"),
        (BodyType::Html | BodyType::Xml, b'>') => out.extend_from_slice(b"&gt;"),
        (BodyType::Html | BodyType::Xml, b'&') => out.extend_from_slice(b"&amp;"),
        // XML cannot express controls at all.
        (BodyType::Xml, 0..=8 | 0x0b..=0x1f) => out.push(b' '),
        _ => out.push(byte),
    }
}

/// Appends the page of the web server itself, for statuses that Kong does not give a body of its
/// own, such as 501 and 505. Its content type is `text/html; charset=UTF-8`.
///
/// `reason` is the standard phrase, such as `Not Implemented`; it is not escaped.
pub fn write_server_page(status: u16, reason: &'static str, out: &mut Vec<u8>) {
    write!(
        out,
        "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n\
         <center><h1>{status} {reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    .expect("a Vec takes every write");
}
