//! `ai-prompt-decorator`: adds messages before or after those of the client
//! (`kong/plugins/ai-prompt-decorator/schema.lua`).

use super::Plugin;
use super::shared::llm::{LLM_FORMAT, MAX_REQUEST_BODY_SIZE};
use super::shared::{PROTOCOLS_HTTP, config};
use crate::field::{Check, Default, EntityCheck, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ai-prompt-decorator",
    priority: 772,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[EntityCheck::AtLeastOneOf(&[
            "config.prompts.prepend",
            "config.prompts.append",
        ])],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("prompts", Type::new(Kind::Record(&PROMPTS)))
        .description("Messages that are added."),
    MAX_REQUEST_BODY_SIZE,
    LLM_FORMAT,
]);

static PROMPTS: Record = Record::new(&[
    Field::new("prepend", MESSAGES).description("Messages before those of the client."),
    Field::new("append", MESSAGES).description("Messages after those of the client."),
]);

const MESSAGES: Type = Type::with(Kind::Array(&MESSAGE_TYPE), &[Check::LenMax(15)]);

static MESSAGE_TYPE: Type = Type::new(Kind::Record(&MESSAGE));

static MESSAGE: Record = Record::new(&[
    Field::new(
        "role",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["system", "assistant", "user"])],
        ),
    )
    .required()
    .default(Default::String("system"))
    .description("Who says it."),
    Field::new(
        "content",
        Type::with(Kind::String, &[Check::LenMin(1), Check::LenMax(500)]),
    )
    .required()
    .description("What is said."),
]);
