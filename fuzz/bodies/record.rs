//! The record's reader: whatever is in the database's file, it opens as what was written or as nothing, and says so.

use std::{fs, path::Path, sync::OnceLock};

use jiff::Timestamp;
use mmd_elevate_core::{Draft, DraftTarget, Field, Operation, invisible_characters};
use mmd_elevate_engine::record::{Place, Record, TenantKey};
use tokio::runtime::{Builder, Runtime};

const DATABASE: &str = "record.db";

/// A database: all of it, or a sound one with some of its bytes replaced.
///
/// The first byte says which. Even: the rest is the file. Odd: the rest is places and bytes, four bytes each; where the
/// place is beyond the end, the file is cut instead.
pub(crate) fn record(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let runtime = runtime();
    if kind % 2 == 0 {
        runtime.block_on(open(rest, false));
    } else {
        let mut file = sound(&runtime).to_vec();
        for change in rest.chunks_exact(4) {
            let [a, b, c, byte] = *change else { continue };
            let place =
                usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or_default() % (file.len() + 64).max(1);
            match file.get_mut(place) {
                Some(at) => *at = byte,
                None => file.truncate(file.len() - file.len() / 8),
            }
        }
        runtime.block_on(open(&file, true));
    }
}

async fn open(file: &[u8], ours: bool) {
    let folder = folder();
    fs::write(folder.path().join(DATABASE), file).unwrap();
    match Record::open(place(folder.path()), || Timestamp::UNIX_EPOCH).await {
        Ok((journal, recovered)) => {
            if ours {
                let known = |draft: &Draft| *draft == written("draft") || *draft == written("form");
                assert!(recovered.drafts.iter().all(|saved| known(&saved.draft)), "{:?}", recovered.drafts);
                for intent in &recovered.unresolved {
                    assert!(intent.what == intention(), "{:?}", intent.what);
                }
            }
            for warning in &recovered.warnings {
                check_shown(&format!("{warning:?}"));
            }
            journal.close().await;
        }
        Err(error) => check_shown(&error.to_string()),
    }
}

fn check_shown(text: &str) {
    assert_eq!(invisible_characters(text), 0, "{text:?}");
}

/// A database with an intent and two drafts, as a process leaves it that ends.
fn sound(runtime: &Runtime) -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| {
        runtime.block_on(async {
            let folder = folder();
            let opened = Record::open(place(folder.path()), || Timestamp::UNIX_EPOCH).await;
            let (journal, _) = opened.unwrap();
            journal.intend(&intention()).await.unwrap();
            let drafts =
                vec![(DraftTarget::Form, Some(written("form"))), (DraftTarget::Refused(1), Some(written("draft")))];
            journal.save(drafts).await.unwrap();
            journal.close().await;
            fs::read(folder.path().join(DATABASE)).unwrap()
        })
    })
}

fn intention() -> Operation {
    Operation::Create(written("create").validate().unwrap())
}

fn written(text: &str) -> Draft {
    let mut draft = Draft::default();
    for field in Field::ALL {
        // So long that much of the file is text that a changed byte would change.
        draft.set(field, format!("{text} {} ", field.label()).repeat(40));
    }
    draft
}

fn place(folder: &Path) -> Place {
    let tenant = TenantKey { base_url: "https://service.example/".to_owned(), tenant_id: "tenant".to_owned() };
    Place { state_dir: folder.to_owned(), tenant, operator: "sam".to_owned(), keep_days: 90 }
}

/// In memory where there is such a folder: this is about what is read, not about the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}
