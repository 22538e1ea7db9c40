//! Tests truncated files and flipped bits: a database that fails `SQLite`'s check is set aside unchanged, its readable rows are
//! taken over, and the agent is told.

use std::{collections::BTreeMap, fs, os::unix::fs::FileExt, path::Path};

use mmd_elevate_core::{DraftTarget, Operation, Problem, Recovered, WriteId, WriteState};
use rstest::rstest;
use rusqlite::{Connection, config::DbConfig, types::Value};
use tempfile::TempDir;

use super::{Record, RecordError, Timestamp, close, create, done, draft, folder, open, outcome, place, request};
use crate::support::within;

/// The files that a process left, and its unresolved writes.
struct Ruin {
    main: Vec<u8>,
    wal: Vec<u8>,
    unresolved: BTreeMap<WriteId, Operation>,
}

/// What `SQLite` itself reads from the files.
struct Oracle {
    /// The result of its check, or its error.
    check: String,
    /// The rows of `intent` that it can read.
    rows: BTreeMap<i64, Vec<Value>>,
}

impl Oracle {
    fn new(main: &[u8], wal: &[u8]) -> Self {
        let dir = folder();
        Ruin::put(dir.path(), main, wal);
        let db = Connection::open(dir.path().join("record.db")).unwrap();
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        let check = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        let row = |id: i64| {
            let mut statement = db.prepare("SELECT * FROM intent WHERE id = ?1").ok()?;
            let columns = statement.column_count();
            let cells = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
            statement.query_row([id], cells).ok()
        };
        let rows = (1..=20).filter_map(|id| Some((id, row(id)?))).collect();
        Self { check: check.unwrap_or_else(|error| error.to_string()), rows }
    }
}

impl Ruin {
    /// Files of a killed process, with a log.
    async fn killed() -> Self {
        Self::new(true).await
    }

    /// Files of a process that has ended: everything is in the database.
    async fn ended() -> Self {
        Self::new(false).await
    }

    async fn new(killed: bool) -> Self {
        let dir = folder();
        let mut unresolved = BTreeMap::new();
        for round in 0..2 {
            let (record, _) = open(dir.path()).await;
            for number in 0..8 {
                // Some rows are longer than a page, and continue on others.
                let long = if number == 5 { "and so on ".repeat(900) } else { String::new() };
                let what = create(&format!("{round} {number} {long}"));
                let write = record.begin(&what).await.unwrap();
                match number % 3 {
                    0 => record.settle(write.id, done(request(&format!("{round} {number}")))).await.unwrap(),
                    1 => {
                        record.settle(write.id, outcome(WriteState::Waiting)).await.unwrap();
                        unresolved.insert(write.id, what);
                    }
                    _ => drop(unresolved.insert(write.id, what)),
                }
            }
            record.save(vec![(DraftTarget::Form, Some(draft(&format!("typed {round}"))))]).await.unwrap();
            let read = |name| fs::read(dir.path().join(name)).unwrap_or_default();
            if round == 1 && killed {
                return Self { main: read("record.db"), wal: read("record.db-wal"), unresolved };
            }
            record.close().await;
            if round == 1 {
                return Self { main: read("record.db"), wal: Vec::new(), unresolved };
            }
        }
        unreachable!()
    }

    fn put(dir: &Path, main: &[u8], wal: &[u8]) {
        fs::write(dir.join("record.db"), main).unwrap();
        if !wal.is_empty() {
            fs::write(dir.join("record.db-wal"), wal).unwrap();
        }
    }

