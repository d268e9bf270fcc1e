//! `silverback restart`.
//!
//! Source: `kong/cmd/restart.lua`. Deviation: settings and declarative file are checked before the
//! node is stopped, so that a bad file does not end it.

use anyhow::{Context, Result};

use crate::{
    access_log,
    cli::StartArguments,
    command::{start, stop},
    prefix::Prefix,
    settings,
};

/// What a failure before the stop means.
const KEPT: &str = "nothing was stopped, the node goes on as before";

pub(super) fn restart(arguments: &StartArguments) -> Result<()> {
    let config = start::load(arguments)?;
    if let Some(node) = Prefix::new(&config.prefix).running() {
        access_log::check(&config).context(KEPT)?;
        if let Some(declared) = settings::declared(&config) {
            declared.read().context(KEPT)?;
        }
        stop::end_now(&node)?;
    }
    start::in_background(config)
}
