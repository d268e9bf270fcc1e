//! Kinds for the tests of this crate alone, so that what holds for every kind can be shown on one
//! with each trait: several unique fields, several references, to kinds of either sort.

use super::shared::{CREATED_AT, ID, NAME, STRING, TAGS};
use crate::field::{Field, Kind, Schema, Type};

/// Referred to by [`BADGES`].
pub(super) static PEOPLE: Schema = Schema::new(
    "test_people",
    &[
        ID,
        CREATED_AT,
        Field::new("username", STRING).unique(),
        Field::new("custom_id", STRING).unique(),
        Field::new("tags", TAGS),
    ],
)
.endpoint_key("username");

/// Refers to people, routes and services.
pub(super) static BADGES: Schema = Schema::new(
    "test_badges",
    &[
        ID,
        Field::new("person", Type::new(Kind::Foreign("test_people"))).required(),
        Field::new("label", NAME),
        Field::new("route", Type::new(Kind::Foreign("routes"))),
        Field::new("code", STRING).unique(),
        Field::new("service", Type::new(Kind::Foreign("services"))),
    ],
)
.endpoint_key("code");

/// Whether a schema is one of these.
pub(super) fn is_one(schema: &Schema) -> bool {
    [PEOPLE.name, BADGES.name].contains(&schema.name)
}
