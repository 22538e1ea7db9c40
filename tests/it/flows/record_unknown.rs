//! A create whose answer is lost: looked for, found or not, and what the agent can do about it.

use jiff::SignedDuration;
use mmd_elevate::dashboard::{Closure, Overlay, RowState};
use mmd_elevate_core::{
    Call, CallError, CallResult, ElevationRequest, ErrorCode, MatchResult, Problem, Progress, Recovered, Untrusted,
    WriteId,
};
use rstest::rstest;

use crate::support::{
    dashboard::{Dashboard, closed, created, fault, opened, start},
    record::{held, lost_create, saved_close},
};

const REQUEST: &str = "INC-10442 MMD-03690457680 Excel add-in crashes";

fn lost() -> CallError {
    fault(CallError::timed_out(), "")
}

fn looked(seen: MatchResult) -> CallResult {
    CallResult::Looked { seen, at: start() + SignedDuration::from_secs(31), error: lost() }
}

fn matching(id: &str, title: &str) -> ElevationRequest {
    ElevationRequest { title: Untrusted::new(title), ..held(REQUEST, id) }
}

fn possible() -> MatchResult {
    MatchResult::Possible(vec![matching("id-x", "Excel add in crashes"), matching("id-y", "Excel crashes")])
}

/// A create of which the answer is lost and which is being looked for.
fn looking_at(columns: u16, rows: u16) -> Dashboard {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.send(REQUEST);
    dashboard.progress(0, Progress::Recorded(WriteId(7)));
    dashboard.progress(0, Progress::Looking(lost()));
    dashboard
}

fn looking() -> Dashboard {
    looking_at(120, 36)
}

fn not_seen() -> Dashboard {
    let mut dashboard = looking();
    dashboard.reply_to(0, Ok(looked(MatchResult::NotSeen)));
    dashboard
}

fn call(dashboard: &Dashboard, index: usize) -> Call {
    dashboard.calls()[index].1.clone()
}

#[rstest]
fn each_outcome_of_looking_has_its_picture(#[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16)) {
    let picture = |dashboard: &Dashboard, name: &str| dashboard.looks_like(&format!("{columns}x{rows}-{name}"));
    let mut dashboard = looking_at(columns, rows);
    picture(&dashboard, "looking");
    let mut found = dashboard.clone();
    let surplus = vec![created(&found.create(0), "id-2", start())];
    let request = Box::new(created(&found.create(0), "id-1", start()));
    found.reply_to(0, Ok(CallResult::Created { request, surplus }));
    picture(&found, "surplus");
    let mut not_seen = dashboard.clone();
    not_seen.reply_to(0, Ok(looked(MatchResult::NotSeen))).press("enter");
    picture(&not_seen, "not-seen");
    not_seen.press("s");
    picture(&not_seen, "send-again");
    dashboard.reply_to(0, Ok(looked(possible()))).press("enter j");
    picture(&dashboard, "possible");
}

#[test]
fn its_row_is_unknown_while_it_is_looked_for_and_the_form_is_free() {
    let mut dashboard = looking();
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
    assert!(
        dashboard
            .notice()
            .starts_with("It is unknown whether the request for MMD-03690457680 (INC-10442) was opened; looking")
    );
    assert!(dashboard.model.form.is_empty());
    dashboard.press("enter");
    assert!(dashboard.shows("unknown, being looked for") && dashboard.shows("No answer came in time."));
    let answer = created(&dashboard.create(0), "id-1", start());
    dashboard.reply_to(0, Ok(opened(answer)));
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
    assert_eq!(dashboard.row("INC-10442").request_id().unwrap().raw(), "id-1");
    assert!(dashboard.row("INC-10442").error.is_none());
}

#[test]
fn not_seen_says_when_and_does_not_claim_that_it_is_not_there() {
    let mut dashboard = not_seen();
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
    assert!(dashboard.notice().starts_with("MMD-03690457680 (INC-10442): not seen at 14:02:31"));
    dashboard.press("enter");
    assert!(dashboard.shows("Not seen at 14:02:31. That does not prove that it is not there."));
    for key in ["l look again", "s send again", "d set aside", "Esc leave it"] {
        assert!(dashboard.shows(key), "{key}\n{}", dashboard.screen());
    }
    for key in ["it is this one", "close it"] {
        assert!(!dashboard.shows(key), "there is no match to choose");
    }
    assert!(dashboard.press("esc").calls().is_empty(), "nothing is sent by itself");
}

#[test]
fn what_was_found_closed_already_is_not_shown_as_open() {
    let mut dashboard = looking();
    let request = closed(created(&dashboard.create(0), "id-1", start()), "other@partner.example", start());
    dashboard.reply_to(0, Ok(opened(request)));
    assert_eq!(dashboard.row("INC-10442").state, RowState::Closed(Closure::Elsewhere));
    assert!(dashboard.notice().ends_with("closed since by other@partner.example at 2026-11-22 14:02"));
}

