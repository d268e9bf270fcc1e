//! `http-log`: sends what is logged to an HTTP server (`kong/plugins/http-log/schema.lua`).

use serde_json::Value;

use super::Plugin;
use super::shared::log::CUSTOM_FIELDS;
use super::shared::queue::QUEUE;
use super::shared::{INTEGER, NUMBER, PROTOCOLS, STRING, URL, until_4_0};
use crate::field::{Check, Default, Field, Kind, Pattern, Record, Subschema, Type, text};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "http-log",
    priority: 12,
    schema: Subschema {
        fields: &[
            PROTOCOLS,
            Field::new("config", CONFIG)
                .required()
                .default(Default::Record),
        ],
        entity_checks: &[],
    },
    entities: &[],
};

const CONFIG: Type = Type::with(
    Kind::Record(&RECORD),
    &[Check::Value(only_one_authorization)],
);

static RECORD: Record = Record::new(&[
    Field::new("http_endpoint", URL)
        .required()
        .encrypted()
        .referenceable()
        .description("URL that is sent to; it may hold a user and password."),
    Field::new(
        "method",
        Type::with(Kind::String, &[Check::OneOf(&["POST", "PUT", "PATCH"])]),
    )
    .default(Default::String("POST"))
    .description("Method of the requests."),
    Field::new(
        "content_type",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "application/json",
                "application/json; charset=utf-8",
            ])],
        ),
    )
    .default(Default::String("application/json"))
    .description("Content-Type of the requests."),
    Field::new("timeout", NUMBER)
        .default(Default::Integer(10_000))
        .description("Longest wait for connecting, sending and receiving, in milliseconds."),
    Field::new("keepalive", NUMBER)
        .default(Default::Integer(60_000))
        .description("How long an idle connection is kept, in milliseconds."),
    Field::new("retry_count", INTEGER)
        .deprecated(&until_4_0(
            "http-log: config.retry_count no longer works, please use config.queue.max_retry_time instead",
            Default::Integer(10),
        ))
        .description("Without effect; `queue.max_retry_time` replaces it."),
    Field::new("queue_size", INTEGER)
        .deprecated(&until_4_0(
            "http-log: config.queue_size is deprecated, please use config.queue.max_batch_size instead",
            Default::Integer(1),
        ))
        .description("Old name of `queue.max_batch_size`."),
    Field::new("flush_timeout", NUMBER)
        .deprecated(&until_4_0(
            "http-log: config.flush_timeout is deprecated, please use config.queue.max_coalescing_delay instead",
            Default::Integer(2),
        ))
        .description("Old name of `queue.max_coalescing_delay`, in seconds."),
    Field::new(
        "headers",
        Type::new(Kind::Map(&HEADER_LEFT_FREE, &STRING)),
    )
    .referenceable()
    .description("Further headers of the requests."),
    QUEUE,
    CUSTOM_FIELDS,
]);

/// The header names that the plugin does not set itself.
const HEADER_LEFT_FREE: Type = Type::with(
    Kind::String,
    &[
        Check::MatchNone(&[
            Pattern {
                pattern: "^[Hh][Oo][Ss][Tt]$",
                err: "cannot contain 'Host' header",
            },
            Pattern {
                // The doubled `n` is Kong's: `CONTENT-LENGTH` passes.
                pattern: "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$",
                err: "cannot contain 'Content-Length' header",
            },
            Pattern {
                pattern: "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$",
                err: "cannot contain 'Content-Type' header",
            },
        ]),
        Check::Text(text::header_name),
    ],
);

/// A user in the URL and a header `Authorization` contradict each other.
fn only_one_authorization(config: &Value) -> Result<(), String> {
    let endpoint = config["http_endpoint"].as_str().unwrap_or_default();
    let authority = endpoint.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '#']).next().unwrap_or_default();
    let mut headers = config["headers"].as_object().into_iter().flatten();
    if authority.contains('@')
        && headers.any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    {
        return Err(
            "specifying both an 'Authorization' header and user info in 'http_endpoint' \
                    is not allowed"
                .into(),
        );
    }
    Ok(())
}
