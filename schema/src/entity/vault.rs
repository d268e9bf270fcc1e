//! A vault: where the values of references come from (`kong/db/schema/entities/vaults.lua`,
//! `kong/vaults/env/schema.lua`).

use super::shared::{CREATED_AT, ID, STRING, TAGS, UPDATED_AT};
use crate::field::{Check, Field, Kind, Record, Rules, Schema, Subschema, Subschemas, Type};

/// Vaults that are always there, under their own names.
const VAULTS: &[&str] = &["env"];

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "vaults",
    &[
        ID,
        Field::new(
            "prefix",
            Type::with(
                Kind::String,
                &[
                    Check::NotOneOf(VAULTS),
                    Check::Match("^[a-z][a-z%d-]-[a-z%d]+$"),
                ],
            ),
        )
        .required()
        .unique()
        .description("Name of this vault in references: {vault://prefix/…}."),
        Field::new("name", STRING)
            .required()
            .description("What kind of vault it is."),
        Field::new("description", STRING).description("Remark for people."),
        Field::new("config", Type::new(Kind::Abstract))
            .required()
            .description("What the vault's own schema says."),
        CREATED_AT,
        UPDATED_AT,
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.endpoint_key("prefix")
.cache_key(&["prefix"])
.subschemas(&Subschemas {
    selector: "name",
    find,
    known: subschema,
});

fn find(name: &str, _rules: &Rules) -> Result<&'static Subschema, String> {
    subschema(name).ok_or_else(|| format!("vault '{name}' is not installed"))
}

/// The part of a vault's own, by its name.
pub fn subschema(name: &str) -> Option<&'static Subschema> {
    (name == "env").then_some(&ENV)
}

static ENV: Subschema = Subschema {
    fields: &[Field::record("config", &ENV_CONFIG)],
    entity_checks: &[],
};

static ENV_CONFIG: Record = Record::new(&[Field::new(
    "prefix",
    Type::with(Kind::String, &[Check::Match("^[%a_-][%a%d_-]*$")]),
)
.description("Start of the names of the environment variables.")]);
