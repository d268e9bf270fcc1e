//! The grammar of a reference:
//! `{vault://<name>/<resource>[/<key>][?<option>=<value>&…][#<version>]}`.

use std::fmt;

const OPENING: &str = "{vault://";

/// Whether a text is taken for a reference; its grammar is looked at only when it is resolved.
pub fn is_reference(text: &str) -> bool {
    text.starts_with(OPENING) && text.ends_with('}')
}

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Name of a strategy, or prefix of a Vault entity.
    pub vault: String,
    /// What the vault is asked for.
    pub resource: String,
    /// Member of the JSON object that the vault answers.
    pub key: Option<String>,
    /// Settings of the vault for this reference alone, in order.
    pub options: Vec<(String, String)>,
    /// Version asked for.
    pub version: Option<i64>,
    text: String,
}

/// Why a text is no reference; each holds the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It lacks the frame.
    #[error("not a reference: {0:?}; it must begin with {{vault:// and end with }}")]
    NoReference(String),
    /// No vault is named.
    #[error("the reference names no vault: {0}")]
    NoVault(String),
    /// Nothing follows the vault's name.
    #[error("the reference has no path: {0}")]
    NoPath(String),
    /// Only one slash follows the vault's name.
    #[error("the reference has an empty path: {0}")]
    EmptyPath(String),
    /// The path is nothing but slashes, or not text when decoded.
    #[error("the reference has an invalid path: {0}")]
    InvalidPath(String),
    /// What follows `#` is no whole number.
    #[error("the reference has an invalid version: {0}")]
    InvalidVersion(String),
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// The part that does not fit the grammar.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let because = |error: fn(String) -> ReferenceError| error(text.to_owned());
        let inner = text
            .strip_prefix(OPENING)
            .and_then(|rest| rest.strip_suffix('}'))
            .ok_or_else(|| because(ReferenceError::NoReference))?;
        let (inner, version) = split_at_mark(inner, '#');
        let (inner, query) = split_at_mark(inner, '?');
        let version = version
            .map(str::parse)
            .transpose()
            .map_err(|_| because(ReferenceError::InvalidVersion))?;
        let (vault, path) = split_at_mark(inner, '/');
        if vault.is_empty() {
            return Err(because(ReferenceError::NoVault));
        }
        let path = path.ok_or_else(|| because(ReferenceError::NoPath))?;
        if path.is_empty() {
            return Err(because(ReferenceError::EmptyPath));
        }
        let (resource, key) =
            split_path(path).ok_or_else(|| because(ReferenceError::InvalidPath))?;
        Ok(Self {
            vault: vault.to_owned(),
            resource,
            key,
            options: query.map(options).unwrap_or_default(),
            version,
            text: text.to_owned(),
        })
    }

    /// The value of an option; the last counts.
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn split_at_mark(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Resource and key: the last of several segments is the key, unless a slash follows it.
fn split_path(path: &str) -> Option<(String, Option<String>)> {
    let mut segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let has_key = segments.len() > 1 && !path.ends_with('/');
    let key = if has_key { segments.pop() } else { None };
    let resource = decode(&segments.join("/"))?;
    let key = match key {
        Some(key) => Some(decode(key)?),
        None => None,
    };
    (!resource.is_empty()).then_some((resource, key))
}

fn options(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// The text without percent triplets; `None`: the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |index: usize| char::from(*bytes.get(index)?).to_digit(16);
        let triplet = (*byte == b'%').then(|| Some(digit(at + 1)? * 16 + digit(at + 2)?));
        match triplet.flatten().and_then(|code| u8::try_from(code).ok()) {
            Some(code) => {
                decoded.push(code);
                at += 3;
            }
            None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}
