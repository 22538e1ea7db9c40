//! A start after anything: the recovery pane comes first, and then everything is where it was.

use mmd_elevate::{
    dashboard::{Closure, Effect, Message, Overlay, RowState},
    keys::Action,
};
use mmd_elevate_core::{
    Call, CallResult, DraftTarget, Event, Field, Left, Problem, ReadBack, Recovered, Untrusted, WriteId,
};
use rstest::rstest;

use crate::support::{
    dashboard::{Dashboard, closed, opened, start},
    record::{draft, everything, held, lost_close, lost_create, saved, saved_close},
};

fn shows_recovery(dashboard: &Dashboard) -> bool {
    matches!(dashboard.model.overlays.last(), Some(Overlay::Recovery(_)))
}

fn of(drafts: &[(DraftTarget, &str)]) -> Recovered {
    let drafts = drafts.iter().map(|(target, request)| saved(target.clone(), draft(request))).collect();
    Recovered { drafts, ..Recovered::default() }
}

#[rstest]
fn the_recovery_pane_tells_all_that_was_brought_back(
    #[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16),
) {
    let mut dashboard = Dashboard::opening(columns, rows);
    dashboard.recovered(everything());
    assert!(shows_recovery(&dashboard));
    dashboard.looks_like(&format!("{columns}x{rows}-recovery"));
    dashboard.press("enter");
    dashboard.looks_like(&format!("{columns}x{rows}-recovered"));
}

#[rstest]
fn a_key_goes_on_and_everything_is_where_it_was(#[values("enter", "esc")] key: &str) {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(everything());
    let calls: Vec<_> = dashboard.calls().iter().map(|(_, call)| call.clone()).collect();
    let [Call::Look(WriteId(1)), Call::Look(WriteId(2)), Call::Check(asked)] = &calls[..] else { panic!("{calls:?}") };
    let asked: Vec<_> = asked.iter().map(|(id, device)| (id.raw(), device.raw())).collect();
    assert_eq!(asked, [("id-b", "MMD-00000000020")], "what is looked up by itself is not asked for twice");
    dashboard.press(key);
    assert!(dashboard.model.overlays.is_empty());
    assert_eq!(
        dashboard.list(),
        ["INC-10470 draft", "> INC-10442 unknown", "INC-10480 draft", "INC-10460 open", "INC-10450 closing"],
        "nothing is taken for known that is not"
    );
    assert_eq!(dashboard.form()[0], "INC-10470");
    let text = |ticket: &str| dashboard.row(ticket).actions_taken.as_ref().unwrap().text();
    assert_eq!(
        (text("INC-10450").as_str(), text("INC-10460").as_str()),
        ("Replaced the template.", "Restarted the service.")
    );
}

#[test]
fn where_nothing_was_left_nothing_is_told() {
    assert!(Dashboard::new().model.overlays.is_empty());
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered { others: 1, ..Recovered::default() });
    assert!(dashboard.model.overlays.is_empty());
    assert_eq!(dashboard.notice(), "Another dashboard uses this record; each has its own drafts");
}

/// What was left at such a moment.
fn left(left: Left, recovered: Recovered) -> Recovered {
    Recovered { left: Some(left), ..recovered }
}

#[test]
fn after_a_plain_leave_with_nothing_unresolved_a_notice_says_what_waits() {
    let yesterday = Left::Plainly("2026-11-21T17:42:00Z".parse().unwrap());
    let open = vec![held("INC-1 MMD-1 One", "id-1"), held("INC-2 MMD-2 Two", "id-2")];
    let mut dashboard = Dashboard::opening(120, 36);
    let mut recovered = Recovered { open, ..of(&[(DraftTarget::Form, "INC-3 MMD-3 Three")]) };
    recovered.drafts.push(saved_close("id-1", "Half a sentence"));
    dashboard.recovered(left(yesterday, recovered));
    assert!(!shows_recovery(&dashboard));
    assert_eq!(
        dashboard.notice(),
        "Since you left, yesterday 17:42: 2 requests are open, 1 draft waits, 1 close dialog has its text · \
         hint: n goes on with the draft"
    );
    assert_eq!(dashboard.list(), ["INC-3 draft", "> INC-2 open", "INC-1 open"]);
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(left(yesterday, Recovered::default()));
    assert_eq!(dashboard.notice(), "", "where nothing waits, nothing is said");
}

