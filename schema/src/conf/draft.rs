//! Settings on their way to a configuration: references resolved, each value checked by its row.
//! The rules between keys look at a draft, and add their errors to it.

use std::collections::{BTreeMap, HashMap};

use super::bundle::{self, Bundle};
use super::complete;
use super::key::{self, Key};
use super::kind::{self, Kind, Value};
use super::listener::{self, Listener, Subsystem};
use super::setting::Settings;
use super::source::{LoadOptions, Unresolved, Written};
use super::{ConfError, MASK, Origin};
use crate::vault::{self, Vaults, env::Env};

/// How references become secrets.
struct Secrets<'a> {
    vaults: Vaults<'a>,
    unresolved: Unresolved,
}

/// What is known so far.
pub(super) struct Draft {
    pub(super) settings: Settings,
    pub(super) errors: Vec<ConfError>,
    pub(super) warnings: Vec<String>,
    values: HashMap<String, Value>,
}

impl Draft {
    pub(super) fn new(written: Written, options: &LoadOptions<'_>) -> Self {
        let mut draft = Self {
            settings: complete::complete(written.settings),
            errors: Vec::new(),
            warnings: Vec::new(),
            values: HashMap::new(),
        };
        let names: Vec<String> = draft.settings.keys().cloned().collect();
        let look_up = |variable: &str| {
            let found = options.secrets.iter().find(|(name, _)| name == variable);
            found.map(|(_, value)| value.clone())
        };
        let prefix = draft.written("vault_env_prefix").map(str::to_owned);
        let strategies = kind::split(draft.written("vaults").unwrap_or_default());
        let secrets = Secrets {
            vaults: Vaults {
                enabled: &bundle::enabled(&strategies, Bundle::Vaults),
                env: Env {
                    prefix: prefix.as_deref(),
                    variables: &look_up,
                },
            },
            unresolved: options.unresolved,
        };
        let (copies, own): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|name| draft.alias_copied(name).is_some());
        for name in own {
            draft.read(&name, &secrets);
        }
        for name in copies {
            let alias = draft.alias_copied(&name);
            let value = alias.and_then(|alias| draft.values.get(alias)).cloned();
            draft.values.extend(value.map(|value| (name, value)));
        }
        draft
    }

    /// The alias whose setting this key has: errors are told once, by the name that was written.
    fn alias_copied(&self, name: &str) -> Option<&'static str> {
        let alias = key::keys().find(|row| row.alias_of == Some(name))?;
        let (real, alias_setting) = (self.settings.get(name)?, self.settings.get(alias.name)?);
        (real == alias_setting && real.origin == alias_setting.origin).then_some(alias.name)
    }

    /// Resolves and checks one key.
    fn read(&mut self, name: &str, secrets: &Secrets<'_>) {
        let row = key::find(name);
        let kind = row.map_or(Kind::Text(super::check::none), |row| row.kind);
        let parsed = match self.written(name).map(str::to_owned) {
            None => return self.read_nothing(name, row),
            Some(text) if kind.is_list() => {
                let elements = self.resolve_list(name, &text, secrets);
                elements.map(|elements| kind.parse_list(elements))
            }
            Some(text) => {
                let resolved = self.resolve(name, None, text, secrets);
                resolved.map(|text| kind.parse(text))
            }
        };
        match parsed {
            None => self.take_default(row),
            Some(Ok(value)) => {
                self.values.insert(name.to_owned(), value);
            }
            Some(Err(problems)) => {
                for problem in problems {
                    self.refuse(name, problem);
                }
            }
        }
    }

    /// Set to nothing, or never set.
    fn read_nothing(&mut self, name: &str, row: Option<&Key>) {
        let Some(row) = row else { return };
        let is_needed = row.default.is_some() && row.kind.needs_value() && !row.is_directive();
        if is_needed || name == "prefix" {
            self.refuse(name, row.kind.accepted());
        }
    }

    /// Takes the default of a key whose reference has no secret, and is not needed.
    fn take_default(&mut self, row: Option<&Key>) {
        let Some((row, text)) = row.and_then(|row| Some((row, row.default?))) else {
            return;
        };
        let value = match row.kind.is_list() {
            true => row.kind.parse_list(kind::split(text)),
            false => row.kind.parse(text.to_owned()),
        };
        self.values
            .extend(value.map(|value| (row.name.to_owned(), value)));
    }

    /// The elements with a secret, or with none needed; `None`: there is none of them left.
    fn resolve_list(
        &mut self,
        name: &str,
        text: &str,
        secrets: &Secrets<'_>,
    ) -> Option<Vec<String>> {
        let elements = kind::split(text).into_iter().enumerate();
        let resolved: Vec<_> = elements
            .filter_map(|(index, element)| self.resolve(name, Some(index + 1), element, secrets))
            .collect();
        (!resolved.is_empty()).then_some(resolved)
    }

    /// The secret behind a reference, any other text as it is; `None`: there is no secret, which
    /// has been said.
    fn resolve(
        &mut self,
        name: &str,
        index: Option<usize>,
        text: String,
        secrets: &Secrets<'_>,
    ) -> Option<String> {
        if !vault::is_reference(&text) || is_about_vaults(name) {
            return Some(text);
        }
        let cause = match secrets.vaults.resolve(&text) {
            Ok(secret) => return Some(secret),
            Err(cause) => cause,
        };
        let error = ConfError::Unresolved {
            key: name.to_owned(),
            reference: text,
            index,
            origin: self.settings[name].origin.clone(),
            cause: Box::new(cause),
        };
        match secrets.unresolved {
            Unresolved::Refuse => self.errors.push(error),
            Unresolved::Warn => self.warnings.push(error.to_string()),
        }
        None
    }

    /// The text of a key as written.
    pub(super) fn written(&self, name: &str) -> Option<&str> {
        self.settings.get(name)?.text.as_deref()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The directives that are injected, by the names of their keys, references resolved.
    pub(super) fn directives(&self) -> BTreeMap<String, String> {
        let is_directive = |name: &str| key::family(name).is_some_and(key::Family::is_directive);
        let named = self.settings.iter().filter(|(name, _)| is_directive(name));
        let injected = named.filter_map(|(name, setting)| {
            let text = setting.text.clone()?;
            let resolved = match self.values.get(name)? {
                Value::Text(secret) if vault::is_reference(&text) => secret.clone(),
                Value::Number(secret) if vault::is_reference(&text) => secret.to_string(),
                _ => text,
            };
            Some((name.clone(), resolved))
        });
        injected.collect()
    }

    pub(super) fn switch(&self, name: &str) -> bool {
        self.values.get(name) == Some(&Value::Switch(true))
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.values.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn list(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Value::List(list)) => list,
            _ => &[],
        }
    }

    pub(super) fn listeners(&self, name: &str) -> Vec<Listener> {
        let subsystem = match name {
            "stream_listen" => Subsystem::Stream,
            _ => Subsystem::Http,
        };
        listener::parse(self.list(name), subsystem).unwrap_or_default()
    }

    /// Adds an error about the value of a key.
    pub(super) fn refuse(&mut self, name: &str, expected: impl Into<String>) {
        let is_masked = key::find(name).is_some_and(|row| row.masked);
        let (text, origin) = match self.settings.get(name) {
            Some(setting) => (setting.text.clone(), setting.origin.clone()),
            None => (None, Origin::Default),
        };
        let value = match text {
            Some(_) if is_masked => MASK.to_owned(),
            text => text.unwrap_or_default(),
        };
        self.errors.push(ConfError::Value {
            key: name.to_owned(),
            value,
            origin,
            expected: expected.into(),
        });
    }

    /// Adds a warning about the value of a key.
    pub(super) fn warn(&mut self, name: &str, text: &str) {
        let origin = self.settings.get(name).map(|setting| &setting.origin);
        let origin = origin.unwrap_or(&Origin::Default);
        self.warnings.push(format!("{origin}: {name}: {text}"));
    }
}

/// These say what references mean, so they cannot be references.
fn is_about_vaults(name: &str) -> bool {
    name == "vaults" || name.starts_with("vault_")
}
