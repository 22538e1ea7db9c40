//! Folders and files that are nobody else's business: 0700 and 0600 whatever the umask, and no link followed to them.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::{Access, Mode, OFlags, access};

/// Creates the folder where it is not there yet. One that exists keeps its mode: it may be shared on purpose. The
/// person's own link to a folder is followed; one that leads nowhere, or to somebody else's folder, is refused.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn create_folder(path: &Path) -> io::Result<()> {
    match check_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        checked => return checked,
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Whether the folder is there and can be ours: its owner could exchange every file in it, so that is us, or the
/// system's administrator, who could anyway.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn check_folder(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_dir() => Err(io::Error::other("it is not a folder")),
        Ok(found) if is_foreign_folder(&found) => Err(foreign()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_ok() => {
            Err(io::Error::other("it is a link that leads nowhere"))
        }
        Err(error) => Err(error),
    }
}

/// Opens the file to write at its end. A link, a pipe, or a file of somebody else's is refused.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    // A pipe must not even be opened: that would wait for a reader.
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(not_a_file()),
        _ => {}
    }
    let file = append(path)?;
    claim(&file)?;
    Ok(file)
}

/// Reads the whole file. `None` where there is none; what is refused to be written is refused to be read.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(not_a_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let mut file = open_unfollowed(path)?;
    claim(&file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Judges the file that was opened, by its handle: a name may lead to another by now. Then makes it private.
fn claim(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_a_file());
    }
    if is_foreign(&found) {
        return Err(foreign());
    }
    file.set_permissions(Permissions::from_mode(0o600))
}

/// What stands somewhere, for whoever only wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file or folder of ours.
    Ours {
        /// Whether its mode lets others at it.
        to_others: bool,
    },
    /// A link, wherever it leads.
    Link,
    /// Somebody else's.
    Foreign,
}

/// Looks at what stands there, behind a link if `follow`, and changes nothing.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn find(path: &Path, follow: bool) -> io::Result<Found> {
    let found = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
    let foreign = if found.is_dir() { is_foreign_folder(&found) } else { is_foreign(&found) };
    Ok(match (found.is_symlink(), foreign) {
        (true, _) => Found::Link,
        (false, true) => Found::Foreign,
        (false, false) => Found::Ours { to_others: is_open(&found) },
    })
}

fn not_a_file() -> io::Error {
    io::Error::other("it is not a file but a link or a folder")
}

fn foreign() -> io::Error {
    io::Error::other("it belongs to somebody else")
}

/// Why a file does not keep a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("it is not a file")]
    NotAFile,
    /// It belongs to somebody else, who could exchange what is in it.
    #[error("it belongs to somebody else")]
    NotOurs,
    /// Its mode lets others at it.
    #[error("others can read it")]
    Open,
    /// It is longer than any secret.
    #[error("it is too long")]
    TooLong,
}

/// Reads a file that holds a secret: a file of ours that nobody else may read or write.
///
/// A symbolic link is followed, for secrets are often mounted or managed through one: what counts is the file that was
/// opened, and that one is judged by its handle, so that nothing can be exchanged between judging and reading.
///
/// # Errors
/// [`SecretFileError`] says why.
pub fn read_secret(path: &Path, longest: usize) -> Result<Vec<u8>, SecretFileError> {
    if !fs::metadata(path)?.is_file() {
        return Err(SecretFileError::NotAFile);
    }
    let file = open_to_read(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(SecretFileError::NotAFile);
    }
    if is_foreign(&found) {
        return Err(SecretFileError::NotOurs);
    }
    if is_open(&found) {
        return Err(SecretFileError::Open);
    }
    let mut bytes = Vec::new();
    file.take(u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > longest { Err(SecretFileError::TooLong) } else { Ok(bytes) }
}

/// Reads a file that is no secret: settings, rules, certificates. Whatever stands there, this ends at once: what is no
/// regular file is refused before it is opened and judged once more by its handle, and nothing is read beyond `longest`
/// bytes.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn read_bounded(path: &Path, longest: usize) -> io::Result<Vec<u8>> {
    // Opening alone may act on a device.
    regular(&fs::metadata(path)?)?;
    let file = open_to_read(path)?;
    regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        let size = if longest >= 1 << 20 { format!("{} MiB", longest >> 20) } else { format!("{} KiB", longest >> 10) };
        return Err(io::Error::other(format!("it is longer than {size}")));
    }
    Ok(bytes)
}

/// Refuses everything but a regular file, and says what it is.
fn regular(found: &fs::Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let kind = found.file_type();
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::other(format!("it is {what}, not a file")))
}

fn open_to_read(path: &Path) -> io::Result<File> {
    // A pipe that stands there must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Makes what was created, renamed or removed in the folder last through a power cut.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether there is a file of ours. What stands there and is a link, a folder or somebody else's is refused; a file of
/// ours that others could read is made private. The file is not opened: closing it would drop every lock that this
/// process holds on it.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn is_ours(path: &Path) -> io::Result<bool> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    if !found.is_file() {
        return Err(not_a_file());
    }
    if is_foreign(&found) {
        return Err(foreign());
    }
    if found.mode() & 0o777 != 0o600 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(true)
}

fn is_foreign(found: &fs::Metadata) -> bool {
    found.uid() != rustix::process::geteuid().as_raw()
}

fn is_foreign_folder(found: &fs::Metadata) -> bool {
    found.uid() != 0 && is_foreign(found)
}

fn is_open(found: &fs::Metadata) -> bool {
    found.mode() & 0o077 != 0
}

fn open_unfollowed(path: &Path) -> io::Result<File> {
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?.into())
}

/// Whether files can be made in the folder, as far as its mode tells.
#[must_use]
pub fn can_write(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn append(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Tells a file from another that takes its place under its name.
pub type Identity = (u64, u64);

/// Which file the name leads to, and how long that is. The file is not opened.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn look(path: &Path) -> io::Result<(Identity, u64)> {
    fs::symlink_metadata(path).map(|found| ((found.dev(), found.ino()), found.len()))
}

/// Which file is open.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn identity_of(file: &File) -> io::Result<Identity> {
    file.metadata().map(|found| (found.dev(), found.ino()))
}

/// Whether there is no room left beside the file, or none for it to grow (`ulimit -f`).
#[must_use]
pub fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).is_ok_and(|room| room.f_bavail == 0) || is_limited(path)
}

/// Whether the limit on the size of files leaves no room for the file, or for one that the database keeps beside it.
fn is_limited(path: &Path) -> bool {
    /// More than what is written at once.
    const GROWTH: u64 = 128 << 10;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    limit.is_some_and(|limit| {
        ["", "-wal", "-shm", "-journal"].iter().any(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            fs::metadata(name).map_or(0, |found| found.len()).saturating_add(GROWTH) > limit
        })
    })
}

/// Whether the file or its folder cannot be written.
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    [folder, path].iter().any(|path| path.exists() && access(*path, Access::WRITE_OK).is_err())
}
