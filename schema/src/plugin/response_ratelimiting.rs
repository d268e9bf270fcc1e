//! `response-ratelimiting`: limits that the upstream's answers use up
//! (`kong/plugins/response-ratelimiting/schema.lua`).
//!
//! `policy` is what Kong offers without database: `cluster` is refused.

use serde_json::Value;

use super::Plugin;
use super::shared::periods::{self, PERIODS};
use super::shared::redis::{self, REDIS};
use super::shared::{PROTOCOLS_HTTP, STRING, config, switch};
use crate::field::{Check, Default, EntityCheck, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "response-ratelimiting",
    priority: 900,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[
            redis::needed("config.redis.host"),
            redis::needed("config.redis.port"),
            redis::needed("config.redis.timeout"),
        ],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("header_name", STRING)
        .default(Default::String("x-kong-limit"))
        .description("The upstream's header that says what an answer uses up."),
    Field::new(
        "limit_by",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["consumer", "credential", "ip"])],
        ),
    )
    .default(Default::String("consumer"))
    .description("What has a limit of its own."),
    Field::new(
        "policy",
        Type::with(Kind::String, &[Check::OneOf(&["local", "redis"])]),
    )
    .default(Default::String("local"))
    .description("Where answers are counted."),
    switch("fault_tolerant", true)
        .description("Whether requests pass when they cannot be counted."),
    REDIS,
    switch("block_on_first_violation", false)
        .description("Whether one limit used up refuses every request."),
    switch("hide_client_headers", false).description("Whether answers say nothing of the limits."),
    Field::new(
        "limits",
        Type::with(
            Kind::Map(
                &STRING,
                &Type::with(Kind::Record(&LIMIT), &[Check::Value(order)]),
            ),
            &[Check::LenMin(1)],
        ),
    )
    .required()
    .description("Limits by name."),
])
.shorthands(redis::SHORTHANDS);

static LIMIT: Record = Record::new(&PERIODS).checks(&[EntityCheck::AtLeastOneOf(periods::NAMES)]);

fn order(limit: &Value) -> Result<(), String> {
    match periods::disorder(limit) {
        Some((long, short)) => Err(format!(
            "the limit for {long} cannot be lower than the limit for {short}"
        )),
        None => Ok(()),
    }
}
