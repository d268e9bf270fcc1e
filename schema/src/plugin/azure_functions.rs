//! `azure-functions`: calls an Azure function instead of proxying
//! (`kong/plugins/azure-functions/schema.lua`).

use super::Plugin;
use super::shared::{BOOLEAN, NUMBER, PROTOCOLS, STRING, config};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "azure-functions",
    priority: 749,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("timeout", NUMBER)
        .default(Default::Integer(600_000))
        .description("Longest wait for connecting, sending and receiving, in milliseconds."),
    Field::new("keepalive", NUMBER)
        .default(Default::Integer(60_000))
        .description("How long an idle connection is kept, in milliseconds."),
    Field::new("https", BOOLEAN)
        .default(Default::Boolean(true))
        .description("Whether to speak TLS."),
    Field::new("https_verify", BOOLEAN)
        .default(Default::Boolean(false))
        .description("Whether to verify the server's certificate."),
    Field::new("apikey", STRING)
        .encrypted()
        .referenceable()
        .description("Key that is sent as `x-functions-key`."),
    Field::new("clientid", STRING)
        .encrypted()
        .referenceable()
        .description("Client id that is sent as `x-functions-clientid`."),
    Field::new("appname", STRING)
        .required()
        .description("Name of the function app."),
    Field::new("hostdomain", STRING)
        .required()
        .default(Default::String("azurewebsites.net"))
        .description("Domain of the function app."),
    Field::new("routeprefix", STRING)
        .default(Default::String("api"))
        .description("First part of the path."),
    Field::new("functionname", STRING)
        .required()
        .description("Name of the function, the last part of the path."),
]);
