//! `udp-log`: sends a datagram for each request (`kong/plugins/udp-log/schema.lua`).

use super::Plugin;
use super::shared::log::CUSTOM_FIELDS;
use super::shared::{HOST, NUMBER, PORT, PROTOCOLS, config};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "udp-log",
    priority: 8,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("host", HOST)
        .required()
        .description("Host name or address that is sent to."),
    Field::new("port", PORT)
        .required()
        .description("Port that is sent to."),
    Field::new("timeout", NUMBER)
        .default(Default::Integer(10_000))
        .description("Longest wait for sending, in milliseconds."),
    CUSTOM_FIELDS,
]);
