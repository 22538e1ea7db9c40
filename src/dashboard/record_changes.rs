//! What other dashboards and commands do with the same record: it is looked at as often as the lists are refreshed. It never
//! takes over what another process types, or what it sends as long as the outcome is not known.

use std::time::Duration;

use super::{Closure, Effect, Model, Notice, RowId, RowState, SentClose, close_result};
use crate::keys::{Action, Motion, Scope, Tab};
use mmd_elevate_core::{CloseElevationRequest, EndedRequest, Operation, RecordChanges, WriteRecord};

/// How much later the list of the tenant may be due, so that the record is looked at with it: one wake for both.
const TOGETHER: Duration = Duration::from_secs(2);

/// Returns how long until the record is to be looked at by itself.
pub(super) fn due_in(model: &Model) -> Option<Duration> {
    let refresh = model.preferences.refresh.filter(|_| model.record.is_read())?;
    let due = model.record_looked_at + refresh;
    let listing = model.listings.due_in(model).map(|left| model.elapsed + left);
    let due = listing.filter(|listing| (due..due + TOGETHER).contains(listing)).unwrap_or(due);
    Some(due.saturating_sub(model.elapsed))
}

/// Looks at the record where that is due, or with the list of the tenant.
pub(super) fn tick(model: &mut Model, is_listing: bool) -> Option<Effect> {
    let due = due_in(model)?;
    (is_listing || due.is_zero()).then(|| look(model))
}

/// Looks at the record now.
pub(super) fn look(model: &mut Model) -> Effect {
    model.record_looked_at = model.elapsed;
    Effect::ReadChanges
}

/// Applies what others have changed. What this run knows of its own calls stays.
pub(super) fn apply(model: &mut Model, changes: RecordChanges) {
    let RecordChanges { open, accepted, closed } = changes;
    let nothing_selected = model.requests.selected().is_none();
    let (mut opened, mut ended) = (Vec::new(), Vec::new());
    for request in open {
        let is_known = model.requests.store().find(&request.id).is_some_and(|known| known.mine);
        let row = model.requests.take_as_mine(request, model.now);
        opened.extend((!is_known).then_some(row));
    }
    for write in &accepted {
        apply_accepted(model, write);
    }
    // The newest comes first: rows that came later are newer where times are equal.
    for request in closed.into_iter().rev() {
        ended.extend(apply_ended(model, request));
    }
    if nothing_selected {
        model.requests.move_selection(Motion::First);
    }
    let news = notice(model, &opened, &ended);
    // What needs the agent stays.
    if news.is_some() && model.notice.as_ref().is_none_or(|notice| notice.tone.is_passing()) {
        model.notice = news;
    }
}

/// Another process closed this request, and the service took it. Its text is the other's.
fn apply_accepted(model: &mut Model, write: &WriteRecord) {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &write.operation else { return };
    let Some(row) = model.requests.find(id).filter(|row| row.mine && row.state == RowState::Open) else { return };
    let (row, text, at) = (row.id, actions_taken.clone(), write.at);
    model.requests.change_close(row, |_, close| {
        close.sent = Some(SentClose { text, at, accepted: Some(at), listed_open: None });
    });
}

/// A request is known to be closed. Returns its row where it was shown as open.
fn apply_ended(model: &mut Model, ended: EndedRequest) -> Option<RowId> {
    let EndedRequest { request, at, on_word } = ended;
    let told = if on_word { Closure::OnWord } else { Closure::Recorded };
    let Some(row) = model.requests.find(&request.id).map(|row| (row.id, row.state)) else {
        model.requests.insert_ended(request, told, at);
        return None;
    };
    let (row, state) = row;
    model.requests.change_request(row, |request| request.mine = true);
    match state {
        RowState::Open | RowState::Accepted if request.closed.is_some() => {
            close_result::apply_listed_closed(model, row, &request, at);
        }
        RowState::Open | RowState::Accepted => {
            model.requests.change_close(row, |known, close| {
                (known.closure, known.as_of) = (Some(told), at);
                (close.error, close.sent) = (None, None);
            });
            model.unsent.push_back(row);
        }
        // A close of this run is under way or unknown: what is seen of that says more.
        RowState::Closing(_)
        | RowState::CloseUnknown
        | RowState::Closed(_)
        | RowState::Checking(_)
        | RowState::Sending(_)
        | RowState::Refused
        | RowState::Looking(_)
        | RowState::Unknown
        | RowState::SetAside
        | RowState::Draft => return None,
    }
    Some(row)
}

/// Says what others did, as far as it is news.
fn notice(model: &Model, opened: &[RowId], ended: &[RowId]) -> Option<Notice> {
    let tell = |what: &str, rows: &[RowId]| {
        let first = model.requests.name(*rows.first()?);
        let more = if rows.len() > 1 { format!(" and {} more", rows.len() - 1) } else { String::new() };
        Some(format!("{what} in another dashboard: {first}{more}"))
    };
    let texts: Vec<_> = [tell("Opened", opened), tell("Closed", ended)].into_iter().flatten().collect();
    let tab = if ended.is_empty() { Tab::Mine } else { Tab::Closed };
    let key = model.keymap.name(Scope::Panes, Action::ShowTab(tab));
    (!texts.is_empty()).then(|| Notice::info(texts.join(". ")).hint(format!("{key} shows it")))
}
