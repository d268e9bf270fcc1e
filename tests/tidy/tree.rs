//! The files of the repository, as they lie in the work tree.

use std::fs;
use std::path::{Path, PathBuf};

/// Build output, history, and crates outside the workspace.
const FOLDERS_SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "tests/fuzz"];

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root folder")
}

/// A text file and its path from the root.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// flatc's output is committed as it comes.
    fn is_generated(&self) -> bool {
        self.path.contains("/generated/")
    }

    /// The lines before the file's own test module; none if all of it is tests.
    pub(crate) fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        let lines = self
            .text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]");
        numbered(lines).take(if is_test { 0 } else { usize::MAX })
    }

    /// All lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(self.text.lines())
    }
}

fn numbered<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    lines.enumerate().map(|(index, line)| (index + 1, line))
}

/// Every Rust file written by hand.
pub(crate) fn rust_files() -> Vec<SourceFile> {
    let mut files = files("rs");
    files.retain(|file| !file.is_generated());
    assert!(
        files.len() > 10,
        "only {} Rust files: the walk is broken",
        files.len()
    );
    files
}

/// Every file with this extension, sorted by path.
pub(crate) fn files(extension: &str) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    walk(root(), &mut paths);
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
        .iter()
        .map(|path| SourceFile {
            path: from_root(path),
            text: read(path),
        })
        .collect()
}

/// The text of one file.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = from_root(&path);
        let is_skipped = FOLDERS_SKIPPED.iter().any(|skipped| {
            name == *skipped || path.file_name().is_some_and(|last| last == *skipped)
        });
        if is_skipped {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            walk(&path, paths);
        } else if path.is_file() {
            paths.push(path);
        }
    }
}

/// The path relative to the root, with `/` between its parts.
pub(crate) fn from_root(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
