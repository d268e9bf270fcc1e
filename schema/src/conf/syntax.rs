//! The line grammar of `kong.conf` (Penlight `pl.config`, non-smart mode) and of `.kong_env`.
//!
//! A dump must carry values that no `kong.conf` can hold (line breaks, a final backslash), so it
//! opens with [`ESCAPED_MARKER`], which makes `\n`, `\r`, `\\` and `\#` escapes inside values.

/// First line of a file whose values carry backslash escapes.
pub(super) const ESCAPED_MARKER: &str = "# silverback: escaped values";

/// Longest line of a file that people write, continuations joined, bytes.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;

/// What a file says.
pub(super) struct Parsed {
    /// In file order.
    pub(super) assignments: Vec<Assignment>,
    /// A sentence for every line without effect, and the line's number.
    pub(super) notes: Vec<(usize, String)>,
    /// Whether a node wrote it, not a person.
    pub(super) is_dump: bool,
}

/// One assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Key with every non-alphanumeric made `_`.
    pub(super) key: String,
    /// Trimmed value without comment.
    pub(super) value: String,
    /// Line of its key, from 1.
    pub(super) line: usize,
}

/// What the text says. The error is the number of a line that is too long.
pub(super) fn parse(text: &str) -> Result<Parsed, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with(ESCAPED_MARKER) {
        return Ok(Parsed {
            assignments: parse_escaped(text),
            notes: Vec::new(),
            is_dump: true,
        });
    }
    let (mut assignments, mut notes) = (Vec::new(), Vec::new());
    for (line, text) in logical_lines(text) {
        if text.len() > LINE_BYTES_MAX {
            return Err(line);
        }
        if text.starts_with('[') {
            notes.push((
                line,
                format!("{text}: sections are not known; what follows is ignored"),
            ));
            break;
        }
        match text.split_once('=') {
            Some((key, value)) => assignments.push(Assignment {
                key: normalise_key(key),
                value: strip_comment(value),
                line,
            }),
            None => notes.push((line, format!("{text:?} is ignored: it has no '='"))),
        }
    }
    Ok(Parsed {
        assignments,
        notes,
        is_dump: false,
    })
}

/// Joins continued lines, drops comments and blanks; each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (number, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(head) => {
                joined.push_str(head);
                open = Some((number, joined));
            }
            None => {
                joined.push_str(line);
                lines.push((number, joined));
            }
        }
    }
    lines.extend(open);
    lines
}

fn normalise_key(key: &str) -> String {
    key.trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

/// Cuts the value at the first `#` that is not written `\#`.
fn strip_comment(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    for part in value.split_inclusive('#') {
        match (part.strip_suffix("\\#"), part.strip_suffix('#')) {
            (Some(literal), _) => {
                kept.push_str(literal);
                kept.push('#');
            }
            (None, Some(last)) => {
                kept.push_str(last);
                break;
            }
            (None, None) => kept.push_str(part),
        }
    }
    kept.trim().to_owned()
}

fn parse_escaped(text: &str) -> Vec<Assignment> {
    let assignment = |(index, line): (usize, &str)| {
        let (key, value) = line.split_once('=')?;
        Some(Assignment {
            key: normalise_key(key),
            value: unescape(value.trim()),
            line: index + 1,
        })
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .filter_map(assignment)
        .collect()
}

/// The value as a dump writes it: one line without a bare `#`.
pub(super) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' => escaped.push_str("\\\\"),
            '#' => escaped.push_str("\\#"),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                chars.next();
                plain.push(match next {
                    'n' => '\n',
                    'r' => '\r',
                    other => other,
                });
            }
            _ => plain.push(c),
        }
    }
    plain
}
