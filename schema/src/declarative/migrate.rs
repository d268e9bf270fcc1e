//! Paths of files older than 3.0, in which a regex was told from a prefix by its characters.
//!
//! Source: `kong/db/declarative/migrations/route_path.lua`,
//! `kong/db/migrations/migrate_path_280_300.lua` of Kong 3.9.3. As there, only `routes` at the top
//! and inside services are migrated.

use serde_json::{Map, Value};

use crate::field::text;

/// Rewrites every path of a file of version 1.1 or 2.1.
pub(super) fn migrate(file: &mut Map<String, Value>) {
    migrate_routes(file.get_mut("routes"));
    for service in members(file.get_mut("services")) {
        migrate_routes(service.get_mut("routes"));
    }
}

fn members(list: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    list.and_then(Value::as_array_mut).into_iter().flatten()
}

fn migrate_routes(routes: Option<&mut Value>) {
    for route in members(routes) {
        for path in members(route.get_mut("paths")) {
            if let Value::String(text) = path {
                *text = migrate_path(text);
            }
        }
    }
}

pub(super) fn migrate_path(path: &str) -> String {
    if path.starts_with('~') {
        return path.to_owned();
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%".contains(&byte);
    if path.bytes().all(plain) {
        let normal = text::normal_path(path);
        // Bytes that are no UTF-8 cannot be kept decoded in a text; the validation says so.
        return if normal.contains('\u{fffd}') {
            path.to_owned()
        } else {
            normal.into_owned()
        };
    }
    let decoded = text::decode_percent(path, is_special_in_regex);
    String::from_utf8(decoded).map_or_else(|_| format!("~{path}"), |regex| format!("~{regex}"))
}

fn is_special_in_regex(byte: u8) -> bool {
    b".^$*+-?()[]{}\\|".contains(&byte)
}
