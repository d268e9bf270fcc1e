//! Validates configurations of plugins for tests.

use serde_json::{Value, json};

use super::tests::validate_plugin;

/// The plugin takes the configuration and makes this of it.
#[track_caller]
pub(super) fn accepts(plugin: &str, config: Value, expected: Value) {
    let sent = config.to_string();
    match validate_plugin(json!({ "config": config }), plugin) {
        Ok(object) => assert_eq!(object["config"], expected, "{plugin} with {sent}"),
        Err(errors) => panic!("{plugin} with {sent}: {}", errors),
    }
}

/// The plugin refuses the configuration with this tree of errors.
#[track_caller]
pub(super) fn refuses(plugin: &str, config: Value, expected: Value) {
    let sent = config.to_string();
    match validate_plugin(json!({ "config": config }), plugin) {
        Ok(object) => panic!("{plugin} with {sent} became {}", object["config"]),
        Err(errors) => assert_eq!(errors, expected, "{plugin} with {sent}"),
    }
}
