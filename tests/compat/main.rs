//! Recorded behaviour of Kong 3.9.3, replayed against the real binary.
//!
//! `admin/*.json` and `proxy/*.json` were recorded from Kong; `replay.py` replays them and prints what differs.
//! `differences.toml` lists the cases that are known to differ, each with its reason. A case that
//! differs and is not listed fails the test, and so does a listed one that no longer differs.
//!
//! `inventory/` holds what Kong has against what this repository has.
//!
//! `behaviours.toml` lists what can be seen of Kong besides, by the numbers that tests name it with.

mod inventory;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;
use silverback_tests::binary;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Differences {
    #[serde(default)]
    difference: Vec<Difference>,
}

/// A case that is known to differ.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// Name of the case file.
    file: String,
    /// Name of the case.
    name: String,
    /// Why it differs.
    reason: String,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compat")
}

/// File and case.
type Case = (String, String);

fn known() -> BTreeMap<Case, String> {
    let text = fs::read_to_string(directory().join("differences.toml")).expect("readable");
    let known: Differences = toml::from_str(&text).expect("well-formed");
    known
        .difference
        .into_iter()
        .map(|d| ((d.file, d.name), d.reason))
        .collect()
}

fn case_files() -> Vec<PathBuf> {
    let list = |folder| fs::read_dir(directory().join(folder)).expect("the case files are there");
    let entries = ["admin", "proxy"].into_iter().flat_map(list);
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are case files");
    files
}

fn all_cases(files: &[PathBuf]) -> BTreeSet<Case> {
    let mut cases = BTreeSet::new();
    for path in files {
        let text = fs::read_to_string(path).expect("readable");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let file = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        for case in document["cases"].as_array().expect("a list of cases") {
            let name = case["name"]
                .as_str()
                .expect("every case has a name")
                .to_owned();
            assert!(
                cases.insert((file.clone(), name)),
                "case names are unique in a file"
            );
        }
    }
    cases
}

/// Replays the files; what the script printed, and the cases that differ.
fn replay(files: &[PathBuf]) -> (String, BTreeSet<Case>) {
    let binary = binary::path().display();
    let output = Command::new("python3")
        .arg(directory().join("replay.py"))
        .args([
            "replay",
            "--start",
            &format!("'{binary}' start -c {{conf}}"),
        ])
        .args(["--stop", &format!("'{binary}' stop -p {{prefix}}")])
        // The cases of `admin/schemas.json` were recorded with a database and need none.
        .args(["--db-conf", "database = off"])
        .args(files)
        .output()
        .expect("python3 runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let summary = told.lines().last().unwrap_or_default().to_owned();
    assert!(
        summary.ends_with(" failed"),
        "the replay was not finished:\n{told}\n{stderr}"
    );
    let differing = told.lines().filter_map(|line| {
        let (file, case) = line.strip_prefix("FAIL ")?.split_once(" :: ")?;
        Some((file.to_owned(), case.to_owned()))
    });
    (format!("{told}\n{stderr}"), differing.collect())
}

#[test]
fn recorded_cases_are_answered_as_kong_does_or_listed() {
    let (files, known) = (case_files(), known());
    for (case, reason) in &known {
        assert!(
            !reason.trim().is_empty(),
            "{case:?} is listed without a reason"
        );
    }
    let all = all_cases(&files);
    let unknown: Vec<_> = known.keys().filter(|c| !all.contains(*c)).collect();
    assert!(
        unknown.is_empty(),
        "differences.toml lists cases that do not exist: {unknown:#?}"
    );
    let (told, differing) = replay(&files);
    let unlisted: Vec<_> = differing
        .iter()
        .filter(|c| !known.contains_key(*c))
        .collect();
    assert!(
        unlisted.is_empty(),
        "cases differ from Kong: {unlisted:#?}\n{told}"
    );
    let stale: Vec<_> = known.keys().filter(|c| !differing.contains(*c)).collect();
    assert!(
        stale.is_empty(),
        "differences.toml lists cases that no longer differ: {stale:#?}"
    );
}
