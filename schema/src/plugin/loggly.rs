//! `loggly`: sends syslog datagrams to Loggly (`kong/plugins/loggly/schema.lua`).

use super::Plugin;
use super::shared::log::{CUSTOM_FIELDS, severity};
use super::shared::{HOST, NUMBER, PORT, PROTOCOLS, STRING, config};
use crate::field::{Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "loggly",
    priority: 6,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("host", HOST)
        .default(Default::String("logs-01.loggly.com"))
        .description("Host name or address of the server."),
    Field::new("port", PORT)
        .default(Default::Integer(514))
        .description("UDP port of the server."),
    Field::new("key", STRING)
        .required()
        .encrypted()
        .referenceable()
        .description("Loggly's customer token."),
    Field::new("tags", Type::new(Kind::Set(&STRING)))
        .default(Default::Strings(&["kong"]))
        .description("Tags of the messages."),
    severity("log_level").description("Least severity that is sent."),
    severity("successful_severity").description("Severity of responses below 400."),
    severity("client_errors_severity").description("Severity of responses from 400 to 499."),
    severity("server_errors_severity").description("Severity of responses from 500."),
    Field::new("timeout", NUMBER)
        .default(Default::Integer(10_000))
        .description("Longest wait for sending, in milliseconds."),
    CUSTOM_FIELDS,
]);
