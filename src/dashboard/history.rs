//! What the record holds of a request's writes: when each was recorded, sent, unknown, confirmed, and in which words. It is
//! read when the agent rests on a row.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::{Effect, Model, Overlay, Pane, Row, RowId, RowState, Subject};
use mmd_elevate_core::{Call, CallError, WriteHistory};

/// How long the agent rests on a row before its history is read.
const REST: Duration = Duration::from_millis(300);

/// How many histories are kept.
const KEPT: usize = 64;

/// What of a row its history follows: its state, and when that was learnt.
type Version = (RowState, Timestamp);

/// What is known of a row's writes.
#[derive(Clone, Debug)]
struct History {
    writes: Result<Vec<WriteHistory>, CallError>,
    /// The state and time of the row when it was read: it is read anew once they have changed.
    of: Version,
}

/// The histories that were read.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    read: BTreeMap<RowId, History>,
    /// The row that is rested on, and when that began.
    rests: Option<(RowId, Duration)>,
    /// The row whose history is being read, and what it was then.
    asking: Option<(RowId, Version)>,
}

impl Histories {
    /// The writes of a row, or why they could not be read. `None`: nothing was read yet.
    #[must_use]
    pub fn get(&self, row: RowId) -> Option<Result<&[WriteHistory], &CallError>> {
        self.read.get(&row).map(|history| history.writes.as_deref())
    }
}

fn version(model: &Model, row: RowId) -> Option<Version> {
    let row = model.requests.get(row)?;
    // Only what was written from here is in the record.
    (row.mine || row.sent_close.is_some() || row.draft.is_some()).then_some((row.state, row.as_of))
}

/// The row whose details are seen.
fn seen_row(model: &Model) -> Option<RowId> {
    match model.overlays.last() {
        Some(Overlay::Look(row)) => Some(*row),
        Some(_) => None,
        None if model.pane == Pane::Form => None,
        None => model.requests.list().selected(),
    }
}

impl Model {
    /// How long until the history of the row that is rested on is read.
    pub(super) fn history_due_in(&self) -> Option<Duration> {
        let (row, since) = self.histories.rests?;
        // Before anything is recorded there is nothing to read.
        let is_recorded = |row: Row<'_>| row.request_id().is_some() || row.write.is_some();
        self.requests.get(row).filter(|row| is_recorded(*row))?;
        let is_read = self.histories.read.get(&row).is_some_and(|history| Some(history.of) == version(self, row));
        if is_read || self.histories.asking.is_some() || !self.record.is_read() || version(self, row).is_none() {
            return None;
        }
        Some((since + REST).saturating_sub(self.elapsed))
    }
}

/// Notes on which row the agent rests.
pub(super) fn note_rest(model: &mut Model) {
    let row = seen_row(model);
    if model.histories.rests.map(|(row, _)| row) != row {
        model.histories.rests = row.map(|row| (row, model.elapsed));
    }
}

/// Reads the history of the row that is rested on, where that is due.
pub(super) fn tick(model: &mut Model) -> Option<Effect> {
    if !model.history_due_in()?.is_zero() {
        return None;
    }
    let (id, _) = model.histories.rests?;
    let row = model.requests.get(id)?;
    let (request, write) = (row.request_id().cloned(), row.write);
    if request.is_none() && write.is_none() {
        return None;
    }
    let of = version(model, id)?;
    model.histories.asking = Some((id, of));
    let call = model.begin_call(Subject::History(id), "reading the record".to_owned());
    Some(Effect::Call(call, Call::History { request, write }))
}

/// The record was read, or could not be.
pub(super) fn apply(model: &mut Model, row: RowId, result: Result<Vec<WriteHistory>, CallError>) {
    let Some((_, of)) = model.histories.asking.take().filter(|(asked, _)| *asked == row) else { return };
    // What could not be read is told in its place, and not asked for again and again.
    model.histories.read.insert(row, History { writes: result, of });
    let read = &mut model.histories.read;
    if read.len() > KEPT
        && let Some(other) = read.keys().copied().find(|other| *other != row)
    {
        read.remove(&other);
    }
}
