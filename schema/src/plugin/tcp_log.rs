//! `tcp-log`: sends what is logged over TCP or TLS (`kong/plugins/tcp-log/schema.lua`).

use super::Plugin;
use super::shared::log::CUSTOM_FIELDS;
use super::shared::{HOST, NUMBER, PORT, PROTOCOLS, STRING, config, switch};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "tcp-log",
    priority: 7,
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
        .description("Longest wait for connecting and sending, in milliseconds."),
    Field::new("keepalive", NUMBER)
        .default(Default::Integer(60_000))
        .description("How long an idle connection is kept, in milliseconds."),
    switch("tls", false).description("Whether to speak TLS; the certificate is not verified."),
    Field::new("tls_sni", STRING).description("Server name of the TLS handshake."),
    CUSTOM_FIELDS,
]);
