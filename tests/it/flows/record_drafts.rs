//! What is typed is kept: within a second, once, and at every exit; and the agent is told where it is not.

use mmd_elevate::dashboard::{Effect, Message, Pane, RecordState};
use mmd_elevate_core::{CallError, Draft, DraftTarget, Event, Field, Problem, Progress, Recovered, RequestId, WriteId};
use rstest::rstest;

use crate::support::{
    dashboard::{DRAFT, Dashboard},
    record::held,
};

/// What was saved since this was last asked: of what, and its ticket or its long text.
fn saves(dashboard: &mut Dashboard) -> Vec<(DraftTarget, Option<String>)> {
    let text = |draft: Draft| match draft.get(Field::Ticket) {
        "" => draft.get(Field::PlanOfAction).to_owned(),
        ticket => ticket.to_owned(),
    };
    dashboard.take_saves().into_iter().map(|(target, draft)| (target, draft.map(text))).collect()
}

fn form(text: &str) -> (DraftTarget, Option<String>) {
    (DraftTarget::Form, Some(text.to_owned()))
}

fn full(dashboard: &mut Dashboard) {
    dashboard.says(Event::NotSaved(Problem::new("The record takes nothing: the disk is full", "make room")));
}

#[test]
fn a_record_that_takes_drafts_again_is_left_without_a_question() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1").after(1);
    full(&mut dashboard);
    assert_eq!(dashboard.model.record, RecordState::Failing);
    dashboard.says(Event::Saved);
    assert!(dashboard.notice().contains("again"), "{}", dashboard.notice());
    assert!(dashboard.press("esc q").left());
}

#[test]
fn typing_is_saved_within_a_second_and_nothing_twice() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-");
    assert_eq!(saves(&mut dashboard), []);
    let wait = i64::try_from(dashboard.wakes_in().as_millis()).unwrap();
    assert!(wait <= 1_000, "{wait}");
    dashboard.after_millis(wait);
    assert_eq!(saves(&mut dashboard), [form("INC-")]);
    assert!(dashboard.wakes_in().as_secs() > 1, "and nothing is due any more");
    dashboard.press("left right home end esc n").after(5);
    assert_eq!(saves(&mut dashboard), [], "unchanged");
    for _ in 0..10 {
        dashboard.press("7").after_millis(200);
    }
    let saved = saves(&mut dashboard);
    assert!((3..=5).contains(&saved.len()), "a run of typing is saved now and then: {saved:?}");
    dashboard.after(1);
    dashboard.press("8 backspace").after(1);
    saves(&mut dashboard);
    dashboard.after(60);
    assert_eq!(saves(&mut dashboard), []);
}

#[test]
fn each_text_has_its_own_draft_and_one_that_has_ended_is_saved_as_nothing() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.after(1);
    saves(&mut dashboard);
    let close = DraftTarget::Close(RequestId::new("id-1").unwrap());
    dashboard.press("c Done esc n INC-2").after(1);
    assert_eq!(saves(&mut dashboard), [form("INC-2"), (close.clone(), Some("INC-1".to_owned()))]);
    dashboard.press("ctrl-x").after(1);
    assert_eq!(saves(&mut dashboard), [(DraftTarget::Form, None)]);
    dashboard.press("ctrl-z").after(1);
    assert_eq!(saves(&mut dashboard), [form("INC-2")], "undone, it is a draft again");
    dashboard.press("esc c ctrl-s").after(1);
    assert_eq!(saves(&mut dashboard), [], "it is a draft until the service has it");
    dashboard.closed().after(1);
    assert_eq!(saves(&mut dashboard), [(close, None)]);
}

#[test]
fn what_is_sent_is_a_draft_until_its_outcome_is_known() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s").after(5);
    let [(DraftTarget::Refused(_), Some(sent))] = &saves(&mut dashboard)[..] else { panic!() };
    assert_eq!(sent, "INC-10442");
    dashboard.progress(0, Progress::Recorded(WriteId(1)));
    dashboard.after(1);
    assert_eq!(saves(&mut dashboard), [], "it may come back refused");
    dashboard.press("n INC-2").after(1);
    assert_eq!(saves(&mut dashboard), [form("INC-2")]);
    dashboard.fails(CallError::declined(), "").after(1);
    assert_eq!(saves(&mut dashboard), [], "refused, its row keeps it");
    dashboard.press("esc").send("INC-3 MMD-3 Dock");
    dashboard.after(1);
    saves(&mut dashboard);
    dashboard.opened().after(1);
    let ended: Vec<_> = saves(&mut dashboard).into_iter().filter(|(_, ticket)| ticket.is_none()).collect();
    assert_eq!(ended.len(), 1, "the service has it: {ended:?}");
}

#[test]
fn two_sent_before_the_record_is_open_are_both_kept() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press(DRAFT).press("ctrl-s");
    dashboard.send("INC-2 MMD-2 Word");
    dashboard.after(1);
    let mut tickets: Vec<_> = saves(&mut dashboard).into_iter().filter_map(|(_, ticket)| ticket).collect();
    tickets.sort();
    assert_eq!(tickets, ["INC-10442", "INC-2"]);
}

