//! Expands `~` at the beginning of every path that a flag, a variable or the settings file names. It never touches the
//! disk.
//!
//! A shell expands `~` itself, but not in quotes and not in a file. A folder that is called `~` is never meant.

use std::path::{Path, PathBuf};

use super::document::{DocumentReader, SettingsTable};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::quoted;

/// Checks how a path is written.
pub(super) fn validate(path: &Path) -> Result<(), Problem> {
    let text = path.to_string_lossy();
    if text.is_empty() {
        return Err(Problem::new("a path is empty", "name a file or a folder, or leave it out"));
    }
    if text.contains('\0') {
        return Err(Problem::new("a path holds a character that no path has", "type it again"));
    }
    match text.strip_prefix('~') {
        None => Ok(()),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(()),
        Some(_) => {
            let what = format!("{} names the home folder of another user, or a file that begins with ~", quoted(&text));
            Err(Problem::new(what, "write ~/ for your own home folder, ./~ for such a file, or the whole path"))
        }
    }
}

/// Replaces `~` at the beginning of the path by the home folder.
pub(super) fn expand_home(path: PathBuf, env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf, Problem> {
    validate(&path)?;
    let Ok(rest) = path.strip_prefix("~") else { return Ok(path) };
    let home = env("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| etcetera::home_dir().ok()).filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| {
        Problem::new("`~` cannot be expanded: the home folder is unknown", "set HOME, or write the whole path")
    })?;
    Ok(if rest.as_os_str().is_empty() { home } else { home.join(rest) })
}

/// Makes a path of the settings file relative to the file's folder, unless it is absolute or begins with `~`.
pub(super) fn relative_to(folder: &Path, path: PathBuf) -> PathBuf {
    if path.starts_with("~") { path } else { folder.join(path) }
}

/// Reads a setting that is a path, relative to the folder of the settings file.
pub(super) fn read(
    reader: &mut DocumentReader<'_>,
    table: &SettingsTable<'_, '_>,
    name: &str,
    folder: &Path,
) -> Option<PathBuf> {
    let parse = |text: &str| validate(Path::new(text)).map(|()| relative_to(folder, text.into()));
    table.get(name).and_then(|value| reader.parse_text(value, name, parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tilde_is_the_home_folder_and_nothing_else_is_changed() {
        let env = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
        for (written, path) in [
            ("~", "/home/ann"),
            ("~/", "/home/ann"),
            ("~/x y/z", "/home/ann/x y/z"),
            ("~//x", "/home/ann/x"),
            ("/x/~/y", "/x/~/y"),
            ("x~", "x~"),
            ("./~", "./~"),
            ("rel/ative", "rel/ative"),
        ] {
            assert_eq!(expand_home(written.into(), &env), Ok(PathBuf::from(path)), "{written}");
        }
        for written in ["~ann/x", "~root", "~+", "~x", "", "a\0b"] {
            assert!(expand_home(written.into(), &env).is_err(), "{written:?}");
        }
        assert_eq!(relative_to(Path::new("/etc"), "~/x".into()), PathBuf::from("~/x"));
        assert_eq!(relative_to(Path::new("/etc"), "x".into()), PathBuf::from("/etc/x"));
    }
}
