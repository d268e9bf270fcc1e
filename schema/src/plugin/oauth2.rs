//! `oauth2`: tokens given by the gateway name the consumer (`kong/plugins/oauth2/schema.lua`,
//! `daos.lua`, `secret.lua`).
//!
//! With `hash_secret` a client's secret is kept as a PHC string of PBKDF2 with SHA-512, in the
//! parameters of Kong's stores.

use std::num::NonZeroU32;

use aws_lc_rs::{pbkdf2, rand};
use serde_json::{Map, Value};

use super::Plugin;
use super::shared::{CONSUMER, INTEGER, NO_CONSUMER, NUMBER, PROTOCOLS_HTTP, STRING, STRINGS, TTL};
use super::shared::{anonymous, base64, config_with, is_url, realm, switch};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{Check, Conditional, Default, EntityCheck, Field, Kind, Match, Record};
use crate::field::{Schema, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "oauth2",
    priority: 1400,
    schema: Subschema {
        fields: &[
            NO_CONSUMER,
            PROTOCOLS_HTTP,
            config_with(Type::with(Kind::Record(&CONFIG), &[Check::Value(flows)])),
        ],
        entity_checks: &[],
    },
    entities: &[&CREDENTIALS, &AUTHORIZATION_CODES, &TOKENS],
};

static CONFIG: Record = Record::new(&[
    Field::new("scopes", STRINGS).description("Scopes that clients may ask for."),
    switch("mandatory_scope", false).description("Whether clients must ask for a scope."),
    Field::new("provision_key", STRING)
        .required()
        .unique()
        .auto()
        .encrypted()
        .description("Secret shared with the application that asks for consent."),
    Field::new("token_expiration", NUMBER)
        .required()
        .default(Default::Integer(7200))
        .description("Lifetime of a token, in seconds; 0: without end."),
    switch("enable_authorization_code", false).description("Whether the code flow is on."),
    switch("enable_implicit_grant", false).description("Whether the implicit flow is on."),
    switch("enable_client_credentials", false)
        .description("Whether clients get tokens themselves."),
    switch("enable_password_grant", false).description("Whether passwords get tokens."),
    switch("hide_credentials", false).description("Whether the upstream sees no token."),
    switch("accept_http_if_already_terminated", false)
        .description("Whether a proxy in front may have ended TLS."),
    anonymous(),
    switch("global_credentials", false)
        .description("Whether tokens are good for every service that says so too."),
    Field::new("auth_header_name", STRING)
        .default(Default::String("authorization"))
        .description("The header that holds the token."),
    Field::new("refresh_token_ttl", TTL)
        .required()
        .default(Default::Integer(1_209_600))
        .description("Lifetime of a refresh token, in seconds; 0: without end."),
    switch("reuse_refresh_token", false).description("Whether a refresh token stays the same."),
    Field::new(
        "pkce",
        Type::with(Kind::String, &[Check::OneOf(&["none", "lax", "strict"])]),
    )
    .default(Default::String("lax"))
    .description("Which clients must prove the code's origin."),
    realm(),
])
.checks(&[EntityCheck::Conditional(Conditional::new(
    "mandatory_scope",
    Match::Is(true),
    "scopes",
    Match::Required,
))]);

const FLOWS: [&str; 4] = [
    "enable_authorization_code",
    "enable_implicit_grant",
    "enable_client_credentials",
    "enable_password_grant",
];

fn flows(config: &Value) -> Result<(), String> {
    let is_on = |name: &str| config.get(name) == Some(&Value::Bool(true));
    if FLOWS.iter().any(|name| is_on(name)) {
        return Ok(());
    }
    let names = FLOWS.join(", ");
    Err(format!(
        "at least one of these fields must be true: {names}"
    ))
}

/// A consumer's application.
pub(super) static CREDENTIALS: Schema = Schema::new(
    "oauth2_credentials",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("name", STRING).required(),
        Field::new("client_id", STRING).unique().auto(),
        Field::new("client_secret", STRING).auto().encrypted(),
        switch("hash_secret", false),
        Field::new(
            "redirect_uris",
            Type::new(Kind::Array(&Type::with(
                Kind::String,
                &[Check::Text(redirect_uri)],
            ))),
        ),
        Field::new("tags", TAGS),
        Field::new(
            "client_type",
            Type::with(Kind::String, &[Check::OneOf(&["confidential", "public"])]),
        )
        .required()
        .default(Default::String("confidential")),
    ],
)
.path(Some("oauth2"))
.endpoint_key("client_id")
.cache_key(&["client_id"])
.transform(hash_secret);

const SERVICE: Field = Field::new("service", Type::new(Kind::Foreign("services"))).cascade();
const CREDENTIAL: Field = Field::new("credential", Type::new(Kind::Foreign("oauth2_credentials")))
    .required()
    .cascade();

/// What a client exchanges for a token.
static AUTHORIZATION_CODES: Schema = Schema::new(
    "oauth2_authorization_codes",
    &[
        ID,
        CREATED_AT,
        SERVICE,
        CREDENTIAL,
        Field::new("code", STRING).unique().auto(),
        Field::new("authenticated_userid", STRING),
        Field::new("scope", STRING),
        Field::new("challenge", STRING),
        Field::new(
            "challenge_method",
            Type::with(Kind::String, &[Check::OneOf(&["S256"])]),
        ),
        Field::new("plugin", Type::new(Kind::Foreign("plugins"))).cascade(),
    ],
)
.path(None)
.ttl()
.not_exported();

/// What a client shows with a request.
static TOKENS: Schema = Schema::new(
    "oauth2_tokens",
    &[
        ID,
        CREATED_AT,
        SERVICE,
        CREDENTIAL,
        Field::new(
            "token_type",
            Type::with(Kind::String, &[Check::OneOf(&["bearer"])]),
        )
        .required()
        .default(Default::String("bearer")),
        Field::new("expires_in", INTEGER).required(),
        Field::new("access_token", STRING).unique().auto(),
        Field::new("refresh_token", STRING).unique(),
        Field::new("authenticated_userid", STRING),
        Field::new("scope", STRING),
    ],
)
.endpoint_key("access_token")
.cache_key(&["access_token"])
.ttl();

fn redirect_uri(text: &str) -> Result<(), String> {
    if !is_url(text) {
        return Err(format!("cannot parse '{text}'"));
    }
    if text.contains('#') {
        return Err(format!("fragment not allowed in '{text}'"));
    }
    Ok(())
}

const ITERATIONS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

fn hash_secret(credential: &mut Map<String, Value>) {
    if credential.get("hash_secret") != Some(&Value::Bool(true)) {
        return;
    }
    let Some(Value::String(secret)) = credential.get("client_secret") else {
        return;
    };
    let mut salt = [0; SALT_BYTES];
    rand::fill(&mut salt).expect("the system gives random bytes");
    let hash = phc(secret, &salt);
    credential.insert("client_secret".into(), hash.into());
}

fn phc(secret: &str, salt: &[u8]) -> String {
    let mut hash = [0; HASH_BYTES];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA512;
    pbkdf2::derive(algorithm, ITERATIONS, salt, secret.as_bytes(), &mut hash);
    let (salt, hash) = (base64(salt), base64(&hash));
    format!("$pbkdf2-sha512$i={ITERATIONS},l={HASH_BYTES}${salt}${hash}")
}