    /// Opens these files and checks all guarantees. Returns how many unresolved writes are missing, and what was recovered if
    /// the record was opened.
    async fn open(&self, main: &[u8], wal: &[u8], what: &str) -> (TempDir, usize, Option<Recovered>) {
        let (sound, oracle) = (Oracle::new(&self.main, &self.wal), Oracle::new(main, wal));
        let dir = folder();
        Self::put(dir.path(), main, wal);
        let (record, recovered) = match Record::open(place(dir.path()), Timestamp::now).await {
            Ok(opened) => opened,
            Err(error) => {
                // The header names another program or a later version, so the file is left unchanged.
                assert!(matches!(error, RecordError::CannotOpen { .. } | RecordError::Newer { .. }), "{what}: {error}");
                assert!(fs::read(dir.path().join("record.db")).unwrap() == main, "{what}: not as it was");
                return (dir, 0, None);
            }
        };
        let found: BTreeMap<_, _> = recovered.unresolved.iter().map(|write| (write.id, &write.operation)).collect();
        for (id, confirmed) in &self.unresolved {
            if oracle.rows.contains_key(&id.0) && oracle.rows.get(&id.0) == sound.rows.get(&id.0) {
                assert_eq!(found.get(id), Some(&confirmed), "{what}: {id} is lost");
            }
        }
        let aside = aside(dir.path());
        assert!(oracle.check == "ok" || aside.is_some(), "{what}: {} and not set aside", oracle.check);
        if let Some(aside) = &aside {
            assert!(fs::read(aside).unwrap() == main, "{what}: not as it was");
            let log = format!("{aside}-wal");
            assert!(fs::read(log).unwrap_or_default() == wal, "{what}: log not as it was");
            assert!(recovered.warnings[0].what.contains(aside), "{what}: {:?}", recovered.warnings);
            let fresh = record.begin(&create("after")).await.unwrap();
            assert!(self.unresolved.keys().all(|id| *id < fresh.id), "{what}: a number is used again");
        }
        record.close().await;
        // What was taken over is durable, and reported only once.
        let (again, second) = open(dir.path()).await;
        assert_eq!(second.warnings, [], "{what}");
        assert_eq!(second.unresolved.len(), recovered.unresolved.len() + usize::from(aside.is_some()), "{what}");
        again.close().await;
        let missing = self.unresolved.keys().filter(|id| !found.contains_key(id)).count();
        (dir, missing, Some(recovered))
    }
}

/// Returns the database that was set aside in the folder.
fn aside(dir: &Path) -> Option<String> {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path().into_os_string().into_string().unwrap());
    paths
        .into_iter()
        .find(|path| path.contains("record.db.damaged-") && !path.ends_with("-wal") && !path.ends_with("-shm"))
}

/// Overwrites the beginning of a page in place, so that the file stays the same.
pub(super) fn overwrite(path: &Path, bytes: &[u8], page: u32) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, u64::from(page - 1) * 4096).unwrap();
}

/// Returns the pages that hold rows of the table, in order, without the overflow pages of long rows.
pub(super) fn leaves(path: &Path, table: &str) -> Vec<u32> {
    let bytes = fs::read(path).unwrap();
    let db = Connection::open(path).unwrap();
    let root: u32 =
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap();
    let page = |number: u32| &bytes[usize::try_from((number - 1) * 4096).unwrap()..][..4096];
    assert_eq!(page(root)[0], 5, "the table has more than one page");
    let cells = usize::from(u16::from_be_bytes([page(root)[3], page(root)[4]]));
    let number = |at: usize| u32::from_be_bytes(page(root)[at..at + 4].try_into().unwrap());
    let offset = |cell: usize| usize::from(u16::from_be_bytes([page(root)[12 + 2 * cell], page(root)[13 + 2 * cell]]));
    (0..cells).map(|cell| number(offset(cell))).chain([number(8)]).collect()
}

#[tokio::test]
async fn what_was_left_is_all_there() {
    for ruin in [Ruin::killed().await, Ruin::ended().await] {
        let (_dir, missing, recovered) = ruin.open(&ruin.main, &ruin.wal, "whole").await;
        let recovered = recovered.unwrap();
        assert_eq!((missing, recovered.warnings.len(), recovered.drafts.len()), (0, 0, 2));
        assert_eq!(recovered.open.len(), 6);
    }
}

#[tokio::test]
async fn a_database_that_is_cut_short() {
    for ruin in [Ruin::killed().await, Ruin::ended().await] {
        for length in (0..ruin.main.len()).step_by(1024) {
            let what = format!("database cut at {length}");
            let (_dir, missing, recovered) = ruin.open(&ruin.main[..length], &ruin.wal, &what).await;
            // An empty file without a log is like a first start.
            let silent = recovered.is_none_or(|recovered| recovered.warnings.is_empty()) && missing > 0;
            assert!(!silent || length == 0 && ruin.wal.is_empty(), "{what}");
        }
    }
}

