//! How practice misbehaves on demand, so that agents can be trained for it and tests can use it.
//!
//! Rules are asked in their order, one call at a time. [`Misdeed::Delay`], [`Misdeed::Late`], [`Misdeed::Twice`],
//! [`Misdeed::Skew`], [`Misdeed::SkewTimes`], [`Misdeed::Shape`] and [`Misdeed::List`] add to what comes after them; the
//! first other that strikes decides how the call ends, and the rules after it do not see the call. A rule counts the
//! calls that it sees and that fit it.

mod active;
mod file;

use std::time::Duration;

pub(super) use active::{About, Active, Fate};
pub use file::RulesError;

/// Rules of misbehaviour, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(pub(super) Vec<Rule>);

impl<R: IntoIterator<Item = Rule>> From<R> for Rules {
    fn from(rules: R) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl Rules {
    /// The rules, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}

/// Which calls a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Opening a request.
    Create,
    /// Closing one.
    Close,
    /// The list of requests.
    List,
    /// The credential of a device.
    Details,
    /// The list of devices.
    Devices,
    /// One device.
    Device,
    /// Signing in: the token endpoint.
    Token,
    /// All of the service's. The token endpoint is not the service's, and has its own rules.
    Any,
}

impl Endpoint {
    /// Whether a call of the other kind is one of this.
    pub(super) fn covers(self, other: Self) -> bool {
        self == other || (self == Self::Any && other != Self::Token)
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Misdeed {
    /// A new connection is reset before anything is read. It strikes connections and not calls, so that it can only be
    /// for [`Endpoint::Any`], and calls on a connection that is already made are spared.
    Refuse,
    /// The call is dropped without being done, and for this long no connection can be made at all.
    Closed(Duration),
    /// The call waits this long before it is done. It is done even where the caller has gone by then.
    Delay(Duration),
    /// The call is not done and never answered; after this long the connection ends.
    Hang(Duration),
    /// The call is done and never answered; after this long the connection ends.
    HangAfter(Duration),
    /// The call is read and not done, and the connection ends without a byte.
    DropBefore,
    /// The call is done, and the connection ends without a byte.
    DropAfter,
    /// The call is done, half of the answer is sent, and the connection ends.
    Cut,
    /// The call is done, and the answer is a success whose body is not JSON.
    WrongJson,
    /// The call is not done: 429.
    Throttle(RetryAfter),
    /// The call is done, and answered with 429 all the same.
    ThrottleAfter(RetryAfter),
    /// The call is done, and answered with 303 and a place to see it.
    RedirectAfter,
    /// The call is not done: 500.
    Fail,
    /// The call is done, and answered with 500.
    FailAfter,
    /// The call is not done: 503 with a page of HTML.
    Unavailable(Option<RetryAfter>),
    /// The call is not done: 200 with a page of HTML.
    Html,
    /// The call is not done: 200 with an error for its body.
    Error200,
    /// The call is not done: 404 in the words of a router that knows no such path.
    NoRoute,
    /// A close is answered as if it were done, and never is.
    Ignore,
    /// What a create or a close changes shows in lists after this long.
    Late(Duration),
    /// A create opens a second request, of which the answer says nothing.
    Twice,
    /// The service's clock is this many seconds ahead, or behind where it is negative: in the header `Date`, and in the
    /// times that the call writes.
    Skew(i64),
    /// The same in the times that the call writes alone: the header `Date` is right, as behind a proxy that writes its
    /// own.
    SkewTimes(i64),
    /// The entities of an answer to a create or a list are written in another way: the first so many, or all.
    Shape(Shape, Option<usize>),
    /// A list is not what was asked for.
    List(ListFault),
}

/// How an entity differs from the documents' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It has its id and nothing else.
    Bare,
    /// The texts that a create sends are null.
    NullTexts,
    /// The ticket is null.
    NullTicket,
    /// Its keys begin with capital letters.
    PascalCase,
    /// The letters of its id are capitals.
    CapitalId,
    /// It has no id.
    NoId,
    /// Its title ends in half a character: `\ud83d` and nothing after it.
    TornText,
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// No page holds more than so many, and none says that there are more.
    Cap(usize),
    /// No page holds more than so many. The next has to be asked for with the link of the one before: `$skip` does
    /// nothing.
    NextLink(usize),
    /// The filter does nothing.
    Unfiltered,
    /// A `$top` above this is refused.
    RefuseTop(usize),
    /// What is listed is how it was so long ago.
    Stale(Duration),
    /// So many entries are left out, others each time.
    Vanish(usize),
    /// The entries stand in another order each time.
    Shuffle,
    /// A page begins with the last so many entries of the one before.
    Overlap(usize),
}

/// When to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// In so many seconds, and said so.
    Seconds(u32),
    /// In so many seconds, said as a date.
    Date(u32),
}

/// A rule: what goes wrong, with which calls, and how often. Without more it strikes every call.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub(super) on: Endpoint,
    pub(super) misdeed: Misdeed,
    pub(super) device: Option<String>,
    pub(super) ticket: Option<String>,
    pub(super) skip: u64,
    pub(super) every: u64,
    pub(super) times: Option<u64>,
    pub(super) chance: Option<(f64, u64)>,
}

impl Rule {
    /// A rule that strikes every such call.
    #[must_use]
    pub const fn new(on: Endpoint, misdeed: Misdeed) -> Self {
        Self { on, misdeed, device: None, ticket: None, skip: 0, every: 1, times: None, chance: None }
    }

    /// Only calls about this device, in any letter case. A list is about a device where its filter says
    /// `deviceName eq`, a close where its request is.
    #[must_use]
    pub fn device(self, name: impl Into<String>) -> Self {
        Self { device: Some(name.into()), ..self }
    }

    /// Only creates with this ticket, and closes of requests that have it.
    #[must_use]
    pub fn ticket(self, id: impl Into<String>) -> Self {
        Self { ticket: Some(id.into()), ..self }
    }

    /// Spares the first so many that fit.
    #[must_use]
    pub fn skip(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// Strikes the first that is not skipped and then every so manieth.
    #[must_use]
    pub fn every(self, calls: u64) -> Self {
        Self { every: calls.max(1), ..self }
    }

    /// Strikes so often and no more.
    #[must_use]
    pub fn times(self, strikes: u64) -> Self {
        Self { times: Some(strikes), ..self }
    }

    /// Strikes with this probability, from 0 to 1. The same seed strikes the same calls.
    #[must_use]
    pub fn probability(self, probability: f64, seed: u64) -> Self {
        Self { chance: Some((probability, seed)), ..self }
    }
}

/// What has come of a rule so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The calls that it saw and that fit it.
    pub seen: u64,
    /// How often it struck.
    pub struck: u64,
}
