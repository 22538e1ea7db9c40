//! The files of the record: their paths, their privacy, and setting them aside. It never overwrites or deletes a file that holds
//! rows.

use std::{
    collections::BTreeSet,
    fs, io, iter,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::error::RecordError;
use crate::failpoint;

/// In bytes: `SQLite` accepts paths of up to 512 bytes, including what is added to the name when the database is set aside.
const MAX_PATH_LENGTH: usize = 470;

/// What the names of the database, the log and the index end with.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// The database with its write-ahead log and its shared index, all in one private folder.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    pub(super) wal: PathBuf,
    pub(super) shm: PathBuf,
    /// The rollback journal, which is not used with a write-ahead log. `SQLite` would still roll an existing one back.
    rollback: PathBuf,
    pub(super) owners: PathBuf,
}

impl Files {
    /// Creates the folders of a record if they do not exist, and returns the paths of its files. `SQLite` is configured to
    /// refuse links, so links to the folder are resolved here.
    pub(super) fn create_in(state_dir: &Path) -> Result<Self, RecordError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| RecordError::io(&path, &error)
        };
        let too_long = |path: &Path| {
            let why = "its path is too long for the database".to_owned();
            Err(RecordError::Unsuitable { path: path.to_owned(), why })
        };
        if state_dir.as_os_str().len() > MAX_PATH_LENGTH {
            return too_long(state_dir);
        }
        mmd_elevate_files::create_folder(state_dir).map_err(failed(state_dir))?;
        let folder = fs::canonicalize(state_dir).map_err(failed(state_dir))?;
        let owners = folder.join("owners");
        match fs::symlink_metadata(&owners) {
            Ok(found) if !found.is_dir() => Err(io::Error::other("it is not a folder")),
            _ => mmd_elevate_files::create_folder(&owners),
        }
        .map_err(failed(&owners))?;
        let main = folder.join("record.db");
        if main.as_os_str().len() > MAX_PATH_LENGTH {
            return too_long(&main);
        }
        Ok(Self {
            wal: with_suffix(&main, "-wal"),
            shm: with_suffix(&main, "-shm"),
            rollback: with_suffix(&main, "-journal"),
            main,
            owners,
            folder,
        })
    }

    /// Returns whether the database exists. A link, or another user's file, in place of one of the files is refused.
    pub(super) fn check(&self) -> Result<bool, RecordError> {
        let ours = |path| mmd_elevate_files::is_ours(path).map_err(|error| RecordError::io(path, &error));
        ours(&self.wal)?;
        ours(&self.shm)?;
        ours(&self.rollback)?;
        ours(&self.main)
    }

    /// Creates an empty private file for the database, which must not exist.
    pub(super) fn create(&self) -> Result<(), RecordError> {
        mmd_elevate_files::open_to_append(&self.main).map_err(|error| RecordError::io(&self.main, &error))?;
        sync_folder(&self.folder);
        Ok(())
    }

    /// Renames the chosen files, in the order of database, log and index, without overwriting others. The database is first: at
    /// the next start, a log without a database is recognized, but a database without its log would look complete.
    ///
    /// Returns the name that the database gets with [`Self::mark_as_read`]. Until then it has that of [`unread_name`], so that the
    /// next start reads the rows if this process ends before they are in another database.
    pub(super) fn move_aside(&self, now: Timestamp, chosen: [bool; 3]) -> Result<PathBuf, RecordError> {
        let time = now.strftime("%Y%m%dT%H%M%SZ");
        let first = with_suffix(&self.main, &format!(".damaged-{time}"));
        let names = (2..1000).map(|number| with_suffix(&first, &format!("-{number}")));
        let is_free = |name: &PathBuf| {
            let exists = |path: &Path| SUFFIXES.iter().any(|suffix| exists(&with_suffix(path, suffix)));
            !exists(name) && !exists(&unread_name(name))
        };
        let aside = iter::once(first.clone()).chain(names).find(is_free).unwrap_or(first);
        let unread = unread_name(&aside);
        for ((from, suffix), _) in self.paths().into_iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen) {
            rename_if_exists(from, &with_suffix(&unread, suffix)).map_err(|error| RecordError::io(from, &error))?;
            failpoint::die_if_asked("while-setting-aside");
        }
        sync_folder(&self.folder);
        Ok(aside)
    }

    /// Returns what was set aside and is not marked as read, the oldest first. Completes what a killed process has begun to set
    /// aside.
    pub(super) fn find_unread(&self) -> Result<Vec<PathBuf>, RecordError> {
        let failed = |error: io::Error| RecordError::io(&self.folder, &error);
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("record.db.unread-")) else { continue };
            let time = SUFFIXES.iter().rev().find_map(|suffix| rest.strip_suffix(suffix)).unwrap_or(rest);
            found.insert(with_suffix(&self.main, &format!(".damaged-{time}")));
        }
        if let Some(last) = found.last().map(|aside| unread_name(aside))
            && exists(&last)
            && !exists(&self.main)
        {
            for (path, suffix) in self.paths() {
                let to = with_suffix(&last, suffix);
                if !exists(&to) {
                    rename_if_exists(path, &to).map_err(|error| RecordError::io(path, &error))?;
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Gives files that were set aside their last names: their rows are in another database now.
    pub(super) fn mark_as_read(&self, aside: &Path) -> io::Result<()> {
        for suffix in SUFFIXES {
            rename_if_exists(&with_suffix(&unread_name(aside), suffix), &with_suffix(aside, suffix))?;
        }
        sync_folder(&self.folder);
        Ok(())
    }

    /// Restores the names of files that were just set aside, in place of the new database, which is still empty.
    pub(super) fn put_back(&self, aside: &Path) -> io::Result<()> {
        for (path, suffix) in self.paths() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => rename_if_exists(&with_suffix(&unread_name(aside), suffix), path)?,
            }
        }
        Ok(())
    }

    /// Returns the paths of the database, the log and the index, with their suffixes.
    fn paths(&self) -> [(&PathBuf, &'static str); 3] {
        let [main, wal, shm] = SUFFIXES;
        [(&self.main, main), (&self.wal, wal), (&self.shm, shm)]
    }

    /// Returns the error of a damaged database.
    pub(super) fn damaged(&self, why: impl Into<String>) -> RecordError {
        RecordError::Damaged { path: self.main.clone(), why: why.into() }
    }

    /// Converts an error of the database.
    pub(super) fn to_error(&self, error: &rusqlite::Error) -> RecordError {
        RecordError::sql(&self.main, error)
    }
}

/// Returns the name of files that were set aside, before their rows are in another database.
pub(super) fn unread_name(aside: &Path) -> PathBuf {
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    aside.with_file_name(name.replacen(".damaged-", ".unread-", 1))
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn rename_if_exists(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes new names in the folder durable. On file systems that do not support it, a name is durable with its file.
fn sync_folder(folder: &Path) {
    if let Err(error) = mmd_elevate_files::sync_folder(folder) {
        tracing::debug!(%error, "the folder was not synced");
    }
}
