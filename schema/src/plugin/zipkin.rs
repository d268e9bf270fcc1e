//! `zipkin`: reports spans to a Zipkin server and propagates traces
//! (`kong/plugins/zipkin/schema.lua`).

use serde_json::Value;

use super::Plugin;
use super::shared::queue::QUEUE;
use super::shared::{PROTOCOLS, STRING, TIMEOUT, URL, config, propagation, switch, until_4_0};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "zipkin",
    priority: 100_000,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("local_service_name", STRING)
        .required()
        .default(Default::String("kong"))
        .description("Service name of the gateway's own spans."),
    Field::new("http_endpoint", URL)
        .description("URL that spans are sent to; without it traces are only propagated."),
    Field::new(
        "sample_ratio",
        Type::with(Kind::Number, &[Check::Between(0, 1)]),
    )
    .default(Default::Number(0.001))
    .description("Part of the requests without a sampling decision that is reported."),
    Field::new("default_service_name", STRING)
        .description("Service name of spans whose request has no service with a name."),
    switch("include_credential", true)
        .description("Whether the credential's id is a tag of the request's span."),
    Field::new(
        "traceid_byte_count",
        Type::with(Kind::Integer, &[Check::OneOfIntegers(&[8, 16])]),
    )
    .required()
    .default(Default::Integer(16))
    .description("Bytes of new trace ids."),
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
                "datadog",
                "gcp",
            ])],
        ),
    )
    .required()
    .default(Default::String("preserve"))
    .deprecated(&until_4_0(
        "zipkin: config.header_type is deprecated, please use config.propagation options instead",
        Default::String("preserve"),
    ))
    .description("Old form of `propagation`: headers that are read and written."),
    Field::new(
        "default_header_type",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "b3",
                "b3-single",
                "w3c",
                "jaeger",
                "ot",
                "aws",
                "datadog",
                "gcp",
            ])],
        ),
    )
    .required()
    .default(Default::String("b3"))
    .deprecated(&until_4_0(
        "zipkin: config.default_header_type is deprecated, please use \
         config.propagation.default_format instead",
        Default::String("b3"),
    ))
    .description("Old name of `propagation.default_format`."),
    Field::new("tags_header", STRING)
        .required()
        .default(Default::String("Zipkin-Tags"))
        .description("Request header that adds tags: `a=b; c=d`."),
    Field::new("static_tags", STATIC_TAGS).description("Tags of every request's span."),
    Field::new(
        "http_span_name",
        Type::with(Kind::String, &[Check::OneOf(&["method", "method_path"])]),
    )
    .required()
    .default(Default::String("method"))
    .description("What the request's span is named after."),
    Field::new("connect_timeout", TIMEOUT)
        .default(Default::Integer(2000))
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
        "phase_duration_flavor",
        Type::with(Kind::String, &[Check::OneOf(&["annotations", "tags"])]),
    )
    .required()
    .default(Default::String("annotations"))
    .description("How the durations of phases are written."),
    QUEUE,
    propagation::field(r#"{"default_format": "b3"}"#),
]);

const STATIC_TAGS: Type = Type::with(Kind::Array(&TAG_TYPE), &[Check::Value(distinct_names)]);

static TAG_TYPE: Type = Type::new(Kind::Record(&TAG));

static TAG: Record = Record::new(&[
    Field::new(
        "name",
        Type::with(Kind::String, &[Check::NotOneOf(RESERVED_TAGS)]),
    )
    .required()
    .description("Name of the tag."),
    Field::new("value", STRING)
        .required()
        .description("Value of the tag."),
]);

/// Tags that the plugin sets itself.
const RESERVED_TAGS: &[&str] = &[
    "error",
    "http.method",
    "http.path",
    "http.status_code",
    "kong.balancer.state",
    "kong.balancer.try",
    "kong.consumer",
    "kong.credential",
    "kong.node.id",
    "kong.route",
    "kong.service",
    "lc",
    "peer.hostname",
];

fn distinct_names(tags: &Value) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    let mut names = tags.as_array().into_iter().flatten();
    let repeated = names.find_map(|tag| {
        let name = tag["name"].as_str()?;
        (!seen.insert(name)).then_some(name)
    });
    repeated.map_or(Ok(()), |name| {
        Err(format!("repeated tags are not allowed: {name}"))
    })
}
