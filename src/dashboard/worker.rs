//! Applies what the worker reports: each event goes to the file about its subject, and a reply only if its call is awaited.

use super::{
    Effect, Model, Notice, PendingCall, RowState, ServiceState, Subject, Tone, close_result, create_result, devices,
    drafts, guard, history, listing, record_changes, recovery, refresh, sign_in, word,
};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{CallError, CallId, CallResult, ElevationRequest, Event, Progress, Reply, RequestId};

/// Applies an event.
pub(super) fn apply(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Recovered(recovered) => return recovery::apply(model, *recovered),
        Event::RecordChanged(changes) => record_changes::apply(model, *changes),
        Event::SignIn(sign_in) => sign_in::apply(model, sign_in),
        Event::Ready => {
            model.service = ServiceState::Ready;
            listing::begin(model);
        }
        Event::NotReady(error) => {
            model.notice = Some(Notice::from_error("The service cannot be called", &error));
            model.service = ServiceState::NotReady(error);
        }
        Event::Progress(call, Progress::Page(page)) => apply_page(model, call, page),
        Event::Progress(call, progress) => {
            let is_recorded = matches!(progress, Progress::Recorded(_));
            apply_progress(model, call, progress);
            if is_recorded {
                // The write holds the text now: left as a draft beside it, a start after a crash would offer it again.
                return drafts::save(model, true).into_iter().collect();
            }
        }
        Event::Reply(reply) => return apply_reply(model, reply),
        Event::Warning(problem) => model.notice = Some(Notice::from_problem(Tone::Doubt, problem)),
        Event::NotSaved(problem) => drafts::apply_failure(model, problem),
        Event::Saved => drafts::apply_success(model),
    }
    Vec::new()
}

/// The worker has ended: no further reply comes, and what became of the calls under way is unknown.
pub(super) fn apply_end(model: &mut Model) {
    let reason = "the background worker has ended".to_owned();
    model.service = ServiceState::NotReady(CallError::not_sent(&reason));
    let unanswered: Vec<_> = model.calls.keys().copied().collect();
    for call_id in unanswered {
        apply_reply(model, Reply { call_id, result: Err(CallError::crashed()) });
    }
    model.record = model.record.after_failure();
    model.notice =
        Some(Notice::from_error("The service cannot be called", &CallError::crashed()).hint("quit and start again"));
}

/// A call has come a step further; one that is not awaited any more has not.
fn apply_progress(model: &mut Model, call_id: CallId, progress: Progress) {
    let Some(call) = model.calls.get_mut(&call_id) else { return };
    call.progress = Some(progress.clone());
    let Subject::Row(id) = call.subject else { return };
    match progress {
        Progress::Recorded(write) => {
            if create_result::is_sending(model, id) {
                model.requests.change_create(id, |create| create.write = Some(write));
            }
        }
        Progress::Waiting { error, until, .. } => {
            let (at, key) = (model.clock_time(until), model.keymap.name(Scope::Panes, Action::Abandon));
            let hint = format!("it goes out again by itself at {at}; {key} on its row abandons it");
            // There is nothing to do about it.
            let notice = Notice::from_error(&model.requests.name(id), &error).hint(hint);
            model.notice = Some(Notice { tone: Tone::Doubt, ..notice });
        }
        Progress::Looking(error) => {
            if model.requests.get(id).is_some_and(|row| row.state == RowState::Sending(call_id)) {
                create_result::apply_looking(model, id, call_id, error);
            } else {
                // A close: why its outcome is unknown stays in sight until it is known, and beyond where it was not done.
                model.requests.set_error(id, error);
            }
        }
        Progress::LookingFirst | Progress::ReadingBack | Progress::Page(_) => {}
        Progress::NotRead(error) => model.requests.change_close(id, |_, close| close.unread = Some(error)),
        Progress::ClosedBy(listed) => model.requests.change_request(id, |request| request.take(*listed)),
    }
}

