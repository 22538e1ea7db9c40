//! The log is nobody else's business.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

#[test]
fn the_log_is_private_and_follows_no_link() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("deep/state");
    let log = state.join(mmd_elevate::log::FILE_NAME);
    mmd_elevate::log::open(&state).unwrap();
    assert_eq!((mode(&folder.path().join("deep")), mode(&state), mode(&log)), (0o700, 0o700, 0o600));

    fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
    mmd_elevate::log::open(&state).unwrap();
    assert_eq!(mode(&log), 0o600, "one that was open to others is closed");

    let target = folder.path().join("target");
    fs::write(&target, "kept").unwrap();
    fs::remove_file(&log).unwrap();
    symlink(&target, &log).unwrap();
    let error = mmd_elevate::log::open(&state).unwrap_err().to_string();
    assert!(error.contains("there is no log: ") && error.contains("\nhint: name another folder"), "{error}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
}
