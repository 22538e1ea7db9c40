//! What is kept of the tenant: one file that several processes may serve from at once.
//!
//! The rule is the simplest that is right. Whoever calls takes a lock, reads what is there now, does what was asked,
//! and writes the whole anew before anybody is answered: to a file beside it that then takes its name, so that it is
//! whole at every moment. A tenant is small enough for that.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{PracticeError, settings::Settings, store::TenantStore, tenant, tenant::TenantData};
use mmd_elevate_core::visible;

const FILE: &str = "practice.json";
/// What the file is called until it is whole.
const NEXT: &str = "practice.json.new";
/// It is locked and holds nothing: the file itself gives its name to another at every change.
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
    /// What the file held when it was last seen.
    seen: Vec<u8>,
}

impl Storage {
    /// Opens what is kept, or begins. The words are a warning: what was kept was damaged, and where it is now.
    pub(super) fn open(settings: &Settings, now: Timestamp) -> Result<(Self, Option<String>), PracticeError> {
        let seed = tenant::seed(now).map_err(PracticeError::Data)?;
        let mut inner = Inner { store: TenantStore::new(settings.clone(), seed), file: None };
        let mut warning = None;
        if let Some(folder) = &settings.keep {
            let failed = |source| PracticeError::Keep { folder: folder.clone(), source };
            let mut file = LockedFile::open(folder).map_err(failed)?;
            warning = file.locked(|file| file.begin(&mut inner.store, settings.fresh, now)).map_err(failed)?;
            inner.file = Some(file);
        }
        Ok((Self(Mutex::new(inner)), warning))
    }

    /// Whether a call may have to wait for a disk.
    pub(super) fn is_on_disk(&self) -> bool {
        self.inner().file.is_some()
    }

    /// Does something with the tenant as it is now. What it changes is durable when this returns; where it cannot be
    /// made so it has not happened.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut TenantStore) -> T) -> io::Result<T> {
        let inner = &mut *self.inner();
        let Some(file) = &mut inner.file else { return Ok(act(&mut inner.store)) };
        let store = &mut inner.store;
        file.locked(|file| {
            file.catch_up(store)?;
            let (before, done) = (store.known().clone(), act(store));
            match file.save(store.known()) {
                Ok(()) => Ok(done),
                Err(error) => {
                    store.replace(before);
                    Err(error)
                }
            }
        })
    }

    /// No rule stops half way through a change, so what a lock was poisoned over is still whole.
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

    /// Does something while no other process does. The lock ends with the process, however that ends.
    fn locked<T>(&mut self, act: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        self.lock.lock()?;
        let done = act(self);
        self.lock.unlock()?;
        done
    }

    fn begin(&mut self, store: &mut TenantStore, fresh: bool, now: Timestamp) -> io::Result<Option<String>> {
        let mut warning = None;
        if !fresh && let Some(kept) = self.read()? {
            match serde_json::from_slice(&kept) {
                Ok(known) => {
                    store.replace(known);
                    self.seen = kept;
                    return Ok(None);
                }
                Err(_) => warning = Some(self.set_aside(now)?),
            }
        }
        self.save(store.known())?;
        Ok(warning)
    }

    /// Takes over what another process has written. What is gone or cannot be understood is not taken over: the whole
    /// tenant is still here, and the next change writes it anew.
    fn catch_up(&mut self, store: &mut TenantStore) -> io::Result<()> {
        let kept = self.read()?;
        if kept.as_ref() == Some(&self.seen) {
            return Ok(());
        }
        self.seen.clear();
        let Some(kept) = kept else { return Ok(()) };
        if let Ok(known) = serde_json::from_slice(&kept) {
            store.replace(known);
            self.seen = kept;
        } else {
            let warning = self.set_aside(Timestamp::now())?;
            tracing::warn!("{warning}");
        }
        Ok(())
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let told = |error: io::Error| io::Error::new(error.kind(), format!("{FILE}: {error}"));
        mmd_elevate_files::read(&self.folder.join(FILE)).map_err(told)
    }

    /// Gives what cannot be read a name of its own, and says which.
    fn set_aside(&self, now: Timestamp) -> io::Result<String> {
        let name = |n: u32| format!("practice.damaged-{}{}.json", now.as_millisecond(), "-".repeat(n as usize));
        let free = (0..8).map(|n| self.folder.join(name(n))).find(|path| !path.exists());
        let aside = free.ok_or_else(|| io::Error::other("no name is free to set the damaged practice.json aside"))?;
        fs::rename(self.folder.join(FILE), &aside)?;
        let shown = aside.to_string_lossy();
        Ok(format!("The practice tenant's file was damaged: it is now {}, and a new one was begun", visible(&shown)))
    }

    /// Writes the whole where it is not what the file holds.
    fn save(&mut self, known: &TenantData) -> io::Result<()> {
        let bytes = serde_json::to_vec(known)?;
        if bytes == self.seen {
            return Ok(());
        }
        let next = self.folder.join(NEXT);
        // Left by a process that ended while it wrote; no other writes while the lock is held.
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = mmd_elevate_files::open_to_append(&next)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&next, self.folder.join(FILE))?;
        mmd_elevate_files::sync_folder(&self.folder)?;
        self.seen = bytes;
        Ok(())
    }
}
