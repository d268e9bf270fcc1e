//! Rules between keys. Each looks at a draft and adds its errors and warnings.
//!
//! Source: the checks after parsing in `kong/conf_loader/parse.lua` and `init.lua`.

mod cluster;
mod log_format;
mod plugin_server;
mod tls;

pub use log_format::HTTP_FORMATS;

use std::path::Path;

use super::draft::Draft;

/// Checks them all.
pub(super) fn check(draft: &mut Draft) {
    database(draft);
    cluster::check(draft);
    tls::check(draft);
    log_format::check(draft);
    plugin_server::check(draft);
    manager(draft);
    wasm(draft);
}

/// As in Kong, the table knows the word, so that this can explain.
fn database(draft: &mut Draft) {
    if draft.written("database") == Some("cassandra") {
        draft.refuse(
            "database",
            "Cassandra is not supported since Kong 3.4; use postgres or off",
        );
    }
}

fn manager(draft: &mut Draft) {
    let has_pages = !draft.listeners("admin_gui_listen").is_empty();
    if has_pages && draft.written("admin_listen") == Some("off") {
        draft.warn(
            "admin_listen",
            "Kong Manager does not work without the Admin API",
        );
    }
}

fn wasm(draft: &mut Draft) {
    let path = draft.text("wasm_filters_path");
    if draft.switch("wasm") && path.is_some_and(|path| !Path::new(path).is_dir()) {
        draft.refuse("wasm_filters_path", "there is no such directory");
    }
}
