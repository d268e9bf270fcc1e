//! `grpc-web`: lets browsers call gRPC services (`kong/plugins/grpc-web/schema.lua`).

use super::Plugin;
use super::shared::{BOOLEAN, PROTOCOLS, STRING, config};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "grpc-web",
    priority: 3,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    Field::new("proto", STRING)
        .description("File that describes the service; JSON messages need it."),
    Field::new("pass_stripped_path", BOOLEAN)
        .description("Whether the route's path is cut off the method's path."),
    Field::new("allow_origin_header", STRING)
        .default(Default::String("*"))
        .description("Value of Access-Control-Allow-Origin."),
]);
