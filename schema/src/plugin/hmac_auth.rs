//! `hmac-auth`: a signature names the consumer (`kong/plugins/hmac-auth/schema.lua`, `daos.lua`).

use super::Plugin;
use super::shared::{CONSUMER, NO_CONSUMER, NUMBER, PROTOCOLS_HTTP, STRING, STRINGS};
use super::shared::{anonymous, config, realm, switch};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{Check, Default, Field, Kind, Record, Schema, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "hmac-auth",
    priority: 1030,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[&CREDENTIALS],
};

const ALGORITHMS: &[&str] = &["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"];

static CONFIG: Record = Record::new(&[
    switch("hide_credentials", false).description("Whether the upstream sees no signature."),
    Field::new(
        "clock_skew",
        Type {
            checks: &[Check::Gt(0.0)],
            ..NUMBER
        },
    )
    .default(Default::Integer(300))
    .description("Seconds by which the request's date may differ."),
    anonymous(),
    switch("validate_request_body", false)
        .description("Whether the Digest of the body is checked."),
    Field::new("enforce_headers", STRINGS)
        .default(Default::Strings(&[]))
        .description("Headers that the signature must cover."),
    Field::new(
        "algorithms",
        Type::new(Kind::Array(&Type::with(
            Kind::String,
            &[Check::OneOf(ALGORITHMS)],
        ))),
    )
    .default(Default::Strings(ALGORITHMS))
    .description("Algorithms that clients may use."),
    realm(),
]);

/// A consumer's user name and secret.
static CREDENTIALS: Schema = Schema::new(
    "hmacauth_credentials",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("username", STRING).required().unique(),
        Field::new("secret", STRING).auto(),
        Field::new("tags", TAGS),
    ],
)
.path(Some("hmac-auths"))
.nested_path("hmac-auth")
.endpoint_key("username")
.cache_key(&["username"]);
