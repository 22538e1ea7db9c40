//! Asking the service for the agent's own open requests, and what its answer says of them.

use jiff::Timestamp;

use super::{Closure, Effect, Model, Notice, RowId, RowState, Subject, Tone, close_result};
use mmd_elevate_core::{Call, Draft, ElevationRequest, Gaps, RequestId, Untrusted, are_equivalent};

/// Asks for all of the agent's own requests that are open.
pub(super) fn refresh(model: &mut Model) -> Option<Effect> {
    // Of others' requests those whose close is not seen yet.
    let others = model.requests.closes().filter(|row| !row.mine && row.sent_close.is_some());
    let open: Vec<_> = model
        .requests
        .mine()
        .chain(others)
        .filter(|row| row.state.is_open())
        .filter_map(|row| Some((row.request_id()?.clone(), row.device())))
        // One whose device is unknown is listed by no name.
        .filter(|(_, device)| !device.is_blank())
        .collect();
    let is_asking = model.calls.values().any(|call| matches!(call.subject, Subject::Requests(_)));
    if is_asking { None } else { check(model, open) }
}

/// Takes in requests of a list that was begun at this time. What was sent from here to close one is told apart from what
/// others did.
pub(super) fn take_listed(model: &mut Model, mut listed: Vec<ElevationRequest>, began: Timestamp) {
    let mut seen_closed = Vec::new();
    listed.retain(|request| {
        let row = model
            .requests
            .find(&request.id)
            .filter(|row| !row.mine && row.state.is_open() && row.sent_close.is_some() && request.closed.is_some());
        seen_closed.extend(row.map(|row| (row.id, request.clone())));
        seen_closed.last().is_none_or(|(_, last)| last.id != request.id)
    });
    for (row, request) in seen_closed {
        let closure = close_result::apply_listed_closed(model, row, &request, began);
        model.notice = Some(close_result::closure_notice(model, row, closure));
    }
    model.requests.insert_listed(listed, began);
}

/// Asks for these requests by their devices.
pub(super) fn check(model: &mut Model, open: Vec<(RequestId, Untrusted)>) -> Option<Effect> {
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
    let request = row.request?;
    let (id, device, name) = (request.id.clone(), request.device.clone(), row.name());
    let validated = |draft: Option<&Draft>| draft.and_then(|draft| draft.validate().ok());
    let sent = validated(row.draft)?;
    let set_aside = model.requests.creates().filter(|other| other.state == RowState::SetAside);
    set_aside.filter_map(|other| validated(other.draft)).find(|other| are_equivalent(&sent, other))?;
    let call = model.begin_call(Subject::Requests(vec![id.clone()]), format!("checking {name}"));
    Some(Effect::Call(call, Call::Check(vec![(id, device)])))
}

/// Applies what the service lists of the requests it was asked for. What is closed there was closed elsewhere, or by a close
/// that is seen only now. Nothing is learnt of what is neither listed nor missing. Returns whether a notice says what was
/// learnt.
pub(super) fn apply(
    model: &mut Model,
    asked: &[RequestId],
    listed: &[ElevationRequest],
    missing: &[RequestId],
    at: Timestamp,
) -> bool {
    let (mut closed, mut still_open) = (Vec::new(), Vec::new());
    for id in asked {
        let Some(row) = model.requests.find(id).filter(|row| row.state.is_open()) else { continue };
        let (row, is_accepted) = (row.id, row.state == RowState::Accepted);
        match listed.iter().find(|request| request.id == *id) {
            Some(request) if request.closed.is_some() => {
                closed.push((row, close_result::apply_listed_closed(model, row, request, at)));
            }
            Some(listed) => {
                model.requests.change_close(row, |request, close| {
                    request.take(listed.clone());
                    (request.as_of, request.unlisted) = (at, None);
                    if let Some(sent) = close.sent.as_mut().filter(|_| is_accepted) {
                        sent.listed_open = Some(at);
                    }
                });
                still_open.extend(is_accepted.then_some(row));
            }
            None if missing.contains(id) => model.requests.change_request(row, |request| request.unlisted = Some(at)),
            None => {}
        }
    }
    let more = |count: usize| if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    // What needs the agent comes first.
    if let Some(first) = still_open.first() {
        let (time, name) = (model.clock_time(at), model.requests.name(*first));
        let text = format!("Close accepted, but still listed as open at {time}: {name}{}", more(still_open.len()));
        let hint = "wait and look again, or close it once more: that is harmless";
        model.notice = Some(Notice::doubt(text).hint(hint));
    } else if let Some((row, closure)) =
        closed.iter().find(|(_, closure)| *closure != Closure::Verified).or_else(|| closed.first())
    {
        let mut notice = close_result::closure_notice(model, *row, *closure);
        notice.text.push_str(&more(closed.len()));
        model.notice = Some(notice);
    }
    !still_open.is_empty() || !closed.is_empty()
}

/// Says what was not seen of the lists: those rows stay as they were. `has_news` is whether the notice says what was learnt.
pub(super) fn report_gaps(model: &mut Model, gaps: &Gaps, has_news: bool) {
    if gaps.is_empty() {
        return;
    }
    let notice = Notice::doubt(format!("Not all open requests could be checked: {}", gaps.describe()));
    let hint = gaps.hint().map_or(String::new(), |hint| format!("; {hint}"));
    model.notice = Some(match model.notice.take() {
        Some(news) if has_news => {
            Notice { tone: Tone::Doubt, text: format!("{}. {}", news.text, notice.text), hint: news.hint }
        }
        _ => notice.hint(format!("the others are shown as they were seen last{hint}")),
    });
}

/// Gives requests that equal one of ours, and that no write owns, a row each: lists of two devices may both hold one, where
/// the service does not filter.
pub(super) fn show_surplus(model: &mut Model, surplus: Vec<ElevationRequest>) {
    let (mut doubles, mut name) = (0, String::new());
    for request in surplus {
        if model.requests.store().find(&request.id).is_some_and(|known| known.mine) {
            continue;
        }
        doubles += 1;
        let row = model.requests.take_as_mine(request, model.now);
        model.requests.change_request(row, |request| (request.surplus, request.unclaimed) = (true, true));
        name = model.requests.name(row);
    }
    if doubles > 0 {
        let text = format!("Opened for {name}; the service holds {doubles} more of the same");
        model.notice = Some(Notice::doubt(text).hint("the surplus is in the list: close what is not needed"));
    }
}
