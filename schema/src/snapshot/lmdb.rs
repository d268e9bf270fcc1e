//! The only place that names heed: environment, databases, transactions, and their errors.
//!
//! heed breaks its API on minor releases, hence one wrapper. Readers use transactions without
//! thread-local slots, so that a thread may hold several and a snapshot may move between threads.

use std::io;
use std::ops::Bound;
use std::path::Path;

use heed::types::Bytes;
use heed::{
    CommitOrAbort, Env, EnvFlags, EnvOpenOptions, MdbError, PutFlags, RoRange, RoTxn, RwTxn,
    WithoutTls,
};

use super::error::{Damage, Damaged, Place, StoreError};
use crate::entity::EntityKind;

/// Processes times readers that may look at the environment at once.
const READERS_MAX: u32 = 1024;
/// Named databases that fit; more than there are, for later formats.
const DATABASES_MAX: u32 = 32;
/// The least map that is tried when the address space refuses more.
const MAP_BYTES_MIN: usize = 64 * 1024 * 1024;

type Database = heed::Database<'static, Bytes, Bytes>;

const PLACES: [Place; 10] = Place::ALL;

/// An open environment and its databases.
pub(super) struct Environment {
    env: Env<WithoutTls>,
    databases: [Database; PLACES.len()],
    page_bytes: usize,
}

/// A failed LMDB operation, before the path is added.
#[derive(Debug)]
pub(super) enum LmdbError {
    MapFull,
    MapResized,
    Io(io::Error),
    Other(String),
}

impl From<heed::Error> for LmdbError {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Mdb(MdbError::MapFull) => Self::MapFull,
            heed::Error::Mdb(MdbError::MapResized) => Self::MapResized,
            heed::Error::Mdb(MdbError::Other(code)) => Self::Io(io::Error::from_raw_os_error(code)),
            heed::Error::Io(error) => Self::Io(error),
            other => Self::Other(other.to_string()),
        }
    }
}

impl LmdbError {
    /// The error as the store's callers see it.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => io_error(source, path),
            Self::MapFull => StoreError::DiskFull { path },
            Self::MapResized => StoreError::Lmdb {
                path,
                message: "the map was resized".into(),
            },
            Self::Other(message) => StoreError::Lmdb { path, message },
        }
    }
}

/// Sorts a system error by what the caller can do.
pub(super) fn io_error(source: io::Error, path: std::path::PathBuf) -> StoreError {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::PermissionDenied { path, source }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { path },
        io::ErrorKind::NotADirectory => StoreError::NotADirectory { path },
        _ => StoreError::Io { path, source },
    }
}

impl Environment {
    /// Opens the environment, stepping the map size down when the address space refuses it. The
    /// file must have passed [`super::check`].
    #[allow(unsafe_code)]
    pub(super) fn open(path: &Path, map_bytes: usize) -> Result<Self, StoreError> {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.max_readers(READERS_MAX).max_dbs(DATABASES_MAX);
        let mut size = map_bytes;
        let env = loop {
            // SAFETY: the file was checked, the writer lock is held, and only this module maps it.
            let opened = unsafe { options.map_size(size).open(path) };
            match opened.map_err(LmdbError::from) {
                Ok(env) => break env,
                Err(LmdbError::Io(error)) if refuses_map(&error) => {
                    if size / 2 < MAP_BYTES_MIN {
                        return Err(StoreError::MapTooBig { bytes: size });
                    }
                    tracing::warn!(
                        bytes = size,
                        "the address space refuses the map of the configuration cache; trying half"
                    );
                    size /= 2;
                }
                Err(error) => return Err(error.at(path)),
            }
        };
        let databases = create_databases(&env).map_err(|error| error.at(path))?;
        env.clear_stale_readers()
            .map_err(|error| LmdbError::from(error).at(path))?;
        let page_bytes = env.unnamed_database_stat().page_size as usize;
        Ok(Self {
            env,
            databases,
            page_bytes,
        })
    }

    /// Opens the environment to read only, beside the process that writes it or without one.
    /// `None`: it has never held a configuration. The file must have passed [`super::check`], or
    /// be in use by a process for which it did.
    #[allow(unsafe_code)]
    pub(super) fn open_to_look(path: &Path) -> Result<Option<Self>, StoreError> {
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.max_readers(READERS_MAX).max_dbs(DATABASES_MAX);
        // SAFETY: of the flags, this one only takes rights away.
        unsafe { options.flags(EnvFlags::READ_ONLY) };
        // SAFETY: see above; this process has the environment open once.
        let env = unsafe { options.open(path) }.map_err(|error| LmdbError::from(error).at(path))?;
        let databases = open_databases(&env).map_err(|error| error.at(path))?;
        let page_bytes = env.unnamed_database_stat().page_size as usize;
        Ok(databases.map(|databases| Self {
            env,
            databases,
            page_bytes,
        }))
    }

