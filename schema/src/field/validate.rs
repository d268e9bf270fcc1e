//! The walk over an entity: shapes, nulls, defaults, checks, and the error tree.

use std::collections::HashSet;
use std::mem;

use serde_json::{Map, Value};

use super::check::{self, parse_uuid};
use super::entity_check::Fields;
use super::{Default, EntityCheck, Errors, Field, Kind, REQUIRED, Record, Schema, Type};

/// Lists up to this length are searched for duplicates directly.
const DIRECT_SEARCH_MAX: usize = 16;

/// Where an object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The Admin API: references are objects.
    Api,
    /// A declarative file: references may be texts, which are left as they are. The named field
    /// is implied by the place in the file and not asked for.
    Declarative(Option<&'static str>),
}

/// A validated entity: one value for each field of its schema, in the schema's order.
#[derive(Clone, Debug)]
pub struct Row {
    schema: &'static Schema,
    values: Vec<Value>,
    next: usize,
}

impl Schema {
    /// Validates an object and fills its defaults.
    ///
    /// # Errors
    /// Kong's error tree.
    pub fn validate(
        &'static self,
        mut object: Map<String, Value>,
        mode: Mode,
    ) -> Result<Row, Errors> {
        (self.prepare)(&mut object)?;
        let mut errors = Errors::new();
        let values = spread(self.fields, object, mode, &mut errors);
        let values = check_fields(self.fields, self.entity_checks, values, mode, &mut errors);
        if errors.is_empty() {
            Ok(Row {
                schema: self,
                values,
                next: 0,
            })
        } else {
            Err(errors)
        }
    }
}

impl Row {
    /// Moves a field's value out. Fastest when asked in the schema's order.
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the entity's own file.
    pub fn take(&mut self, name: &str) -> Value {
        let fields = self.schema.fields;
        let position = match fields.get(self.next) {
            Some(field) if field.name == name => self.next,
            _ => self
                .schema
                .position(name)
                .expect("entities ask for fields of their schema"),
        };
        self.next = position + 1;
        mem::take(&mut self.values[position])
    }

    /// A field's value.
    pub fn value(&self, name: &str) -> &Value {
        self.schema
            .position(name)
            .map_or(&Value::Null, |position| &self.values[position])
    }

    /// The row as an object with every field.
    pub fn into_object(self) -> Map<String, Value> {
        let names = self.schema.fields.iter().map(|field| field.name.to_owned());
        names.zip(self.values).collect()
    }
}

/// One value for each field, moved out of the object; `None` where it has none.
fn spread(
    fields: &'static [Field],
    object: Map<String, Value>,
    mode: Mode,
    errors: &mut Errors,
) -> Vec<Option<Value>> {
    let mut values: Vec<Option<Value>> = vec![None; fields.len()];
    for (key, value) in object {
        match fields.iter().position(|field| field.name == key) {
            Some(position) => values[position] = Some(value),
            None if mode != Mode::Api && is_remark(&key, &value, errors) => {}
            None => {
                errors.insert(key, Value::from("unknown field"));
            }
        }
    }
    values
}

/// `_comment` and `_ignore`, which any item of a file may carry.
fn is_remark(key: &str, value: &Value, errors: &mut Errors) -> bool {
    let problem = match (key, value) {
        ("_comment", Value::Null | Value::String(_))
        | ("_ignore", Value::Null | Value::Array(_)) => {
            return true;
        }
        ("_comment", _) => "expected a string",
        ("_ignore", _) => "expected an array",
        _ => return false,
    };
    errors.insert(key.to_owned(), problem.into());
    true
}

fn check_fields(
    fields: &'static [Field],
    entity_checks: &[EntityCheck],
    values: Vec<Option<Value>>,
    mode: Mode,
    errors: &mut Errors,
) -> Vec<Value> {
    let mut settle = |(field, value): (&Field, Option<Value>)| {
        let mut value = match (value, field.default) {
            (Some(value), _) => value,
            // A default is valid; only records have more to fill.
            (None, default @ (Default::None | Default::Record)) => default.value(),
            (None, default) => return default.value(),
        };
        if let Err(error) = field.check(&mut value, mode) {
            errors.insert(field.name.to_owned(), error);
        }
        value
    };
    let values: Vec<Value> = fields.iter().zip(values).map(&mut settle).collect();
    let view = Fields {
        fields,
        values: &values,
    };
    for check in entity_checks {
        check.run(&view, errors);
    }
    values
}

impl Field {
    fn check(&self, value: &mut Value, mode: Mode) -> Result<(), Value> {
        if self.auto && self.name == "updated_at" {
            *value = Value::Null; // always the node's own time
            return Ok(());
        }
        if value.is_null() {
            let implied = matches!(mode, Mode::Declarative(Some(name)) if name == self.name);
            return if self.required && !implied {
                Err(REQUIRED.into())
            } else {
                Ok(())
            };
        }
        self.ty.check(value, mode)
    }
}

