//! Files of the record are removed, replaced or moved while the program runs: a write that would be lost is refused, and the
//! record is restored with everything that was written.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use mmd_elevate_core::{DraftTarget, Problem, WriteRecord, WriteState};
use mmd_elevate_engine::record::{Record, RecordError};
use rstest::rstest;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{close, create, done, draft, folder, open, outcome, request};
use crate::support::within;

/// What happens to the files.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Removed(&'static str),
    Renamed(&'static str),
    /// Replaced by a file with the same bytes, as by an editor or a tool that synchronizes.
    Exchanged(&'static str),
    Emptied(&'static str),
    /// Replaced by an empty file.
    Fresh(&'static str),
    Overwritten(&'static str),
    AllRemoved,
    LockRemoved,
    LockExchanged,
    FolderRenamed,
    FolderRemoved,
    /// Replaced by the record of another machine, which has used the same numbers.
    AnotherRecord,
    /// Replaced by an older backup.
    OlderCopy,
}

fn lock(state: &Path) -> PathBuf {
    let mut entries = fs::read_dir(state.join("owners")).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| !path.ends_with("gate.lock")).unwrap()
}

fn exchange(path: &Path) {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).unwrap();
    fs::rename(copy, path).unwrap();
}

impl Loss {
    fn apply(self, state: &Path, older: &Path, another: &Path) {
        let exchange_for = |from: &Path| {
            for name in ["record.db", "record.db-wal"] {
                fs::copy(from.join(name), state.join("new")).unwrap();
                fs::rename(state.join("new"), state.join(name)).unwrap();
            }
        };
        match self {
            Self::Removed(name) => fs::remove_file(state.join(name)).unwrap(),
            Self::Renamed(name) => fs::rename(state.join(name), state.join("elsewhere")).unwrap(),
            Self::Exchanged(name) => exchange(&state.join(name)),
            Self::Emptied(name) => fs::File::options().write(true).open(state.join(name)).unwrap().set_len(0).unwrap(),
            Self::Fresh(name) => {
                fs::remove_file(state.join(name)).unwrap();
                fs::write(state.join(name), "").unwrap();
            }
            Self::Overwritten(name) => {
                let file = fs::File::options().write(true).open(state.join(name)).unwrap();
                file.write_all_at(&[0x55; 64], 0).unwrap();
            }
            Self::AllRemoved => {
                for name in ["record.db", "record.db-wal", "record.db-shm"] {
                    fs::remove_file(state.join(name)).unwrap();
                }
            }
            Self::LockRemoved => fs::remove_file(lock(state)).unwrap(),
            Self::LockExchanged => exchange(&lock(state)),
            Self::FolderRenamed => fs::rename(state, state.with_extension("old")).unwrap(),
            Self::FolderRemoved => fs::remove_dir_all(state).unwrap(),
            Self::AnotherRecord => exchange_for(another),
            Self::OlderCopy => exchange_for(older),
        }
    }
}

/// Copies the files to another folder, as a process that is killed now would leave them.
fn killed(state: &Path) -> TempDir {
    let dir = folder();
    for name in ["record.db", "record.db-wal", "record.db-shm"] {
        if let Err(error) = fs::copy(state.join(name), dir.path().join(name)) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        }
    }
    dir
}

async fn begin_when_restored(record: &Record, text: &str) -> WriteRecord {
    within(async {
        loop {
            match record.begin(&create(text)).await {
                Ok(write) => return write,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    })
    .await
}

#[rstest]
#[tokio::test]
async fn write_on_files_that_are_not_whole_is_refused_and_all_is_written_anew(
    #[values(
        Loss::Removed("record.db"),
        Loss::Removed("record.db-wal"),
        Loss::Removed("record.db-shm"),
        Loss::Renamed("record.db"),
        Loss::Renamed("record.db-wal"),
        Loss::Exchanged("record.db"),
        Loss::Exchanged("record.db-wal"),
        Loss::Exchanged("record.db-shm"),
        Loss::Fresh("record.db"),
        Loss::Fresh("record.db-wal"),
        Loss::Emptied("record.db-wal"),
        Loss::Overwritten("record.db-wal"),
        Loss::AllRemoved,
        Loss::LockRemoved,
        Loss::LockExchanged,
        Loss::FolderRenamed,
        Loss::FolderRemoved,
        Loss::AnotherRecord,
        Loss::OlderCopy
    )]
    loss: Loss,
) {
    let (dir, elsewhere) = (folder(), folder());
    let state = dir.path().join("state");
    // Another record, which has used the same numbers.
    let (another, _) = open(elsewhere.path()).await;
    let theirs = another.begin(&create("of another machine")).await.unwrap();
    another.settle(theirs.id, done(request("theirs"))).await.unwrap();
    let (record, _) = open(&state).await;
    let sent = record.begin(&create("sent and done")).await.unwrap();
    record.settle(sent.id, done(request("one"))).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("old")))]).await.unwrap();
    let older = killed(&state);
    let unknown = record.begin(&create("unknown")).await.unwrap();
    record.settle(unknown.id, outcome(WriteState::Unknown)).await.unwrap();
    let closing = record.begin(&close("one")).await.unwrap();
    let refused = (DraftTarget::Refused(7), Some(draft("refused")));
    record.save(vec![(DraftTarget::Form, None), refused]).await.unwrap();

    loss.apply(&state, older.path(), elsewhere.path());
    let error = record.begin(&create("refused")).await.unwrap_err();
    assert!(matches!(error, RecordError::NotDurable { .. }), "{loss:?}: {error}");
    assert!(error.may_pass(), "{error}");

    let after = begin_when_restored(&record, "after").await;
    assert!(![sent.id, unknown.id, closing.id].contains(&after.id), "{loss:?}: a number is used again");
    record.save(vec![(DraftTarget::Form, Some(draft("new")))]).await.unwrap();
    // Writes keep their numbers for the caller.
    record.settle(closing.id, outcome(WriteState::Unknown)).await.unwrap();
    assert_eq!(record.write(unknown.id).await.unwrap().unwrap().operation, create("unknown"), "{loss:?}");
    assert!(record.owned_requests(unknown.id).await.unwrap().contains(&request("one").id), "{loss:?}");

    let (_, recovered) = open(killed(&state).path()).await;
    for what in [create("unknown"), close("one"), create("after")] {
        let times = recovered.unresolved.iter().filter(|write| write.operation == what).count();
        assert_eq!(times, 1, "{loss:?}: {what:?}");
    }
    assert_eq!(recovered.unresolved.len(), 3, "{loss:?}: what was refused was not sent");
    assert!(recovered.open.contains(&request("one")), "{loss:?}: {:?}", recovered.open);
    let drafts: Vec<_> = recovered.drafts.iter().map(|saved| &saved.draft).collect();
    assert_eq!(drafts.len(), 2, "{loss:?}: one that has ended does not come back");
    assert!(drafts.contains(&&draft("new")) && drafts.contains(&&draft("refused")), "{loss:?}");
    if matches!(loss, Loss::AnotherRecord) {
        assert!(recovered.open.contains(&request("theirs")), "what was there is there still: {:?}", recovered.open);
    }
}

