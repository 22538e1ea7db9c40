//! Checks whether the state folder can be used, and whether it is private. It makes and changes nothing.

use std::{fs, io, path::Path};

use super::report::{Check, display_path};
use mmd_elevate_core::Problem;
use mmd_elevate_files::Ownership;

const FOLDER: Check = Check::new("state-folder", "state folder");
const PERMISSIONS: Check = Check::new("permissions", "permissions");

/// The prefixes of the program's own files. Other files in the folder are not checked.
const OWN_FILES: [&str; 4] = ["mmd-elevate.log", "owners", "practice.", "record.db"];

pub(super) fn checks(path: &Path) -> Vec<Check> {
    let folder = folder(path);
    let permissions = if path.is_dir() { permissions(path) } else { PERMISSIONS.not_tried("there is no folder yet") };
    vec![folder, permissions]
}

fn folder(path: &Path) -> Check {
    let other_folder = "name another folder with --state-dir or MMD_ELEVATE_STATE_DIR";
    let name = display_path(path);
    if let Err(error) = mmd_elevate_files::check_folder(path) {
        return match (error.kind(), fs::symlink_metadata(path).is_err()) {
            (io::ErrorKind::NotFound, true) => missing(path),
            _ => FOLDER.failed(Problem::new(format!("{name} cannot be used: {error}"), other_folder)),
        };
    }
    if !mmd_elevate_files::can_write(path) {
        let hint = format!("make it writable for you, or {other_folder}");
        return FOLDER.failed(Problem::new(format!("{name} cannot be written"), hint));
    }
    if mmd_elevate_files::is_full(&path.join("record.db")) {
        return FOLDER
            .failed(Problem::new(format!("the disk of {name} is full"), format!("make room, or {other_folder}")));
    }
    FOLDER.ok(format!("{name} can be written"))
}

/// Checks a folder that does not exist: the first start has to be able to make it.
fn missing(path: &Path) -> Check {
    let parents = path.ancestors().skip(1).map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    match parents.into_iter().find(|path| path.exists()) {
        Some(parent) if parent.is_dir() && mmd_elevate_files::can_write(parent) => {
            FOLDER.ok(format!("{} is not there yet and will be made", display_path(path)))
        }
        _ => {
            let hint = "make it yourself, or name another folder with --state-dir or MMD_ELEVATE_STATE_DIR";
            FOLDER.failed(Problem::new(format!("{} is not there and cannot be made", display_path(path)), hint))
        }
    }
}

fn permissions(path: &Path) -> Check {
    let (mut unusable, mut open) = (Vec::new(), Vec::new());
    check_entry(path, true, &mut unusable, &mut open);
    match entries(path) {
        Ok(names) => {
            for name in names.iter().filter(|name| OWN_FILES.iter().any(|prefix| name.starts_with(prefix))) {
                let entry = path.join(name);
                check_entry(&entry, false, &mut unusable, &mut open);
                for inner in entries(&entry).unwrap_or_default() {
                    check_entry(&entry.join(inner), false, &mut unusable, &mut open);
                }
            }
        }
        Err(error) => unusable.push(format!("{} cannot be read: {error}", display_path(path))),
    }
    let summarize = |entries: &[String]| match entries {
        [] => String::new(),
        [one] => one.clone(),
        [first, more @ ..] => format!("{first}, and {} more", more.len()),
    };
    if !unusable.is_empty() {
        let hint = "find out who put it there, then move it away, or name another folder";
        return PERMISSIONS.failed(Problem::new(summarize(&unusable), hint));
    }
    if !open.is_empty() {
        let what = format!("other users can read {}", summarize(&open));
        return PERMISSIONS.warning(Problem::new(what, format!("chmod -R go= {}", display_path(path))));
    }
    PERMISSIONS.ok("only you can read the state folder")
}

fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Checks one file or folder. `follow` accepts a link, which the state folder itself may be.
fn check_entry(path: &Path, follow: bool, unusable: &mut Vec<String>, open: &mut Vec<String>) {
    let name = display_path(path);
    match mmd_elevate_files::ownership(path, follow) {
        Ok(Ownership::Ours { to_others: false }) => {}
        Ok(Ownership::Ours { to_others: true }) => open.push(name),
        Ok(Ownership::Link) => unusable.push(format!("{name} is a link")),
        Ok(Ownership::Foreign) => unusable.push(format!("{name} belongs to somebody else")),
        // A running dashboard may have deleted it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => unusable.push(format!("{name} cannot be checked: {error}")),
    }
}
