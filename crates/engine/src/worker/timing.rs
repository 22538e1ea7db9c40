//! Every wait of the worker, its clock and its source of randomness.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use uuid::Uuid;

/// The clock, the random seed, and all waits and limits.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The wall clock.
    pub now: fn() -> Timestamp,
    /// The seed of the jitter, by which clients that failed at the same moment retry at different times.
    pub seed: fn() -> u64,
    /// The waits between attempts of a write for which no connection can be made.
    pub resend: Backoff,
    /// How many attempts such a write has.
    pub resends: u32,
    /// The minimum waits between attempts of a throttled call.
    pub throttle: Backoff,
    /// How many attempts a throttled call has.
    pub throttles: u32,
    /// The longest wait of a service that is waited for.
    pub longest_wait: Duration,
    /// The waits between attempts of a read.
    pub reread: Backoff,
    /// How many attempts a read has.
    pub reads: u32,
    /// For how long a write of unknown outcome is looked up.
    pub look: Duration,
    /// For how long a close is read back after it was accepted, and before it is repeated.
    pub read_back: Duration,
    /// The waits between two look-ups.
    pub look_again: Backoff,
    /// How often a close of unknown outcome is repeated if its request is still open.
    pub closes_again: u32,
    /// How many devices are listed at once.
    pub devices_at_once: usize,
    /// The wait before unsaved drafts are saved again, and the longest wait between two attempts to open the record.
    pub save_again: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let backoff = |first, most| Backoff { first: Duration::from_millis(first), most: Duration::from_secs(most) };
        Self {
            now: Timestamp::now,
            seed: || Uuid::new_v4().as_u64_pair().0,
            resend: backoff(500, 4),
            resends: 3,
            throttle: backoff(2_000, 30),
            throttles: 5,
            longest_wait: Duration::from_secs(120),
            reread: backoff(300, 3),
            reads: 3,
            look: Duration::from_secs(30),
            read_back: Duration::from_secs(5),
            look_again: backoff(500, 4),
            closes_again: 3,
            devices_at_once: 4,
            save_again: Duration::from_secs(5),
        }
    }
}

/// Delays that double, up to a bound, with jitter on top.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first delay.
    pub first: Duration,
    /// The longest delay, without jitter.
    pub most: Duration,
}

impl Backoff {
    /// Returns an endless sequence of delays.
    pub(super) fn delays(self, seed: u64) -> Delays {
        ExponentialBuilder::default()
            .with_min_delay(self.first)
            .with_max_delay(self.most)
            .with_jitter()
            .with_jitter_seed(seed)
            .without_max_times()
            .build()
    }
}

pub(super) type Delays = <ExponentialBuilder as BackoffBuilder>::Backoff;
