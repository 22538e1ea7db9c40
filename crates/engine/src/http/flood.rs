//! Detects a server that keeps this program busy without beginning its answer, such as by endless interim answers (1xx). The
//! HTTP library does not report them, so the busy time of the runtime is measured.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

/// The interval of the measurement, and how many consecutive busy intervals are a flood: 3 s. A slow answer leaves the runtime
/// idle, however long it takes.
const INTERVAL: Duration = Duration::from_millis(500);
const BUSY_INTERVALS: u32 = 6;

/// The share of one worker's time from which on the runtime counts as busy.
const BUSY_SHARE: f64 = 0.75;

/// Returns once the runtime has been busy for 3 s. It is raced against the beginning of an answer.
pub(crate) async fn wait_for_flood() {
    let metrics = Handle::current().metrics();
    let busy = || (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker)).sum::<Duration>();
    let (mut at, mut before, mut intervals) = (Instant::now(), busy(), 0);
    while intervals < BUSY_INTERVALS {
        sleep(INTERVAL).await;
        let (now, total) = (Instant::now(), busy());
        let is_busy = total.saturating_sub(before) > now.duration_since(at).mul_f64(BUSY_SHARE);
        intervals = if is_busy { intervals + 1 } else { 0 };
        (at, before) = (now, total);
    }
}
