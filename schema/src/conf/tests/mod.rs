//! Tests of the configuration reader. A line `conf-cli-ops 10.N` names the numbered behaviour of
//! Kong that a test pins.

mod cluster;
mod file;
mod listeners;
mod reference;
mod text;
mod tls;
mod value;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// The environment that sets these keys.
fn variables(keys: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| {
        (format!("KONG_{}", name.to_uppercase()), (*value).to_owned())
    };
    keys.iter().map(owned).collect()
}

fn from_file(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Vec<ConfError>> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("kong.conf");
    fs::write(&path, text).expect("a scratch file");
    load(&LoadOptions {
        conf_file: Some(path),
        environment: &pairs(environment),
        ..Default::default()
    })
}

/// Loads a configuration with these keys set.
fn with(keys: &[(&str, &str)]) -> Result<Loaded, Vec<ConfError>> {
    load(&LoadOptions {
        environment: &variables(keys),
        ..Default::default()
    })
}

fn config(keys: &[(&str, &str)]) -> NodeConfig {
    loaded(keys).config
}

fn loaded(keys: &[(&str, &str)]) -> Loaded {
    with(keys).unwrap_or_else(|errors| panic!("{keys:?}: {errors:?}"))
}

fn errors(keys: &[(&str, &str)]) -> Vec<String> {
    match with(keys) {
        Ok(_) => panic!("{keys:?} must be refused"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that there is one error, and that it holds every part.
fn assert_refused(keys: &[(&str, &str)], parts: &[&str]) {
    let errors = errors(keys);
    assert_eq!(errors.len(), 1, "{keys:?}: {errors:?}");
    for part in parts {
        assert!(
            errors[0].contains(part),
            "{keys:?}: no {part:?} in {}",
            errors[0]
        );
    }
}

fn assert_warned(loaded: &Loaded, parts: &[&str]) {
    let has_all = |warning: &&String| parts.iter().all(|part| warning.contains(part));
    let found = loaded.warnings.iter().find(has_all);
    assert!(found.is_some(), "no {parts:?} in {:?}", loaded.warnings);
}
