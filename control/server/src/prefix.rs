//! The prefix: the directory a node owns.
//!
//! | path | content |
//! |---|---|
//! | `pids/nginx.pid` | process id of the node (Kong's name), locked as long as it lives |
//! | `.kong_env` | the settings the node goes by; mode 0640 |
//! | `logs/error.log`, `logs/access.log`, `logs/admin_access.log` | the logs, unless the settings say otherwise |
//! | `dbless.lmdb/` | the configuration store (of `silverback_schema::snapshot`) |
//!
//! A node holds a lock on its pid file. So "is it running" needs no guess about a process id that
//! another program may have by now, and two nodes cannot share a prefix.
//!
//! Source: `kong/cmd/utils/prefix_handler.lua`, `kong/cmd/utils/kill.lua`.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use silverback_schema::conf::{self, NodeConfig};

use crate::command::pause;

/// Time in which a starting node tries for its lock: another process may hold it for an instant,
/// just to look.
const LOCK_TIME_MAX: Duration = Duration::from_millis(500);

/// Pause between two looks at a lock.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// Mode of `.kong_env`: it may hold secrets.
const SETTINGS_MODE: u32 = 0o640;

/// What is made in every prefix.
const DIRECTORIES: [&str; 3] = ["logs", "pids", "sockets"];

/// The log files, the error log first.
const LOGS: [&str; 3] = ["logs/error.log", "logs/access.log", "logs/admin_access.log"];

/// A node's directory.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(PathBuf);

impl Prefix {
    /// The prefix at an absolute path; nothing is touched.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// `.kong_env`.
    pub(crate) fn settings_file(&self) -> PathBuf {
        self.0.join(".kong_env")
    }

    /// `logs/error.log`.
    pub(crate) fn error_log(&self) -> PathBuf {
        self.0.join(LOGS[0])
    }

    /// A file beside the pid file.
    pub(crate) fn state_file(&self, name: &str) -> PathBuf {
        self.0.join("pids").join(name)
    }

    fn pid_file(&self) -> PathBuf {
        self.state_file("nginx.pid")
    }

    /// Creates the directory and its parts where they are missing.
    ///
    /// # Errors
    ///
    /// The prefix is no directory, or cannot be written.
    pub(crate) fn prepare(&self) -> Result<()> {
        if self.0.exists() && !self.0.is_dir() {
            bail!(
                "{} is not a directory; name another prefix with -p",
                self.0.display()
            );
        }
        fs::create_dir_all(&self.0).with_context(|| self.unwritable())?;
        for part in DIRECTORIES {
            self.create(part, |path| fs::create_dir(path))
                .with_context(|| self.unwritable())?;
        }
        for log in LOGS {
            self.create(log, |path| File::create_new(path).map(drop))
                .with_context(|| self.unwritable())?;
        }
        Ok(())
    }

