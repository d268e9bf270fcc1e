//! `grpc-gateway`: serves gRPC services as REST (`kong/plugins/grpc-gateway/schema.lua`).

use super::Plugin;
use super::shared::{PROTOCOLS, STRING, config};
use crate::field::{Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "grpc-gateway",
    priority: 998,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record =
    Record::new(&[Field::new("proto", STRING)
        .description("File that describes the service and its HTTP paths.")]);
