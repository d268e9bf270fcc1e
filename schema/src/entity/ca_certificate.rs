//! The certificate of an authority, against which others are checked
//! (`kong/db/schema/entities/ca_certificates.lua`).

use serde_json::{Map, Value};

use super::pem;
use super::shared::{CREATED_AT, ID, STRING, TAGS, UPDATED_AT};
use crate::field::{
    Check, EntityCheck, Errors, Field, Fields, Kind, Schema, Type, push_entity_error,
};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "ca_certificates",
    &[
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new(
            "cert",
            Type::with(Kind::String, &[Check::Text(pem::check_certificate)]),
        )
        .required()
        .description("The certificate in PEM, exactly one."),
        Field::new("cert_digest", STRING)
            .unique()
            .description("SHA-256 of the certificate in hexadecimal; computed."),
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.checks(&[EntityCheck::Custom {
    sources: &["cert"],
    run: check_authority,
}])
.transform(add_digest);

fn check_authority(fields: &Fields<'_>, errors: &mut Errors) {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let Some(text) = fields.value("cert").as_str() else {
        return;
    };
    let Ok(certificate) = pem::Certificate::parse(text) else {
        return; // said at the field
    };
    let problem = if text.matches(BEGIN).count() > 1 {
        "please submit only one certificate at a time"
    } else if certificate.is_expired() {
        "certificate expired, \"Not After\" time is in the past"
    } else if !certificate.is_authority {
        "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint"
    } else {
        return;
    };
    push_entity_error(errors, problem);
}

fn add_digest(object: &mut Map<String, Value>) {
    let text = object.get("cert").and_then(Value::as_str);
    if let Some(Ok(certificate)) = text.map(pem::Certificate::parse) {
        object.insert("cert_digest".into(), certificate.digest().into());
    }
}
