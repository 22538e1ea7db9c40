//! What the program keeps is its person's alone: private whatever the umask, and nothing else stands in its place.
#![cfg(unix)]

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

use mmd_elevate::log;
use mmd_elevate_engine::record::Record;
use mmd_elevate_practice::{Practice, Settings};
use rstest::rstest;
use rustix::{fs::Mode, process::umask};

use crate::{
    record::{create, folder, open, place},
    support::{shown_in_a_process_of_its_own, within},
};

async fn practise(state: &Path) -> Result<Practice, String> {
    let settings = Settings::in_folder(state, false, None).unwrap();
    let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await;
    practice.map_err(|error| format!("{error:?} {}", error.hint().unwrap_or_default()))
}

/// Everything that is below a folder, with it.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(all(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn folders_are_0700_and_files_0600_whatever_the_umask() {
    if shown_in_a_process_of_its_own("files::folders_are_0700_and_files_0600_whatever_the_umask", &[]) {
        return;
    }
    for mask in [0o000, 0o022, 0o027, 0o077] {
        let root = folder();
        let state = root.path().join("above/state");
        umask(Mode::from_raw_mode(mask));
        log::open(&state).unwrap();
        let (record, _) = within(open(&state)).await;
        record.begin(&create("a")).await.unwrap();
        let practice = practise(&state).await.unwrap();
        umask(Mode::from_raw_mode(0o077));
        let found = all(&root.path().join("above"));
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        for name in ["mmd-elevate.log", "record.db", "record.db-wal", "record.db-shm", "gate.lock", "practice.json"] {
            assert!(names.contains(&name), "{name} is not in {names:?}");
        }
        for path in found {
            let found = fs::symlink_metadata(&path).unwrap();
            let private = if found.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(found.mode() & 0o7777, private, "{} under umask {mask:o}", path.display());
        }
        drop(practice);
        record.close().await;
    }
}

/// A damaged database and a long log are set aside, and stay as private as they were.
#[tokio::test]
async fn what_is_set_aside_is_private_too() {
    if shown_in_a_process_of_its_own("files::what_is_set_aside_is_private_too", &[]) {
        return;
    }
    umask(Mode::empty());
    let root = folder();
    let state = root.path();
    within(open(state)).await.0.close().await;
    fs::write(state.join("record.db"), [b'x'; 8192]).unwrap();
    fs::write(state.join("practice.json"), "{").unwrap();
    fs::File::create(state.join(log::FILE_NAME)).unwrap().set_len(4 << 20).unwrap();
    for path in all(state).iter().filter(|path| path.is_file()) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    log::open(state).unwrap();
    let (record, _) = within(open(state)).await;
    practise(state).await.unwrap();
    let files: Vec<_> = all(state).into_iter().filter(|path| path.is_file()).collect();
    let aside = |part: &str| files.iter().filter(|path| path.to_string_lossy().contains(part)).count();
    assert!(aside(".damaged-") >= 1 && aside("practice.damaged-") == 1 && aside(".log.old") == 1, "{files:?}");
    for path in &files {
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{}", path.display());
    }
    record.close().await;
}

/// Who opens a file, and what is said where it will not do.
#[derive(Clone, Copy, Debug)]
enum Opens {
    Log,
    Record,
    Practice,
}

impl Opens {
    async fn refused(self, state: &Path) -> String {
        match self {
            Self::Log => log::open(state).err().map(|error| error.to_string()),
            Self::Record => {
                let error = Record::open(place(state), jiff::Timestamp::now).await.err();
                error.map(|error| format!("{error} {}", error.hint()))
            }
            Self::Practice => practise(state).await.err(),
        }
        .unwrap_or_else(|| panic!("{self:?} took what is not ours"))
    }
}

#[rstest]
#[case(Opens::Log, "mmd-elevate.log")]
#[case(Opens::Record, "record.db")]
#[case(Opens::Record, "record.db-wal")]
#[case(Opens::Record, "record.db-shm")]
#[case(Opens::Record, "record.db-journal")]
#[case(Opens::Record, "owners/gate.lock")]
#[case(Opens::Practice, "practice.json")]
#[case(Opens::Practice, "practice.lock")]
#[tokio::test]
async fn neither_a_link_nor_a_pipe_nor_somebody_elses_file_is_taken(#[case] opens: Opens, #[case] name: &str) {
    let root = folder();
    let (state, target) = (root.path().join("state"), root.path().join("target"));
    let path = state.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&target, "kept").unwrap();
    let anew = || {
        // What was made beside it may stand in the way of what is tried next.
        fs::remove_dir_all(&state).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
    };
    for leads in [&target, &root.path().join("nowhere")] {
        symlink(leads, &path).unwrap();
        let error = within(opens.refused(&state)).await;
        assert!(!error.is_empty());
        assert_eq!((fs::read_to_string(&target).unwrap().as_str(), leads == &target), ("kept", leads.exists()));
        anew();
    }
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
    within(opens.refused(&state)).await;
    anew();
    fs::write(&path, "kept").unwrap();
    if chown(&path, Some(12345), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    let error = within(opens.refused(&state)).await;
    assert!(error.contains("somebody else"), "{error}");
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), fs::metadata(&path).unwrap().uid()), ("kept", 12345));
}

#[rstest]
#[case(Opens::Log)]
#[case(Opens::Record)]
#[case(Opens::Practice)]
#[tokio::test]
async fn a_state_folder_that_leads_nowhere_or_is_somebody_elses_is_refused(#[case] opens: Opens) {
    let root = folder();
    let (link, nowhere, theirs) = (root.path().join("link"), root.path().join("nowhere"), root.path().join("theirs"));
    symlink(&nowhere, &link).unwrap();
    let error = within(opens.refused(&link)).await;
    assert!(error.contains("a link that leads nowhere") && !nowhere.exists(), "{error}");
    fs::create_dir(&theirs).unwrap();
    if chown(&theirs, Some(12345), None).is_err() {
        println!("skipped: only root can give a folder away");
        return;
    }
    let error = within(opens.refused(&theirs)).await;
    assert!(error.contains("somebody else"), "{error}");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
}

#[tokio::test]
async fn a_long_log_of_somebody_elses_is_not_moved() {
    let root = folder();
    let log = root.path().join(log::FILE_NAME);
    fs::File::create(&log).unwrap().set_len(4 << 20).unwrap();
    if chown(&log, Some(12345), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    within(Opens::Log.refused(root.path())).await;
    assert_eq!(all(root.path()).len(), 2, "the folder and the log");
}
