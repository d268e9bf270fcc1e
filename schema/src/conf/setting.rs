//! One key's text with its origin, and all of them.

use std::collections::BTreeMap;

use super::Origin;

/// The text of a key as it was written: references unresolved, paths absolute.
///
/// Two settings are equal if they say the same, wherever it was written.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The text; `None`: set to nothing, or never set and without a default.
    pub text: Option<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// Settings by the names of their keys.
pub(super) type Settings = BTreeMap<String, Setting>;

impl Setting {
    /// An empty text sets the key to nothing.
    pub(super) fn new(text: &str, origin: Origin) -> Self {
        let text = Some(text.to_owned()).filter(|text| !text.is_empty());
        Self { text, origin }
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
