//! The JSON of `GET /schemas/{entity}` and its kin: fields in order, each with Kong's attributes,
//! and the checks across them. Rules that are code have no attribute, as in Kong.
//!
//! Source: `kong/api/routes/kong.lua` and `kong/db/schema/metaschema.lua` of Kong 3.9.3.

use serde_json::{Map, Value, json};

use super::{
    Check, Conditional, ConditionalAtLeastOneOf, Default, Deprecation, EntityCheck, Field, Kind,
    Match, OnDelete, Pattern, Record, Schema, Shorthand, Subschema, Type,
};

type Attributes = Map<String, Value>;

impl Schema {
    /// The body of `GET /schemas/{entity}`.
    pub fn describe(&self) -> Value {
        json!({ "fields": fields(self.fields), "entity_checks": checks(self.entity_checks) })
    }
}

impl Subschema {
    /// The body of `GET /schemas/plugins/{name}` and `GET /schemas/vaults/{name}`.
    pub fn describe(&self) -> Value {
        json!({ "fields": fields(self.fields), "entity_checks": checks(self.entity_checks) })
    }

    /// The body of the old `GET /plugins/schema/{name}`: of `config` only.
    pub fn describe_config(&self) -> Value {
        let config = self.fields.iter().find(|field| field.name == "config");
        match config.map(|field| field.ty.kind) {
            Some(Kind::Record(record)) => json!({
                "fields": fields(record.fields),
                "entity_checks": checks(record.entity_checks),
            }),
            _ => json!({ "fields": [], "entity_checks": [] }),
        }
    }
}

fn fields(fields: &[Field]) -> Value {
    fields
        .iter()
        .map(|field| named(field.name, of_field(field)))
        .collect()
}

fn named(name: &str, attributes: Attributes) -> Value {
    Value::Object(
        [(name.to_owned(), Value::Object(attributes))]
            .into_iter()
            .collect(),
    )
}

fn of_field(field: &Field) -> Attributes {
    let mut attributes = of_type(&field.ty, field.referenceable);
    for (name, holds) in [
        ("required", field.required),
        ("auto", field.auto),
        ("unique", field.unique),
        ("encrypted", field.encrypted),
        ("transient", field.transient),
    ] {
        if holds {
            attributes.insert(name.into(), true.into());
        }
    }
    match field.default {
        Default::None | Default::Record => {}
        default => drop(attributes.insert("default".into(), default.value())),
    }
    if field.on_delete == OnDelete::Cascade {
        attributes.insert("on_delete".into(), "cascade".into());
    }
    if !field.description.is_empty() {
        attributes.insert("description".into(), field.description.into());
    }
    if let Some(deprecation) = field.deprecation {
        attributes.insert("deprecation".into(), of_deprecation(deprecation));
    }
    attributes
}

fn of_deprecation(deprecation: &Deprecation) -> Value {
    let mut attributes = Attributes::new();
    attributes.insert("message".into(), deprecation.message.into());
    let version = deprecation.removal_in_version;
    attributes.insert("removal_in_version".into(), version.into());
    if !matches!(deprecation.old_default, Default::None) {
        let value = deprecation.old_default.value();
        attributes.insert("old_default".into(), value);
    }
    if !deprecation.replaced_with.is_empty() {
        let paths = deprecation.replaced_with.iter();
        let paths = paths.map(|path| json!({ "path": path })).collect();
        attributes.insert("replaced_with".into(), paths);
    }
    Value::Object(attributes)
}

fn of_type(ty: &Type, referenceable: bool) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert("type".into(), type_name(ty.kind).into());
    let inner = |ty: &Type| Value::Object(of_type(ty, referenceable));
    match ty.kind {
        Kind::Set(element) | Kind::Array(element) => {
            attributes.insert("elements".into(), inner(element));
        }
        Kind::Map(key, member) => {
            attributes.insert("keys".into(), Value::Object(of_type(key, false)));
            attributes.insert("values".into(), inner(member));
        }
        Kind::Record(record) => add_record(record, &mut attributes),
        Kind::Foreign(entity) => drop(attributes.insert("reference".into(), entity.into())),
        Kind::Abstract => drop(attributes.insert("abstract".into(), true.into())),
        _ if referenceable => drop(attributes.insert("referenceable".into(), true.into())),
        _ => {}
    }
    if ty.required {
        attributes.insert("required".into(), true.into());
    }
    for check in ty.checks {
        if let Some((name, argument)) = of_check(*check) {
            attributes.insert(name.into(), argument);
        }
    }
    if let Some(err) = ty.err {
        attributes.insert("err".into(), err.into());
    }
    attributes
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Set(_) => "set",
        Kind::Array(_) => "array",
        Kind::Map(..) => "map",
        Kind::Record(_) | Kind::Abstract => "record",
        Kind::Foreign(_) => "foreign",
        Kind::Any => "json",
    }
}

fn add_record(record: &Record, attributes: &mut Attributes) {
    attributes.insert("fields".into(), fields(record.fields));
    if !record.entity_checks.is_empty() {
        attributes.insert("entity_checks".into(), checks(record.entity_checks));
    }
    if !record.shorthands.is_empty() {
        let shorthands = record.shorthands.iter();
        let list = shorthands.map(|shorthand| named(shorthand.name, of_shorthand(shorthand)));
        attributes.insert("shorthand_fields".into(), list.collect());
    }
}

