//! How long a notice stands, and that none is lost.

use mmd_elevate_core::{CallError, Event, Problem, SignIn};

use crate::support::dashboard::{Dashboard, fault};

#[test]
fn success_goes_with_the_next_key_or_after_five_seconds() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    assert_eq!(dashboard.notice(), "Opened for MMD-1 (INC-1)");
    let mut other = dashboard.clone();
    dashboard.press("k");
    assert_eq!(dashboard.notice(), "");
    other.after_millis(4_999);
    assert_eq!(other.notice(), "Opened for MMD-1 (INC-1)");
    other.after_millis(1);
    assert_eq!(other.notice(), "");
}

#[test]
fn failure_stays_until_its_cause_is_gone() {
    let mut dashboard = Dashboard::new();
    let error = CallError::sign_in_failed(&Problem::new("the client secret is wrong", "get another"));
    dashboard.says(Event::SignIn(SignIn::SignedOut(error)));
    dashboard.press("j k s").after(60);
    assert!(dashboard.notice().starts_with("Signed out: "), "{}", dashboard.notice());
    // Another notice stands before it, and goes.
    dashboard.press("y");
    assert!(dashboard.notice().starts_with("Nothing to do"), "{}", dashboard.notice());
    dashboard.press("j");
    assert!(dashboard.notice().starts_with("Signed out: "), "{}", dashboard.notice());
    dashboard.says(Event::SignIn(SignIn::SignedIn { until: None }));
    assert_eq!(dashboard.notice(), "Signed in again");
    dashboard.press("j");
    assert_eq!(dashboard.notice(), "");
}

#[test]
fn two_events_in_one_second_are_both_told_and_the_log_has_all_of_them_whole() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 One", "INC-2 MMD-2 Two"]);
    dashboard.after(10).press("c Done ctrl-s k j c Done ctrl-s k");
    let words = "word ".repeat(90);
    dashboard.fails(fault(CallError::declined(), words.trim()), words.trim());
    dashboard.closed();
    let screen = dashboard.screen();
    assert!(
        screen.contains("✗ Not closed: MMD-2 (INC-2)") && screen.contains("✓ Request closed: MMD-1 (INC-1)"),
        "{screen}"
    );
    dashboard.press("!");
    assert!(dashboard.shows("Notices") && dashboard.prose().contains(words.trim()), "{}", dashboard.screen());
    for text in ["14:02:10 ✗ Not closed: MMD-2", "14:02:10 ✓ Request closed", "14:02:00 ✓ Opened for MMD-1"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("!");
    assert!(dashboard.model.overlays.is_empty());
}

#[test]
fn long_words_of_the_service_are_cut_where_that_is_seen_and_the_hint_is_always_seen() {
    for (columns, rows) in [(200, 60), (120, 36), (80, 24), (60, 20), (40, 10)] {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.open("INC-1 MMD-1 One");
        dashboard.press("c Done ctrl-s k").fails(CallError::declined(), &"Because. ".repeat(50));
        assert!(dashboard.shows("hint: "), "{columns}x{rows}\n{}", dashboard.screen());
        let is_cut = dashboard.shows("(! shows all)") || dashboard.shows("…");
        assert!(is_cut, "{columns}x{rows}\n{}", dashboard.screen());
    }
}
