//! Folders and files that are nobody else's business: 0700 and 0600 whatever the umask, and no link followed to them.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _},
    path::Path,
};

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
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    set_mode(0o700, |mode| fs::set_permissions(path, mode))
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
    set_mode(0o600, |mode| file.set_permissions(mode))
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
    judge(&found)?;
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
    let what = if found.is_dir() { "a folder" } else { special(found) };
    Err(io::Error::other(format!("it is {what}, not a file")))
}

#[cfg(unix)]
fn special(found: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: &fs::Metadata) -> &'static str {
    "something else"
}

#[cfg(unix)]
fn judge(found: &fs::Metadata) -> Result<(), SecretFileError> {
    if is_foreign(found) {
        return Err(SecretFileError::NotOurs);
    }
    if is_open(found) { Err(SecretFileError::Open) } else { Ok(()) }
}

#[cfg(not(unix))]
fn judge(_: &fs::Metadata) -> Result<(), SecretFileError> {
    Ok(()) // The user's profile folder is private there.
}

#[cfg(unix)]
fn open_to_read(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // A pipe that stands there must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_to_read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Makes what was created, renamed or removed in the folder last through a power cut.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) } // Elsewhere a folder cannot be opened like a file.
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
    make_private(path, &found)?;
    Ok(true)
}

#[cfg(unix)]
fn make_private(path: &Path, found: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if is_foreign(found) {
        return Err(foreign());
    }
    if found.mode() & 0o777 == 0o600 {
        return Ok(());
    }
    set_mode(0o600, |mode| fs::set_permissions(path, mode))
}

#[cfg(not(unix))]
fn make_private(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_foreign(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() != rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
fn is_foreign_folder(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() != 0 && is_foreign(found)
}

#[cfg(unix)]
fn is_open(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.mode() & 0o077 != 0
}

// The user's profile folder is private elsewhere.
#[cfg(not(unix))]
fn is_foreign(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_foreign_folder(_: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn is_open(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn open_unfollowed(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_unfollowed(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether files can be made in the folder, as far as its mode tells.
#[cfg(unix)]
#[must_use]
pub fn can_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
pub fn can_write(folder: &Path) -> bool {
    folder.metadata().is_ok_and(|found| !found.permissions().readonly())
}

#[cfg(unix)]
fn append(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

#[cfg(not(unix))]
fn append(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

#[cfg(unix)]
fn set_mode(mode: u32, apply: impl FnOnce(fs::Permissions) -> io::Result<()>) -> io::Result<()> {
    apply(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: u32, _: impl FnOnce(fs::Permissions) -> io::Result<()>) -> io::Result<()> {
    Ok(()) // The user's profile folder is private there.
}

/// Tells a file from another that takes its place under its name.
pub type Identity = (u64, u64);

/// Which file the name leads to, and how long that is. The file is not opened.
///
/// # Errors
/// The error of the system, where it refuses.
#[cfg(unix)]
pub fn look(path: &Path) -> io::Result<(Identity, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).map(|found| ((found.dev(), found.ino()), found.len()))
}

#[cfg(not(unix))]
pub fn look(path: &Path) -> io::Result<(Identity, u64)> {
    // A file that is open cannot be moved or removed there.
    fs::symlink_metadata(path).map(|found| ((0, 0), found.len()))
}

/// Which file is open.
///
/// # Errors
/// The error of the system, where it refuses.
#[cfg(unix)]
pub fn identity_of(file: &File) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub fn identity_of(_: &File) -> io::Result<Identity> {
    Ok((0, 0))
}

/// Whether there is no room left beside the file, or none for it to grow (`ulimit -f`).
#[cfg(unix)]
#[must_use]
pub fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).is_ok_and(|room| room.f_bavail == 0) || is_limited(path)
}

/// Whether the limit on the size of files leaves no room for the file, or for one that the database keeps beside it.
#[cfg(unix)]
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

#[cfg(not(unix))]
pub fn is_full(_: &Path) -> bool {
    false
}

/// Whether the file or its folder cannot be written.
#[cfg(unix)]
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    let folder = path.parent().unwrap_or(path);
    [folder, path].iter().any(|path| path.exists() && access(*path, Access::WRITE_OK).is_err())
}

#[cfg(not(unix))]
pub fn is_read_only(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.permissions().readonly())
}
