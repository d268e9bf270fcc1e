//! The layout of an error log line.
//!
//! Text, as nginx writes it: `2026/11/23 16:18:04 [warn] 4711#4713: *12 message, client: …, server:
//! …, request: "…", upstream: "…", host: "…", request_id: "…"`, with the local time, the ids of
//! process and thread, and of a request what is known. JSON: one object with the same, by the same
//! names. To the journal a line goes with the prefix `<N>`, its severity, and without a time.
//!
//! Control characters are escaped, and quotes in quoted values, so that no client can forge a line
//! or a field.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use silverback_schema::conf::ErrorLogFormat;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// What is told of a request, in nginx's order, and whether the value is quoted.
const CONTEXT: [(&str, bool); 7] = [
    ("client", false),
    ("server", false),
    ("request", true),
    ("upstream", true),
    ("host", true),
    ("referrer", true),
    ("request_id", true),
];

/// The number of the client's connection.
const CONNECTION: &str = "connection";

/// How lines look.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) format: ErrorLogFormat,
    pub(super) is_journal: bool,
}

/// Formats events by a layout.
pub(super) struct Line(pub(super) Layout);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = self
            .0
            .line(Severity::of(*event.metadata().level()), &fields);
        writer.write_str(&line)
    }
}

/// A level by Kong's name, and its number in syslog.
#[derive(Clone, Copy)]
struct Severity(&'static str, u8);

impl Severity {
    fn of(level: Level) -> Self {
        match level {
            Level::ERROR => Self("error", 3),
            Level::WARN => Self("warn", 4),
            Level::INFO => Self("notice", 5),
            Level::DEBUG => Self("info", 6),
            Level::TRACE => Self("debug", 7),
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.rest.insert(field.name().to_owned(), text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.rest.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.rest.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.rest.insert(field.name().to_owned(), value.into());
    }
}

impl Fields {
    /// The value of a field as text; none when it is empty.
    fn text(&self, name: &str) -> Option<String> {
        let text = plain(self.rest.get(name)?);
        (!text.is_empty()).then_some(text)
    }

    /// The fields that are no context of a request.
    fn others(&self) -> impl Iterator<Item = (&String, &Value)> {
        let is_context = |name: &str| CONTEXT.iter().any(|(other, _)| *other == name);
        self.rest
            .iter()
            .filter(move |(name, _)| *name != CONNECTION && !is_context(name))
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Layout {
    fn line(self, severity: Severity, fields: &Fields) -> String {
        let mut line = String::with_capacity(256);
        if self.is_journal {
            // A string takes all.
            let _ = write!(line, "<{}>", severity.1);
        }
        match self.format {
            ErrorLogFormat::Text => self.text(severity, fields, &mut line),
            ErrorLogFormat::Json => self.json(severity, fields, &mut line),
        }
        line.push('\n');
        line
    }

    fn text(self, Severity(level, _): Severity, fields: &Fields, line: &mut String) {
        if !self.is_journal {
            line.push_str(&stamp());
            line.push(' ');
        }
        let _ = write!(line, "[{level}] {}#{}: ", std::process::id(), thread_id());
        if let Some(connection) = fields.text(CONNECTION) {
            let _ = write!(line, "*{connection} ");
        }
        line.push_str(&one_line(&fields.message));
        for (name, value) in fields.others() {
            let _ = write!(line, " {name}={}", one_line(&plain(value)));
        }
        for (name, is_quoted) in CONTEXT {
            if let Some(value) = fields.text(name) {
                let _ = match is_quoted {
                    true => write!(line, ", {name}: \"{}\"", quotable(&value)),
                    false => write!(line, ", {name}: {}", one_line(&value)),
                };
            }
        }
    }

    fn json(self, Severity(level, _): Severity, fields: &Fields, line: &mut String) {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        if !self.is_journal {
            let mut time = Vec::new();
            silverback_proxy::now().write_iso8601(&mut time);
            put("time", String::from_utf8_lossy(&time).into());
        }
        put("level", level.into());
        put("pid", std::process::id().into());
        put("tid", thread_id().into());
        put("message", fields.message.clone().into());
        for (name, value) in &fields.rest {
            put(name, value.clone());
        }
        line.push_str(&Value::Object(object).to_string());
    }
}

/// The local time as error logs have it.
pub(crate) fn stamp() -> String {
    let mut stamp = Vec::with_capacity(19);
    silverback_proxy::now().write_error(&mut stamp);
    String::from_utf8_lossy(&stamp).into_owned()
}

fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// The text without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

/// The text as it may stand between quotes, escaped as in access logs.
fn quotable(text: &str) -> String {
    one_line(&text.replace('\\', "\\x5C").replace('"', "\\x22"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Layout = Layout {
        format: ErrorLogFormat::Text,
        is_journal: false,
    };

    fn fields(message: &str, rest: &[(&str, Value)]) -> Fields {
        Fields {
            message: message.to_owned(),
            rest: rest
                .iter()
                .map(|(n, v)| ((*n).to_owned(), v.clone()))
                .collect(),
        }
    }

    fn failure(request: &str) -> Fields {
        fields(
            "upstream: no answer in time",
            &[
                ("request_id", "00ff".into()),
                ("host", "a.test".into()),
                ("request", request.into()),
                ("client", "10.0.0.9".into()),
                ("server", "kong".into()),
                ("upstream", "".into()),
                ("try", 2.into()),
                ("connection", 12.into()),
            ],
        )
    }

    /// The line behind time, process and thread.
    fn tail(line: &str) -> &str {
        line.split_once(": ").expect("a line").1
    }

    #[test]
    fn a_line_of_text_tells_of_its_request_as_nginx_does() {
        let line = TEXT.line(Severity::of(Level::WARN), &failure("GET / HTTP/1.1"));
        assert_eq!(
            tail(&line),
            "*12 upstream: no answer in time try=2, client: 10.0.0.9, server: kong, request: \
             \"GET / HTTP/1.1\", host: \"a.test\", request_id: \"00ff\"\n"
        );
        let (head, _) = line.split_once(": ").expect("a line");
        let words: Vec<&str> = head.split(' ').collect();
        assert_eq!(
            (words[0].len(), words[1].len(), words[2]),
            (10, 8, "[warn]"),
            "{head}"
        );
        let ids = words[3].split_once('#').expect("two ids");
        assert_eq!(ids.0, std::process::id().to_string());
        assert!(ids.1.parse::<u32>().is_ok(), "{head}");
    }

    #[test]
    fn no_value_forges_a_line_or_a_field() {
        let request = "GET /\", host: \"b\\ HTTP/1.1\n1999";
        let line = TEXT.line(Severity::of(Level::WARN), &failure(request));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let expected =
            "request: \"GET /\\x22, host: \\x22b\\x5C HTTP/1.1\\n1999\", host: \"a.test\"";
        assert!(line.contains(expected), "{line}");
    }

    #[test]
    fn json_lines_have_the_same_fields() {
        let json = Layout {
            format: ErrorLogFormat::Json,
            ..TEXT
        };
        let line = json.line(Severity::of(Level::ERROR), &failure("GET /\"\n HTTP/1.1"));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["level"], "error");
        assert_eq!(value["message"], "upstream: no answer in time");
        assert_eq!(value["request"], "GET /\"\n HTTP/1.1");
        assert_eq!(value["connection"], 12);
        assert!(
            value["pid"].is_number() && value["tid"].is_number(),
            "{value}"
        );
        assert_eq!(value["time"].as_str().map(str::len), Some(25), "{value}");
    }

    #[test]
    fn the_journal_gets_severities_and_no_times() {
        for (format, expected) in [
            (ErrorLogFormat::Text, "<4>[warn] "),
            (ErrorLogFormat::Json, "<4>{\"level\":\"warn\","),
        ] {
            let layout = Layout {
                format,
                is_journal: true,
            };
            let line = layout.line(Severity::of(Level::WARN), &fields("a", &[]));
            assert!(line.starts_with(expected), "{line}");
        }
        let numbers = [
            Level::ERROR,
            Level::WARN,
            Level::INFO,
            Level::DEBUG,
            Level::TRACE,
        ]
        .map(|level| Severity::of(level).1);
        assert_eq!(numbers, [3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_message_stays_on_its_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    }
}