#[test]
fn pane_comes_where_the_agent_is_needed_and_says_since_when() {
    let at = "2026-11-21T17:42:00Z".parse().unwrap();
    for (how, title) in [
        (Left::Plainly(at), "Since you left, yesterday 17:42"),
        (Left::Died(Some(at)), "The program did not end by itself, yesterday 17:42"),
        (Left::Died(None), "The program did not end by itself"),
    ] {
        let mut dashboard = Dashboard::opening(120, 36);
        dashboard.recovered(left(how, everything()));
        assert!(shows_recovery(&dashboard) && dashboard.shows(title), "{title}\n{}", dashboard.screen());
        assert_eq!(dashboard.shows("20 h ago"), how != Left::Died(None), "{}", dashboard.screen());
    }
    // Also for drafts alone, where the program did not end by itself.
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(left(Left::Died(None), of(&[(DraftTarget::Form, "INC-3 MMD-3 Three")])));
    assert!(shows_recovery(&dashboard));
}

#[test]
fn row_of_the_pane_is_chosen_and_its_keys_act_on_it() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(everything());
    assert!(dashboard.shows("▌ INC-10442"), "{}", dashboard.screen());
    dashboard.press("l");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Recovery(_), Overlay::Unknown(..) | Overlay::Look(_)]));
    dashboard.press("esc j j");
    assert!(dashboard.shows("▌ INC-10460"), "{}", dashboard.screen());
    dashboard.press("c");
    assert!(dashboard.shows("Close request  INC-10460") && dashboard.shows("Restarted the service."));
    dashboard.press("esc l");
    assert!(dashboard.shows("MMD-00000000020") && matches!(dashboard.model.overlays.last(), Some(Overlay::Look(_))));
    dashboard.press("esc k k k k").press("Y");
    assert!(matches!(&dashboard.take_effects()[..], [Effect::Copy(line)] if line.starts_with("INC-10442")));
    dashboard.press("j j j l");
    assert!(dashboard.model.overlays.is_empty(), "who takes up a draft goes on to the dashboard");
    assert_eq!(dashboard.form()[0], "INC-10480");
    dashboard.press("esc");
    assert!(dashboard.list().contains(&"INC-10470 draft".to_owned()), "the other one waits");
}

#[test]
fn row_is_chosen_also_once_a_create_was_found_in_the_list() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered {
        unresolved: vec![lost_create(1, "INC-1 MMD-1 One")],
        open: vec![held("INC-2 MMD-2 Two", "id-2")],
        ..Recovered::default()
    });
    // A page of the tenant's has it before its look has an answer: that row is its row from then on.
    dashboard.happens(Message::Act(Action::Refresh)).page(0, vec![held("INC-1 MMD-1 One", "id-1")]);
    let look = dashboard.calls().iter().position(|(_, call)| matches!(call, Call::Look(_))).unwrap();
    dashboard.reply_to(look, Ok(opened(held("INC-1 MMD-1 One", "id-1"))));
    assert!(dashboard.shows("▌ INC-1 "), "{}", dashboard.screen());
    dashboard.press("j");
    assert!(dashboard.shows("▌ INC-2 "), "{}", dashboard.screen());
}

#[test]
fn request_that_is_closed_from_the_pane_stays_in_it_with_its_state() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered { open: vec![held("INC-1 MMD-1 One", "id-1")], ..Recovered::default() });
    dashboard.press("c Done ctrl-s");
    let close = dashboard.calls().iter().position(|(_, call)| matches!(call, Call::Send(_))).unwrap();
    let request = closed(held("INC-1 MMD-1 One", "id-1"), "agent", start());
    let request = mmd_elevate_core::ElevationRequest { actions_taken: Untrusted::new("Done"), ..request };
    dashboard.reply_to(close, Ok(CallResult::Closed(ReadBack::Verified(Box::new(request)))));
    assert!(shows_recovery(&dashboard) && dashboard.shows("✓ closed"), "{}", dashboard.screen());
}

#[test]
fn it_never_comes_between_two_keys_of_something_being_typed() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press("n INC-");
    dashboard.recovered(everything());
    assert!(!shows_recovery(&dashboard));
    dashboard.press("7");
    assert_eq!(dashboard.form()[0], "INC-7", "a restored draft never replaces what was typed");
    dashboard.press("esc");
    assert!(shows_recovery(&dashboard), "it waits");
    assert!(!dashboard.shows("in the form again"));
    dashboard.press("esc");
    assert!(dashboard.list().contains(&"INC-10470 draft".to_owned()), "{:?}", dashboard.list());
}

