//! Marks, and closing several requests: with a text each, or one for all.

use mmd_elevate::dashboard::{Overlay, RowState};
use mmd_elevate_core::{CallError, CallResult, ElevationRequest, Gaps, RequestId, Untrusted};
use rstest::rstest;

use crate::support::dashboard::{Dashboard, closed, start};

const FOUR: [&str; 4] = ["INC-1 MMD-1 One", "INC-2 MMD-2 Two", "INC-3 MMD-3 Three", "INC-4 MMD-4 Four"];

fn four() -> Dashboard {
    let mut dashboard = Dashboard::with_open(&FOUR);
    dashboard.press("g");
    dashboard
}

/// The tickets of the marked rows, in the order of the list.
fn marked(dashboard: &Dashboard) -> Vec<String> {
    let requests = &dashboard.model.requests;
    let ticket = |id| requests.get(id).unwrap().text(mmd_elevate_core::Field::Ticket).into_owned();
    requests.list().marked().into_iter().map(ticket).collect()
}

fn typed(dashboard: &Dashboard, ticket: &str) -> String {
    dashboard.row(ticket).actions_taken.map_or_else(String::new, mmd_elevate::dashboard::TextField::text)
}

#[test]
fn space_marks_and_goes_on_and_takes_the_mark_again() {
    let mut dashboard = four();
    dashboard.press("space space");
    assert_eq!(marked(&dashboard), ["INC-4", "INC-3"]);
    assert_eq!(dashboard.list()[2], "> INC-2 open");
    assert!(dashboard.shows("2 marked") && dashboard.shows("│  *INC-4"), "{}", dashboard.screen());
    dashboard.press("g space");
    assert_eq!(marked(&dashboard), ["INC-3"]);
    dashboard.press("G space space");
    assert_eq!(marked(&dashboard), ["INC-3"], "at the last row it stays");
}

#[test]
fn range_is_ended_by_v_or_space_and_dropped_by_esc() {
    for (end, kept) in
        [("v", vec!["INC-4", "INC-3", "INC-2"]), ("space", vec!["INC-4", "INC-3", "INC-2"]), ("esc", vec![])]
    {
        let mut dashboard = four();
        dashboard.press("v j j");
        assert_eq!(marked(&dashboard), ["INC-4", "INC-3", "INC-2"]);
        assert!(dashboard.shows("3 marked"), "{}", dashboard.screen());
        dashboard.press("k");
        assert_eq!(marked(&dashboard), ["INC-4", "INC-3"], "it follows the selection");
        dashboard.press("j").press(end).press("g");
        assert_eq!(marked(&dashboard), kept, "{end}");
    }
}

#[test]
fn star_marks_all_that_are_shown_and_esc_goes_back_step_by_step() {
    let mut dashboard = four();
    dashboard.press("*");
    assert_eq!(marked(&dashboard).len(), 4);
    dashboard.press("*");
    assert!(marked(&dashboard).is_empty());
    dashboard.press("/ inc-2 enter * v");
    assert_eq!(marked(&dashboard), ["INC-2"]);
    dashboard.press("esc");
    assert_eq!(marked(&dashboard), ["INC-2"], "first the range");
    dashboard.press("esc");
    assert!(marked(&dashboard).is_empty(), "then the marks");
    assert_eq!(dashboard.list().len(), 1);
    dashboard.press("esc");
    assert_eq!(dashboard.list().len(), 4, "then the filter");
    dashboard.press("esc");
    assert_eq!(dashboard.notice(), "");
}

#[test]
fn marks_that_are_not_shown_are_not_acted_on_and_the_title_says_so() {
    let mut dashboard = four();
    dashboard.press("* / inc-2 enter");
    assert!(dashboard.shows("4 marked, 3 not shown"), "{}", dashboard.screen());
    dashboard.press("c Done ctrl-s");
    assert_eq!((dashboard.calls().len(), dashboard.close(0).0), (1, "id-2"));
}

