//! `ai-response-transformer`: lets a language model rewrite responses
//! (`kong/plugins/ai-response-transformer/schema.lua`).

use super::Plugin;
use super::shared::llm::{
    HTTP_PROXY_HOST, HTTP_PROXY_PORT, HTTPS_PROXY_HOST, HTTPS_PROXY_PORT, LLM,
    MAX_REQUEST_BODY_SIZE, TRANSFORMER_CHECKS,
};
use super::shared::{INTEGER, PROTOCOLS_HTTP, STRING, config, switch};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ai-response-transformer",
    priority: 768,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: TRANSFORMER_CHECKS,
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("prompt", STRING)
        .required()
        .description("What the model is told to do with the response."),
    Field::new("transformation_extract_pattern", STRING).description(
        "Regular expression whose match in the answer becomes the body; without a match the \
         response fails.",
    ),
    switch("parse_llm_response_json_instructions", false)
        .description("Whether the answer is JSON that sets status, headers and body."),
    Field::new("http_timeout", INTEGER)
        .required()
        .default(Default::Integer(60_000))
        .description("Longest wait for the model, in milliseconds."),
    switch("https_verify", true).description("Whether to verify the model's certificate."),
    MAX_REQUEST_BODY_SIZE,
    HTTP_PROXY_HOST,
    HTTP_PROXY_PORT,
    HTTPS_PROXY_HOST,
    HTTPS_PROXY_PORT,
    LLM,
]);