#[rstest]
#[case::as_it_is_made("")]
#[case::as_it_was_made_before("DROP VIEW unresolved; CREATE VIEW unresolved AS SELECT * FROM intent")]
#[tokio::test]
async fn damaged_list_of_free_pages_is_found_before_a_write_needs_one(#[case] changed: &str) {
    let dir = folder();
    let path = dir.path().join("record.db");
    let (record, _) = open(dir.path()).await;
    record.begin(&create("left")).await.unwrap();
    record.close().await;
    // Records used to have a view as their newest entry.
    let db = Connection::open(&path).unwrap();
    db.execute_batch(changed).unwrap();
    db.close().unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&65_280_u32.to_be_bytes(), 36).unwrap();
    let (record, recovered) = open(dir.path()).await;
    assert!(recovered.warnings[0].what.contains(&aside(dir.path()).unwrap()), "{:?}", recovered.warnings);
    assert_eq!(recovered.unresolved[0].operation, create("left"));
    record.begin(&create(&"of more than a page ".repeat(500))).await.unwrap();
}

#[tokio::test]
async fn page_that_belongs_to_nothing_is_found() {
    let ruin = Ruin::ended().await;
    let mut main = ruin.main.clone();
    main.extend([0; 4096]);
    let pages = u32::try_from(main.len() / 4096).unwrap();
    main[28..32].copy_from_slice(&pages.to_be_bytes());
    let (_dir, missing, recovered) = ruin.open(&main, &[], "a page more").await;
    assert_eq!((missing, recovered.unwrap().warnings.len()), (0, 1), "the check is of all pages");
}

#[tokio::test]
async fn a_log_that_is_cut_short() {
    let ruin = Ruin::killed().await;
    // In steps of half a frame.
    for length in (0..ruin.wal.len()).step_by(2060) {
        // A log that is cut between two transactions is valid, and nothing shows that it was longer.
        ruin.open(&ruin.main, &ruin.wal[..length], &format!("log cut at {length}")).await;
    }
}

#[tokio::test]
async fn a_bit_that_flips() {
    let ruins = [Ruin::killed().await, Ruin::ended().await];
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for round in 0..400 {
        let ruin = &ruins[round / 4 % 2];
        let (mut main, mut wal) = (ruin.main.clone(), ruin.wal.clone());
        let in_log = round % 4 < 2 && !wal.is_empty();
        let (file, name) = if in_log { (&mut wal, "the log") } else { (&mut main, "the database") };
        // The headers of the files are small, so every eighth hit is in one.
        let (at, bit) = (next(if round % 8 == 0 { 108 } else { file.len() }), next(8));
        file[at] ^= 1 << bit;
        ruin.open(&main, &wal, &format!("bit {bit} of byte {at} of {name}")).await;
    }
}

#[tokio::test]
async fn many_bits_that_flip_and_garbage() {
    let ruin = Ruin::killed().await;
    for seed in 0..40_usize {
        let (mut main, mut wal) = (ruin.main.clone(), ruin.wal.clone());
        for file in [&mut main, &mut wal] {
            for hit in 0..20 {
                let at = (seed * 7919 + hit * 104_729) % file.len();
                file[at] ^= u8::try_from(seed + hit + 1).unwrap();
            }
        }
        ruin.open(&main, &wal, &format!("seed {seed}")).await;
    }
    ruin.open(&[0x5a; 9000], &[0xa5; 9000], "garbage").await;
    ruin.open(&[0; 4096], &[], "zeros").await;
}

/// The rows behind a lost page are taken over too.
#[rstest]
#[case::first(&[0])]
#[case::last(&[usize::MAX])]
#[case::two(&[1, 3])]
#[case::two_with_the_last(&[1, usize::MAX])]
#[tokio::test]
async fn rows_around_lost_pages_are_taken_over(#[case] lost: &[usize]) {
    let dir = folder();
    let path = dir.path().join("record.db");
    let (record, _) = open(dir.path()).await;
    for number in 0..120 {
        record.begin(&create(&format!("{number}"))).await.unwrap();
    }
    record.close().await;
    let pages = leaves(&path, "intent");
    assert!(pages.len() > 5, "{pages:?}");
    for index in lost {
        overwrite(&path, &[0x55; 4096], pages[(*index).min(pages.len() - 1)]);
    }
    let oracle = Connection::open(&path).unwrap();
    let can_be_read =
        |id: &i64| oracle.query_row("SELECT operation FROM intent WHERE id = ?1", [id], |_| Ok(())).is_ok();
    let readable: Vec<_> = (1..=120).filter(can_be_read).collect();
    drop(oracle);
    assert!((60..120).contains(&readable.len()), "{readable:?}");
    let recovered = open(dir.path()).await.1;
    let found: Vec<_> = recovered.unresolved.iter().map(|write| write.id.0).collect();
    assert_eq!(found, readable);
    let told = format!("Read from it: {} unsettled writes and", readable.len());
    assert!(recovered.warnings[0].what.contains(&told), "{:?}", recovered.warnings);
}

