//! `silverback prepare`, and the part of it that every start begins with.
//!
//! On the prefix of a running node it leaves the settings that the next SIGHUP takes up.
//!
//! Source: `kong/cmd/prepare.lua`.

use anyhow::Result;
use silverback_schema::conf::NodeConfig;

use crate::{cli::PrepareArguments, command::warn_of_templates, prefix::Prefix, settings};

pub(super) fn prepare(arguments: &PrepareArguments) -> Result<()> {
    warn_of_templates(&arguments.templates);
    fill(&settings::read(&arguments.node)?).map(drop)
}

/// Makes the prefix ready for a node with these settings, which is about to start.
///
/// # Errors
///
/// A node runs there, or it cannot be written.
pub(crate) fn for_start(config: &NodeConfig) -> Result<Prefix> {
    Prefix::new(&config.prefix).expect_idle()?;
    fill(config)
}

fn fill(config: &NodeConfig) -> Result<Prefix> {
    let prefix = Prefix::new(&config.prefix);
    prefix.prepare()?;
    prefix.write_settings(config)?;
    Ok(prefix)
}
