//! A plugin with its configuration, for everything or for a service, route or consumer
//! (`kong/db/schema/entities/plugins.lua`).
//!
//! That a plugin shares a protocol with what it is bound to is a check of the Admin API.

use super::shared::{CREATED_AT, ID, NAME, PROTOCOL, STRING, TAGS, UPDATED_AT, switch};
use crate::field::{Default, Field, Kind, Rules, Schema, Subschema, Subschemas, Type};
use crate::plugin;

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "plugins",
    &[
        ID,
        Field::new("name", STRING)
            .required()
            .description("Which plugin; it must be enabled on the node."),
        Field::new("instance_name", NAME)
            .unique()
            .description("Name of this configuration."),
        CREATED_AT,
        UPDATED_AT,
        Field::new("route", Type::new(Kind::Foreign("routes")))
            .cascade()
            .description("Only for requests of this route."),
        Field::new("service", Type::new(Kind::Foreign("services")))
            .cascade()
            .description("Only for requests to this service."),
        Field::new("consumer", Type::new(Kind::Foreign("consumers")))
            .cascade()
            .description("Only for requests of this consumer."),
        Field::new("config", Type::new(Kind::Abstract))
            .required()
            .description("What the plugin's own schema says."),
        Field::new("protocols", Type::new(Kind::Set(&PROTOCOL)))
            .required()
            .default(Default::Strings(&["grpc", "grpcs", "http", "https"]))
            .description("Protocols of the requests that the plugin sees."),
        switch("enabled", true).description("A disabled plugin has no effect."),
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.endpoint_key("instance_name")
.cache_key(&["name", "route", "service", "consumer"])
.subschemas(&SUBSCHEMAS);

static SUBSCHEMAS: Subschemas = Subschemas {
    selector: "name",
    find,
    known: |name| plugin::find(name).map(|plugin| &plugin.schema),
};

fn find(name: &str, rules: &Rules) -> Result<&'static Subschema, String> {
    let enabled = plugin::find(name).filter(|plugin| rules.plugins.contains(&plugin.name));
    enabled.map(|plugin| &plugin.schema).ok_or_else(|| {
        format!("plugin '{name}' not enabled; add it to the 'plugins' configuration property")
    })
}