#[test]
fn marks_belong_to_their_tab_and_go_with_their_row() {
    let mut dashboard = four();
    dashboard.press("space space 2");
    assert!(marked(&dashboard).is_empty());
    dashboard.press("1");
    assert_eq!(marked(&dashboard), ["INC-4", "INC-3"]);
    dashboard.press("c 'Done' ctrl-s esc").closed();
    assert_eq!(marked(&dashboard), ["INC-3"]);
    let listed = ElevationRequest {
        ticket: Untrusted::new("INC-77"),
        ..ElevationRequest::from_id(RequestId::new("id-77").unwrap())
    };
    dashboard.lists_of_device(Some(vec![listed])).press("n INC-9 tab MMD-9 tab esc");
    assert_eq!(marked(&dashboard), ["INC-3"], "what a list brings moves no mark");
}

#[test]
fn several_are_closed_one_after_the_other_with_a_text_each() {
    let mut dashboard = four();
    dashboard.press("space space space c");
    assert!(dashboard.shows("Close request  INC-4  1 of 3"), "{}", dashboard.screen());
    dashboard.press("first tab second");
    assert!(dashboard.shows("Close request  INC-3  2 of 3"), "{}", dashboard.screen());
    dashboard.press("shift-tab");
    assert_eq!((typed(&dashboard, "INC-4").as_str(), typed(&dashboard, "INC-3").as_str()), ("first", "second"));
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-4", "first"));
    assert!(dashboard.shows("Close request  INC-3  2 of 3") && dashboard.shows("second"));
    dashboard.press("tab third ctrl-s");
    assert_eq!(dashboard.close(1), ("id-2", "third"));
    assert!(dashboard.model.overlays.is_empty(), "the last one was closed: what was skipped stays");
    assert_eq!(marked(&dashboard), ["INC-4", "INC-3", "INC-2"]);
    assert_eq!(typed(&dashboard, "INC-3"), "second");
}

#[test]
fn one_text_closes_all_and_each_has_its_own_call_and_result() {
    let mut dashboard = four();
    dashboard.press("* c ctrl-r");
    for text in ["Close 4 requests  one text for all", "INC-1", "INC-2", "INC-3", "INC-4"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("'Add-in removed.' ctrl-s");
    let sent: Vec<_> = (0..4).map(|index| dashboard.close(index)).collect();
    let text = "Add-in removed.";
    assert_eq!(sent, [("id-4", text), ("id-3", text), ("id-2", text), ("id-1", text)]);
    assert!(dashboard.model.overlays.is_empty());
    dashboard.closed().closed().fails(CallError::declined(), "Not today.").closed();
    assert_eq!(
        dashboard.notice(),
        "3 of 4 requests closed; not seen closed: MMD-2 (INC-2) · hint: each row says why; its text is kept"
    );
    assert_eq!(dashboard.list(), ["> INC-2 open"]);
    assert_eq!(typed(&dashboard, "INC-2"), text, "it can be closed again without typing");
    assert!(dashboard.shows("Not today."), "{}", dashboard.screen());
}

#[test]
fn all_that_are_closed_are_told_in_one_line() {
    let mut dashboard = four();
    dashboard.press("* c ctrl-r Done ctrl-s").closed().closed().closed();
    assert!(!dashboard.notice().contains("4 requests"));
    dashboard.closed();
    assert_eq!(dashboard.notice(), "4 requests closed");
}

#[test]
fn five_closes_run_four_at_once_and_the_fifth_can_be_taken_back() {
    let mut dashboard = four();
    dashboard.open("INC-5 MMD-5 Five");
    dashboard.press("* c ctrl-r Done ctrl-s");
    assert_eq!(dashboard.calls().len(), 4);
    assert!(dashboard.shows("waiting"), "{}", dashboard.screen());
    dashboard.press("G x");
    assert_eq!(dashboard.row("INC-1").state, RowState::Open, "{}", dashboard.screen());
    dashboard.closed().closed().closed().closed();
    assert!(dashboard.calls().is_empty());
    assert!(dashboard.notice().starts_with("4 of 5 requests closed"), "{}", dashboard.notice());
}

#[test]
fn text_of_its_own_is_not_replaced_by_the_one_for_all() {
    let mut dashboard = four();
    dashboard.press("j c own esc * c ctrl-r");
    assert!(dashboard.prose().contains("INC-3 MMD-3 keeps its own text"), "{}", dashboard.screen());
    dashboard.press("shared ctrl-s");
    let texts: Vec<_> = (0..4).map(|index| dashboard.close(index).1).collect();
    assert_eq!(texts, ["shared", "own", "shared", "shared"]);
}

#[test]
fn closing_all_with_one_text_counts_only_once_it_was_drawn() {
    let mut dashboard = four();
    dashboard.press("* c").press("done").burst("ctrl-r ctrl-s");
    assert!(dashboard.calls().is_empty());
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.calls().len(), 4);
    let mut dashboard = four();
    dashboard.press("* c done").burst("ctrl-s ctrl-s");
    assert_eq!(dashboard.calls().len(), 1, "nor does the next dialog");
}

