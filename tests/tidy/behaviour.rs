//! Rules about the inventory of Kong's behaviours, `tests/compat/behaviours.toml`: each is named by a
//! test, or has a reason why not.

use std::collections::{BTreeMap, BTreeSet};

use crate::assert_none;
use crate::tree::{SourceFile, read, root, rust_files};

/// The inventory, from the root.
const INVENTORY: &str = "tests/compat/behaviours.toml";

/// How a test names a behaviour: this and its number.
const MENTION: &str = concat!("conf-cli-", "ops 10.");

/// The table of reasons; every other one holds behaviours.
const REASONS: &str = "untested";

/// The last behaviour.
const NUMBER_MAX: u32 = 166;

/// Texts by number.
type Texts = BTreeMap<u32, String>;

#[test]
fn each_behaviour_is_tested_or_has_a_reason() {
    let (behaviours, reasons) = inventory(&read(&root().join(INVENTORY)));
    let mentions = mentions(&rust_files());
    assert!(mentions.len() > 50, "few mentions are found: {mentions:?}");
    assert_none(&breaches(&behaviours, &reasons, &mentions));
}

#[test]
fn the_inventory_is_complete() {
    let (behaviours, _) = inventory(&read(&root().join(INVENTORY)));
    let missing = (1..=NUMBER_MAX).filter(|number| !behaviours.contains_key(number));
    let missing: Vec<String> = missing
        .map(|number| format!("{INVENTORY} lacks behaviour {number}"))
        .collect();
    assert_none(&missing);
}

/// Behaviours and reasons.
fn inventory(text: &str) -> (Texts, Texts) {
    let tables: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(text).unwrap_or_else(|error| panic!("{INVENTORY}: {error}"));
    let (mut behaviours, mut reasons) = (Texts::new(), Texts::new());
    for (title, table) in tables {
        for (number, text) in table {
            let number = number
                .parse()
                .unwrap_or_else(|_| panic!("{INVENTORY}: {number:?} in {title} is no number"));
            let texts = match title.as_str() {
                REASONS => &mut reasons,
                _ => &mut behaviours,
            };
            let former = texts.insert(number, text);
            assert!(former.is_none(), "{INVENTORY} has {number} twice");
        }
    }
    (behaviours, reasons)
}

/// Where each behaviour is named first.
fn mentions(files: &[SourceFile]) -> Texts {
    let mut mentions = Texts::new();
    for file in files {
        for (line_number, line) in file.lines() {
            for number in line.split(MENTION).skip(1).filter_map(leading_number) {
                let place = || format!("{}:{line_number}", file.path);
                mentions.entry(number).or_insert_with(place);
            }
        }
    }
    mentions
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|character: char| !character.is_ascii_digit());
    text[..end.unwrap_or(text.len())].parse().ok()
}

fn breaches(behaviours: &Texts, reasons: &Texts, mentions: &Texts) -> Vec<String> {
    let tables = [behaviours, reasons, mentions];
    let numbers: BTreeSet<u32> = tables
        .iter()
        .flat_map(|table| table.keys().copied())
        .collect();
    let judge = |number: u32| {
        let Some(text) = behaviours.get(&number) else {
            return Some(format!("there is no behaviour {number} in {INVENTORY}"));
        };
        match (mentions.get(&number), reasons.get(&number)) {
            (None, None) => Some(format!(
                "behaviour {number} ({text}): name it in a test as `{MENTION}{number}`, or give a reason in [{REASONS}]"
            )),
            (Some(place), Some(reason)) => Some(format!(
                "behaviour {number} is named at {place}: take the reason {reason:?} out of [{REASONS}]"
            )),
            _ => None,
        }
    };
    numbers.into_iter().filter_map(judge).collect()
}

#[test]
fn a_behaviour_without_test_and_one_with_both_are_told_by_number() {
    let toml =
        "[a]\n1 = \"x\"\n2 = \"x\"\n3 = \"x\"\n4 = \"x\"\n[untested]\n2 = \"r\"\n3 = \"r\"\n";
    let (behaviours, reasons) = inventory(toml);
    let file = SourceFile {
        path: "a.rs".into(),
        text: format!("// {MENTION}1, {MENTION}3\n\n/// {MENTION}5\n/// {MENTION}N"),
    };
    let told = breaches(&behaviours, &reasons, &mentions(&[file]));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].starts_with("behaviour 3 is named at a.rs:1:"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("behaviour 4 (x): name it in a test"),
        "{told:?}"
    );
    assert!(told[2].starts_with("there is no behaviour 5"), "{told:?}");
}
