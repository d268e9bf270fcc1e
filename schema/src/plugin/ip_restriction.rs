//! `ip-restriction`: only some addresses pass (`kong/plugins/ip-restriction/schema.lua`).

use super::Plugin;
use super::shared::{IP_OR_CIDR, NUMBER, PROTOCOLS, STRING, config};
use crate::field::{Default, EntityCheck, Field, Kind, Record, Subschema, Type};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "ip-restriction",
    priority: 990,
    schema: Subschema {
        fields: &[
            PROTOCOLS.default(Default::Strings(&[
                "http", "https", "tcp", "tls", "grpc", "grpcs",
            ])),
            config(&CONFIG),
        ],
        entity_checks: &[EntityCheck::AtLeastOneOf(&["config.allow", "config.deny"])],
    },
    entities: &[],
};

const ADDRESSES: Type = Type::new(Kind::Array(&IP_OR_CIDR));

static CONFIG: Record = Record::new(&[
    Field::new("allow", ADDRESSES).description("Addresses and ranges that pass."),
    Field::new("deny", ADDRESSES).description("Addresses and ranges that do not pass."),
    Field::new("status", NUMBER).description("Status of the refusal; 403 when not given."),
    Field::new("message", STRING).description("Message of the refusal."),
]);
