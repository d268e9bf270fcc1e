//! The walk over an entity: shapes, nulls, defaults, checks, and the error tree.

use std::cell::Cell;
use std::collections::HashSet;
use std::mem;

use serde_json::{Map, Value};

use super::check::{self, parse_uuid};
use super::deprecation::{self, Warning};
use super::entity_check::Fields;
use super::{
    Check, Default, EntityCheck, Errors, Field, FieldList, Kind, REQUIRED, Record, Rules, Schema,
    Subschema, Type, auto, shorthand, vault_reference,
};
use crate::entity::EntityKind;

/// Lists up to this length are searched for duplicates directly.
const DIRECT_SEARCH_MAX: usize = 16;

/// Under which circumstances an object is validated.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Where it comes from.
    pub mode: Mode,
    /// What the node's configuration says.
    pub rules: &'a Rules,
}

/// Where an object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The Admin API, a complete entity (POST, PUT): references are objects.
    Insert,
    /// The Admin API, a stored entity with changes laid over it.
    Update,
    /// A declarative file: references may be texts, which are left as they are. The named field
    /// is implied by the place in the file and not asked for.
    Declarative(Option<&'static str>),
}

impl Mode {
    /// Whether references may be texts.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Declarative(_))
    }
}

/// A validation under way, and what it met that needs a second look.
pub(super) struct Walk<'a> {
    pub(super) context: Context<'a>,
    /// A vault reference stands for a value.
    pub(super) has_references: Cell<bool>,
    /// A deprecated field has a value.
    has_deprecated: Cell<bool>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        Self {
            context,
            has_references: Cell::new(false),
            has_deprecated: Cell::new(false),
        }
    }
}

/// A validated entity: one value for each field of its schema, in the schema's order.
#[derive(Clone, Debug)]
pub struct Row {
    fields: &'static [Field],
    values: Vec<Value>,
    next: usize,
    warnings: Vec<Warning>,
}

impl Schema {
    /// Validates a complete object and fills its defaults.
    ///
    /// # Errors
    /// Kong's error tree.
    pub fn validate(
        &'static self,
        mut object: Map<String, Value>,
        context: Context<'_>,
    ) -> Result<Row, Errors> {
        (self.prepare)(&mut object)?;
        let subschema = self.subschema_of(&object, context.rules)?;
        let mut warnings = Vec::new();
        if subschema.is_some() {
            let fields = self.fields_with(subschema);
            shorthand::expand(fields, &mut object, context, &mut warnings)?;
        }
        self.check(object, subschema, context, warnings)
    }

    /// Checks one value of a field on its own: a name in a path. Answers its normal form.
    ///
    /// # Errors
    /// The field's error; there is no such field.
    pub fn check_field(
        &self,
        name: &str,
        mut value: Value,
        context: Context<'_>,
    ) -> Result<Value, Value> {
        let position = self.position(name).ok_or("unknown field")?;
        self.fields[position].check(&mut value, &Walk::new(context))?;
        Ok(value)
    }

    /// Checks an object whose shorthands are expanded.
    pub(super) fn check(
        &'static self,
        mut object: Map<String, Value>,
        subschema: Option<&'static Subschema>,
        context: Context<'_>,
        mut warnings: Vec<Warning>,
    ) -> Result<Row, Errors> {
        (self.complete)(&mut object, context.mode)?;
        let fields = self.fields_with(subschema);
        let further_checks = subschema.map_or(&[][..], |part| part.entity_checks);
        let walk = Walk::new(context);
        let mut errors = Errors::new();
        let values = spread(self.fields, object, context, &mut errors);
        let checks = [self.entity_checks, further_checks];
        let values = check_fields(fields, checks, values, &walk, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        if walk.has_deprecated.get() {
            deprecation::collect(fields, &values, &mut warnings);
        }
        Ok(Row {
            fields: self.fields,
            values,
            next: 0,
            warnings,
        })
    }

    /// The part that the selector chooses; none where there is no choice.
    pub(super) fn subschema_of(
        &self,
        object: &Map<String, Value>,
        rules: &Rules,
    ) -> Result<Option<&'static Subschema>, Errors> {
        let Some(subschemas) = self.subschemas else {
            return Ok(None);
        };
        let problem = match object.get(subschemas.selector) {
            None | Some(Value::Null) => REQUIRED.to_owned(),
            Some(Value::String(name)) => match (subschemas.find)(name, rules) {
                Ok(subschema) => return Ok(Some(subschema)),
                Err(problem) => problem,
            },
            Some(_) => "expected a string".to_owned(),
        };
        let error = (subschemas.selector.to_owned(), Value::String(problem));
        Err([error].into_iter().collect())
    }

    pub(super) fn fields_with(&self, subschema: Option<&'static Subschema>) -> FieldList {
        FieldList {
            own: self.fields,
            replaced: subschema.map_or(&[], |part| part.fields),
        }
    }
}

