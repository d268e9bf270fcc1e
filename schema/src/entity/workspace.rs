//! A workspace (`kong/db/schema/entities/workspaces.lua`). There is one, `default`, and no API.

use super::shared::{CREATED_AT, ID, STRING, UPDATED_AT};
use crate::field::{Check, Field, Kind, Record, Schema, Type, text};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "workspaces",
    &[
        ID,
        Field::new(
            "name",
            Type::with(
                Kind::String,
                &[Check::NotOneOf(RESERVED), Check::Text(text::name)],
            ),
        )
        .required()
        .unique()
        .description("Name of the workspace."),
        Field::new("comment", STRING).description("Remark for people."),
        CREATED_AT,
        UPDATED_AT,
        Field::record("meta", &EMPTY).description("Nothing yet."),
        Field::record("config", &EMPTY).description("Nothing yet."),
    ],
)
.path(None)
.endpoint_key("name")
.cache_key(&["name"])
.not_exported();

static EMPTY: Record = Record::new(&[]);

/// The names of Kong's own entities.
const RESERVED: &[&str] = &[
    "workspaces",
    "consumers",
    "certificates",
    "services",
    "routes",
    "snis",
    "upstreams",
    "targets",
    "plugins",
    "tags",
    "ca_certificates",
    "clustering_data_planes",
    "parameters",
    "vaults",
    "key_sets",
    "keys",
    "filter_chains",
];