#[tokio::test]
async fn write_found_in_another_record_is_not_taken_for_one_of_the_same_number() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let mut news = record.news().await.unwrap();
    let ours = record.begin(&create("ours")).await.unwrap();
    record.settle(ours.id, outcome(WriteState::Unknown)).await.unwrap();
    let mut known = vec![(ours.id, create("ours"), WriteState::Unknown)];
    for what in ["theirs", "those of a third"] {
        let elsewhere = folder();
        let (another, _) = open(elsewhere.path()).await;
        another.begin(&create(what)).await.unwrap();
        Loss::AnotherRecord.apply(dir.path(), elsewhere.path(), elsewhere.path());
        record.begin(&create("refused")).await.unwrap_err();
        let told = within(news.recv()).await.unwrap();
        let [found] = &told.unresolved[..] else { panic!("{told:?}") };
        assert!(known.iter().all(|(id, ..)| *id != found.id), "{what}: {found:?}");
        record.settle(found.id, outcome(WriteState::SetAside)).await.unwrap();
        known.push((found.id, create(what), WriteState::SetAside));
        for (id, operation, state) in &known {
            let write = record.write(*id).await.unwrap().unwrap();
            assert_eq!((&write.operation, write.state), (operation, *state), "{what}");
        }
    }
    record.close().await;
    let left: Vec<_> = open(dir.path()).await.1.unresolved.into_iter().map(|write| write.operation).collect();
    assert_eq!(left, [create("ours")]);
}