impl Row {
    /// Moves a field's value out. Fastest when asked in the schema's order.
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the entity's own file.
    pub fn take(&mut self, name: &str) -> Value {
        let position = match self.fields.get(self.next) {
            Some(field) if field.name == name => self.next,
            _ => self
                .position(name)
                .expect("entities ask for fields of their schema"),
        };
        self.next = position + 1;
        mem::take(&mut self.values[position])
    }

    /// [`Self::take`] of a field that only some schemas of the entity have; null in others.
    pub fn take_known(&mut self, name: &str) -> Value {
        match self.position(name) {
            Some(_) => self.take(name),
            None => Value::Null,
        }
    }

    /// The fields, as a JSON object, whose values typed ones would not give back: null where the
    /// field has a default, empty lists and maps, numbers too large for 64 bits, and those for
    /// which `differs` holds. `None` for nearly every entity.
    pub fn exact(&self, differs: impl Fn(&str, &Value) -> bool) -> Option<Box<str>> {
        let rows = || self.fields.iter().zip(&self.values);
        let is_lost = |field: &Field, value: &Value| match value {
            _ if field.auto => false,
            Value::Null => !matches!(field.default, Default::None),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Number(number) => matches!(field.ty.kind, Kind::Integer) && !number.is_i64(),
            Value::String(_) | Value::Bool(_) => false,
        };
        let lost =
            |(field, value): &(&Field, &Value)| is_lost(field, value) || differs(field.name, value);
        if !rows().any(|row| lost(&row)) {
            return None;
        }
        let fields: Map<String, Value> = rows()
            .filter(lost)
            .map(|(field, value)| (field.name.to_owned(), value.clone()))
            .collect();
        Some(Value::Object(fields).to_string().into())
    }

    /// A field's value.
    pub fn value(&self, name: &str) -> &Value {
        self.position(name)
            .map_or(&Value::Null, |position| &self.values[position])
    }

