//! What the reference pages `schema/entities.md` and `schema/plugins.md` have in common: the table of
//! fields, and the test that the committed page is not stale.
//!
//! Limits: checks that are code are not listed.

use crate::field::{Check, Default, Field, Kind, Record, Type};

/// How to read the tables.
pub(crate) const LEGEND: &str = "\
`*` marks a field that must not be null. `a.b` is a member of a record, `a[].b` one of each record in a list.
";

const COLUMNS: &str = "\n| field | type | default | |\n|---|---|---|---|\n";

/// Adds the table of a record's fields and, below it, the defaults that are too long for it.
pub(crate) fn add_table(page: &mut String, record: &Record) {
    page.push_str(COLUMNS);
    add_record(page, record, "");
    add_long_defaults(page, record.fields);
}

/// Adds the same of an entity's fields.
pub(crate) fn add_table_of_fields(page: &mut String, fields: &[Field]) {
    page.push_str(COLUMNS);
    add_fields(page, fields, "");
    add_long_defaults(page, fields);
}

fn add_record(page: &mut String, record: &Record, prefix: &str) {
    add_fields(page, record.fields, prefix);
    for shorthand in record.shorthands {
        let name = format!("{prefix}{}", shorthand.name);
        let about = shorthand
            .deprecation
            .map_or("", |deprecation| deprecation.message);
        page.push_str(&format!(
            "| `{name}` | {} | | {about} |\n",
            of_type(&shorthand.ty)
        ));
    }
}

fn add_fields(page: &mut String, fields: &[Field], prefix: &str) {
    for field in fields {
        add_field(page, field, prefix);
    }
}

fn add_field(page: &mut String, field: &Field, prefix: &str) {
    let name = format!("{prefix}{}", field.name);
    let required = if field.required { "\\*" } else { "" };
    let mut about = field.description.to_owned();
    if field.referenceable {
        about.push_str(" May be a vault reference.");
    }
    if let Some(deprecation) = field.deprecation {
        let version = deprecation.removal_in_version;
        about.push_str(&format!(" Deprecated, gone in {version}."));
    }
    let (ty, default) = (of_type(&field.ty), of_default(field.default));
    page.push_str(&format!(
        "| `{name}`{required} | {ty} | {default} | {about} |\n"
    ));
    add_members(page, &field.ty, &name);
}

/// The members of the records in a value.
fn add_members(page: &mut String, ty: &Type, name: &str) {
    match ty.kind {
        Kind::Record(record) => add_record(page, record, &format!("{name}.")),
        Kind::Array(element) | Kind::Set(element) => {
            add_members(page, element, &format!("{name}[]"));
        }
        Kind::Map(_, member) => add_members(page, member, &format!("{name}.*")),
        _ => {}
    }
}

fn of_type(ty: &Type) -> String {
    let name = match ty.kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Set(element) => return format!("set of {}", of_type(element)),
        Kind::Array(element) => return format!("list of {}", of_type(element)),
        Kind::Map(_, member) => return format!("map to {}", of_type(member)),
        Kind::Record(_) | Kind::Abstract => "record",
        Kind::Foreign(entity) => entity,
        Kind::Any => "any",
    };
    allowed(ty).map_or_else(|| name.to_owned(), |allowed| format!("{name}: {allowed}"))
}

/// What the checks that are data leave of all values.
pub(crate) fn allowed(ty: &Type) -> Option<String> {
    let rules = ty.checks.iter().filter_map(|check| match check {
        Check::OneOf(names) => Some(list(names)),
        Check::OneOfIntegers(numbers) => Some(list(numbers)),
        Check::Between(low, high) => Some(format!("{low} to {high}")),
        Check::BetweenNumbers(low, high) => Some(format!("{low} to {high}")),
        Check::Gt(number) => Some(format!("above {number}")),
        Check::LenMax(most) => Some(format!("at most {most} long")),
        _ => None,
    });
    let rules: Vec<String> = rules.collect();
    (!rules.is_empty()).then(|| rules.join(", "))
}

pub(crate) fn list<T: std::fmt::Display>(members: &[T]) -> String {
    let quoted = members.iter().map(|member| format!("`{member}`"));
    quoted.collect::<Vec<_>>().join(", ")
}

/// Longer defaults stand below the table.
const DEFAULT_BYTES_MAX: usize = 60;

fn of_default(default: Default) -> String {
    match default {
        Default::None | Default::Record => String::new(),
        Default::Made(_) => "random".to_owned(),
        default if is_long(default) => "see below".to_owned(),
        default => format!("`{}`", default.value()),
    }
}

fn is_long(default: Default) -> bool {
    default.value().to_string().len() > DEFAULT_BYTES_MAX
}

fn add_long_defaults(page: &mut String, fields: &[Field]) {
    for field in fields.iter().filter(|field| is_long(field.default)) {
        page.push_str(&format!("\nDefault of `{}`:\n\n```json\n", field.name));
        let value = field.default.value();
        for member in value.as_array().into_iter().flatten() {
            page.push_str(&format!("{member}\n"));
        }
        page.push_str("```\n");
    }
}

/// Compares a page with the committed one of that name, or writes it where `UPDATE_PAGES` is set.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for developers, no setting of the gateway"
)]
pub(crate) fn assert_committed(name: &str, page: &str) {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&path, page).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let refresh = "refresh it: UPDATE_PAGES=1 cargo test -p silverback-schema reference";
    for (number, (new, old)) in page.lines().zip(committed.lines()).enumerate() {
        let number = number + 1;
        assert_eq!(new, old, "line {number} of {path} is stale; {refresh}");
    }
    assert_eq!(page.len(), committed.len(), "{path} is stale; {refresh}");
}