impl Type {
    /// Checks a value that is not null and brings it into its normal form.
    fn check(&self, value: &mut Value, mode: Mode) -> Result<(), Value> {
        match self.kind {
            Kind::String => expect(value.is_string(), "expected a string")?,
            Kind::Integer => make_integer(value)?,
            Kind::Number => expect(value.is_number(), "expected a number")?,
            Kind::Boolean => expect(value.is_boolean(), "expected a boolean")?,
            Kind::Set(element) => {
                make_list(value, "expected a set")?;
                remove_duplicates(value);
                check_elements(element, value, mode)?;
            }
            Kind::Array(element) => {
                make_list(value, "expected an array")?;
                check_elements(element, value, mode)?;
            }
            Kind::Map(key, member) => check_map(key, member, value, mode)?,
            Kind::Record(record) => check_record(record, value, mode)?,
            Kind::Foreign(_) => return check_foreign(value, mode),
            Kind::Any => {}
        }
        check::run(self.checks, value).map_err(Value::String)
    }

    /// An element, key or member: null is never allowed.
    fn check_present(&self, value: &mut Value, mode: Mode) -> Result<(), Value> {
        if value.is_null() {
            Err(REQUIRED.into())
        } else {
            self.check(value, mode)
        }
    }
}

fn expect(holds: bool, text: &str) -> Result<(), Value> {
    if holds { Ok(()) } else { Err(text.into()) }
}

/// Numbers are Lua's: `80.0` is an integer.
fn make_integer(value: &mut Value) -> Result<(), Value> {
    /// Every whole number below this has an exact double.
    const EXACT_MAX: f64 = 9_223_372_036_854_774_784.0;
    if value.is_i64() {
        return Ok(());
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0);
    let Some(number) = number else {
        return Err("expected an integer".into());
    };
    if number.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        let whole = number as i64;
        *value = whole.into();
    }
    Ok(())
}

/// `{}` cannot be told from `[]` in Lua.
fn make_list(value: &mut Value, text: &str) -> Result<(), Value> {
    match value {
        Value::Array(_) => Ok(()),
        Value::Object(map) if map.is_empty() => {
            *value = Value::Array(Vec::new());
            Ok(())
        }
        _ => Err(text.into()),
    }
}

fn make_object(value: &mut Value, text: &str) -> Result<(), Value> {
    match value {
        Value::Object(_) => Ok(()),
        Value::Array(list) if list.is_empty() => {
            *value = Value::Object(Map::new());
            Ok(())
        }
        _ => Err(text.into()),
    }
}

/// Keeps the first of equal texts or numbers.
fn remove_duplicates(value: &mut Value) {
    let Value::Array(list) = value else { return };
    if list.len() > DIRECT_SEARCH_MAX {
        let mut seen = HashSet::new();
        list.retain(|element| match element {
            Value::String(_) | Value::Number(_) => seen.insert(element.to_string()),
            _ => true,
        });
        return;
    }
    let mut at = 1;
    while at < list.len() {
        if !list[at].is_object() && list[..at].contains(&list[at]) {
            list.remove(at);
        } else {
            at += 1;
        }
    }
}

fn check_elements(element: &Type, value: &mut Value, mode: Mode) -> Result<(), Value> {
    let Value::Array(list) = value else {
        return Ok(());
    };
    let mut errors: Vec<Value> = Vec::new();
    for (index, member) in list.iter_mut().enumerate() {
        if let Err(error) = element.check_present(member, mode) {
            errors.resize(index, Value::Null);
            errors.push(error);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Value::Array(errors))
    }
}

/// The first key or member that fails speaks for the map.
fn check_map(key: &Type, member: &Type, value: &mut Value, mode: Mode) -> Result<(), Value> {
    make_object(value, "expected a map")?;
    let Value::Object(map) = value else {
        return Ok(());
    };
    for (name, value) in map.iter_mut() {
        key.check(&mut Value::String(name.clone()), mode)?;
        member.check_present(value, mode)?;
    }
    Ok(())
}

fn check_record(record: &'static Record, value: &mut Value, mode: Mode) -> Result<(), Value> {
    make_object(value, "expected a record")?;
    let Value::Object(map) = value else {
        return Ok(());
    };
    let mut errors = Errors::new();
    let values = spread(record.fields, mem::take(map), Mode::Api, &mut errors);
    let values = check_fields(
        record.fields,
        record.entity_checks,
        values,
        mode,
        &mut errors,
    );
    if !errors.is_empty() {
        return Err(Value::Object(errors));
    }
    *map = record
        .fields
        .iter()
        .map(|field| field.name.to_owned())
        .zip(values)
        .collect();
    Ok(())
}

/// `{"id": "<uuid>"}`; in a file also a text, which is resolved later.
fn check_foreign(value: &mut Value, mode: Mode) -> Result<(), Value> {
    let missing = || Err(serde_json::json!({ "id": "missing primary key" }));
    match value {
        Value::String(text) if mode != Mode::Api => expect(!text.is_empty(), REQUIRED),
        Value::Object(map) => match map.get("id") {
            None => missing(),
            Some(Value::Null) => Err(serde_json::json!({ "id": REQUIRED })),
            Some(Value::String(text)) if parse_uuid(text).is_some() => Ok(()),
            Some(Value::String(_)) => Err(serde_json::json!({ "id": "expected a valid UUID" })),
            Some(_) => Err(serde_json::json!({ "id": "expected a string" })),
        },
        Value::Array(list) if list.is_empty() => missing(),
        _ if mode != Mode::Api => Err("expected a string".into()),
        _ => missing(),
    }
}
