//! `proxy-cache`: answers from memory (`kong/plugins/proxy-cache/schema.lua`).
//!
//! Deviation: `memory.dictionary_name` may be any name, as there are no dictionaries to be
//! declared.

use super::Plugin;
use super::shared::{INTEGER, PROTOCOLS, STRING, STRINGS, config, flag, switch};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "proxy-cache",
    priority: 100,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new(
        "response_code",
        Type::with(
            Kind::Array(&Type::with(Kind::Integer, &[Check::Between(100, 900)])),
            &[Check::LenMin(1)],
        ),
    )
    .required()
    .default(Default::Integers(&[200, 301, 404]))
    .description("Statuses that are kept."),
    Field::new(
        "request_method",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::OneOf(&["HEAD", "GET", "POST", "PATCH", "PUT"])],
        ))),
    )
    .required()
    .default(Default::Strings(&["GET", "HEAD"]))
    .description("Methods that are answered from memory."),
    Field::new("content_type", STRINGS)
        .required()
        .default(Default::Strings(&["text/plain", "application/json"]))
        .description("Content types that are kept."),
    Field::new("cache_ttl", Type::with(Kind::Integer, &[Check::Gt(0.0)]))
        .default(Default::Integer(300))
        .description("How long an answer is good, in seconds."),
    Field::new(
        "strategy",
        Type::with(Kind::String, &[Check::OneOf(&["memory"])]),
    )
    .required()
    .description("Where answers are kept."),
    switch("cache_control", false).description("Whether Cache-Control is obeyed."),
    flag("ignore_uri_case", false).description("Whether letter case of paths is ignored."),
    Field::new("storage_ttl", INTEGER)
        .description("How long an answer is kept at least, in seconds."),
    Field::record("memory", &MEMORY),
    Field::new("vary_query_params", STRINGS)
        .description("Query arguments that make a difference; all when not given."),
    Field::new("vary_headers", STRINGS).description("Request headers that make a difference."),
    Field::record("response_headers", &RESPONSE_HEADERS)
        .description("Headers that say how an answer was found."),
]);

static MEMORY: Record = Record::new(&[Field::new("dictionary_name", STRING)
    .required()
    .default(Default::String("kong_db_cache"))
    .description("Name of the memory.")]);

static RESPONSE_HEADERS: Record = Record::new(&[
    flag("age", true),
    flag("X-Cache-Status", true),
    flag("X-Cache-Key", true),
]);
