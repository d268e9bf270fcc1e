//! `basic-auth`: user name and password name the consumer (`kong/plugins/basic-auth/schema.lua`,
//! `daos.lua`, `crypto.lua`).
//!
//! Passwords are kept as lower-case hex SHA-1 of the password and the consumer's id, which is what
//! Kong's stores and exports hold.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value};

use super::Plugin;
use super::shared::{
    CONSUMER, NO_CONSUMER, PROTOCOLS_HTTP, STRING, anonymous, config, hex, switch,
};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{Default, Field, Record, Schema, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "basic-auth",
    priority: 1100,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[&CREDENTIALS],
};

static CONFIG: Record = Record::new(&[
    anonymous(),
    switch("hide_credentials", false).description("Whether the upstream sees no credentials."),
    Field::new("realm", STRING)
        .required()
        .default(Default::String("service"))
        .description("The `realm` of WWW-Authenticate."),
]);

/// A consumer's user name and password.
pub(super) static CREDENTIALS: Schema = Schema::new(
    "basicauth_credentials",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("username", STRING).required().unique(),
        Field::new("password", STRING).required().encrypted(),
        Field::new("tags", TAGS),
    ],
)
.path(Some("basic-auths"))
.nested_path("basic-auth")
.endpoint_key("username")
.cache_key(&["username"])
.transform(hash_password);

fn hash_password(credential: &mut Map<String, Value>) {
    let consumer = credential.get("consumer").and_then(|value| value.get("id"));
    let consumer = consumer.and_then(Value::as_str).unwrap_or_default();
    let Some(Value::String(password)) = credential.get("password") else {
        return;
    };
    let salted = format!("{password}{consumer}");
    let hash = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, salted.as_bytes()).as_ref());
    credential.insert("password".into(), hash.into());
}
