//! Every wait of the worker, its clock and its source of randomness.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use uuid::Uuid;

/// Clock, chance and patience.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// What time it is.
    pub now: fn() -> Timestamp,
    /// What sets apart the back-offs of clients that failed at the same moment.
    pub seed: fn() -> u64,
    /// Between a write that could not be sent and its next try.
    pub resend: Backoff,
    /// How often a write is tried where no connection can be made, the first time included.
    pub resends: u32,
    /// Between a throttled call and the next try, where the service does not say, and at least.
    pub throttle: Backoff,
    /// How often a call that is throttled is tried.
    pub throttles: u32,
    /// A service that asks for a longer wait than this is not waited for.
    pub longest_wait: Duration,
    /// Between a read that failed and its next try.
    pub reread: Backoff,
    /// How often a read is tried.
    pub reads: u32,
    /// For how long a write of unknown outcome is looked for.
    pub look: Duration,
    /// For how long a close that the service took is read back, and one that was lost before it is repeated.
    pub read_back: Duration,
    /// Between two looks.
    pub look_again: Backoff,
    /// How often a close is repeated after it was lost and its request is seen to be open.
    pub closes_again: u32,
    /// How many devices are listed at once.
    pub devices_at_once: usize,
    /// After how long drafts that the record did not take are offered to it again, and at the longest between two tries
    /// to open it.
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
    /// No delay is longer, its jitter aside.
    pub most: Duration,
}

impl Backoff {
    /// The delays, without end.
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
