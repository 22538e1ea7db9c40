//! Whether the files that every write rests on are still those that were opened.
//!
//! A database goes on writing to a file that has been removed or moved away, and nobody finds there what was written. So
//! the names are looked at before and after each change; that takes a few microseconds.

use std::{io, path::PathBuf};

use super::{RecordError, files::Files, owner::Owner};
use mmd_elevate_files::Identity;

/// The database, its log, its index, and the lock that says that this process lives.
pub(super) struct Guard {
    files: Vec<(PathBuf, Option<Identity>)>,
    /// The database never becomes shorter.
    length: u64,
    /// What else was found to be wrong with them: their names do not show it.
    broken: Option<RecordError>,
}

/// Which of its files a name still leads to.
#[derive(Clone, Copy)]
pub(super) struct StillOurs {
    pub(super) main: bool,
    pub(super) wal: bool,
    pub(super) shm: bool,
}

impl Guard {
    /// Remembers the files as they are now.
    pub(super) fn new(files: &Files, owner: &Owner) -> Self {
        let paths = [&files.main, &files.wal, &files.shm, owner.path()];
        let identity = |path: &PathBuf| mmd_elevate_files::look(path).ok().map(|(identity, _)| identity);
        Self { files: paths.map(|path| (path.clone(), identity(path))).into(), length: 0, broken: None }
    }

    /// From here on nothing is written to these files.
    pub(super) fn invalidate(&mut self, error: &RecordError) {
        self.broken = Some(error.clone());
    }

    /// The error says which file is not what it was.
    pub(super) fn check(&mut self) -> Result<(), RecordError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let not_durable = |path: &PathBuf, why: &str| {
            let (path, why) = (path.clone(), why.to_owned());
            Err(RecordError::NotDurable { path, why })
        };
        for (index, (path, identity)) in self.files.iter().enumerate() {
            match mmd_elevate_files::look(path) {
                Ok((found, _)) if Some(found) != *identity => {
                    return not_durable(path, "was replaced while it was in use");
                }
                Ok((_, length)) if index == 0 && length < self.length => {
                    return not_durable(path, "was cut short while it was in use");
                }
                Ok((_, length)) if index == 0 => self.length = length,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return not_durable(path, "was removed or moved away while it was in use");
                }
                Err(error) => return not_durable(path, &format!("cannot be found any more ({error})")),
            }
        }
        Ok(())
    }

    /// What of it still stands where it stood.
    pub(super) fn still_ours(&self) -> StillOurs {
        let is_ours = |index: usize| {
            let file: Option<&(PathBuf, Option<Identity>)> = self.files.get(index);
            file.is_some_and(|(path, identity)| mmd_elevate_files::look(path).ok().map(|(found, _)| found) == *identity)
        };
        StillOurs { main: is_ours(0), wal: is_ours(1), shm: is_ours(2) }
    }
}
