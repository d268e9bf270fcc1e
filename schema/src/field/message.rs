//! The error body of a schema violation: Kong's code 2 with a text made of the error tree.
//!
//! The text lists `@entity` first, then the fields by name, one entry for each; a member one level
//! deeper is named with a dot, lists count from 1, and what is deeper is a Lua table over several
//! lines. Source: `kong/db/errors.lua`, Penlight's `pretty.write`.

use serde_json::{Value, json};

use super::{ENTITY, Errors};

/// Kong's number for this error.
pub const CODE: u16 = 2;
/// Kong's name for it.
pub const NAME: &str = "schema violation";

/// The body of the answer 400.
pub fn body(errors: &Errors) -> Value {
    json!({ "code": CODE, "name": NAME, "message": text(errors), "fields": errors })
}

/// `schema violation (…)` or `3 schema violations (…; …; …)`.
pub fn text(errors: &Errors) -> String {
    let entries = entries(errors);
    let list = entries.join("; ");
    match entries.len() {
        1 => format!("{NAME} ({list})"),
        count => format!("{count} {NAME}s ({list})"),
    }
}

fn entries(errors: &Errors) -> Vec<String> {
    let mut entries = Vec::new();
    match errors.get(ENTITY) {
        Some(Value::Array(list)) => entries.extend(list.iter().map(rendered)),
        Some(value) => entries.push(rendered(value)),
        None => {}
    }
    for (name, error) in sorted(errors).filter(|(name, _)| *name != ENTITY) {
        match error {
            Value::Object(members) => entries.extend(
                sorted(members).map(|(key, error)| format!("{name}.{key}: {}", rendered(error))),
            ),
            Value::Array(list) => entries.extend(
                present(list)
                    .map(|(position, error)| format!("{name}.{position}: {}", rendered(error))),
            ),
            error => entries.push(format!("{name}: {}", rendered(error))),
        }
    }
    entries
}

fn sorted(members: &Errors) -> impl Iterator<Item = (&str, &Value)> {
    let mut members: Vec<_> = members.iter().map(|(key, value)| (&**key, value)).collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members.into_iter()
}

/// The members that are not null, counted from 1.
fn present(list: &[Value]) -> impl Iterator<Item = (usize, &Value)> {
    (1..).zip(list).filter(|(_, member)| !member.is_null())
}

fn rendered(error: &Value) -> String {
    match error {
        Value::String(text) => text.clone(),
        error => {
            let mut text = String::new();
            write_lua(error, 0, &mut text);
            text
        }
    }
}

/// A value as Lua source, tables over several lines.
fn write_lua(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(members) => {
            let members = sorted(members).map(|(key, value)| (Some(lua_key(key)), value));
            write_table(members, depth, text);
        }
        Value::Array(list) => {
            // Up to the first hole positions go without saying.
            let whole = list.iter().take_while(|member| !member.is_null()).count();
            let members = present(list).map(|(position, value)| {
                let key = (position > whole).then(|| format!("[{position}]"));
                (key, value)
            });
            write_table(members, depth, text);
        }
        Value::String(string) => text.push_str(&quoted(string)),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_table<'a>(
    members: impl Iterator<Item = (Option<String>, &'a Value)>,
    depth: usize,
    text: &mut String,
) {
    let indent = "  ".repeat(depth + 1);
    let mut separator = "{\n";
    for (key, value) in members {
        text.push_str(separator);
        text.push_str(&indent);
        if let Some(key) = key {
            text.push_str(&key);
            text.push_str(" = ");
        }
        write_lua(value, depth + 1, text);
        separator = ",\n";
    }
    match separator {
        "{\n" => text.push_str("{}"),
        _ => {
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
    }
}

fn lua_key(key: &str) -> String {
    let mut bytes = key.bytes();
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_name = bytes.next().is_some_and(starts)
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        key.to_owned()
    } else {
        format!("[{}]", quoted(key))
    }
}

/// Lua's `%q`.
fn quoted(string: &str) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    text.push('"');
    for c in string.chars() {
        match c {
            '"' | '\\' | '\n' => text.extend(['\\', c]),
            '\r' => text.push_str("\\r"),
            '\0' => text.push_str("\\000"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
