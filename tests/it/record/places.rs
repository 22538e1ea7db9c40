//! Tests the places where the record can and cannot be, and the errors: nothing is sent without a record.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use mmd_elevate_core::{WriteId, WriteState};
use mmd_elevate_engine::record::{Record, RecordError};
use rusqlite::Connection;

use super::{
    Timestamp, create,
    damage::{leaves, overwrite},
    folder, open, outcome, place,
};

async fn refused(dir: &Path) -> RecordError {
    let error = Record::open(place(dir), Timestamp::now).await.unwrap_err();
    assert!(!error.hint().is_empty() && !error.to_string().starts_with(char::is_uppercase), "{error}");
    error
}

#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_refused() {
    for name in ["record.db", "record.db-wal", "record.db-shm", "owners", "owners/gate.lock"] {
        let (dir, target) = (folder(), folder());
        let target = target.path().join("target");
        if name == "owners" {
            fs::create_dir(&target).unwrap();
        } else {
            fs::write(&target, "").unwrap();
        }
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        symlink(&target, dir.path().join(name)).unwrap();
        let error = refused(dir.path()).await;
        assert!(matches!(error, RecordError::CannotOpen { .. }), "{name}: {error}");
        assert!(target.is_dir() || fs::read(&target).unwrap().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_folder_that_is_a_link_is_the_users_choice() {
    let dir = folder();
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink(dir.path().join("real"), dir.path().join("link")).unwrap();
    open(&dir.path().join("link")).await.0.close().await;
    assert!(dir.path().join("real/record.db").is_file());
}

#[tokio::test]
async fn somebody_elses_file_is_refused() {
    let dir = folder();
    open(dir.path()).await.0.close().await;
    if std::os::unix::fs::chown(dir.path().join("record.db"), Some(12345), None).is_err() {
        println!("skipped: only root can give a file away");
        return;
    }
    assert!(matches!(refused(dir.path()).await, RecordError::CannotOpen { .. }));
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let dir = folder();
    let path = dir.path().join("record.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE songs (title)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(refused(dir.path()).await, RecordError::CannotOpen { .. }));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_later_versions_record_is_left_alone() {
    let dir = folder();
    open(dir.path()).await.0.close().await;
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    db.execute_batch("PRAGMA user_version = 3; ALTER TABLE intent RENAME COLUMN why TO because").unwrap();
    drop(db);
    assert!(matches!(refused(dir.path()).await, RecordError::Newer { version: 3, .. }));
}

#[tokio::test]
async fn a_record_that_is_moved_away_is_not_written_to() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    fs::rename(dir.path().join("record.db"), dir.path().join("elsewhere.db")).unwrap();
    let error = record.begin(&create("a")).await.unwrap_err();
    assert!(matches!(error, RecordError::NotDurable { .. }), "{error}");
}

#[tokio::test]
async fn state_folder_with_an_odd_name_is_a_place_like_any() {
    use std::os::unix::ffi::OsStrExt;
    let names: [&[u8]; 6] =
        [b"a b  c", b"line\nend\ttab", b"caf\xe9 \xff\xfe", b"%41?mode=ro&vfs=none#x", b"-wal", b".record.db"];
    for name in names {
        let dir = folder();
        let state = dir.path().join(std::ffi::OsStr::from_bytes(name));
        let (record, _) = open(&state).await;
        let write = record.begin(&create("a")).await.unwrap();
        record.close().await;
        assert_eq!(open(&state).await.1.unresolved[0].id, write.id, "{name:?}");
        assert!(state.join("record.db").is_file(), "{name:?}");
    }
}

#[tokio::test]
async fn path_that_is_too_long_is_told_and_nothing_is_made() {
    let dir = folder();
    for long in ["x".repeat(300), "0123456789/".repeat(45), "0123456789/".repeat(500)] {
        let error = refused(&dir.path().join(long)).await;
        assert!(matches!(error, RecordError::Unsuitable { .. }), "{error}");
        assert!(error.to_string().len() < 150, "it leaves room for the hint: {error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn folder_that_is_not_there_yet_may_come() {
    let dir = folder();
    fs::write(dir.path().join("disk"), "not mounted").unwrap();
    let state = dir.path().join("disk/state");
    let error = refused(&state).await;
    assert!(error.may_pass() && !error.hint_on_opening().is_empty(), "{error}");
    fs::remove_file(dir.path().join("disk")).unwrap();
    open(&state).await.0.close().await;
}

#[tokio::test]
async fn a_closed_record_says_so() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let other = record.clone();
    record.close().await;
    assert_eq!(other.begin(&create("a")).await.unwrap_err(), RecordError::Ended);
    assert_eq!(fs::read_dir(dir.path().join("owners")).unwrap().count(), 1, "only the opening lock");
    assert!(!dir.path().join("record.db-wal").exists());
}

#[tokio::test]
async fn a_busy_record_is_an_error_in_the_end() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = record.begin(&create("a")).await.unwrap_err();
    assert!(matches!(error, RecordError::Busy { .. }), "{error}");
    db.execute_batch("ROLLBACK").unwrap();
    record.begin(&create("a")).await.unwrap();
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
fn skipped(why: &str) -> Option<Mount> {
    println!("skipped: this machine does not mount: {why}");
    None
}

/// A small file system, which is unmounted when the value is dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(dir: &Path, size: &str) -> Option<Self> {
        let options = format!("mode=700,size={size}");
        match Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir).output() {
            Ok(output) if output.status.success() => Some(Self(dir.to_owned())),
            Ok(output) => skipped(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => skipped(&error.to_string()),
        }
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_before_anything_is_sent() {
    let dir = folder();
    let Some(mount) = Mount::new(dir.path(), "600k") else { return };
    let (record, _) = open(dir.path()).await;
    let ballast = dir.path().join("ballast");
    fs::write(&ballast, vec![0; 100_000]).unwrap();
    let mut durable = Vec::new();
    let error = loop {
        match record.begin(&create(&"long ".repeat(500))).await {
            Ok(write) => durable.push(write.id),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RecordError::FullDisk { .. }), "{error}");
    let saved = record.save(vec![(super::DraftTarget::Form, Some(super::draft(&"long ".repeat(9000))))]).await;
    assert!(matches!(saved, Err(RecordError::FullDisk { .. })), "{saved:?}");
    fs::remove_file(&ballast).unwrap();
    durable.push(record.begin(&create("room again")).await.unwrap().id);
    record.close().await;
    mount.remount("size=2m");
    let found: Vec<_> = open(dir.path()).await.1.unresolved.into_iter().map(|it| it.id).collect();
    assert_eq!(found, durable, "what was refused is not there, what was accepted is");
}

#[tokio::test]
async fn outcome_that_fits_is_saved_where_what_is_asked_for_with_it_does_not_fit() {
    let dir = folder();
    let Some(_mount) = Mount::new(dir.path(), "600k") else { return };
    let (record, _) = open(dir.path()).await;
    let sent = record.begin(&create("sent")).await.unwrap().id;
    let ballast = dir.path().join("ballast");
    fs::write(&ballast, vec![0; 120_000]).unwrap();
    while record.begin(&create(&"long ".repeat(500))).await.is_ok() {}
    fs::File::options().write(true).open(&ballast).unwrap().set_len(40_000).unwrap();
    let (too_long, outcome) = (create(&"long ".repeat(9000)), super::done(super::request("made")));
    let (begun, settled) = tokio::join!(record.begin(&too_long), record.settle(sent, outcome));
    assert!(matches!(begun, Err(RecordError::FullDisk { .. })), "{begun:?}");
    assert_eq!(settled, Ok(()));
}

#[tokio::test]
async fn damaged_record_that_there_is_no_room_to_take_over_stays_until_there_is() {
    let dir = folder();
    let Some(mount) = Mount::new(dir.path(), "2m") else { return };
    let (record, _) = open(dir.path()).await;
    for _ in 0..30 {
        record.begin(&create(&"long ".repeat(500))).await.unwrap();
    }
    record.close().await;
    let path = dir.path().join("record.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 4096].fill(0x55);
    fs::write(&path, &bytes).unwrap();
    let ballast = dir.path().join("ballast");
    fs::write(&ballast, vec![0; (2 << 20) - bytes.len() - 150_000]).unwrap();
    for _ in 0..2 {
        let error = refused(dir.path()).await;
        assert!(matches!(error, RecordError::FullDisk { .. }), "{error}");
        assert!(fs::read(&path).unwrap() == bytes, "it is where it was, as it was");
    }
    fs::remove_file(&ballast).unwrap();
    mount.remount("size=8m");
    let recovered = open(dir.path()).await.1;
    assert!(recovered.unresolved.len() > 25 && recovered.warnings.len() == 1, "{:?}", recovered.warnings);
}

#[tokio::test]
async fn damage_met_in_use_that_there_is_no_room_to_replace_is_taken_over_by_the_next_start() {
    let dir = folder();
    let Some(mount) = Mount::new(dir.path(), "4m") else { return };
    let (record, _) = open(dir.path()).await;
    for _ in 0..30 {
        let write = record.begin(&create(&"long ".repeat(500))).await.unwrap();
        record.settle(write.id, outcome(WriteState::NotDone)).await.unwrap();
    }
    record.begin(&create("left")).await.unwrap();
    record.close().await;
    let (record, _) = open(dir.path()).await;
    let path = dir.path().join("record.db");
    let length = fs::metadata(&path).unwrap().len();
    overwrite(&path, &[0x55; 4096], leaves(&path, "intent")[0]);
    // A write of another connection invalidates the cached pages.
    Connection::open(&path).unwrap().execute("UPDATE intent SET operator = 'x' WHERE id = 31", []).unwrap();
    let log = fs::metadata(dir.path().join("record.db-wal")).unwrap().len();
    fs::write(dir.path().join("ballast"), vec![0; (4 << 20) - usize::try_from(length + log).unwrap() - 150_000])
        .unwrap();
    for id in 1..=30 {
        let _ = record.write(WriteId(id)).await;
    }
    record.restore().await.unwrap();
    let error = record.write(WriteId(1)).await.unwrap_err();
    assert!(matches!(error, RecordError::FullDisk { .. }), "{error}");
    record.close().await;
    fs::remove_file(dir.path().join("ballast")).unwrap();
    mount.remount("size=8m");
    let recovered = open(dir.path()).await.1;
    let left: Vec<_> = recovered.unresolved.iter().map(|write| &write.operation).collect();
    assert_eq!((left, recovered.warnings.len()), (vec![&create("left")], 1), "{:?}", recovered.warnings);
}

#[tokio::test]
async fn no_room_at_the_start_is_an_error_too() {
    let dir = folder();
    let Some(_mount) = Mount::new(dir.path(), "64k") else { return };
    fs::write(dir.path().join("ballast"), vec![0; 40_000]).unwrap();
    let error = refused(dir.path()).await;
    assert!(matches!(error, RecordError::FullDisk { .. }), "{error}");
}

#[tokio::test]
async fn a_read_only_folder_is_an_error_before_anything_is_sent() {
    for filled in [false, true] {
        let dir = folder();
        let Some(mount) = Mount::new(dir.path(), "1m") else { return };
        if filled {
            open(dir.path()).await.0.close().await;
        }
        mount.remount("ro");
        assert!(matches!(refused(dir.path()).await, RecordError::ReadOnly { .. }), "{filled}");
    }
}

#[tokio::test]
async fn a_folder_without_permission_is_an_error() {
    let dir = folder();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(dir.path().join("probe"), "").is_ok() {
        println!("skipped: permissions do not bind this user");
        return;
    }
    assert!(matches!(refused(dir.path()).await, RecordError::ReadOnly { .. }));
}
