//! `/schemas/…`, `/plugins/schema/…`, `/plugins/enabled`: what entities may say, and validation
//! without storing.
//!
//! Source: `kong/api/routes/kong.lua`, `kong/api/routes/plugins.lua`.

use axum::http::StatusCode;
use serde_json::{Value, json};
use silverback_schema::{
    entity::{EntityKind, vault},
    field::{Context, Mode, Rules, Schema},
    plugin,
};

use crate::{error::Refusal, input::Input};

/// `GET /schemas/{name}`
pub(crate) fn entity(name: &str, rules: &Rules) -> Result<Value, Refusal> {
    Ok(schema(name, rules)?.describe())
}

/// `GET /schemas/plugins/{name}`
pub(crate) fn plugin(name: &str) -> Result<Value, Refusal> {
    Ok(known_plugin(name)?.schema.describe())
}

/// `GET /plugins/schema/{name}`: the configuration alone.
pub(crate) fn plugin_config(name: &str) -> Result<Value, Refusal> {
    Ok(known_plugin(name)?.schema.describe_config())
}

/// `GET /schemas/vaults/{name}`
pub(crate) fn vault(name: &str) -> Result<Value, Refusal> {
    let vault = vault::subschema(name).ok_or_else(|| unknown("vault", name))?;
    Ok(vault.describe())
}

/// `GET /schemas/filters/{name}`: there are none.
pub(crate) fn filter(name: &str) -> Refusal {
    let text = format!("Filter '{name}' not found");
    Refusal::Message(StatusCode::NOT_FOUND, text)
}

/// `POST /schemas/…/validate`
pub(crate) fn validate(name: &str, rules: &Rules, input: &Input) -> Result<Value, Refusal> {
    let schema = schema(name, rules)?;
    let object = input.object(schema, None, rules)?;
    let mode = Mode::Insert;
    let outcome = schema.validate(object, Context { mode, rules });
    outcome.map_err(Refusal::Schema)?;
    Ok(json!({ "message": "schema validation successful" }))
}

/// `GET /plugins/enabled`
pub(crate) fn enabled_plugins(rules: &Rules) -> Value {
    json!({ "enabled_plugins": rules.plugins })
}

fn schema(name: &str, rules: &Rules) -> Result<&'static Schema, Refusal> {
    let kind = EntityKind::of_name(name).ok_or_else(|| unknown("entity", name))?;
    Ok(kind.schema(rules))
}

fn known_plugin(name: &str) -> Result<&'static plugin::Plugin, Refusal> {
    plugin::find(name).ok_or_else(|| unknown("plugin", name))
}

fn unknown(what: &str, name: &str) -> Refusal {
    Refusal::Message(StatusCode::NOT_FOUND, format!("No {what} named '{name}'"))
}
