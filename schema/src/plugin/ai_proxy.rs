//! `ai-proxy`: proxies to language models of several providers in one format
//! (`kong/plugins/ai-proxy/schema.lua`).

use super::Plugin;
use super::shared::llm::{
    AUTH, CHECKS, LLM_FORMAT, LOGGING, MAX_REQUEST_BODY_SIZE, MODEL, ROUTE_TYPE,
};
use super::shared::{BOOLEAN, PROTOCOLS_HTTP, config};
use crate::field::{
    Check, Conditional, Default, EntityCheck, Field, Kind, Match, Record, Subschema, Type,
};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ai-proxy",
    priority: 770,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[
            native(
                Match::OneOf(&["bedrock", "gemini"]),
                "config.route_type",
                "llm/v1/chat",
                "native provider options in llm_format can only be used with the 'llm/v1/chat' \
                 route_type",
            ),
            native(
                Match::Equals("bedrock"),
                "config.model.provider",
                "bedrock",
                "native llm_format 'bedrock' can only be used with the 'bedrock' model.provider",
            ),
            native(
                Match::Equals("gemini"),
                "config.model.provider",
                "gemini",
                "native llm_format 'gemini' can only be used with the 'gemini' model.provider",
            ),
        ],
    },
    entities: &[],
};

/// In a provider's own format a field has one possible value.
const fn native(
    format: Match,
    field: &'static str,
    value: &'static str,
    err: &'static str,
) -> EntityCheck {
    EntityCheck::Conditional(Conditional {
        then_err: Some(err),
        ..Conditional::new("config.llm_format", format, field, Match::Equals(value))
    })
}

static CONFIG: Record = Record::new(&[
    ROUTE_TYPE,
    AUTH,
    MODEL,
    LOGGING,
    Field::new(
        "response_streaming",
        Type::with(Kind::String, &[Check::OneOf(&["allow", "deny", "always"])]),
    )
    .default(Default::String("allow"))
    .description("Whether answers may be, or always are, streamed."),
    MAX_REQUEST_BODY_SIZE,
    Field::new("model_name_header", BOOLEAN)
        .default(Default::Boolean(true))
        .description("Whether the response names the model in X-Kong-LLM-Model."),
    LLM_FORMAT,
])
.checks(CHECKS);
