//! What the record brings back from before this start, and what the service says of it.

use jiff::Timestamp;

use super::{
    Closure, Effect, Form, Model, Notice, Overlay, RecordState, Row, RowId, RowState, SentClose, Subject, Tone,
    close_reply,
};
use crate::keys::Motion;
use mmd_elevate_core::{
    Call, CloseElevationRequest, Draft, DraftTarget, ElevationRequest, Field, Gaps, Operation, Recovered, RequestId,
    SavedDraft, Untrusted, WriteRecord, are_alike,
};

/// What was brought back: the rows it stands in, for the pane that tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Writes that nobody had settled.
    pub unresolved: Vec<RowId>,
    /// Requests that were open.
    pub open: Vec<RowId>,
    /// Drafts that stand in rows.
    pub drafts: Vec<RowId>,
    /// Whether the form's draft was brought back into the form.
    pub form: bool,
    /// Close dialogs' texts.
    pub closes: usize,
    /// Other dashboards that use the same record.
    pub others: usize,
    /// Whether the agent has not been told yet.
    pub(super) untold: bool,
}

impl Recovery {
    /// Whether nothing was brought back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unresolved.is_empty() && self.open.is_empty() && self.drafts.is_empty() && !self.form && self.closes == 0
    }
}

/// Takes in what the record holds. What was typed since the start is never replaced: a draft for which the form has no
/// room stands in a row.
pub(super) fn recovered(model: &mut Model, recovered: Recovered) -> Vec<Effect> {
    let Recovered { unresolved, open, accepted, drafts, unusable, others, warnings } = recovered;
    model.record = match model.record {
        _ if unusable => RecordState::NotRead,
        // It was written anew while the program ran. That it keeps what is typed is told when it does.
        RecordState::Failing => RecordState::Failing,
        RecordState::Opening | RecordState::NotRead | RecordState::Keeping => RecordState::Keeping,
    };
    model.recovery = Recovery { others, ..Recovery::default() };
    let nothing_selected = model.requests.selected().is_none();
    for request in open {
        let id = model.requests.next_id();
        model.recovery.open.push(id);
        model.requests.add_quietly(Row::of_request(id, request, model.now));
    }
    for intent in &accepted {
        take_accepted(model, intent);
    }
    for draft in drafts {
        // A draft that was sent before it could be ended stands in the row of what was sent, and is not offered again.
        if !unresolved.iter().any(|intent| was_sent(&draft, intent)) {
            take_draft(model, draft);
        }
    }
    let mut effects: Vec<_> = unresolved.iter().map(|intent| resolve(model, intent)).collect();
    effects.extend(refresh(model));
    if nothing_selected {
        model.requests.step(Motion::First);
    }
    for problem in warnings {
        model.notice = Some(Notice::of_problem(Tone::Doubt, problem));
    }
    if others > 0 && model.notice.is_none() {
        let text = "Another dashboard uses this record; each has its own drafts".to_owned();
        model.notice = Some(Notice::info(text));
    }
    model.recovery.untold = !model.recovery.is_empty();
    // At once, as they are: what is typed into them before they are saved again would leave the old ones behind.
    effects.extend(super::drafts::save(model, true));
    effects
}

/// The service took this close, and no list had shown it: its row says so, and has its text again.
fn take_accepted(model: &mut Model, intent: &WriteRecord) {
    let Operation::Close(CloseElevationRequest { id, actions_taken, .. }) = &intent.operation else { return };
    let Some(row) = model.requests.of_request(id).map(|row| row.id) else { return };
    let (text, at) = (actions_taken.clone(), intent.at);
    model.requests.change(row, |row| {
        row.sent_close = Some(SentClose { text, at, accepted: Some(at), listed_open: None });
        row.state = row.at_rest();
    });
    if let Some(field) = model.requests.actions_taken(row) {
        field.replace(actions_taken);
    }
}

fn was_sent(saved: &SavedDraft, intent: &WriteRecord) -> bool {
    let Operation::Create(request) = &intent.operation else { return false };
    !matches!(saved.target, DraftTarget::Close(_)) && saved.at <= intent.at && saved.draft == *request.draft()
}

fn take_draft(model: &mut Model, saved: SavedDraft) {
    let SavedDraft { target, draft, .. } = saved;
    match target {
        DraftTarget::Form if model.form.is_empty() && model.form.sending().is_none() => {
            let focused = model.form.focused;
            model.form.followed_by(Form::with(&draft));
            model.form.focus(focused);
            model.recovery.form = true;
        }
        DraftTarget::Form | DraftTarget::Refused(_) => {
            let id = model.requests.next_id();
            model.recovery.drafts.push(id);
            model.requests.add_quietly(Row::of_draft(id, draft, RowState::Draft, model.now));
        }
        DraftTarget::Close(id) => {
            let row = row_of(model, &id, &draft);
            add_text(model, row, draft.get(Field::PlanOfAction));
            model.recovery.closes += 1;
        }
    }
}

