//! The files of the record: where they are, that they are ours alone, and how they are set aside.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::RecordError;

/// `SQLite` takes no path of more than 512 bytes, the endings of the other files included.
const LONGEST: usize = 500;

/// The database with its log and its shared index, all in one private folder.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) main: PathBuf,
    pub(super) wal: PathBuf,
    pub(super) shm: PathBuf,
    /// Not used with a log; one that stands there would be rolled back into the database all the same.
    rollback: PathBuf,
    pub(super) owners: PathBuf,
}

impl Files {
    /// Makes the folders where they are not there. `SQLite` is to refuse every link on the way to the file, so the
    /// person's own links to the folder are resolved here.
    pub(super) fn at(state_dir: &Path) -> Result<Self, RecordError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error: io::Error| RecordError::io(&path, &error)
        };
        let too_long = |path: &Path| {
            let why = "its path is too long for the database".to_owned();
            Err(RecordError::Unsuitable { path: path.to_owned(), why })
        };
        if state_dir.as_os_str().len() > LONGEST {
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
        if main.as_os_str().len() > LONGEST {
            return too_long(&main);
        }
        Ok(Self {
            wal: beside(&main, "-wal"),
            shm: beside(&main, "-shm"),
            rollback: beside(&main, "-journal"),
            main,
            owners,
            folder,
        })
    }

    /// Whether the database is there. Whatever stands in the place of one of the files and is not ours is refused.
    pub(super) fn check(&self) -> Result<bool, RecordError> {
        let ours = |path| mmd_elevate_files::is_ours(path).map_err(|error| RecordError::io(path, &error));
        ours(&self.wal)?;
        ours(&self.shm)?;
        ours(&self.rollback)?;
        ours(&self.main)
    }

    /// Makes an empty private file for the database, which must not be there.
    pub(super) fn create(&self) -> Result<(), RecordError> {
        mmd_elevate_files::open_to_append(&self.main).map_err(|error| RecordError::io(&self.main, &error))?;
        sync_folder(&self.folder);
        Ok(())
    }

    /// Gives the three files another name, so that nothing is overwritten; those alone that are chosen by their place in
    /// the order of database, log and index. The database goes first: a log without a database is seen for what it is at
    /// the next start, but a database without its log would look whole.
    pub(super) fn move_aside(&self, now: Timestamp, chosen: [bool; 3]) -> Result<PathBuf, RecordError> {
        let time = now.strftime("%Y%m%dT%H%M%SZ");
        let names = (1..).map(|number| match number {
            1 => beside(&self.main, &format!(".damaged-{time}")),
            _ => beside(&self.main, &format!(".damaged-{time}-{number}")),
        });
        let is_free =
            |name: &PathBuf| ["", "-wal", "-shm"].iter().all(|end| fs::symlink_metadata(beside(name, end)).is_err());
        let target = names.take(1000).find(is_free).unwrap_or_else(|| beside(&self.main, ".damaged"));
        for ((from, end), _) in self.ends().into_iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen) {
            match fs::rename(from, beside(&target, end)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(|error| RecordError::io(from, &error))?,
            }
        }
        sync_folder(&self.folder);
        Ok(target)
    }

    /// Gives files that were just set aside their names back, in the place of the new database, which holds nothing yet.
    pub(super) fn put_back(&self, aside: &Path) -> io::Result<()> {
        for (path, end) in self.ends() {
            for done in [fs::remove_file(path), fs::rename(beside(aside, end), path)] {
                done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            }
        }
        Ok(())
    }

    fn ends(&self) -> [(&PathBuf, &'static str); 3] {
        [(&self.main, ""), (&self.wal, "-wal"), (&self.shm, "-shm")]
    }

    /// Returns the error for what is wrong with the database.
    pub(super) fn damaged(&self, why: impl Into<String>) -> RecordError {
        RecordError::Damaged { path: self.main.clone(), why: why.into() }
    }

    /// Returns the error for what the database did not do.
    pub(super) fn failed(&self, error: &rusqlite::Error) -> RecordError {
        RecordError::sql(&self.main, error)
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Makes new names in the folder durable. Not every file system can, and then the name is durable with the file.
fn sync_folder(folder: &Path) {
    if let Err(error) = mmd_elevate_files::sync_folder(folder) {
        tracing::debug!(%error, "the folder was not synced");
    }
}
