//! `correlation-id`: gives every request an id (`kong/plugins/correlation-id/schema.lua`).

use super::Plugin;
use super::shared::{PROTOCOLS_HTTP, STRING, config, switch};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "correlation-id",
    priority: 100_001,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("header_name", STRING)
        .default(Default::String("Kong-Request-ID"))
        .description("The header that holds the id."),
    Field::new(
        "generator",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["uuid", "uuid#counter", "tracker"])],
        ),
    )
    .required()
    .default(Default::String("uuid#counter"))
    .description("How ids are made."),
    switch("echo_downstream", false).description("Whether the client gets the id too."),
]);
