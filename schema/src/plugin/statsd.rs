//! `statsd`: sends metrics to a StatsD server (`kong/plugins/statsd/schema.lua`).

use super::Plugin;
use super::shared::metric::RATE_CHECK;
use super::shared::queue::QUEUE;
use super::shared::{BOOLEAN, HOST, INTEGER, NUMBER, PORT, PROTOCOLS, STRING, config, until_4_0};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "statsd",
    priority: 11,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("host", HOST)
        .default(Default::String("localhost"))
        .description("Host name or address of the server."),
    Field::new("port", PORT)
        .default(Default::Integer(8125))
        .description("Port of the server."),
    Field::new("prefix", STRING)
        .default(Default::String("kong"))
        .description("What the name of every metric starts with."),
    Field::new("metrics", METRICS)
        .default(Default::Json(DEFAULT_METRICS))
        .description("Metrics that are sent."),
    Field::new("allow_status_codes", Type::new(Kind::Array(&STATUS_RANGE)))
        .description("Ranges of statuses, such as `200-299`; other requests are not counted."),
    Field::new(
        "udp_packet_size",
        Type::with(Kind::Number, &[Check::Between(0, 65_507)]),
    )
    .default(Default::Integer(0))
    .description("Bytes up to which metrics share a datagram; 0: one datagram each."),
    Field::new("use_tcp", BOOLEAN)
        .default(Default::Boolean(false))
        .description("Whether to send over TCP."),
    Field::new("hostname_in_prefix", BOOLEAN)
        .default(Default::Boolean(false))
        .description("Whether the prefix ends with the node's host name."),
    Field::new("consumer_identifier_default", CONSUMER_IDENTIFIER)
        .required()
        .default(Default::String("custom_id"))
        .description("What names a consumer where a metric does not say."),
    Field::new("service_identifier_default", SERVICE_IDENTIFIER)
        .required()
        .default(Default::String("service_name_or_host"))
        .description("What names a service where a metric does not say."),
    Field::new("workspace_identifier_default", WORKSPACE_IDENTIFIER)
        .required()
        .default(Default::String("workspace_id"))
        .description("What names a workspace where a metric does not say."),
    Field::new("retry_count", INTEGER)
        .deprecated(&until_4_0(
            "statsd: config.retry_count no longer works, please use config.queue.max_retry_time instead",
            Default::Integer(10),
        ))
        .description("Without effect; `queue.max_retry_time` replaces it."),
    Field::new("queue_size", INTEGER)
        .deprecated(&until_4_0(
            "statsd: config.queue_size is deprecated, please use config.queue.max_batch_size instead",
            Default::Integer(1),
        ))
        .description("Old name of `queue.max_batch_size`."),
    Field::new("flush_timeout", NUMBER)
        .deprecated(&until_4_0(
            "statsd: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead",
            Default::Integer(2),
        ))
        .description("Old name of `queue.max_coalescing_delay`, in seconds."),
    Field::new(
        "tag_style",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["dogstatsd", "influxdb", "librato", "signalfx"])],
        ),
    )
    .description("How tags are written; without it there are none."),
    QUEUE,
]);

const METRICS: Type = Type::new(Kind::Array(&METRIC_TYPE));
static METRIC_TYPE: Type = Type::new(Kind::Record(&METRIC));

static METRIC: Record = Record::new(&[
    Field::new("name", Type::with(Kind::String, &[Check::OneOf(NAMES)]))
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
            ])],
        ),
    )
    .required()
    .description("How the server adds the values up."),
    Field::new("sample_rate", Type::with(Kind::Number, &[Check::Gt(0.0)]))
        .description("Part of the requests that is sent; counters and gauges need it."),
    Field::new("consumer_identifier", CONSUMER_IDENTIFIER).description("What names a consumer."),
    Field::new("service_identifier", SERVICE_IDENTIFIER).description("What names a service."),
    Field::new("workspace_identifier", WORKSPACE_IDENTIFIER).description("What names a workspace."),
])
.checks(&[RATE_CHECK]);

const NAMES: &[&str] = &[
    "kong_latency",
    "latency",
    "request_count",
    "request_per_user",
    "request_size",
    "response_size",
    "status_count",
    "status_count_per_user",
    "unique_users",
    "upstream_latency",
    "status_count_per_workspace",
    "status_count_per_user_per_route",
    "shdict_usage",
];
const CONSUMER_IDENTIFIER: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&["consumer_id", "custom_id", "username"])],
);
const SERVICE_IDENTIFIER: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&[
        "service_id",
        "service_name",
        "service_host",
        "service_name_or_host",
    ])],
);
const WORKSPACE_IDENTIFIER: Type = Type::with(
    Kind::String,
    &[Check::OneOf(&["workspace_id", "workspace_name"])],
);
const STATUS_RANGE: Type = Type::with(Kind::String, &[Check::Match("^[0-9]+-[0-9]+$")]);

const DEFAULT_METRICS: &str = r#"[
    {"name": "request_count", "stat_type": "counter", "sample_rate": 1},
    {"name": "latency", "stat_type": "timer"},
    {"name": "request_size", "stat_type": "counter", "sample_rate": 1},
    {"name": "status_count", "stat_type": "counter", "sample_rate": 1},
    {"name": "response_size", "stat_type": "counter", "sample_rate": 1},
    {"name": "unique_users", "stat_type": "set"},
    {"name": "request_per_user", "stat_type": "counter", "sample_rate": 1},
    {"name": "upstream_latency", "stat_type": "timer"},
    {"name": "kong_latency", "stat_type": "timer"},
    {"name": "status_count_per_user", "stat_type": "counter", "sample_rate": 1},
    {"name": "status_count_per_workspace", "stat_type": "counter", "sample_rate": 1},
    {"name": "status_count_per_user_per_route", "stat_type": "counter", "sample_rate": 1},
    {"name": "shdict_usage", "stat_type": "gauge", "sample_rate": 1}
]"#;
