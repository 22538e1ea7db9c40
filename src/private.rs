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
