//! What the node says of itself: `/`, `/endpoints`, `/timers`, `/debug/node/log-level`.
//!
//! Source: `kong/api/routes/kong.lua`, `kong/api/routes/debug.lua`. Deviations: `lua_version` is
//! `none`; `silverback_version` is added; `timers` are zero, since there are none.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use silverback_schema::{entity::EntityKind, plugin};

use crate::{
    entities::Entities,
    error::Refusal,
    input::bad,
    route::Routes,
    serve::{Admin, KONG_VERSION},
};

/// Plugins that are read at a time.
const BATCH: usize = 1000;

/// `GET /`
pub(crate) fn get(admin: &Admin, entities: &Entities) -> Result<Value, Refusal> {
    let available: Map<String, Value> = admin
        .rules
        .plugins
        .iter()
        .filter_map(|name| plugin::find(name))
        .map(|plugin| {
            let facts = json!({ "version": plugin::VERSION, "priority": plugin.priority });
            (plugin.name.to_owned(), facts)
        })
        .collect();
    let pid = std::process::id();
    Ok(json!({
        "tagline": "Welcome to kong",
        "version": KONG_VERSION,
        "silverback_version": env!("CARGO_PKG_VERSION"),
        "edition": "community",
        "hostname": admin.node.hostname(),
        "node_id": admin.node_id,
        "lua_version": "none",
        "timers": { "running": 0, "pending": 0 },
        "plugins": {
            "available_on_server": available,
            "enabled_in_cluster": configured_plugins(entities)?,
        },
        "configuration": admin.node.configuration(),
        "pids": { "master": pid, "workers": [pid] },
    }))
}

/// Names of the plugins that the configuration uses.
fn configured_plugins(entities: &Entities) -> Result<BTreeSet<String>, Refusal> {
    let mut names = BTreeSet::new();
    let mut after = None;
    loop {
        let (page, more) = entities.page(EntityKind::PLUGINS, after, BATCH, None)?;
        let name = |entity: &Map<String, Value>| Some(entity.get("name")?.as_str()?.to_owned());
        names.extend(page.iter().filter_map(name));
        after = page.last().and_then(crate::entities::id_of);
        if !more {
            return Ok(names);
        }
    }
}

/// `GET /endpoints`
pub(crate) fn endpoints(routes: &Routes) -> Value {
    json!({ "data": routes.patterns().collect::<Vec<_>>() })
}

/// `GET /timers`
pub(crate) fn timers() -> Value {
    json!({
        "worker": { "id": 0, "count": 1 },
        "stats": {
            "flamegraph": { "running": "", "pending": "", "elapsed_time": "" },
            "sys": { "total": 0, "runs": 0, "running": 0, "pending": 0, "waiting": 0 },
            "timers": {},
        },
    })
}

/// `GET /debug/node/log-level`
pub(crate) fn log_level(admin: &Admin) -> Value {
    json!({ "message": format!("log level: {}", admin.log_levels.level().name()) })
}

/// `PUT /debug/node/log-level/{level}`: Kong's answer without a database.
pub(crate) fn set_log_level() -> Refusal {
    Refusal::Message(
        StatusCode::METHOD_NOT_ALLOWED,
        "cannot change log level when not using a database".to_owned(),
    )
}

/// `/clustering/…`: only a control plane has data planes.
pub(crate) fn clustering() -> Refusal {
    bad(
        "this endpoint is only available when Kong is configured to run as Control Plane for the \
         cluster",
    )
}

/// Everything about filter chains while `wasm` is off.
pub(crate) fn without_wasm() -> Refusal {
    bad("this endpoint is only available when wasm is enabled")
}