#[tokio::test]
async fn damage_that_is_met_in_use_is_set_aside_and_told_and_nothing_readable_is_lost() {
    let dir = folder();
    let path = dir.path().join("record.db");
    let (record, _) = open(dir.path()).await;
    for number in 0..60 {
        let write = record.begin(&create(&format!("{number}"))).await.unwrap();
        record.settle(write.id, outcome(WriteState::NotDone)).await.unwrap();
    }
    record.close().await;
    let (record, _) = open(dir.path()).await;
    let mut news = record.news().await.unwrap();
    let sent = record.begin(&create("sent")).await.unwrap();
    for page in leaves(&path, "intent") {
        overwrite(&path, &[0x55; 4096], page);
    }
    // A write of another connection invalidates the cached pages.
    Connection::open(&path).unwrap().execute("UPDATE intent SET operator = 'x' WHERE id = ?1", [sent.id.0]).unwrap();
    let error = record.write(WriteId(1)).await.unwrap_err();
    assert!(matches!(error, RecordError::Damaged { .. }), "{error}");
    let told = within(news.recv()).await.unwrap();
    let aside = aside(dir.path()).unwrap();
    assert!(told.warnings.iter().any(|warning| warning.what.contains(&aside)), "{told:?}");
    assert_eq!(record.write(sent.id).await.unwrap().unwrap().operation, create("sent"));
    record.settle(sent.id, outcome(WriteState::Unknown)).await.unwrap();
    record.close().await;
    let (_, recovered) = open(dir.path()).await;
    let left: Vec<_> = recovered.unresolved.iter().map(|write| write.id).collect();
    assert_eq!((left, recovered.warnings), (vec![sent.id], vec![]));
}

#[rstest]
#[tokio::test]
async fn damaged_record_of_a_killed_start_is_taken_over_by_the_next(
    #[values("while-setting-aside", "after-setting-aside")] moment: &str,
) {
    let (dir, before) = (folder(), folder());
    let (record, _) = open(before.path()).await;
    for number in 0..60 {
        let write = record.begin(&create(&format!("{number}"))).await.unwrap();
        record.settle(write.id, outcome(WriteState::NotDone)).await.unwrap();
    }
    record.begin(&create("left")).await.unwrap();
    record.close().await;
    let early = leaves(&before.path().join("record.db"), "intent")[0];
    let (record, _) = open(before.path()).await;
    record.begin(&create("in the log")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    for name in ["record.db", "record.db-wal"] {
        fs::copy(before.path().join(name), state.join(name)).unwrap();
    }
    overwrite(&state.join("record.db"), &[0x55; 4096], early);
    let start = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "record::processes::another_process", "--ignored"])
        .env(super::processes::FOLDER, dir.path())
        .env("MMD_ELEVATE_DIE", moment)
        .output()
        .unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&start.status), Some(9), "{start:?}");

    let (record, recovered) = open(&state).await;
    let left: Vec<_> = recovered.unresolved.iter().map(|write| write.operation.clone()).collect();
    assert_eq!(left, [create("left"), create("in the log")]);
    assert_eq!(recovered.drafts.iter().map(|saved| &saved.draft).collect::<Vec<_>>(), [&draft("typed")]);
    let aside = aside(&state).unwrap();
    assert!(recovered.warnings.len() == 1 && recovered.warnings[0].what.contains(&aside), "{:?}", recovered.warnings);
    record.close().await;
    let (_, again) = open(&state).await;
    assert_eq!((again.unresolved.len(), again.warnings), (2, vec![]), "it is read once");
}

