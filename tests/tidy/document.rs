//! Rules about prose: what a page tells the reader to run or open must exist.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::tree::{SourceFile, files, read, root};

/// `ARCHITECTURE.md` is for one sitting.
const ARCHITECTURE_LINES_MAX: usize = 300;

#[test]
fn the_architecture_is_read_in_one_sitting() {
    let lines = read(&root().join("ARCHITECTURE.md")).lines().count();
    assert!(
        lines <= ARCHITECTURE_LINES_MAX,
        "{lines} lines, allowed: {ARCHITECTURE_LINES_MAX}"
    );
}

#[test]
fn pages_name_only_make_targets_that_exist() {
    let makefile = read(&root().join("Makefile"));
    let targets: BTreeSet<&str> = targets(&makefile).collect();
    assert!(
        targets.contains("test"),
        "the Makefile is not read: {targets:?}"
    );
    let mut breaches = Vec::new();
    for page in files("md") {
        for (number, target) in named_targets(&page) {
            if !targets.contains(target) {
                breaches.push(format!("{}:{number} names `make {target}`", page.path));
            }
        }
    }
    assert_none(&breaches);
}

fn targets(makefile: &str) -> impl Iterator<Item = &str> {
    makefile.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let is_name = name.starts_with(|first: char| first.is_ascii_lowercase());
        (is_name && !rest.starts_with('=') && !name.contains(' ')).then_some(name)
    })
}

/// Words after `make` in code: in backticks, or in an indented or fenced line.
fn named_targets(page: &SourceFile) -> Vec<(usize, &str)> {
    let mut named = Vec::new();
    let mut is_fenced = false;
    for (number, line) in page.lines() {
        is_fenced ^= line.starts_with("```");
        if is_fenced || line.starts_with("    ") {
            named.extend(target_in(line.trim()).map(|target| (number, target)));
        } else {
            let codes = line.split('`').skip(1).step_by(2);
            named.extend(codes.filter_map(target_in).map(|target| (number, target)));
        }
    }
    named
}

/// The target in `make target ARGS="..."`.
fn target_in(code: &str) -> Option<&str> {
    let target = code
        .strip_prefix("sudo ")
        .unwrap_or(code)
        .strip_prefix("make ")?;
    let target = target.split_whitespace().next()?;
    (!target.contains('=')).then_some(target)
}

#[test]
fn links_lead_somewhere() {
    let mut breaches = Vec::new();
    for page in files("md") {
        let folder = root().join(&page.path).parent().unwrap().to_owned();
        for (number, line) in page.lines() {
            for link in line
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
            {
                let file = link.split('#').next().unwrap();
                let is_local = !file.is_empty() && !link.contains("://");
                if is_local && !folder.join(file).exists() {
                    breaches.push(format!("{}:{number} links to {link}", page.path));
                }
            }
        }
    }
    assert_none(&breaches);
}

#[test]
fn the_architecture_points_at_files_that_exist() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let page = SourceFile {
        path: "ARCHITECTURE.md".into(),
        text,
    };
    let mut count = 0;
    let mut breaches = Vec::new();
    for (number, line) in page.lines() {
        for path in line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| is_path(code))
        {
            count += 1;
            if !root().join(path).exists() {
                breaches.push(format!("line {number}: {path} does not exist"));
            }
        }
    }
    assert!(count > 10, "only {count} paths: the page is not read");
    assert_none(&breaches);
}

/// Paths in prose begin with a folder of the root, and hold nothing to fill in.
fn is_path(code: &str) -> bool {
    const FOLDERS: [&str; 9] = [
        "schema/",
        "proxy/",
        "control/",
        "benches/",
        "perf/",
        "tests/",
        "packaging/",
        ".ci/",
        "adr/",
    ];
    FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains(['<', '*', ' '])
}

#[test]
fn make_targets_are_found_in_code_only() {
    let text =
        "make sure of `make test`\n\n    make quickstart\n```\nmake perf ARGS=\"-h\"\n```\nmake it";
    let page = SourceFile {
        path: "page.md".into(),
        text: text.into(),
    };
    assert_eq!(
        named_targets(&page),
        [(1, "test"), (3, "quickstart"), (5, "perf")]
    );
}
