//! A deadline that holds by the steady clock and by the wall clock, whichever comes first: a machine may sleep, and a clock
//! may be set.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A moment that has come as soon as one of two clocks says so. The steady clock is set by nobody, so that a time of day
/// that is set back puts nothing off. The time of day goes on while the machine sleeps, as the steady one may not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    at: Timestamp,
    /// Nothing where it is farther away than the clock reaches.
    steady: Option<Instant>,
}

impl Due {
    /// The moment that is this time of day, as the time of day is now.
    pub(super) fn at(at: Timestamp, now: Timestamp) -> Self {
        Self { at, steady: Instant::now().checked_add(until(at, now)) }
    }

    /// The moment after this wait.
    pub(super) fn after(wait: Duration, now: Timestamp) -> Self {
        Self { at: now.saturating_add(wait).unwrap_or(Timestamp::MAX), steady: Instant::now().checked_add(wait) }
    }

    /// Whether it has come.
    pub(super) fn is_past(self, now: Timestamp) -> bool {
        self.wait(now).is_zero()
    }

    /// How long until it comes.
    pub(super) fn wait(self, now: Timestamp) -> Duration {
        let steady = self.steady.map(|at| at.saturating_duration_since(Instant::now()));
        steady.unwrap_or(Duration::MAX).min(until(self.at, now))
    }

    /// Whether it is to come before the other.
    pub(super) fn is_before(self, other: Self) -> bool {
        self.at < other.at
    }
}

/// A moment that is past is due now.
fn until(at: Timestamp, now: Timestamp) -> Duration {
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
        let due = Due::at(now + hour, now);
        assert!(!due.is_past(now) && due.is_past(now + hour) && due.is_past(Timestamp::MAX));
        for set in [now, now - hour, Timestamp::MIN] {
            let wait = due.wait(set);
            assert!(wait <= Duration::from_secs(3_600) && wait > Duration::from_secs(3_000), "{set}: {wait:?}");
        }
        for past in [now, now - hour, Timestamp::MIN] {
            assert!(Due::at(past, now).is_past(now) && Due::at(past, now).is_past(Timestamp::MIN), "{past}");
        }
        assert!(!Due::after(Duration::MAX, now).is_past(now) && Due::after(Duration::ZERO, now).is_past(now));
        assert!(Due::at(now, now).is_before(due) && !due.is_before(due));
    }
}
