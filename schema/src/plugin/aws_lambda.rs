//! `aws-lambda`: invokes a function of AWS Lambda instead of proxying
//! (`kong/plugins/aws-lambda/schema.lua`).

use super::Plugin;
use super::shared::{BOOLEAN, HOST, NUMBER, PORT, PROTOCOLS_HTTP, STRING, URL, config};
use crate::field::{
    Check, Default, EntityCheck, Errors, Field, Fields, Kind, Record, Subschema, Type,
    push_entity_error,
};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "aws-lambda",
    priority: 750,
    schema: Subschema {
        fields: &[PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[
            EntityCheck::MutuallyRequired(&["config.aws_key", "config.aws_secret"]),
            EntityCheck::Custom {
                sources: &["config.proxy_url"],
                run: proxy_is_http,
            },
        ],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("timeout", NUMBER)
        .required()
        .default(Default::Integer(60_000))
        .description("Longest wait for connecting, sending and receiving, in milliseconds."),
    Field::new("keepalive", NUMBER)
        .required()
        .default(Default::Integer(60_000))
        .description("How long an idle connection is kept, in milliseconds."),
    Field::new("aws_key", STRING)
        .encrypted()
        .referenceable()
        .description("Access key id; without it AWS's usual sources are asked."),
    Field::new("aws_secret", STRING)
        .encrypted()
        .referenceable()
        .description("Secret access key."),
    Field::new("aws_assume_role_arn", STRING)
        .encrypted()
        .referenceable()
        .description("Role that is assumed for the invocation."),
    Field::new("aws_role_session_name", STRING)
        .default(Default::String("kong"))
        .description("Name of the session of the assumed role."),
    Field::new("aws_sts_endpoint_url", URL)
        .description("URL of the token service that lends the role."),
    Field::new("aws_region", HOST)
        .description("Region of the function; without it AWS_REGION or AWS_DEFAULT_REGION."),
    Field::new("function_name", STRING).description("Name or ARN of the function."),
    Field::new("qualifier", STRING).description("Version or alias of the function."),
    Field::new(
        "invocation_type",
        Type::with(
            Kind::String,
            &[Check::OneOf(&["RequestResponse", "Event", "DryRun"])],
        ),
    )
    .required()
    .default(Default::String("RequestResponse"))
    .description("Whether the answer is waited for, or nothing is run."),
    Field::new(
        "log_type",
        Type::with(Kind::String, &[Check::OneOf(&["Tail", "None"])]),
    )
    .required()
    .default(Default::String("Tail"))
    .description("Whether the end of the function's log is asked for."),
    Field::new("host", HOST).description("Host instead of AWS's own of the region."),
    Field::new("port", PORT)
        .default(Default::Integer(443))
        .description("Port of the host."),
    off("disable_https").description("Whether to speak HTTP without TLS."),
    Field::new(
        "unhandled_status",
        Type::with(Kind::Integer, &[Check::Between(100, 999)]),
    )
    .description("Status of the answer when the function fails."),
    off("forward_request_method").description("Whether the method is part of the payload."),
    off("forward_request_uri").description("Whether the URI is part of the payload."),
    off("forward_request_headers").description("Whether the headers are part of the payload."),
    off("forward_request_body").description("Whether the body is part of the payload."),
    off("is_proxy_integration").description("Whether the answer is in API Gateway's format."),
    off("awsgateway_compatible").description("Whether the payload is in API Gateway's format."),
    Field::new("proxy_url", URL).description("HTTP proxy that is connected through."),
    on("skip_large_bodies").description("Whether a body that does not fit in memory is left out."),
    on("base64_encode_body").description("Whether bodies are encoded in Base64."),
    Field::new(
        "aws_imds_protocol_version",
        Type::with(Kind::String, &[Check::OneOf(&["v1", "v2"])]),
    )
    .required()
    .default(Default::String("v1"))
    .description("Version of the metadata service that lends credentials."),
    Field::new(
        "empty_arrays_mode",
        Type::with(Kind::String, &[Check::OneOf(&["legacy", "correct"])]),
    )
    .required()
    .default(Default::String("legacy"))
    .description("Whether empty arrays of answers become objects, as they used to."),
]);

const fn off(name: &'static str) -> Field {
    Field::new(name, BOOLEAN).default(Default::Boolean(false))
}

const fn on(name: &'static str) -> Field {
    Field::new(name, BOOLEAN).default(Default::Boolean(true))
}

fn proxy_is_http(fields: &Fields<'_>, errors: &mut Errors) {
    let url = fields.value("config.proxy_url").as_str();
    let scheme = url
        .and_then(|url| url.split_once("://"))
        .map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| !scheme.is_empty() && !scheme.contains(':') && scheme != "http")
    {
        push_entity_error(errors, "proxy_url scheme must be http");
    }
}
