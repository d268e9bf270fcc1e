//! Child processes that end with this program, and what `/proc` says about them.
//!
//! A process is pinned to one core, logs to a file, is stopped on drop (SIGTERM, then SIGKILL), and
//! gets SIGTERM from the kernel should this program die first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The core of the proxy that is measured.
pub(crate) const PROXY_CORE: &str = "0";
/// The core of the load generator and the upstream.
pub(crate) const LOAD_CORE: &str = "1";
/// How long a process may take to come up, attach or stop.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at a state that is waited for.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Names of the kernel's own io_uring worker threads begin with this; nobody can trace them.
const KERNEL_WORKER_PREFIX: &str = "iou-";

/// A command line pinned to one core.
pub(crate) fn pinned(core: &str, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "--cpu-list", core]);
    command.arg(program.as_ref());
    command
}

/// A running child.
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; both its outputs go to `<directory>/output.log`.
    ///
    /// # Errors
    /// The log cannot be written or the program not be run.
    pub(crate) fn spawn(name: &str, directory: &Path, mut command: Command) -> Result<Self> {
        let log = directory.join("output.log");
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// The process ended, or patience did; the message holds what it printed.
    pub(crate) fn wait_until(&mut self, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}):\n{}", self.name, self.output());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is not up after {PATIENCE:?}:\n{}",
                    self.name,
                    self.output()
                );
            }
            pause();
        }
        Ok(())
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // If the signal cannot be sent, the process is just ending.
        let _ = signal(self.pid(), "TERM");
        if wait_for("stopping", || self.has_ended()).is_err() {
            eprintln!("perf: {} does not stop on SIGTERM and is killed", self.name);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Waits until `is_true`, for no longer than [`PATIENCE`].
///
/// # Errors
/// It did not become true in time.
pub(crate) fn wait_for(what: &str, mut is_true: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        if Instant::now() > deadline {
            bail!("{what}: not within {PATIENCE:?}");
        }
        pause();
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits on a state, with a deadline, on no shard"
)]
fn pause() {
    thread::sleep(POLL_INTERVAL);
}

/// Sends a signal by its short name (`TERM`, `INT`).
///
/// # Errors
/// There is no such process.
pub(crate) fn signal(pid: u32, name: &str) -> Result<()> {
    // The shell's own `kill`: the program of that name is not part of a minimal Debian.
    let script = format!("kill -{name} {pid}");
    let status = Command::new("sh")
        .args(["-c", &script])
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        bail!("cannot send {name} to process {pid}")
    }
}

/// CPU time that all threads of the processes have used so far.
///
/// # Errors
/// A process is gone, or `/proc` is not readable.
pub(crate) fn cpu_time(pids: &[u32]) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for pid in pids {
        for thread in threads(*pid)? {
            // A thread may end between the listing and the reading.
            if let Ok(text) = fs::read_to_string(thread.join("schedstat")) {
                total += on_cpu(&text)?;
            }
        }
    }
    Ok(total)
}

/// The first of schedstat's three figures: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Result<Duration> {
    let nanoseconds = schedstat
        .split_whitespace()
        .next()
        .and_then(|text| text.parse().ok());
    Ok(Duration::from_nanos(
        nanoseconds.context("unexpected text in schedstat")?,
    ))
}

fn threads(pid: u32) -> Result<Vec<PathBuf>> {
    let folder = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&folder).with_context(|| format!("process {pid} is gone"))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// The process and all that descend from it.
///
/// # Errors
/// The process is gone.
pub(crate) fn family(pid: u32) -> Result<Vec<u32>> {
    let mut pids = vec![pid];
    for child in children(pid)? {
        pids.extend(family(child)?);
    }
    Ok(pids)
}

/// Processes whose parent is `pid`.
///
/// # Errors
/// The process is gone.
pub(crate) fn children(pid: u32) -> Result<Vec<u32>> {
    let mut pids = Vec::new();
    for thread in threads(pid)? {
        let text = fs::read_to_string(thread.join("children")).unwrap_or_default();
        pids.extend(
            text.split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
    }
    Ok(pids)
}

/// Whether a tracer holds every thread that can be traced.
pub(crate) fn is_traced(pid: u32) -> bool {
    let Ok(threads) = threads(pid) else {
        return false;
    };
    threads
        .iter()
        .filter(|thread| is_traceable(thread))
        .all(|thread| {
            let status = fs::read_to_string(thread.join("status")).unwrap_or_default();
            status.lines().any(|line| {
                line.strip_prefix("TracerPid:")
                    .is_some_and(|tracer| tracer.trim() != "0")
            })
        })
}

fn is_traceable(thread: &Path) -> bool {
    fs::read_to_string(thread.join("comm"))
        .is_ok_and(|name| !name.starts_with(KERNEL_WORKER_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_the_first_figure_of_schedstat() {
        assert_eq!(on_cpu("1500 20 3\n").unwrap(), Duration::from_nanos(1500));
        assert!(on_cpu("").is_err());
    }

    #[test]
    fn a_working_process_uses_cpu_time() {
        let own = [std::process::id()];
        let before = cpu_time(&own).unwrap();
        let mut sum = 0u64;
        // schedstat is brought up to date by the scheduler's tick.
        while cpu_time(&own).unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(cpu_time(&own).unwrap() > before);
    }

    #[test]
    fn a_child_belongs_to_the_family() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let family = family(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            family.contains(&child.id()),
            "{family:?} lacks {}",
            child.id()
        );
    }
}
