//! Checks across the fields of an entity or record, and their texts.

use serde_json::Value;

use super::check::{length, one_of_text, quoted};
use super::{Context, Errors, FieldList, Kind, Mode, REQUIRED, push_entity_error, vault_reference};

/// A check across fields. Names may be paths into records: `redis.host`.
#[derive(Clone, Copy, Debug)]
pub enum EntityCheck {
    /// One of the fields is not empty.
    AtLeastOneOf(&'static [&'static str]),
    /// Exactly one of the fields is not empty.
    OnlyOneOf(&'static [&'static str]),
    /// All of the fields are empty, or none is.
    MutuallyRequired(&'static [&'static str]),
    /// At most one of the fields is not empty.
    MutuallyExclusive(&'static [&'static str]),
    /// Not both of the sets have a field that is not empty.
    MutuallyExclusiveSets(&'static [&'static str], &'static [&'static str]),
    /// The fields that are not empty differ.
    Distinct(&'static [&'static str]),
    /// When one field has a value, another must follow.
    Conditional(Conditional),
    /// When one field has a value, one of others must not be empty.
    ConditionalAtLeastOneOf(ConditionalAtLeastOneOf),
    /// Anything else.
    Custom {
        /// The fields it looks at; skipped when one of them has an error already, unless empty.
        sources: &'static [&'static str],
        /// Adds what is wrong.
        run: fn(&Fields<'_>, &mut Errors),
    },
}

/// When `if_field` meets `if_match`, `then_field` must meet `then_match`.
#[derive(Clone, Copy, Debug)]
pub struct Conditional {
    /// Field that decides.
    pub if_field: &'static str,
    /// When.
    pub if_match: Match,
    /// Field that must follow; its error replaces the field's own.
    pub then_field: &'static str,
    /// What it must be.
    pub then_match: Match,
    /// Replaces the text of the check across fields.
    pub then_err: Option<&'static str>,
}

/// When `if_field` meets `if_match`, one of `then_fields` must not be empty.
#[derive(Clone, Copy, Debug)]
pub struct ConditionalAtLeastOneOf {
    /// Field that decides.
    pub if_field: &'static str,
    /// When.
    pub if_match: Match,
    /// Fields of which one must be given.
    pub then_fields: &'static [&'static str],
    /// Replaces the text; `%s` stands for the list of fields.
    pub then_err: Option<&'static str>,
    /// Fields of which one must be given otherwise, and the text.
    pub otherwise: Option<(&'static [&'static str], Option<&'static str>)>,
}

/// What a field is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Match {
    /// Null.
    Null,
    /// Anything but null.
    Required,
    /// This text.
    Equals(&'static str),
    /// This switch.
    Is(bool),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// None of these texts; not met by a value that is invalid itself.
    NotOneOf(&'static [&'static str]),
    /// A number above this.
    Gt(f64),
    /// A text or list of at least this length.
    LenMin(usize),
    /// A list with this member.
    Contains(&'static str),
    /// Not null, and a text that meets these rules; the error is the message.
    RequiredText(fn(&str) -> Result<(), String>),
}

impl Conditional {
    /// When `if_field` meets `if_match`, `then_field` must meet `then_match`.
    pub const fn new(
        if_field: &'static str,
        if_match: Match,
        then_field: &'static str,
        then_match: Match,
    ) -> Self {
        Self {
            if_field,
            if_match,
            then_field,
            then_match,
            then_err: None,
        }
    }
}

/// The values of an entity or record, by name.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(super) fields: FieldList,
    pub(super) values: &'a [Value],
    /// What the node's configuration says.
    pub context: Context<'a>,
    /// Whether any value is a vault reference.
    pub(super) has_references: bool,
}

