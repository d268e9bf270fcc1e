//! `silverback reload`: validates first, so that a bad configuration changes nothing; returns when
//! the node serves the new one.
//!
//! The settings are those left in the prefix, under the file that `-c` names, under the environment.
//! A declarative configuration counts only if this invocation names it, by its file or environment:
//! without, the node keeps the entities it has, for they may have come by `POST /config`.
//!
//! Source: `kong/cmd/reload.lua`. Deviations: the same rule holds for `declarative_config_string`;
//! a declarative configuration that does not count is named in a warning; settings that take a
//! restart (listeners, shards) are named in warnings and wait for it.

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::{
    access_log,
    cli::{NodeArguments, ReloadArguments},
    command::warn_of_templates,
    prefix::Prefix,
    receipt::Ask,
    settings, terminal,
};

/// What every failure of a reload means.
const KEPT: &str = "nothing was reloaded, the node goes on as before";

pub(super) fn reload(arguments: ReloadArguments) -> Result<()> {
    warn_of_templates(&arguments.templates);
    let fresh = settings::load_quietly(&NodeArguments {
        conf: arguments.conf.clone(),
        prefix: arguments.prefix,
    });
    let fresh = fresh.context(KEPT)?;
    let prefix = Prefix::new(&fresh.prefix);
    let node = prefix.expect_running()?;
    let (config, left_out) =
        settings::load_for_reload(&prefix, arguments.conf, &fresh).context(KEPT)?;
    if let Some(declared) = left_out {
        terminal::warn(&format!(
            "the declarative configuration {} is not read again: neither the configuration file \
             nor the environment of this reload names it; the node keeps its entities",
            declared.place()
        ));
    }
    access_log::check(&config).context(KEPT)?;
    if let Some(declared) = settings::declared(&config) {
        declared.read().context(KEPT)?;
    }
    let ask = Ask::leave(&prefix)?;
    prefix.write_settings(&config)?;
    node.signal(Signal::HUP)?;
    for warning in ask.wait(&node).context(KEPT)? {
        terminal::warn(&warning);
    }
    if let Some(warning) = settings::without_effect(&config) {
        terminal::warn(&warning);
    }
    terminal::say("Silverback reloaded");
    Ok(())
}
