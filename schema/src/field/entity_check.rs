//! Checks across the fields of an entity or record, and their texts.

use serde_json::Value;

use super::check::{one_of_text, quoted};
use super::{Errors, Field, REQUIRED, push_entity_error};

/// A check across fields.
#[derive(Clone, Copy, Debug)]
pub enum EntityCheck {
    /// One of the fields is not empty.
    AtLeastOneOf(&'static [&'static str]),
    /// The fields that are not empty differ.
    Distinct(&'static [&'static str]),
    /// When one field has a value, another must follow.
    Conditional(Conditional),
    /// Anything else.
    Custom(fn(&Fields<'_>, &mut Errors)),
}

/// When `if_field` meets `condition`, `then_field` must meet `then`.
#[derive(Clone, Copy, Debug)]
pub struct Conditional {
    /// Field that decides.
    pub if_field: &'static str,
    /// When.
    pub condition: Condition,
    /// Field that must follow; its error replaces the field's own.
    pub then_field: &'static str,
    /// What it must be.
    pub then: Then,
}

/// What the deciding field is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// This.
    Equals(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// None of these; not met by a value that is invalid itself.
    NotOneOf(&'static [&'static str]),
}

/// What the following field must be.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Null.
    Null,
    /// Anything but null.
    Required,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// The values of an entity or record, by name.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(super) fields: &'static [Field],
    pub(super) values: &'a [Value],
}

impl Fields<'_> {
    /// The value of a field; null when it is not given.
    pub fn value(&self, name: &str) -> &Value {
        let position = self.fields.iter().position(|field| field.name == name);
        position
            .and_then(|position| self.values.get(position))
            .unwrap_or(&Value::Null)
    }

    /// Whether a field holds something: not null, `""`, `[]` or `{}`.
    pub fn is_given(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        }
    }
}

impl EntityCheck {
    pub(super) fn run(&self, fields: &Fields<'_>, errors: &mut Errors) {
        match self {
            Self::AtLeastOneOf(names) => {
                if !names.iter().any(|name| fields.is_given(name)) {
                    let names = quoted(names);
                    let text = format!("at least one of these fields must be non-empty: {names}");
                    push_entity_error(errors, text);
                }
            }
            Self::Distinct(names) => distinct(names, fields, errors),
            Self::Conditional(check) => check.run(fields, errors),
            Self::Custom(check) => check(fields, errors),
        }
    }
}

fn distinct(names: &[&str], fields: &Fields<'_>, errors: &mut Errors) {
    let given: Vec<&Value> = names
        .iter()
        .filter(|name| fields.is_given(name))
        .map(|name| fields.value(name))
        .collect();
    let repeated = given
        .iter()
        .enumerate()
        .any(|(i, value)| given[..i].contains(value));
    if repeated {
        let text = format!("values of these fields must be distinct: {}", quoted(names));
        push_entity_error(errors, text);
    }
}

impl Conditional {
    fn run(&self, fields: &Fields<'_>, errors: &mut Errors) {
        let value = fields.value(self.then_field);
        let is_surely_fine = matches!(self.then, Then::Null) && value.is_null();
        if is_surely_fine || !self.is_met(fields, errors) {
            return;
        }
        let error = match self.then {
            Then::Null if !value.is_null() => "value must be null".to_owned(),
            Then::Required if value.is_null() => REQUIRED.to_owned(),
            Then::Required if errors.contains_key(self.then_field) => return self.fail(errors),
            Then::OneOf(words) if !is_one_of(value, words) => one_of_text(words),
            Then::Null | Then::Required | Then::OneOf(_) => return,
        };
        errors.insert(self.then_field.to_owned(), Value::String(error));
        self.fail(errors);
    }

    fn fail(&self, errors: &mut Errors) {
        let field = self.if_field;
        push_entity_error(
            errors,
            format!("failed conditional validation given value of field '{field}'"),
        );
    }

    fn is_met(&self, fields: &Fields<'_>, errors: &Errors) -> bool {
        let Some(value) = fields.value(self.if_field).as_str() else {
            return false;
        };
        match self.condition {
            Condition::Equals(word) => value == word,
            Condition::OneOf(words) => words.contains(&value),
            Condition::NotOneOf(words) => {
                !words.contains(&value) && !errors.contains_key(self.if_field)
            }
        }
    }
}

/// Null passes, as everywhere.
fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| words.contains(&text))
}
