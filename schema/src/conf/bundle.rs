//! What `bundled` means in the keys `plugins` and `vaults`.

use crate::plugin::PLUGINS;

/// The key that names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bundle {
    Plugins,
    Vaults,
}

/// Vault strategies of Kong's open edition.
const VAULTS: &[&str] = &[crate::vault::env::NAME];

impl Bundle {
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Plugins => PLUGINS.iter().map(|plugin| plugin.name).collect(),
            Self::Vaults => VAULTS.to_vec(),
        }
    }
}

/// The names that a list enables, sorted; `off` first is none.
pub(super) fn enabled(list: &[String], bundle: Bundle) -> Vec<String> {
    if list.first().is_some_and(|first| first == "off") {
        return Vec::new();
    }
    let mut names = Vec::new();
    for name in list.iter().filter(|name| !name.is_empty()) {
        match name.as_str() {
            "bundled" => names.extend(bundle.names().iter().map(|name| (*name).to_owned())),
            _ => names.push(name.clone()),
        }
    }
    names.sort();
    names.dedup();
    names
}
