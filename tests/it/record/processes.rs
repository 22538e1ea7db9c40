//! Tests several processes with one record. The test program starts itself as the other process.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use mmd_elevate_core::{DraftTarget, WriteRecord, WriteState};
use mmd_elevate_engine::record::{Record, RecordError};

use super::{Timestamp, close, create, done, draft, folder, open, place, request};

pub(super) const FOLDER: &str = "RECORD_TEST_FOLDER";

struct Process(Child);

impl Process {
    /// Starts a process with umask 0, and waits until it has written to the record.
    fn start(dir: &Path) -> Self {
        let ready = dir.join("ready");
        let _ = fs::remove_file(&ready);
        let child = Command::new("sh")
            .args(["-c", r#"umask 000; exec "$0" --exact record::processes::another_process --ignored"#])
            .arg(std::env::current_exe().unwrap())
            .env(FOLDER, dir)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let process = Self(child);
        let began = Instant::now();
        while !ready.exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "the other process does not come");
            std::thread::sleep(Duration::from_millis(5));
        }
        process
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "it is the other process of these tests"]
async fn another_process() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let dir = Path::new(&dir);
    let (record, _) = open(&dir.join("state")).await;
    let made = record.begin(&create("theirs, done")).await.unwrap();
    record.settle(made.id, done(request(&format!("of {}", made.id)))).await.unwrap();
    record.begin(&create("theirs")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("theirs")))]).await.unwrap();
    fs::write(dir.join("ready"), "").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[tokio::test]
async fn what_a_killed_process_left_is_ours_and_what_a_living_one_has_is_not() {
    let dir = folder();
    let state = dir.path().join("state");
    let first = Process::start(dir.path());
    let second = Process::start(dir.path());
    for (path, mode) in [
        ("", 0o700),
        ("owners", 0o700),
        ("record.db", 0o600),
        ("record.db-wal", 0o600),
        ("record.db-shm", 0o600),
        ("owners/gate.lock", 0o600),
    ] {
        let found = fs::metadata(state.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}: {found:o}");
    }
    let (record, recovered) = open(&state).await;
    assert_eq!((recovered.others, recovered.unresolved.len(), recovered.drafts.len()), (2, 0, 0));
    assert_eq!(recovered.open.len(), 2, "the session is the record's: {recovered:?}");
    record.close().await;

    first.kill();
    let (record, recovered) = open(&state).await;
    assert_eq!((recovered.others, recovered.unresolved.len(), recovered.drafts.len()), (1, 1, 1));
    assert_eq!(recovered.unresolved[0].operation, create("theirs"));
    assert_eq!(recovered.unresolved[0].state, WriteState::Unknown);
    // This process owns them now: another start finds nothing, and only this process may settle.
    let (third, again) = open(&state).await;
    assert_eq!((again.others, again.unresolved.len(), again.drafts.len()), (2, 0, 0));
    let id = recovered.unresolved[0].id;
    assert_eq!(third.settle(id, done(request("x"))).await.unwrap_err(), RecordError::NotOwner(id));
    record.settle(id, done(request("x"))).await.unwrap();
    second.kill();
}

#[tokio::test]
async fn who_joins_leaves_what_dead_processes_left_to_a_dashboard() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let made = record.begin(&create("made")).await.unwrap();
    record.settle(made.id, done(request("one"))).await.unwrap();
    let left = record.begin(&create("left")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
    record.close().await;
    for _ in 0..2 {
        let (joined, recovered) = Record::join(place(dir.path()), Timestamp::now).await.unwrap();
        assert_eq!((recovered.unresolved, recovered.drafts.len(), recovered.others), (vec![], 0, 0));
        assert_eq!(recovered.open, [request("one")], "what is open is the record's");
        assert_eq!(joined.write(left.id).await.unwrap().unwrap().state, WriteState::Intended, "it is as it was left");
        let refused = joined.settle(left.id, super::outcome(WriteState::SetAside)).await.unwrap_err();
        assert_eq!(refused, RecordError::NotOwner(left.id));
        // It owns its own writes.
        let own = joined.begin(&create("own")).await.unwrap();
        joined.settle(own.id, super::outcome(WriteState::NotDone)).await.unwrap();
        joined.close().await;
    }
    let (_, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [left.id]);
    assert_eq!(recovered.drafts.len(), 1);
}

