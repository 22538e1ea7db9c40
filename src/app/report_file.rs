//! Writes reports to files, away from the loop's thread. A file that is there is never written over.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use crate::dashboard::ReportFile;
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact;

/// Writes a report. Returns the path of its file, as it is shown.
///
/// # Errors
/// The folder or the disk takes no file.
pub(super) fn write_report(folder: &Path, file: &ReportFile) -> Result<String, Problem> {
    let shown = |path: &Path| visible(&path.to_string_lossy()).into_owned();
    write(folder, file).map(|path| shown(&path)).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
            _ => "name a folder that you may write to as [report] folder in the settings",
        };
        Problem::new(format!("The report was not written to {}: {error}", shown(folder)), hint)
    })
}

/// Writes the report to a file that only its owner can read, under the first name that no file has. Returns its path.
fn write(folder: &Path, file: &ReportFile) -> io::Result<PathBuf> {
    let ReportFile { stem, extension, text } = file;
    // A folder that is there is used as it is: it may be shared on purpose.
    if fs::metadata(folder).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        mmd_elevate_files::create_folder(folder)?;
    }
    let (path, mut opened) = mmd_elevate_files::create_numbered(folder, stem, extension)?;
    let written = opened.write_all(redact::redact(text).as_bytes()).and_then(|()| opened.sync_all());
    if let Err(error) = written {
        // A part of a report would pass for all of it.
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn file(text: &str) -> ReportFile {
        ReportFile { stem: "mmd-elevate-2026-11-22-shift".to_owned(), extension: "md", text: text.to_owned() }
    }

    #[test]
    fn report_is_private_and_takes_the_first_free_name() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("new/reports");
        let first = write(&folder, &file("one")).unwrap();
        // A link that leads nowhere is a name that is taken, too.
        symlink(home.path().join("elsewhere"), folder.join("mmd-elevate-2026-11-22-shift-2.md")).unwrap();
        let third = write(&folder, &file("three")).unwrap();
        assert_eq!(first, folder.join("mmd-elevate-2026-11-22-shift.md"));
        assert_eq!(third, folder.join("mmd-elevate-2026-11-22-shift-3.md"));
        for (path, text) in [(first, "one"), (third, "three")] {
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(!home.path().join("elsewhere").exists());
    }

    #[test]
    fn secret_that_the_service_repeats_is_in_no_report() {
        let folder = tempfile::tempdir().unwrap();
        redact::register(redact::Kind::Token, "canary-token-of-a-report");
        let path = write(folder.path(), &file("- INC-1 · canary-token-of-a-report · Title")).unwrap();
        let written = fs::read_to_string(path).unwrap();
        assert!(written.starts_with("- INC-1 · ") && !written.contains("canary"), "{written}");
    }

    #[test]
    fn folder_that_cannot_be_used_is_named_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        fs::write(&path, "").unwrap();
        let problem = write_report(&path, &file("text")).unwrap_err();
        assert!(problem.what.starts_with(&format!("The report was not written to {}: ", path.display())), "{problem}");
        assert!(problem.hint.contains("[report] folder"), "{problem}");
    }
}
