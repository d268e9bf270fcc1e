//! The reference page of the plugins, `schema/plugins.md`, written from [`PLUGINS`].
//!
//! A test fails when the committed page is stale.

use super::{PLUGINS, Plugin};
use crate::field::{Kind, Type};
use crate::reference::{self, LEGEND};

const HEAD: &str = "\
# Plugins

Every bundled plugin, in the order in which they run, and the fields of its `config`. Written from
`schema/src/plugin` by `UPDATE_PAGES=1 cargo test -p silverback-schema reference`.

";

/// The whole page.
fn page() -> String {
    let mut plugins: Vec<&Plugin> = PLUGINS.to_vec();
    plugins.sort_by_key(|plugin| -plugin.priority);
    let mut page = format!("{HEAD}{LEGEND}");
    for plugin in plugins {
        add_plugin(&mut page, plugin);
    }
    page
}

fn add_plugin(page: &mut String, plugin: &Plugin) {
    let field = |name: &str| plugin.schema.fields.iter().find(|f| f.name == name);
    let scopes = ["service", "route", "consumer"];
    let scopes: Vec<_> = scopes
        .into_iter()
        .filter(|name| field(name).is_none())
        .collect();
    let scopes = match scopes.join(", ") {
        scopes if scopes.is_empty() => "global only".to_owned(),
        scopes => format!("global, {scopes}"),
    };
    let protocols = field("protocols").map_or_else(String::new, |field| of_protocols(&field.ty));
    let Plugin { name, priority, .. } = plugin;
    page.push_str(&format!(
        "\n## {name}\n\nPriority {priority}. Scopes: {scopes}. Protocols: {protocols}.\n"
    ));
    if let Some(Kind::Record(config)) = field("config").map(|field| field.ty.kind) {
        reference::add_table(page, config);
    }
}

fn of_protocols(ty: &Type) -> String {
    match ty.kind {
        Kind::Set(element) => reference::allowed(element).unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn the_reference_page_is_not_stale() {
    reference::assert_committed("plugins.md", &page());
}
