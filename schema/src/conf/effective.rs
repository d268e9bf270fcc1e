//! Looks at a configuration by the names of keys: as JSON for the Admin API, single settings,
//! injected directives, what has no effect, what this version cannot run.

use serde_json::{Map, Value};

use super::bundle::Bundle;
use super::key::{self, Key};
use super::kind::Kind;
use super::node::{Database, NodeConfig, Role, RouterFlavor};
use super::setting::Setting;
use super::{ConfError, MASK, Origin};

impl NodeConfig {
    /// The setting of a key as it was written; `None`: no such key exists, or, in a family, was set.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    /// The directives of a family such as `nginx_http_`, name and raw text, sorted by name, those
    /// with a default too.
    pub fn directives<'a>(&'a self, family: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.directives
            .iter()
            .filter_map(move |(name, text)| Some((name.strip_prefix(family)?, text.as_str())))
    }

    /// The member `configuration` of the Admin API's `GET /`: each key by its name, typed as Kong
    /// shows it. Unset texts and numbers are absent, an unset switch is false, an empty list is an
    /// empty object. Secrets are masked; a reference shows as it was written.
    pub fn effective(&self) -> Map<String, Value> {
        let shown = self.settings.iter().filter_map(|(name, setting)| {
            let text = setting.text.as_deref();
            let value = match key::find(name) {
                Some(row) => shown(row, text)?,
                None => Value::String(text?.to_owned()),
            };
            Some((name.clone(), value))
        });
        shown.collect()
    }

    /// Names of the keys that were given another value than their default, and have no effect in
    /// this version. A feature turned off is not among them: off it is.
    pub fn without_effect(&self) -> Vec<&str> {
        let is_idle = |name: &str, setting: &Setting| match key::find(name) {
            Some(row) => !row.works && setting.text.as_deref() != usual(row).as_deref(),
            None => true,
        };
        let given = self.settings.iter().filter(|(name, setting)| {
            let text = setting.text.as_deref();
            !matches!(text, None | Some("off" | "false"))
                && is_idle(name, setting)
                && !self.repeats_alias(name)
        });
        given.map(|(name, _)| name.as_str()).collect()
    }

    /// Why this version cannot run the configuration, although it is a valid one.
    pub fn unsupported(&self) -> Vec<ConfError> {
        let mut reasons = Vec::new();
        if self.role != Role::Traditional {
            let advice = "it runs traditional nodes only: set role = traditional";
            reasons.push(self.cannot_run("role", advice));
        }
        if self.database != Database::Off {
            let advice = "it keeps its configuration without a database: set database = off and \
                name a file with declarative_config, or use POST /config";
            reasons.push(self.cannot_run("database", advice));
        }
        if self.router_flavor != RouterFlavor::TraditionalCompatible {
            let advice = "it has one router engine: set router_flavor = traditional_compatible";
            reasons.push(self.cannot_run("router_flavor", advice));
        }
        for (key, bundle, enabled) in [
            ("plugins", Bundle::Plugins, &self.plugins),
            ("vaults", Bundle::Vaults, &self.vaults),
        ] {
            let missing = enabled
                .iter()
                .filter(|name| !bundle.names().contains(&name.as_str()));
            reasons.extend(missing.map(|name| ConfError::NotInstalled {
                key,
                name: name.clone(),
                origin: self.origin(key),
            }));
        }
        reasons
    }

    /// Whether a key says what an alias of it says. Left out of a dump, so that a later source may
    /// set either of them.
    pub(super) fn repeats_alias(&self, name: &str) -> bool {
        let alias = key::keys().find(|row| row.alias_of == Some(name));
        alias.is_some_and(|alias| self.settings.get(alias.name) == self.settings.get(name))
    }

    fn cannot_run(&self, key: &'static str, advice: &'static str) -> ConfError {
        let text = self
            .settings
            .get(key)
            .and_then(|setting| setting.text.clone());
        ConfError::Unsupported {
            key,
            value: text.unwrap_or_default(),
            origin: self.origin(key),
            advice,
        }
    }

    fn origin(&self, key: &str) -> Origin {
        let setting = self.settings.get(key);
        setting.map_or(Origin::Default, |setting| setting.origin.clone())
    }
}

/// The default in the form settings have it.
fn usual(row: &Key) -> Option<String> {
    row.default.map(|text| match row.kind {
        Kind::Path => text.trim_end_matches('/').to_owned(),
        _ => text.to_owned(),
    })
}

fn shown(row: &Key, text: Option<&str>) -> Option<Value> {
    // Kong masks a list even when it is empty.
    if row.masked && (text.is_some() || row.kind.is_list()) {
        return Some(Value::String(MASK.to_owned()));
    }
    let value = match (text, row.kind) {
        (Some(text), _) if row.is_directive() => Value::String(text.to_owned()),
        (Some(text), kind) => kind.json(text),
        (None, Kind::Switch) => Value::Bool(false),
        (None, kind) if kind.is_list() => Value::Array(Vec::new()),
        (None, _) => return None,
    };
    Some(match value {
        Value::Array(list) if list.is_empty() => Value::Object(Map::new()),
        Value::Array(list) if row.name.starts_with("headers") => list
            .iter()
            .map(|name| name.as_str().unwrap_or_default().to_lowercase())
            .collect(),
        value => value,
    })
}