#[tokio::test]
async fn file_that_is_put_back_is_the_same_again() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    for name in ["record.db", "record.db-wal", "record.db-shm"] {
        fs::rename(dir.path().join(name), dir.path().join("elsewhere")).unwrap();
        assert!(matches!(record.begin(&create(name)).await, Err(RecordError::NotDurable { .. })), "{name}");
        fs::rename(dir.path().join("elsewhere"), dir.path().join(name)).unwrap();
        record.begin(&create(name)).await.unwrap();
    }
    assert!(
        !fs::read_dir(dir.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().contains("damaged") })
    );
}

#[tokio::test]
async fn record_without_a_place_is_written_anew_as_soon_as_there_is_one() {
    let dir = folder();
    let state = dir.path().join("state");
    let (record, _) = open(&state).await;
    let mut news = record.news().await.unwrap();
    let before = record.begin(&create("before")).await.unwrap();
    fs::rename(&state, dir.path().join("away")).unwrap();
    fs::write(&state, "a file is in the folder's place").unwrap();
    // The first error says what happened to the file, the second what prevents the restore.
    let mut error = record.begin(&create("refused")).await.unwrap_err();
    assert!(matches!(error, RecordError::NotDurable { .. }), "{error}");
    record.restore().await.unwrap();
    error = record.begin(&create("refused")).await.unwrap_err();
    assert!(!error.hint().is_empty() && error.may_pass(), "{error}");
    fs::remove_file(&state).unwrap();
    let told = within(news.recv()).await.unwrap();
    let [Problem { what, hint }] = &told.warnings[..] else { panic!("{told:?}") };
    assert!(what.starts_with("The record was written anew") && !hint.is_empty(), "{what}");
    let after = record.begin(&create("after")).await.unwrap();
    record.close().await;
    let left: Vec<_> = open(&state).await.1.unresolved.into_iter().map(|write| write.id).collect();
    assert_eq!(left, [before.id, after.id]);
}

#[tokio::test]
async fn outcome_that_came_while_the_files_were_lost_is_written_down_afterwards() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let sent = record.begin(&create("sent")).await.unwrap();
    fs::remove_file(dir.path().join("record.db-wal")).unwrap();
    let lost = record.settle(sent.id, done(request("one"))).await.unwrap_err();
    assert!(matches!(lost, RecordError::NotDurable { .. }), "{lost}");
    record.restore().await.unwrap();
    assert_eq!(record.write(sent.id).await.unwrap().unwrap().state, WriteState::Done);
    let (_, recovered) = open(killed(dir.path()).path()).await;
    assert_eq!((recovered.unresolved.len(), recovered.open), (0, vec![request("one")]));
}

#[tokio::test]
async fn outcome_that_came_before_a_file_was_put_back_is_written_down_too() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let sent = record.begin(&create("sent")).await.unwrap();
    fs::rename(dir.path().join("record.db"), dir.path().join("away")).unwrap();
    record.settle(sent.id, done(request("one"))).await.unwrap_err();
    fs::rename(dir.path().join("away"), dir.path().join("record.db")).unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("next")))]).await.unwrap();
    assert_eq!(record.write(sent.id).await.unwrap().unwrap().state, WriteState::Done);
}

