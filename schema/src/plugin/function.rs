//! `pre-function` and `post-function`: Lua code in the phases of a request
//! (`kong/plugins/pre-function/_schema.lua`).
//!
//! Limits: only the shape is checked. There is no Lua here to compile the code, so a syntax error
//! that Kong refuses is accepted.

use super::Plugin;
use super::shared::{NO_CONSUMER, PROTOCOLS, STRINGS, config};
use crate::field::{Default, EntityCheck, Field, Record, Subschema};

/// Runs before the other plugins.
pub(super) static PRE: Plugin = plugin("pre-function", 1_000_000);
/// Runs after the other plugins.
pub(super) static POST: Plugin = plugin("post-function", -1000);

const fn plugin(name: &'static str, priority: i32) -> Plugin {
    Plugin {
        name,
        priority,
        schema: Subschema {
            fields: &FIELDS,
            entity_checks: &[EntityCheck::AtLeastOneOf(&[
                "config.certificate",
                "config.rewrite",
                "config.access",
                "config.header_filter",
                "config.body_filter",
                "config.log",
            ])],
        },
        entities: &[],
    }
}

static FIELDS: [Field; 3] = [NO_CONSUMER, PROTOCOLS, config(&CONFIG)];

static CONFIG: Record = Record::new(&[
    phase("certificate").description("Lua code of the phase certificate; global only."),
    phase("rewrite").description("Lua code of the phase rewrite; global only."),
    phase("access").description("Lua code of the phase access."),
    phase("header_filter").description("Lua code of the phase header_filter."),
    phase("body_filter").description("Lua code of the phase body_filter."),
    phase("log").description("Lua code of the phase log."),
]);

const fn phase(name: &'static str) -> Field {
    Field::new(name, STRINGS)
        .required()
        .default(Default::Strings(&[]))
}
