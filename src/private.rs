//! Folders and files that are nobody else's business: 0700 and 0600 whatever the umask, and no link followed to them.

use std::{
    fs::{self, DirBuilder, File},
    io,
    path::Path,
};

/// Creates the folder where it is not there yet. One that exists keeps its mode: it may be shared on purpose.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    set_mode(0o700, |mode| fs::set_permissions(path, mode))
}

/// Opens the file to write at its end. A link, a pipe, or a file of somebody else's is refused.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a file but a link or a folder")),
        _ => {}
    }
    let file = append(path)?;
    set_mode(0o600, |mode| file.set_permissions(mode))?;
    Ok(file)
}

/// Why a file does not keep a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
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
pub(crate) fn read_secret(path: &Path, longest: usize) -> Result<Vec<u8>, SecretFileError> {
    use std::io::Read as _;
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

#[cfg(unix)]
fn judge(found: &fs::Metadata) -> Result<(), SecretFileError> {
    use std::os::unix::fs::MetadataExt;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(SecretFileError::NotOurs);
    }
    let others = found.mode() & 0o077;
    if others == 0 { Ok(()) } else { Err(SecretFileError::Open) }
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
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) } // Elsewhere a folder cannot be opened like a file.
}

/// Whether there is a file of ours. What stands there and is a link, a folder or somebody else's is refused; a file of
/// ours that others could read is made private. The file is not opened: closing it would drop every lock that this
/// process holds on it.
pub(crate) fn is_ours(path: &Path) -> io::Result<bool> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found?,
    };
    if !found.is_file() {
        return Err(io::Error::other("it is not a file but a link or a folder"));
    }
    make_private(path, &found)?;
    Ok(true)
}

#[cfg(unix)]
fn make_private(path: &Path, found: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to somebody else"));
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
pub(crate) type Identity = (u64, u64);

/// Which file the name leads to, if there is one.
#[cfg(unix)]
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some((0, 0)) // A file that is open cannot be moved or removed there.
}

/// Whether there is no room left beside the file.
#[cfg(unix)]
pub(crate) fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).is_ok_and(|room| room.f_bavail == 0)
}

#[cfg(not(unix))]
pub(crate) fn is_full(_: &Path) -> bool {
    false
}

/// Whether the file or its folder cannot be written.
#[cfg(unix)]
pub(crate) fn is_read_only(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    let folder = path.parent().unwrap_or(path);
    [folder, path].iter().any(|path| path.exists() && access(*path, Access::WRITE_OK).is_err())
}

#[cfg(not(unix))]
pub(crate) fn is_read_only(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.permissions().readonly())
}
