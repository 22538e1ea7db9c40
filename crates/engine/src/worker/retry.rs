//! Decides whether a failed call is repeated automatically, and when. It neither waits nor sends.

use std::time::Duration;

use super::timing::{Delays, Timing};
use mmd_elevate_core::{CallError, Disposition, ErrorCode};

/// The attempts of one call.
pub(super) struct Retries {
    timing: Timing,
    most: u32,
    failed: Delays,
    throttled: Delays,
    failures: u32,
    throttles: u32,
}

impl Retries {
    /// For a write that failed because no connection was made, so that nothing was sent.
    pub(super) fn for_writes(timing: Timing) -> Self {
        let seed = (timing.seed)();
        Self::new(timing, timing.resends, timing.resend.delays(seed), seed)
    }

    /// For a read, which changes nothing and can be repeated after any error.
    pub(super) fn for_reads(timing: Timing) -> Self {
        let seed = (timing.seed)();
        Self::new(timing, timing.reads, timing.reread.delays(seed), seed)
    }

    fn new(timing: Timing, most: u32, failed: Delays, seed: u64) -> Self {
        Self { timing, most, failed, throttled: timing.throttle.delays(seed), failures: 0, throttles: 0 }
    }

    /// Returns the number of the next attempt.
    pub(super) const fn next_attempt(&self) -> u32 {
        self.failures + self.throttles + 1
    }

    /// Returns the wait before the next attempt, which is never shorter than the service asks. Returns `None` after the last
    /// attempt, or if the service asks for too long a wait.
    pub(super) fn next_delay(&mut self, error: &CallError) -> Option<Duration> {
        if error.code == Some(ErrorCode::Throttled) {
            self.throttles += 1;
            let asked = error.retry_after().unwrap_or_default();
            if self.throttles >= self.timing.throttles || asked > self.timing.longest_wait {
                return None;
            }
            // The back-off applies even if the service asks for no wait.
            return self.throttled.next().map(|delay| delay.max(asked));
        }
        self.failures += 1;
        if self.failures >= self.most { None } else { self.failed.next() }
    }
}

/// Returns whether a read with this error may succeed if it is repeated.
pub(super) fn is_transient(error: &CallError) -> bool {
    match error.disposition {
        Disposition::NotDone => false,
        Disposition::Repeat(_) => true,
        Disposition::Unknown => !matches!(error.code, Some(ErrorCode::Abandoned | ErrorCode::Crashed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttled(seconds: Option<u64>) -> CallError {
        CallError::throttled(seconds.map(Duration::from_secs))
    }

    #[test]
    fn a_service_is_never_called_sooner_than_it_asks_nor_waited_for_beyond_the_cap() {
        let timing = Timing { seed: || 7, ..Timing::default() };
        let after = |seconds| Retries::for_writes(timing).next_delay(&throttled(seconds));
        assert_eq!(after(Some(120)), Some(Duration::from_secs(120)));
        assert_eq!(after(Some(121)), None);
        assert!(after(Some(0)).unwrap() >= timing.throttle.first);
        assert!(after(None).unwrap() >= timing.throttle.first);
    }

    #[test]
    fn each_kind_of_failure_is_counted() {
        let timing = Timing { seed: || 7, ..Timing::default() };
        let mut retries = Retries::for_writes(timing);
        let unreached = CallError::not_reached("");
        assert!(retries.next_delay(&unreached).is_some() && retries.next_delay(&throttled(None)).is_some());
        assert_eq!(retries.next_attempt(), 3);
        assert!(retries.next_delay(&unreached).is_some());
        assert_eq!(retries.next_delay(&unreached), None, "three tries without a connection");
        let mut retries = Retries::for_writes(timing);
        assert_eq!((0..9).take_while(|_| retries.next_delay(&throttled(None)).is_some()).count(), 4);
    }

    #[test]
    fn jitter_sets_two_clients_apart_and_delays_grow() {
        let timing = Timing::default();
        let delays = |seed| timing.reread.delays(seed).take(6).collect::<Vec<_>>();
        assert_ne!(delays(1), delays(2));
        assert_eq!(delays(1), delays(1));
        assert!(delays(1)[3] > delays(1)[0]);
    }
}
