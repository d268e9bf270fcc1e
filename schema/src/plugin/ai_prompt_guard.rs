//! `ai-prompt-guard`: allows or refuses prompts by regular expressions
//! (`kong/plugins/ai-prompt-guard/schema.lua`).

use super::Plugin;
use super::shared::llm::{LLM_FORMAT, MAX_REQUEST_BODY_SIZE};
use super::shared::{PROTOCOLS_HTTP, config, switch};
use crate::field::{Check, Conditional, EntityCheck, Field, Kind, Match, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ai-prompt-guard",
    priority: 771,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[
            EntityCheck::AtLeastOneOf(&["config.allow_patterns", "config.deny_patterns"]),
            EntityCheck::Conditional(Conditional::new(
                "config.match_all_roles",
                Match::Is(true),
                "config.allow_all_conversation_history",
                Match::Is(false),
            )),
        ],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("allow_patterns", PATTERNS)
        .description("Regular expressions of which a prompt must match one."),
    Field::new("deny_patterns", PATTERNS)
        .description("Regular expressions of which a prompt may match none."),
    switch("allow_all_conversation_history", false)
        .description("Whether only the newest message is looked at."),
    MAX_REQUEST_BODY_SIZE,
    switch("match_all_roles", false)
        .description("Whether messages of every role are looked at, not only the user's."),
    LLM_FORMAT,
]);

const PATTERNS: Type = Type::with(
    Kind::Array(&Type::with(
        Kind::String,
        &[Check::LenMin(1), Check::LenMax(500)],
    )),
    &[Check::LenMax(10)],
);
