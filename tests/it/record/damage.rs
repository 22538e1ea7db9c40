//! Files that are cut short, and bits that flip: nothing wrong is ever read, and no byte that was there is lost.

use std::{collections::BTreeMap, fs, path::Path};

use mmd_elevate_core::{DraftTarget, Operation, Recovered, WriteId, WriteState};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Record, Timestamp, create, done, draft, folder, open, outcome, place, request};

/// What a process has left on the disk.
struct Ruin {
    main: Vec<u8>,
    wal: Vec<u8>,
    unresolved: BTreeMap<WriteId, Operation>,
}

impl Ruin {
    /// With its log, as a process leaves it that is killed.
    async fn killed() -> Self {
        Self::new(true).await
    }

    /// With everything in the database.
    async fn ended() -> Self {
        Self::new(false).await
    }

    async fn new(killed: bool) -> Self {
        let dir = folder();
        let mut unresolved = BTreeMap::new();
        for round in 0..2 {
            let (record, _) = open(dir.path()).await;
            for number in 0..8 {
                // Some are longer than a page, and continue in others.
                let long = if number == 5 { "and so on ".repeat(900) } else { String::new() };
                let what = create(&format!("{round} {number} {long}"));
                let intent = record.intend(&what).await.unwrap();
                match number % 3 {
                    0 => record.settle(intent.id, done(request(&format!("{round} {number}")))).await.unwrap(),
                    1 => {
                        record.settle(intent.id, outcome(WriteState::Waiting)).await.unwrap();
                        unresolved.insert(intent.id, what);
                    }
                    _ => drop(unresolved.insert(intent.id, what)),
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

    /// Opens it so, and asserts what is never to happen. Tells how many of the unresolved intents are missing.
    async fn open(&self, main: &[u8], wal: &[u8], what: &str) -> (TempDir, usize, Recovered) {
        let dir = folder();
        Self::put(dir.path(), main, wal);
        let (record, recovered) =
            Record::open(place(dir.path()), Timestamp::now).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        for intent in &recovered.unresolved {
            let known = self.unresolved.get(&intent.id);
            // An intent whose latest state is lost comes back as unknown; its words are those that were confirmed.
            assert!(known.is_none_or(|known| *known == intent.what), "{what}: {intent:?}");
            assert_eq!(intent.stage, WriteState::Unknown);
        }
        let aside = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("record.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
        });
        if let Some(aside) = &aside {
            assert!(fs::read(aside).unwrap() == main, "{what}: not as it was");
            let log = format!("{}-wal", aside.display());
            assert!(fs::read(log).unwrap_or_default() == wal, "{what}: log not as it was");
            assert!(recovered.warnings[0].what.contains(aside.to_str().unwrap()), "{what}: {:?}", recovered.warnings);
            let fresh = record.intend(&create("after")).await.unwrap();
            assert!(self.unresolved.keys().all(|id| *id < fresh.id), "{what}: a name is used again");
        }
        record.close().await;
        // What was carried over is durable, and said once.
        let (again, second) = open(dir.path()).await;
        assert_eq!(second.warnings, [], "{what}");
        assert_eq!(second.unresolved.len(), recovered.unresolved.len() + usize::from(aside.is_some()), "{what}");
        again.close().await;
        let found = |id: &WriteId| recovered.unresolved.iter().any(|intent| intent.id == *id);
        let missing = self.unresolved.keys().filter(|id| !found(id)).count();
        (dir, missing, recovered)
    }
}

#[tokio::test]
async fn what_was_left_is_all_there() {
    for ruin in [Ruin::killed().await, Ruin::ended().await] {
        let (_dir, missing, recovered) = ruin.open(&ruin.main, &ruin.wal, "whole").await;
        assert_eq!((missing, recovered.warnings.len(), recovered.drafts.len()), (0, 0, 2));
        assert_eq!(recovered.open.len(), 6);
    }
}

#[tokio::test]
async fn a_database_that_is_cut_short() {
    for ruin in [Ruin::killed().await, Ruin::ended().await] {
        let mut missing_in_all = 0;
        for length in (0..ruin.main.len()).step_by(1024) {
            let what = format!("database cut at {length}");
            let (_dir, missing, recovered) = ruin.open(&ruin.main[..length], &ruin.wal, &what).await;
            missing_in_all += missing;
            // Without its log, an empty file is what a first start finds.
            let silent = recovered.warnings.is_empty() && missing > 0;
            assert!(!silent || length == 0 && ruin.wal.is_empty(), "{what}");
        }
        println!("{missing_in_all} missing in all");
    }
}

#[tokio::test]
async fn a_log_that_is_cut_short() {
    let ruin = Ruin::killed().await;
    // Half a frame each.
    for length in (0..ruin.wal.len()).step_by(2060) {
        // What was cut off may leave a shorter log that is whole: nothing is there that could tell.
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
    let (mut missing_in_all, mut told) = (0, 0);
    for round in 0..400 {
        let ruin = &ruins[round / 4 % 2];
        let (mut main, mut wal) = (ruin.main.clone(), ruin.wal.clone());
        let in_log = round % 4 < 2 && !wal.is_empty();
        let (file, name) = if in_log { (&mut wal, "the log") } else { (&mut main, "the database") };
        // The heads of the files are small, so that they are aimed at now and then.
        let (at, bit) = (next(if round % 8 == 0 { 108 } else { file.len() }), next(8));
        file[at] ^= 1 << bit;
        let what = format!("bit {bit} of byte {at} of {name}");
        let (_dir, missing, recovered) = ruin.open(&main, &wal, &what).await;
        assert!(missing == 0 || !recovered.warnings.is_empty(), "{what}: {missing} missing without a word");
        // The rows of one page at most.
        assert!(missing <= 5, "{what}: {missing} missing");
        missing_in_all += missing;
        told += usize::from(!recovered.warnings.is_empty());
    }
    println!("{missing_in_all} missing in all of 400 times {}, {told} told", ruins[0].unresolved.len());
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

#[tokio::test]
async fn one_damaged_row_does_no_harm_to_the_others() {
    let dir = folder();
    let (record, _) = open(dir.path()).await;
    let bad = record.intend(&create("bad")).await.unwrap();
    let good = record.intend(&create("good")).await.unwrap();
    let db = Connection::open(dir.path().join("record.db")).unwrap();
    db.execute("UPDATE intent SET title = 'other' WHERE id = ?1", [bad.id.0]).unwrap();
    let refused = record.settle(bad.id, outcome(WriteState::NotDone)).await;
    assert!(matches!(refused, Err(super::RecordError::DamagedIntent(_))));
    record.close().await;
    let (record, recovered) = open(dir.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [good.id]);
    assert!(recovered.warnings[0].what.contains(&format!(" {} cannot be trusted", bad.id.0)), "{:?}", recovered.warnings);
    assert!(record.intent(bad.id).await.is_err());
    record.purge(Timestamp::now()).await.unwrap();
    let kept: String = db.query_row("SELECT title FROM intent WHERE id = ?1", [bad.id.0], |row| row.get(0)).unwrap();
    assert_eq!(kept, "other", "the row is kept for a person to look at");
    record.close().await;
    assert_eq!(open(dir.path()).await.1.warnings, []);
}
