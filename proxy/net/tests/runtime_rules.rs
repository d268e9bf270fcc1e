//! Rules for the source of this crate that keep it clear of known faults of monoio 0.2.4, fixed
//! later in its repository but in no release: a cancelled accept leaks the connection that arrives at
//! that moment (#318), `BufWriter` reads past its bounds (#354), a task that wakes itself goes to the
//! front of the queue and starves the others (#362), and waking tasks from other threads races with
//! their end (#293).

use std::{fs, path::Path};

/// Every source file: its name and its code, comments and unit tests left out.
fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("text");
                sources.push((path.display().to_string(), without_comments(&text)));
            }
        }
    }
    assert!(sources.len() > 10, "all sources are read");
    sources
}

fn without_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

fn occurrences(needle: &str) -> Vec<(String, usize)> {
    sources()
        .iter()
        .map(|(name, code)| (name.clone(), code.matches(needle).count()))
        .filter(|(_, count)| *count > 0)
        .collect()
}

#[test]
fn an_accept_is_awaited_in_place_and_nowhere_raced() {
    let accepts = occurrences(".accept()");
    assert_eq!(accepts.len(), 1, "{accepts:?}");
    assert_eq!(accepts[0].1, 1, "{accepts:?}");
    let (_, code) = sources()
        .into_iter()
        .find(|(name, _)| *name == accepts[0].0)
        .expect("it was found there");
    assert!(code.contains("match listener.listener.accept().await {"));
    // What races futures drops the loser.
    for racing in ["select!", "join!", "cancelable_accept", "Either"] {
        assert_eq!(occurrences(racing), [], "{racing}");
    }
}

#[test]
fn no_buffered_writer_of_the_runtime_is_used() {
    assert_eq!(occurrences("BufWriter"), []);
}

#[test]
fn no_task_wakes_itself() {
    assert_eq!(occurrences("yield_now"), []);
    assert_eq!(occurrences("wake_by_ref"), []);
    // The mailbox wakes tasks, on their own thread and out of another task.
    let wakes = occurrences(".wake()");
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    assert!(wakes[0].0.ends_with("doorbell.rs"), "{wakes:?}");
}

#[test]
fn no_other_thread_wakes_a_task() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the workspace's manifest");
    let line = manifest
        .lines()
        .find(|line| line.starts_with("monoio ="))
        .expect("monoio is named there");
    assert!(line.contains("default-features = false"), "{line}");
    assert!(!line.contains("\"sync\""), "{line}");
}
