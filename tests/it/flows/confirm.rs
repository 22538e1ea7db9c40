//! A key that commits counts when what it answers has been seen: never in the read that raised it, never while it is
//! held, and never behind an Esc that came with it.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use mmd_elevate::{
    dashboard::{Overlay, Pane},
    keys::{BINDINGS, Key},
    terminal::Input,
};
use mmd_elevate_core::{Call, CallError, CallResult, MatchResult, Operation, Progress, WriteId};
use rstest::rstest;

use crate::support::{
    dashboard::{DRAFT, Dashboard, fault, start},
    record::held,
};

const LOOK_ALIKE: &str = "\u{41c}\u{41c}D-7Q2XK9";

/// A form whose device has a doubtful name.
fn doubtful() -> Dashboard {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-7 tab").paste(LOOK_ALIKE).press("tab Title tab Office tab Excel tab Plan");
    dashboard
}

/// A create whose outcome nobody knows, with one possible match.
fn unknown() -> Dashboard {
    let mut dashboard = Dashboard::new();
    dashboard.press(&format!("{DRAFT} ctrl-s")).progress(0, Progress::Recorded(WriteId(1)));
    let seen = MatchResult::Possible(vec![held("INC-1 MMD-1 Title", "id-1")]);
    dashboard.reply_to(0, Ok(CallResult::Looked { seen, at: start(), error: fault(CallError::timed_out(), "") }));
    dashboard
}

/// Two open requests, each with a text in its close dialog that was left.
fn two_with_texts() -> Dashboard {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    dashboard.press("g c 'Done one.' esc j c 'Done two.' esc");
    assert!(dashboard.calls().is_empty());
    dashboard
}

fn creates(dashboard: &Dashboard) -> usize {
    dashboard.calls().iter().filter(|(_, call)| matches!(call, Call::Send(Operation::Create(_)))).count()
}

#[rstest]
#[case::doubt(doubtful(), "ctrl-s ctrl-s ctrl-s")]
#[case::doubt_by_both_keys(doubtful(), "ctrl-s f2 ctrl-s f2")]
#[case::doubt_with_a_key_between(doubtful(), "ctrl-s end ctrl-s")]
#[case::send_again(unknown(), "enter s ctrl-s")]
#[case::send_again_by_the_other_key(unknown(), "enter s f2")]
#[case::adopt(unknown(), "enter a")]
#[case::set_aside(unknown(), "enter d")]
#[case::close_with_the_text_that_was_there(two_with_texts(), "c ctrl-s")]
#[case::close_after_a_move_of_the_cursor(two_with_texts(), "c end ctrl-s")]
#[case::leave(two_with_texts(), "q l")]
#[case::leave_after_a_look_at_the_help(two_with_texts(), "q f1 esc l")]
#[case::leave_asked_anew(two_with_texts(), "q esc q l")]
fn question_raised_and_answered_in_one_read_is_not_answered(#[case] mut dashboard: Dashboard, #[case] keys: &str) {
    dashboard.burst(keys);
    assert!(dashboard.calls().is_empty() && !dashboard.left(), "{:?}", dashboard.calls());
    assert!(dashboard.model.question().is_some(), "it still asks:\n{}", dashboard.screen());
}

#[test]
fn question_that_came_back_in_one_read_is_asked_anew() {
    let mut dashboard = two_with_texts();
    dashboard.press("q").burst("esc q l");
    assert!(!dashboard.left());
    assert!(dashboard.press("l").left(), "and answered once it has been seen");
}

#[rstest]
#[case(30)]
#[case(250)]
#[case(499)]
fn key_that_is_held_confirms_nothing_however_long(#[case] every: u64) {
    let held = |key: &str| [key; 40].join(" ");
    for key in ["ctrl-s", "f2"] {
        let mut dashboard = doubtful();
        dashboard.press_every(every, &held(key));
        assert!(dashboard.calls().is_empty(), "{key}");
        assert!(dashboard.notice().contains("Not sent yet"), "{}", dashboard.notice());
    }
    // The first of them answers what stands there, and none what comes by itself after it.
    let mut dashboard = two_with_texts();
    dashboard.press("q c").press_every(every, &held("ctrl-s"));
    assert_eq!(dashboard.calls().len(), 1);
    // A close that comes back is not sent again.
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s").fails(CallError::timed_out(), "");
    dashboard.press_every(every, &held("ctrl-s"));
    assert!(dashboard.calls().is_empty(), "{:?}", dashboard.calls());
}

#[test]
fn key_pressed_again_after_half_a_second_confirms() {
    let mut dashboard = doubtful();
    dashboard.press_every(700, "ctrl-s").press_every(499, "ctrl-s");
    assert_eq!(creates(&dashboard), 0);
    dashboard.press_every(500, "ctrl-s");
    assert_eq!(creates(&dashboard), 1, "the gap counts from the last press");
}

#[rstest]
#[case(doubtful(), "ctrl-s", "end ctrl-s")]
#[case(doubtful(), "ctrl-s", "f2")]
#[case(unknown(), "enter s", "ctrl-s")]
fn another_key_confirms_as_soon_as_the_question_was_drawn(
    #[case] mut dashboard: Dashboard,
    #[case] asks: &str,
    #[case] answers: &str,
) {
    dashboard.press(asks);
    assert_eq!(creates(&dashboard), 0);
    dashboard.press_every(20, answers);
    assert_eq!(creates(&dashboard), 1);
}

