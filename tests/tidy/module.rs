//! No dead files: every Rust file is a target of some crate, or a module of one.
//!
//! Follows `mod name;`, `#[path = "..."]` and `include!("...")`, each on a line of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::assert_none;
use crate::dependency::metadata;
use crate::tree::{from_root, read, root, rust_files};

#[test]
fn every_file_is_part_of_a_crate() {
    let reached = reachable_files();
    let breaches = rust_files()
        .iter()
        .filter(|file| !reached.contains(&root().join(&file.path)))
        .map(|file| format!("{} belongs to no crate: declare it or delete it", file.path))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

#[test]
fn every_declared_module_has_a_file() {
    let missing = reachable_files().into_iter().filter(|path| !path.is_file());
    assert_none(
        &missing
            .map(|path| format!("{} is missing", from_root(&path)))
            .collect::<Vec<_>>(),
    );
}

/// All files that a target of the workspace leads to.
fn reachable_files() -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    for package in metadata()["packages"].as_array().unwrap() {
        for target in package["targets"].as_array().unwrap() {
            let path = PathBuf::from(target["src_path"].as_str().unwrap());
            follow(&path, path.parent().unwrap(), &mut reached);
        }
    }
    reached
}

/// Adds `file` and all that it declares; `folder` is where its modules lie.
fn follow(file: &Path, folder: &Path, reached: &mut BTreeSet<PathBuf>) {
    if !reached.insert(file.to_owned()) || !file.is_file() {
        return;
    }
    let own_folder = file.parent().unwrap();
    let mut path_attribute = None;
    for line in read(file).lines().map(str::trim) {
        if let Some(path) = quoted_after(line, "#[path") {
            path_attribute = Some(own_folder.join(path));
        } else if let Some(path) = quoted_after(line, "include!(") {
            follow(&own_folder.join(path), folder, reached);
        } else if let Some(name) = declared_module(line) {
            let child = path_attribute
                .take()
                .unwrap_or_else(|| module_file(folder, name));
            follow(&child, &module_folder(&child), reached);
        }
    }
}

fn quoted_after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.strip_prefix(prefix)?.split('"').nth(1)
}

/// The name in `pub(crate) mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    let declaration = line.strip_suffix(';')?;
    let (visibility, name) = declaration.rsplit_once("mod ")?;
    let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
    let is_name = name
        .chars()
        .all(|character| character.is_alphanumeric() || character == '_');
    (is_declaration && is_name).then_some(name)
}

fn module_file(folder: &Path, name: &str) -> PathBuf {
    let nested = folder.join(name).join("mod.rs");
    if nested.is_file() {
        nested
    } else {
        folder.join(name).with_extension("rs")
    }
}

fn module_folder(file: &Path) -> PathBuf {
    if file.file_name().is_some_and(|name| name == "mod.rs") {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    }
}

#[test]
fn declarations_are_told_from_other_lines() {
    assert_eq!(declared_module("mod tree;"), Some("tree"));
    assert_eq!(declared_module("pub(crate) mod http1;"), Some("http1"));
    assert_eq!(declared_module("mod tests {"), None);
    assert_eq!(declared_module("// see mod tree;"), None);
    assert_eq!(declared_module("let mod_count = 1;"), None);
}
