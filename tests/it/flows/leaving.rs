//! Leaving: the question, the dialogs in turn, and the way out at once.

use mmd_elevate::dashboard::{Effect, Overlay};
use mmd_elevate_core::{CallError, Event, Problem, Progress, WriteId};

use crate::support::dashboard::{DRAFT, Dashboard};

fn two() -> Dashboard {
    Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"])
}

fn asks(dashboard: &Dashboard) -> bool {
    dashboard.model.overlays.last() == Some(&Overlay::Quit)
}

#[test]
fn where_nothing_would_be_left_behind_nothing_is_asked() {
    for key in ["q", "ctrl-c"] {
        assert!(Dashboard::new().press(key).left());
    }
    let mut dashboard = two();
    dashboard.press("c Done ctrl-s j c Done ctrl-s").closed().closed();
    assert!(dashboard.press("q").left());
}

#[test]
fn what_would_be_left_behind_is_named() {
    let mut dashboard = two();
    dashboard.send("INC-3 MMD-3 Title");
    dashboard.fails(CallError::timed_out(), "").send("INC-4 MMD-4 Title");
    dashboard.progress(0, Progress::Recorded(WriteId(4)));
    dashboard.says(Event::NotSaved(Problem::new("The disk is full", "make room")));
    dashboard.press("n INC-5 esc q");
    for text in [
        "2 requests are open",
        "1 call is under way",
        "1 request may or may not be open",
        "2 drafts would be lost",
        "c close them",
        "l leave them",
        "Esc stay",
    ] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("esc");
    assert!(!asks(&dashboard) && !dashboard.left());
    assert!(dashboard.press("q l").left());
}

#[test]
fn dialogs_on_the_way_out_come_at_once_also_over_a_text() {
    let mut dashboard = two();
    dashboard.press("n INC-9 ctrl-c c");
    assert!(dashboard.shows("Close request"), "{}", dashboard.screen());
    assert_eq!(dashboard.form()[0], "INC-9");
    dashboard.press("esc / inc ctrl-c c");
    assert!(dashboard.shows("Close request"), "{}", dashboard.screen());
    assert_eq!(dashboard.model.requests.list().filter().text(), "inc");
}

#[test]
fn a_draft_that_is_kept_is_not_asked_about_and_one_that_is_not_offers_nothing_to_close() {
    assert!(Dashboard::new().press("n INC-1 esc q").left(), "the next start brings it back");
    let mut dashboard = Dashboard::new();
    dashboard.says(Event::NotSaved(Problem::new("The disk is full", "make room")));
    dashboard.press("n INC-1 esc q");
    assert!(asks(&dashboard) && !dashboard.shows("close them"));
    dashboard.press("c");
    assert!(asks(&dashboard) && !dashboard.left());
}

#[test]
fn closing_them_goes_through_the_dialogs_in_turn_and_leaves_when_all_is_done() {
    let mut dashboard = two();
    dashboard.press("q c");
    assert!(dashboard.shows("MMD-1") && dashboard.shows("Close request"));
    dashboard.press("first ctrl-s second ctrl-s");
    assert_eq!((dashboard.close(0), dashboard.close(1)), (("id-1", "first"), ("id-2", "second")));
    assert_eq!(dashboard.notice(), "Leaving as soon as the calls under way have ended");
    dashboard.closed();
    assert!(!dashboard.left());
    dashboard.closed();
    assert!(dashboard.left());
}

#[test]
fn leaving_a_dialog_on_the_way_out_means_to_stay() {
    let mut dashboard = two();
    dashboard.press("q c first esc");
    assert!(dashboard.model.overlays.is_empty() && !dashboard.left());
    dashboard.press("j c ctrl-s").closed();
    assert!(!dashboard.left() && dashboard.model.overlays.is_empty(), "nothing comes by itself any more");
}

#[test]
fn a_close_that_fails_on_the_way_out_is_asked_about_again() {
    let mut dashboard = two();
    dashboard.press("q c first ctrl-s second ctrl-s").closed();
    dashboard.press("j").fails(CallError::not_allowed(), "");
    assert!(asks(&dashboard) && !dashboard.left());
}

#[test]
fn a_text_that_was_not_stored_is_seen_before_the_end() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("q c Done ctrl-s").fails(CallError::already_closed(), "");
    assert!(!dashboard.left() && dashboard.shows("Already closed"));
    assert!(dashboard.press("esc").left());
}

#[test]
fn who_begins_another_request_on_the_way_out_stays() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("q c Done ctrl-s n INC-");
    dashboard.closed();
    dashboard.press("cl");
    assert_eq!(dashboard.form()[0], "INC-cl");
    assert!(!dashboard.left());
    dashboard.press("esc");
    assert!(!asks(&dashboard) && !dashboard.left());
    assert!(dashboard.press("q").left());
}

#[test]
fn ctrl_c_asks_and_a_second_within_two_seconds_leaves_at_once() {
    let mut dashboard = two();
    dashboard.press("ctrl-c");
    assert!(asks(&dashboard) && dashboard.notice().contains("Ctrl-C again leaves at once"));
    assert!(dashboard.after(2).press("ctrl-c").left());

    let mut dashboard = two();
    assert!(!dashboard.press("ctrl-c").after(3).press("ctrl-c").left());
    assert!(dashboard.press("ctrl-c").left());

    for keys in [DRAFT, "c typing", "/ typing", "f1", "q"] {
        let mut dashboard = two();
        assert!(dashboard.press(keys).press("ctrl-c ctrl-c").left(), "everywhere: {keys}");
    }
}

#[test]
fn ctrl_z_outside_text_suspends() {
    let mut dashboard = two();
    dashboard.press("ctrl-z tab ctrl-z");
    assert_eq!(dashboard.take_effects(), [Effect::Suspend, Effect::Suspend]);
    dashboard.press("n ctrl-z / ctrl-z");
    assert_eq!(dashboard.take_effects(), []);
}