/// A page of a list has come.
fn apply_page(model: &mut Model, call_id: CallId, page: Vec<ElevationRequest>) {
    let Some(call) = model.calls.get(&call_id) else { return };
    match call.subject {
        Subject::Listing(tab) => listing::apply_page(model, tab, page),
        Subject::Device(_) => guard::apply_page(model, call_id, page),
        Subject::Row(_) | Subject::Requests(_) | Subject::Search | Subject::History(_) | Subject::Word(_) => {}
    }
}

/// Takes what a call of this kind returns out of its result, or says that it answers another kind.
fn expect<T>(
    result: Result<CallResult, CallError>,
    take: impl FnOnce(CallResult) -> Option<T>,
) -> Result<T, CallError> {
    result.and_then(|result| take(result).ok_or_else(PendingCall::wrong_answer))
}

/// Applies the reply to a call that only reads, or that the record alone answers.
fn apply_read(
    model: &mut Model,
    call_id: CallId,
    subject: &Subject,
    result: Result<CallResult, CallError>,
) -> Option<Vec<Effect>> {
    let listed = |result| match result {
        CallResult::Listed { gaps, at } => Some((gaps, at)),
        _ => None,
    };
    Some(match subject {
        Subject::Row(_) | Subject::Requests(_) => return None,
        Subject::Listing(tab) => listing::apply(model, *tab, expect(result, listed)),
        Subject::Device(_) => guard::apply(model, call_id, expect(result, listed)),
        Subject::Search => {
            let devices = |result| match result {
                CallResult::Devices(devices) => Some(devices),
                _ => None,
            };
            devices::apply(model, call_id, expect(result, devices));
            Vec::new()
        }
        Subject::History(row) => {
            let writes = |result| match result {
                CallResult::History(writes) => Some(writes),
                _ => None,
            };
            history::apply(model, *row, expect(result, writes));
            Vec::new()
        }
        Subject::Word(row) => {
            let taken = |result| (result == CallResult::TakenAsClosed).then_some(());
            word::apply(model, *row, expect(result, taken));
            Vec::new()
        }
    })
}

/// Applies a reply if its call is awaited by the state its row is in; any other is dropped.
fn apply_reply(model: &mut Model, reply: Reply) -> Vec<Effect> {
    let Reply { call_id, result } = reply;
    let is_of_record =
        matches!(result, Ok(CallResult::SetAside | CallResult::History(_) | CallResult::TakenAsClosed) | Err(_));
    model.was_accepted |= !is_of_record;
    let Some(call) = model.calls.remove(&call_id) else { return vec![Effect::LogUnawaited(call_id)] };
    let id = match &call.subject {
        Subject::Row(id) => *id,
        Subject::Requests(asked) => return apply_check(model, call_id, asked, result),
        subject => return apply_read(model, call_id, subject, result).unwrap_or_default(),
    };
    let state = model.requests.get(id).map(|row| row.state).filter(|state| state.call() == Some(call_id));
    match state {
        Some(RowState::Closing(_)) => {
            close_result::apply(model, id, &call, result);
            Vec::new()
        }
        Some(RowState::Sending(_)) => create_result::apply(model, id, true, result),
        Some(RowState::Looking(_)) => create_result::apply(model, id, false, result),
        // Only the states above have a call.
        Some(
            RowState::Checking(_)
            | RowState::Refused
            | RowState::Unknown
            | RowState::SetAside
            | RowState::Draft
            | RowState::Open
            | RowState::CloseUnknown
            | RowState::Accepted
            | RowState::Closed(_),
        )
        | None => vec![Effect::LogUnawaited(call_id)],
    }
}

fn apply_check(
    model: &mut Model,
    call_id: CallId,
    asked: &[RequestId],
    result: Result<CallResult, CallError>,
) -> Vec<Effect> {
    match result {
        Ok(CallResult::Checked { listed, missing, gaps, surplus, at }) => {
            let has_news = refresh::apply(model, asked, &listed, &missing, at);
            refresh::report_gaps(model, &gaps, has_news);
            refresh::show_surplus(model, surplus);
        }
        Ok(_) => return vec![Effect::LogUnawaited(call_id)],
        Err(error) => {
            let hint = format!("they are shown as they were seen last; {}", error.hint());
            model.notice = Some(Notice::from_error("The open requests could not be checked", &error).hint(hint));
        }
    }
    Vec::new()
}