#[test]
fn esc_leaves_them_all_and_keeps_marks_and_texts() {
    let mut dashboard = four();
    dashboard.press("* c one tab two esc");
    assert!(dashboard.model.overlays.is_empty() && dashboard.calls().is_empty());
    assert_eq!(marked(&dashboard).len(), 4);
    assert_eq!((typed(&dashboard, "INC-4").as_str(), typed(&dashboard, "INC-3").as_str()), ("one", "two"));
    dashboard.press("esc c");
    assert!(dashboard.shows("Close request  INC-4 ") && !dashboard.shows("1 of 4"), "{}", dashboard.screen());
}

#[test]
fn what_cannot_be_closed_is_left_out_and_said() {
    let mut dashboard = four();
    dashboard.press("n INC-9 esc * c");
    assert_eq!(dashboard.notice(), "1 of them is not open, and left out");
    assert!(dashboard.shows("1 of 4"), "{}", dashboard.screen());
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-9 esc space c");
    assert_eq!(dashboard.notice(), "Nothing to do: none of the marked requests can be closed");
    dashboard.press("esc").press("c");
    assert_eq!(dashboard.notice(), "Nothing to do: it was never opened");
}

#[test]
fn request_that_ends_meanwhile_is_passed_over() {
    let mut dashboard = four();
    dashboard.press("space space space c Done ctrl-s tab Done ctrl-s");
    assert_eq!(dashboard.calls().len(), 2);
    assert!(dashboard.model.overlays.is_empty(), "INC-3 was skipped, and INC-2 was the last");
    let mut dashboard = four();
    dashboard.press("r space space c one");
    let ended = closed(dashboard.row("INC-3").request.unwrap().clone(), "ana@partner.example", start());
    let check = CallResult::Checked {
        listed: vec![ended],
        missing: Vec::new(),
        gaps: Gaps::default(),
        surplus: Vec::new(),
        at: start(),
    };
    dashboard.reply_to(0, Ok(check)).press("ctrl-s");
    assert!(dashboard.model.overlays.is_empty(), "{}", dashboard.screen());
    assert_eq!((dashboard.calls().len(), dashboard.close(0).0), (1, "id-4"));
}

#[test]
fn opened_by_mistake_is_closed_with_that_text() {
    let mut dashboard = four();
    dashboard.press("u");
    assert_eq!(typed(&dashboard, "INC-4"), "Opened by mistake; nothing was done on the device.");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Close(_)]));
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-4", "Opened by mistake; nothing was done on the device."));
    dashboard.closed().press("c 'was here ' esc u");
    assert_eq!(typed(&dashboard, "INC-3"), "was here Opened by mistake; nothing was done on the device.");
    dashboard.press("ctrl-z");
    assert_eq!(typed(&dashboard, "INC-3"), "was here ", "it is one step that can be undone");
    dashboard.press("esc u esc u");
    assert_eq!(typed(&dashboard, "INC-3").matches("mistake").count(), 1);
    dashboard.press("esc 2 u");
    assert!(dashboard.notice().starts_with("Nothing to do: only one's own"), "{}", dashboard.notice());
    dashboard = four();
    dashboard.burst("u ctrl-s");
    assert!(dashboard.calls().is_empty(), "the question was not drawn yet");
}

#[rstest]
fn the_pictures_of_closing_several(
    #[values((200, 60), (120, 36), (80, 24), (60, 20), (40, 10))] (columns, rows): (u16, u16),
) {
    let mut dashboard = four();
    dashboard.resize(columns, rows).press("space space space");
    dashboard.looks_like(&format!("{columns}x{rows}-marked"));
    dashboard.press("c 'Licence cache cleared.'");
    dashboard.looks_like(&format!("{columns}x{rows}-close-first-of-three"));
    dashboard.press("ctrl-r");
    dashboard.looks_like(&format!("{columns}x{rows}-close-with-one-text"));
}
