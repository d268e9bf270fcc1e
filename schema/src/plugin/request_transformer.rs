//! `request-transformer`: changes requests (`kong/plugins/request-transformer/schema.lua`).
//!
//! Values may hold templates in Lua (`$(…)`). They are not compiled here, as there is no Lua: a
//! faulty one is accepted, where Kong refuses it.

use super::Plugin;
use super::shared::headers::{PAIR, name_and_value, two_names};
use super::shared::{HTTP_METHOD, PROTOCOLS, STRING, STRINGS, config, list, split_pair};
use crate::field::{Check, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "request-transformer",
    priority: 801,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("http_method", HTTP_METHOD).description("Method of the upstream request."),
    Field::record("remove", &NAMES),
    Field::record("rename", &RENAMES),
    Field::record("replace", &PAIRS_AND_URI),
    Field::record("add", &PAIRS),
    Field::record("append", &PAIRS),
]);

static NAMES: Record = Record::new(&[
    list("body", STRINGS),
    list("headers", array(&HEADER)),
    list("querystring", STRINGS),
]);
static RENAMES: Record = Record::new(&[
    list("body", array(&VALUE)),
    list("headers", array(&HEADER_NAMES)),
    list("querystring", array(&VALUE)),
]);
static PAIRS: Record = Record::new(&[
    list("body", array(&VALUE)),
    list("headers", array(&HEADER_VALUE)),
    list("querystring", array(&VALUE)),
]);
static PAIRS_AND_URI: Record = Record::new(&[
    list("body", array(&VALUE)),
    list("headers", array(&HEADER_VALUE)),
    list("querystring", array(&VALUE)),
    Field::new("uri", STRING),
]);

const fn array(element: &'static Type) -> Type {
    Type::new(Kind::Array(element))
}

static VALUE: Type = Type::with(Kind::String, &[Check::Text(has_value)]);
static HEADER: Type = Type::with(Kind::String, &[Check::Text(name_and_value)]);
static HEADER_VALUE: Type = Type::with(Kind::String, &[PAIR, Check::Text(name_and_value)]);
static HEADER_NAMES: Type = Type::with(Kind::String, &[PAIR, Check::Text(two_names)]);

fn has_value(pair: &str) -> Result<(), String> {
    match split_pair(pair) {
        (name, "") => Err(format!("key '{name}' has no value")),
        _ => Ok(()),
    }
}
