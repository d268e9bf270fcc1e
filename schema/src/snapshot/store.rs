//! The store: one writer, any number of readers, one LMDB environment at `<prefix>/dbless.lmdb`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::apply::{self, Transaction};
use super::aside;
use super::check::{self, Found};
use super::delta::{self, Delta};
use super::error::StoreError;
use super::gate::{Gate, Waker};
use super::lmdb::{Environment, LmdbError, io_error};
use super::reader::{self, Snapshot};
use super::view::Meta;
use crate::declarative::Config;

/// Address space that the map reserves at first. The file is sparse: only what is used costs.
pub const MAP_BYTES_DEFAULT: usize = 64 * 1024 * 1024 * 1024;
/// How long the writer waits for readers to let go when the map must grow.
pub const GROW_PATIENCE_DEFAULT: Duration = Duration::from_secs(5);
/// Doublings of the map that one write may cause.
const GROWTHS_MAX: u32 = 16;

pub(super) const DATA_FILE: &str = "data.mdb";
pub(super) const WRITER_LOCK_FILE: &str = "writer.lock";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Bytes of the map at first; rounded up to whole pages.
    pub map_bytes: usize,
    /// How long the writer waits for readers to let go when the map must grow.
    pub grow_patience: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            map_bytes: MAP_BYTES_DEFAULT,
            grow_patience: GROW_PATIENCE_DEFAULT,
        }
    }
}

impl StoreOptions {
    /// The defaults, with a map of at least `lmdb_map_size` bytes.
    pub fn with_map_size(lmdb_map_size: usize) -> Self {
        Self {
            map_bytes: MAP_BYTES_DEFAULT.max(lmdb_map_size),
            ..Self::default()
        }
    }
}

/// An opened store and what was found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What was found.
    pub state: State,
}

/// What [`Store::open`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No configuration yet.
    Fresh,
    /// A configuration to serve. Its records are verified as they are read, until
    /// [`Store::verify_all`] has seen them all.
    Loaded,
    /// A file that cannot be trusted; it was moved away and the store is fresh.
    SetAside {
        /// What was wrong with it.
        reason: String,
        /// Where it is now.
        kept_as: PathBuf,
    },
}

/// What a configuration is labelled with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source<'a> {
    /// Where it came from, for people: a file's name, `Admin API`, a control plane's address.
    pub name: &'a str,
    /// Its hash, where whoever sent it named one; else that of the [`Config`], else one that is
    /// derived from the content.
    pub config_hash: Option<&'a str>,
}

/// What a commit made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The version's number.
    pub version: u64,
    /// The hash given with the configuration, else the derived one.
    pub config_hash: String,
    /// Number of routes.
    pub routes: u64,
    /// Records written and removed; what did not change is not written again.
    pub records_changed: u64,
}

/// The configuration store of one node.
#[derive(Debug)]
pub struct Store {
    gate: Arc<Gate>,
    writer: Mutex<Writer>,
}

