//! The gate between readers and the map: counts them, and clears them out when the map must grow.
//!
//! LMDB may change the size of its map only while no transaction of the process is open. The writer
//! closes the gate, tells the readers through epoch and waker, and waits with a deadline; whoever
//! wants to read meanwhile waits too. Source: LMDB's documentation of `mdb_env_set_mapsize`.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::StoreError;
use super::lmdb::{Environment, LmdbError, ReadTxn};

/// Called when readers should look at the epoch.
pub type Waker = Box<dyn Fn() + Send + Sync>;

/// The environment as readers and the writer share it.
pub(super) struct Gate {
    pub(super) environment: Environment,
    pub(super) path: PathBuf,
    /// Changes with each commit and when readers should let go.
    pub(super) epoch: AtomicU64,
    /// Every record of the current version was verified, or written by this process.
    pub(super) is_verified: AtomicBool,
    waker: Mutex<Option<Waker>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    readers: usize,
    is_closed: bool,
    /// The map could neither be changed nor put back: nothing can be read any more.
    is_lost: bool,
}

/// The right to hold one read transaction.
pub(super) struct Pass {
    gate: Arc<Gate>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.readers -= 1;
        if state.readers == 0 && state.is_closed {
            self.gate.changed.notify_all();
        }
    }
}

impl Gate {
    pub(super) fn new(environment: Environment, path: &Path) -> Arc<Self> {
        Arc::new(Self {
            environment,
            path: path.to_owned(),
            epoch: AtomicU64::new(0),
            is_verified: AtomicBool::new(false),
            waker: Mutex::new(None),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The counters are valid between any two statements, so a panic elsewhere harms nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_waker(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Tells all readers that there is something new.
    pub(super) fn ring(&self) {
        self.epoch.fetch_add(1, Ordering::Release);
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker();
        }
    }

    /// Waits until the gate is open and begins a read transaction.
    pub(super) fn enter(self: &Arc<Self>) -> Result<(ReadTxn, Pass), LmdbError> {
        let pass = self.pass()?;
        Ok((self.environment.read()?, pass))
    }

    fn pass(self: &Arc<Self>) -> Result<Pass, LmdbError> {
        let mut state = self.state();
        while state.is_closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_lost {
            return Err(lost());
        }
        state.readers += 1;
        Ok(Pass {
            gate: Arc::clone(self),
        })
    }

    /// Changes the map to `bytes` (0: what another process made of it) once all readers have let
    /// go. Called by the writer while it has no transaction open.
    pub(super) fn resize(&self, bytes: usize, patience: Duration) -> Result<(), StoreError> {
        self.state().is_closed = true;
        self.ring();
        let waited = self
            .changed
            .wait_timeout_while(self.state(), patience, |state| state.readers > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.readers > 0 {
            state.is_closed = false;
            drop(state);
            self.changed.notify_all();
            return Err(StoreError::ReadersBusy { waited: patience });
        }
        let resized = self.resize_alone(bytes, &mut state);
        state.is_closed = false;
        drop(state);
        self.changed.notify_all();
        resized.map_err(|error| match error {
            LmdbError::Io(_) => StoreError::MapTooBig { bytes },
            other => other.at(&self.path),
        })
    }

    /// The change itself; nobody may have a transaction open.
    #[allow(unsafe_code)]
    fn resize_alone(&self, bytes: usize, state: &mut State) -> Result<(), LmdbError> {
        if state.is_lost {
            return Err(lost());
        }
        let before = self.environment.map_bytes();
        // SAFETY: no reader holds a pass, none can get one before the gate opens, and the caller is
        // the writer and has no transaction.
        let resized = unsafe { self.environment.resize(bytes) };
        if resized.is_err() {
            // LMDB has given up the old map already.
            // SAFETY: as above.
            state.is_lost = unsafe { self.environment.resize(before) }.is_err();
        }
        resized
    }
}

fn lost() -> LmdbError {
    LmdbError::Other("the map was lost when it had to grow; restart silverback".into())
}
