//! `request-termination`: answers instead of the upstream
//! (`kong/plugins/request-termination/schema.lua`).

use serde_json::Value;

use super::Plugin;
use super::shared::{HEADER_NAME, PROTOCOLS_HTTP, STATUS, STRING, config_with, switch};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "request-termination",
    priority: 2,
    schema: Subschema {
        fields: &[
            PROTOCOLS_HTTP,
            config_with(Type::with(
                Kind::Record(&CONFIG),
                &[Check::Value(combination)],
            )),
        ],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("status_code", STATUS)
        .required()
        .default(Default::Integer(503))
        .description("Status of the answer."),
    Field::new("message", STRING).description("Message of the answer."),
    Field::new("content_type", STRING).description("Content-Type of `body`."),
    Field::new("body", STRING).description("Body of the answer."),
    switch("echo", false).description("Whether the answer shows the request."),
    Field::new("trigger", HEADER_NAME)
        .description("Only requests with this header or query argument are answered."),
]);

fn combination(config: &Value) -> Result<(), String> {
    let is_given = |name: &str| {
        let text = config.get(name).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    let (content_type, body) = (is_given("content_type"), is_given("body"));
    let echo = config.get("echo") == Some(&Value::Bool(true));
    if is_given("message") && (content_type || body) {
        return Err("message cannot be used with content_type or body".into());
    }
    if content_type && !body {
        return Err("content_type requires a body".into());
    }
    if echo && (content_type || body) {
        return Err("echo cannot be used with content_type and body".into());
    }
    Ok(())
}
