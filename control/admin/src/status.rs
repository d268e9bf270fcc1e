//! `GET /status`: counters, memory, and the hash of the running configuration; `/status/ready`;
//! `/status/dns`.
//!
//! Source: `kong/api/routes/health.lua`, `kong/status/ready.lua`. The shape is Kong's;
//! `lua_shared_dicts` holds the configuration store, and `workers_lua_vms` this one process with
//! its resident memory.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::{Value, json};
use silverback_schema::declarative::EMPTY_HASH;

use crate::{
    answer::{self, Answer},
    error::Refusal,
    form::{self, Fields},
    input::{Input, bad},
    serve::Admin,
};

/// Connections and requests since the start; the active ones now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections taken.
    pub accepted: u64,
    /// Connections open now.
    pub active: u64,
    /// Connections taken and not refused for a limit.
    pub handled: u64,
    /// Connections on which a request head is being read.
    pub reading: u64,
    /// Connections on which an answer is being made or written.
    pub writing: u64,
    /// Idle kept-alive connections.
    pub waiting: u64,
    /// Requests read.
    pub requests: u64,
}

/// What the Admin API asks the rest of the node.
pub trait NodeFacts: Send + Sync + 'static {
    /// Sums over the shards.
    fn counters(&self) -> Counters;
    /// The effective node configuration as a JSON object, secrets masked.
    fn configuration(&self) -> Value;
    /// The machine's name.
    fn hostname(&self) -> String;
}

/// Answers `GET /status`.
pub(crate) fn get(admin: &Admin, query: &Fields) -> Result<Value, Refusal> {
    let size = Size::of(form::last(query, "unit"), form::last(query, "scale"));
    Ok(body(admin, &size.map_err(|text| bad(&text))?))
}

/// Answers `GET /status/dns`: there is no client of our own to tell of.
pub(crate) fn dns() -> Answer {
    answer::message(
        StatusCode::NOT_IMPLEMENTED,
        "not implemented with the legacy DNS client",
    )
}

/// Answers `POST /status/ready`: the one thing to say is `status=draining`.
pub(crate) fn set_ready(admin: &Admin, input: &Input) -> Answer {
    let status = input.member("status");
    if status.as_deref() != Some("draining") {
        return answer::empty(StatusCode::BAD_REQUEST);
    }
    admin.is_draining.store(true, Ordering::Relaxed);
    tracing::info!("draining: load balancers are told to stay away (POST /status/ready)");
    answer::empty(StatusCode::NO_CONTENT)
}

/// Answers `GET /status/ready`: whether there is a configuration to serve.
pub(crate) fn ready(admin: &Admin) -> Answer {
    if admin.is_draining.load(Ordering::Relaxed) {
        return answer::message(StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    if admin.agent.running_hash() == EMPTY_HASH {
        let text = "no configuration available (empty configuration present)";
        return answer::message(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    answer::message(StatusCode::OK, "ready")
}

fn body(admin: &Admin, size: &Size) -> Value {
    let c = admin.node.counters();
    let (capacity, used) = admin.agent.store().map_usage();
    let (used, capacity) = (used as u64, capacity as u64);
    json!({
        "memory": {
            "lua_shared_dicts": {
                "dbless.lmdb": { "allocated_slabs": size.show(used), "capacity": size.show(capacity) },
            },
            "workers_lua_vms": [{
                "pid": std::process::id(),
                "http_allocated_gc": size.show(resident_bytes()),
            }],
        },
        "server": {
            "connections_accepted": c.accepted,
            "connections_active": c.active,
            "connections_handled": c.handled,
            "connections_reading": c.reading,
            "connections_writing": c.writing,
            "connections_waiting": c.waiting,
            "total_requests": c.requests,
        },
        "configuration_hash": admin.agent.running_hash(),
    })
}

/// Resident memory of the process; 0 where the kernel does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// How sizes are written: `unit` and `scale` of the query.
#[derive(Debug, PartialEq)]
struct Size {
    /// Divisor and name; none for plain bytes.
    unit: Option<(f64, &'static str)>,
    decimals: usize,
}

/// More decimals than a number of bytes can have.
const DECIMALS_MAX: usize = 30;

impl Size {
    fn of(unit: Option<&str>, scale: Option<&str>) -> Result<Self, String> {
        let unit = match unit.unwrap_or("m") {
            "b" | "B" => None,
            "k" | "K" => Some((1024.0, "KiB")),
            "m" | "M" => Some((1024.0 * 1024.0, "MiB")),
            "g" | "G" => Some((1024.0 * 1024.0 * 1024.0, "GiB")),
            other => {
                let text = format!("invalid unit '{other}' (expected 'k/K', 'm/M', or 'g/G')");
                return Err(text);
            }
        };
        // Kong reads the scale as a Lua number; what is none counts as the default.
        let scale = scale.and_then(|s| s.parse::<f64>().ok()).unwrap_or(2.0);
        if scale < 0.0 {
            return Err("scale must be equal or greater than 0".to_owned());
        }
        let decimals = (0..DECIMALS_MAX)
            .take_while(|d| (d + 1) as f64 <= scale)
            .count();
        Ok(Self { unit, decimals })
    }

    fn show(&self, bytes: u64) -> Value {
        match self.unit {
            None => Value::from(bytes),
            Some((divisor, name)) => Value::from(format!(
                "{:.*} {name}",
                self.decimals,
                bytes as f64 / divisor
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_unit_and_scale() {
        let show = |unit, scale| Size::of(unit, scale).map(|s| s.show(5 << 20));
        assert_eq!(show(None, None), Ok(json!("5.00 MiB")));
        assert_eq!(show(Some("K"), Some("0")), Ok(json!("5120 KiB")));
        assert_eq!(show(Some("b"), None), Ok(json!(5 << 20)));
        assert_eq!(show(Some("g"), Some("3")), Ok(json!("0.005 GiB")));
    }

    #[test]
    fn a_wrong_unit_or_scale_is_named() {
        let unit = Size::of(Some("x"), None);
        assert_eq!(
            unit,
            Err("invalid unit 'x' (expected 'k/K', 'm/M', or 'g/G')".to_owned())
        );
        let scale = Size::of(None, Some("-1"));
        assert_eq!(
            scale,
            Err("scale must be equal or greater than 0".to_owned())
        );
    }

    #[test]
    fn a_huge_scale_is_cut() {
        assert_eq!(
            Size::of(None, Some("1e300")).map(|s| s.decimals),
            Ok(DECIMALS_MAX)
        );
    }
}
