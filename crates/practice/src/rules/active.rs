//! Rules at work: which of them a call meets.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        store::Twist,
        tenant::{same_name, splitmix},
    },
    Count, Endpoint, ListFault, Misdeed, Rule, Rules, Shape,
};

/// What a call is about, as far as rules ask.
#[derive(Default)]
pub(crate) struct About {
    pub(crate) device: Option<String>,
    pub(crate) ticket: Option<String>,
}

/// What becomes of a call.
#[derive(Clone, Default)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    /// By how much the times that it writes are ahead.
    skew: SignedDuration,
    /// By how much the header `Date` is ahead.
    date_skew: SignedDuration,
    pub(crate) shapes: Vec<(Shape, usize)>,
    pub(crate) list: Vec<ListFault>,
    /// What chance has drawn for the list.
    pub(crate) drawn: u64,
    pub(crate) twist: Twist,
    /// How it ends, if not well.
    pub(crate) end: Option<Misdeed>,
}

impl Fate {
    /// The time by the clock that the service writes times with.
    pub(crate) fn now(&self) -> Timestamp {
        ahead(self.skew)
    }

    /// The time by the clock that the header `Date` is from.
    pub(crate) fn date(&self) -> Timestamp {
        ahead(self.date_skew)
    }

    pub(crate) fn is_misdated(&self) -> bool {
        !self.date_skew.is_zero()
    }
}

fn ahead(by: SignedDuration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(by).unwrap_or(now)
}

/// Rules and how far each has come.
pub(crate) struct Active(Vec<(Rule, Count)>);

impl Active {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(rules.0.into_iter().map(|rule| (rule, Count::default())).collect())
    }

    pub(crate) fn counts(&self) -> Vec<Count> {
        self.0.iter().map(|(_, count)| *count).collect()
    }

    /// Whether a connection that was just made is to be refused.
    pub(crate) fn refuses(&mut self) -> bool {
        self.0.iter_mut().filter(|(rule, _)| is_for_connections(rule)).any(|(rule, count)| strikes(rule, count))
    }

    /// What becomes of a call.
    pub(crate) fn fate(&mut self, operation: Endpoint, about: &About) -> Fate {
        let mut fate = Fate::default();
        for (rule, count) in &mut self.0 {
            if rule.misdeed == Misdeed::Refuse || !fits(rule, operation, about) || !strikes(rule, count) {
                continue;
            }
            match rule.misdeed {
                Misdeed::Delay(time) => fate.delay += time,
                Misdeed::Late(time) => fate.twist.late = Some(time),
                Misdeed::Twice => fate.twist.twice = true,
                Misdeed::Skew(seconds) => {
                    fate.skew = SignedDuration::from_secs(seconds);
                    fate.date_skew = fate.skew;
                }
                Misdeed::SkewTimes(seconds) => fate.skew = SignedDuration::from_secs(seconds),
                Misdeed::Shape(shape, entries) => fate.shapes.push((shape, entries.unwrap_or(usize::MAX))),
                Misdeed::List(fault) => {
                    fate.list.push(fault);
                    fate.drawn = splitmix(count.seen);
                }
                end => {
                    fate.end = Some(end);
                    break;
                }
            }
        }
        fate
    }
}

fn is_for_connections(rule: &Rule) -> bool {
    rule.misdeed == Misdeed::Refuse && fits(rule, Endpoint::Any, &About::default())
}

fn fits(rule: &Rule, operation: Endpoint, about: &About) -> bool {
    let device = |wanted: &String| about.device.as_ref().is_some_and(|device| same_name(device, wanted));
    rule.on.covers(operation)
        && rule.device.as_ref().is_none_or(device)
        && rule.ticket.as_ref().is_none_or(|wanted| about.ticket.as_ref() == Some(wanted))
}

/// Counts a call that fits, and says whether the rule strikes it. Chance depends on the seed and on which call it is,
/// never on what other rules have drawn.
fn strikes(rule: &Rule, count: &mut Count) -> bool {
    count.seen += 1;
    let turn = count.seen > rule.skip && (count.seen - rule.skip - 1).is_multiple_of(rule.every.max(1));
    let left = rule.times.is_none_or(|times| count.struck < times);
    #[expect(clippy::cast_precision_loss, reason = "32 bits are drawn, and a double holds them all")]
    let lucky = rule.chance.is_none_or(|(probability, seed)| {
        let drawn = splitmix(splitmix(seed).wrapping_add(count.seen)) >> 32;
        (drawn as f64) < probability * 4_294_967_296.0
    });
    let strikes = turn && left && lucky;
    count.struck += u64::from(strikes);
    strikes
}
