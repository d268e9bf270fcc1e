//! `cors`: answers browsers that ask about other origins (`kong/plugins/cors/schema.lua`).

use super::Plugin;
use super::shared::{NO_CONSUMER, NUMBER, PROTOCOLS_HTTP, STRINGS, config, switch};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "cors",
    priority: 2000,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

const METHODS: &[&str] = &[
    "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

static CONFIG: Record = Record::new(&[
    Field::new(
        "origins",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::Text(origin)],
        ))),
    )
    .description("Origins that may read answers: `*`, texts or regexes."),
    Field::new("headers", STRINGS).description("Request headers that browsers may send."),
    Field::new("exposed_headers", STRINGS).description("Response headers that scripts may read."),
    Field::new(
        "methods",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::OneOf(METHODS)],
        ))),
    )
    .default(Default::Strings(METHODS))
    .description("Methods that browsers may use."),
    Field::new("max_age", NUMBER).description("How long a browser keeps the answer, in seconds."),
    switch("credentials", false).description("Whether browsers may send credentials."),
    switch("private_network", false).description("Whether pages may reach a private network."),
    switch("preflight_continue", false).description("Whether the upstream answers preflights."),
]);

fn origin(text: &str) -> Result<(), String> {
    if text == "*" || regex_syntax::parse(text).is_ok() {
        Ok(())
    } else {
        Err(format!("'{text}' is not a valid regex"))
    }
}
