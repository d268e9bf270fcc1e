//! `silverback health`.
//!
//! Source: `kong/cmd/health.lua`; the layout of its answer is kept, scripts look for it.

use anyhow::Result;

use crate::{cli::PrefixArguments, settings, terminal};

pub(super) fn health(arguments: &PrefixArguments) -> Result<()> {
    let prefix = settings::prefix(arguments)?;
    prefix.expect_running()?;
    terminal::say(format_args!(
        "nginx.......running\n\nSilverback is healthy at {}",
        prefix.path().display()
    ));
    Ok(())
}
