//! The env strategy: a secret is an environment variable.
//!
//! The variable's name is prefix and resource, `-` made `_`, in upper case; version 2 appends
//! `_PREVIOUS`, other versions mean the same as none.

use serde_json::Value;

use super::{Reference, ResolveError};

/// Name of the strategy.
pub const NAME: &str = "env";

/// What a reference asks for instead of the current value.
const VERSION_PREVIOUS: i64 = 2;

/// The strategy with its settings.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// Text before the resource; a reference's option `prefix` wins over it.
    pub prefix: Option<&'a str>,
    /// How a variable is looked up.
    pub variables: &'a dyn Fn(&str) -> Option<String>,
}

impl Env<'_> {
    /// The secret. An empty variable is a secret too.
    ///
    /// # Errors
    /// The variable is not set, or has no such member; the value itself is in no error.
    pub fn resolve(&self, reference: &Reference) -> Result<String, ResolveError> {
        let variable = self.variable(reference);
        let Some(secret) = (self.variables)(&variable) else {
            return Err(ResolveError::NotFound { variable });
        };
        match &reference.key {
            None => Ok(secret),
            Some(key) => member(&secret, variable, key.clone()),
        }
    }

    /// The name of the variable.
    fn variable(&self, reference: &Reference) -> String {
        let option = reference.option("prefix").filter(|text| is_prefix(text));
        let prefix = option.or(self.prefix).unwrap_or_default();
        let name = format!("{prefix}{}", reference.resource);
        let mut name = name.replace('-', "_").to_uppercase();
        if reference.version == Some(VERSION_PREVIOUS) {
            name.push_str("_PREVIOUS");
        }
        name
    }
}

fn member(secret: &str, variable: String, key: String) -> Result<String, ResolveError> {
    let Ok(Value::Object(mut object)) = serde_json::from_str(secret) else {
        return Err(ResolveError::NotJson { variable, key });
    };
    match object.remove(&key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ResolveError::NotText { variable, key }),
        None => Err(ResolveError::NoMember { variable, key }),
    }
}

/// Whether a text may be a prefix: letters, digits, `_` and `-`, no digit first.
pub fn is_prefix(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.starts_with(|c: char| is_word(c) && !c.is_ascii_digit()) && text.chars().all(is_word)
}
