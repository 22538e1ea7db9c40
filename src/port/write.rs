//! The state machine of a write, in one place: what an answer means, and where a write can go from where it stands.
//!
//! ```text
//!                  ┌───────── repeat ─────────┐
//!                  ▼                          │
//!  Intended ──▶ Sending ──┬── not sent ──▶ Waiting ──▶ NotDone
//!     │            │      ├── done ─────▶ Done  ▲  (given up, abandoned)
//!     │            │      └── refused ──▶ NotDone
//!     │            │ lost, abandoned               found
//!     └── died ────┴──────────────────▶ Unknown ──────────▶ Done
//!                                       │    ▲ │
//!                                       │    └─┘ not seen, possible
//!                                       ├── set aside, sent again ──▶ SetAside
//!                                       └── disproved (a close) ────▶ Waiting
//!  Waiting ── listed before a repeat (a create): found ──▶ Done, not sure ──▶ Unknown
//! ```
//!
//! A create that the service asked to wait with is looked for before it goes out again: that it was not processed is an
//! assumption. Only where a list that was seen whole does not hold it is it repeated.
//!
//! Only a close is ever disproved: its request is read back and is open, or another closed it. Then it goes out again,
//! or is given up. That a create is not listed disproves nothing.

use super::FaultKind;

/// Where a write stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It is durable in the record; nothing has been sent.
    Intended,
    /// Its bytes may have left.
    Sending,
    /// Nothing of it was processed, and it will be sent again by itself.
    Waiting,
    /// Nobody knows whether the service did it.
    Unknown,
    /// The service did it.
    Done,
    /// The service did not do it.
    NotDone,
    /// Nobody knows, and the agent has decided not to ask any more.
    SetAside,
}

/// What happens to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The bytes go out.
    Send,
    /// The service did it.
    Succeed,
    /// The service did not do it, and says so.
    Refuse,
    /// Nothing of it was processed; it may be repeated by itself.
    Defer,
    /// It is not repeated any more.
    GiveUp,
    /// No usable answer came, or looking before a repeat did not rule it out.
    Lose,
    /// The agent abandons the call.
    Abandon,
    /// The process that owned it has died.
    Die,
    /// Looking found it.
    Find,
    /// Looking did not find it for sure.
    NotFind,
    /// Looking has shown that it was not done. A close alone can be read back like this.
    Disprove,
    /// The agent stops asking, or sends it again as another write.
    SetAside,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 12] = [
        Self::Send,
        Self::Succeed,
        Self::Refuse,
        Self::Defer,
        Self::GiveUp,
        Self::Lose,
        Self::Abandon,
        Self::Die,
        Self::Find,
        Self::NotFind,
        Self::Disprove,
        Self::SetAside,
    ];
}

impl Stage {
    /// All stages.
    pub const ALL: [Self; 7] =
        [Self::Intended, Self::Sending, Self::Waiting, Self::Unknown, Self::Done, Self::NotDone, Self::SetAside];

    /// Where the step leads, or nothing where it cannot be taken from here.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "a line for each kind of stage is read beside the drawing")]
    pub const fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Intended | Self::Waiting, Step::Send) => Some(Self::Sending),
            (Self::Sending, Step::Succeed) | (Self::Unknown | Self::Waiting, Step::Find) => Some(Self::Done),
            (Self::Sending, Step::Refuse) => Some(Self::NotDone),
            (Self::Sending, Step::Defer) | (Self::Unknown, Step::Disprove) => Some(Self::Waiting),
            (Self::Intended | Self::Waiting, Step::GiveUp | Step::Abandon) => Some(Self::NotDone),
            (Self::Sending, Step::Lose | Step::Abandon) | (Self::Waiting, Step::Lose) => Some(Self::Unknown),
            (Self::Intended | Self::Sending | Self::Waiting, Step::Die) => Some(Self::Unknown),
            (Self::Unknown, Step::NotFind | Step::Die) => Some(Self::Unknown),
            (Self::Unknown, Step::SetAside) => Some(Self::SetAside),
            _ => None,
        }
    }

    /// Whether it has come to its end.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::NotDone | Self::SetAside)
    }
}

/// What a failed call of a write means for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Not done, told as itself.
    NotDone,
    /// Not done, and the same intent may be sent again by itself: no connection was made, or the service asked to wait.
    Repeat,
    /// Nobody knows: look.
    Unknown,
}

