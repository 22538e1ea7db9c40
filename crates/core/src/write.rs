//! The state machine of a write: its states and the transitions between them.
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
//! A create that the service throttled is looked up before it is repeated, because it is an assumption that it was not
//! processed. It is repeated only if a complete list does not hold it.
//!
//! Only a close is ever disproved: its request is read back and is open, or another close has closed it. Then the close is
//! repeated or given up. A list without the request of a create disproves nothing.

/// The state of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteState {
    /// It is durable in the record; nothing has been sent.
    Intended,
    /// Its bytes may have been sent.
    Sending,
    /// The service processed nothing, and the write is repeated automatically.
    Waiting,
    /// It is unknown whether the service did it.
    Unknown,
    /// The service did it.
    Done,
    /// The service did not do it.
    NotDone,
    /// It is unknown whether the service did it, and the agent has stopped looking it up.
    SetAside,
}

/// An event that changes the state of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// The write is sent.
    Send,
    /// The service did it.
    Succeed,
    /// The service refused it, and did not do it.
    Refuse,
    /// The service processed nothing; the write may be repeated automatically.
    Defer,
    /// The write is not repeated any more.
    GiveUp,
    /// No usable answer came, or a look-up before a repeat was not conclusive.
    Lose,
    /// The agent abandoned the call.
    Abandon,
    /// The process that owned it has died.
    Die,
    /// A look-up found it.
    Find,
    /// A look-up was not conclusive.
    NotFind,
    /// Reading back has shown that a close was not done.
    Disprove,
    /// The agent stopped looking it up, or sent it again as another write.
    SetAside,
}

impl Transition {
    /// All transitions.
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
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Intended, Self::Sending, Self::Waiting, Self::Unknown, Self::Done, Self::NotDone, Self::SetAside];

    /// Returns the state after a transition, or `None` if the transition is not valid in this state.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "each line can be compared with the drawing")]
    pub const fn after(self, transition: Transition) -> Option<Self> {
        match (self, transition) {
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

    /// Returns whether the state is final.
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