/// What only the writer has.
#[derive(Debug)]
struct Writer {
    grow_patience: Duration,
    // Held open: the lock lasts as long as the file.
    _lock: File,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in the directory `path`, making it if need be. A file that cannot be trusted
    /// is moved away, never deleted.
    ///
    /// # Errors
    /// When the directory cannot be used; the variant says what to do about it.
    pub fn open(path: &Path, options: &StoreOptions) -> Result<Opened, StoreError> {
        let lock = prepare(path)?;
        let data = path.join(DATA_FILE);
        let found = match File::open(&data) {
            Ok(file) => check::check(&file).map_err(|error| io_error(error, data))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Empty,
            Err(error) => return Err(io_error(error, data)),
        };
        if let Found::Broken(reason) = found {
            return Self::open_fresh(path, options, lock, reason);
        }
        let store = Self::open_sound(path, options, lock)?;
        let judged = store.judge();
        match judged {
            Ok(state) => {
                store
                    .gate
                    .is_verified
                    .store(state == State::Fresh, Ordering::Release);
                Ok(Opened { store, state })
            }
            Err(reason) => {
                let Self { gate, writer } = store;
                drop(gate);
                let lock = writer
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner)
                    ._lock;
                Self::open_fresh(path, options, lock, reason)
            }
        }
    }

    /// Moves away what is there and starts anew.
    fn open_fresh(
        path: &Path,
        options: &StoreOptions,
        lock: File,
        reason: String,
    ) -> Result<Opened, StoreError> {
        let kept_as =
            aside::set_aside(path, &reason).map_err(|error| io_error(error, path.into()))?;
        tracing::error!(%reason, kept_as = %kept_as.display(), "set the configuration cache aside");
        drop(lock);
        let lock = prepare(path)?;
        let store = Self::open_sound(path, options, lock)?;
        store.gate.is_verified.store(true, Ordering::Release);
        Ok(Opened {
            store,
            state: State::SetAside { reason, kept_as },
        })
    }

    fn open_sound(path: &Path, options: &StoreOptions, lock: File) -> Result<Self, StoreError> {
        let map_bytes = options.map_bytes.next_multiple_of(MAP_BYTES_STEP);
        let environment = Environment::open(path, map_bytes)?;
        let writer = Writer {
            grow_patience: options.grow_patience,
            _lock: lock,
        };
        Ok(Self {
            gate: Gate::new(environment, path),
            writer: Mutex::new(writer),
        })
    }

    /// Whether what is in the file can be served.
    fn judge(&self) -> Result<State, String> {
        let (txn, _pass) = self.gate.enter().map_err(|error| format!("{error:?}"))?;
        if let Some(reason) = reader::foreign(&txn).map_err(|damaged| damaged.to_string())? {
            return Err(reason);
        }
        match reader::meta(&txn).map_err(|damaged| damaged.to_string())? {
            None if txn.has_records() => Err("it was not written by silverback".into()),
            None => Ok(State::Fresh),
            Some(_) => {
                drop(txn);
                self.snapshot().map_err(|error| error.to_string())?;
                Ok(State::Loaded)
            }
        }
    }

    /// Replaces the configuration in one transaction. Records that stay as they are are not written
    /// again. Blocks for as long as it takes; call it off the request path.
    ///
    /// # Errors
    /// Whatever the error, the version before keeps serving.
    pub fn apply(&self, config: &Config, source: Source<'_>) -> Result<Applied, StoreError> {
        let applied = self.write(|transaction| apply::apply(transaction, config, source))?;
        // Every record was compared with or replaced by what this process encoded.
        self.gate.is_verified.store(true, Ordering::Release);
        self.gate.ring();
        Ok(applied)
    }

    /// Applies changes to the current configuration in one transaction.
    ///
    /// # Errors
    /// Whatever the error, the version before keeps serving.
    pub fn apply_delta(&self, delta: &Delta, source: Source<'_>) -> Result<Applied, StoreError> {
        let applied = self.write(|transaction| delta::apply(transaction, delta, source))?;
        self.gate.ring();
        Ok(applied)
    }

    /// Runs a write, with the map large enough for it.
    fn write(
        &self,
        run: impl Fn(Transaction<'_>) -> Result<Applied, apply::Failure>,
    ) -> Result<Applied, StoreError> {
        let writer = self.writer();
        let environment = &self.gate.environment;
        if environment.used_bytes() > environment.map_bytes() / 2 {
            // Half is left: a reader that does not let go now is no reason to refuse the write.
            if let Err(error) = self.grow(&writer) {
                tracing::warn!(%error, "the map of the configuration cache could not grow early");
            }
        }
        for _ in 0..GROWTHS_MAX {
            let begun = self.begin();
            match begun.and_then(&run) {
                Ok(applied) => return Ok(applied),
                Err(apply::Failure::Lmdb(LmdbError::MapFull)) => self.grow(&writer)?,
                Err(apply::Failure::Lmdb(LmdbError::MapResized)) => {
                    self.gate.resize(0, writer.grow_patience)?;
                }
                Err(apply::Failure::Lmdb(error)) => return Err(error.at(&self.gate.path)),
                Err(apply::Failure::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::MapTooBig {
            bytes: environment.map_bytes(),
        })
    }

    fn begin(&self) -> Result<Transaction<'_>, apply::Failure> {
        let (base, pass) = self.gate.enter()?;
        let write = self.gate.environment.write()?;
        Ok(Transaction {
            base,
            _pass: pass,
            write,
            is_verified: self.is_verified(),
        })
    }

    fn grow(&self, writer: &Writer) -> Result<(), StoreError> {
        let bytes = self.gate.environment.map_bytes().saturating_mul(2);
        self.gate.resize(bytes, writer.grow_patience)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The current version. Waits while the map grows.
    ///
    /// # Errors
    /// When a record that every reader needs is damaged, or the system refuses.
    pub fn reader(&self) -> Result<Snapshot, StoreError> {
        self.snapshot()
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // Read before the transaction begins: a version written meanwhile is ours, hence verified.
        let is_verified = self.is_verified();
        let (txn, pass) = match self.gate.enter() {
            Err(LmdbError::MapResized) => {
                let writer = self.writer();
                self.gate.resize(0, writer.grow_patience)?;
                self.gate.enter()
            }
            entered => entered,
        }
        .map_err(|error| error.at(&self.gate.path))?;
        Ok(Snapshot::new(txn, pass, is_verified)?)
    }

    /// Changes with each commit, and when readers should let go for the map to grow: whoever holds
    /// a [`Snapshot`] compares it between requests, and then drops the snapshot and takes a new one.
    pub fn epoch(&self) -> u64 {
        self.gate.epoch.load(Ordering::Relaxed)
    }

    /// Sets what is called whenever [`Self::epoch`] changed, from the writer's thread. It must not
    /// call back into the store.
    pub fn set_waker(&self, waker: Waker) {
        self.gate.set_waker(waker);
    }

    /// Whether every record is known to be sound.
    pub fn is_verified(&self) -> bool {
        self.gate.is_verified.load(Ordering::Acquire)
    }

    /// Verifies every record of the current version; afterwards readers verify nothing. Takes about
    /// a second for a million routes: run it on a thread of its own after [`State::Loaded`].
    ///
    /// # Errors
    /// The first damaged record; apply a full configuration then.
    pub fn verify_all(&self) -> Result<(), StoreError> {
        let snapshot = self.snapshot()?;
        snapshot.verify()?;
        drop(snapshot);
        self.gate.is_verified.store(true, Ordering::Release);
        // So that readers take new snapshots, which do not verify.
        self.gate.ring();
        Ok(())
    }

    /// What the current version is labelled with.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn meta(&self) -> Result<Meta, StoreError> {
        let (txn, _pass) = self
            .gate
            .enter()
            .map_err(|error| error.at(&self.gate.path))?;
        Ok(reader::meta(&txn)?.unwrap_or_default())
    }

    /// Relabels the current version as one of another format.
    #[cfg(test)]
    pub(super) fn write_format_version(&self, format: u32) {
        let mut encoder = super::record::Encoder::new();
        let args = crate::generated::FormatArgs { version: format };
        let root = crate::generated::Format::create(&mut encoder.builder, &args);
        let value = encoder.seal(root);
        self.write_raw(super::Place::Meta, super::keys::META, Some(value));
    }

    /// Puts a value under a key, or takes it away, past all rules.
    #[cfg(test)]
    pub(super) fn write_raw(&self, place: super::Place, key: &[u8], value: Option<&[u8]>) {
        let mut write = self.begin().expect("a transaction").write;
        match value {
            Some(value) => write.put(place, key, value).expect("room"),
            None => assert!(write.delete(place, key).expect("readable")),
        }
        write.commit().expect("committed");
    }

    /// Bytes of the map, and how many of them were ever used.
    pub fn map_usage(&self) -> (usize, usize) {
        (
            self.gate.environment.map_bytes(),
            self.gate.environment.used_bytes(),
        )
    }
}

/// The map is sized in these steps: a multiple of every page size there is.
const MAP_BYTES_STEP: usize = 64 * 1024;

/// Makes the directory and takes the writer's lock.
fn prepare(path: &Path) -> Result<File, StoreError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => {
            return Err(StoreError::NotADirectory {
                path: path.to_owned(),
            });
        }
        Ok(_) => {}
        Err(_) => fs::create_dir_all(path).map_err(|error| io_error(error, path.to_owned()))?,
    }
    let lock_path = path.join(WRITER_LOCK_FILE);
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(|error| io_error(error, lock_path.clone()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(io_error(error, lock_path)),
    }
}
