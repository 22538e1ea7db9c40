//! Private folders and files: mode 0700 and 0600 whatever the umask, owned by the user, and reached without following links.

use std::{
    fs::{self, DirBuilder, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, Mode, OFlags, access};

/// How many files of one name there may be.
const MOST_OF_ONE_NAME: u32 = 1_000;

/// Creates the folder if it does not exist. An existing folder keeps its mode: it may be shared on purpose. A link to a
/// folder of the user is followed; a dangling link, or a link to another user's folder, is refused.
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

/// Checks that the folder exists and belongs to the user or to root: its owner can replace every file in it.
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

/// Opens the file for appending. A link, a pipe, or another user's file is refused.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for a reader.
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(not_a_file()),
        _ => {}
    }
    let file = append(path)?;
    make_private(&file)?;
    Ok(file)
}

/// Creates the file, which only its owner can read and write. The error is [`io::ErrorKind::AlreadyExists`] if anything has
/// its name, also a link that leads nowhere.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn create_new(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    make_private(&file)?;
    Ok(file)
}

/// Creates a private file under the first free name: `stem.extension`, `stem-2.extension`, and so on. Returns its path too.
///
/// # Errors
/// The error of the system, where it refuses, or 1,000 names are taken.
pub fn create_numbered(folder: &Path, stem: &str, extension: &str) -> io::Result<(PathBuf, File)> {
    for number in 1..=MOST_OF_ONE_NAME {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{number}.{extension}"));
        match create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return Ok((path, created?)),
        }
    }
    Err(io::Error::other(format!("there are {MOST_OF_ONE_NAME} files called {stem} already")))
}

/// Reads the whole file. Returns `None` if it does not exist. A link, a pipe, or another user's file is refused.
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
    make_private(&file)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Checks an open file by its handle, because its name may lead to another file by now, and makes it private.
fn make_private(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(not_a_file());
    }
    if is_foreign(&found) {
        return Err(foreign());
    }
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Who owns a path, and who can access it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// A file or folder of the user.
    Ours {
        /// Whether its mode gives other users access.
        to_others: bool,
    },
    /// A link.
    Link,
    /// A file or folder of another user.
    Foreign,
}

/// Returns who owns a path, behind a link if `follow`, without changing it.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn ownership(path: &Path, follow: bool) -> io::Result<Ownership> {
    let found = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
    let foreign = if found.is_dir() { is_foreign_folder(&found) } else { is_foreign(&found) };
    Ok(match (found.is_symlink(), foreign) {
        (true, _) => Ownership::Link,
        (false, true) => Ownership::Foreign,
        (false, false) => Ownership::Ours { to_others: is_open(&found) },
    })
}

fn not_a_file() -> io::Error {
    io::Error::other("it is not a file but a link or a folder")
}

fn foreign() -> io::Error {
    io::Error::other("it belongs to somebody else")
}

/// Why a file of a secret is not read.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be opened or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("it is not a file")]
    NotAFile,
    /// It belongs to another user, who can replace its contents.
    #[error("it belongs to somebody else")]
    NotOurs,
    /// Its mode gives other users access.
    #[error("others can read it")]
    Open,
    /// It is longer than any secret.
    #[error("it is too long")]
    TooLong,
}

/// Reads a file that holds a secret. Only the user may have access to it.
///
/// A symbolic link is followed, because secrets are often mounted through one. The open file is checked by its handle, so
/// that it cannot be replaced between check and reading.
///
/// # Errors
/// The file cannot be read, is too long, or is not private.
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

/// Reads a file that holds no secret: settings, rules, certificates. It never blocks: anything but a regular file is refused
/// before it is opened, and checked again by its handle, and at most `longest` bytes are read.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn read_bounded(path: &Path, longest: usize) -> io::Result<Vec<u8>> {
    // Opening a device may have an effect.
    check_regular(&fs::metadata(path)?)?;
    let file = open_to_read(path)?;
    check_regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > longest {
        let size = if longest >= 1 << 20 { format!("{} MiB", longest >> 20) } else { format!("{} KiB", longest >> 10) };
        return Err(io::Error::other(format!("it is longer than {size}")));
    }
    Ok(bytes)
}

/// Refuses everything but a regular file. The error names the kind of file.
fn check_regular(found: &fs::Metadata) -> io::Result<()> {
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
    // Opening a pipe must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Makes the names that were created, renamed or removed in the folder durable.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns whether the file exists, and makes it private. A link, a folder or another user's file is refused. The file is not
/// opened: closing it would release every lock that this process holds on it.
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

/// Returns whether files can be created in the folder, according to its mode.
#[must_use]
pub fn can_write(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn append(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Device and inode of a file, which differ from those of a file that replaces it.
pub type Identity = (u64, u64);

/// Returns the identity of the file with this name, and its length in bytes, without opening it.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn identify(path: &Path) -> io::Result<(Identity, u64)> {
    fs::symlink_metadata(path).map(|found| ((found.dev(), found.ino()), found.len()))
}

/// Returns the identity of an open file.
///
/// # Errors
/// The error of the system, where it refuses.
pub fn identity_of(file: &File) -> io::Result<Identity> {
    file.metadata().map(|found| (found.dev(), found.ino()))
}

/// Returns whether the disk of the file is full, or the limit on file sizes (`ulimit -f`) prevents it from growing.
#[must_use]
pub fn is_full(path: &Path) -> bool {
    rustix::fs::statvfs(path.parent().unwrap_or(path)).is_ok_and(|room| room.f_bavail == 0) || is_limited(path)
}

/// Returns whether the limit on file sizes leaves no room for the file, or for the other files of a database.
fn is_limited(path: &Path) -> bool {
    /// More than what is written at once, in bytes.
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

/// Returns whether the file or its folder is read-only.
#[must_use]
pub fn is_read_only(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    [folder, path].iter().any(|path| path.exists() && access(*path, Access::WRITE_OK).is_err())
}