impl Fields<'_> {
    /// The value of a field or of the member at a path; null when it is not given.
    pub fn value(&self, path: &str) -> &Value {
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let position = self.fields.position(first);
        let value = position
            .and_then(|position| self.values.get(position))
            .unwrap_or(&Value::Null);
        names.fold(value, |value, name| value.get(name).unwrap_or(&Value::Null))
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

    /// Whether a vault reference stands in for a value, so that nothing can be said about it.
    fn is_reference(&self, path: &str) -> bool {
        if !vault_reference(self.value(path)) {
            return false;
        }
        let mut names = path.split('.');
        let position = self.fields.position(names.next().unwrap_or_default());
        let mut field = position.map(|position| self.fields.at(position));
        for name in names {
            field = match field.map(|field| field.ty.kind) {
                Some(Kind::Record(record)) => record.fields.iter().find(|f| f.name == name),
                _ => None,
            };
        }
        field.is_some_and(|field| field.referenceable)
    }
}

impl EntityCheck {
    /// The fields that it looks at.
    fn any_input(&self, holds: impl Fn(&str) -> bool) -> bool {
        let any = |names: &[&str]| names.iter().any(|name| holds(name));
        match self {
            Self::AtLeastOneOf(names)
            | Self::OnlyOneOf(names)
            | Self::MutuallyRequired(names)
            | Self::MutuallyExclusive(names)
            | Self::Distinct(names) => any(names),
            Self::MutuallyExclusiveSets(one, other) => any(one) || any(other),
            Self::Conditional(check) => any(&[check.if_field, check.then_field]),
            Self::ConditionalAtLeastOneOf(check) => {
                let otherwise = check.otherwise.map_or(&[][..], |(names, _)| names);
                holds(check.if_field) || any(check.then_fields) || any(otherwise)
            }
            Self::Custom { sources, .. } => any(sources),
        }
    }

    pub(super) fn run(&self, fields: &Fields<'_>, errors: &mut Errors) {
        if fields.has_references && self.any_input(|name| fields.is_reference(name)) {
            return;
        }
        let given = |names: &[&str]| names.iter().filter(|name| fields.is_given(name)).count();
        // Of names alone: Kong does not look for errors at paths.
        let faulty = |names: &[&str]| names.iter().any(|name| errors.contains_key(*name));
        match self {
            Self::MutuallyRequired(names) | Self::MutuallyExclusive(names) if faulty(names) => {}
            Self::MutuallyExclusiveSets(one, other) if faulty(one) || faulty(other) => {}
            Self::AtLeastOneOf(names) => {
                if given(names) == 0 {
                    push_entity_error(errors, at_least_one_of(names, fields));
                }
            }
            Self::OnlyOneOf(names) => {
                if given(names) != 1 {
                    let text = "exactly one of these fields must be non-empty";
                    push_entity_error(errors, format!("{text}: {}", quoted(names)));
                }
            }
            Self::MutuallyRequired(names) => {
                if !matches!(given(names), 0) && given(names) != names.len() {
                    let text = "all or none of these fields must be set";
                    push_entity_error(errors, format!("{text}: {}", quoted(names)));
                }
            }
            Self::MutuallyExclusive(names) => {
                if given(names) > 1 {
                    let text = "only one or none of these fields must be set";
                    push_entity_error(errors, format!("{text}: {}", quoted(names)));
                }
            }
            Self::MutuallyExclusiveSets(one, other) => {
                if given(one) > 0 && given(other) > 0 {
                    let text = "these sets are mutually exclusive";
                    let (one, other) = (quoted(one), quoted(other));
                    push_entity_error(errors, format!("{text}: ({one}), ({other})"));
                }
            }
            Self::Distinct(names) => distinct(names, fields, errors),
            Self::Conditional(check) => check.run(fields, errors),
            Self::ConditionalAtLeastOneOf(check) => check.run(fields, errors),
            Self::Custom { sources, run } => {
                if !sources.iter().any(|name| has_error(errors, name)) {
                    run(fields, errors);
                }
            }
        }
    }
}

fn at_least_one_of(names: &[&str], fields: &Fields<'_>) -> String {
    let names = quoted(names);
    let prefix = match fields.context.mode {
        Mode::Update => "when updating, ",
        Mode::Insert | Mode::Declarative(_) => "",
    };
    format!("{prefix}at least one of these fields must be non-empty: {names}")
}

