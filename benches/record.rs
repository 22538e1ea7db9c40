//! What the record costs: to make a write durable before it is sent and to save its outcome, in a new record and in one of a
//! quarter of a year.
//!
//! `cargo bench --bench record`. In memory (`/dev/shm`) it is the database's work alone; on disk the two syncs of a write are added.

use std::path::Path;

use divan::Bencher;
use futures_util::future::join_all;
use jiff::Timestamp;
use mmd_elevate_core::{Draft, ElevationRequest, Field, Operation, Outcome, RequestId, WriteState};
use mmd_elevate_engine::record::{Place, Record, TenantKey};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// How many requests an agent opens in 90 days.
const QUARTER: usize = 3_600;

fn main() {
    divan::main();
}

fn place(folder: &Path) -> Place {
    let tenant = TenantKey { base_url: "https://service.example/v1".to_owned(), tenant_id: "bench".to_owned() };
    Place { state_dir: folder.to_owned(), tenant, operator: "agent".to_owned(), keep_days: 90 }
}

/// Opens a request: what is written before it is sent, and what is written when the answer is there.
async fn write(record: &Record) {
    let mut draft = Draft::default();
    for (field, text) in Field::ALL.into_iter().zip(["INC-4711", "MMD-03690457680", "Excel", "Office", "Excel", "Plan"])
    {
        draft.set(field, text);
    }
    let Ok(new) = draft.validate() else { unreachable!("all fields are filled") };
    let Ok(begun) = record.begin(&Operation::Create(new)).await else { unreachable!("the record is open") };
    let Some(id) = RequestId::new(Uuid::new_v4().to_string()) else { unreachable!("a UUID is an id") };
    let request = Some(ElevationRequest::from_id(id));
    let outcome = Outcome { state: WriteState::Done, request, why: None, service_request_id: None };
    let settled = record.settle(begun.id, outcome).await;
    assert!(settled.is_ok(), "{settled:?}");
}

/// A record of so many requests in a folder.
fn open(runtime: &Runtime, folder: &Path, requests: usize) -> Record {
    runtime.block_on(async {
        let Ok((record, _)) = Record::open(place(folder), Timestamp::now).await else { unreachable!("a new folder") };
        for _ in 0..requests {
            write(&record).await;
        }
        record
    })
}

#[expect(clippy::print_stderr, reason = "a bench that is skipped says why")]
fn bench_writes(bencher: Bencher<'_, '_>, folder: &Path, requests: usize, at_once: usize) {
    let (Ok(runtime), Ok(folder)) = (Builder::new_current_thread().build(), tempfile::tempdir_in(folder)) else {
        eprintln!("skipped: there is no folder {}", folder.display());
        return;
    };
    let record = open(&runtime, folder.path(), requests);
    bencher.bench_local(|| runtime.block_on(join_all((0..at_once).map(|_| write(&record)))));
}

#[divan::bench(args = [0, QUARTER], sample_count = 200, sample_size = 1)]
fn write_in_memory(bencher: Bencher<'_, '_>, requests: usize) {
    bench_writes(bencher, Path::new("/dev/shm"), requests, 1);
}

#[divan::bench(args = [0], sample_count = 200, sample_size = 1)]
fn write_on_disk(bencher: Bencher<'_, '_>, requests: usize) {
    bench_writes(bencher, &std::env::temp_dir(), requests, 1);
}

/// As many as a command has under way at once, a hundred in all.
#[divan::bench(args = [0], sample_count = 6, sample_size = 1)]
fn sixteen_in_memory(bencher: Bencher<'_, '_>, requests: usize) {
    bench_writes(bencher, Path::new("/dev/shm"), requests, 16);
}

#[divan::bench(args = [0], sample_count = 6, sample_size = 1)]
fn sixteen_on_disk(bencher: Bencher<'_, '_>, requests: usize) {
    bench_writes(bencher, &std::env::temp_dir(), requests, 16);
}
