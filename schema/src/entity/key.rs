//! A key, as JWK or as PEM (`kong/db/schema/entities/keys.lua`).
//!
//! Deviation: the text of the check that one form is given lists `jwk` first; Kong's order varies.

use serde_json::Value;

use super::pem;
use super::shared::{CREATED_AT, ID, STRING, TAGS, UPDATED_AT};
use crate::field::{
    EntityCheck, Errors, Field, Fields, Kind, Record, Schema, Type, push_entity_error,
    vault_reference,
};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "keys",
    &[
        ID,
        Field::new("set", Type::new(Kind::Foreign("key_sets")))
            .cascade()
            .description("The set that the key belongs to."),
        Field::new("name", STRING)
            .unique()
            .description("Name of the key."),
        Field::new("kid", STRING)
            .required()
            .description("Id of the key, unique within its set."),
        Field::new("jwk", STRING)
            .referenceable()
            .encrypted()
            .description("The key as a JSON Web Key, in a text."),
        Field::new("pem", Type::new(Kind::Record(&PEM)))
            .description("The key as PEM, public half, private half or both."),
        Field::new("tags", TAGS).description("Free labels."),
        CREATED_AT,
        UPDATED_AT,
    ],
)
.endpoint_key("name")
.cache_key(&["kid", "set"])
.checks(&[
    EntityCheck::MutuallyExclusive(&["jwk", "pem"]),
    EntityCheck::AtLeastOneOf(&["jwk", "pem"]),
    EntityCheck::Custom {
        sources: &["jwk", "kid"],
        run: check_jwk,
    },
    EntityCheck::Custom {
        sources: &["pem"],
        run: check_pem,
    },
]);

static PEM: Record = Record::new(&[
    Field::new("private_key", STRING)
        .referenceable()
        .encrypted()
        .description("Private key in PEM."),
    Field::new("public_key", STRING)
        .referenceable()
        .description("Public key in PEM."),
])
.checks(&[EntityCheck::AtLeastOneOf(&["private_key", "public_key"])]);

/// Members that a JWK may have.
const JWK_MEMBERS: [&str; 25] = [
    "issuer", "kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256", "k", "x",
    "y", "crv", "n", "e", "d", "p", "q", "dp", "dq", "qi", "oth", "r", "t",
];

fn check_jwk(fields: &Fields<'_>, errors: &mut Errors) {
    let Some(text) = fields.value("jwk").as_str() else {
        return;
    };
    if let Err(problem) = jwk_problem(text, fields.value("kid")) {
        push_entity_error(errors, problem);
    }
}

fn jwk_problem(text: &str, kid: &Value) -> Result<(), String> {
    let Ok(Value::Object(jwk)) = serde_json::from_str(text) else {
        return Err("could not json decode jwk string".into());
    };
    if jwk.get("kid") != Some(kid) {
        return Err("kid in jwk.kid must be equal to keys.kid".into());
    }
    let unknown = jwk.keys().find(|name| !JWK_MEMBERS.contains(&&***name));
    if let Some(name) = unknown {
        return Err(format!("jwk.{name}: unknown field"));
    }
    if pem::is_jwk(&jwk) {
        Ok(())
    } else {
        Err("could not load JWK, likely not a valid key".into())
    }
}

fn check_pem(fields: &Fields<'_>, errors: &mut Errors) {
    let half = |path: &str| {
        let value = fields.value(path);
        value.as_str().filter(|_| !vault_reference(value))
    };
    let public = half("pem.public_key").map(pem::public_key);
    let private = half("pem.private_key").map(pem::private_key);
    let problem = match (public, private) {
        (Some(Err(_)), _) => "could not load public key",
        (_, Some(Err(_))) => "could not load private key, likely not a valid key",
        (Some(Ok(public)), Some(Ok(private))) if public != private => {
            "public key does not match private key"
        }
        _ => return,
    };
    push_entity_error(errors, problem);
}
