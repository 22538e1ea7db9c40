//! The settings file: whatever is in it, it ends as settings or as an error in words, and is left as it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mmd_elevate::{cli::Flags, config, keys::Keymap};
use mmd_elevate_core::invisible_characters;
use tempfile::TempDir;

/// The file of settings, read as the program reads it at its start.
pub(crate) fn settings(data: &[u8]) {
    FOLDER.with(|folder| settings_in(&folder.path().join("config.toml"), data));
}

thread_local! {
    /// One for all runs, and in memory where there is such a folder: this is about what is read, not about the disk.
    static FOLDER: TempDir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
}

fn settings_in(path: &Path, data: &[u8]) {
    fs::write(path, data).unwrap();
    let flags = Flags { config: Some(path.to_owned()), state_dir: Some(PathBuf::from("unused")), ..Flags::default() };
    for token in [None, Some("token.token.token")] {
        let env = |name: &str| if name == config::variable::TOKEN { token.map(str::to_owned) } else { None };
        match config::load(&flags, env) {
            Ok(config) => {
                if let Err(error) = Keymap::new(&config.keys) {
                    check_shown(&error.to_string());
                }
            }
            Err(error) => check_shown(&error.to_string()),
        }
    }
    assert_eq!(fs::read(path).unwrap(), data, "the file is never written");
}

fn check_shown(text: &str) {
    assert_eq!(invisible_characters(text), 0, "{text:?}");
}
