//! `file-log`: appends a line of JSON for each request to a file
//! (`kong/plugins/file-log/schema.lua`).

use super::Plugin;
use super::shared::log::CUSTOM_FIELDS;
use super::shared::{PROTOCOLS, config, switch};
use crate::field::{Check, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "file-log",
    priority: 9,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("path", FILE_NAME)
        .required()
        .description("File to append to; it is created when missing."),
    switch("reopen", false).description(
        "Whether the file is opened anew for each request, so that it can be rotated.",
    ),
    CUSTOM_FIELDS,
]);

const FILE_NAME: Type =
    Type::with(Kind::String, &[Check::Match(r"^[^*&%%\`]+$")]).err("not a valid filename");
