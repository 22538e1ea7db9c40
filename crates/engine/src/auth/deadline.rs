//! A deadline by the steady clock and by the wall clock, whichever comes first: a machine may sleep, and a clock may be set.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A deadline that is reached as soon as one of two clocks reaches it. The steady clock cannot be set back; the wall clock
/// continues while the machine sleeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Timestamp,
    /// `None` beyond the range of the clock.
    steady: Option<Instant>,
}

impl Deadline {
    /// Makes a deadline at a time of the wall clock.
    pub(super) fn at(at: Timestamp, now: Timestamp) -> Self {
        Self { at, steady: Instant::now().checked_add(time_until(at, now)) }
    }

    /// Makes a deadline after a wait.
    pub(super) fn after(wait: Duration, now: Timestamp) -> Self {
        Self { at: now.saturating_add(wait).unwrap_or(Timestamp::MAX), steady: Instant::now().checked_add(wait) }
    }

    /// Returns whether the deadline is reached.
    pub(super) fn is_past(self, now: Timestamp) -> bool {
        self.wait(now).is_zero()
    }

    /// Returns how long it takes until the deadline.
    pub(super) fn wait(self, now: Timestamp) -> Duration {
        let steady = self.steady.map(|at| at.saturating_duration_since(Instant::now()));
        steady.unwrap_or(Duration::MAX).min(time_until(self.at, now))
    }

    /// Returns whether this deadline is before the other.
    pub(super) fn is_before(self, other: Self) -> bool {
        self.at < other.at
    }
}

/// Returns how long it takes until a time; zero for a past time.
fn time_until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn what_is_due_comes_by_either_clock_and_is_never_put_off() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let deadline = Deadline::at(now + hour, now);
        assert!(!deadline.is_past(now) && deadline.is_past(now + hour) && deadline.is_past(Timestamp::MAX));
        for set in [now, now - hour, Timestamp::MIN] {
            let wait = deadline.wait(set);
            assert!(wait <= Duration::from_secs(3_600) && wait > Duration::from_secs(3_000), "{set}: {wait:?}");
        }
        for past in [now, now - hour, Timestamp::MIN] {
            assert!(Deadline::at(past, now).is_past(now) && Deadline::at(past, now).is_past(Timestamp::MIN), "{past}");
        }
        assert!(!Deadline::after(Duration::MAX, now).is_past(now) && Deadline::after(Duration::ZERO, now).is_past(now));
        assert!(Deadline::at(now, now).is_before(deadline) && !deadline.is_before(deadline));
    }
}
