//! `GET /metrics`: the node's gauges in Prometheus' text format. Counters by service and route come
//! with the plugin `prometheus`.
//!
//! Source: `kong/plugins/prometheus/exporter.lua` (names and labels); the exposition format 0.0.4.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
};

use crate::{
    answer::Answer,
    serve::{Admin, KONG_VERSION},
    status::resident_bytes,
};

/// Answers `GET /metrics`.
pub(crate) fn get(admin: &Admin) -> Answer {
    let mut answer = Answer::new(Body::from(text(admin)));
    *answer.status_mut() = StatusCode::OK;
    let kind = HeaderValue::from_static("text/plain; charset=UTF-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

fn text(admin: &Admin) -> String {
    let c = admin.node.counters();
    let node = admin.node_id;
    let mut page = Page::default();
    page.metric(
        "kong_datastore_reachable",
        "Whether the configuration store can be read.",
    );
    page.sample("", u64::from(admin.agent.store().meta().is_ok()));
    page.metric(
        "kong_memory_workers_lua_vms_bytes",
        "Resident memory of the process.",
    );
    let labels = format!(
        "node_id=\"{node}\",pid=\"{}\",kong_subsystem=\"http\"",
        std::process::id()
    );
    page.sample(&labels, resident_bytes());
    let (capacity, used) = admin.agent.store().map_usage();
    let labels = format!("node_id=\"{node}\",shared_dict=\"dbless.lmdb\",kong_subsystem=\"http\"");
    page.metric(
        "kong_memory_lua_shared_dict_bytes",
        "Used part of a store, in bytes.",
    );
    page.sample(&labels, used as u64);
    page.metric(
        "kong_memory_lua_shared_dict_total_bytes",
        "Size of a store, in bytes.",
    );
    page.sample(&labels, capacity as u64);
    page.metric(
        "kong_nginx_connections_total",
        "Client connections by state.",
    );
    for (state, value) in [
        ("accepted", c.accepted),
        ("active", c.active),
        ("handled", c.handled),
        ("reading", c.reading),
        ("total", c.requests),
        ("waiting", c.waiting),
        ("writing", c.writing),
    ] {
        let labels = format!("node_id=\"{node}\",subsystem=\"http\",state=\"{state}\"");
        page.sample(&labels, value);
    }
    page.metric("kong_nginx_requests_total", "Requests that were read.");
    page.sample(
        &format!("node_id=\"{node}\",subsystem=\"http\""),
        c.requests,
    );
    page.metric("kong_nginx_timers", "Timers; this gateway has none.");
    page.sample("state=\"pending\"", 0);
    page.sample("state=\"running\"", 0);
    page.metric("kong_node_info", "The node, always 1.");
    page.sample(&format!("node_id=\"{node}\",version=\"{KONG_VERSION}\""), 1);
    page.text
}

/// A page of samples.
#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a gauge.
    fn metric(&mut self, name: &'static str, help: &str) {
        self.name = name;
        let written = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
        written.expect("writing to a string cannot fail");
    }

    /// A value of the gauge begun last.
    fn sample(&mut self, labels: &str, value: u64) {
        let name = self.name;
        let written = match labels {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
        written.expect("writing to a string cannot fail");
    }
}
