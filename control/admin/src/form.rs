//! Fields of `application/x-www-form-urlencoded` and `multipart/form-data` bodies and of query
//! strings, as flat pairs of text.
//!
//! Limit: more than [`FIELDS_MAX`] fields are refused, as Kong does (`kong/api/arguments.lua`).
//! Source: WHATWG URL (urlencoded), RFC 7578 and RFC 2046 §5.1 (multipart).

/// Most fields of one form or query.
pub(crate) const FIELDS_MAX: usize = 1000;

/// Name and value, in order.
pub(crate) type Fields = Vec<(String, String)>;

/// More than [`FIELDS_MAX`] fields, Kong's "Too many arguments".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// The last value of a field.
pub(crate) fn last<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .rev()
        .find(|(n, _)| n == name)
        .map(|(_, v)| v.as_str())
}

/// The first value of a field.
pub(crate) fn first<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(n, _)| n == name);
    found.map(|(_, v)| v.as_str())
}

/// Decodes `a=1&b=2`.
pub(crate) fn urlencoded(text: &[u8]) -> Result<Fields, TooMany> {
    let parts = || text.split(|b| *b == b'&').filter(|p| !p.is_empty());
    if parts().nth(FIELDS_MAX).is_some() {
        return Err(TooMany);
    }
    Ok(parts()
        .map(|part| {
            let mut halves = part.splitn(2, |b| *b == b'=');
            let name = halves.next().unwrap_or_default();
            (
                percent_decoded(name),
                percent_decoded(halves.next().unwrap_or_default()),
            )
        })
        .collect())
}

/// Decodes `%XX` and `+`; bytes that are no UTF-8 become `�`.
pub(crate) fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match hex_pair(tail) {
                Some(decoded) => {
                    rest = &tail[2..];
                    decoded
                }
                None => b'%',
            },
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (high, low) = (digit(*text.first()?)?, digit(*text.get(1)?)?);
    u8::try_from(high * 16 + low).ok()
}

/// Decodes a multipart body; `None` when the content type names no boundary.
pub(crate) fn multipart(content_type: &str, body: &[u8]) -> Option<Result<Fields, TooMany>> {
    let delimiter = format!("--{}", parameter(content_type, "boundary")?);
    let mut fields = Fields::new();
    let mut rest = &body[find(body, delimiter.as_bytes()).unwrap_or(body.len())..];
    while let Some(part) = rest.strip_prefix(delimiter.as_bytes()) {
        let Some(part) = part.strip_prefix(b"\r\n") else {
            break;
        };
        let end = find(part, format!("\r\n{delimiter}").as_bytes()).unwrap_or(part.len());
        if let Some(field) = part_field(&part[..end]) {
            if fields.len() == FIELDS_MAX {
                return Some(Err(TooMany));
            }
            fields.push(field);
        }
        rest = part.get(end + 2..).unwrap_or_default();
    }
    Some(Ok(fields))
}

/// A part's name and content; the content of a file part counts as its value.
fn part_field(part: &[u8]) -> Option<(String, String)> {
    let head_end = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..head_end]).into_owned();
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let value = String::from_utf8_lossy(&part[head_end + 4..]).into_owned();
    Some((parameter(disposition, "name")?, value))
}

/// `name=value` or `name="value"` among the parameters of a header value.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|p| {
        let (name, value) = p.trim().split_once('=')?;
        let value = value.trim_matches('"');
        (name.eq_ignore_ascii_case(wanted) && !value.is_empty()).then(|| value.to_owned())
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
        fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect()
    }

    #[test]
    fn plus_and_percent_are_decoded() {
        let fields = urlencoded(b"a+b=c%20d%3D&e&%zz=%4").expect("few fields");
        assert_eq!(pairs(&fields), [("a b", "c d="), ("e", ""), ("%zz", "%4")]);
    }

    #[test]
    fn the_thousand_and_first_field_is_refused() {
        assert_eq!(
            urlencoded("a=1&".repeat(FIELDS_MAX).as_bytes()).map(|f| f.len()),
            Ok(1000)
        );
        assert_eq!(
            urlencoded("a=1&".repeat(FIELDS_MAX + 1).as_bytes()),
            Err(TooMany)
        );
    }

    #[test]
    fn a_file_part_gives_its_content() {
        let body =
            b"--x\r\nContent-Disposition: form-data; name=\"config\"; filename=\"k.yml\"\r\n\
            Content-Type: text/yaml\r\n\r\n_format_version: \"3.0\"\n\r\n--x\r\n\
            content-disposition: form-data; name=check_hash\r\n\r\n1\r\n--x--\r\n";
        let fields = multipart("multipart/form-data; boundary=x", body)
            .expect("has a boundary")
            .expect("few fields");
        let want = [
            ("config", "_format_version: \"3.0\"\n"),
            ("check_hash", "1"),
        ];
        assert_eq!(pairs(&fields), want);
    }

    #[test]
    fn a_cut_multipart_body_ends_quietly() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"config\"\r\n\r\nabc";
        for end in 0..=body.len() {
            let fields = multipart("multipart/form-data; boundary=\"x\"", &body[..end]);
            assert!(fields.expect("has a boundary").expect("few fields").len() <= 1);
        }
    }

    #[test]
    fn no_boundary_is_no_multipart() {
        assert_eq!(multipart("multipart/form-data", b"--x\r\n"), None);
    }
}
