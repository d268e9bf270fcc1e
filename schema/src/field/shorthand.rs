//! Other spellings of the fields of a record: moved to the fields on the way in, and shown beside
//! them on the way out where the old name still counts.
//!
//! Errors stand at the top of the tree under the old name, as in Kong, and end the validation.
//! Only records of subschemas (`config`) have shorthands.
//!
//! Source: `shorthand_fields` in `kong/db/schema/init.lua`.

use serde_json::{Map, Value};

use super::deprecation::{Warning, joined};
use super::validate::Walk;
use super::{Context, Errors, Expand, Field, FieldList, Kind, Record, Schema, Shorthand, Type};

/// Moves the values of all shorthands of an entity to their fields.
pub(super) fn expand(
    fields: FieldList,
    object: &mut Map<String, Value>,
    context: Context<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Errors> {
    let walk = Walk::new(context);
    let mut errors = Errors::new();
    visit_fields(fields.iter(), object, "", &mut |record, map, path| {
        for shorthand in record.shorthands {
            let Some(value) = map.swap_remove(shorthand.name) else {
                continue;
            };
            let is_news = !value.is_null() && !shorthand.repeats(&value, map);
            match shorthand.expand_into(value, map, &walk) {
                Ok(()) if !is_news => {}
                Ok(()) => {
                    let path = || joined(path, shorthand.name);
                    let warning = shorthand.deprecation.map(|d| Warning::new(path(), d));
                    warnings.extend(warning);
                }
                Err(error) => drop(errors.insert(shorthand.name.to_owned(), error)),
            }
        }
    });
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Takes the old names out of what was shown.
pub(super) fn forget(fields: FieldList, object: &mut Map<String, Value>) {
    visit_fields(fields.iter(), object, "", &mut |record, map, _| {
        for shorthand in record.shorthands {
            map.swap_remove(shorthand.name);
        }
    });
}

impl Schema {
    /// Adds the old names of fields, which Kong shows with the values of the new ones.
    pub fn add_old_names(&self, object: &mut Map<String, Value>) {
        let Some(subschemas) = self.subschemas else {
            return;
        };
        let name = object.get(subschemas.selector).and_then(Value::as_str);
        let Some(subschema) = name.and_then(subschemas.known) else {
            return;
        };
        let fields = self.fields_with(Some(subschema));
        visit_fields(fields.iter(), object, "", &mut |record, map, _| {
            for shorthand in record.shorthands {
                if let Expand::To(path) = shorthand.expand {
                    let value = at(map, path).cloned().unwrap_or(Value::Null);
                    map.insert(shorthand.name.to_owned(), value);
                }
            }
        });
    }
}

impl Shorthand {
    /// Whether the field itself has the same value, as in what was shown.
    fn repeats(&self, value: &Value, map: &Map<String, Value>) -> bool {
        match self.expand {
            Expand::To(path) => at(map, path) == Some(value),
            Expand::With(_) => false,
        }
    }

    fn expand_into(
        &self,
        mut value: Value,
        map: &mut Map<String, Value>,
        walk: &Walk<'_>,
    ) -> Result<(), Value> {
        if !value.is_null() {
            self.ty.check(&mut value, true, walk)?;
        }
        match self.expand {
            Expand::With(_) if value.is_null() => Ok(()),
            Expand::With(expand) => {
                let keeps = |held: Option<&Value>| {
                    self.deprecation.is_some() && held.is_some_and(|held| !held.is_null())
                };
                for (name, value) in expand(value) {
                    // Of an old spelling and the field itself, the field counts.
                    if !keeps(map.get(&name)) {
                        map.insert(name, value);
                    }
                }
                Ok(())
            }
            Expand::To(path) => self.move_to(path, value, map),
        }
    }

    fn move_to(
        &self,
        path: &[&str],
        value: Value,
        map: &mut Map<String, Value>,
    ) -> Result<(), Value> {
        match at(map, path) {
            Some(_) if value.is_null() => return Ok(()),
            Some(new) if !new.is_null() && *new != value => {
                let (old, path) = (self.name, path.join("."));
                return Err(Value::String(format!(
                    "both deprecated and new field are used but their values mismatch: \
                     {old} = {} vs {path} = {}",
                    shown(&value),
                    shown(new)
                )));
            }
            _ => set(map, path, value),
        }
        Ok(())
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

fn at<'a>(map: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let first = map.get(*first)?;
    rest.iter().try_fold(first, |value, name| value.get(name))
}

/// Sets a member at a path, with the records on the way. One that is none keeps its value, which
/// the validation refuses.
fn set(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        map.insert((*first).to_owned(), value);
        return;
    }
    let inner = map.entry(*first).or_insert(Value::Null);
    if inner.is_null() || inner.as_array().is_some_and(Vec::is_empty) {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        set(inner, rest, value);
    }
}

/// What is done with each record.
type Visit<'a> = &'a mut dyn FnMut(&'static Record, &mut Map<String, Value>, &str);

/// Calls for every record in an object, outer ones first, with its path.
fn visit_fields(
    fields: impl Iterator<Item = &'static Field>,
    object: &mut Map<String, Value>,
    parent: &str,
    visit: Visit<'_>,
) {
    for field in fields {
        if let Some(value) = object.get_mut(field.name)
            && holds_records(&field.ty)
        {
            visit_type(&field.ty, value, &joined(parent, field.name), visit);
        }
    }
}

fn holds_records(ty: &Type) -> bool {
    match ty.kind {
        Kind::Record(_) => true,
        Kind::Array(inner) | Kind::Set(inner) | Kind::Map(_, inner) => holds_records(inner),
        _ => false,
    }
}

fn visit_type(ty: &Type, value: &mut Value, path: &str, visit: Visit<'_>) {
    match (ty.kind, value) {
        (Kind::Record(record), Value::Object(map)) => {
            visit(record, map, path);
            visit_fields(record.fields.iter(), map, path, visit);
        }
        (Kind::Array(element) | Kind::Set(element), Value::Array(list)) => {
            for value in list {
                visit_type(element, value, path, visit);
            }
        }
        (Kind::Map(_, member), Value::Object(map)) => {
            for value in map.values_mut() {
                visit_type(member, value, path, visit);
            }
        }
        _ => {}
    }
}
