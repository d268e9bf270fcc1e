//! `silverback reload`: validates first, so that a bad configuration changes nothing; returns when
//! the node serves the new one.
//!
//! Source: `kong/cmd/reload.lua`. Deviations: with `-c` the file replaces the former settings instead
//! of being laid over them; the declarative file is read again also when this invocation does not
//! name it.

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::{
    cli::{NodeArguments, ReloadArguments, Verbosity},
    log,
    receipt::Ask,
    settings,
};

/// What every failure of a reload means.
const KEPT: &str = "nothing was reloaded, the node goes on as before";

pub(super) fn reload(arguments: ReloadArguments, verbosity: Verbosity) -> Result<()> {
    let arguments = &NodeArguments {
        conf: arguments.conf,
        prefix: arguments.prefix,
    };
    let prefix = match &arguments.conf {
        Some(_) => crate::prefix::Prefix::new(&settings::load(arguments, verbosity)?.prefix),
        None => settings::prefix(&arguments.prefix)?,
    };
    let node = prefix.expect_running()?;
    let config = settings::load_for_reload(&prefix, arguments, verbosity).context(KEPT)?;
    if let Some(declared) = settings::declared(&config) {
        declared.read().context(KEPT)?;
    }
    let ask = Ask::leave(&prefix)?;
    prefix.write_settings(&config)?;
    node.signal(Signal::HUP)?;
    for warning in ask.wait(&node).context(KEPT)? {
        log::warn_on_terminal(&warning);
    }
    if let Some(warning) = settings::without_effect(&config) {
        log::warn_on_terminal(&warning);
    }
    println!("Silverback reloaded");
    Ok(())
}
