//! What Kong 3.9.3 has, held against what this repository has.
//!
//! Three tables were written from descriptions of Kong, not from this code: `fields.tsv`,
//! `conf_keys.tsv`, `admin_paths.tsv`. Each test collects what differs, by a key; `exceptions.toml`
//! has a table for each test that says of a key why it may differ. A difference that is not listed
//! fails, and so does a listed one that is none.

mod conf_key;
mod field;
mod path;
mod value;

use std::collections::BTreeMap;
use std::fs;

use crate::directory;

/// What is wrong, by the key under which it may be excepted.
type Breaches = BTreeMap<String, String>;

fn read(name: &str) -> String {
    let path = directory().join("inventory").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a table, each with as many cells as there are columns.
fn rows<const COLUMNS: usize>(name: &str, columns: [&str; COLUMNS]) -> Vec<[String; COLUMNS]> {
    let text = read(name);
    let cells = |line: &str| -> [String; COLUMNS] {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let count = cells.len();
        let wrong = |_| panic!("{name}: {count} cells instead of {COLUMNS} in {line:?}");
        cells.try_into().unwrap_or_else(wrong)
    };
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let head = lines.next().map(cells);
    assert_eq!(head, Some(columns.map(str::to_owned)), "{name}");
    lines.map(cells).collect()
}

/// Fails with each breach that is not excepted, and each exception that is not needed.
#[track_caller]
fn assert_excepted(table: &str, breaches: &Breaches) {
    let mut exceptions: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(&read("exceptions.toml")).expect("exceptions.toml is well-formed");
    let exceptions = exceptions.remove(table).unwrap_or_default();
    let told = complaints(table, breaches, &exceptions);
    assert!(
        told.is_empty(),
        "{} problem(s):\n  {}",
        told.len(),
        told.join("\n  ")
    );
}

fn complaints(
    table: &str,
    breaches: &Breaches,
    exceptions: &BTreeMap<String, String>,
) -> Vec<String> {
    let unlisted = breaches
        .iter()
        .filter(|(key, _)| !exceptions.contains_key(*key))
        .map(|(key, text)| format!("{key}: {text}"));
    let stale = exceptions
        .keys()
        .filter(|key| !breaches.contains_key(*key))
        .map(|key| format!("[{table}] of exceptions.toml lists {key:?}, which does not differ"));
    let empty = exceptions
        .iter()
        .filter(|(_, reason)| reason.trim().is_empty())
        .map(|(key, _)| format!("[{table}] of exceptions.toml gives no reason for {key:?}"));
    unlisted.chain(stale).chain(empty).collect()
}

#[test]
fn what_differs_is_told_unless_listed_and_what_is_listed_must_differ() {
    let pairs = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
        list.iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect()
    };
    let breaches = pairs(&[("a", "is wrong"), ("b", "is wrong"), ("d", "is wrong")]);
    let exceptions = pairs(&[("b", "a reason"), ("c", "a reason"), ("d", " ")]);
    let told = complaints("t", &breaches, &exceptions);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[0], "a: is wrong");
    assert!(told[1].contains("lists \"c\""), "{told:?}");
    assert!(told[2].contains("no reason for \"d\""), "{told:?}");
}

#[test]
fn exceptions_have_only_tables_that_a_test_reads() {
    let tables: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(&read("exceptions.toml")).expect("exceptions.toml is well-formed");
    let known = [
        field::MISSING,
        field::OWN,
        value::WRONG_TYPE,
        value::NULL,
        conf_key::MISSING,
        conf_key::OWN,
        conf_key::VALUES,
        path::METHODS,
        path::OWN,
        path::LISTS,
    ];
    for table in tables.keys() {
        assert!(known.contains(&table.as_str()), "nothing reads [{table}]");
    }
}
