//! Vault references: the grammar, and what the env strategy makes of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_schema::vault::env::{Env, NAME};
use silverback_schema::vault::{Reference, ResolveError, Vaults, is_reference};

fuzz_target!(|text: &[u8]| {
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let outcome = Vaults {
        enabled: &[NAME.to_owned()],
        env: Env {
            prefix: Some("K_"),
            variables: &|name| (name.len() % 2 == 0).then(|| r#"{"a":"b","c":1}"#.to_owned()),
        },
    }
    .resolve(text);
    let Ok(reference) = Reference::parse(text) else {
        assert!(matches!(outcome, Err(ResolveError::Reference(_))));
        return;
    };
    assert!(is_reference(text), "{text:?}");
    assert_eq!(reference.to_string(), text);
    assert!(!reference.vault.is_empty() && !reference.resource.is_empty());
    assert!(outcome.is_err() || reference.vault == NAME);
});
