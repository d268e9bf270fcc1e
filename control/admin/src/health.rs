//! `GET /upstreams/{key}/health`: the targets of an upstream with their addresses, and whether they
//! are given requests.
//!
//! No health checks run in this version, so every target with an address is `HEALTHCHECKS_OFF`, and
//! marking one by hand is refused with Kong's words for an upstream without a checker.
//!
//! Source: `kong/api/routes/upstreams.lua`, `kong/runloop/balancer/healthcheckers.lua`.

use std::net::IpAddr;

use serde_json::{Value, json};
use silverback_cluster::agent::names::{Names, Query};
use silverback_schema::{entity::EntityKind, field::host::HostPort};
use tokio::sync::oneshot;

use crate::{
    collection::{TARGETS, newest_targets},
    entities::{Entities, Object},
    error::Refusal,
    form::{self, Fields},
    input::bad,
    item,
    serve::Admin,
};

/// An upstream and its targets, newest first.
pub(crate) struct Found {
    upstream: Object,
    targets: Vec<Object>,
}

/// Reads what the answer is about.
pub(crate) fn find(entities: &Entities, key: &str) -> Result<Found, Refusal> {
    let id = entities.parent(TARGETS, key)?;
    let upstream = entities.get(EntityKind::UPSTREAMS, id)?;
    Ok(Found {
        upstream: upstream.ok_or(Refusal::NotFound)?,
        targets: newest_targets(entities, TARGETS, id)?,
    })
}

/// The answer; asks for the addresses of names.
pub(crate) async fn show(admin: &Admin, found: Found, query: &Fields) -> Value {
    let mut targets = Vec::with_capacity(found.targets.len());
    for target in found.targets {
        targets.push(shown(&admin.names, target).await);
    }
    if form::first(query, "balancer_health") == Some("1") {
        return balancer(admin, &found.upstream, targets);
    }
    json!({ "data": targets, "next": null, "node_id": admin.node_id })
}

/// A target with `health` and `data`.
async fn shown(names: &Names, mut target: Object) -> Value {
    let weight = target.get("weight").and_then(Value::as_u64).unwrap_or(0);
    let text = target.get("target").and_then(Value::as_str).unwrap_or("");
    let parsed = HostPort::parse(text).ok();
    let port = parsed.as_ref().and_then(|parsed| parsed.port).unwrap_or(0);
    let host = parsed.map_or_else(|| text.to_owned(), |parsed| parsed.host.to_string());
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = addresses(names, bare).await;
    let health = if addresses.is_empty() {
        "DNS_ERROR"
    } else {
        "HEALTHCHECKS_OFF"
    };
    let total = weight * addresses.len() as u64;
    let list: Vec<Value> = addresses
        .iter()
        .map(|ip| json!({ "ip": ip.to_string(), "port": port, "weight": weight, "health": health }))
        .collect();
    let data = json!({
        "host": host,
        "port": port,
        "dns": if addresses.is_empty() { "UNKNOWN" } else { "A" },
        "nodeWeight": weight,
        "weight": { "total": total, "available": total, "unavailable": 0 },
        "addresses": list,
    });
    target.insert("health".to_owned(), health.into());
    target.insert("data".to_owned(), data);
    Value::Object(target)
}

async fn addresses(names: &Names, host: &str) -> Vec<IpAddr> {
    if let Ok(ip) = host.parse() {
        return vec![ip];
    }
    let (sender, answer) = oneshot::channel();
    let query = Query {
        name: host.to_owned(),
        reply: Box::new(move |answer| drop(sender.send(answer))),
    };
    if names.submit(query).is_err() {
        return Vec::new();
    }
    match answer.await {
        Ok(Ok(found)) => found.addresses.to_vec(),
        _ => Vec::new(),
    }
}

/// `?balancer_health=1`: the upstream as a whole.
fn balancer(admin: &Admin, upstream: &Object, targets: Vec<Value>) -> Value {
    let sum = |pointer: &str| -> u64 {
        let weights = targets.iter().filter_map(|target| target.pointer(pointer));
        weights.filter_map(Value::as_u64).sum()
    };
    let total = sum("/data/weight/total");
    json!({
        "data": {
            "id": upstream.get("id"),
            "health": "HEALTHCHECKS_OFF",
            "balancer_health": "HEALTHCHECKS_OFF",
            "details": {
                "healthy": total > 0,
                "weight": { "total": total, "available": total, "unavailable": 0 },
                "hosts": targets.iter().map(|target| target["data"].clone()).collect::<Vec<_>>(),
            },
        },
        "next": null,
        "node_id": admin.node_id,
    })
}

/// `PUT …/healthy` and `…/unhealthy`: there is no checker that could keep the mark.
pub(crate) fn mark(entities: &Entities, upstream: &str, target: &str) -> Result<Value, Refusal> {
    let (parent, child) = item::child(entities, TARGETS, upstream, target)?;
    child.ok_or(Refusal::NotFound)?;
    let upstream = entities.get(EntityKind::UPSTREAMS, parent)?;
    let name = upstream
        .as_ref()
        .and_then(|upstream| upstream.get("name")?.as_str());
    Err(bad(&format!(
        "no healthchecker found for {}",
        name.unwrap_or_default()
    )))
}
