//! Configuration files: the line grammar, every key, the rules between keys, and the dump that a
//! reload starts from.
#![no_main]

use std::cell::LazyCell;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use silverback_fuzz::Scratch;
use silverback_schema::conf::{LoadOptions, Loaded, display, dump, load};

thread_local! {
    static SCRATCH: LazyCell<Scratch> = LazyCell::new(|| Scratch::new("conf"));
}

fuzz_target!(|text: &[u8]| {
    match from_file("kong.conf", text) {
        Ok(loaded) => check_dump(&loaded),
        Err(errors) => assert_eq!(from_file("kong.conf", text), Err(errors)),
    }
});

/// The errors as a user reads them.
fn from_file(name: &str, text: &[u8]) -> Result<Loaded, Vec<String>> {
    let path: PathBuf = SCRATCH.with(|scratch| scratch.write(name, text));
    let loaded = load(&LoadOptions {
        conf_file: Some(path),
        ..LoadOptions::default()
    });
    loaded.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// A dump says the same configuration, and says it the same way when it is dumped again.
fn check_dump(loaded: &Loaded) {
    let dumped = dump(&loaded.config);
    let again = from_file(".kong_env", dumped.as_bytes())
        .unwrap_or_else(|errors| panic!("{dumped}\n{errors:?}"));
    assert_eq!(again.config, loaded.config, "{dumped}");
    assert_eq!(dump(&again.config), dumped);
    assert!(
        display(&loaded.config)
            .iter()
            .all(|line| !line.contains('\n'))
    );
}
