//! How `reload` learns that a node has done what the signal asked for.
//!
//! Before the signal, `reload` leaves a token in `pids/reload.ask`; the node reads it when it
//! begins, and when it is done puts it with the outcome into `pids/reload.done`. A lock on
//! `reload.ask` keeps several `reload` commands apart. A bare SIGHUP leaves no token and gets no
//! receipt.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    command::pause,
    prefix::{Prefix, RunningNode},
};

const ASK: &str = "reload.ask";
const DONE: &str = "reload.done";
const FINE: &str = "fine";

/// Pause between two looks for the receipt.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Time a node has for a reload: reading and compiling a very large configuration takes some.
const RELOAD_TIME_MAX: Duration = Duration::from_secs(300);

/// A `reload` command's side; holds other reloads off until dropped.
pub(crate) struct Ask {
    prefix: Prefix,
    token: String,
    _lock: File,
}

impl Ask {
    /// Leaves a token; to be followed by the signal.
    pub(crate) fn leave(prefix: &Prefix) -> Result<Self> {
        let path = prefix.state_file(ASK);
        let leave = || {
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            prefix.hand_over(&path);
            file.lock()?;
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let nanos = since.map_or(0, |d| d.as_nanos());
            let token = format!("{}-{nanos}", std::process::id());
            file.set_len(0)?;
            file.write_all(token.as_bytes())?;
            Ok::<_, std::io::Error>((file, token))
        };
        let (lock, token) = leave().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            prefix: prefix.clone(),
            token,
            _lock: lock,
        })
    }

    /// Waits for the node's receipt. Its warnings are the answer.
    ///
    /// # Errors
    ///
    /// The node could not reload and goes on as before, ended, or did not answer in time.
    pub(crate) fn wait(self, node: &RunningNode) -> Result<Vec<String>> {
        let deadline = Instant::now() + RELOAD_TIME_MAX;
        loop {
            if let Some(outcome) = self.receipt() {
                return outcome;
            }
            if node.wait_until_gone(Duration::ZERO) {
                bail!("the node ended during the reload; its log says why");
            }
            if Instant::now() > deadline {
                bail!(
                    "the node did not finish the reload within {} s; its log says more",
                    RELOAD_TIME_MAX.as_secs()
                );
            }
            pause(LOOK_PAUSE);
        }
    }

    fn receipt(&self) -> Option<Result<Vec<String>>> {
        let text = fs::read_to_string(self.prefix.state_file(DONE)).ok()?;
        let mut lines = text.lines();
        if lines.next() != Some(&self.token) {
            return None;
        }
        match lines.next()? {
            FINE => Some(Ok(lines.map(str::to_owned).collect())),
            error => Some(Err(anyhow::anyhow!("{error}"))),
        }
    }
}

/// A node's side.
pub(crate) struct Receipt {
    prefix: Prefix,
    token: Option<String>,
}

impl Receipt {
    /// Looks for a token; to be called before anything is read again.
    pub(crate) fn begin(prefix: &Prefix) -> Self {
        let token = fs::read_to_string(prefix.state_file(ASK)).ok();
        Self {
            prefix: prefix.clone(),
            token: token.filter(|t| !t.is_empty()),
        }
    }

    /// Tells how it went.
    pub(crate) fn end(self, outcome: &Result<Vec<String>>) {
        let Some(token) = self.token else { return };
        let lines = match outcome {
            Ok(warnings) => std::iter::once(FINE.to_owned())
                .chain(warnings.iter().map(|w| crate::log::one_line(w)))
                .collect::<Vec<_>>(),
            Err(error) => vec![crate::log::told(error)],
        };
        let text = format!("{token}\n{}\n", lines.join("\n"));
        if let Err(e) = self
            .prefix
            .replace(&self.prefix.state_file(DONE), text.as_bytes())
        {
            tracing::warn!("`silverback reload` cannot be told the outcome: {e}");
        }
    }
}
