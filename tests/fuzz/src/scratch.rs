//! A directory of this process's own for inputs that only a file can carry.
//!
//! It lies in `TMPDIR`, which should be in memory: a target writes to it thousands of times a second.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// The directory. It stays behind after a crash, with the files that caused it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty directory with that name.
    pub fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("silverback-fuzz-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("TMPDIR can be written to");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it with that content.
    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, content).expect("TMPDIR can be written to");
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
