//! `acl`: only some groups of consumers pass (`kong/plugins/acl/schema.lua`, `daos.lua`).

use super::Plugin;
use super::shared::{CONSUMER, NO_CONSUMER, PROTOCOLS_HTTP, STRING, STRINGS, config, switch};
use crate::entity::shared::{CREATED_AT, ID, TAGS};
use crate::field::{EntityCheck, Field, Record, Schema, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "acl",
    priority: 950,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[
            EntityCheck::OnlyOneOf(LISTS),
            EntityCheck::AtLeastOneOf(LISTS),
        ],
    },
    entities: &[&ACLS],
};

const LISTS: &[&str] = &["config.allow", "config.deny"];

static CONFIG: Record = Record::new(&[
    Field::new("allow", STRINGS).description("Groups that pass."),
    Field::new("deny", STRINGS).description("Groups that do not pass."),
    switch("hide_groups_header", false)
        .description("Whether the upstream does not see the groups."),
    switch("always_use_authenticated_groups", false)
        .description("Whether groups given by the authentication count even with a consumer."),
]);

/// That a consumer belongs to a group.
static ACLS: Schema = Schema::new(
    "acls",
    &[
        ID,
        CREATED_AT,
        CONSUMER,
        Field::new("group", STRING).required(),
        Field::new("tags", TAGS),
    ],
)
.cache_key(&["consumer", "group"]);
