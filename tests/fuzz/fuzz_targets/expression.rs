//! Expressions of routes, as the schema checks them: a verdict within a moment, the same each time.
//!
//! The first byte of an input chooses the protocols: http or tcp.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use silverback_schema::conf::RouterFlavor;
use silverback_schema::entity::EntityKind;
use silverback_schema::field::{Context, Mode, Rules};

fuzz_target!(|input: &[u8]| {
    let Some((&protocol, text)) = input.split_first() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let protocol = ["http", "tcp"][usize::from(protocol & 1)];
    let Value::Object(route) = json!({ "protocols": [protocol], "expression": text }) else {
        unreachable!("an object was written");
    };
    let rules = Rules {
        router_flavor: RouterFlavor::Expressions,
        ..Rules::default()
    };
    let schema = EntityKind::ROUTES.schema(&rules);
    let context = Context {
        mode: Mode::Declarative(Some("service")),
        rules: &rules,
    };
    let verdict = || {
        let row = schema.validate(route.clone(), context);
        row.map(|row| row.value("expression").clone())
    };
    let first = verdict();
    assert_eq!(first, verdict());
    if let Ok(kept) = first {
        assert_eq!(kept, text);
    }
});
