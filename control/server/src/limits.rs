//! File descriptors: every connection holds one, and a gateway short of them refuses clients.

use anyhow::{Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// With fewer a node does not start: logs, store, listeners and a handful of connections.
const FILES_MIN: u64 = 128;

/// With fewer a node warns (Kong's threshold).
const FILES_GOOD: u64 = 4096;

/// Raises the soft limit to the hard one. Answers a warning when that is still little.
///
/// # Errors
///
/// Fewer than [`FILES_MIN`] descriptors may be opened.
pub(crate) fn raise_files() -> Result<Option<String>> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // A refusal leaves the soft limit, which is then judged below.
    let _ = setrlimit(Resource::Nofile, wanted);
    judge(getrlimit(Resource::Nofile).current)
}

fn judge(files: Option<u64>) -> Result<Option<String>> {
    let how = "raise it with `ulimit -n 65536`, or LimitNOFILE=65536 in the systemd unit";
    match files {
        Some(files) if files < FILES_MIN => {
            bail!("only {files} files may be open, at least {FILES_MIN} are needed; {how}")
        }
        Some(files) if files < FILES_GOOD => Ok(Some(format!(
            "only {files} files (and connections) may be open; {how}"
        ))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_descriptors_are_refused_or_warned_of() {
        assert!(judge(Some(FILES_MIN - 1)).is_err());
        assert!(judge(Some(FILES_MIN)).expect("starts").is_some());
        assert!(judge(Some(FILES_GOOD)).expect("starts").is_none());
        assert!(judge(None).expect("starts").is_none());
    }
}