#[test]
fn typing_into_the_close_dialog_and_sending_it_in_one_read_closes() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.burst("c Done ctrl-s");
    assert_eq!(dashboard.close(0).1, "Done");
}

#[rstest]
#[case(doubtful(), "ctrl-s", KeyCode::Char('s'), KeyModifiers::CONTROL)]
#[case(doubtful(), "f2", KeyCode::F(2), KeyModifiers::NONE)]
#[case(two_with_texts(), "q", KeyCode::Char('l'), KeyModifiers::NONE)]
#[case(two_with_texts(), "q", KeyCode::Char('c'), KeyModifiers::NONE)]
#[case(unknown(), "enter", KeyCode::Char('d'), KeyModifiers::NONE)]
#[case(unknown(), "enter s", KeyCode::Char('s'), KeyModifiers::CONTROL)]
fn key_that_the_terminal_says_is_repeating_confirms_nothing(
    #[case] mut dashboard: Dashboard,
    #[case] asks: &str,
    #[case] code: KeyCode,
    #[case] modifiers: KeyModifiers,
) {
    dashboard.press(asks);
    for _ in 0..3 {
        dashboard.batch(vec![Input::Key(KeyEvent::new_with_kind(code, modifiers, KeyEventKind::Repeat))]);
    }
    assert!(dashboard.calls().is_empty() && !dashboard.left());
    assert!(dashboard.model.question().is_some());
}

#[test]
fn question_on_a_screen_that_is_too_small_for_it_is_not_answered() {
    let mut dashboard = two_with_texts();
    dashboard.resize(30, 8).press("q l");
    assert!(!dashboard.left());
    assert!(dashboard.resize(80, 24).press("l").left());
}

#[test]
fn what_comes_by_itself_is_not_dismissed_before_it_was_drawn() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s").fails(CallError::already_closed(), "");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Unsent(_)]));
    dashboard.press_every(20, "enter");
    assert!(dashboard.model.overlays.is_empty(), "seen, and another key than the one before");
    // It comes with what leaves the text: the same Esc does not take it away.
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s n").fails(CallError::already_closed(), "");
    dashboard.burst("esc esc esc");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Unsent(_)]), "{}", dashboard.screen());
    assert!(dashboard.press("esc").model.overlays.is_empty());
}

#[test]
fn no_action_that_commits_has_an_alt_chord_and_each_that_sends_has_two_keys() {
    for binding in BINDINGS.iter().filter(|binding| binding.action.commits()) {
        let keys: Vec<Key> = binding.keys.iter().map(|key| key.parse().unwrap()).collect();
        assert!(!keys.iter().any(|key| key.has_alt()), "{}", binding.id);
        if binding.keys.contains(&"ctrl-s") {
            assert_eq!(binding.keys, ["ctrl-s", "f2"], "{}", binding.id);
        }
    }
}

#[test]
fn esc_and_enter_that_arrive_as_one_leave_the_close_dialog_and_do_nothing_else() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c 'half a text' alt-enter");
    assert!(dashboard.calls().is_empty() && dashboard.model.overlays.is_empty());
    assert_eq!(dashboard.model.pane, Pane::List, "Enter opens nothing");
    assert!(dashboard.press("c").shows("half a text"), "{}", dashboard.screen());
}

#[rstest]
#[case("alt-s")]
#[case("ctrl-alt-s")]
#[case("alt-f2")]
#[case("alt-enter")]
fn key_that_commits_behind_an_esc_that_came_with_it_is_dropped(#[case] chord: &str) {
    // Esc leaves the help, and what is under it would be sent by the key.
    for asks in ["c Done f1", "q f1", "/ INC"] {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press(asks).press(chord);
        assert!(dashboard.calls().is_empty() && !dashboard.left(), "{asks} {chord}");
    }
    let mut dashboard = doubtful();
    dashboard.press("ctrl-s f1").press(chord);
    assert!(dashboard.calls().is_empty() && !dashboard.shows("Help"), "{chord}");
    let mut dashboard = unknown();
    dashboard.press("enter f1").press("alt-d");
    assert!(dashboard.calls().is_empty());
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Unknown(..)]), "the help alone was left");
}

#[test]
fn alt_chord_that_nothing_binds_is_esc_and_then_the_key() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    dashboard.press("/ INC-1 alt-k");
    assert_eq!(dashboard.list(), ["> INC-2 open", "INC-1 open"], "Esc clears the filter");
    dashboard.press("n x alt-j");
    assert_eq!(
        (dashboard.model.pane, dashboard.list()),
        (Pane::List, vec!["x draft".into(), "INC-2 open".into(), "> INC-1 open".into()])
    );
    dashboard.press("n alt-n y");
    assert_eq!(dashboard.form()[0], "xy");
    dashboard.press("alt-up");
    assert_eq!(
        (dashboard.model.pane, dashboard.list()),
        (Pane::List, vec!["xy draft".into(), "> INC-2 open".into(), "INC-1 open".into()])
    );
    // One that is bound is one key.
    dashboard.press("n ctrl-u 'one two' alt-b alt-d");
    assert_eq!(dashboard.form()[0], "one ");
}
