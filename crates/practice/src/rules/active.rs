//! Decides which rules apply to a call, and counts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    super::tenant::{same_name, splitmix},
    Count, Endpoint, ListFault, Misdeed, Rule, Rules, Shape,
};

/// The device and the ticket of a call, by which rules select calls.
#[derive(Default)]
pub(crate) struct CallSubject {
    pub(crate) device: Option<String>,
    pub(crate) ticket: Option<String>,
}

/// How a create or a close deviates from its normal effect.
#[derive(Clone, Copy, Default)]
pub(crate) struct ChangeFaults {
    /// How long lists show the state before the change.
    pub(crate) late: Option<Duration>,
    /// Whether a create opens a second request that the answer does not mention.
    pub(crate) twice: bool,
}

/// What the rules do to one call.
#[derive(Clone, Default)]
pub(crate) struct FaultPlan {
    pub(crate) delay: Duration,
    /// How far the times that the call writes are ahead.
    skew: SignedDuration,
    /// How far the header `Date` is ahead.
    date_skew: SignedDuration,
    pub(crate) shapes: Vec<(Shape, usize)>,
    pub(crate) list: Vec<ListFault>,
    /// The seed for the faults of the list.
    pub(crate) list_seed: u64,
    pub(crate) change: ChangeFaults,
    /// The misdeed that ends the call.
    pub(crate) end: Option<Misdeed>,
}

impl FaultPlan {
    /// Returns the time of the clock with which the service writes times.
    pub(crate) fn now(&self) -> Timestamp {
        now_plus(self.skew)
    }

    /// Returns the time of the clock of the header `Date`.
    pub(crate) fn date(&self) -> Timestamp {
        now_plus(self.date_skew)
    }

    pub(crate) fn is_misdated(&self) -> bool {
        !self.date_skew.is_zero()
    }
}

fn now_plus(skew: SignedDuration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(skew).unwrap_or(now)
}

/// The rules and their counts.
pub(crate) struct Active(Vec<(Rule, Count)>);

impl Active {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(rules.0.into_iter().map(|rule| (rule, Count::default())).collect())
    }

    pub(crate) fn counts(&self) -> Vec<Count> {
        self.0.iter().map(|(_, count)| *count).collect()
    }

    /// Counts a new connection, and returns whether it is to be reset.
    pub(crate) fn refuses(&mut self) -> bool {
        self.0.iter_mut().filter(|(rule, _)| is_for_connections(rule)).any(|(rule, count)| applies(rule, count))
    }

    /// Counts a call, and returns what the rules do to it.
    pub(crate) fn plan(&mut self, operation: Endpoint, subject: &CallSubject) -> FaultPlan {
        let mut plan = FaultPlan::default();
        for (rule, count) in &mut self.0 {
            if rule.misdeed == Misdeed::Refuse || !matches_call(rule, operation, subject) || !applies(rule, count) {
                continue;
            }
            match rule.misdeed {
                Misdeed::Delay(time) => plan.delay += time,
                Misdeed::Late(time) => plan.change.late = Some(time),
                Misdeed::Twice => plan.change.twice = true,
                Misdeed::Skew(seconds) => {
                    plan.skew = SignedDuration::from_secs(seconds);
                    plan.date_skew = plan.skew;
                }
                Misdeed::SkewTimes(seconds) => plan.skew = SignedDuration::from_secs(seconds),
                Misdeed::Shape(shape, entries) => plan.shapes.push((shape, entries.unwrap_or(usize::MAX))),
                Misdeed::List(fault) => {
                    plan.list.push(fault);
                    plan.list_seed = splitmix(count.seen);
                }
                end => {
                    plan.end = Some(end);
                    break;
                }
            }
        }
        plan
    }
}

fn is_for_connections(rule: &Rule) -> bool {
    rule.misdeed == Misdeed::Refuse && matches_call(rule, Endpoint::Any, &CallSubject::default())
}

fn matches_call(rule: &Rule, operation: Endpoint, subject: &CallSubject) -> bool {
    let device = |wanted: &String| subject.device.as_ref().is_some_and(|device| same_name(device, wanted));
    rule.on.covers(operation)
        && rule.device.as_ref().is_none_or(device)
        && rule.ticket.as_ref().is_none_or(|wanted| subject.ticket.as_ref() == Some(wanted))
}

/// Counts a matching call, and returns whether the rule applies to it. The random choice depends only on the seed and on the
/// number of the call, not on other rules.
fn applies(rule: &Rule, count: &mut Count) -> bool {
    count.seen += 1;
    let is_turn = count.seen > rule.skip && (count.seen - rule.skip - 1).is_multiple_of(rule.every.max(1));
    let has_times_left = rule.times.is_none_or(|times| count.applied < times);
    #[expect(clippy::cast_precision_loss, reason = "a double represents every number of 32 bits")]
    let is_chosen = rule.chance.is_none_or(|(probability, seed)| {
        let random = splitmix(splitmix(seed).wrapping_add(count.seen)) >> 32;
        (random as f64) < probability * 4_294_967_296.0
    });
    let applies = is_turn && has_times_left && is_chosen;
    count.applied += u64::from(applies);
    applies
}
