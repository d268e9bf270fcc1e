//! `silverback config parse`: every error of a declarative file, with entity and field.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value};
use silverback_cluster::agent::{Declared, DeclaredError, warnings};

use crate::{settings::absolute, terminal};

/// The member of the tree that is about an entity as a whole.
const ENTITY: &str = "@entity";

/// The member of the tree that is about the text as a whole.
const TEXT: &str = "error";

pub(super) fn parse(file: &Path) -> Result<()> {
    let place = file.display();
    match Declared::File(absolute(file)?).read() {
        Ok(config) => {
            warnings(&config).iter().for_each(|w| terminal::warn(w));
            terminal::say(format_args!("declarative configuration {place} is valid"));
            Ok(())
        }
        Err(DeclaredError::Unreadable { source, .. }) => {
            bail!("cannot read {place}: {source}; name a declarative file that can be read")
        }
        Err(DeclaredError::Invalid { invalid, .. }) => {
            let errors = lines(&invalid.fields);
            errors.iter().for_each(|error| terminal::error(error));
            bail!("declarative configuration {place} is not valid; correct what is named above")
        }
    }
}

/// One line for each leaf of the tree.
fn lines(fields: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        let path = if name == TEXT { "" } else { name };
        collect(path, value, &mut lines);
    }
    lines
}

/// The depth is that of the file, which has a limit.
fn collect(path: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), path) {
                    (ENTITY, _) => collect_entity(path, value, lines),
                    (_, "") => collect(name, value, lines),
                    _ => collect(&format!("{path}.{name}"), value, lines),
                }
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(&format!("{path}[{}]", index + 1), value, lines);
            }
        }
        Value::String(text) if path.is_empty() => lines.push(text.clone()),
        Value::String(text) => lines.push(format!("{path}: {text}")),
        other => lines.push(format!("{path}: {other}")),
    }
}

/// Errors about the whole entity: a list without positions in the file.
fn collect_entity(path: &str, value: &Value, lines: &mut Vec<String>) {
    let errors = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    errors.iter().for_each(|error| collect(path, error, lines));
}

#[cfg(test)]
mod tests {
    use silverback_schema::declarative::{self, Options};

    use super::*;

    fn errors(yaml: &str) -> Vec<String> {
        let invalid = declarative::parse(yaml.as_bytes(), None, &Options::default())
            .expect_err("must be refused");
        lines(&invalid.fields)
    }

    #[test]
    fn each_error_is_a_line_with_entity_and_field() {
        let told = errors(
            "_format_version: \"3.0\"\n\
             services:\n- {name: a, host: x}\n- {name: b, host: x, port: 99999, prot: 1}\n\
             routes:\n- {name: r, protocols: [http]}\n",
        );
        let has = |start: &str| told.iter().any(|line| line.starts_with(start));
        assert!(has("services[2].port: "), "{told:?}");
        assert!(has("services[2].prot: unknown field"), "{told:?}");
        assert!(has("routes[1]: "), "{told:?}");
        assert!(
            !told.iter().any(|line| line.contains("@entity")),
            "{told:?}"
        );
    }

    #[test]
    fn an_error_of_the_text_is_a_line() {
        let told = errors("{");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("failed parsing"), "{told:?}");
    }
}