/// Puts a text into a close dialog, beside what is there already unless one of them holds the other: a draft may be
/// older than what was sent, or than another draft of it.
fn add_text(model: &mut Model, row: RowId, text: &str) {
    let Some(field) = model.requests.actions_taken(row) else { return };
    let there = field.text();
    if text.contains(&there) {
        field.replace(text);
    } else if !there.contains(text) {
        field.replace(&format!("{there}\n{text}"));
    }
}

/// The row of this request; one of its own where the record no longer lists it as open, so that nothing is dropped. The
/// draft says what it is called, as far as that is known.
fn row_of(model: &mut Model, id: &RequestId, called: &Draft) -> RowId {
    if let Some(row) = model.requests.of_request(id) {
        return row.id;
    }
    let row = model.requests.next_id();
    let title = if called.get(Field::Title).is_empty() { id.raw() } else { called.get(Field::Title) };
    let nameless = ElevationRequest {
        id: id.clone(),
        ticket: Untrusted::new(called.get(Field::Ticket)),
        device: Untrusted::new(called.get(Field::Device)),
        title: Untrusted::new(title),
        category: Untrusted::default(),
        subcategory: Untrusted::default(),
        plan_of_action: Untrusted::default(),
        actions_taken: Untrusted::default(),
        requested_by: Untrusted::default(),
        closed_by: Untrusted::default(),
        created: None,
        closed: None,
        viewers: Vec::new(),
    };
    model.requests.add_quietly(Row::of_request(row, nameless, model.now));
    row
}

/// Has an unresolved intent looked up, in a row that says so.
fn resolve(model: &mut Model, intent: &WriteRecord) -> Effect {
    let row = match &intent.operation {
        Operation::Create(request) => {
            let row = model.requests.next_id();
            let mut of_draft = Row::of_draft(row, request.draft().clone(), RowState::Unknown, model.now);
            (of_draft.intent, of_draft.since) = (Some(intent.id), Some(intent.at));
            model.requests.add_quietly(of_draft);
            row
        }
        Operation::Close(CloseElevationRequest { id, device, actions_taken }) => {
            let mut called = Draft::default();
            called.set(Field::Device, device.raw());
            let row = row_of(model, id, &called);
            add_text(model, row, actions_taken);
            let (text, at) = (actions_taken.clone(), intent.at);
            model.requests.change(row, |row| match &mut row.sent_close {
                Some(sent) => sent.text = text,
                None => row.sent_close = Some(SentClose { text, at, accepted: None, listed_open: None }),
            });
            row
        }
    };
    model.recovery.unresolved.push(row);
    let name = model.requests.get(row).map_or_else(String::new, Row::name);
    let call = model.begin_look(row, format!("looking for {name}"));
    let state = match &intent.operation {
        Operation::Create(_) => RowState::Looking(call),
        Operation::Close(CloseElevationRequest { actions_taken, .. }) => {
            model.closes_with(call, actions_taken);
            RowState::Closing(call)
        }
    };
    model.requests.change(row, |row| row.state = state);
    Effect::Call(call, Call::Look(intent.id))
}

/// Asks the service for all that is open.
pub(super) fn refresh(model: &mut Model) -> Option<Effect> {
    let open: Vec<_> = model
        .requests
        .all()
        .filter(|row| row.state.is_open())
        .filter_map(|row| row.request.as_ref().map(|request| (request.id.clone(), row.device())))
        // One whose device nobody knows is listed by no name.
        .filter(|(_, device)| !device.is_blank())
        .collect();
    if open.is_empty() {
        return None;
    }
    let asked = open.iter().map(|(id, _)| id.clone()).collect();
    let call = model.begin_call(Subject::Requests(asked), "asking for the open requests".to_owned());
    Some(Effect::Call(call, Call::Check(open)))
}

/// Checks a request that was just opened where the same was set aside before: the device may have two of it.
pub(super) fn check_for_twins(model: &mut Model, id: RowId) -> Option<Effect> {
    let row = model.requests.get(id).filter(|row| row.state == RowState::Open)?;
    let request = row.request.as_ref()?;
    let asked = (request.id.clone(), request.device.clone());
    let sent = row.draft.validate().ok()?;
    let is_twin = |other: &Row| other.draft.validate().is_ok_and(|other| are_alike(&sent, &other));
    model.requests.all().find(|row| row.state == RowState::SetAside && is_twin(row))?;
    let call = model.begin_call(Subject::Requests(vec![asked.0.clone()]), format!("checking {}", row.name()));
    Some(Effect::Call(call, Call::Check(vec![asked])))
}