    fn database(&self, place: Place) -> Database {
        self.databases[place as usize]
    }

    /// Bytes of the map.
    pub(super) fn map_bytes(&self) -> usize {
        self.env.info().map_size
    }

    /// Bytes of the map that have ever been used.
    pub(super) fn used_bytes(&self) -> usize {
        (self.env.info().last_page_number + 1) * self.page_bytes
    }

    /// Changes the size of the map; 0 adopts what another process made of it.
    ///
    /// # Safety
    /// No transaction of this process may be open.
    #[allow(unsafe_code)]
    pub(super) unsafe fn resize(&self, bytes: usize) -> Result<(), LmdbError> {
        // SAFETY: the caller's promise.
        unsafe { self.env.resize(bytes) }.map_err(LmdbError::from)
    }

    pub(super) fn read(&self) -> Result<ReadTxn, LmdbError> {
        let txn = self.env.clone().static_read_txn()?;
        Ok(ReadTxn {
            txn,
            databases: self.databases,
        })
    }

    pub(super) fn write(&self) -> Result<WriteTxn<'_>, LmdbError> {
        Ok(WriteTxn {
            txn: self.env.write_txn()?,
            environment: self,
        })
    }
}

/// Whether the system refused to map that much. The kernel says that memory is short; valgrind, which
/// has its own address space, that the size is invalid.
fn refuses_map(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::OutOfMemory)
        || matches!(
            error.raw_os_error(),
            Some(libc::EFBIG | libc::EOVERFLOW | libc::EINVAL)
        )
}

fn create_databases(env: &Env<WithoutTls>) -> Result<[Database; PLACES.len()], LmdbError> {
    let txn = env.write_txn()?;
    let outcome = env.create_databases_and_commit(txn, |opener, txn| {
        let mut error = None;
        let opened = PLACES.map(|place| {
            let mut options = opener.database_options().types::<Bytes, Bytes>();
            options.name(place.name());
            options
                .create(txn)
                .map_err(|failed| error = Some(failed))
                .ok()
        });
        match error {
            Some(error) => Err(error),
            None => Ok(CommitOrAbort::<_, ()>::Commit(opened)),
        }
    })?;
    let databases = outcome
        .commit()
        .map(|opened| opened.map(|each| each.expect("no error seen")));
    databases.ok_or_else(|| LmdbError::Other("the databases were not created".into()))
}

/// `None`: there are none yet. They are made together.
fn open_databases(env: &Env<WithoutTls>) -> Result<Option<[Database; PLACES.len()]>, LmdbError> {
    let txn = env.read_txn()?;
    let mut is_other = false;
    let outcome = env.open_databases_and_commit(txn, |opener, txn| {
        let mut error = None;
        let opened = PLACES.map(|place| {
            let found = opener.open_database::<Bytes, Bytes>(txn, Some(place.name()));
            found.unwrap_or_else(|failed| {
                error = Some(failed);
                None
            })
        });
        match error {
            Some(error) => Err(error),
            None if opened.iter().any(Option::is_none) => {
                is_other = opened.iter().any(Option::is_some);
                Ok(CommitOrAbort::Abort(()))
            }
            None => Ok(CommitOrAbort::Commit(
                opened.map(|each| each.expect("none is missing")),
            )),
        }
    })?;
    if is_other {
        return Err(LmdbError::Other(
            "it was written by another version of silverback".into(),
        ));
    }
    Ok(outcome.commit())
}

/// A version held for reading.
pub(super) struct ReadTxn {
    txn: RoTxn<'static, WithoutTls>,
    databases: [Database; PLACES.len()],
}

impl ReadTxn {
    /// The value under a key.
    pub(super) fn get(&self, place: Place, key: &[u8]) -> Result<Option<&[u8]>, Damaged> {
        get(&self.txn, self.databases[place as usize], place, key)
    }

    /// Whether there is anything in any database.
    pub(super) fn has_records(&self) -> bool {
        PLACES.into_iter().any(|place| self.len(place) > 0)
    }

    /// Number of records.
    pub(super) fn len(&self, place: Place) -> u64 {
        self.databases[place as usize]
            .len(&self.txn)
            .unwrap_or_default()
    }

