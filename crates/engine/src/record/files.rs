//! The files of the record: their paths, their privacy, and setting them aside. It never overwrites or deletes a file that holds
//! rows.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::error::RecordError;

/// In bytes: `SQLite` accepts paths of up to 512 bytes, including the suffixes of the other files.
const MAX_PATH_LENGTH: usize = 500;

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
    pub(super) fn move_aside(&self, now: Timestamp, chosen: [bool; 3]) -> Result<PathBuf, RecordError> {
        let time = now.strftime("%Y%m%dT%H%M%SZ");
        let names = (1..).map(|number| match number {
            1 => with_suffix(&self.main, &format!(".damaged-{time}")),
            _ => with_suffix(&self.main, &format!(".damaged-{time}-{number}")),
        });
        let is_free = |name: &PathBuf| {
            ["", "-wal", "-shm"].iter().all(|suffix| fs::symlink_metadata(with_suffix(name, suffix)).is_err())
        };
        let target = names.take(1000).find(is_free).unwrap_or_else(|| with_suffix(&self.main, ".damaged"));
        for ((from, suffix), _) in self.paths().into_iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen) {
            match fs::rename(from, with_suffix(&target, suffix)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(|error| RecordError::io(from, &error))?,
            }
        }
        sync_folder(&self.folder);
        Ok(target)
    }

    /// Restores the names of files that were just set aside, in place of the new database, which is still empty.
    pub(super) fn put_back(&self, aside: &Path) -> io::Result<()> {
        for (path, suffix) in self.paths() {
            for result in [fs::remove_file(path), fs::rename(with_suffix(aside, suffix), path)] {
                result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            }
        }
        Ok(())
    }

    /// Returns the paths of the database, the log and the index, with their suffixes.
    fn paths(&self) -> [(&PathBuf, &'static str); 3] {
        [(&self.main, ""), (&self.wal, "-wal"), (&self.shm, "-shm")]
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
