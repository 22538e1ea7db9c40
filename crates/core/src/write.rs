//! The state machine of a write, in one place: where a write can go from where it stands.
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
    #[expect(clippy::match_same_arms, reason = "a line for each kind of state is read beside the drawing")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_stays_as_it_is() {
        for state in WriteState::ALL {
            for step in Transition::ALL {
                let next = state.after(step);
                assert!(!state.is_settled() || next.is_none(), "{state:?} {step:?}");
                // Once bytes may have left, only the service's word makes it done or not done.
                if state == WriteState::Unknown && step != Transition::Find {
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
