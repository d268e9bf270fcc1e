//! A certificate with its private key, and another pair of a different key type beside it
//! (`kong/db/schema/entities/certificates.lua`).
//!
//! The names that the certificate serves (`snis`) are entities of their own: the field is part of
//! the API, and is not stored with the certificate.

use super::pem;
use super::shared::{CREATED_AT, ID, TAGS, UPDATED_AT};
use crate::field::{
    Check, EntityCheck, Errors, Field, Fields, Kind, Schema, Type, host, push_entity_error,
};

const CERTIFICATE: Type = Type::with(Kind::String, &[Check::Text(pem::check_certificate)]);
const KEY: Type = Type::with(Kind::String, &[Check::Text(pem::check_private_key)]);

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "certificates",
    &[
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new("cert", CERTIFICATE)
            .required()
            .referenceable()
            .description("Certificate chain in PEM, the server's own first."),
        Field::new("key", KEY)
            .required()
            .referenceable()
            .encrypted()
            .description("Private key of the certificate in PEM."),
        Field::new("cert_alt", CERTIFICATE)
            .referenceable()
            .description("A chain with a key of another type, for clients that know only that."),
        Field::new("key_alt", KEY)
            .referenceable()
            .encrypted()
            .description("Private key of the other chain."),
        Field::new("tags", TAGS).description("Free labels."),
        Field::new(
            "snis",
            Type::new(Kind::Array(&Type::with(
                Kind::String,
                &[Check::Text(host::wildcard_server_name)],
            ))),
        )
        .transient()
        .description("Server names that get this certificate."),
    ],
)
.checks(&[
    EntityCheck::MutuallyRequired(&["cert_alt", "key_alt"]),
    EntityCheck::Custom {
        sources: &["cert", "key"],
        run: |fields, errors| {
            require_pair(
                "cert",
                "key",
                "certificate does not match key",
                fields,
                errors,
            );
        },
    },
    EntityCheck::Custom {
        sources: &["cert_alt", "key_alt"],
        run: |fields, errors| {
            let text = "alternative certificate does not match key";
            require_pair("cert_alt", "key_alt", text, fields, errors);
        },
    },
    EntityCheck::Custom {
        sources: &["cert", "cert_alt"],
        run: require_other_type,
    },
]);

fn require_pair(cert: &str, key: &str, text: &str, fields: &Fields<'_>, errors: &mut Errors) {
    let (Some(cert), Some(key)) = (fields.value(cert).as_str(), fields.value(key).as_str()) else {
        return;
    };
    let (Ok(cert), Ok(key)) = (pem::Certificate::parse(cert), pem::private_key(key)) else {
        return; // said at the fields
    };
    if cert.key != key {
        push_entity_error(errors, text);
    }
}

fn require_other_type(fields: &Fields<'_>, errors: &mut Errors) {
    let certificate = |name: &str| {
        let text = fields.value(name).as_str()?;
        pem::Certificate::parse(text).ok()
    };
    if let (Some(one), Some(other)) = (certificate("cert"), certificate("cert_alt"))
        && one.key.is_same_type(&other.key)
    {
        push_entity_error(
            errors,
            "certificate and alternative certificate need to have different type (e.g. RSA and \
             ECDSA), the provided certificates were both of the same type",
        );
    }
}