/// The service has told what it holds. What is closed there was closed elsewhere, or by a close that is seen only now. Of
/// what is neither listed nor missing nothing was learnt. Returns whether a notice tells what was learnt.
pub(super) fn checked(
    model: &mut Model,
    asked: &[RequestId],
    listed: &[ElevationRequest],
    missing: &[RequestId],
    at: Timestamp,
) -> bool {
    let (mut ended, mut still_open) = (Vec::new(), Vec::new());
    for id in asked {
        let Some(row) = model.requests.of_request(id).filter(|row| row.state.is_open()) else { continue };
        let (row, is_accepted) = (row.id, row.state == RowState::Accepted);
        match listed.iter().find(|request| request.id == *id) {
            Some(request) if request.closed.is_some() => {
                ended.push((row, close_reply::seen_closed(model, row, request, at)));
            }
            Some(request) => {
                model.requests.change(row, |row| {
                    row.take_request(request.clone());
                    (row.as_of, row.unlisted) = (at, None);
                    if let Some(sent) = row.sent_close.as_mut().filter(|_| is_accepted) {
                        sent.listed_open = Some(at);
                    }
                });
                still_open.extend(is_accepted.then_some(row));
            }
            None if missing.contains(id) => model.requests.change(row, |row| row.unlisted = Some(at)),
            None => {}
        }
    }
    let more = |count: usize| if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    // What wants the agent comes first.
    if let Some(first) = still_open.first().and_then(|row| model.requests.get(*row)) {
        let text = format!("Close accepted, but still listed as open at {}: {}", model.clock_time(at), first.name());
        let hint = "wait and look again, or close it once more: that is harmless".to_owned();
        let text = format!("{text}{}", more(still_open.len()));
        model.notice = Some(Notice { tone: Tone::Doubt, text, hint: Some(hint) });
    } else if let Some((row, closure)) =
        ended.iter().find(|(_, closure)| *closure != Closure::Verified).or_else(|| ended.first())
    {
        let mut notice = close_reply::closure_notice(model, *row, *closure);
        notice.text.push_str(&more(ended.len()));
        model.notice = Some(notice);
    }
    !still_open.is_empty() || !ended.is_empty()
}

/// What was not seen of the lists is told: the rows stay as they were. `learnt_anything` is whether the notice tells what was.
pub(super) fn tell_gaps(model: &mut Model, gaps: &Gaps, learnt_anything: bool) {
    if gaps.is_empty() {
        return;
    }
    let what = format!("Not all open requests could be checked: {}", gaps.words());
    let hint = gaps.hint().map_or(String::new(), |hint| format!("; {hint}"));
    let notice = Notice { tone: Tone::Doubt, ..Notice::info(what) };
    model.notice = Some(match model.notice.take() {
        // What was learnt all the same is not less worth telling.
        Some(learnt) if learnt_anything => {
            Notice { tone: Tone::Doubt, text: format!("{}. {}", learnt.text, notice.text), hint: learnt.hint }
        }
        _ => notice.hint(format!("the others are shown as they were seen last{hint}")),
    });
}

/// Requests that equal one of ours, and that no write owns, each in a row of its own: lists of two devices may both hold
/// one, where the service does not filter.
pub(super) fn show_surplus(model: &mut Model, surplus: Vec<ElevationRequest>) {
    let (mut doubles, mut name) = (0, String::new());
    for request in surplus {
        if model.requests.of_request(&request.id).is_some() {
            continue;
        }
        doubles += 1;
        let row = Row::of_request(model.requests.next_id(), request, model.now);
        name = row.name();
        model.requests.add_quietly(Row { surplus: true, unclaimed: true, ..row });
    }
    if doubles > 0 {
        let text = format!("Opened for {name}, and {doubles} more of the same stand at the service");
        model.notice = Some(
            Notice { tone: Tone::Doubt, ..Notice::info(text) }
                .hint("the surplus is in the list: close what is not needed"),
        );
    }
}

/// The pane comes first where there is something to recover, but never between two keys of something being typed.
pub(super) fn tell(model: &mut Model) {
    if model.recovery.untold && model.overlays.is_empty() && !model.takes_text() {
        model.recovery.untold = false;
        model.overlays.push(Overlay::Recovery { scroll: 0 });
    }
}
