//! A dashboard that opens and closes nothing: what it cannot do, what it says, and that it only looks at what was left.

use mmd_elevate::{
    dashboard::{Pane, RowState},
    keys::{Action, BINDINGS},
};
use mmd_elevate_core::{Call, CallError, CallResult, Event, MatchResult, Problem, Recovered, SignIn, WriteId};
use rstest::rstest;

use crate::support::{
    dashboard::{Dashboard, fault, opened, start},
    record::{everything, held},
};

fn read_only(columns: u16, rows: u16, recovered: Recovered) -> Dashboard {
    let mut dashboard = Dashboard::opening(columns, rows);
    dashboard.model.read_only = true;
    dashboard.recovered(recovered);
    dashboard
}

fn with_open(columns: u16, rows: u16) -> Dashboard {
    let open = vec![held("INC-1 MMD-1 Excel", "id-1"), held("INC-2 MMD-2 Word", "id-2")];
    let mut dashboard = read_only(columns, rows, Recovered { open, ..Recovered::default() });
    dashboard.press("enter");
    dashboard
}

/// Whether nothing was handed over that sends or settles a write.
fn only_reads(dashboard: &Dashboard) -> bool {
    dashboard.calls().iter().chain(dashboard.reads()).all(|(_, call)| call.only_reads())
}

#[rstest]
fn read_only_is_said_on_every_screen(
    #[values((200, 60), (120, 36), (80, 24), (60, 20), (60, 16), (60, 15), (40, 10), (40, 8))] (columns, rows): (
        u16,
        u16,
    ),
    #[values(false, true)] has_trouble: bool,
    #[values(false, true)] practice: bool,
) {
    let mut dashboard = with_open(columns, rows);
    dashboard.model.tenant.practice = practice;
    if has_trouble {
        let error = CallError::sign_in_failed(&Problem::new("the client secret is wrong", "get another"));
        dashboard.says(Event::SignIn(SignIn::SignedOut(error)));
    }
    for keys in ["", "enter", "esc", "2", "?", "esc", ":", "esc", "!", "esc", "q"] {
        dashboard.press(keys);
        assert!(dashboard.shows("READ-ONLY"), "{keys}\n{}", dashboard.screen());
    }
    assert_eq!(dashboard.model.title(), "Contoso (read-only): 2 open · oldest <1 min - mmd-elevate");
}

#[rstest]
fn read_only_dashboard_looks_so(#[values((120, 36), (80, 24), (60, 20), (40, 10))] (columns, rows): (u16, u16)) {
    let dashboard = with_open(columns, rows);
    dashboard.looks_like(&format!("{columns}x{rows}-read-only"));
    if rows >= 24 {
        let recovery = read_only(columns, rows, everything());
        recovery.looks_like(&format!("{columns}x{rows}-read-only-recovery"));
    }
}

#[test]
fn every_key_that_writes_does_nothing_and_says_why() {
    let why = "this dashboard is read-only";
    for (keys, key) in [("", "n"), ("", "c"), ("enter", "c"), ("2", "c"), ("4", "n"), ("", "d")] {
        let mut dashboard = with_open(120, 36);
        dashboard.press(keys);
        let (pane, overlays) = (dashboard.model.pane, dashboard.model.overlays.clone());
        dashboard.press(key);
        assert_eq!(dashboard.notice(), format!("Nothing to do: {why}"), "{keys} {key}");
        assert_eq!((dashboard.model.pane, &dashboard.model.overlays), (pane, &overlays), "{keys} {key}");
        assert!(only_reads(&dashboard));
        assert!(!dashboard.footer().contains(" n new ") && !dashboard.footer().contains(" c close "));
    }
    let dashboard = with_open(120, 36);
    for action in BINDINGS.iter().map(|binding| binding.action).filter(|action| action.writes()) {
        assert_eq!(dashboard.model.unavailable(action), Some(why), "{action:?}");
    }
    for binding in BINDINGS.iter().filter(|binding| binding.action.commits()) {
        let leaves = matches!(binding.action, Action::LeaveThem | Action::Perform);
        assert!(leaves || binding.action.writes(), "{}", binding.id);
    }
    let mut dashboard = with_open(120, 36);
    dashboard.press(": 'close the'");
    assert!(dashboard.shows(&format!("not now: {why}")), "{}", dashboard.screen());
    dashboard.press("enter esc").paste("INC-3 MMD-3");
    assert_eq!(dashboard.model.pane, Pane::List);
    assert_eq!(dashboard.notice(), format!("There is no text field to paste into: {why}"));
}

