//! System calls for each request, counted by `strace -c -f` while wrk runs.
//!
//! strace slows its subject several times over, so nothing but the counts is used. Batching (one
//! `epoll_wait` or `io_uring_enter` for many requests) is less under strace than at full speed.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;
use crate::wrk::Load;

/// Calls by name, and the requests they served.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) requests: u64,
}

impl Count {
    /// Calls of this name for each request.
    pub(crate) fn per_request(&self, name: &str) -> f64 {
        ratio(self.calls.get(name).copied().unwrap_or(0), self.requests)
    }

    /// Calls of any name for each request.
    pub(crate) fn total_per_request(&self) -> f64 {
        ratio(self.calls.values().sum(), self.requests)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a few seconds are far below 2^52"
)]
fn ratio(calls: u64, requests: u64) -> f64 {
    calls as f64 / requests as f64
}

/// Attaches to all threads of `pid`, applies the load, detaches.
///
/// # Errors
/// strace may not attach, the load fails, or nothing was answered.
pub(crate) fn count(pid: u32, apply_load: impl FnOnce() -> Result<Load>) -> Result<Count> {
    let file = env::current_dir()?.join(format!("target/perf/strace-{pid}.txt"));
    let mut strace = Command::new("strace")
        .args(["-c", "-f", "-q", "-p", &pid.to_string(), "-o"])
        .arg(&file)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run strace")?;
    let attached = process::wait_for("attaching", || process::is_traced(pid));
    let load = attached.and_then(|()| apply_load());
    // On SIGINT strace detaches and writes its table; it must do so also when the load failed.
    process::signal(strace.id(), "INT").context("strace ended early: is ptrace allowed here?")?;
    strace.wait()?;
    let load = load?;
    if load.requests == 0 {
        bail!("no request was answered");
    }
    let calls = parse(&fs::read_to_string(&file).context("strace wrote no table")?)?;
    Ok(Count {
        calls,
        requests: load.requests,
    })
}

/// Reads strace's table: the fourth column is the count, the last one the name.
fn parse(table: &str) -> Result<BTreeMap<String, u64>> {
    let rows = table
        .lines()
        .skip_while(|line| !line.starts_with("------"))
        .skip(1);
    let mut calls = BTreeMap::new();
    for line in rows.take_while(|line| !line.starts_with("------")) {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (Some(count), Some(name)) = (columns.get(3), columns.last()) else {
            bail!("unexpected line in strace's table: {line}");
        };
        let count = count
            .parse()
            .with_context(|| format!("strace's table: {line}"))?;
        calls.insert((*name).to_owned(), count);
    }
    if calls.is_empty() {
        bail!("strace's table is empty:\n{table}");
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.12    0.200000           4     50000           writev
 39.88    0.100000           2     60000      1000 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.300000           3    110000      1000 total
";

    #[test]
    fn calls_are_read_with_and_without_errors() {
        let calls = parse(TABLE).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!((calls["writev"], calls["recvfrom"]), (50_000, 60_000));
    }

    #[test]
    fn figures_are_per_request() {
        let count = Count {
            calls: parse(TABLE).unwrap(),
            requests: 50_000,
        };
        assert!((count.per_request("recvfrom") - 1.2).abs() < 1e-9);
        assert!((count.total_per_request() - 2.2).abs() < 1e-9);
        assert!(count.per_request("accept4").abs() < 1e-9);
    }

    #[test]
    fn a_table_without_rows_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse("strace: Process 7 attached\n").is_err());
    }
}
