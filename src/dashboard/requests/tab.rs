//! Which rows belong to each tab of the list, and how old a request may become.

use jiff::{SignedDuration, Timestamp};

use super::row::{Row, RowState};
use crate::keys::Tab;

/// Returns whether the row belongs to the tab.
pub(super) fn holds(tab: Tab, row: &Row<'_>, ages: Ages, now: Timestamp) -> bool {
    match tab {
        Tab::Mine => row.mine && !row.state.is_past(),
        Tab::Tenant => row.request.is_some() && row.state.counts_as_open(),
        Tab::Attention => needs_attention(row, ages, now),
        Tab::Closed => row.state.is_past(),
    }
}

/// Returns whether the agent has to do something about the row. A close of somebody else's request is the agent's own write.
fn needs_attention(row: &Row<'_>, ages: Ages, now: Timestamp) -> bool {
    match row.state {
        RowState::Looking(_) | RowState::Unknown | RowState::Refused | RowState::CloseUnknown | RowState::Accepted => {
            true
        }
        RowState::Open | RowState::Closing(_) => row.mine && ages.of(row, now) != Age::Fresh,
        RowState::Sending(_) | RowState::Checking(_) | RowState::SetAside | RowState::Draft | RowState::Closed(_) => {
            false
        }
    }
}

/// From which ages on an open request is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// From this age on it is old.
    pub warn: SignedDuration,
    /// From this age on it is too old.
    pub alarm: SignedDuration,
}

impl Default for Ages {
    fn default() -> Self {
        Self { warn: SignedDuration::from_hours(2), alarm: SignedDuration::from_hours(8) }
    }
}

/// How old an open request is, in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// Younger than the first limit, or of unknown age.
    Fresh,
    /// Older than the first limit.
    Old,
    /// Older than the second limit.
    TooOld,
}

impl Age {
    /// The mark behind the age.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Fresh => "",
            Self::Old => "!",
            Self::TooOld => "!!",
        }
    }
}

impl Ages {
    /// How old the request of the row is.
    #[must_use]
    pub fn of(self, row: &Row<'_>, now: Timestamp) -> Age {
        let is_open = row.request.is_some() && row.state.counts_as_open();
        let age = row.since.filter(|_| is_open).map(|since| now.duration_since(since));
        match age {
            Some(age) if age >= self.alarm => Age::TooOld,
            Some(age) if age >= self.warn => Age::Old,
            Some(_) | None => Age::Fresh,
        }
    }
}
