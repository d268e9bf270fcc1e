//! `datadog`: sends metrics to a Datadog agent (`kong/plugins/datadog/schema.lua`).

use super::Plugin;
use super::shared::metric::RATE_CHECK;
use super::shared::queue::QUEUE;
use super::shared::{HOST, INTEGER, NUMBER, PORT, PROTOCOLS, STRING, config, until_4_0};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "datadog",
    priority: 10,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("host", HOST)
        .default(Default::String("localhost"))
        .referenceable()
        .description("Host name or address of the agent; null: KONG_DATADOG_AGENT_HOST."),
    Field::new("port", PORT)
        .default(Default::Integer(8125))
        .description("Port of the agent; null: KONG_DATADOG_AGENT_PORT."),
    Field::new("prefix", STRING)
        .default(Default::String("kong"))
        .description("What the name of every metric starts with."),
    Field::new("service_name_tag", STRING)
        .default(Default::String("name"))
        .description("Name of the tag that holds the service."),
    Field::new("status_tag", STRING)
        .default(Default::String("status"))
        .description("Name of the tag that holds the response's status."),
    Field::new("consumer_tag", STRING)
        .default(Default::String("consumer"))
        .description("Name of the tag that holds the consumer."),
    Field::new("retry_count", INTEGER)
        .deprecated(&until_4_0(
            "datadog: config.retry_count no longer works, please use config.queue.max_retry_time instead",
            Default::Integer(10),
        ))
        .description("Without effect; `queue.max_retry_time` replaces it."),
    Field::new("queue_size", INTEGER)
        .deprecated(&until_4_0(
            "datadog: config.queue_size is deprecated, please use config.queue.max_batch_size instead",
            Default::Integer(1),
        ))
        .description("Old name of `queue.max_batch_size`."),
    Field::new("flush_timeout", NUMBER)
        .deprecated(&until_4_0(
            "datadog: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead",
            Default::Integer(2),
        ))
        .description("Old name of `queue.max_coalescing_delay`, in seconds."),
    QUEUE,
    Field::new(
        "metrics",
        Type::new(Kind::Array(&Type::new(Kind::Record(&METRIC)))),
    )
    .required()
    .default(Default::Json(DEFAULT_METRICS))
    .description("Metrics that are sent."),
]);

static METRIC: Record = Record::new(&[
    Field::new(
        "name",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "kong_latency",
                "latency",
                "request_count",
                "request_size",
                "response_size",
                "upstream_latency",
            ])],
        ),
    )
    .required()
    .description("What is measured."),
    Field::new(
        "stat_type",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "counter",
                "gauge",
                "histogram",
                "meter",
                "set",
                "timer",
                "distribution",
            ])],
        ),
    )
    .required()
    .description("How the agent adds the values up."),
    Field::new("tags", Type::new(Kind::Array(&TAG))).description("Tags of the metric."),
    Field::new(
        "sample_rate",
        Type::with(Kind::Number, &[Check::Between(0, 1)]),
    )
    .description("Part of the requests that is sent; counters and gauges need it."),
    Field::new(
        "consumer_identifier",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["consumer_id", "custom_id", "username"])],
        ),
    )
    .description("What names a consumer."),
])
.checks(&[RATE_CHECK]);

const TAG: Type = Type::with(Kind::String, &[Check::Match("^.*[^:]$")]);

const DEFAULT_METRICS: &str = r#"[
    {"name": "request_count", "stat_type": "counter", "sample_rate": 1,
     "tags": ["app:kong"], "consumer_identifier": "custom_id"},
    {"name": "latency", "stat_type": "timer",
     "tags": ["app:kong"], "consumer_identifier": "custom_id"},
    {"name": "request_size", "stat_type": "timer",
     "tags": ["app:kong"], "consumer_identifier": "custom_id"},
    {"name": "response_size", "stat_type": "timer",
     "tags": ["app:kong"], "consumer_identifier": "custom_id"},
    {"name": "upstream_latency", "stat_type": "timer",
     "tags": ["app:kong"], "consumer_identifier": "custom_id"},
    {"name": "kong_latency", "stat_type": "timer",
     "tags": ["app:kong"], "consumer_identifier": "custom_id"}
]"#;
