//! `silverback config dump`: what the prefix holds, whether a node runs there or not.

use std::io::{self, BufWriter, Write};

use anyhow::{Result, bail};
use silverback_schema::snapshot::{self, DumpError};

use crate::{
    cli::{NodeArguments, Verbosity},
    prefix::Prefix,
    settings,
};

pub(super) fn dump(node: &NodeArguments, verbosity: Verbosity) -> Result<()> {
    let store = place_of_store(node, verbosity)?;
    let Some(snapshot) = snapshot::look(&store)? else {
        bail!(
            "{} holds no configuration yet; start a node there, or name its prefix with -p",
            store.display()
        );
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let written = snapshot::dump(&snapshot, &mut out).and_then(|()| Ok(out.flush()?));
    match written {
        // Whoever reads it has seen enough.
        Err(DumpError::Io(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A prefix in which a node was started knows where its store is; `-p` alone then is enough.
fn place_of_store(node: &NodeArguments, verbosity: Verbosity) -> Result<std::path::PathBuf> {
    let prefix = match &node.conf {
        Some(_) => Prefix::new(&settings::load(node, verbosity)?.prefix),
        None => settings::prefix(&node.prefix)?,
    };
    if !prefix.path().is_dir() {
        bail!(
            "no such prefix: {}; name the node's prefix with -p",
            prefix.path().display()
        );
    }
    if !prefix.settings_file().exists() {
        return Ok(prefix.path().join("dbless.lmdb"));
    }
    Ok(settings::load_prepared(&prefix)?.lmdb_environment_path)
}
