//! `silverback stop` and `silverback quit`.
//!
//! Source: `kong/cmd/stop.lua`, `kong/cmd/quit.lua`. Deviation: `stop` waits until the node is gone,
//! so that a `start` right after it finds the ports free.

use std::time::Duration;

use anyhow::{Result, bail};
use rustix::process::Signal;

use crate::{
    cli::{PrefixArguments, QuitArguments},
    prefix::RunningNode,
    settings, terminal,
};

/// Time a node has to end after SIGTERM.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

pub(super) fn stop(arguments: &PrefixArguments) -> Result<()> {
    end_now(&settings::prefix(arguments)?.expect_running()?)
}

/// Ends a node, and says so.
pub(super) fn end_now(node: &RunningNode) -> Result<()> {
    terminate(node)?;
    terminal::say("Silverback stopped");
    Ok(())
}

pub(super) fn quit(arguments: &QuitArguments) -> Result<()> {
    let seconds = |count: u32| Duration::from_secs(u64::from(count));
    let node = settings::prefix(&arguments.prefix)?.expect_running()?;
    if arguments.wait > 0 && node.wait_until_gone(seconds(arguments.wait)) {
        terminal::error("the node ended by itself before it was told to");
        return Ok(());
    }
    node.signal(Signal::QUIT)?;
    if node.wait_until_gone(seconds(arguments.timeout)) {
        terminal::say("Silverback stopped (gracefully)");
        return Ok(());
    }
    terminate(&node)?;
    terminal::say("Timeout, Silverback stopped forcefully");
    Ok(())
}

fn terminate(node: &RunningNode) -> Result<()> {
    node.signal(Signal::TERM)?;
    if !node.wait_until_gone(STOP_TIME_MAX) {
        bail!(
            "the node still runs {} s after SIGTERM; its log says more",
            STOP_TIME_MAX.as_secs()
        );
    }
    Ok(())
}