#[test]
fn looking_again_finds_it_or_leaves_everything_as_it_was() {
    let mut dashboard = not_seen();
    dashboard.press("enter l");
    assert_eq!(call(&dashboard, 0), Call::Look(WriteId(7)));
    assert!(dashboard.model.overlays.is_empty());
    // The look fails in a way that would mean "not done" of a create. It says nothing of this one.
    dashboard.fails(CallError::not_reached("refused"), "");
    let row = dashboard.row("INC-10442");
    assert_eq!(row.state, RowState::Unknown);
    assert_eq!(row.error.as_ref().unwrap().code, Some(ErrorCode::TimedOut), "why it is unknown has not changed");
    assert!(!dashboard.notice().contains("send it again"), "{}", dashboard.notice());
    dashboard.press("enter l");
    dashboard.reply_to(0, Ok(opened(held(REQUEST, "id-1"))));
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
}

#[test]
fn a_match_is_adopted() {
    let mut dashboard = looking();
    dashboard.reply_to(0, Ok(looked(possible())));
    assert!(dashboard.notice().contains("2 requests may be it"), "{}", dashboard.notice());
    dashboard.press("enter j a");
    let Call::Adopt(WriteId(7), adopted) = call(&dashboard, 0) else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(adopted.id.raw(), "id-y");
    dashboard.reply_to(0, Ok(opened(*adopted)));
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
    assert_eq!(dashboard.row("INC-10442").request_id().unwrap().raw(), "id-y");
}

#[test]
fn a_match_is_closed_and_the_outcome_stays_unknown() {
    let mut dashboard = looking();
    dashboard.reply_to(0, Ok(looked(possible())));
    dashboard.press("enter c");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Close { .. }]));
    dashboard.press("'Not needed.' ctrl-s");
    assert_eq!(dashboard.close(0), ("id-x", "Not needed."));
    // Its row knows more than the list in which it was seen.
    dashboard.press("j enter");
    assert!(dashboard.shows("closing, Excel add in crashes") && !dashboard.shows("close it"), "{}", dashboard.screen());
    dashboard.press("c");
    assert_eq!(dashboard.notice(), "Nothing to do: it is being closed already");
    dashboard.press("esc").closed().press("enter");
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
    assert!(dashboard.shows("closed, Excel add in crashes") && !dashboard.shows("close it"), "{}", dashboard.screen());
    dashboard.press("c");
    assert_eq!(dashboard.notice(), "Nothing to do: it is closed already");
    dashboard.press("j");
    assert!(dashboard.shows("close it"), "the other one is open");
}

#[test]
fn match_that_was_listed_as_closed_is_not_closed_again() {
    let mut dashboard = looking();
    let past = closed(matching("id-x", "Excel add in crashes"), "other@partner.example", start());
    dashboard.reply_to(0, Ok(looked(MatchResult::Possible(vec![past]))));
    dashboard.press("enter");
    assert!(dashboard.shows("it is this one") && !dashboard.shows("close it"));
    dashboard.press("c");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Unknown(..)]));
    assert_eq!(dashboard.notice(), "Nothing to do: it is closed already");
}

#[test]
fn match_with_a_row_takes_the_selection_over_and_what_else_was_opened_is_shown() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.send(REQUEST);
    dashboard.progress(0, Progress::Recorded(WriteId(7)));
    dashboard.reply_to(0, Ok(looked(possible())));
    dashboard.press("g enter c esc");
    assert_eq!(dashboard.list(), ["> INC-10442 open", "INC-10442 unknown", "INC-1 open"]);
    dashboard.press("j enter l");
    let found = Box::new(matching("id-x", "Excel add in crashes"));
    let surplus = vec![matching("id-y", "Excel crashes")];
    dashboard.reply_to(0, Ok(CallResult::Created { request: found, surplus }));
    let selected = dashboard.model.requests.selected().and_then(|row| row.request_id().cloned());
    assert_eq!(selected.as_ref().map(mmd_elevate_core::RequestId::raw), Some("id-x"), "{:?}", dashboard.list());
    assert_eq!(dashboard.list().len(), 3, "{:?}", dashboard.list());
    assert_eq!(dashboard.model.remains().open, 3);
}

#[test]
fn details_name_enter_only_where_it_decides() {
    let mut dashboard = looking();
    dashboard.reply_to(0, Ok(looked(possible())));
    assert!(
        dashboard.shows("2 requests at the service may be it; Enter on its row decides."),
        "{}",
        dashboard.screen()
    );
    dashboard.press("enter l");
    assert!(dashboard.shows("2 requests at the service may be it.") && !dashboard.shows("; Enter on its row"));
    dashboard.reply_to(0, Ok(looked(possible())));
    dashboard.press("enter d").reply_to(0, Ok(CallResult::SetAside));
    dashboard.press("4");
    assert_eq!(dashboard.list(), ["> INC-10442 set aside"]);
    assert!(dashboard.shows("2 requests at the service may be it.") && !dashboard.shows("; Enter on its row"));
}

