//! A server name, and the certificate that it gets (`kong/db/schema/entities/snis.lua`).

use super::shared::{CREATED_AT, ID, TAGS, UPDATED_AT};
use crate::field::{Check, Field, Kind, Schema, Type, host};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "snis",
    &[
        ID,
        Field::new(
            "name",
            Type::with(Kind::String, &[Check::Text(host::wildcard_server_name)]),
        )
        .required()
        .unique()
        .description("Server name; the first or last character may be a wildcard."),
        CREATED_AT,
        UPDATED_AT,
        Field::new("tags", TAGS).description("Free labels."),
        Field::new("certificate", Type::new(Kind::Foreign("certificates")))
            .required()
            .description("The certificate."),
    ],
)
.endpoint_key("name");
