//! `bot-detection`: known crawlers do not pass (`kong/plugins/bot-detection/schema.lua`).

use super::Plugin;
use super::shared::{NO_CONSUMER, PROTOCOLS_HTTP, config};
use crate::field::{Check, Default, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "bot-detection",
    priority: 2500,
    schema: Subschema {
        fields: &[NO_CONSUMER, PROTOCOLS_HTTP, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

const REGEXES: Type = Type::new(Kind::Array(&Type::with(Kind::String, &[Check::IsRegex])));

static CONFIG: Record = Record::new(&[
    Field::new("allow", REGEXES)
        .default(Default::Strings(&[]))
        .description("Regexes of User-Agent that pass."),
    Field::new("deny", REGEXES)
        .default(Default::Strings(&[]))
        .description("Regexes of User-Agent that do not pass."),
]);
