//! Checks that the files of the record are still those that were opened. It never opens the database itself.
//!
//! `SQLite` continues to write to a file that has been removed or moved, where the data would be lost. So the names are checked
//! before and after each change, which takes a few microseconds.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{error::RecordError, files::Files, owner::Owner};
use mmd_elevate_files::Identity;

/// The identities of the database, its log, its index, and the lock file of this process.
pub(super) struct Guard {
    files: Vec<(PathBuf, Option<Identity>)>,
    /// The database never becomes shorter.
    length: u64,
}

impl Guard {
    /// Stores the current identities of the files.
    pub(super) fn new(files: &Files, owner: &Owner) -> Self {
        let paths = [&files.main, &files.wal, &files.shm, owner.path()];
        let identity = |path: &PathBuf| mmd_elevate_files::identify(path).ok().map(|(identity, _)| identity);
        Self { files: paths.map(|path| (path.clone(), identity(path))).into(), length: 0 }
    }

    /// Checks all files. The error names the file that has changed.
    pub(super) fn check(&mut self) -> Result<(), RecordError> {
        for (index, (path, identity)) in self.files.iter().enumerate() {
            match mmd_elevate_files::identify(path) {
                Ok((found, _)) if Some(found) != *identity => {
                    return Err(not_durable(path, "was replaced while it was in use"));
                }
                Ok((_, length)) if index == 0 && length < self.length => {
                    return Err(not_durable(path, "was cut short while it was in use"));
                }
                Ok((_, length)) if index == 0 => self.length = length,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(not_durable(path, "was removed or moved away while it was in use"));
                }
                Err(error) => return Err(not_durable(path, &format!("cannot be found any more ({error})"))),
            }
        }
        Ok(())
    }

    /// Checks all files, and the start of the log, after a write. `SQLite` continues a log whose start was overwritten, and ignores
    /// such a log at the next start.
    pub(super) fn check_written(&mut self) -> Result<(), RecordError> {
        self.check()?;
        let Some((path, _)) = self.files.get(1) else { return Ok(()) };
        if has_log_header(path) { Ok(()) } else { Err(not_durable(path, "was overwritten while it was in use")) }
    }

    /// Returns whether the database, its log and its index still have their names.
    pub(super) fn find_remaining(&self) -> [bool; 3] {
        let remains = |(path, identity): &(PathBuf, Option<Identity>)| {
            mmd_elevate_files::identify(path).is_ok_and(|(found, _)| Some(found) == *identity)
        };
        [0, 1, 2].map(|index| self.files.get(index).is_some_and(remains))
    }
}

/// Returns whether the log is empty or missing, or begins with the magic number of a log.
pub(super) fn has_log_header(path: &Path) -> bool {
    let mut magic = Vec::with_capacity(4);
    match File::open(path).and_then(|log| log.take(4).read_to_end(&mut magic)) {
        Ok(_) => matches!(magic[..], [] | [0x37, 0x7f, 0x06, 0x82 | 0x83]),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn not_durable(path: &Path, why: &str) -> RecordError {
    RecordError::NotDurable { path: path.to_owned(), why: why.to_owned() }
}
