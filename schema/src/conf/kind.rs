//! What a value may be, and the value it becomes.
//!
//! Kong's coercions (`kong/conf_loader/parse.lua`), but a malformed switch or number is an error.

use serde_json::{Number, Value as Json};

use super::check::{self, ListCheck, TextCheck};
use super::listener::{self, Subsystem};
use super::node::WorkerCount;
use super::pem::Material;
use super::range::Range;

/// Elements of one list.
pub const LIST_ELEMENTS_MAX: usize = 10_000;

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `on` or `true`, `off` or `false`.
    Switch,
    /// `on` or `off`, handed on as such.
    OnOff,
    /// A number in a range.
    Number(Range),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any text that the check lets pass.
    Text(TextCheck),
    /// Elements between commas that the check lets pass.
    List(ListCheck),
    /// A path, made absolute when it is read.
    Path,
    /// A log file with an optional format name, `off`, or `syslog:`.
    Log,
    /// nginx's sizes: digits and one of k, m, g.
    Bytes,
    /// nginx's times: `1d`, `1h 30m`.
    Time,
    /// `auto` or a count.
    Workers,
    /// A list of listeners.
    Listeners(Subsystem),
    /// A file, PEM text, or base64 of it.
    Pem(Material),
    /// A list of these.
    Pems(Material),
}

/// A value that fits its kind, references resolved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Switch(bool),
    Number(f64),
    Text(String),
    List(Vec<String>),
}

impl Kind {
    /// Whether the text is a list.
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::List(_) | Self::Listeners(_) | Self::Pems(_))
    }

    /// Whether a key of this kind with a default cannot do without a value.
    pub(super) fn needs_value(self) -> bool {
        matches!(
            self,
            Self::Switch
                | Self::OnOff
                | Self::Number(_)
                | Self::OneOf(_)
                | Self::Bytes
                | Self::Workers
                | Self::Listeners(_)
        )
    }

    /// Its name in the reference page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Switch | Self::OnOff => "on/off",
            Self::Number(_) => "number",
            Self::OneOf(_) => "word",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Path => "path",
            Self::Log => "log",
            Self::Bytes => "size",
            Self::Time => "time",
            Self::Workers => "auto/number",
            Self::Listeners(_) => "listeners",
            Self::Pem(_) => "certificate",
            Self::Pems(_) => "certificates",
        }
    }

    /// The sentence that says what is accepted.
    pub(super) fn accepted(self) -> String {
        match self {
            Self::Switch => "accepted is on or off (or true, false)".into(),
            Self::OnOff => "accepted is on or off".into(),
            Self::Number(range) => format!("accepted is {range}"),
            Self::OneOf(words) => format!("accepted is one of {}", words.join(", ")),
            Self::Bytes => {
                "accepted is a size in bytes, or with one of the suffixes k, m, g".into()
            }
            Self::Time => "accepted is a time as 30s, 10m, 1h 30m, 1d".into(),
            Self::Workers => format!("accepted is auto or a count from 1 to {}", WorkerCount::MAX),
            Self::Listeners(subsystem) => listener::accepted(subsystem),
            Self::Text(_)
            | Self::List(_)
            | Self::Path
            | Self::Log
            | Self::Pem(_)
            | Self::Pems(_) => "a value is needed".into(),
        }
    }

    /// The value of a text without list.
    ///
    /// # Errors
    /// A sentence for each problem.
    pub(super) fn parse(self, text: String) -> Result<Value, Vec<String>> {
        let fits = match self {
            Self::Switch => return self.or_accepted(parse_switch(&text).map(Value::Switch)),
            Self::Number(range) => {
                let number = parse_number(&text).filter(|number| range.contains(*number));
                return self.or_accepted(number.map(Value::Number));
            }
            Self::Text(check) => {
                let problems = check(&text);
                return problems_or(problems, Value::Text(text));
            }
            Self::OnOff => matches!(text.as_str(), "on" | "off"),
            Self::OneOf(words) => words.contains(&text.as_str()),
            Self::Bytes => parse_bytes(&text).is_some(),
            Self::Time => check::is_time(&text),
            Self::Workers => WorkerCount::parse(&text).is_some(),
            _ => true,
        };
        self.or_accepted(fits.then_some(Value::Text(text)))
    }

    /// The value of a list's elements.
    ///
    /// # Errors
    /// A sentence for each problem.
    pub(super) fn parse_list(self, elements: Vec<String>) -> Result<Value, Vec<String>> {
        if elements.len() > LIST_ELEMENTS_MAX {
            return Err(vec![format!(
                "accepted are {LIST_ELEMENTS_MAX} elements at most"
            )]);
        }
        let problems = match self {
            Self::List(check) => check(&elements),
            Self::Listeners(subsystem) => match listener::parse(&elements, subsystem) {
                Ok(_) => Vec::new(),
                Err(problem) => vec![format!("{problem}; {}", listener::accepted(subsystem))],
            },
            _ => Vec::new(),
        };
        problems_or(problems, Value::List(elements))
    }

    fn or_accepted(self, value: Option<Value>) -> Result<Value, Vec<String>> {
        value.ok_or_else(|| vec![self.accepted()])
    }

    /// The text as Kong's Admin API shows it: a reference, and whatever does not fit, stays text.
    pub(super) fn json(self, text: &str) -> Json {
        match self {
            Self::Switch => parse_switch(text).map(Json::Bool),
            Self::Number(_) => parse_number(text).and_then(json_number),
            _ if self.is_list() => Some(split(text).into_iter().map(Json::String).collect()),
            _ => None,
        }
        .unwrap_or_else(|| Json::String(text.to_owned()))
    }
}

fn problems_or(problems: Vec<String>, value: Value) -> Result<Value, Vec<String>> {
    if problems.is_empty() {
        Ok(value)
    } else {
        Err(problems)
    }
}

/// The trimmed elements of a list; none of an empty text.
pub(super) fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|part| part.trim().to_owned()).collect()
}

fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

/// Decimal, hexadecimal, or with an exponent; finite.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(hex, 16).ok().map(f64::from);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn json_number(number: f64) -> Option<Json> {
    // Beyond 2^53 not every whole number is one of these.
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and in range")]
    let whole = is_whole.then(|| Number::from(number as i64));
    whole.or_else(|| Number::from_f64(number)).map(Json::Number)
}

/// nginx's sizes: digits and one of k, m, g.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}
