//! The properties of `conf_keys.tsv` and the table of keys: the same names, types and defaults, and
//! each takes Kong's default and refuses what its type does not allow.
//!
//! Deviation: Kong takes a malformed switch for off, and a malformed number for none.

use silverback_schema::conf::{self, Key, Kind, LoadOptions};

use super::field::UNKNOWN;
use super::{Breaches, assert_excepted, rows};

/// Differences of the properties that Kong has.
pub(super) const MISSING: &str = "conf_keys";
/// Keys that Kong does not have.
pub(super) const OWN: &str = "own_conf_keys";
/// Properties that refuse Kong's default, or take what their type does not allow.
pub(super) const VALUES: &str = "conf_values";

/// A property of Kong's; a name that ends with `*` is a family.
struct Property {
    name: String,
    ty: String,
    default: String,
}

impl Property {
    fn family(&self) -> Option<&str> {
        self.name.strip_suffix('*')
    }

    /// Its default as text, if it has one that can be written down.
    fn default(&self) -> Option<&str> {
        let default = self.default.as_str();
        (default != UNKNOWN && !default.is_empty()).then_some(default)
    }
}

fn properties() -> Vec<Property> {
    let rows = rows("conf_keys.tsv", ["name", "type", "default"]);
    assert!(rows.len() > 200, "only {} properties are read", rows.len());
    let property = |[name, ty, default]: [String; 3]| Property { name, ty, default };
    rows.into_iter().map(property).collect()
}

/// Whether the values of a kind are those of Kong's type.
fn fits(kind: Kind, ty: &str) -> bool {
    match ty {
        "bool" => matches!(kind, Kind::Switch),
        "ngxbool" => matches!(kind, Kind::OnOff),
        "num" => matches!(kind, Kind::Number(_)),
        "enum" => matches!(kind, Kind::OneOf(_)),
        "list" => matches!(kind, Kind::List(_) | Kind::Listeners(_) | Kind::Pems(_)),
        "str" => matches!(
            kind,
            Kind::Text(_)
                | Kind::Path
                | Kind::Log
                | Kind::Bytes
                | Kind::Time
                | Kind::Workers
                | Kind::Pem(_)
        ),
        ty => ty == UNKNOWN,
    }
}

fn differences(property: &Property, key: &Key) -> Vec<String> {
    let mut told = Vec::new();
    let (ty, default) = (&property.ty, &property.default);
    if !fits(key.kind, ty) {
        told.push(format!("{} instead of {ty}", key.kind.name()));
    }
    let ours = key.default.unwrap_or_default();
    if default != UNKNOWN && default != ours {
        told.push(format!("default {ours:?} instead of {default:?}"));
    }
    told
}

#[test]
fn every_property_of_kong_is_a_key_with_its_type_and_default() {
    let mut breaches = Breaches::new();
    for property in properties() {
        let told = match (property.family(), conf::find(&property.name)) {
            (Some(prefix), _) => {
                let mut families = conf::FAMILIES.iter();
                let found = families.any(|family| prefix.starts_with(family.prefix));
                let told = (!found).then(|| "there is no such family".to_owned());
                told.into_iter().collect()
            }
            (None, Some(key)) => differences(&property, key),
            (None, None) => vec!["there is no such key".to_owned()],
        };
        if !told.is_empty() {
            breaches.insert(property.name, told.join(", "));
        }
    }
    assert_excepted(MISSING, &breaches);
}

#[test]
fn every_key_is_a_property_of_kong() {
    let properties = properties();
    let is_kongs = |name: &str| properties.iter().any(|property| property.name == name);
    let own = conf::keys().filter(|key| !is_kongs(key.name));
    let breaches = own.map(|key| (key.name.to_owned(), "Kong has no such property".to_owned()));
    assert_excepted(OWN, &breaches.collect());
}

/// What is said of a configuration with that value alone.
fn errors_of(name: &str, value: &str) -> Vec<String> {
    let variable = (format!("KONG_{}", name.to_uppercase()), value.to_owned());
    let outcome = conf::load(&LoadOptions {
        environment: &[variable],
        ..LoadOptions::default()
    });
    let errors = outcome.err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

/// A text that is no value of the type.
fn wrong(ty: &str) -> Option<&'static str> {
    match ty {
        "bool" | "ngxbool" => Some("maybe"),
        "num" => Some("many"),
        "enum" => Some("Nothing"),
        _ => None,
    }
}

#[test]
fn every_property_takes_its_default_and_refuses_what_is_no_value() {
    let mut breaches = Breaches::new();
    let known = |property: &Property| conf::find(&property.name).is_some();
    for property in properties().into_iter().filter(known) {
        let mut told = Vec::new();
        if let Some(default) = property.default() {
            told.extend(errors_of(&property.name, default));
        }
        if let Some(wrong) = wrong(&property.ty) {
            let errors = errors_of(&property.name, wrong);
            if !errors.iter().any(|error| error.contains(&property.name)) {
                told.push(format!("{wrong:?} gets {errors:?}"));
            }
        }
        if !told.is_empty() {
            breaches.insert(property.name, told.join(", "));
        }
    }
    assert_excepted(VALUES, &breaches);
}
