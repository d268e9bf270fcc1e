//! `silverback config db_export`: what the prefix holds, as a declarative file.
//!
//! The file appears whole or not at all, and only its owner may read it: it holds keys and hashed
//! passwords. A file that exists is never replaced.
//!
//! Source: `kong/cmd/config.lua`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result, anyhow, bail};
use silverback_schema::{declarative::export, snapshot::Snapshot};

use crate::{cli::NodeArguments, terminal};

/// The owner reads and writes.
const MODE: u32 = 0o600;

pub(super) fn export(node: &NodeArguments, file: &Path) -> Result<()> {
    // Said again at the end, when the file is put in its place; here before any work.
    if fs::symlink_metadata(file).is_ok() {
        return Err(exists(file));
    }
    let snapshot = super::held(node)?;
    let partial = Partial::make(file)?;
    write(&snapshot, &partial.file)
        .with_context(|| format!("cannot export to {}", file.display()))?;
    partial.put_in_place(file)?;
    terminal::say(format_args!("exported to {}", file.display()));
    Ok(())
}

fn write(snapshot: &Snapshot, file: &File) -> Result<()> {
    let mut out = BufWriter::new(file);
    export::write_snapshot(snapshot, &mut out)?;
    out.flush()?;
    Ok(file.sync_all()?)
}

fn exists(file: &Path) -> Error {
    let place = file.display();
    anyhow!("{place} exists already and was left as it is; name another file, or remove it")
}

/// A file beside the one to be written; it is gone when this is.
struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    fn make(target: &Path) -> Result<Self> {
        let Some(name) = target.file_name() else {
            bail!("{} is no file that could be written", target.display());
        };
        let mut name = name.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let path = target.with_file_name(name);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(MODE).open(&path);
        let file =
            file.with_context(|| format!("cannot write {}; name another file", target.display()))?;
        Ok(Self { path, file })
    }

    /// Gives it its name, unless another file has that by now: unlike renaming, a second name is
    /// refused then.
    fn put_in_place(self, target: &Path) -> Result<()> {
        fs::hard_link(&self.path, target).map_err(|e: io::Error| match e.kind() {
            ErrorKind::AlreadyExists => exists(target),
            _ => Error::from(e).context(format!("cannot write {}", target.display())),
        })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // A leftover is harmless, and its name says what it is.
        let _ = fs::remove_file(&self.path);
    }
}
