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

use super::CallErrorKind;

/// Where a write stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteState {
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
pub enum Transition {
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

impl Transition {
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

impl WriteState {
    /// All stages.
    pub const ALL: [Self; 7] =
        [Self::Intended, Self::Sending, Self::Waiting, Self::Unknown, Self::Done, Self::NotDone, Self::SetAside];

    /// Where the step leads, or nothing where it cannot be taken from here.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "a line for each kind of stage is read beside the drawing")]
    pub const fn after(self, step: Transition) -> Option<Self> {
        match (self, step) {
            (Self::Intended | Self::Waiting, Transition::Send) => Some(Self::Sending),
            (Self::Sending, Transition::Succeed) | (Self::Unknown | Self::Waiting, Transition::Find) => {
                Some(Self::Done)
            }
            (Self::Sending, Transition::Refuse) => Some(Self::NotDone),
            (Self::Sending, Transition::Defer) | (Self::Unknown, Transition::Disprove) => Some(Self::Waiting),
            (Self::Intended | Self::Waiting, Transition::GiveUp | Transition::Abandon) => Some(Self::NotDone),
            (Self::Sending, Transition::Lose | Transition::Abandon) | (Self::Waiting, Transition::Lose) => {
                Some(Self::Unknown)
            }
            (Self::Intended | Self::Sending | Self::Waiting, Transition::Die) => Some(Self::Unknown),
            (Self::Unknown, Transition::NotFind | Transition::Die) => Some(Self::Unknown),
            (Self::Unknown, Transition::SetAside) => Some(Self::SetAside),
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
pub enum Disposition {
    /// Not done, told as itself.
    NotDone,
    /// Not done, and the same intent may be sent again by itself: no connection was made, or the service asked to wait.
    Repeat,
    /// Nobody knows: look.
    Unknown,
}

impl CallErrorKind {
    /// What this means for a write: the second half of the table in `api/answer.rs`, which says what each answer is. That
    /// a throttled call was not processed is an assumption. What a refused close says of its request is for
    /// `worker/close.rs`: a refusal alone never ends a request.
    #[must_use]
    pub const fn disposition(&self) -> Disposition {
        match self {
            Self::NotReached { .. } | Self::Throttled { .. } => Disposition::Repeat,
            kind if kind.may_have_happened() => Disposition::Unknown,
            _ => Disposition::NotDone,
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
        for (kind, disposition) in [
            (CallErrorKind::NotReached { reason: reason() }, Disposition::Repeat),
            (CallErrorKind::Throttled { retry_after: Some(Duration::MAX) }, Disposition::Repeat),
            (CallErrorKind::Redirected { status: 303 }, Disposition::Unknown),
            (CallErrorKind::ServerFailed { status: 408 }, Disposition::Unknown),
            (CallErrorKind::ServerFailed { status: 503 }, Disposition::Unknown),
            (CallErrorKind::BrokenAnswer { reason: reason() }, Disposition::Unknown),
            (CallErrorKind::TimedOut, Disposition::Unknown),
            (CallErrorKind::Cut, Disposition::Unknown),
            (CallErrorKind::Abandoned { sent: true }, Disposition::Unknown),
            (CallErrorKind::Redirected { status: 302 }, Disposition::NotDone),
            (CallErrorKind::Redirected { status: 307 }, Disposition::NotDone),
            (CallErrorKind::NotAccepted { status: 404 }, Disposition::NotDone),
            (CallErrorKind::NotAccepted { status: 409 }, Disposition::NotDone),
            (CallErrorKind::NotSignedIn, Disposition::NotDone),
            (CallErrorKind::NotAllowed, Disposition::NotDone),
            (CallErrorKind::Declined, Disposition::NotDone),
            (CallErrorKind::TooManyOpen, Disposition::NotDone),
            (CallErrorKind::NoSuchDevice, Disposition::NotDone),
            (CallErrorKind::NoSuchRequest, Disposition::NotDone),
            (CallErrorKind::AlreadyClosed, Disposition::NotDone),
            (CallErrorKind::Abandoned { sent: false }, Disposition::NotDone),
        ] {
            assert_eq!(kind.disposition(), disposition, "{kind:?}");
        }
    }

    #[test]
    fn what_is_settled_stays_as_it_is() {
        for stage in WriteState::ALL {
            for step in Transition::ALL {
                let next = stage.after(step);
                assert!(!stage.is_settled() || next.is_none(), "{stage:?} {step:?}");
                // Once bytes may have left, only the service's word makes it done or not done.
                if stage == WriteState::Unknown && step != Transition::Find {
                    assert!(!matches!(next, Some(WriteState::Done | WriteState::NotDone)), "{step:?}");
                }
            }
        }
    }

    #[test]
    fn every_edge_of_the_drawing() {
        for (from, step, to) in [
            (WriteState::Intended, Transition::Send, WriteState::Sending),
            (WriteState::Intended, Transition::Die, WriteState::Unknown),
            (WriteState::Intended, Transition::Abandon, WriteState::NotDone),
            (WriteState::Sending, Transition::Succeed, WriteState::Done),
            (WriteState::Sending, Transition::Refuse, WriteState::NotDone),
            (WriteState::Sending, Transition::Defer, WriteState::Waiting),
            (WriteState::Sending, Transition::Lose, WriteState::Unknown),
            (WriteState::Sending, Transition::Abandon, WriteState::Unknown),
            (WriteState::Sending, Transition::Die, WriteState::Unknown),
            (WriteState::Waiting, Transition::Send, WriteState::Sending),
            (WriteState::Waiting, Transition::GiveUp, WriteState::NotDone),
            (WriteState::Waiting, Transition::Abandon, WriteState::NotDone),
            (WriteState::Waiting, Transition::Die, WriteState::Unknown),
            (WriteState::Waiting, Transition::Find, WriteState::Done),
            (WriteState::Waiting, Transition::Lose, WriteState::Unknown),
            (WriteState::Unknown, Transition::Find, WriteState::Done),
            (WriteState::Unknown, Transition::NotFind, WriteState::Unknown),
            (WriteState::Unknown, Transition::Die, WriteState::Unknown),
            (WriteState::Unknown, Transition::Disprove, WriteState::Waiting),
            (WriteState::Unknown, Transition::SetAside, WriteState::SetAside),
        ] {
            assert_eq!(from.after(step), Some(to), "{from:?} {step:?}");
        }
    }
}
