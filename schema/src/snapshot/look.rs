//! Looking at a store from outside: beside the process that has it open, or without one. Nothing is
//! changed, made or set aside.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::check::{self, Found};
use super::error::StoreError;
use super::gate::Gate;
use super::lmdb::{Environment, io_error};
use super::reader::{self, Snapshot};
use super::store::{DATA_FILE, WRITER_LOCK_FILE};

/// What the store in the directory `path` holds; `None`: no configuration was ever stored. Every
/// record is verified as it is read.
///
/// # Errors
/// When the store cannot be read or cannot be trusted.
pub fn look(path: &Path) -> Result<Option<Snapshot>, StoreError> {
    let data = path.join(DATA_FILE);
    let file = match File::open(&data) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error, data)),
    };
    // The process that has it open found it sound, and may be changing it under the check.
    if !is_in_use(path) {
        match check::check(&file).map_err(|error| io_error(error, data))? {
            Found::Empty => return Ok(None),
            Found::Broken(message) => {
                let path = path.to_owned();
                return Err(StoreError::Lmdb { path, message });
            }
            _ => {}
        }
    }
    let Some(environment) = Environment::open_to_look(path)? else {
        return Ok(None);
    };
    let gate = Gate::new(environment, path);
    let (txn, pass) = gate.enter().map_err(|error| error.at(path))?;
    if let Some(message) = reader::foreign(&txn)? {
        let path = path.to_owned();
        return Err(StoreError::Lmdb { path, message });
    }
    Ok(Some(Snapshot::new(txn, pass, false)?))
}

fn is_in_use(path: &Path) -> bool {
    let lock = File::open(path.join(WRITER_LOCK_FILE));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
