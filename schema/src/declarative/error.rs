//! The error of a configuration: a tree that mirrors the file, and Kong's JSON body of it.

use std::fmt;

use serde_json::{Map, Value, json};

/// Kong's number for this error.
const CODE: u16 = 14;
/// Kong's name for it.
const NAME: &str = "invalid declarative configuration";

/// Why a configuration was refused. Nothing of it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The tree: an entry for each kind, aligned with the file, or `error` for the whole text.
    pub fields: Map<String, Value>,
    /// What is wrong with entities, an entry for each, if that was asked for; it is then left out
    /// of `fields`.
    pub flattened: Option<Vec<Value>>,
}

impl Invalid {
    /// An error of the text as a whole.
    pub fn text(problem: String) -> Self {
        Self {
            fields: [("error".to_owned(), Value::String(problem))]
                .into_iter()
                .collect(),
            flattened: None,
        }
    }

    /// A text that is neither JSON nor YAML of the right shape.
    pub(super) fn unparsable(problem: String) -> Self {
        Self::text(format!(
            "failed parsing declarative configuration: {problem}"
        ))
    }

    /// One line: `declarative config is invalid: {…}` with the tree as a Lua table.
    pub fn message(&self) -> String {
        let mut text = "declarative config is invalid: ".to_owned();
        write_table(&self.fields, &mut text);
        text
    }

    /// Kong's body of the answer 400. As there, `flattened_errors` is an object when it is empty.
    pub fn to_json(&self) -> Value {
        let (message, fields) = (self.message(), &self.fields);
        let mut body = json!({ "code": CODE, "name": NAME, "message": message, "fields": fields });
        if let Some(flattened) = &self.flattened {
            body["flattened_errors"] = match &flattened[..] {
                [] => json!({}),
                entries => entries.into(),
            };
        }
        body
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Invalid {}

/// A compact Lua table: sorted keys, lists without indexes up to their first hole.
fn write_table(table: &Map<String, Value>, text: &mut String) {
    let mut members: Vec<_> = table.iter().collect();
    members.sort_unstable_by_key(|(key, _)| key.as_str());
    text.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        if is_identifier(key) {
            text.push_str(key);
        } else {
            text.push('[');
            write_string(key, text);
            text.push(']');
        }
        text.push('=');
        write_value(value, text);
    }
    text.push('}');
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(table) => write_table(table, text),
        Value::Array(list) => write_list(list, text),
        Value::String(string) => write_string(string, text),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_list(list: &[Value], text: &mut String) {
    let whole = list.iter().take_while(|member| !member.is_null()).count();
    let mut first = true;
    text.push('{');
    for (index, member) in list
        .iter()
        .enumerate()
        .filter(|(_, member)| !member.is_null())
    {
        if !first {
            text.push(',');
        }
        first = false;
        if index >= whole {
            text.push_str(&format!("[{}]=", index + 1));
        }
        write_value(member, text);
    }
    text.push('}');
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\0' => text.push_str("\\0"),
            _ => text.push(c),
        }
    }
    text.push('"');
}

fn is_identifier(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && key
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit())
}
