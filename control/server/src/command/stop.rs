//! `silverback stop` and `silverback quit`.
//!
//! Source: `kong/cmd/stop.lua`, `kong/cmd/quit.lua`. Deviation: `stop` waits until the node is gone,
//! so that a `start` right after it finds the ports free.

use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::{
    cli::{PrefixArguments, QuitArguments},
    command::pause,
    settings,
};

/// Time a node has to end after SIGTERM.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

pub(super) fn stop(arguments: &PrefixArguments) -> Result<()> {
    let node = settings::prefix(arguments)?.expect_running()?;
    node.signal(Signal::TERM)?;
    if !node.wait_until_gone(STOP_TIME_MAX) {
        bail!(
            "the node still runs {} s after SIGTERM; its log says more",
            STOP_TIME_MAX.as_secs()
        );
    }
    println!("Silverback stopped");
    Ok(())
}

pub(super) fn quit(arguments: &QuitArguments) -> Result<()> {
    let node = settings::prefix(&arguments.prefix)?.expect_running()?;
    pause(Duration::from_secs(u64::from(arguments.wait)));
    node.signal(Signal::QUIT)?;
    if node.wait_until_gone(Duration::from_secs(u64::from(arguments.timeout))) {
        println!("Silverback stopped (gracefully)");
        return Ok(());
    }
    node.signal(Signal::TERM)?;
    if !node.wait_until_gone(STOP_TIME_MAX) {
        bail!(
            "the node still runs {} s after SIGTERM; its log says more",
            STOP_TIME_MAX.as_secs()
        );
    }
    println!("Timeout, Silverback stopped forcefully");
    Ok(())
}
