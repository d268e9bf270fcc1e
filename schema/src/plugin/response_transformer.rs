//! `response-transformer`: changes answers (`kong/plugins/response-transformer/schema.lua`).

use super::Plugin;
use super::shared::headers::{PAIR, two_names};
use super::shared::{PROTOCOLS_HTTP, STRINGS, config, list};
use crate::field::{Check, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "response-transformer",
    priority: 800,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::record("remove", &NAMES),
    Field::record("rename", &RENAMES),
    Field::record("replace", &PAIRS),
    Field::record("add", &PAIRS),
    Field::record("append", &PAIRS),
]);

static NAMES: Record = Record::new(&[list("json", STRINGS), list("headers", STRINGS)]);
static RENAMES: Record = Record::new(&[
    list("json", COLON_TEXTS),
    list(
        "headers",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[PAIR, Check::Text(two_names)],
        ))),
    ),
]);
static PAIRS: Record = Record::new(&[
    list("json", COLON_TEXTS),
    list(
        "json_types",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::OneOf(&["boolean", "number", "string"])],
        ))),
    )
    .description("Types of the values of `json`, by position."),
    list("headers", COLON_TEXTS),
]);

const COLON_TEXTS: Type = Type::new(Kind::Array(&Type::with(Kind::String, &[PAIR])));
