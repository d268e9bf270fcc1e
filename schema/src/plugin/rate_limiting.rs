//! `rate-limiting`: so many requests in a second, minute, … (`kong/plugins/rate-limiting/schema.lua`,
//! `daos.lua`).
//!
//! `policy` is what Kong offers without database: `cluster` is refused.

use serde_json::Value;

use super::Plugin;
use super::shared::periods::{self, PERIODS};
use super::shared::redis::{self, REDIS};
use super::shared::{
    HEADER_NAME, INTEGER, NUMBER, PATH, PROTOCOLS_HTTP, STRING, config_with, switch,
};
use crate::entity::shared::UUID;
use crate::field::{Check, Conditional, Default, EntityCheck, Field, Kind, Match, Record};
use crate::field::{Schema, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "rate-limiting",
    priority: 910,
    schema: Subschema {
        fields: &[
            PROTOCOLS_HTTP,
            config_with(Type::with(Kind::Record(&CONFIG), &[Check::Value(limits)])),
        ],
        entity_checks: &[
            EntityCheck::AtLeastOneOf(&[
                "config.second",
                "config.minute",
                "config.hour",
                "config.day",
                "config.month",
                "config.year",
            ]),
            redis::needed("config.redis.host"),
            redis::needed("config.redis.port"),
            redis::needed("config.redis.timeout"),
            needed_by("header", "config.header_name"),
            needed_by("path", "config.path"),
        ],
    },
    entities: &[&METRICS],
};

const fn needed_by(limit_by: &'static str, field: &'static str) -> EntityCheck {
    let is_so = Match::Equals(limit_by);
    EntityCheck::Conditional(Conditional::new(
        "config.limit_by",
        is_so,
        field,
        Match::Required,
    ))
}

static CONFIG: Record = Record::new(&FIELDS).shorthands(redis::SHORTHANDS);

static FIELDS: [Field; 16] = {
    let [second, minute, hour, day, month, year] = PERIODS;
    [
        second,
        minute,
        hour,
        day,
        month,
        year,
        Field::new(
            "limit_by",
            Type::with(
                Kind::String,
                &[Check::OneOf(&[
                    "consumer",
                    "credential",
                    "ip",
                    "service",
                    "header",
                    "path",
                ])],
            ),
        )
        .default(Default::String("consumer"))
        .description("What has a limit of its own."),
        Field::new("header_name", HEADER_NAME)
            .description("The header, when its values have limits."),
        Field::new("path", PATH).description("The path, when it has the limit."),
        Field::new(
            "policy",
            Type::with(
                Kind::String,
                &[Check::OneOf(&["local", "redis"]), Check::LenMin(0)],
            ),
        )
        .default(Default::String("local"))
        .description("Where requests are counted."),
        switch("fault_tolerant", true)
            .description("Whether requests pass when they cannot be counted."),
        REDIS,
        switch("hide_client_headers", false)
            .description("Whether answers say nothing of the limits."),
        Field::new("error_code", Type::with(Kind::Number, &[Check::Gt(0.0)]))
            .default(Default::Integer(429))
            .description("Status of the refusal."),
        Field::new("error_message", STRING)
            .default(Default::String("API rate limit exceeded"))
            .description("Message of the refusal."),
        Field::new("sync_rate", NUMBER)
            .required()
            .default(Default::Integer(-1))
            .description("Seconds between exchanges with Redis; -1: with every request."),
    ]
};

/// `sync_rate` that asks Redis with every request.
const EVERY_REQUEST: f64 = -1.0;
/// Least other `sync_rate`, seconds.
const SYNC_RATE_MIN: f64 = 0.02;

fn limits(config: &Value) -> Result<(), String> {
    if let Some((long, short)) = periods::disorder(config) {
        return Err(format!(
            "The limit for {long} cannot be lower than the limit for {short}"
        ));
    }
    let is_redis = config.get("policy").is_some_and(|policy| policy == "redis");
    let sync_rate = config.get("sync_rate").and_then(Value::as_f64);
    let Some(sync_rate) = sync_rate.filter(|rate| *rate != EVERY_REQUEST) else {
        return Ok(());
    };
    if !is_redis {
        return Err("sync_rate can only be used with the redis policy".into());
    }
    if sync_rate < SYNC_RATE_MIN {
        return Err("sync_rate must be greater than 0.02, or -1 to disable".into());
    }
    Ok(())
}

/// Kong's counters. They have no id and are never part of a configuration.
static METRICS: Schema = Schema::new(
    "ratelimiting_metrics",
    &[
        Field::new("identifier", Type::with(Kind::String, &[Check::LenMin(0)])).required(),
        Field::new("period", STRING).required(),
        Field::new(
            "period_date",
            Type::with(Kind::Integer, &[Check::Timestamp]),
        )
        .required(),
        Field::new("service_id", UUID).required(),
        Field::new("route_id", UUID).required(),
        Field::new("value", INTEGER).required(),
    ],
)
.path(None)
.ttl()
.not_exported();
