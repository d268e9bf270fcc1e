//! `redirect`: sends clients elsewhere (`kong/plugins/redirect/schema.lua`).

use super::Plugin;
use super::shared::{PROTOCOLS_HTTP, STATUS, URL, config, flag};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "redirect",
    priority: 779,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("status_code", STATUS)
        .required()
        .default(Default::Integer(301))
        .description("Status of the answer."),
    Field::new("location", URL)
        .required()
        .description("Where clients are sent."),
    flag("keep_incoming_path", false)
        .description("Whether path and query are those of the request."),
]);
