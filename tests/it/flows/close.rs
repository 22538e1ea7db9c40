//! Closing a request: the dialog, and what becomes of its text.

use mmd_elevate::dashboard::{Closure, Effect, Overlay, RowState};
use mmd_elevate_core::{CallError, CallResult, ReadBack};

use crate::support::dashboard::{Dashboard, created, opened, start};

fn one() -> Dashboard {
    Dashboard::with_open(&["INC-1 MMD-1 Excel"])
}

fn typed(dashboard: &Dashboard, ticket: &str) -> String {
    dashboard.row(ticket).actions_taken.as_ref().map_or_else(String::new, |text| text.text())
}

#[test]
fn the_dialog_names_its_target_and_sends_what_was_typed_for_its_id() {
    let mut dashboard = one();
    dashboard.press("c");
    for text in ["Close request", "INC-1", "MMD-1", "Excel", "Actions taken"] {
        assert!(dashboard.shows(text), "{text}");
    }
    dashboard.press("'Reset the add-in.' enter").paste("Two\r\nlines").press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-1", "Reset the add-in.\nTwo\nlines"));
    assert_eq!(dashboard.list(), ["> INC-1 closing"]);
    dashboard.closed();
    assert!(dashboard.list().is_empty(), "it leaves the open list");
    let told = "Request closed: MMD-1 (INC-1), verified, by agent@partner.example at 2026-11-22 14:02";
    assert_eq!(dashboard.notice(), told);
    dashboard.press("4");
    assert_eq!(dashboard.list(), ["> INC-1 closed"], "and stands among the closed ones");
    assert!(dashboard.shows("Reset the add-in."));
}

#[test]
fn actions_taken_must_say_something() {
    let mut dashboard = one();
    dashboard.press("c ctrl-s");
    assert!(dashboard.shows("say what was done on the device"));
    dashboard.press("space enter space f2");
    assert!(dashboard.shows("say what was done on the device"));
    assert!(dashboard.calls().is_empty());
    dashboard.press("x");
    assert!(!dashboard.shows("say what was done on the device"));
}

#[test]
fn leaving_the_dialog_keeps_its_text_for_each_request() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    dashboard.press("c second esc j c first esc");
    assert_eq!((typed(&dashboard, "INC-1").as_str(), typed(&dashboard, "INC-2").as_str()), ("first", "second"));
    dashboard.press("k c");
    assert!(dashboard.shows("second"));
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-2", "second"));
}

#[test]
fn a_request_that_is_gone_is_settled_and_its_text_stays_on_the_screen_with_a_key_to_copy_it() {
    for (kind, words, closure, title) in [
        (CallError::already_closed(), "This elevation request was already closed.", Closure::Already, "Already closed"),
        (CallError::no_such_request(), "This elevation request does not exist.", Closure::Gone, "Does not exist"),
    ] {
        let mut dashboard = one();
        dashboard.press("c 'What I did' enter").paste("a\u{202e}b").press("ctrl-s").fails(kind, words);
        assert_eq!(dashboard.row("INC-1").state, RowState::Closed(closure));
        for text in [title, words, "What I did", "The service did not store what you typed"] {
            assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
        }
        dashboard.press("y");
        let copied = Effect::Copy("What I did\na‹U+202E›b".to_owned());
        assert_eq!(dashboard.take_effects(), std::slice::from_ref(&copied));
        dashboard.press("esc 4 enter");
        assert!(dashboard.shows("Your text, which the service did not store") && dashboard.shows("What I did"));
        dashboard.press("t");
        assert_eq!(dashboard.take_effects(), [copied]);
    }
}

#[test]
fn a_text_that_was_not_stored_waits_until_nothing_is_being_typed() {
    let mut dashboard = one();
    dashboard.press("c Done ctrl-s n INC-2");
    dashboard.fails(CallError::already_closed(), "");
    assert!(!dashboard.shows("Already closed"));
    dashboard.press("tab MMD-2 esc");
    assert_eq!(dashboard.form()[..2], ["INC-2", "MMD-2"]);
    assert!(dashboard.shows("Already closed"));
}

#[test]
fn a_close_that_was_refused_brings_its_dialog_back_to_who_waits_for_it() {
    let mut dashboard = one();
    dashboard.press("c Done ctrl-s").fails(CallError::not_allowed(), "");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Close { .. }]));
    assert_eq!(dashboard.row("INC-1").state, RowState::Open);
    assert_eq!(typed(&dashboard, "INC-1"), "Done");
    assert!(dashboard.shows("The token does not allow this."));
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-1", "Done"));

    let mut dashboard = one();
    dashboard.press("c Done ctrl-s n").fails(CallError::not_allowed(), "");
    assert!(dashboard.model.overlays.is_empty(), "who has gone on is left alone");
    assert_eq!(typed(&dashboard, "INC-1"), "Done");
}

#[test]
fn a_close_of_which_nobody_knows_may_be_repeated() {
    let mut dashboard = one();
    dashboard.press("c Done ctrl-s j").fails(CallError::timed_out(), "");
    assert_eq!(dashboard.list(), ["> INC-1 unknown"]);
    assert!(dashboard.notice().contains("closing it again is harmless"), "{}", dashboard.notice());
    dashboard.press("c ctrl-s");
    assert_eq!(dashboard.close(0), ("id-1", "Done"));
    dashboard.fails(CallError::already_closed(), "");
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Already));
}

#[test]
fn a_reply_to_the_wrong_question_closes_nothing() {
    let mut dashboard = Dashboard::new();
    dashboard.send("INC-1 MMD-1 Excel");
    let answer = created(&dashboard.create(0), "x", start());
    dashboard.opened();
    dashboard.press("c Done ctrl-s").reply_to(0, Ok(opened(answer)));
    assert_eq!(dashboard.list(), ["> INC-1 unknown"]);
}

#[test]
fn what_cannot_be_closed_says_why() {
    let mut dashboard = Dashboard::new();
    dashboard.press("c");
    assert_eq!(dashboard.notice(), "Nothing to do: no request is selected");
    dashboard.send("INC-1 MMD-1 Excel");
    dashboard.press("c");
    assert_eq!(dashboard.notice(), "Nothing to do: it is still being sent");
    dashboard.opened().press("c Done ctrl-s c");
    assert_eq!(dashboard.notice(), "Nothing to do: it is being closed already");
    dashboard.closed().press("4 c");
    assert_eq!(dashboard.notice(), "Nothing to do: it is closed already");
    assert!(dashboard.model.overlays.is_empty());
}

#[test]
fn two_closes_run_at_once() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    dashboard.press("c two ctrl-s j c one ctrl-s");
    assert_eq!((dashboard.close(0), dashboard.close(1)), (("id-2", "two"), ("id-1", "one")));
    dashboard.reply_to(1, Ok(CallResult::Closed(ReadBack::NotYetVisible)));
    assert_eq!(dashboard.list(), ["INC-2 closing", "> INC-1 accepted"]);
    dashboard.closed();
    assert_eq!(dashboard.list(), ["> INC-1 accepted"]);
}
