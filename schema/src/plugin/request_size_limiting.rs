//! `request-size-limiting`: refuses large request bodies
//! (`kong/plugins/request-size-limiting/schema.lua`).

use super::Plugin;
use super::shared::{PROTOCOLS_HTTP, config};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "request-size-limiting",
    priority: 951,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("allowed_payload_size", Type::new(Kind::Integer))
        .default(Default::Integer(128))
        .description("Largest allowed request body, in `size_unit`."),
    Field::new(
        "size_unit",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["megabytes", "kilobytes", "bytes"])],
        ),
    )
    .required()
    .default(Default::String("megabytes"))
    .description("Unit of `allowed_payload_size`."),
    Field::new("require_content_length", Type::new(Kind::Boolean))
        .required()
        .default(Default::Boolean(false))
        .description("Whether a request without Content-Length is refused."),
]);
