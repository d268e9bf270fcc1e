//! Formats: the built-in ones, the one that `nginx_http_log_format` declares, and compiling.
//!
//! Limit: a format names at most [`FORMAT_FIELDS_MAX`] request headers.

use std::fmt;

use super::{Entry, variable::Variable};

/// Most different request headers that a format names.
pub const FORMAT_FIELDS_MAX: usize = 32;

/// The built-in formats: name, how values are escaped, text.
const BUILT_IN: [(&str, Escape, &str); 3] = [
    ("combined", Escape::Default, COMBINED),
    ("kong_log_format", Escape::Default, KONG),
    ("json", Escape::Json, JSON),
];

const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status \
     $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

const KONG: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status \
     $body_bytes_sent \"$http_referer\" \"$http_user_agent\" kong_request_id: \"$kong_request_id\"";

const JSON: &str = "{\"time\":\"$time_iso8601\",\"client_ip\":\"$remote_addr\",\
     \"request_id\":\"$kong_request_id\",\"method\":\"$request_method\",\"uri\":\"$request_uri\",\
     \"protocol\":\"$server_protocol\",\"host\":\"$host\",\"status\":$status,\
     \"body_bytes_sent\":$body_bytes_sent,\"proxy_latency\":$proxy_latency,\
     \"upstream_latency\":$upstream_latency,\"upstream\":\"$upstream_addr\",\
     \"service_id\":\"$service_id\",\"service\":\"$service_name\",\
     \"route_id\":\"$route_id\",\"route\":\"$route_name\",\
     \"referer\":\"$http_referer\",\"user_agent\":\"$http_user_agent\"}";

/// How values are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `\xXX` for quotes, backslashes, control bytes and bytes from 0x7f on; `-` for no value.
    Default,
    /// As in a JSON string; nothing for no value.
    Json,
    /// Not at all; nothing for no value.
    None,
}

/// Why a format cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// The declaration does not follow `name [escape=default|json|none] 'text' …`.
    Syntax(&'static str),
    /// The variable is not known.
    Variable(String),
    /// No format of that name was declared.
    Undeclared(String),
    /// It names too many request headers.
    Fields,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => write!(
                f,
                "{what}; a declaration is: name [escape=default|json|none] '$variable text …'"
            ),
            Self::Variable(name) => write!(
                f,
                "the variable ${name} is not known; known are {}, and $http_<name> and \
                 $arg_<name>",
                Variable::names()
                    .map(|name| format!("${name}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            Self::Undeclared(name) => {
                let known = BUILT_IN.map(|(name, ..)| name).join(", ");
                write!(
                    f,
                    "the format {name:?} is not declared; use {known}, or declare it with \
                     nginx_http_log_format = {name} '…'"
                )
            }
            Self::Fields => write!(
                f,
                "a format can name at most {FORMAT_FIELDS_MAX} request headers"
            ),
        }
    }
}

impl std::error::Error for FormatError {}

/// The formats that a node knows: the built-in ones, and the one it declares.
#[derive(Clone, Debug, Default)]
pub struct Formats {
    declared: Option<(String, Format)>,
}

impl Formats {
    /// The built-in formats and a declaration in nginx's syntax.
    ///
    /// # Errors
    ///
    /// What is wrong with the declaration.
    pub fn with_declared(declaration: &str) -> Result<Self, FormatError> {
        let mut words = Words(declaration);
        let name = words
            .next()?
            .ok_or(FormatError::Syntax("the name is missing"))?;
        let (mut escape, mut text, mut is_empty) = (Escape::Default, String::new(), true);
        while let Some(word) = words.next()? {
            match word.strip_prefix("escape=") {
                Some(how) if is_empty => escape = Escape::of(how)?,
                _ => text += &word,
            }
            is_empty = false;
        }
        if text.is_empty() {
            return Err(FormatError::Syntax("the text is missing"));
        }
        let format = Format::compile(&text, escape)?;
        Ok(Self {
            declared: Some((name, format)),
        })
    }