#[test]
fn sending_again_is_behind_a_question_and_sets_the_first_aside() {
    let mut dashboard = not_seen();
    dashboard.press("enter s");
    assert!(dashboard.calls().is_empty() && dashboard.shows("Send again?"));
    assert!(dashboard.shows("The first may be open without having been seen."));
    dashboard.press("s l enter");
    assert!(dashboard.calls().is_empty(), "no plain key sends");
    dashboard.press("esc");
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
    dashboard.press("enter s ctrl-s");
    assert_eq!(call(&dashboard, 0), Call::SetAside(WriteId(7)));
    let again = dashboard.create(1);
    assert_eq!(dashboard.calls().len(), 2);
    dashboard.reply_to(0, Ok(CallResult::SetAside));
    assert_eq!(dashboard.list(), ["> INC-10442 sending"], "what is set aside is shown where it is asked for");
    dashboard.reply_to(0, Ok(opened(created(&again, "id-2", start()))));
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
    dashboard.press("4");
    assert_eq!(dashboard.list(), ["> INC-10442 set aside"]);
}

#[test]
fn setting_aside_asks_no_more() {
    let mut dashboard = not_seen();
    dashboard.press("enter d");
    assert_eq!(call(&dashboard, 0), Call::SetAside(WriteId(7)));
    dashboard.reply_to(0, Ok(CallResult::SetAside));
    assert!(dashboard.list().is_empty() && dashboard.model.remains().nothing());
    assert_eq!(dashboard.row("INC-10442").state, RowState::SetAside);

    let mut dashboard = not_seen();
    dashboard.press("enter d").fails(CallError::not_recorded(Problem::new("the disk is full", "make room")), "");
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"], "what could not be recorded is asked about as before");
}

#[test]
fn surplus_is_shown_and_can_be_closed() {
    let mut dashboard = looking();
    let request = created(&dashboard.create(0), "id-1", start());
    let surplus = vec![created(&dashboard.create(0), "id-2", start())];
    dashboard.reply_to(0, Ok(CallResult::Created { request: Box::new(request), surplus }));
    assert!(dashboard.notice().contains("1 more of the same"), "{}", dashboard.notice());
    assert_eq!(dashboard.list(), ["INC-10442 open", "> INC-10442 open"], "the selection stays");
    assert_eq!(dashboard.model.requests.selected().unwrap().request_id().unwrap().raw(), "id-1");
    dashboard.press("k");
    assert!(dashboard.shows("Surplus: it equals another one"));
    dashboard.press("c Surplus ctrl-s");
    assert_eq!(dashboard.close(0).0, "id-2");
}

#[test]
fn two_equal_requests_made_on_purpose_stay_two() {
    let mut dashboard = Dashboard::with_open(&[REQUEST, REQUEST]);
    let ids: Vec<_> = dashboard.model.requests.all().map(|row| row.request_id().unwrap().raw().to_owned()).collect();
    assert_eq!(ids, ["id-1", "id-2"]);
    assert!(dashboard.model.requests.all().all(|row| !row.surplus));
    dashboard.press("c Done ctrl-s").closed();
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
}

#[test]
fn one_that_a_dead_process_left_can_be_decided_like_any_other() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered { unresolved: vec![lost_create(7, REQUEST)], ..Recovered::default() }).press("enter");
    // The record does not know why it was lost; the worker makes something up.
    let crashed = fault(CallError::crashed(), "");
    dashboard.reply_to(0, Ok(CallResult::Looked { seen: MatchResult::NotSeen, at: start(), error: crashed }));
    dashboard.press("enter");
    assert!(dashboard.shows("The program ended before an answer"), "{}", dashboard.screen());
    dashboard.press("d");
    assert_eq!(call(&dashboard, 0), Call::SetAside(WriteId(7)));
}

#[test]
fn a_request_that_was_brought_back_by_its_id_alone_gets_its_names_from_its_create() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered {
        unresolved: vec![lost_create(7, REQUEST)],
        drafts: vec![saved_close("id-x", "half a text")],
        ..Recovered::default()
    });
    let request = Box::new(held(REQUEST, "id-x"));
    dashboard.reply_to(0, Ok(CallResult::Created { request, surplus: Vec::new() })).press("enter");
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
    dashboard.press("r");
    let Call::Check(asked) = call(&dashboard, 0) else { panic!("{:?}", dashboard.calls()) };
    let asked: Vec<_> = asked.iter().map(|(id, device)| (id.raw(), device.raw())).collect();
    assert_eq!(asked, [("id-x", "MMD-03690457680")]);
}
