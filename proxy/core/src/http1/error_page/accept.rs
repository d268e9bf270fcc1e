//! Which format an error is answered in.
//!
//! The rules are those of Kong, oddities included: media types are compared with their case, an
//! unknown type of high quality wins as JSON, names of one letter do not count as types or
//! parameters. Nothing here fails: what cannot be read does not count.

use super::BodyType;

/// Who answers; each chooses its format in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Producer {
    /// An access check or a plugin. All `Accept` lines count; without one the answer is JSON.
    Access,
    /// The proxy itself. The first `Accept` line counts; without one the request's content type;
    /// without that, `error_default_type`.
    Proxy {
        /// The format for `error_default_type`.
        default_type: BodyType,
    },
}

/// Chooses the format of an error's body.
///
/// `accept` yields the values of the request's `Accept` lines in order (an `Option` will do for
/// one). If the request line could not be read, the headers were not either: give nothing.
#[must_use]
pub fn negotiate<'a>(
    accept: impl IntoIterator<Item = &'a [u8]>,
    content_type: Option<&'a [u8]>,
    producer: Producer,
) -> BodyType {
    let mut accept = accept.into_iter();
    match producer {
        Producer::Access => best_of(accept),
        Producer::Proxy { default_type } => match accept.next().or(content_type) {
            None => default_type,
            Some(value) if value.starts_with(b"application/grpc") => BodyType::CompactJson,
            Some(value) => best_of([value]),
        },
    }
}

/// The format for the entry of highest quality, the first of equals; JSON if there is none.
fn best_of<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> BodyType {
    let mut best = BodyType::Json;
    let mut best_quality = 0;
    for line in lines {
        for entry in line.split(|&byte| byte == b',') {
            match media_range(entry.trim_ascii()) {
                Some((media_type, quality)) if quality > best_quality => {
                    best = body_type_of(media_type);
                    best_quality = quality;
                }
                _ => {}
            }
        }
    }
    best
}

/// The format for a media type, in exactly this spelling. What is not offered becomes JSON.
fn body_type_of(media_type: &[u8]) -> BodyType {
    match media_type {
        b"text/html" => BodyType::Html,
        b"text/plain" | b"text/*" => BodyType::Plain,
        b"application/xml" => BodyType::Xml,
        _ => BodyType::Json,
    }
}

/// Reads the media type at the front of an entry, and its quality in thousandths. What follows
/// them does not matter.
fn media_range(entry: &[u8]) -> Option<(&[u8], u16)> {
    let main_len = name_len(entry)?;
    let sub = entry[main_len..].strip_prefix(b"/")?;
    let media_type_len = main_len + 1 + name_len(sub)?;
    let (media_type, mut rest) = entry.split_at(media_type_len);
    let mut quality = 1000;
    while let Some(parameter) = rest.trim_ascii_start().strip_prefix(b";") {
        let parameter = parameter.trim_ascii_start();
        if let Some((value, behind)) = quality_parameter(parameter) {
            quality = value;
            rest = behind;
        } else if let Some(len) = parameter_len(parameter) {
            rest = &parameter[len..];
        } else {
            break;
        }
    }
    Some((media_type, quality))
}

/// Reads `q=`, a quality in thousandths, and returns what is behind it.
fn quality_parameter(text: &[u8]) -> Option<(u16, &[u8])> {
    const FRACTION_DIGITS_MAX: usize = 3;
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), rest @ ..] = text else {
        return None;
    };
    let whole_value = u16::from(*whole - b'0') * 1000;
    let Some(fraction) = rest.strip_prefix(b".") else {
        return Some((whole_value, rest));
    };
    // Behind a 1 only zeros are read.
    let is_digit = |byte: &u8| {
        if *whole == b'1' {
            *byte == b'0'
        } else {
            byte.is_ascii_digit()
        }
    };
    let digits = fraction
        .iter()
        .take(FRACTION_DIGITS_MAX)
        .take_while(|byte| is_digit(byte));
    let (mut value, mut len, mut unit) = (whole_value, 0, 100);
    for digit in digits {
        value += u16::from(digit - b'0') * unit;
        unit /= 10;
        len += 1;
    }
    Some((value, &fraction[len..]))
}

/// The length of a parameter other than the quality: a name, and a value up to the next `;`.
fn parameter_len(text: &[u8]) -> Option<usize> {
    let name = name_len(text).filter(|&len| text[..len] != *b"*")?;
    if text.get(name) != Some(&b'=') {
        return Some(name);
    }
    Some(memchr::memchr(b';', text).unwrap_or(text.len()))
}

/// The length of the name at the front of `text`: a star, or at least two characters.
fn name_len(text: &[u8]) -> Option<usize> {
    if text.first() == Some(&b'*') {
        return Some(1);
    }
    let is_name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-!#$&^_+.".contains(byte);
    let len = text.iter().take_while(|byte| is_name_byte(byte)).count();
    (len >= 2 && text[0].is_ascii_alphanumeric()).then_some(len)
}