#[tokio::test]
async fn command_takes_over_writes_of_the_dead_and_nothing_else_of_theirs() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let left = record.begin(&create("left")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
    record.close().await;
    let (living, _) = Record::join(place(dir.path()), Timestamp::now).await.unwrap();
    let lost = living.begin(&create("lost")).await.unwrap();
    living.settle(lost.id, super::outcome(WriteState::Unknown)).await.unwrap();
    let sending = living.begin(&create("sending")).await.unwrap();

    let (command, _) = Record::join(place(dir.path()), Timestamp::now).await.unwrap();
    let ids = |writes: Vec<WriteRecord>| writes.into_iter().map(|it| (it.id, it.state)).collect::<Vec<_>>();
    let unresolved = [(left.id, WriteState::Unknown), (lost.id, WriteState::Unknown)];
    assert_eq!(ids(command.unresolved().await.unwrap()), unresolved, "what is on its way is not unknown");
    assert_eq!(command.write(left.id).await.unwrap().unwrap().state, WriteState::Intended, "reading changes nothing");
    assert_eq!(ids(command.take_over_writes().await.unwrap()), unresolved[..1], "what a living one has stays its own");
    assert_eq!(ids(command.take_over_writes().await.unwrap()), [], "it is taken over once");
    command.settle(left.id, done(request("found"))).await.unwrap();
    let refused = command.settle(lost.id, super::outcome(WriteState::SetAside)).await.unwrap_err();
    assert_eq!(refused, RecordError::NotOwner(lost.id));
    living.settle(sending.id, super::outcome(WriteState::NotDone)).await.unwrap();
    living.close().await;
    command.close().await;
    let (_, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [lost.id]);
    assert_eq!(recovered.drafts.len(), 1, "drafts are a dashboard's");
}

#[tokio::test]
async fn write_that_a_command_left_is_a_dashboards_once_the_command_is_dead() {
    let dir = folder();
    let (joined, _) = Record::join(place(dir.path()), Timestamp::now).await.unwrap();
    let own = joined.begin(&create("own")).await.unwrap();
    let (dashboard, recovered) = open(dir.path()).await;
    assert_eq!((recovered.unresolved.len(), recovered.others), (0, 1), "the command lives");
    dashboard.close().await;
    joined.close().await;
    let (_, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [own.id]);
}

#[tokio::test]
async fn of_starts_at_the_same_time_one_has_what_was_left() {
    let dir = folder();
    for _ in 0..5 {
        let (record, _) = open(dir.path()).await;
        for name in ["a", "b", "c"] {
            record.begin(&create(name)).await.unwrap();
        }
        record.save(vec![(DraftTarget::Form, Some(draft("a")))]).await.unwrap();
        record.close().await;
        let starts: Vec<_> = (0..6).map(|_| tokio::spawn(Record::open(place(dir.path()), Timestamp::now))).collect();
        let (mut writes, mut drafts, mut open) = (0, 0, Vec::new());
        for start in starts {
            let (record, recovered) = start.await.unwrap().unwrap();
            writes += recovered.unresolved.len();
            drafts += recovered.drafts.len();
            for write in recovered.unresolved {
                record.settle(write.id, super::outcome(WriteState::SetAside)).await.unwrap();
            }
            for draft in recovered.drafts {
                record.discard(draft).await.unwrap();
            }
            open.push(record);
        }
        assert_eq!((writes, drafts), (3, 1));
        for record in open {
            record.close().await;
        }
    }
}

#[tokio::test]
async fn writes_of_two_at_once_all_arrive_under_names_of_their_own() {
    let dir = folder();
    let (one, _) = open(dir.path()).await;
    let (two, _) = open(dir.path()).await;
    let mut tasks = Vec::new();
    for number in 0..100 {
        let record = if number % 2 == 0 { one.clone() } else { two.clone() };
        tasks.push(tokio::spawn(async move { record.begin(&close(&format!("{number}"))).await.unwrap().id }));
    }
    let mut ids = Vec::new();
    for task in tasks {
        ids.push(task.await.unwrap());
    }
    one.close().await;
    two.close().await;
    ids.sort();
    let found: Vec<_> = open(dir.path()).await.1.unresolved.into_iter().map(|it| it.id).collect();
    assert_eq!(found, ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn record_that_one_closes_while_another_opens_it_is_not_taken_for_lost() {
    let dir = folder();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let dir = dir.path().to_owned();
            tokio::spawn(async move {
                for _ in 0..50 {
                    let (record, recovered) = Record::join(place(&dir), Timestamp::now).await.unwrap();
                    assert_eq!(recovered.warnings, []);
                    record.close().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_damaged_record_is_not_taken_from_a_living_process() {
    let dir = folder();
    let state = dir.path().join("state");
    let other = Process::start(dir.path());
    let path = state.join("record.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(db);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..8192].fill(0x55);
    // In place, so that the file stays the same.
    let file = fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).unwrap();
    let error = Record::open(place(&state), Timestamp::now).await.unwrap_err();
    assert!(matches!(error, RecordError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    other.kill();
    let (_, recovered) = open(&state).await;
    assert_eq!(recovered.warnings.len(), 1, "{recovered:?}");
}
