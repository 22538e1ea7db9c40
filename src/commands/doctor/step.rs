//! Limits how long a step of the doctor may take. It decides nothing else about a check.

use std::time::Duration;

use super::report::Check;
use mmd_elevate_core::Problem;

/// How long one step may take. There are fewer than ten, so that all of them end within a minute, whatever hangs.
pub(super) const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs checks that touch the disk, which may never answer.
pub(super) async fn run_blocking(
    id: &'static str,
    title: &'static str,
    checks: impl FnOnce() -> Vec<Check> + Send + 'static,
) -> Vec<Check> {
    match tokio::time::timeout(STEP_TIMEOUT, tokio::task::spawn_blocking(checks)).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(_)) | Err(_) => vec![Check::new(id, title).failed(disk_timeout())],
    }
}

/// Returns the problem of a disk that does not answer in time.
pub(super) fn disk_timeout() -> Problem {
    let what = format!("the disk did not answer within {} s", STEP_TIMEOUT.as_secs());
    Problem::new(what, "check the disk or the network folder")
}
