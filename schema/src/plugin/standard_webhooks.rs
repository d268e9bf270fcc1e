//! `standard-webhooks`: signatures of webhooks are checked
//! (`kong/plugins/standard-webhooks/schema.lua`).

use super::Plugin;
use super::shared::{NO_CONSUMER, PROTOCOLS_HTTP, STRING, config};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "standard-webhooks",
    priority: 760,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("secret_v1", STRING)
        .required()
        .referenceable()
        .encrypted()
        .description("Secret of the signatures."),
    Field::new(
        "tolerance_second",
        Type::with(Kind::Integer, &[Check::Gt(-1.0)]),
    )
    .required()
    .default(Default::Integer(300))
    .description("Greatest age of a request, in seconds."),
]);