#[test]
fn leaving_open_requests_behind_is_asked_and_closing_them_is_not_offered() {
    let mut dashboard = with_open(120, 36);
    dashboard.press("q");
    assert!(dashboard.shows("Leave?") && !dashboard.shows("c close them"), "{}", dashboard.screen());
    dashboard.press("c");
    assert!(only_reads(&dashboard) && dashboard.shows("Leave?"));
    assert!(dashboard.press("l").left());
}

#[test]
fn what_was_left_behind_is_looked_up_and_nothing_is_sent() {
    let mut dashboard = read_only(120, 36, everything());
    let calls: Vec<_> = dashboard.calls().iter().map(|(_, call)| call.clone()).collect();
    let [Call::Look(WriteId(1)), Call::Look(WriteId(2)), Call::Check(_)] = &calls[..] else { panic!("{calls:?}") };
    dashboard.press("enter");
    let request = held("INC-10442 MMD-03690457680 Excel add-in crashes", "id-found");
    dashboard.reply_to(0, Ok(opened(request)));
    assert_eq!(dashboard.row("INC-10442").state, RowState::Open);
    assert!(only_reads(&dashboard));
}

#[test]
fn drafts_of_earlier_runs_are_shown_in_rows_and_cannot_be_changed() {
    let mut dashboard = read_only(120, 36, everything());
    dashboard.press("enter");
    let list = dashboard.list();
    for draft in ["INC-10470 draft", "INC-10480 draft"] {
        assert!(list.iter().any(|line| line.ends_with(draft)), "{list:?}");
    }
    assert!(dashboard.model.form.is_empty(), "no draft is where no key goes");
    while !dashboard.list().iter().any(|line| line == "> INC-10470 draft") {
        dashboard.press("j");
    }
    dashboard.press("enter");
    assert_eq!(dashboard.model.pane, Pane::Details);
    for text in ["INC-10470", "MMD-00000000030", "Printer queue hangs", "Start it."] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("x y z");
    assert_eq!(dashboard.model.pane, Pane::Details);
    let form = dashboard.row("INC-10470").draft.unwrap().clone();
    assert_eq!(form, crate::support::record::draft("INC-10470 MMD-00000000030 Printer queue hangs"));
}

#[test]
fn unknown_outcome_can_be_looked_up_again_and_nothing_else() {
    let lost = crate::support::record::lost_create(1, "INC-1 MMD-1 Excel");
    let mut dashboard = read_only(120, 36, Recovered { unresolved: vec![lost], ..Recovered::default() });
    let seen = MatchResult::Possible(vec![held("INC-1 MMD-1 Excel", "id-1")]);
    let error = fault(CallError::timed_out(), "");
    dashboard.reply_to(0, Ok(CallResult::Looked { seen, at: start(), error }));
    dashboard.press("enter").press("enter");
    assert!(dashboard.shows("l look again"), "{}", dashboard.screen());
    for (key, label) in [("a", "it is this one"), ("s", "send again"), ("d", "set aside"), ("c", "close it")] {
        assert!(!dashboard.shows(&format!("{key} {label}")), "{label}\n{}", dashboard.screen());
        dashboard.press(key);
        assert!(dashboard.calls().is_empty(), "{key}");
    }
    dashboard.press("l");
    assert!(matches!(dashboard.calls(), [(_, Call::Look(WriteId(1)))]));
}
