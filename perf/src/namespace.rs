//! A network namespace for the run: loopback only, reno congestion control.
//!
//! Many machines default to bbr, which paces even loopback and hides what a proxy costs; and other
//! programs' traffic has no place in a measurement.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::fact;

/// Prepares the new namespace, then becomes the program and arguments that follow.
const PREPARE: &str = "ip link set lo up \
    && echo reno > /proc/sys/net/ipv4/tcp_congestion_control \
    && exec \"$0\" \"$@\"";

/// Replaces this process by the same program inside a fresh network namespace.
///
/// # Errors
/// Returns only if that did not work: without root, or without `unshare`.
pub(crate) fn re_exec() -> Result<()> {
    if !fact::is_root() {
        anyhow::bail!(
            "a network namespace needs root: run `sudo make perf`, or pass --no-netns to measure \
             in the machine's own (figures then depend on its congestion control and traffic)"
        );
    }
    let program = env::current_exe().context("cannot find this program's own path")?;
    let error = Command::new("unshare")
        .args(["--net", "sh", "-c", PREPARE])
        .arg(program)
        .args(env::args().skip(1))
        .arg("--inside-namespace")
        .exec();
    Err(error).context("cannot run unshare")
}
