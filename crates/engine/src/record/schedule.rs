//! The schedule of attempts to restore the record. It makes no attempt itself.

use std::time::{Duration, Instant};

use super::error::RecordError;

/// How long lost files are waited for, and the first wait after a failed attempt.
const FIRST_WAIT: Duration = Duration::from_secs(1);

const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The time of the next attempt to restore the record, and the errors so far.
pub(super) struct RestoreSchedule {
    pub(super) due: Instant,
    wait: Duration,
    /// What happened to the files, which the agent is shown once they are replaced.
    pub(super) cause: RecordError,
    /// Why the record cannot be written now.
    pub(super) why: RecordError,
}

impl RestoreSchedule {
    pub(super) fn new(cause: &RecordError) -> Self {
        Self { due: Instant::now() + FIRST_WAIT, wait: FIRST_WAIT, cause: cause.clone(), why: cause.clone() }
    }

    /// Postpones the next attempt after a failed one.
    pub(super) fn postpone(&mut self, error: RecordError) {
        self.why = error;
        self.due = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }
}