#[tokio::test]
async fn one_unreadable_row_does_no_harm_to_the_others_and_is_kept() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let mut bad = Vec::new();
    for change in [
        "stage = 'gone'",
        "at = 'yesterday'",
        "operation = CAST(x'ff' AS TEXT)",
        "operation = json_set(operation, '$.create.title', '')",
    ] {
        let id = record.begin(&create("bad")).await.unwrap().id;
        bad.push(id);
        let db = Connection::open(dir.path().join("record.db")).unwrap();
        db.execute(&format!("UPDATE intent SET {change}, operator = 'kept' WHERE id = ?1"), [id.0]).unwrap();
        let refused = record.settle(id, outcome(WriteState::NotDone)).await;
        assert_eq!(refused, Err(RecordError::UnreadableWrite(id)));
    }
    let good = record.begin(&create("good")).await.unwrap();
    record.close().await;
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [good.id]);
    let numbers = bad.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(", ");
    let [Problem { what: told, .. }] = &recovered.warnings[..] else { panic!("{:?}", recovered.warnings) };
    assert!(told.contains(&format!("writes {numbers} cannot be read")), "{told}");
    assert!(record.write(bad[0]).await.is_err());
    mmd_elevate_engine::record::purge(dir.path(), Timestamp::now()).unwrap();
    let kept = |name: &str| {
        let db = Connection::open(dir.path().join(name)).unwrap();
        db.query_row("SELECT count(*) FROM intent WHERE operator = 'kept'", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(kept("record.db"), 4, "the rows are kept for a person to look at");
    record.close().await;
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.warnings, []);
    record.close().await;
    // Invalid rows are taken over too.
    let path = dir.path().join("record.db");
    overwrite(&path, &[0x55; 16], leaf_of(&path, "draft"));
    assert_eq!(open(dir.path()).await.1.warnings.len(), 1);
    assert_eq!(kept("record.db"), 4);
}

/// Returns the only page of a table.
fn leaf_of(path: &Path, table: &str) -> u32 {
    let db = Connection::open(path).unwrap();
    db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [table], |row| row.get(0)).unwrap()
}

/// Converts the record to version 1: a digest in each row, and a column for each text of an operation.
fn to_version_1(dir: &Path) {
    let db = Connection::open(dir.join("record.db")).unwrap();
    db.execute_batch(include_str!("version_1.sql")).unwrap();
}

#[tokio::test]
async fn a_record_of_the_version_with_digests_opens_with_all_that_it_holds() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let left = record.begin(&create("left")).await.unwrap();
    let made = record.begin(&create("made")).await.unwrap();
    record.settle(made.id, done(request("one"))).await.unwrap();
    let closing = record.begin(&close("one")).await.unwrap();
    record.save(vec![(DraftTarget::Form, Some(draft("typed")))]).await.unwrap();
    record.close().await;
    to_version_1(dir.path());
    let (record, recovered) = open(dir.path()).await;
    let unresolved: Vec<_> = recovered.unresolved.into_iter().map(|it| (it.id, it.operation)).collect();
    assert_eq!(unresolved, [(left.id, create("left")), (closing.id, close("one"))]);
    assert_eq!((recovered.open, recovered.drafts.len(), recovered.warnings), (vec![request("one")], 1, vec![]));
    record.settle(left.id, outcome(WriteState::SetAside)).await.unwrap();
    assert!(record.begin(&create("next")).await.unwrap().id > made.id);
    record.close().await;
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    assert!(db.prepare("SELECT digest FROM intent").is_err());
    db.query_row("SELECT count(*) FROM open_request, unresolved", [], |_| Ok(())).unwrap();
}

#[tokio::test]
async fn what_a_damaged_record_of_an_earlier_version_yields_is_taken_over() {
    let dir = folder();
    let path = dir.path().join("record.db");
    let (record, _) = open(dir.path()).await;
    let left = record.begin(&create("left")).await.unwrap();
    let closing = record.begin(&close("one")).await.unwrap();
    record.close().await;
    to_version_1(dir.path());
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(db);
    overwrite(&path, &[0x55; 16], leaf_of(&path, "draft"));
    let recovered = open(dir.path()).await.1;
    assert_eq!(recovered.warnings.len(), 1, "{recovered:?}");
    let unresolved: Vec<_> = recovered.unresolved.into_iter().map(|it| (it.id, it.operation)).collect();
    assert_eq!(unresolved, [(left.id, create("left")), (closing.id, close("one"))]);
}

#[tokio::test]
async fn a_record_of_an_earlier_version_is_left_alone_while_a_dashboard_uses_it() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    to_version_1(dir.path());
    let error = Record::open(place(dir.path()), Timestamp::now).await.unwrap_err();
    assert!(matches!(error, RecordError::Busy { .. }), "{error}");
    record.close().await;
    open(dir.path()).await;
}
