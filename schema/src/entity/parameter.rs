//! What a cluster remembers about itself (`kong/db/schema/entities/parameters.lua`). Its key is
//! `key`; nothing in the API shows it.

use super::shared::{CREATED_AT, STRING};
use crate::field::{Field, Schema};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "parameters",
    &[
        CREATED_AT,
        Field::new("key", STRING)
            .required()
            .unique()
            .description("Name of the parameter."),
        Field::new("value", STRING)
            .required()
            .description("Its value."),
    ],
)
.path(None)
.endpoint_key("key")
.cache_key(&["key"]);
