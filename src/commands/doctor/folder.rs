//! The state folder: whether it can be had, and whether it is nobody else's.

use std::{fs, io, path::Path};

use super::{Check, shown};
use mmd_elevate_files::Found;

const FOLDER: Check = Check::new("state-folder", "state folder");
const PERMISSIONS: Check = Check::new("permissions", "permissions");

/// What the names of our own files in it begin with. What else somebody keeps there is not our business.
const OURS: [&str; 4] = ["mmd-elevate.log", "owners", "practice.", "record.db"];

pub(super) fn checks(path: &Path) -> Vec<Check> {
    let folder = folder(path);
    let permissions = if path.is_dir() { permissions(path) } else { PERMISSIONS.not_tried("there is no folder yet") };
    vec![folder, permissions]
}

fn folder(path: &Path) -> Check {
    let another = "name another folder with --state-dir or MMD_ELEVATE_STATE_DIR";
    let name = shown(path);
    if let Err(error) = mmd_elevate_files::check_folder(path) {
        return match (error.kind(), fs::symlink_metadata(path).is_err()) {
            (io::ErrorKind::NotFound, true) => absent(path),
            _ => FOLDER.failed(format!("{name} cannot be used: {error}"), another),
        };
    }
    if !mmd_elevate_files::can_write(path) {
        return FOLDER.failed(format!("{name} cannot be written"), format!("make it writable for you, or {another}"));
    }
    if mmd_elevate_files::is_full(&path.join("record.db")) {
        return FOLDER.failed(format!("no room is left in {name}"), format!("make room, or {another}"));
    }
    FOLDER.ok(format!("{name} can be written"))
}

/// It is made at the first start, so what counts is whether it can be.
fn absent(path: &Path) -> Check {
    let above = path.ancestors().skip(1).map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path });
    match above.into_iter().find(|path| path.exists()) {
        Some(above) if above.is_dir() && mmd_elevate_files::can_write(above) => {
            FOLDER.ok(format!("{} is not there yet and will be made", shown(path)))
        }
        _ => FOLDER.failed(
            format!("{} is not there and cannot be made", shown(path)),
            "make it yourself, or name another folder with --state-dir or MMD_ELEVATE_STATE_DIR",
        ),
    }
}

fn permissions(path: &Path) -> Check {
    let (mut refused, mut open) = (Vec::new(), Vec::new());
    look(path, true, &mut refused, &mut open);
    match entries(path) {
        Ok(names) => {
            for name in names.iter().filter(|name| OURS.iter().any(|ours| name.starts_with(ours))) {
                let entry = path.join(name);
                look(&entry, false, &mut refused, &mut open);
                for inner in entries(&entry).unwrap_or_default() {
                    look(&entry.join(inner), false, &mut refused, &mut open);
                }
            }
        }
        Err(error) => refused.push(format!("{} cannot be read: {error}", shown(path))),
    }
    let told = |problems: &[String]| match problems {
        [] => String::new(),
        [one] => one.clone(),
        [first, more @ ..] => format!("{first}, and {} more", more.len()),
    };
    if !refused.is_empty() {
        return PERMISSIONS.failed(told(&refused), "see who put it there; then move it away, or name another folder");
    }
    if !open.is_empty() {
        let hint = format!("chmod -R go= {}", shown(path));
        return PERMISSIONS.warning(format!("others may look into {}", told(&open)), hint);
    }
    PERMISSIONS.ok("everything in the state folder is yours alone")
}

fn entries(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// `follow`: the person's own link to the folder itself is theirs to make.
fn look(path: &Path, follow: bool, refused: &mut Vec<String>, open: &mut Vec<String>) {
    let name = shown(path);
    match mmd_elevate_files::find(path, follow) {
        Ok(Found::Ours { to_others: false }) => {}
        Ok(Found::Ours { to_others: true }) => open.push(name),
        Ok(Found::Link) => refused.push(format!("{name} is a link")),
        Ok(Found::Foreign) => refused.push(format!("{name} belongs to somebody else")),
        // It went away meanwhile, as files do while a dashboard runs.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => refused.push(format!("{name} cannot be looked at: {error}")),
    }
}
