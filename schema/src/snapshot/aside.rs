//! Moves a cache that cannot be trusted out of the way, for people to look at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Caches set aside that are kept; the oldest goes first.
const KEPT_MAX: usize = 3;
/// The file that says why.
const REASON_FILE: &str = "reason.txt";

/// Renames the directory to `<name>.damaged-<n>` and returns the new name.
///
/// # Errors
/// When the system refuses.
pub(super) fn set_aside(path: &Path, reason: &str) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .unwrap_or(OsStr::new("dbless.lmdb"))
        .to_string_lossy();
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let prefix = format!("{name}.damaged-");
    let mut numbers = existing(parent, &prefix)?;
    numbers.sort_unstable();
    while numbers.len() >= KEPT_MAX {
        let oldest = parent.join(format!("{prefix}{}", numbers.remove(0)));
        tracing::warn!(path = %oldest.display(), "removing the oldest cache that was set aside");
        fs::remove_dir_all(oldest)?;
    }
    let number = numbers.last().map_or(1, |last| last + 1);
    let kept_as = parent.join(format!("{prefix}{number}"));
    fs::rename(path, &kept_as)?;
    // The reason is a courtesy; a full disk must not keep the node from starting.
    if let Err(error) = fs::write(kept_as.join(REASON_FILE), format!("{reason}\n")) {
        tracing::warn!(%error, "could not write down why the cache was set aside");
    }
    Ok(kept_as)
}

fn existing(parent: &Path, prefix: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(parent)? {
        let name = entry?.file_name();
        let number: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix)?.parse().ok());
        numbers.extend(number);
    }
    Ok(numbers)
}
