//! The record's reader: whatever is in the database's file, it opens or says why not, and what it sets aside stays as it was.

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
    RUNTIME.with(|runtime| record_in(runtime, *kind, rest));
}

thread_local! {
    /// One for all runs.
    static RUNTIME: Runtime = Builder::new_current_thread().build().unwrap();
}

fn record_in(runtime: &Runtime, kind: u8, rest: &[u8]) {
    if kind.is_multiple_of(2) {
        runtime.block_on(open(rest));
    } else {
        let mut file = sound(runtime).to_vec();
        for change in rest.chunks_exact(4) {
            let [a, b, c, byte] = *change else { continue };
            let place =
                usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or_default() % (file.len() + 64).max(1);
            match file.get_mut(place) {
                Some(at) => *at = byte,
                None => file.truncate(file.len() - file.len() / 8),
            }
        }
        runtime.block_on(open(&file));
    }
}

async fn open(file: &[u8]) {
    let folder = folder();
    fs::write(folder.path().join(DATABASE), file).unwrap();
    match Record::open(place(folder.path()), || Timestamp::UNIX_EPOCH).await {
        Ok((record, recovered)) => {
            for warning in &recovered.warnings {
                check_shown(&format!("{warning:?}"));
            }
            record.begin(&create()).await.unwrap();
            record.close().await;
            for entry in fs::read_dir(folder.path()).unwrap() {
                let path = entry.unwrap().path();
                let is_aside = path.to_string_lossy().contains(".damaged-");
                if is_aside && !path.to_string_lossy().ends_with("-wal") && !path.to_string_lossy().ends_with("-shm") {
                    assert!(fs::read(path).unwrap() == file, "what was set aside is not as it was");
                }
            }
        }
        Err(error) => {
            check_shown(&error.to_string());
            assert!(fs::read(folder.path().join(DATABASE)).unwrap() == file, "{error}: not as it was");
        }
    }
}

fn check_shown(text: &str) {
    assert_eq!(invisible_characters(text), 0, "{text:?}");
}

/// A database with a write and two drafts, as a process leaves it that ends.
fn sound(runtime: &Runtime) -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| {
        runtime.block_on(async {
            let folder = folder();
            let opened = Record::open(place(folder.path()), || Timestamp::UNIX_EPOCH).await;
            let (record, _) = opened.unwrap();
            record.begin(&create()).await.unwrap();
            let drafts =
                vec![(DraftTarget::Form, Some(written("form"))), (DraftTarget::Refused(1), Some(written("draft")))];
            record.save(drafts).await.unwrap();
            record.close().await;
            fs::read(folder.path().join(DATABASE)).unwrap()
        })
    })
}

fn create() -> Operation {
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