impl FaultKind {
    /// What this means for a write: the second half of the table in `api/answer.rs`, which says what each answer is. That
    /// a throttled call was not processed is an assumption. What a refused close says of its request is for
    /// `worker/close.rs`: a refusal alone never ends a request.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        match self {
            Self::NotReached { .. } | Self::Throttled { .. } => Meaning::Repeat,
            kind if kind.may_have_happened() => Meaning::Unknown,
            _ => Meaning::NotDone,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn meaning_of_every_kind_of_answer() {
        let reason = String::new;
        for (kind, meaning) in [
            (FaultKind::NotReached { reason: reason() }, Meaning::Repeat),
            (FaultKind::Throttled { retry_after: Some(Duration::MAX) }, Meaning::Repeat),
            (FaultKind::Redirected { status: 303 }, Meaning::Unknown),
            (FaultKind::ServerFailed { status: 408 }, Meaning::Unknown),
            (FaultKind::ServerFailed { status: 503 }, Meaning::Unknown),
            (FaultKind::BrokenAnswer { reason: reason() }, Meaning::Unknown),
            (FaultKind::TimedOut, Meaning::Unknown),
            (FaultKind::Cut, Meaning::Unknown),
            (FaultKind::Abandoned { sent: true }, Meaning::Unknown),
            (FaultKind::Redirected { status: 302 }, Meaning::NotDone),
            (FaultKind::Redirected { status: 307 }, Meaning::NotDone),
            (FaultKind::NotAccepted { status: 404 }, Meaning::NotDone),
            (FaultKind::NotAccepted { status: 409 }, Meaning::NotDone),
            (FaultKind::NotSignedIn, Meaning::NotDone),
            (FaultKind::NotAllowed, Meaning::NotDone),
            (FaultKind::Declined, Meaning::NotDone),
            (FaultKind::TooManyOpen, Meaning::NotDone),
            (FaultKind::NoSuchDevice, Meaning::NotDone),
            (FaultKind::NoSuchRequest, Meaning::NotDone),
            (FaultKind::AlreadyClosed, Meaning::NotDone),
            (FaultKind::Abandoned { sent: false }, Meaning::NotDone),
        ] {
            assert_eq!(kind.meaning(), meaning, "{kind:?}");
        }
    }

    #[test]
    fn what_is_settled_stays_as_it_is() {
        for stage in Stage::ALL {
            for step in Step::ALL {
                let next = stage.after(step);
                assert!(!stage.is_settled() || next.is_none(), "{stage:?} {step:?}");
                // Once bytes may have left, only the service's word makes it done or not done.
                if stage == Stage::Unknown && step != Step::Find {
                    assert!(!matches!(next, Some(Stage::Done | Stage::NotDone)), "{step:?}");
                }
            }
        }
    }

    #[test]
    fn every_edge_of_the_drawing() {
        for (from, step, to) in [
            (Stage::Intended, Step::Send, Stage::Sending),
            (Stage::Intended, Step::Die, Stage::Unknown),
            (Stage::Intended, Step::Abandon, Stage::NotDone),
            (Stage::Sending, Step::Succeed, Stage::Done),
            (Stage::Sending, Step::Refuse, Stage::NotDone),
            (Stage::Sending, Step::Defer, Stage::Waiting),
            (Stage::Sending, Step::Lose, Stage::Unknown),
            (Stage::Sending, Step::Abandon, Stage::Unknown),
            (Stage::Sending, Step::Die, Stage::Unknown),
            (Stage::Waiting, Step::Send, Stage::Sending),
            (Stage::Waiting, Step::GiveUp, Stage::NotDone),
            (Stage::Waiting, Step::Abandon, Stage::NotDone),
            (Stage::Waiting, Step::Die, Stage::Unknown),
            (Stage::Waiting, Step::Find, Stage::Done),
            (Stage::Waiting, Step::Lose, Stage::Unknown),
            (Stage::Unknown, Step::Find, Stage::Done),
            (Stage::Unknown, Step::NotFind, Stage::Unknown),
            (Stage::Unknown, Step::Die, Stage::Unknown),
            (Stage::Unknown, Step::Disprove, Stage::Waiting),
            (Stage::Unknown, Step::SetAside, Stage::SetAside),
        ] {
            assert_eq!(from.after(step), Some(to), "{from:?} {step:?}");
        }
    }
}