#[tokio::test]
async fn record_that_is_lost_when_the_agent_leaves_is_written_anew_on_the_way_out() {
    for name in ["record.db", "record.db-wal"] {
        let dir = folder();
        let (record, _) = open(dir.path()).await;
        let sent = record.begin(&create("sent")).await.unwrap();
        record.settle(sent.id, done(request("one"))).await.unwrap();
        fs::remove_file(dir.path().join(name)).unwrap();
        record.close().await;
        assert_eq!(open(dir.path()).await.1.open, [request("one")], "{name}");
    }
}

#[rstest]
#[tokio::test]
async fn two_dashboards_whose_record_is_lost_come_to_one_record_again(
    #[values(
        Loss::Removed("record.db"),
        Loss::Removed("record.db-wal"),
        Loss::Removed("record.db-shm"),
        Loss::AllRemoved,
        Loss::FolderRenamed
    )]
    loss: Loss,
) {
    let dir = folder();
    let state = dir.path().join("state");
    let (one, _) = open(&state).await;
    let (two, _) = open(&state).await;
    let ids = [one.begin(&create("one")).await.unwrap().id, two.begin(&create("two")).await.unwrap().id];
    loss.apply(&state, dir.path(), dir.path());
    one.begin(&create("refused")).await.unwrap_err();
    two.begin(&create("refused")).await.unwrap_err();
    let later = [begin_when_restored(&one, "three").await.id, begin_when_restored(&two, "four").await.id];
    let (_, recovered) = open(killed(&state).path()).await;
    let left: Vec<_> = recovered.unresolved.iter().map(|write| write.id).collect();
    assert_eq!(left, [ids, later].concat(), "{loss:?}");
}

#[tokio::test]
async fn record_that_is_gone_under_another_dashboard_is_not_taken_for_an_empty_one() {
    let dir = folder();
    let (one, _) = open(dir.path()).await;
    let sent = one.begin(&create("sent")).await.unwrap();
    one.settle(sent.id, done(request("one"))).await.unwrap();
    for name in ["record.db-wal", "record.db"] {
        fs::remove_file(dir.path().join(name)).unwrap();
        let error = Record::open(super::place(dir.path()), super::Timestamp::now).await.unwrap_err();
        assert!(error.may_pass(), "{name}: {error}");
        assert!(!error.hint_on_opening().is_empty());
    }
    one.restore().await.unwrap();
    let (_, recovered) = open(dir.path()).await;
    assert_eq!((recovered.others, recovered.open), (1, vec![request("one")]));
}

#[tokio::test]
async fn draft_is_told_from_what_was_sent_whatever_the_clock_says() {
    use std::sync::atomic::{AtomicI64, Ordering};
    static AHEAD: AtomicI64 = AtomicI64::new(0);
    let now = || super::Timestamp::now() + jiff::SignedDuration::from_secs(AHEAD.load(Ordering::SeqCst));
    for set in [-3_600, 3_600, -31_536_000, 31_536_000] {
        AHEAD.store(0, Ordering::SeqCst);
        let dir = folder();
        let (record, _) = Record::open(super::place(dir.path()), now).await.unwrap();
        record.save(vec![(DraftTarget::Form, Some(draft("sent")))]).await.unwrap();
        AHEAD.store(set, Ordering::SeqCst);
        let sent = record.begin(&create("sent")).await.unwrap();
        let (_, recovered) = open(killed(dir.path()).path()).await;
        assert_eq!((recovered.unresolved.len(), recovered.drafts.len()), (1, 0), "{set}: the write has the text");
        // The same text that is typed again on purpose is another draft.
        AHEAD.store(0, Ordering::SeqCst);
        record.save(vec![(DraftTarget::Form, Some(draft("sent")))]).await.unwrap();
        record.settle(sent.id, done(request("one"))).await.unwrap();
        let (_, recovered) = open(killed(dir.path()).path()).await;
        assert_eq!(recovered.drafts.len(), 1, "{set}: what was saved after the sending stays");
    }
}

#[tokio::test]
async fn changes_cost_no_new_files_and_no_second_log() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    for number in 0..50 {
        record.begin(&create(&number.to_string())).await.unwrap();
    }
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM intent", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 50);
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["owners", "record.db", "record.db-shm", "record.db-wal"]);
}
