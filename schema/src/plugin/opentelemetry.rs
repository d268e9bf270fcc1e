//! `opentelemetry`: exports spans and logs over OTLP and propagates traces
//! (`kong/plugins/opentelemetry/schema.lua`).

use serde_json::{Map, Value};

use super::Plugin;
use super::shared::{
    HEADER_NAME, INTEGER, PROTOCOLS_HTTP, STRING, TIMEOUT, URL, config, propagation, queue,
    until_4_0,
};
use crate::field::{
    Check, Default, EntityCheck, Expand, Field, Kind, Record, Shorthand, Subschema, Type,
};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "opentelemetry",
    priority: 14,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("traces_endpoint", URL)
        .referenceable()
        .description("URL that spans are sent to."),
    Field::new("logs_endpoint", URL)
        .referenceable()
        .description("URL that log lines are sent to."),
    Field::new("headers", Type::new(Kind::Map(&HEADER_NAME, &STRING)))
        .referenceable()
        .description("Further headers of the requests."),
    Field::new(
        "resource_attributes",
        Type::new(Kind::Map(&STRING, &STRING)),
    )
    .description("Attributes of the resource, besides Kong's own."),
    queue::QUEUE.default(Default::Json(r#"{"max_batch_size": 200}"#)),
    Field::new("batch_span_count", INTEGER)
        .deprecated(&until_4_0(
            "opentelemetry: config.batch_span_count is deprecated, please use \
             config.queue.max_batch_size instead",
            Default::Integer(200),
        ))
        .description("Old name of `queue.max_batch_size`."),
    Field::new("batch_flush_delay", INTEGER)
        .deprecated(&until_4_0(
            "opentelemetry: config.batch_flush_delay is deprecated, please use \
             config.queue.max_coalescing_delay instead",
            Default::Integer(3),
        ))
        .description("Old name of `queue.max_coalescing_delay`, in seconds."),
    Field::new("connect_timeout", TIMEOUT)
        .default(Default::Integer(1000))
        .description("Longest wait for connecting, in milliseconds."),
    Field::new("send_timeout", TIMEOUT)
        .default(Default::Integer(5000))
        .description("Longest wait for sending, in milliseconds."),
    Field::new("read_timeout", TIMEOUT)
        .default(Default::Integer(5000))
        .description("Longest wait for receiving, in milliseconds."),
    Field::new("http_response_header_for_traceid", STRING)
        .description("Response header that holds the trace id."),
    Field::new(
        "header_type",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "preserve",
                "ignore",
                "b3",
                "b3-single",
                "w3c",
                "jaeger",
                "ot",
                "aws",
                "gcp",
                "datadog",
            ])],
        ),
    )
    .default(Default::String("preserve"))
    .deprecated(&until_4_0(
        "opentelemetry: config.header_type is deprecated, please use config.propagation options \
         instead",
        Default::String("preserve"),
    ))
    .description("Old form of `propagation`: headers that are read and written."),
    Field::new(
        "sampling_rate",
        Type::with(Kind::Number, &[Check::Between(0, 1)]),
    )
    .description("Part of the requests that is reported; replaces `tracing_sampling_rate`."),
    propagation::field(r#"{"default_format": "w3c"}"#),
])
.shorthands(&[Shorthand {
    name: "endpoint",
    ty: URL,
    expand: Expand::With(traces_endpoint),
    deprecation: Some(&until_4_0(
        "OpenTelemetry: config.endpoint is deprecated, please use config.traces_endpoint instead",
        Default::None,
    )),
}])
.checks(&[EntityCheck::AtLeastOneOf(&[
    "traces_endpoint",
    "logs_endpoint",
])]);

/// The old name of `traces_endpoint`, which is not shown again.
fn traces_endpoint(endpoint: Value) -> Map<String, Value> {
    Map::from_iter([("traces_endpoint".to_owned(), endpoint)])
}