    /// All records of a database whose key starts with `prefix`, in key order.
    pub(super) fn scan(&self, place: Place, prefix: &[u8]) -> Result<Records<'_>, Damaged> {
        scan(
            &self.txn,
            self.databases[place as usize],
            place,
            prefix,
            None,
        )
    }

    /// Those of [`Self::scan`] whose key comes after `after`.
    pub(super) fn scan_after(
        &self,
        place: Place,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Records<'_>, Damaged> {
        let database = self.databases[place as usize];
        scan(&self.txn, database, place, prefix, after)
    }
}

/// The one write transaction.
pub(super) struct WriteTxn<'e> {
    txn: RwTxn<'e>,
    environment: &'e Environment,
}

impl WriteTxn<'_> {
    pub(super) fn get(&self, place: Place, key: &[u8]) -> Result<Option<&[u8]>, Damaged> {
        get(&self.txn, self.environment.database(place), place, key)
    }

    pub(super) fn scan(&self, place: Place, prefix: &[u8]) -> Result<Records<'_>, Damaged> {
        let database = self.environment.database(place);
        scan(&self.txn, database, place, prefix, None)
    }

    pub(super) fn put(&mut self, place: Place, key: &[u8], value: &[u8]) -> Result<(), LmdbError> {
        Ok(self
            .environment
            .database(place)
            .put(&mut self.txn, key, value)?)
    }

    /// Puts a record whose key is larger than all keys before.
    pub(super) fn append(
        &mut self,
        place: Place,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), LmdbError> {
        let database = self.environment.database(place);
        Ok(database.put_with_flags(&mut self.txn, PutFlags::APPEND, key, value)?)
    }

    pub(super) fn delete(&mut self, place: Place, key: &[u8]) -> Result<bool, LmdbError> {
        Ok(self
            .environment
            .database(place)
            .delete(&mut self.txn, key)?)
    }

    /// Removes everything from every database.
    pub(super) fn clear(&mut self) -> Result<(), LmdbError> {
        for database in self.environment.databases {
            database.clear(&mut self.txn)?;
        }
        Ok(())
    }

    pub(super) fn commit(self) -> Result<(), LmdbError> {
        Ok(self.txn.commit()?)
    }
}

fn get<'t>(
    txn: &'t RoTxn<'_>,
    database: Database,
    place: Place,
    key: &[u8],
) -> Result<Option<&'t [u8]>, Damaged> {
    database
        .get(txn, key)
        .map_err(|_| damaged(place, key, Damage::Unreadable))
}

/// Records in key order.
pub(super) struct Records<'t> {
    range: RoRange<'t, Bytes, Bytes>,
    place: Place,
}

impl<'t> Iterator for Records<'t> {
    type Item = Result<(&'t [u8], &'t [u8]), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.range.next()?;
        Some(record.map_err(|_| damaged(self.place, &[], Damage::Unreadable)))
    }
}

fn scan<'t>(
    txn: &'t RoTxn<'_>,
    database: Database,
    place: Place,
    prefix: &[u8],
    after: Option<&[u8]>,
) -> Result<Records<'t>, Damaged> {
    let end = successor(prefix);
    let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let start = match after {
        Some(after) => Bound::Excluded(after),
        // LMDB refuses to seek an empty key.
        None if prefix.is_empty() => Bound::Unbounded,
        None => Bound::Included(prefix),
    };
    let range = database
        .range(txn, &(start, end))
        .map_err(|_| damaged(place, prefix, Damage::Unreadable))?;
    Ok(Records { range, place })
}

/// The least key after all that start with `prefix`; `None`: there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut key = prefix[..=last].to_vec();
    key[last] += 1;
    Some(key)
}

/// The report of a damaged record.
pub(super) fn damaged(place: Place, key: &[u8], damage: Damage) -> Damaged {
    let mut bytes = [0; 16];
    let end = &key[key.len().saturating_sub(bytes.len())..];
    bytes[16 - end.len()..].copy_from_slice(end);
    let kind = match place {
        Place::Entities | Place::Keys | Place::Children => kind_of(key),
        _ => None,
    };
    Damaged {
        place,
        kind,
        key: uuid::Uuid::from_bytes(bytes),
        damage,
    }
}

/// The kind that a key begins with.
fn kind_of(key: &[u8]) -> Option<EntityKind> {
    let name = key.split(|byte| *byte == 0).next()?;
    EntityKind::of_name(std::str::from_utf8(name).ok()?)
}
