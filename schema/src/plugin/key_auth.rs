//! `key-auth`: a key names the consumer (`kong/plugins/key-auth/schema.lua`, `daos.lua`).

use super::Plugin;
use super::shared::{CONSUMER, realm};
use super::shared::{HEADER_NAME, NO_CONSUMER, PROTOCOLS_HTTP, STRING, anonymous, config, switch};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{Default, Field, Kind, Record, Schema, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "key-auth",
    priority: 1250,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[&CREDENTIALS],
};

static CONFIG: Record = Record::new(&[
    Field::new("key_names", Type::new(Kind::Array(&HEADER_NAME)))
        .required()
        .default(Default::Strings(&["apikey"]))
        .description("Names under which the key is looked for, in order."),
    switch("hide_credentials", false).description("Whether the upstream sees no key."),
    anonymous(),
    switch("key_in_header", true).description("Whether headers may hold the key."),
    switch("key_in_query", true).description("Whether the query may hold the key."),
    switch("key_in_body", false).description("Whether the body may hold the key."),
    switch("run_on_preflight", true).description("Whether OPTIONS requests need a key too."),
    realm(),
]);

/// A consumer's key.
static CREDENTIALS: Schema = Schema::new(
    "keyauth_credentials",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("key", STRING).unique().auto(),
        Field::new("tags", TAGS),
    ],
)
.path(Some("key-auths"))
.nested_path("key-auth")
.endpoint_key("key")
.cache_key(&["key"])
.ttl();
