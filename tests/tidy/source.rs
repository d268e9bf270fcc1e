//! Rules about the text of Rust files.

use crate::assert_none;
use crate::tree::{SourceFile, rust_files};

/// Longer lines do not fit beside each other on a screen.
const LINE_CHARS_MAX: usize = 120;

/// Left behind by work that is not done. In two parts, or this file would hold them itself.
const MARKERS: [&str; 6] = [
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("d", "bg!"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("TO", "DO"),
];

/// Names that say nothing about what a module owns.
const EMPTY_NAMES: [&str; 8] = [
    "util", "utils", "helper", "helpers", "misc", "manager", "common", "stuff",
];

/// Text that must not occur in production code below a folder.
struct Ban {
    folder: &'static str,
    words: &'static [&'static str],
    reason: &'static str,
    /// Files that may, each for the reason beside it.
    except: &'static [&'static str],
}

const BANS: [Ban; 4] = [
    Ban {
        folder: "proxy/",
        words: &["Mutex", "RwLock", "Condvar"],
        reason: "shards share nothing but atomics",
        // The mailbox is filled by other threads; a shard looks into it only when the bell rang.
        except: &["proxy/net/src/doorbell.rs"],
    },
    Ban {
        folder: "proxy/core/",
        words: &[
            "Instant::now",
            "SystemTime::now",
            "std::net::Tcp",
            "std::thread",
            "std::fs",
        ],
        reason: "the core is sans-io: time and bytes are passed in",
        except: &[],
    },
    Ban {
        folder: "schema/",
        words: &["std::net::Tcp", "std::net::Udp", "Instant::now"],
        reason: "the vocabulary of both planes does no network I/O and reads no clock but the wall's",
        except: &[],
    },
    Ban {
        folder: "control/",
        words: &["io_uring"],
        reason: "only proxy/net knows how a shard is driven",
        // The command line explains to people what a missing io_uring means.
        except: &["control/server/"],
    },
];

#[test]
fn each_file_opens_with_what_it_is_for() {
    let breaches = rust_files()
        .iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{} does not open with //!", file.path))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

#[test]
fn no_line_is_too_long() {
    assert_none(&each_line(|line| {
        let length = line.chars().count();
        (length > LINE_CHARS_MAX).then(|| format!("{length} characters"))
    }));
}

#[test]
fn no_unfinished_work_is_left() {
    assert_none(&each_line(|line| {
        let marker = MARKERS.iter().find(|marker| has_word(line, marker))?;
        Some(format!("leftover {marker}"))
    }));
}

#[test]
fn module_names_say_what_they_own() {
    let breaches = rust_files()
        .iter()
        .filter(|file| {
            let parts = file.path.trim_end_matches(".rs").split('/');
            parts.into_iter().any(|part| EMPTY_NAMES.contains(&part))
        })
        .map(|file| format!("{}: name it after what it owns", file.path))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

#[test]
fn each_folder_keeps_to_its_means() {
    let files = rust_files();
    let breaches = BANS
        .iter()
        .flat_map(|ban| breaches_of(ban, &files))
        .collect::<Vec<_>>();
    assert_none(&breaches);
}

fn breaches_of(ban: &Ban, files: &[SourceFile]) -> Vec<String> {
    let bound = files.iter().filter(|file| {
        file.path.starts_with(ban.folder)
            && !ban
                .except
                .iter()
                .any(|except| file.path.starts_with(except))
    });
    bound
        .flat_map(|file| file.production_lines().map(move |line| (file, line)))
        .filter(|(_, (_, line))| !line.trim_start().starts_with("//"))
        .filter_map(|(file, (number, line))| {
            let word = ban.words.iter().find(|word| has_word(line, word))?;
            Some(format!(
                "{}:{number} names {word}: {}",
                file.path, ban.reason
            ))
        })
        .collect()
}

/// Judges every line of every file.
fn each_line(judge: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust_files() {
        for (number, line) in file.lines() {
            if let Some(breach) = judge(line) {
                breaches.push(format!("{}:{number}: {breach}", file.path));
            }
        }
    }
    breaches
}

/// Whether `word` occurs with no letter, digit or underscore right before or after it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn a_word_inside_a_longer_one_is_not_found() {
    let marker = MARKERS[4];
    assert!(has_word(&format!("// {marker}: later"), marker));
    assert!(!has_word(&format!("/tmp/file{marker}"), marker));
    assert!(has_word("use std::sync::Mutex;", "Mutex"));
    assert!(!has_word("struct MutexGuardian;", "Mutex"));
}

#[test]
fn a_ban_does_not_bind_tests_and_comments() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.into(),
        text: text.into(),
    };
    let files = [
        file(
            "proxy/core/src/a.rs",
            "//! A Mutex.\nuse std::sync::Mutex;\n#[cfg(test)]\nMutex",
        ),
        file("proxy/core/src/tests.rs", "Mutex"),
        file("control/admin/src/a.rs", "Mutex"),
    ];
    let breaches = breaches_of(&BANS[0], &files);
    assert_eq!(breaches.len(), 1, "{breaches:?}");
    assert!(
        breaches[0].starts_with("proxy/core/src/a.rs:2 names Mutex"),
        "{breaches:?}"
    );
}
