//! Stores the tenant in memory, or in one file that several processes may serve at once.
//!
//! Each call takes a lock, reads the file, makes its change, and writes the whole file before it is answered: to a temporary
//! file that is renamed, so that the file is complete at every moment. A tenant is small enough for this.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{
    PracticeError,
    colleagues::Colleagues,
    settings::Settings,
    store::TenantStore,
    tenant::{self, TenantData},
};
use mmd_elevate_core::visible;

const FILE: &str = "practice.json";
/// The name of the file until it is complete.
const TEMPORARY: &str = "practice.json.new";
/// An empty file that is locked: the data file itself is replaced by every change.
const LOCK: &str = "practice.lock";

/// The tenant, in memory or in a folder.
pub(super) struct Storage(Mutex<Inner>);

struct Inner {
    store: TenantStore,
    file: Option<LockedFile>,
}

struct LockedFile {
    folder: PathBuf,
    lock: File,
    /// The contents of the file when it was last read or written.
    seen: Vec<u8>,
}

impl Storage {
    /// Opens the stored tenant, or creates one. Returns a warning if the stored one was damaged and set aside.
    pub(super) fn open(settings: &Settings, now: Timestamp) -> Result<(Self, Option<String>), PracticeError> {
        let seed = tenant::seed(now).map_err(PracticeError::Data)?;
        let colleagues = settings.colleagues.then(Colleagues::load).transpose().map_err(PracticeError::Data)?;
        let mut inner = Inner { store: TenantStore::new(settings.clone(), colleagues, seed), file: None };
        inner.store.add_colleagues(now);
        let mut warning = None;
        if let Some(folder) = &settings.keep {
            let failed = |source| PracticeError::Storage { folder: folder.clone(), source };
            let mut file = LockedFile::open(folder).map_err(failed)?;
            warning =
                file.with_lock(|file| file.load_or_create(&mut inner.store, settings.fresh, now)).map_err(failed)?;
            inner.file = Some(file);
        }
        Ok((Self(Mutex::new(inner)), warning))
    }

    /// Returns whether a call may wait for a disk.
    pub(super) fn is_on_disk(&self) -> bool {
        self.inner().file.is_some()
    }

    /// Runs a function on the current tenant. Its changes are durable when this returns; if saving fails, they are undone.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut TenantStore) -> T) -> io::Result<T> {
        let inner = &mut *self.inner();
        let Some(file) = &mut inner.file else { return Ok(act(&mut inner.store)) };
        let store = &mut inner.store;
        file.with_lock(|file| {
            file.reload(store)?;
            let (before, done) = (store.data().clone(), act(store));
            match file.save(store.data()) {
                Ok(()) => Ok(done),
                Err(error) => {
                    store.replace(before);
                    Err(error)
                }
            }
        })
    }

    /// Ignores poisoning: no change is left half done by a panic.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LockedFile {
    fn open(folder: &Path) -> io::Result<Self> {
        mmd_elevate_files::create_folder(folder)?;
        let lock = mmd_elevate_files::open_to_append(&folder.join(LOCK))?;
        Ok(Self { folder: folder.to_owned(), lock, seen: Vec::new() })
    }

    /// Runs a function under the lock. The system releases the lock when the process ends.
    fn with_lock<T>(&mut self, act: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        self.lock.lock()?;
        let done = act(self);
        self.lock.unlock()?;
        done
    }

    fn load_or_create(&mut self, store: &mut TenantStore, fresh: bool, now: Timestamp) -> io::Result<Option<String>> {
        let mut warning = None;
        if !fresh && let Some(bytes) = self.read()? {
            match serde_json::from_slice(&bytes) {
                Ok(data) => {
                    store.replace(data);
                    self.seen = bytes;
                    if store.add_colleagues(now) {
                        self.save(store.data())?;
                    }
                    return Ok(None);
                }
                Err(_) => warning = Some(self.set_aside(now)?),
            }
        }
        self.save(store.data())?;
        Ok(warning)
    }

    /// Reads what another process has written. A missing file is ignored and a damaged one set aside: the tenant is in memory, and the
    /// next change writes it again.
    fn reload(&mut self, store: &mut TenantStore) -> io::Result<()> {
        let bytes = self.read()?;
        if bytes.as_ref() == Some(&self.seen) {
            return Ok(());
        }
        self.seen.clear();
        let Some(bytes) = bytes else { return Ok(()) };
        if let Ok(data) = serde_json::from_slice(&bytes) {
            store.replace(data);
            self.seen = bytes;
        } else {
            let warning = self.set_aside(Timestamp::now())?;
            tracing::warn!("{warning}");
        }
        Ok(())
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let with_name = |error: io::Error| io::Error::new(error.kind(), format!("{FILE}: {error}"));
        mmd_elevate_files::read(&self.folder.join(FILE)).map_err(with_name)
    }

    /// Renames the damaged file, and returns a warning that names it.
    fn set_aside(&self, now: Timestamp) -> io::Result<String> {
        let name = |n: u32| format!("practice.damaged-{}{}.json", now.as_millisecond(), "-".repeat(n as usize));
        let free = (0..8).map(|n| self.folder.join(name(n))).find(|path| !path.exists());
        let aside = free.ok_or_else(|| io::Error::other("no name is free to set the damaged practice.json aside"))?;
        fs::rename(self.folder.join(FILE), &aside)?;
        let shown = aside.to_string_lossy();
        Ok(format!("The practice tenant's file was damaged: it is now {}, and a new one was begun", visible(&shown)))
    }

    /// Writes the tenant, unless the file holds it already.
    fn save(&mut self, data: &TenantData) -> io::Result<()> {
        let bytes = serde_json::to_vec(data)?;
        if bytes == self.seen {
            return Ok(());
        }
        let temporary = self.folder.join(TEMPORARY);
        // A process that ended while writing may have left it; no other process writes while the lock is held.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = mmd_elevate_files::open_to_append(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, self.folder.join(FILE))?;
        mmd_elevate_files::sync_folder(&self.folder)?;
        self.seen = bytes;
        Ok(())
    }
}
