//! Notices a server that keeps this program busy and never begins its answer, such as one that sends interim answers (1xx)
//! without end. The HTTP library does not show them, so the busy time of the runtime is watched.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

/// How often is looked, and how many looks on end have to find the runtime busy: 3 s together. An answer that is slow to
/// begin leaves the runtime idle, however long it takes.
const LOOK: Duration = Duration::from_millis(500);
const LOOKS: u32 = 6;

/// From which part of one worker's time on the runtime counts as busy.
const BUSY: f64 = 0.75;

/// Returns once the runtime has been busy for 3 s on end. To be raced against the beginning of an answer.
pub(crate) async fn flooded() {
    let metrics = Handle::current().metrics();
    let busy = || (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker)).sum::<Duration>();
    let (mut at, mut before, mut on_end) = (Instant::now(), busy(), 0);
    while on_end < LOOKS {
        sleep(LOOK).await;
        let (now, total) = (Instant::now(), busy());
        on_end = if total.saturating_sub(before) > now.duration_since(at).mul_f64(BUSY) { on_end + 1 } else { 0 };
        (at, before) = (now, total);
    }
}