#[test]
fn draft_like_one_that_was_sent_is_saved_again_once_that_is_open() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s").press(DRAFT).after(1);
    saves(&mut dashboard);
    dashboard.opened().after(1);
    // The record drops a form's draft with the create that it became: it cannot tell this one from that.
    assert!(saves(&mut dashboard).contains(&form("INC-10442")));
}

#[rstest]
fn every_exit_saves_what_was_typed_last(#[values("n INC-7", "n INC-7 esc q", "n INC-7 ctrl-c")] keys: &str) {
    let mut dashboard = Dashboard::new();
    dashboard.press(keys);
    dashboard.happens(Message::Ending);
    assert_eq!(saves(&mut dashboard), [form("INC-7")], "{keys}");
    dashboard.happens(Message::Ending);
    assert_eq!(saves(&mut dashboard), []);
}

#[test]
fn a_record_that_fails_says_so_and_leaving_asks() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-7").after(1);
    full(&mut dashboard);
    assert_eq!(dashboard.notice(), "The record takes nothing: the disk is full · hint: make room");
    saves(&mut dashboard);
    dashboard.after(10);
    assert_eq!(saves(&mut dashboard), [], "what does not go is not tried all the time");
    dashboard.press("8").after(1);
    assert_eq!(saves(&mut dashboard), [form("INC-78")], "but with the next change");
    dashboard.press("esc q");
    assert!(dashboard.shows("1 draft would be lost: the record does not take what is typed."));
    dashboard.press("esc");
    assert!(!dashboard.left());
    dashboard.press("q l");
    assert!(dashboard.left());
    full(&mut dashboard);
    dashboard.happens(Message::Ending);
    assert_eq!(saves(&mut dashboard), [form("INC-78")], "and once more at the end");
}

#[rstest]
fn without_a_record_the_pictures_say_so(#[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16)) {
    let mut dashboard = Dashboard::opening(columns, rows);
    let warning = "The record cannot be used: its folder is read-only";
    let warnings = vec![Problem::new(warning, "make it writable, then start again")];
    dashboard.recovered(Recovered { unusable: true, warnings, ..Recovered::default() });
    assert!(dashboard.notice().ends_with("hint: make it writable, then start again"));
    dashboard.press("n INC-7 esc q");
    dashboard.looks_like(&format!("{columns}x{rows}-no-record"));
}

#[test]
fn a_create_that_could_not_be_recorded_was_not_sent_and_its_draft_is_back() {
    let mut dashboard = Dashboard::new();
    let kind = CallError::not_recorded(Problem::new("the disk is full", "make room, then send it again"));
    dashboard.press(DRAFT).press("ctrl-s").fails(kind, "");
    assert_eq!((dashboard.model.pane, dashboard.form()[0].as_str()), (Pane::Form, "INC-10442"));
    assert!(dashboard.list().is_empty());
    let told = "Nothing was sent: the disk is full. · hint: make room, then send it again";
    assert!(dashboard.notice().ends_with(told), "{}", dashboard.notice());
}

#[test]
fn the_leaving_question_names_what_stays_and_takes_its_three_keys() {
    let open = vec![held("INC-1 MMD-1 Excel", "id-1")];
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(Recovered { open, ..Recovered::default() });
    dashboard.press("enter").fails(CallError::timed_out(), "").press("q");
    assert!(dashboard.shows("1 request is open. Left open, the next start shows it"), "{}", dashboard.screen());
    dashboard.press("esc");
    assert!(dashboard.model.overlays.is_empty());
    assert!(dashboard.clone().press("q l").left());
    dashboard.press("q c");
    assert!(dashboard.shows("Close request"));
    dashboard.press("Done ctrl-s").closed();
    assert!(dashboard.left());
    assert_eq!(dashboard.take_effects(), [] as [Effect; 0]);
}

#[rstest]
fn draft_typed_before_the_clock_is_set_is_saved_within_a_second(
    #[values(-3_600, 3_600, -31_536_000, 31_536_000, -60_000_000_000, 200_000_000_000)] step: i64,
) {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-").clock_is_set(step).press("1");
    let wait = dashboard.wakes_in();
    assert!(wait <= std::time::Duration::from_secs(1), "{wait:?}");
    dashboard.after_millis(i64::try_from(wait.as_millis()).unwrap());
    assert_eq!(saves(&mut dashboard), [form("INC-1")]);
    for typed in ["2", "3"] {
        dashboard.clock_is_set(-step).press(typed).clock_is_set(step).after(1);
    }
    assert_eq!(saves(&mut dashboard), [form("INC-12"), form("INC-123")]);
}

#[test]
fn draft_is_not_told_as_saved_before_the_record_is_open() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press("n INC-1").after(5);
    assert!(!dashboard.screen().contains("draft saved"), "{}", dashboard.screen());
    dashboard.recovered(Recovered::default()).after(2);
    assert!(dashboard.screen().contains("draft saved"), "{}", dashboard.screen());
}
