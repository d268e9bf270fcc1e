//! `ai-prompt-template`: fills in templates that the client names
//! (`kong/plugins/ai-prompt-template/schema.lua`).

use super::Plugin;
use super::shared::llm::MAX_REQUEST_BODY_SIZE;
use super::shared::{PROTOCOLS_HTTP, STRING, config, switch};
use crate::field::{Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ai-prompt-template",
    priority: 773,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new(
        "templates",
        Type::new(Kind::Array(&Type::new(Kind::Record(&TEMPLATE)))),
    )
    .required()
    .description("Templates that clients may use."),
    switch("allow_untemplated_requests", true)
        .description("Whether requests that name no template pass."),
    switch("log_original_request", false)
        .description("Whether the request is logged as it was before."),
    MAX_REQUEST_BODY_SIZE,
]);

static TEMPLATE: Record = Record::new(&[
    Field::new("name", STRING)
        .required()
        .description("Name that clients use: `{template://name}`."),
    Field::new("template", STRING)
        .required()
        .description("The body, with `{{variables}}`."),
]);
