//! What to log about fields that will go (`deprecation` in `kong/db/schema/init.lua`).
//!
//! A value that was the default of earlier versions says nothing.

use serde_json::Value;

use super::{Deprecation, Field, FieldList, Kind, Type};

/// A deprecated field has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The field, from the entity on: `config.redis_host`.
    pub path: String,
    /// What to do, for people.
    pub message: &'static str,
    /// The version without the field.
    pub removal_in_version: &'static str,
}

impl Warning {
    pub(super) fn new(path: String, deprecation: &Deprecation) -> Self {
        Self {
            path,
            message: deprecation.message,
            removal_in_version: deprecation.removal_in_version,
        }
    }
}

/// The warnings about a valid entity.
pub(super) fn collect(fields: FieldList, values: &[Value], warnings: &mut Vec<Warning>) {
    for (field, value) in fields.iter().zip(values) {
        of_field(field, value, "", warnings);
    }
}

fn of_field(field: &Field, value: &Value, parent: &str, warnings: &mut Vec<Warning>) {
    if value.is_null() {
        return;
    }
    let path = joined(parent, field.name);
    if let Some(deprecation) = field.deprecation
        && *value != deprecation.old_default.value()
    {
        warnings.push(Warning::new(path.clone(), deprecation));
    }
    of_type(&field.ty, value, &path, warnings);
}

fn of_type(ty: &Type, value: &Value, path: &str, warnings: &mut Vec<Warning>) {
    match (ty.kind, value) {
        (Kind::Record(record), Value::Object(map)) => {
            for field in record.fields {
                if let Some(value) = map.get(field.name) {
                    of_field(field, value, path, warnings);
                }
            }
        }
        (Kind::Array(element) | Kind::Set(element), Value::Array(list)) => {
            for value in list {
                of_type(element, value, path, warnings);
            }
        }
        (Kind::Map(_, member), Value::Object(map)) => {
            for (key, value) in map {
                of_type(member, value, &joined(path, key), warnings);
            }
        }
        _ => {}
    }
}

/// `parent.name`
pub(super) fn joined(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}
