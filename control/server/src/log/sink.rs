//! Where error log lines go: a file that can be opened again, or stderr; and whether stderr is the
//! systemd journal, which puts the time in front by itself and takes the severity from a prefix.
//!
//! Source: `sd-daemon(3)`, `systemd.exec(5)` (`JOURNAL_STREAM`).

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use tracing_subscriber::fmt::MakeWriter;

/// Where lines go.
#[derive(Clone)]
pub(super) enum Sink {
    Stderr,
    File(Arc<(PathBuf, Mutex<File>)>),
}

impl Sink {
    pub(super) fn stderr() -> Self {
        Self::Stderr
    }

    pub(super) fn file(path: &Path) -> Result<Self> {
        let file =
            open(path).with_context(|| format!("cannot write the log file {}", path.display()))?;
        Ok(Self::File(Arc::new((path.to_owned(), Mutex::new(file)))))
    }

    pub(super) fn reopen(&self) -> io::Result<()> {
        if let Self::File(target) = self {
            let (path, file) = target.as_ref();
            let fresh = open(path)?;
            *file.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }

    /// Whether lines go to the journal.
    #[expect(
        clippy::disallowed_methods,
        reason = "systemd's word about a stream, not a setting"
    )]
    pub(super) fn is_journal(&self) -> bool {
        let own = || {
            let stream: File = io::stderr().as_fd().try_clone_to_owned()?.into();
            stream.metadata()
        };
        match (self, own()) {
            (Self::Stderr, Ok(stream)) => is_stream(
                std::env::var("JOURNAL_STREAM").ok().as_deref(),
                stream.dev(),
                stream.ino(),
            ),
            _ => false,
        }
    }
}

/// Whether `JOURNAL_STREAM` speaks of the stream with that device and inode.
fn is_stream(journal: Option<&str>, device: u64, inode: u64) -> bool {
    journal
        .and_then(|text| text.split_once(':'))
        .is_some_and(|(d, i)| d.parse() == Ok(device) && i.parse() == Ok(inode))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stderr => io::stderr().write(line),
            Self::File(target) => target
                .1
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Sink {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        assert!(is_stream(Some("9:4711"), 9, 4711));
        for other in [
            None,
            Some(""),
            Some("9"),
            Some("9:4712"),
            Some("8:4711"),
            Some("9:x"),
        ] {
            assert!(!is_stream(other, 9, 4711), "{other:?}");
        }
    }
}
