//! Who is alive: every process that uses the record holds the lock of a file of its own for as long as it lives.
//!
//! The kernel lets go of the lock however the process ends, so an owner whose lock can be taken is dead, and so is one
//! that has no lock file. Names are never used again. Everybody who comes passes the gate, a lock that is held while the
//! record is being opened: two that start at once cannot both claim what a dead one left, nor both set a damaged file
//! aside.

use std::{
    collections::HashSet,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::RecordError;

const END: &str = ".lock";

/// How often a lock that somebody holds is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// The gate, held until it is dropped.
pub(super) struct OpeningLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Waits for the gate.
pub(super) fn gate(owners: &Path, patience: Duration) -> Result<OpeningLock, RecordError> {
    let path = owners.join(format!("gate{END}"));
    let file = mmd_elevate_files::open_to_append(&path).map_err(|error| RecordError::io(&path, &error))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(OpeningLock(file)),
            Err(TryLockError::WouldBlock) if began.elapsed() < patience => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(RecordError::Busy { path }),
            Err(TryLockError::Error(error)) => return Err(no_locks(path, &error)),
        }
    }
}

/// The names of those who live. Lock files of the dead are removed. Only behind the gate.
pub(super) fn living(owners: &Path, _: &OpeningLock) -> Result<HashSet<String>, RecordError> {
    let failed = |error: io::Error| RecordError::io(owners, &error);
    let mut living = HashSet::new();
    for entry in fs::read_dir(owners).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(END)) else { continue };
        if Uuid::try_parse(name).is_err() {
            continue;
        }
        let file = mmd_elevate_files::open_to_append(&path).map_err(|error| RecordError::io(&path, &error))?;
        match file.try_lock() {
            Ok(()) => remove(&path),
            Err(TryLockError::WouldBlock) => {
                living.insert(name.to_owned());
            }
            Err(TryLockError::Error(error)) => return Err(no_locks(path, &error)),
        }
    }
    Ok(living)
}

/// This process among those who use the record.
pub(super) struct Owner {
    pub(super) name: String,
    path: PathBuf,
    /// The lock lasts as long as the file is open.
    file: File,
}

impl Owner {
    /// A new owner that lives until it is dropped. Only behind the gate.
    pub(super) fn new(owners: &Path, _: &OpeningLock) -> Result<Self, RecordError> {
        let name = Uuid::new_v4().to_string();
        let path = owners.join(format!("{name}{END}"));
        Ok(Self { file: locked(&path)?, name, path })
    }

    /// Where its lock is.
    pub(super) const fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Takes the lock again under the same name where the file is not the one that was locked. Only behind the gate.
    pub(super) fn renew(&mut self, owners: &Path, _: &OpeningLock) -> Result<(), RecordError> {
        let path = owners.join(format!("{}{END}", self.name));
        let failed = |error: io::Error| RecordError::io(&path, &error);
        let held = mmd_elevate_files::identity_of(&self.file).map_err(failed)?;
        if mmd_elevate_files::look(&path).is_ok_and(|(found, _)| found == held) {
            return Ok(());
        }
        (self.file, self.path) = (locked(&path)?, path);
        Ok(())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn locked(path: &Path) -> Result<File, RecordError> {
    let file = mmd_elevate_files::open_to_append(path).map_err(|error| RecordError::io(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(no_locks(path.to_owned(), &error)),
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, "a lock file was not removed"); // The next start tries again.
    }
}

fn no_locks(path: PathBuf, error: &io::Error) -> RecordError {
    RecordError::Unsuitable { path, why: format!("the file system does not lock files ({error})") }
}