    /// What the log should say about fields that will go.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The row as an object with every field.
    pub fn into_object(self) -> Map<String, Value> {
        let names = self.fields.iter().map(|field| field.name.to_owned());
        names.zip(self.values).collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

/// One value for each field, moved out of the object; `None` where it has none.
fn spread(
    fields: &'static [Field],
    object: Map<String, Value>,
    context: Context<'_>,
    errors: &mut Errors,
) -> Vec<Option<Value>> {
    let mut values: Vec<Option<Value>> = vec![None; fields.len()];
    for (key, value) in object {
        match fields.iter().position(|field| field.name == key) {
            Some(position) => values[position] = Some(value),
            None if context.mode.is_file() && is_remark(&key, &value, errors) => {}
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
    fields: FieldList,
    entity_checks: [&[EntityCheck]; 2],
    values: Vec<Option<Value>>,
    walk: &Walk<'_>,
    errors: &mut Errors,
) -> Vec<Value> {
    let settle = |(index, value): (usize, Option<Value>)| {
        let field = fields.at(index);
        let mut value = match (value, field.default) {
            (Some(value), _) => value,
            (None, _) if field.is_auto_text() => auto::text().into(),
            // A default is valid; only what holds records has more to fill.
            (None, default @ (Default::None | Default::Record | Default::Json(_))) => {
                default.value()
            }
            (None, default) => return default.value(),
        };
        if let Err(error) = field.check(&mut value, walk) {
            errors.insert(field.name.to_owned(), error);
        }
        value
    };
    let values: Vec<Value> = values.into_iter().enumerate().map(settle).collect();
    let view = Fields {
        fields,
        values: &values,
        context: walk.context,
        has_references: walk.has_references.get(),
    };
    for check in entity_checks.into_iter().flatten() {
        check.run(&view, errors);
    }
    values
}

impl Field {
    fn check(&self, value: &mut Value, walk: &Walk<'_>) -> Result<(), Value> {
        if self.auto && self.name == "updated_at" {
            *value = Value::Null; // always the node's own time
            return Ok(());
        }
        if value.is_null() {
            let mode = walk.context.mode;
            let implied = matches!(mode, Mode::Declarative(Some(name)) if name == self.name);
            return if self.required && !implied {
                Err(REQUIRED.into())
            } else {
                Ok(())
            };
        }
        if self.deprecation.is_some() {
            walk.has_deprecated.set(true);
        }
        self.ty.check(value, self.referenceable, walk)
    }

    /// Whether an absent value becomes a random text: keys and secrets of credentials.
    fn is_auto_text(&self) -> bool {
        self.auto
            && matches!(self.ty.kind, Kind::String)
            && !self
                .ty
                .checks
                .iter()
                .any(|check| matches!(check, Check::Uuid))
    }
}

impl Type {
    /// Checks a value that is not null and brings it into its normal form. `referenceable`: a
    /// text may be a vault reference instead, here or in a list or map.
    pub(super) fn check(
        &self,
        value: &mut Value,
        referenceable: bool,
        walk: &Walk<'_>,
    ) -> Result<(), Value> {
        if referenceable && vault_reference(value) {
            walk.has_references.set(true);
            return Ok(());
        }
        match self.kind {
            Kind::String => expect(value.is_string(), "expected a string")?,
            Kind::Integer => make_integer(value)?,
            Kind::Number => expect(value.is_number(), "expected a number")?,
            Kind::Boolean => expect(value.is_boolean(), "expected a boolean")?,
            Kind::Set(element) => {
                make_list(value, "expected a set")?;
                remove_duplicates(value);
                check_elements(element, value, referenceable, walk)?;
            }
            Kind::Array(element) => {
                make_list(value, "expected an array")?;
                check_elements(element, value, referenceable, walk)?;
            }
            Kind::Map(key, member) => check_map((key, member), value, referenceable, walk)?,
            Kind::Record(record) => check_record(record, value, walk)?,
            Kind::Foreign(entity) => check_foreign(entity, self.checks, value, walk)?,
            Kind::Abstract => make_object(value, "expected a record")?,
            Kind::Any => {}
        }
        let outcome = check::run(self.checks, value);
        outcome.map_err(|text| self.err.map_or(Value::String(text), Value::from))
    }

    /// An element, key or member: null is never allowed.
    fn check_present(
        &self,
        value: &mut Value,
        referenceable: bool,
        walk: &Walk<'_>,
    ) -> Result<(), Value> {
        if value.is_null() {
            Err(REQUIRED.into())
        } else {
            self.check(value, referenceable, walk)
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

fn check_elements(
    element: &Type,
    value: &mut Value,
    referenceable: bool,
    walk: &Walk<'_>,
) -> Result<(), Value> {
    let Value::Array(list) = value else {
        return Ok(());
    };
    let mut errors: Vec<Value> = Vec::new();
    for (index, member) in list.iter_mut().enumerate() {
        if let Err(error) = element.check_present(member, referenceable, walk) {
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
fn check_map(
    (key, member): (&Type, &Type),
    value: &mut Value,
    referenceable: bool,
    walk: &Walk<'_>,
) -> Result<(), Value> {
    make_object(value, "expected a map")?;
    let Value::Object(map) = value else {
        return Ok(());
    };
    for (name, value) in map.iter_mut() {
        key.check(&mut Value::String(name.clone()), false, walk)?;
        member.check_present(value, referenceable, walk)?;
    }
    Ok(())
}

fn check_record(record: &'static Record, value: &mut Value, walk: &Walk<'_>) -> Result<(), Value> {
    if let Value::Array(list) = value
        && !list.is_empty()
    {
        // To Lua a list is an object with the keys 1, 2, …
        return Err(vec!["unknown field"; list.len()].into());
    }
    make_object(value, "expected a record")?;
    let Value::Object(map) = value else {
        return Ok(());
    };
    let mut errors = Errors::new();
    let values = spread(record.fields, mem::take(map), walk.context, &mut errors);
    let fields = FieldList::of(record.fields);
    let values = check_fields(
        fields,
        [record.entity_checks, &[]],
        values,
        walk,
        &mut errors,
    );
    // Also when it is refused: checks across the entity still look at its members.
    *map = record
        .fields
        .iter()
        .map(|field| field.name.to_owned())
        .zip(values)
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Value::Object(errors))
    }
}

/// `{"id": "<uuid>"}`, what else it says dropped; in a file also a text, which is resolved later.
fn check_foreign(
    entity: &str,
    checks: &[Check],
    value: &mut Value,
    walk: &Walk<'_>,
) -> Result<(), Value> {
    if checks.iter().any(|check| matches!(check, Check::Null)) {
        return Ok(()); // refused by that check, whatever it says
    }
    let problem = |text: &str| Err(serde_json::json!({ "id": text }));
    match value {
        Value::String(text) if walk.context.mode.is_file() => expect(!text.is_empty(), REQUIRED),
        Value::Object(map) => match map.get("id") {
            None => Err(foreign_problem(entity, map, walk)),
            Some(Value::Null) => problem(REQUIRED),
            Some(Value::String(text)) if parse_uuid(text).is_some() => {
                if map.len() > 1 {
                    map.retain(|key, _| key == "id");
                }
                Ok(())
            }
            Some(Value::String(_)) => problem("expected a valid UUID"),
            Some(_) => problem("expected a string"),
        },
        Value::Array(list) if list.is_empty() => problem(NO_KEY),
        _ if walk.context.mode.is_file() => Err("expected a string".into()),
        _ => problem(NO_KEY),
    }
}

/// What a reference without id gets.
const NO_KEY: &str = "missing primary key";

/// Fields of the other entity that are invalid, else that the id is missing.
fn foreign_problem(entity: &str, map: &Map<String, Value>, walk: &Walk<'_>) -> Value {
    let kind = EntityKind::of_name(entity);
    let fields = kind.map_or(&[][..], |kind| kind.schema(walk.context.rules).fields);
    let problem = |(key, value): (&String, &Value)| {
        let field = fields.iter().find(|field| field.name == key)?;
        let error = (!value.is_null())
            .then(|| field.ty.check(&mut value.clone(), false, walk).err())
            .flatten()?;
        Some((key.clone(), error))
    };
    let errors: Errors = map.iter().filter_map(problem).collect();
    if errors.is_empty() {
        serde_json::json!({ "id": NO_KEY })
    } else {
        Value::Object(errors)
    }
}
