//! The rules of misbehaviour, for training and for tests.
//!
//! The rules are applied to a call in their order. [`Misdeed::Delay`], [`Misdeed::Late`], [`Misdeed::Twice`],
//! [`Misdeed::Skew`], [`Misdeed::SkewTimes`], [`Misdeed::Shape`] and [`Misdeed::List`] are combined with later rules. The first
//! other misdeed that applies decides how the call ends, and later rules do not see the call. A rule counts the matching calls
//! that it sees.

mod active;
mod file;

use std::time::Duration;

pub(super) use active::{Active, CallSubject, ChangeFaults, FaultPlan};

/// Rules of misbehaviour, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(pub(super) Vec<Rule>);

impl<R: IntoIterator<Item = Rule>> From<R> for Rules {
    fn from(rules: R) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl Rules {
    /// Returns the rules, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}

/// An endpoint to whose calls a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Opening a request.
    Create,
    /// Closing a request.
    Close,
    /// The list of requests.
    List,
    /// The credential of a device.
    Details,
    /// The list of devices.
    Devices,
    /// One device.
    Device,
    /// The token endpoint of the sign-in.
    Token,
    /// All endpoints of the service. The token endpoint does not belong to the service.
    Any,
}

impl Endpoint {
    /// Returns whether a rule for this endpoint applies to the other one.
    pub(super) fn covers(self, other: Self) -> bool {
        self == other || (self == Self::Any && other != Self::Token)
    }
}

/// A fault of the practice tenant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Misdeed {
    /// A new connection is reset before anything is read. It applies to connections, so its endpoint must be
    /// [`Endpoint::Any`]; calls on existing connections are not affected.
    Refuse,
    /// The call is dropped and not done, and no connection can be made for this time.
    Closed(Duration),
    /// The call is delayed by this time. It is done even if the caller has gone.
    Delay(Duration),
    /// The call is not done and never answered; the connection ends after this time.
    Hang(Duration),
    /// The call is done and never answered; the connection ends after this time.
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
    /// The call is done, and answered with 429 nevertheless.
    ThrottleAfter(RetryAfter),
    /// The call is done, and answered with 303 and a location.
    RedirectAfter,
    /// The call is not done: 500.
    Fail,
    /// The call is done, and answered with 500.
    FailAfter,
    /// The call is not done: 503 with a page of HTML.
    Unavailable(Option<RetryAfter>),
    /// The call is not done: 200 with a page of HTML.
    Html,
    /// The call is not done: 200 with an error as the body.
    Error200,
    /// The call is not done: 404 with the message of a router that does not know the path.
    NoRoute,
    /// A close is answered with success and not done.
    Ignore,
    /// Lists show the change of a create or a close after this time.
    Late(Duration),
    /// A create opens a second request that the answer does not mention.
    Twice,
    /// The service's clock is this many seconds ahead (behind if negative): in the header `Date`, and in the times that the
    /// call writes.
    Skew(i64),
    /// The times that the call writes are this many seconds ahead; the header `Date` is right, as behind a proxy that writes
    /// its own.
    SkewTimes(i64),
    /// The first entities of an answer to a create or a list, or all of them, have another shape.
    Shape(Shape, Option<usize>),
    /// A list is wrong.
    List(ListFault),
}

/// How an entity differs from the documents' samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It has only its id.
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
    /// Its title ends with half a surrogate pair: `\ud83d`.
    TornText,
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// A page holds at most this many entries, without a link to the next page.
    Cap(usize),
    /// A page holds at most this many entries, with a link to the next page. `$skip` is ignored.
    NextLink(usize),
    /// The filter is ignored.
    Unfiltered,
    /// A `$top` above this number is refused.
    RefuseTop(usize),
    /// The list shows the state of this time ago.
    Stale(Duration),
    /// This many entries are missing, different ones in each list.
    Vanish(usize),
    /// The order of the entries differs in each list.
    Shuffle,
    /// A page begins with this many entries of the page before.
    Overlap(usize),
}

/// The header `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u32),
    /// The date that is this many seconds ahead.
    Date(u32),
}

/// A misdeed, the calls to which it applies, and how often. By default it applies to every call of the endpoint.
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
    /// Makes a rule that applies to every call of the endpoint.
    #[must_use]
    pub const fn new(on: Endpoint, misdeed: Misdeed) -> Self {
        Self { on, misdeed, device: None, ticket: None, skip: 0, every: 1, times: None, chance: None }
    }

    /// Limits the rule to calls for this device, in any letter case: a list by its filter `deviceName eq`, a close by its
    /// request.
    #[must_use]
    pub fn device(self, name: impl Into<String>) -> Self {
        Self { device: Some(name.into()), ..self }
    }

    /// Limits the rule to creates with this ticket, and to closes of their requests.
    #[must_use]
    pub fn ticket(self, id: impl Into<String>) -> Self {
        Self { ticket: Some(id.into()), ..self }
    }

    /// Skips the first matching calls.
    #[must_use]
    pub fn skip(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// Applies to the first matching call after those skipped, and then to every `calls`-th one.
    #[must_use]
    pub fn every(self, calls: u64) -> Self {
        Self { every: calls.max(1), ..self }
    }

    /// Limits how often the rule applies.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Applies with this probability, from 0 to 1. The same seed selects the same calls.
    #[must_use]
    pub fn probability(self, probability: f64, seed: u64) -> Self {
        Self { chance: Some((probability, seed)), ..self }
    }
}

/// The counts of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many matching calls the rule saw.
    pub seen: u64,
    /// How often it applied.
    pub applied: u64,
}