    /// The format of that name. One that is declared goes before a built-in one.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn find(&self, name: &str) -> Result<Format, FormatError> {
        if let Some((declared, format)) = &self.declared
            && declared == name
        {
            return Ok(format.clone());
        }
        let built_in = BUILT_IN.into_iter().find(|(other, ..)| *other == name);
        match built_in {
            Some((_, escape, text)) => Format::compile(text, escape),
            None => Err(FormatError::Undeclared(name.to_owned())),
        }
    }
}

impl Escape {
    fn of(name: &str) -> Result<Self, FormatError> {
        match name {
            "default" => Ok(Self::Default),
            "json" => Ok(Self::Json),
            "none" => Ok(Self::None),
            _ => Err(FormatError::Syntax("escape is none of default, json, none")),
        }
    }
}

/// The words of a directive: bare, or quoted by `'` or `"` with backslashes before quotes.
struct Words<'a>(&'a str);

impl Words<'_> {
    fn next(&mut self) -> Result<Option<String>, FormatError> {
        let rest = self.0.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        let quote = matches!(first, '\'' | '"').then_some(first);
        let mut word = String::new();
        let mut chars = rest[usize::from(quote.is_some())..].chars();
        loop {
            match (chars.next(), quote) {
                (None, Some(_)) => return Err(FormatError::Syntax("a quote is not closed")),
                (Some(c), Some(quote)) if c == quote => break,
                (Some(';'), None) => {
                    return Err(FormatError::Syntax(
                        "one format can be declared, without ';'",
                    ));
                }
                (None, None) => break,
                (Some(c), None) if c.is_whitespace() => break,
                (Some('\\'), _) => match chars.next() {
                    Some('n') => word.push('\n'),
                    Some('t') => word.push('\t'),
                    Some('r') => word.push('\r'),
                    Some(c @ ('\\' | '"' | '\'')) => word.push(c),
                    Some(c) => word.extend(['\\', c]),
                    None => word.push('\\'),
                },
                (Some(c), _) => word.push(c),
            }
        }
        self.0 = chars.as_str();
        Ok(Some(word))
    }
}

/// A compiled format.
#[derive(Clone, Debug)]
pub struct Format {
    pub(super) escape: Escape,
    /// Names of the request headers that it names, folded.
    pub(super) fields: Vec<Box<[u8]>>,
    pieces: Vec<Piece>,
    needs_clock: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Value(Variable),
}

impl Format {
    fn compile(text: &str, escape: Escape) -> Result<Self, FormatError> {
        let mut format = Self {
            escape,
            fields: Vec::new(),
            pieces: Vec::new(),
            needs_clock: false,
        };
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            format.text(&rest[..at]);
            let (name, after) = variable_name(&rest[at + 1..])?;
            let variable = Variable::find(name, &mut format.fields)?;
            format.needs_clock |= variable.needs_clock();
            format.pieces.push(Piece::Value(variable));
            rest = after;
        }
        format.text(rest);
        Ok(format)
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text.as_bytes().into()));
        }
    }

    /// Whether a line tells the exact time at which an exchange ended, which takes a look at the
    /// clock.
    pub fn needs_clock(&self) -> bool {
        self.needs_clock
    }

    /// Appends the line of an exchange, without its end.
    pub fn render(&self, entry: &Entry<'_>, out: &mut Vec<u8>) {
        let found = entry.look_up(&self.fields);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(variable) => variable.write(self, entry, &found, out),
            }
        }
    }
}

/// The name of a variable, and what follows it.
fn variable_name(text: &str) -> Result<(&str, &str), FormatError> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let (name, rest) = match text.strip_prefix('{') {
        Some(inner) => inner
            .split_once('}')
            .ok_or(FormatError::Syntax("a '${' is not closed"))?,
        None => text.split_at(text.find(is_end).unwrap_or(text.len())),
    };
    match name.is_empty() {
        true => Err(FormatError::Syntax("a '$' has no variable's name")),
        false => Ok((name, rest)),
    }
}
