//! Chance that can be had again, and what it is about.

use std::time::Duration;

use mmd_elevate_practice::{Endpoint, ListFault, Misdeed, RetryAfter, Rule, Shape};

/// The same seed gives the same (`SplitMix64`).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    /// One time in so many.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The ticket whose creates the server may do twice.
pub(super) const TWICE: &str = "INC-2x";

/// The ticket whose creates the server may do and answer with 429. That such a call was not processed is an assumption:
/// who abandons the wait after it, or waits no longer, is told that nothing was opened.
pub(super) const LIMITED: &str = "INC-3x";

/// A few rules. A server that has more than a few hardly ever answers.
pub(super) fn rules(chance: &mut Chance) -> Vec<Rule> {
    if chance.one_in(6) {
        // What is lost looks as if it had been opened much later: it may be the one, and the agent decides.
        let seed = chance.next();
        let ahead = Rule::new(Endpoint::Create, Misdeed::Skew(3600));
        return vec![ahead, Rule::new(Endpoint::Create, Misdeed::FailAfter).probability(0.6, seed)];
    }
    (0..chance.below(4)).map(|_| rule(chance)).collect()
}

fn rule(chance: &mut Chance) -> Rule {
    use Endpoint::{Any, Close, Create, List};
    let on = chance.of(&[Create, Create, Close, List, Any]);
    let millis = |chance: &mut Chance, most| Duration::from_millis(1 + chance.below(most) as u64);
    let retry =
        chance.of(&[RetryAfter::Seconds(0), RetryAfter::Seconds(0), RetryAfter::Date(1), RetryAfter::Seconds(9)]);
    let write = chance.of(&[Create, Create, Close, Any]);
    let rule = match chance.below(28) {
        0 => Rule::new(Any, Misdeed::Refuse),
        1 => Rule::new(on, Misdeed::Closed(millis(chance, 30))),
        2 => Rule::new(on, Misdeed::Delay(millis(chance, 40))),
        3 => Rule::new(on, Misdeed::Hang(millis(chance, 300))),
        4 => Rule::new(on, Misdeed::HangAfter(millis(chance, 300))),
        5 => Rule::new(on, Misdeed::DropBefore),
        6 => Rule::new(on, Misdeed::DropAfter),
        7 => Rule::new(on, Misdeed::Cut),
        8 => Rule::new(on, Misdeed::WrongJson),
        9 => Rule::new(on, Misdeed::Throttle(retry)),
        10 => Rule::new(on, Misdeed::Fail),
        11 => Rule::new(on, Misdeed::FailAfter),
        12 => Rule::new(on, Misdeed::Unavailable(Some(retry))),
        13 => Rule::new(on, Misdeed::Html),
        14 => Rule::new(Any, Misdeed::Late(millis(chance, 60))),
        15 => Rule::new(Create, Misdeed::Twice).ticket(TWICE),
        16 => Rule::new(Any, Misdeed::Skew(chance.of(&CLOCKS_OFF))),
        17 => Rule::new(Create, Misdeed::SkewTimes(chance.of(&CLOCKS_OFF))),
        18 => Rule::new(write, Misdeed::Error200),
        19 => Rule::new(write, Misdeed::NoRoute),
        20 => Rule::new(Close, Misdeed::Ignore),
        21 => Rule::new(write, Misdeed::RedirectAfter),
        22 if write == Create => Rule::new(Create, Misdeed::ThrottleAfter(retry)).ticket(LIMITED),
        22 => Rule::new(Close, Misdeed::ThrottleAfter(retry)),
        23 => Rule::new(chance.of(&[Create, List, Any]), shape(chance)),
        24..=26 => Rule::new(List, Misdeed::List(list_fault(chance))),
        _ => Rule::new(Create, Misdeed::DropAfter),
    };
    let seed = chance.next();
    if chance.one_in(3) { rule } else { rule.probability(0.4, seed) }
}

/// By how many seconds.
const CLOCKS_OFF: [i64; 7] = [-3600, -240, -5, -2, 3, 240, 3600];

fn shape(chance: &mut Chance) -> Misdeed {
    use Shape::{Bare, CapitalId, NoId, NullTexts, NullTicket, PascalCase, TornText};
    let shape = chance.of(&[Bare, CapitalId, NoId, NullTexts, NullTicket, PascalCase, TornText]);
    Misdeed::Shape(shape, chance.of(&[None, Some(1), Some(3)]))
}

fn list_fault(chance: &mut Chance) -> ListFault {
    let few = 1 + chance.below(3);
    match chance.below(8) {
        0 => ListFault::Cap(few),
        1 => ListFault::NextLink(few),
        2 => ListFault::Unfiltered,
        3 => ListFault::RefuseTop(chance.of(&[0, 50])),
        4 => ListFault::Stale(Duration::from_millis(20 + chance.below(400) as u64)),
        5 => ListFault::Vanish(few),
        6 => ListFault::Shuffle,
        _ => ListFault::Overlap(few),
    }
}
