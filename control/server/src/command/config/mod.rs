//! `silverback config`: declarative files, and what a prefix holds.
//!
//! Source: `kong/cmd/config.lua`. Deviations: `parse` needs no database; `.lua` files are refused;
//! `db_export` exports what the prefix holds, where Kong needs a database.

mod db_export;
mod dump;
mod init;
mod parse;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use silverback_schema::snapshot::{self, Snapshot};

use crate::{
    cli::{ConfigArguments, ConfigCommand, NodeArguments, PrefixArguments},
    settings,
};

pub(super) fn run(arguments: ConfigArguments) -> Result<()> {
    let node = NodeArguments {
        conf: arguments.conf,
        prefix: PrefixArguments {
            prefix: arguments.prefix,
        },
    };
    match arguments.command {
        ConfigCommand::Init { file } => init::init(&file),
        ConfigCommand::Parse { file } => parse::parse(&file),
        ConfigCommand::DbExport { file } => db_export::export(&node, &file),
        ConfigCommand::Dump => dump::dump(&node),
        ConfigCommand::DbImport { file } => bail!(
            "there is no database to import {} into (database = off); send it to /config of the \
             Admin API, or name it with declarative_config",
            file.display()
        ),
    }
}

/// What the prefix holds.
fn held(node: &NodeArguments) -> Result<Snapshot> {
    let store = place_of_store(node)?;
    snapshot::look(&store)?.with_context(|| {
        format!(
            "{} holds no configuration yet; start a node there, or name its prefix with -p",
            store.display()
        )
    })
}

/// A prefix in which a node was started knows where its store is; `-p` alone then is enough.
fn place_of_store(node: &NodeArguments) -> Result<PathBuf> {
    let prefix = settings::prefix_of(node)?;
    prefix.expect_there()?;
    if !prefix.settings_file().exists() {
        return Ok(prefix.path().join("dbless.lmdb"));
    }
    Ok(settings::read_prepared(&prefix)?.lmdb_environment_path)
}
