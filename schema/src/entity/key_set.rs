//! A set of keys (`kong/db/schema/entities/key_sets.lua`).

use super::shared::{CREATED_AT, ID, STRING, TAGS, UPDATED_AT};
use crate::field::{Field, Schema};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "key_sets",
    &[
        ID,
        Field::new("name", STRING)
            .unique()
            .description("Name of the set."),
        Field::new("tags", TAGS).description("Free labels."),
        CREATED_AT,
        UPDATED_AT,
    ],
)
.path(Some("key-sets"))
.endpoint_key("name");
