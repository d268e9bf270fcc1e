//! `ldap-auth`: user name and password are those of a directory
//! (`kong/plugins/ldap-auth/schema.lua`).

use super::Plugin;
use super::shared::{HOST, NO_CONSUMER, NUMBER, PORT, PROTOCOLS_HTTP, STRING};
use super::shared::{anonymous, config, realm, switch};
use crate::field::{Conditional, Default, EntityCheck, Field, Match, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ldap-auth",
    priority: 1200,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("ldap_host", HOST)
        .required()
        .description("Host name or address of the directory."),
    Field::new("ldap_port", PORT)
        .required()
        .default(Default::Integer(389))
        .description("Port of the directory."),
    switch("ldaps", false).description("Whether the connection starts with TLS."),
    switch("start_tls", false).description("Whether the connection is upgraded to TLS."),
    switch("verify_ldap_host", false)
        .description("Whether the directory's certificate is verified."),
    Field::new("base_dn", STRING)
        .required()
        .description("The name under which users are."),
    Field::new("attribute", STRING)
        .required()
        .description("The attribute that holds the user name."),
    Field::new("cache_ttl", NUMBER)
        .required()
        .default(Default::Integer(60))
        .description("How long an answer is remembered, in seconds."),
    switch("hide_credentials", false).description("Whether the upstream sees no credentials."),
    Field::new("timeout", NUMBER)
        .default(Default::Integer(10_000))
        .description("Longest wait for the directory, in milliseconds."),
    Field::new("keepalive", NUMBER)
        .default(Default::Integer(60_000))
        .description("How long an idle connection is kept, in milliseconds."),
    anonymous(),
    Field::new("header_type", STRING)
        .default(Default::String("ldap"))
        .description("The scheme before the credentials in Authorization."),
    realm(),
])
.checks(&[EntityCheck::Conditional(Conditional {
    then_err: Some("'ldaps' and 'start_tls' cannot be enabled simultaneously"),
    ..Conditional::new("ldaps", Match::Is(true), "start_tls", Match::Is(false))
})]);
