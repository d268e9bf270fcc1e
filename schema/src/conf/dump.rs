//! The configuration as text, and its display for people.

use std::fmt::Write as _;

use super::key;
use super::node::NodeConfig;
use super::{MASK, syntax};

/// The configuration as `.kong_env` holds it: every key with a value or set to nothing, absolute
/// paths, one line each, references as they were written. Loading it gives the same configuration.
/// It may hold secrets: write it for its owner only.
pub fn dump(config: &NodeConfig) -> String {
    let mut text = format!("{}\n", syntax::ESCAPED_MARKER);
    for (name, value) in lines(config) {
        let _ = writeln!(text, "{name} = {}", syntax::escape(value));
    }
    text
}

/// The lines of a dump for people's eyes: sorted, secrets masked.
pub fn display(config: &NodeConfig) -> Vec<String> {
    let masked = |name: &str| key::find(name).is_some_and(|row| row.masked);
    lines(config)
        .map(|(name, value)| match value {
            "" => format!("{name} ="),
            _ if masked(name) => format!("{name} = {MASK}"),
            _ => format!("{name} = {}", syntax::escape(value)),
        })
        .collect()
}

/// Names and texts; an empty text for a key that is set to nothing.
fn lines(config: &NodeConfig) -> impl Iterator<Item = (&str, &str)> {
    config.settings.iter().filter_map(|(name, setting)| {
        let row = key::find(name);
        let is_erased = setting.text.is_none() && row.is_none_or(|row| row.default.is_some());
        let text = setting.text.as_deref();
        (text.is_some() || is_erased)
            .then(|| (name.as_str(), text.unwrap_or_default()))
            .filter(|_| !config.repeats_alias(name))
    })
}
