//! `prometheus`: counts for scraping (`kong/plugins/prometheus/schema.lua`).

use super::Plugin;
use super::shared::{BOOLEAN, PROTOCOLS, config};
use crate::field::{Default, Field, Record, Subschema};

/// The plugin as data.
pub(super) static PLUGIN: Plugin = Plugin {
    name: "prometheus",
    priority: 13,
    schema: Subschema {
        fields: &[PROTOCOLS, config(&CONFIG)],
        entity_checks: &[],
    },
    entities: &[],
};

static CONFIG: Record = Record::new(&[
    off("per_consumer").description("Whether requests and bytes are counted for each consumer."),
    off("status_code_metrics").description("Whether requests are counted by status."),
    off("ai_metrics").description("Whether calls of language models are counted."),
    off("latency_metrics").description("Whether latencies are measured."),
    off("bandwidth_metrics").description("Whether bytes are counted."),
    off("upstream_health_metrics").description("Whether the health of targets is shown."),
]);

const fn off(name: &'static str) -> Field {
    Field::new(name, BOOLEAN).default(Default::Boolean(false))
}