#[test]
fn a_draft_that_found_no_room_is_offered_as_a_row_and_enter_takes_it_up() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press("n INC-7");
    dashboard.recovered(of(&[(DraftTarget::Form, "INC-10470 MMD-3 Printer")]));
    dashboard.press("esc enter");
    assert_eq!(dashboard.list(), ["INC-7 draft", "> INC-10470 draft"]);
    dashboard.press("enter");
    assert_eq!(dashboard.form()[..3], ["INC-10470", "MMD-3", "Printer"]);
    assert!(dashboard.notice().ends_with("The draft for INC-7 waits in Mine"), "{}", dashboard.notice());
    assert_eq!(dashboard.list(), ["> INC-7 draft"], "it is in the form now, and only there");
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Title), "Printer");
}

#[test]
fn several_drafts_of_dead_processes_are_all_kept() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(of(&[
        (DraftTarget::Form, "INC-1 MMD-1 One"),
        (DraftTarget::Form, "INC-2 MMD-2 Two"),
        (DraftTarget::Refused(1), "INC-3 MMD-3 Three"),
    ]));
    dashboard.press("enter");
    assert_eq!(dashboard.form()[0], "INC-1");
    assert_eq!(dashboard.list(), ["INC-1 draft", "> INC-3 draft", "INC-2 draft"]);
}

#[rstest]
fn every_key_that_leaves_something_leaves_the_recovery_pane(#[values("enter", "esc", "q")] key: &str) {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(of(&[(DraftTarget::Form, "INC-1 MMD-1 One")]));
    assert!(shows_recovery(&dashboard));
    dashboard.press(key);
    assert!(!shows_recovery(&dashboard) && !dashboard.left());
}

#[test]
fn what_was_brought_back_is_told_to_the_record_before_it_is_typed_on() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(of(&[(DraftTarget::Form, "INC-1 MMD-1 One"), (DraftTarget::Refused(9), "INC-2 MMD-2 Two")]));
    let told: Vec<_> = dashboard.take_saves().into_iter().map(|(_, draft)| draft.unwrap()).collect();
    assert_eq!(told, [draft("INC-1 MMD-1 One"), draft("INC-2 MMD-2 Two")]);
    dashboard.after(5);
    assert_eq!(dashboard.take_saves(), []);
}

#[test]
fn what_is_looked_up_is_found_or_stays_unknown() {
    let mut dashboard = Dashboard::opening(120, 36);
    let unresolved = vec![lost_create(1, "INC-1 MMD-1 One"), lost_create(2, "INC-2 MMD-2 Two")];
    dashboard.recovered(Recovered { unresolved, ..Recovered::default() });
    assert!(dashboard.shows("2 writes had no answer  looking up what came of it"));
    dashboard.reply_to(0, Ok(opened(held("INC-1 MMD-1 One", "id-1"))));
    assert!(dashboard.shows("<1 min ● open"), "the pane tells how it goes\n{}", dashboard.screen());
    dashboard.press("enter");
    assert_eq!(dashboard.row("INC-1").state, RowState::Open);
    assert!(matches!(dashboard.row("INC-2").state, RowState::Looking(_)));
}

#[test]
fn a_close_that_was_left_behind_is_read_back() {
    let close = || vec![lost_close(1, "id-1", "MMD-1", "What I did")];
    let recovered =
        || Recovered { unresolved: close(), open: vec![held("INC-1 MMD-1 One", "id-1")], ..Recovered::default() };
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(recovered()).press("enter");
    assert_eq!(dashboard.calls().len(), 1, "what is looked up is not checked as well");
    let request = closed(held("INC-1 MMD-1 One", "id-1"), "agent@partner.example", start());
    dashboard.reply_to(0, Ok(CallResult::Closed(ReadBack::Verified(Box::new(request)))));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));

    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(recovered()).press("enter");
    dashboard.reply_to(0, Ok(CallResult::StillOpen(Box::new(held("INC-1 MMD-1 One", "id-1")))));
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert!(dashboard.notice().contains("is still open"), "{}", dashboard.notice());
    dashboard.press("c");
    assert!(dashboard.shows("What I did"), "the text is kept");
}