fn of_shorthand(shorthand: &Shorthand) -> Attributes {
    let mut attributes = of_type(&shorthand.ty, false);
    if let Some(deprecation) = shorthand.deprecation {
        attributes.insert("deprecation".into(), of_deprecation(deprecation));
    }
    attributes
}

/// The attribute of a check; none for code.
fn of_check(check: Check) -> Option<(&'static str, Value)> {
    Some(match check {
        Check::Null => ("eq", Value::Null),
        Check::NotOneOf(words) => ("not_one_of", words.into()),
        Check::OneOf(words) => ("one_of", words.into()),
        Check::OneOfIntegers(numbers) => ("one_of", numbers.into()),
        Check::Gt(number) => ("gt", number_json(number)),
        Check::Timestamp => ("timestamp", true.into()),
        Check::Uuid => ("uuid", true.into()),
        Check::IsRegex => ("is_regex", true.into()),
        Check::Between(low, high) => ("between", json!([low, high])),
        Check::BetweenNumbers(low, high) => {
            ("between", json!([number_json(low), number_json(high)]))
        }
        Check::LenEq(length) => ("len_eq", length.into()),
        Check::LenMin(length) => ("len_min", length.into()),
        Check::LenMax(length) => ("len_max", length.into()),
        Check::StartsWith(prefix) => ("starts_with", prefix.into()),
        Check::NotMatch(pattern) => ("not_match", pattern.into()),
        Check::MatchNone(patterns) => ("match_none", of_patterns(patterns)),
        Check::Match(pattern) => ("match", pattern.into()),
        Check::MatchAll(patterns) => ("match_all", of_patterns(patterns)),
        Check::MatchAny(patterns, err) => {
            ("match_any", json!({ "patterns": patterns, "err": err }))
        }
        Check::Contains(member) => ("contains", member.into()),
        Check::ExclusiveSubsets(groups) => ("mutually_exclusive_subsets", json!(groups)),
        Check::Text(_) | Check::Value(_) => return None,
    })
}

/// Whole numbers without fraction; what JSON has no number for as text.
pub(super) fn number_json(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.into();
    }
    if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return (number as i64).into();
    }
    number.into()
}

fn of_patterns(patterns: &[Pattern]) -> Value {
    let one = |pattern: &Pattern| json!({ "pattern": pattern.pattern, "err": pattern.err });
    patterns.iter().map(one).collect()
}

fn checks(checks: &[EntityCheck]) -> Value {
    checks.iter().map(of_entity_check).collect()
}

fn of_entity_check(check: &EntityCheck) -> Value {
    match check {
        EntityCheck::AtLeastOneOf(names) => json!({ "at_least_one_of": names }),
        EntityCheck::OnlyOneOf(names) => json!({ "only_one_of": names }),
        EntityCheck::MutuallyRequired(names) => json!({ "mutually_required": names }),
        EntityCheck::MutuallyExclusive(names) => json!({ "mutually_exclusive": names }),
        EntityCheck::MutuallyExclusiveSets(one, other) => {
            json!({ "mutually_exclusive_sets": { "set1": one, "set2": other } })
        }
        EntityCheck::Distinct(names) => json!({ "distinct": names }),
        EntityCheck::Conditional(check) => json!({ "conditional": of_conditional(check) }),
        EntityCheck::ConditionalAtLeastOneOf(check) => {
            json!({ "conditional_at_least_one_of": of_conditional_any(check) })
        }
        EntityCheck::Custom { sources, .. } => {
            json!({ "custom_entity_check": { "field_sources": sources } })
        }
    }
}

fn of_conditional(check: &Conditional) -> Value {
    let mut arguments = json!({
        "if_field": check.if_field,
        "if_match": of_match(check.if_match),
        "then_field": check.then_field,
        "then_match": of_match(check.then_match),
    });
    if let Some(err) = check.then_err {
        arguments["then_err"] = err.into();
    }
    arguments
}

fn of_conditional_any(check: &ConditionalAtLeastOneOf) -> Value {
    let mut arguments = json!({
        "if_field": check.if_field,
        "if_match": of_match(check.if_match),
        "then_at_least_one_of": check.then_fields,
    });
    if let Some(err) = check.then_err {
        arguments["then_err"] = err.into();
    }
    if let Some((names, err)) = check.otherwise {
        arguments["else_then_at_least_one_of"] = names.into();
        if let Some(err) = err {
            arguments["else_then_err"] = err.into();
        }
    }
    arguments
}

fn of_match(what: Match) -> Value {
    match what {
        Match::Null => json!({ "eq": null }),
        // Rules in code are not shown.
        Match::Required | Match::RequiredText(_) => json!({ "required": true }),
        Match::Equals(word) => json!({ "eq": word }),
        Match::Is(switch) => json!({ "eq": switch }),
        Match::OneOf(words) => json!({ "one_of": words }),
        Match::NotOneOf(words) => json!({ "not_one_of": words }),
        Match::Gt(number) => json!({ "gt": number_json(number) }),
        Match::LenMin(length) => json!({ "len_min": length }),
        Match::Contains(member) => json!({ "contains": member }),
    }
}