    /// Creates what is missing, for the owner of the prefix.
    fn create(&self, name: &str, create: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let path = self.0.join(name);
        match create(&path) {
            Ok(()) => self.hand_over(&path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// Gives a file to the owner of the prefix: a command that root runs must not lock a node out
    /// that runs as another user.
    pub(crate) fn hand_over(&self, path: &Path) {
        if let Ok(directory) = fs::metadata(&self.0) {
            // Only root may, and only root has to.
            let _ = chown(path, Some(directory.uid()), Some(directory.gid()));
        }
    }

    fn unwritable(&self) -> String {
        format!(
            "cannot write in the prefix {} (name another with -p)",
            self.0.display()
        )
    }

    /// Writes `.kong_env`: all of it or nothing.
    pub(crate) fn write_settings(&self, config: &NodeConfig) -> Result<()> {
        let text = conf::dump(config);
        self.replace(&self.settings_file(), text.as_bytes())
            .with_context(|| self.unwritable())
    }

    /// Replaces a file's content at once, so that no reader meets half of it.
    pub(crate) fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let fresh = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(SETTINGS_MODE);
        options.open(&fresh)?.write_all(content)?;
        self.hand_over(&fresh);
        fs::rename(&fresh, path)
    }

    /// The node that runs here, if one does.
    pub(crate) fn running(&self) -> Option<RunningNode> {
        let mut file = File::open(self.pid_file()).ok()?;
        match file.try_lock_shared() {
            Ok(()) | Err(TryLockError::Error(_)) => None,
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok()?;
                let pid = text.trim().parse().ok().and_then(Pid::from_raw);
                pid.map(|pid| RunningNode {
                    prefix: self.clone(),
                    pid,
                })
            }
        }
    }

    /// Complains if there is no such directory.
    pub(crate) fn expect_there(&self) -> Result<()> {
        if !self.0.is_dir() {
            bail!(
                "no such prefix: {}; name the node's prefix with -p",
                self.0.display()
            );
        }
        Ok(())
    }

    /// The node that runs here.
    ///
    /// # Errors
    ///
    /// There is no such prefix, or no node in it.
    pub(crate) fn expect_running(&self) -> Result<RunningNode> {
        self.expect_there()?;
        self.running().ok_or_else(|| {
            anyhow!(
                "Silverback is not running in {}; `silverback start` starts it, -p names \
                     another prefix",
                self.0.display()
            )
        })
    }

    /// Complains if a node runs here.
    pub(crate) fn expect_idle(&self) -> Result<()> {
        match self.running() {
            None => Ok(()),
            Some(node) => Err(self.busy(Some(node.pid))),
        }
    }

    fn busy(&self, pid: Option<Pid>) -> anyhow::Error {
        let pid = pid.map_or(String::new(), |p| format!(" (process {p})"));
        let path = self.0.display();
        anyhow!(
            "Silverback is already running in {path}{pid}; `silverback stop -p {path}` ends it, \
             -p names another prefix"
        )
    }

    /// Takes the prefix for this process, until the answer is dropped.
    ///
    /// # Errors
    ///
    /// A node runs here, or the pid file cannot be written.
    pub(crate) fn take(&self) -> Result<PidFile> {
        let deadline = Instant::now() + LOCK_TIME_MAX;
        loop {
            if let Some(taken) = self.try_take().with_context(|| self.unwritable())? {
                return Ok(taken);
            }
            if Instant::now() > deadline {
                return Err(self.busy(self.running().map(|n| n.pid)));
            }
            pause(LOOK_PAUSE);
        }
    }

    fn try_take(&self) -> io::Result<Option<PidFile>> {
        let path = self.pid_file();
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e),
            Ok(()) => {}
        }
        // A node that ends removes its file: the lock counts only on the file that is still there.
        let held = file.metadata()?.ino();
        if fs::metadata(&path).map(|m| m.ino()).ok() != Some(held) {
            return Ok(None);
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Some(PidFile { path, _lock: file }))
    }
}

/// The pid file of this process; removed when dropped.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    _lock: File,
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Left behind it does no harm: without the lock it counts for nothing.
        let _ = fs::remove_file(&self.path);
    }
}

/// A node in another process.
#[derive(Clone, Debug)]
pub(crate) struct RunningNode {
    prefix: Prefix,
    pid: Pid,
}

impl RunningNode {
    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal)
            .with_context(|| format!("cannot send a signal to process {}", self.pid))
    }

    /// Waits until the node is gone; false when it still runs after that time.
    pub(crate) fn wait_until_gone(&self, time_max: Duration) -> bool {
        let deadline = Instant::now() + time_max;
        while self.prefix.running().is_some() {
            if Instant::now() > deadline {
                return false;
            }
            pause(LOOK_PAUSE);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix() -> (tempfile::TempDir, Prefix) {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let prefix = Prefix::new(directory.path());
        prefix.prepare().expect("writable");
        (directory, prefix)
    }

    #[test]
    fn a_taken_prefix_is_running_until_it_is_let_go() {
        let (_directory, prefix) = prefix();
        assert!(prefix.running().is_none());
        let taken = prefix.take().expect("free");
        let pid = prefix.running().expect("taken").pid;
        assert_eq!(
            pid.as_raw_nonzero().get().unsigned_abs(),
            std::process::id()
        );
        prefix.expect_idle().expect_err("taken");
        prefix.take().expect_err("taken");
        drop(taken);
        assert!(prefix.running().is_none());
        prefix.take().expect("free again");
    }

    #[test]
    fn a_stale_pid_file_counts_for_nothing() {
        let (directory, prefix) = prefix();
        fs::write(directory.path().join("pids/nginx.pid"), "1\n").expect("writable");
        assert!(prefix.running().is_none());
        prefix.take().expect("free");
    }

    #[test]
    fn a_file_is_no_prefix() {
        let file = tempfile::NamedTempFile::new().expect("a scratch file");
        let error = Prefix::new(file.path())
            .prepare()
            .expect_err("not a directory");
        assert!(error.to_string().contains("is not a directory"));
    }
}
