//! A chain of Wasm filters of a service or route (`kong/db/schema/entities/filter_chains.lua`).
//!
//! This version runs no filters: none are known, so that no chain is valid.

use super::shared::{CREATED_AT, ID, NAME, TAGS, UPDATED_AT, switch};
use crate::field::{
    Check, EntityCheck, Errors, Field, Fields, Kind, Record, Schema, Type, push_entity_error,
};

/// The entity as data.
pub static SCHEMA: Schema = Schema::new(
    "filter_chains",
    &[
        ID,
        Field::new("name", NAME)
            .unique()
            .description("Name of the chain."),
        switch("enabled", true).description("A disabled chain has no effect."),
        Field::new("route", Type::new(Kind::Foreign("routes")))
            .unique()
            .cascade()
            .description("The route whose requests pass the chain."),
        Field::new("service", Type::new(Kind::Foreign("services")))
            .unique()
            .cascade()
            .description("The service whose requests pass the chain."),
        Field::new(
            "filters",
            Type::with(
                Kind::Array(&Type::new(Kind::Record(&FILTER))),
                &[Check::LenMin(1)],
            ),
        )
        .required()
        .description("The filters, in order."),
        CREATED_AT,
        UPDATED_AT,
        Field::new("tags", TAGS).description("Free labels."),
    ],
)
.path(Some("filter-chains"))
.endpoint_key("name")
.cache_key(&["route", "service"])
.checks(&[
    EntityCheck::MutuallyExclusive(&["service", "route"]),
    EntityCheck::AtLeastOneOf(&["service", "route"]),
    EntityCheck::Custom {
        sources: &[],
        run: require_wasm,
    },
]);

static FILTER: Record = Record::new(&[
    Field::new(
        "name",
        Type::with(
            Kind::String,
            &[Check::Text(|_| Err("no such filter".into()))],
        ),
    )
    .required()
    .description("Which filter."),
    switch("enabled", true).description("A disabled filter is left out."),
    Field::new("config", Type::new(Kind::Any)).description("What the filter is given."),
]);

fn require_wasm(fields: &Fields<'_>, errors: &mut Errors) {
    if !fields.context.rules.wasm {
        push_entity_error(
            errors,
            "filter chains need Wasm, which is off; set 'wasm' in the configuration",
        );
    }
}
