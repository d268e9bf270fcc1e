//! `syslog`: logs to the machine's syslog (`kong/plugins/syslog/schema.lua`).

use super::Plugin;
use super::shared::log::{CUSTOM_FIELDS, severity};
use super::shared::{PROTOCOLS, config};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "syslog",
    priority: 4,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    severity("log_level")
        .required()
        .description("Least severity that is logged."),
    severity("successful_severity")
        .required()
        .description("Severity of responses below 400."),
    severity("client_errors_severity")
        .required()
        .description("Severity of responses from 400 to 499."),
    severity("server_errors_severity")
        .required()
        .description("Severity of responses from 500."),
    CUSTOM_FIELDS,
    Field::new(
        "facility",
        Type::with(Kind::String, &[Check::OneOf(FACILITIES)]),
    )
    .required()
    .default(Default::String("user"))
    .description("Kind of program that syslog files the messages under."),
]);

const FACILITIES: &[&str] = &[
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
    "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