/// Whether a field or the member at a path has an error already. An error of a whole record is
/// none of its members.
fn has_error(errors: &Errors, path: &str) -> bool {
    match path.split_once('.') {
        None => errors.contains_key(path),
        Some((name, rest)) => match errors.get(name) {
            Some(Value::Object(inner)) => has_error(inner, rest),
            _ => false,
        },
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
        if !self.if_match.is_met(self.if_field, fields, errors) {
            return;
        }
        let value = fields.value(self.then_field);
        let error = match self.then_match.problem(value) {
            Some(error) => error,
            None if matches!(self.then_match, Match::Required)
                && has_error(errors, self.then_field) =>
            {
                return self.fail(errors);
            }
            None => return,
        };
        insert_at(errors, self.then_field, error);
        self.fail(errors);
    }

    fn fail(&self, errors: &mut Errors) {
        let field = self.if_field;
        let text = format!("failed conditional validation given value of field '{field}'");
        push_entity_error(errors, self.then_err.map_or(text, str::to_owned));
    }
}

impl ConditionalAtLeastOneOf {
    fn run(&self, fields: &Fields<'_>, errors: &mut Errors) {
        let (names, err) = if self.if_match.is_met(self.if_field, fields, errors) {
            (self.then_fields, self.then_err)
        } else if let Some(otherwise) = self.otherwise {
            otherwise
        } else {
            return;
        };
        if !names.iter().any(|name| fields.is_given(name)) {
            push_entity_error(
                errors,
                err.map_or_else(
                    || at_least_one_of(names, fields),
                    |text| text.replace("%s", &quoted(names)),
                ),
            );
        }
    }
}

/// Records an error of a field or of the member at a path.
fn insert_at(errors: &mut Errors, path: &str, error: String) {
    match path.split_once('.') {
        None => drop(errors.insert(path.to_owned(), error.into())),
        Some((name, rest)) => {
            let inner = errors.entry(name).or_insert_with(|| Errors::new().into());
            if let Value::Object(inner) = inner {
                insert_at(inner, rest, error);
            }
        }
    }
}

impl Match {
    /// Whether the deciding field is so.
    fn is_met(self, name: &str, fields: &Fields<'_>, errors: &Errors) -> bool {
        let value = fields.value(name);
        match self {
            Self::NotOneOf(words) => value
                .as_str()
                .is_some_and(|text| !words.contains(&text) && !has_error(errors, name)),
            Self::Null => value.is_null(),
            _ => !value.is_null() && self.problem(value).is_none(),
        }
    }

    /// The message if a value is not so; null passes unless another value is asked for.
    fn problem(self, value: &Value) -> Option<String> {
        let text = |words: &[&str]| value.as_str().is_some_and(|text| words.contains(&text));
        let (holds, error) = match self {
            Self::Null => (value.is_null(), "value must be null".to_owned()),
            Self::Required => (!value.is_null(), REQUIRED.to_owned()),
            Self::RequiredText(_) if value.is_null() => (false, REQUIRED.to_owned()),
            Self::Equals(word) => (text(&[word]), format!("value must be {word}")),
            Self::Is(switch) => (
                value == &Value::Bool(switch),
                format!("value must be {switch}"),
            ),
            _ if value.is_null() => return None,
            Self::OneOf(words) => (text(words), one_of_text(words)),
            Self::NotOneOf(words) => (
                !text(words),
                format!("must not be one of: {}", words.join(", ")),
            ),
            Self::Gt(number) => (
                value.as_f64().is_some_and(|value| value > number),
                format!("value must be greater than {number}"),
            ),
            Self::LenMin(least) => (
                length(value) >= least,
                format!("length must be at least {least}"),
            ),
            Self::Contains(member) => (
                value
                    .as_array()
                    .is_some_and(|list| list.iter().any(|value| value == member)),
                format!("expected to contain: {member}"),
            ),
            Self::RequiredText(rule) => return value.as_str().and_then(|text| rule(text).err()),
        };
        (!holds).then_some(error)
    }
}
