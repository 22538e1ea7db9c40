//! The owners of rows: every process that uses the record holds the lock of its own file while it lives.
//!
//! The kernel releases the lock when the process ends, so an owner whose lock can be acquired, or that has no lock file, is dead.
//! Names are never used again. The opening lock is held while the record is being opened, so that two processes cannot both claim
//! the rows of a dead one, or both set a damaged file aside.

use std::{
    collections::HashSet,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use uuid::Uuid;

use super::error::RecordError;

const SUFFIX: &str = ".lock";

/// The file that says when the agent left by choice.
const LEFT: &str = "left";

/// The longest text of a time, in bytes.
const LONGEST_TIME: usize = 64;

/// The wait between two attempts to acquire the opening lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// The opening lock, which is held until this is dropped.
pub(super) struct OpeningLock(#[expect(dead_code, reason = "the lock is held while the file is open")] File);

impl OpeningLock {
    /// Acquires the lock, and waits for it if another process holds it.
    pub(super) fn acquire(owners: &Path, timeout: Duration) -> Result<Self, RecordError> {
        let path = owners.join(format!("gate{SUFFIX}"));
        let file = mmd_elevate_files::open_to_append(&path).map_err(|error| RecordError::io(&path, &error))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if began.elapsed() < timeout => std::thread::sleep(RETRY_INTERVAL),
                Err(TryLockError::WouldBlock) => return Err(RecordError::Busy { path }),
                Err(TryLockError::Error(error)) => return Err(locking_error(path, &error)),
            }
        }
    }
}

/// The owners that were found.
pub(super) struct FoundOwners {
    /// The names of those that live.
    pub(super) living: HashSet<String>,
    /// Whether one had died without giving its lock back.
    pub(super) has_dead: bool,
}

/// Finds the owners, and removes the lock files of dead ones, which say to the next dashboard that a process died: a command
/// leaves them (`keeps_dead`).
pub(super) fn find_owners(owners: &Path, keeps_dead: bool, _: &OpeningLock) -> Result<FoundOwners, RecordError> {
    let failed = |error: io::Error| RecordError::io(owners, &error);
    let (mut living, mut has_dead) = (HashSet::new(), false);
    for entry in fs::read_dir(owners).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(SUFFIX)) else { continue };
        if Uuid::try_parse(name).is_err() {
            continue;
        }
        let file = mmd_elevate_files::open_to_append(&path).map_err(|error| RecordError::io(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                has_dead = true;
                if !keeps_dead {
                    remove(&path);
                }
            }
            Err(TryLockError::WouldBlock) => {
                living.insert(name.to_owned());
            }
            Err(TryLockError::Error(error)) => return Err(locking_error(path, &error)),
        }
    }
    Ok(FoundOwners { living, has_dead })
}

/// Returns when the agent left by choice, if that was how the last dashboard ended. It is told once.
pub(super) fn take_left(owners: &Path) -> Option<Timestamp> {
    let path = owners.join(LEFT);
    let bytes = mmd_elevate_files::read_bounded(&path, LONGEST_TIME).ok()?;
    remove(&path);
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// This process as an owner.
pub(super) struct Owner {
    pub(super) name: String,
    path: PathBuf,
    /// The lock is held while the file is open.
    file: File,
}

impl Owner {
    /// Makes an owner with a new name, whose lock is held until it is dropped.
    pub(super) fn new(owners: &Path, _: &OpeningLock) -> Result<Self, RecordError> {
        let name = Uuid::new_v4().to_string();
        let path = owners.join(format!("{name}{SUFFIX}"));
        Ok(Self { file: lock(&path)?, name, path })
    }

    /// Returns the path of its lock file.
    pub(super) const fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Notes that the agent leaves by choice now. Nothing depends on it but what the next start says.
    pub(super) fn note_left(&self, now: Timestamp) {
        let path = self.path.with_file_name(LEFT);
        let written = mmd_elevate_files::open_to_append(&path).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(now.to_string().as_bytes())
        });
        if let Err(error) = written {
            tracing::debug!(%error, "the time of leaving was not noted");
        }
    }

    /// Locks the file of the same name again if it is not the one that was locked.
    pub(super) fn relock(&mut self, owners: &Path, _: &OpeningLock) -> Result<(), RecordError> {
        let path = owners.join(format!("{}{SUFFIX}", self.name));
        let failed = |error: io::Error| RecordError::io(&path, &error);
        let held = mmd_elevate_files::identity_of(&self.file).map_err(failed)?;
        if mmd_elevate_files::identify(&path).is_ok_and(|(found, _)| found == held) {
            return Ok(());
        }
        (self.file, self.path) = (lock(&path)?, path);
        Ok(())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn lock(path: &Path) -> Result<File, RecordError> {
    let file = mmd_elevate_files::open_to_append(path).map_err(|error| RecordError::io(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(locking_error(path.to_owned(), &error)),
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, "a file beside the locks was not removed"); // The next start tries again.
    }
}

fn locking_error(path: PathBuf, error: &io::Error) -> RecordError {
    RecordError::Unsuitable { path, why: format!("the file system does not lock files ({error})") }
}