#[test]
fn what_was_typed_after_a_close_was_sent_outlives_that_close() {
    let mut dashboard = Dashboard::opening(120, 36);
    let unresolved = vec![lost_close(1, "id-1", "MMD-1", "What I did")];
    let drafts = vec![saved_close("id-1", "What I did, and what I found")];
    let open = vec![held("INC-1 MMD-1 One", "id-1")];
    dashboard.recovered(Recovered { unresolved, drafts, open, ..Recovered::default() }).press("enter");
    let mut request = closed(held("INC-1 MMD-1 One", "id-1"), "agent@partner.example", start());
    request.actions_taken = Untrusted::new("What I did");
    dashboard.reply_to(0, Ok(CallResult::Closed(ReadBack::Verified(Box::new(request)))));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));
    assert!(dashboard.shows("stored an earlier text"), "{}", dashboard.screen());
    assert!(dashboard.shows("What I did, and what I found"), "{}", dashboard.screen());
    dashboard.press("enter").after(5);
    let saved: Vec<_> = dashboard.take_saves();
    assert!(saved.iter().all(|(_, draft)| draft.is_some()), "{saved:?}");
}

#[test]
fn a_close_of_a_request_that_the_record_does_not_list_has_a_row_all_the_same() {
    let mut dashboard = Dashboard::opening(120, 36);
    let drafts = vec![saved_close("id-9", "half a text")];
    let unresolved = vec![lost_close(1, "id-8", "MMD-8", "What I did")];
    dashboard.recovered(Recovered { unresolved, drafts, ..Recovered::default() });
    dashboard.press("enter");
    assert_eq!(dashboard.list(), ["> – closing", "– open"]);
    assert!(dashboard.shows("id-9") && dashboard.shows("MMD-8"), "{}", dashboard.screen());
}

/// The words of the list that is empty, at each width.
#[rstest]
fn list_over_a_record_that_is_not_read_never_says_that_nothing_is_open(
    #[values((120, 36), (80, 24), (60, 20), (40, 12))] (columns, rows): (u16, u16),
) {
    let nothing = |dashboard: &Dashboard| dashboard.shows("No open requests");
    let not_read_is_shown = |dashboard: &Dashboard| dashboard.screen().to_lowercase().contains("record not read");
    let mut dashboard = Dashboard::opening(columns, rows);
    assert!(!nothing(&dashboard) && dashboard.shows("Reading the record"), "{}", dashboard.screen());
    let not_read = |why: &str| Recovered {
        unusable: true,
        warnings: vec![Problem::new(why, "close what else uses it")],
        ..Recovered::default()
    };
    dashboard.recovered(not_read("it is busy"));
    assert!(!nothing(&dashboard) && not_read_is_shown(&dashboard), "{}", dashboard.screen());
    assert!(dashboard.notice().starts_with("it is busy"));
    // Typing, and a save that fails, change nothing of that.
    dashboard.press("n I").says(Event::NotSaved(Problem::new("it is busy", "wait"))).press("esc");
    assert!(!nothing(&dashboard) && not_read_is_shown(&dashboard), "{}", dashboard.screen());
    dashboard.recovered(Recovered { open: vec![held("INC-1 MMD-1 One", "id-1")], ..Recovered::default() });
    assert!(!not_read_is_shown(&dashboard));
    assert!(shows_recovery(&dashboard), "as at any start");
    let mut dashboard = Dashboard::opening(columns, rows);
    dashboard.recovered(not_read("it is busy")).recovered(Recovered::default());
    assert!(nothing(&dashboard), "{}", dashboard.screen());
}

#[test]
fn what_is_typed_is_saved_again_in_a_record_that_was_written_anew() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c 'half a text'").after(1).take_saves();
    dashboard.recovered(Recovered::default());
    let saves = dashboard.take_saves();
    assert!(saves.iter().any(|(_, draft)| draft.is_some()), "the new record may not have what the old one had");
}

#[test]
fn record_that_is_written_anew_adds_what_was_found_and_keeps_what_is_there() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered { open: vec![held("INC-1 MMD-1 One", "id-1")], ..Recovered::default() });
    dashboard.press("enter n INC-9 esc");
    dashboard.says(Event::NotSaved(Problem::new("the log was removed", "wait")));
    let warnings = vec![Problem::new("The record was written anew", "find out why")];
    dashboard.recovered(Recovered {
        open: vec![held("INC-2 MMD-2 Two", "id-2")],
        drafts: vec![saved(DraftTarget::Form, draft("INC-3 MMD-3 Three"))],
        warnings,
        ..Recovered::default()
    });
    assert!(dashboard.notice().starts_with("The record was written anew"), "{}", dashboard.notice());
    dashboard.says(Event::Saved);
    assert!(dashboard.notice().starts_with("The record was written anew"), "{}", dashboard.notice());
    dashboard.press("enter");
    let mut list = dashboard.list();
    list.sort();
    assert_eq!(list, ["> INC-1 open", "INC-2 open", "INC-3 draft", "INC-9 draft"]);
    assert_eq!(dashboard.form()[0], "INC-9");
}
