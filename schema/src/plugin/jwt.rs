//! `jwt`: a signed token names the consumer (`kong/plugins/jwt/schema.lua`, `daos.lua`).
//!
//! `rsa_public_key` is looked at for the algorithms for which Kong does, which leaves out ES*: a
//! PEM section of a public or private key whose structure is that of a key.

use rustls_pki_types::pem::{PemObject, SectionKind};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::Plugin;
use super::shared::{CONSUMER, NO_CONSUMER, NUMBER, PROTOCOLS_HTTP, STRING};
use super::shared::{anonymous, config, realm, switch};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{Check, Conditional, Default, EntityCheck, Field, Kind, Match, Record};
use crate::field::{Schema, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "jwt",
    priority: 1450,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[EntityCheck::Conditional(Conditional::new(
            "config.maximum_expiration",
            Match::Gt(0.0),
            "config.claims_to_verify",
            Match::Contains("exp"),
        ))],
    },
    entities: &[&SECRETS],
};

const TEXTS: Type = Type::new(Kind::Set(&STRING));

static CONFIG: Record = Record::new(&[
    Field::new("uri_param_names", TEXTS)
        .default(Default::Strings(&["jwt"]))
        .description("Query arguments that may hold the token."),
    Field::new("cookie_names", TEXTS)
        .default(Default::Strings(&[]))
        .description("Cookies that may hold the token."),
    Field::new("key_claim_name", STRING)
        .default(Default::String("iss"))
        .description("The claim that holds the key of the secret."),
    switch("secret_is_base64", false).description("Whether secrets are base64."),
    Field::new(
        "claims_to_verify",
        Type::new(Kind::Set(&Type::with(
            Kind::String,
            &[Check::OneOf(&["exp", "nbf"])],
        ))),
    )
    .description("Claims that are checked against the clock."),
    anonymous(),
    switch("run_on_preflight", true).description("Whether OPTIONS requests need a token too."),
    Field::new(
        "maximum_expiration",
        Type {
            checks: &[Check::Between(0, 31_536_000)],
            ..NUMBER
        },
    )
    .default(Default::Integer(0))
    .description("Longest lifetime of a token, in seconds; 0: any."),
    Field::new("header_names", TEXTS)
        .default(Default::Strings(&["authorization"]))
        .description("Headers that may hold the token."),
    realm(),
]);

/// A consumer's key and secret or public key.
static SECRETS: Schema = Schema::new(
    "jwt_secrets",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("key", STRING).unique().auto(),
        Field::new("secret", STRING).auto(),
        Field::new("rsa_public_key", STRING),
        Field::new(
            "algorithm",
            Type::with(Kind::String, &[Check::OneOf(ALGORITHMS)]),
        )
        .default(Default::String("HS256")),
        Field::new("tags", TAGS),
    ],
)
.path(Some("jwts"))
.nested_path("jwt")
.endpoint_key("key")
.cache_key(&["key"])
.checks(&[EntityCheck::Conditional(Conditional::new(
    "algorithm",
    Match::OneOf(&[
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA",
    ]),
    "rsa_public_key",
    Match::RequiredText(public_key),
))]);

const ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
    "PS384", "PS512", "EdDSA",
];

fn public_key(text: &str) -> Result<(), String> {
    let section = <(SectionKind, Vec<u8>)>::from_pem_slice(text.as_bytes());
    let is_key = match section {
        Ok((SectionKind::PublicKey, der)) => {
            SubjectPublicKeyInfo::from_der(&der).is_ok_and(|(_, key)| key.parsed().is_ok())
        }
        Ok((kind, _)) => matches!(
            kind,
            SectionKind::RsaPrivateKey | SectionKind::PrivateKey | SectionKind::EcPrivateKey
        ),
        Err(_) => false,
    };
    is_key.then_some(()).ok_or_else(|| "invalid key".into())
}
