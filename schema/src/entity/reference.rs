//! The reference page of the entities, `schema/entities.md`, written from the registry of kinds.
//!
//! A test fails when the committed page is stale. Routes are those of `traditional_compatible`.

use super::{EntityKind, test_kinds};
use crate::field::{Rules, Schema};
use crate::reference::{self, LEGEND};

const HEAD: &str = "\
# Entities

Every kind of entity, what is referred to before what refers to it; those of plugins come last. Written from
`schema/src/entity` and `schema/src/plugin` by `UPDATE_PAGES=1 cargo test -p silverback-schema reference`.

The endpoint key is the field that names an entity in a path beside its id. The cache key is the fields that are
unique together, of which ids in declarative files are made.
The `config` of plugins is on a [page of its own](plugins.md).

";

/// The whole page.
fn page() -> String {
    let rules = Rules::default();
    let mut page = format!("{HEAD}{LEGEND}");
    let schemas = EntityKind::all().map(|kind| kind.schema(&rules));
    for schema in schemas.filter(|schema| !test_kinds::is_one(schema)) {
        add_entity(&mut page, schema);
    }
    page
}

fn add_entity(page: &mut String, schema: &Schema) {
    page.push_str(&format!("\n## {}\n\n", schema.name));
    match schema.path {
        Some(path) => page.push_str(&format!("- Admin API: `/{path}`\n")),
        None => page.push_str("- Admin API: no path of its own\n"),
    }
    for path in paths_below(schema) {
        page.push_str(&format!("- Below others: `{path}`\n"));
    }
    if let Some(field) = schema.endpoint_key {
        page.push_str(&format!("- Endpoint key: `{field}`\n"));
    }
    if !schema.cache_key.is_empty() {
        let fields = reference::list(schema.cache_key);
        page.push_str(&format!("- Cache key: {fields}\n"));
    }
    if schema.has_ttl {
        page.push_str("- May end by itself: `ttl`, in seconds\n");
    }
    reference::add_table_of_fields(page, schema.fields);
}

/// Its collections below the entities it refers to.
fn paths_below(schema: &Schema) -> Vec<String> {
    let rules = Rules::default();
    let Some(path) = schema.nested_path.or(schema.path) else {
        return Vec::new();
    };
    let parents = schema.references().filter_map(|(_, name)| {
        let parent = EntityKind::of_name(name)?.schema(&rules);
        Some(format!("/{}/{{{name}}}/{path}", parent.path?))
    });
    parents.collect()
}

#[test]
fn the_reference_page_is_not_stale() {
    reference::assert_committed("entities.md", &page());
}
