//! A consumer: who sends requests (`kong/db/schema/entities/consumers.lua`).

use super::shared::{CREATED_AT, ID, STRING, TAGS, UPDATED_AT};
use crate::field::{EntityCheck, Field, Schema};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "consumers",
    &[
        ID,
        CREATED_AT,
        UPDATED_AT,
        Field::new("username", STRING)
            .unique()
            .description("Name of the consumer; one of the two names must be given."),
        Field::new("custom_id", STRING)
            .unique()
            .description("Id that the consumer has in another system."),
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.endpoint_key("username")
.checks(&[EntityCheck::AtLeastOneOf(&["custom_id", "username"])]);
