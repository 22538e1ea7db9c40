//! One rule for every path that a flag, a variable or the settings file names: `~` at its beginning is the home folder,
//! as in a shell. A shell does not see what stands in quotes or in a file, and a folder called `~` is never meant.

use std::path::{Path, PathBuf};

use super::Refused;
use mmd_elevate_engine::redact::quoted;

/// Checks how a path is written.
pub(super) fn checked(path: &Path) -> Result<(), Refused> {
    let text = path.to_string_lossy();
    if text.is_empty() {
        return Err(Refused::new("a path is empty", "name a file or a folder, or leave it out"));
    }
    if text.contains('\0') {
        return Err(Refused::new("a path holds a character that no path has", "type it again"));
    }
    match text.strip_prefix('~') {
        None => Ok(()),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(()),
        Some(_) => {
            let what =
                format!("{} names the home folder of somebody else, or a file that begins with ~", quoted(&text));
            Err(Refused::new(what, "write ~/ for your own home folder, ./~ for such a file, or the whole path"))
        }
    }
}

/// The path itself, with the home folder where it begins with `~`.
pub(super) fn expanded(path: PathBuf, env: &impl Fn(&str) -> Option<String>) -> Result<PathBuf, Refused> {
    checked(&path)?;
    let Ok(rest) = path.strip_prefix("~") else { return Ok(path) };
    let home = env("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| etcetera::home_dir().ok()).filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| {
        Refused::new("`~` is no folder here: no home folder is known", "set HOME, or write the whole path")
    })?;
    Ok(if rest.as_os_str().is_empty() { home } else { home.join(rest) })
}

/// A path of the settings file: one that is relative begins where the file is.
pub(super) fn beside(path: PathBuf, folder: &Path) -> PathBuf {
    if path.starts_with("~") { path } else { folder.join(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_folder_and_nothing_else_is_changed() {
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
            assert_eq!(expanded(written.into(), &env), Ok(PathBuf::from(path)), "{written}");
        }
        for written in ["~ann/x", "~root", "~+", "~x", "", "a\0b"] {
            assert!(expanded(written.into(), &env).is_err(), "{written:?}");
        }
        assert_eq!(beside("~/x".into(), Path::new("/etc")), PathBuf::from("~/x"));
        assert_eq!(beside("x".into(), Path::new("/etc")), PathBuf::from("/etc/x"));
    }
}
