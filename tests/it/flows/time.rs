//! The clock: what the dashboard says of time, and when it has to be drawn again.

use std::time::Duration;

use mmd_elevate_core::{Progress, WriteId};

use crate::support::dashboard::Dashboard;

#[test]
fn nothing_is_due_before_the_minute_while_nothing_is_under_way() {
    let mut dashboard = Dashboard::new();
    assert_eq!(dashboard.wakes_in(), Duration::from_secs(60));
    dashboard.after(59);
    assert_eq!(dashboard.wakes_in(), Duration::from_secs(1));
    assert!(dashboard.shows("14:02"));
    dashboard.after(1);
    assert!(dashboard.shows("14:03"));
}

#[test]
fn a_call_that_takes_longer_than_three_seconds_says_so() {
    let mut dashboard = Dashboard::new();
    dashboard.send("INC-1 MMD-1 Excel");
    dashboard.progress(0, Progress::Recorded(WriteId(1)));
    assert_eq!(dashboard.wakes_in(), Duration::from_millis(300), "its history is read");
    dashboard.after_millis(300);
    assert_eq!(dashboard.wakes_in(), Duration::from_millis(2_700));
    dashboard.after_millis(1_700);
    assert!(!dashboard.shows("Still"));
    assert_eq!(dashboard.wakes_in(), Duration::from_secs(1));
    dashboard.after(1);
    assert!(dashboard.shows("Still opening a request for MMD-1 (INC-1) after 3 s"));
    assert_eq!(dashboard.wakes_in(), Duration::from_secs(1), "its seconds are shown");
    dashboard.after(7);
    assert!(dashboard.shows("after 10 s"));
    dashboard.opened();
    assert!(!dashboard.shows("Still"));
    assert_eq!(dashboard.wakes_in(), Duration::from_millis(500), "its draft has ended, and the record hears of it");
    dashboard.after(1);
    assert_eq!(dashboard.wakes_in(), Duration::from_secs(4), "a success stands for five seconds");
    dashboard.after(4);
    assert_eq!((dashboard.wakes_in(), dashboard.notice()), (Duration::from_secs(45), String::new()));
}

#[test]
fn a_slow_call_says_so_whatever_was_said_before() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s").after(3);
    assert!(dashboard.shows("Still closing MMD-1 (INC-1) after 3 s"), "{}", dashboard.screen());
    dashboard.press("s").after(1);
    assert!(dashboard.shows("Sorted oldest first"));
    assert!(dashboard.shows("Still closing MMD-1 (INC-1) after 4 s"), "{}", dashboard.screen());
}

#[test]
fn of_several_slow_calls_the_oldest_is_named() {
    let mut dashboard = Dashboard::new();
    dashboard.send("INC-1 MMD-1 Excel");
    dashboard.after(2).send("INC-2 MMD-2 Word");
    dashboard.after(3);
    assert!(dashboard.shows("Still opening a request for MMD-1 (INC-1) after 5 s"));
    assert!(dashboard.shows("2 in flight"));
}

#[test]
fn ages_grow_by_the_minute() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    assert!(dashboard.shows("<1 min"));
    dashboard.after(60);
    assert!(dashboard.shows(" 1 min"));
    dashboard.after(3 * 3_600);
    assert!(dashboard.shows(" 3 h"));
    assert!(dashboard.shows("as of 14:02:00"), "what came from the service says when");
}

/// What may happen to a clock: an hour or a year, forward or back, and to the ends of what it can say.
const STEPS: [i64; 6] = [-3_600, 3_600, -31_536_000, 31_536_000, -60_000_000_000, 200_000_000_000];

#[test]
fn slow_call_with_a_clock_that_is_set_is_named_after_three_seconds() {
    for step in STEPS {
        let mut dashboard = Dashboard::new();
        dashboard.send("INC-1 MMD-1 Excel");
        dashboard.progress(0, Progress::Recorded(WriteId(1)));
        dashboard.after(1).clock_is_set(step).after(1);
        assert!(!dashboard.shows("Still"), "{step}");
        assert_eq!(dashboard.wakes_in(), Duration::from_secs(1), "{step}");
        dashboard.after(1);
        assert!(dashboard.shows("Still opening a request for MMD-1 (INC-1) after 3 s"), "{step}");
        dashboard.clock_is_set(-step).after(1);
        assert!(dashboard.shows("after 4 s"), "{step}");
    }
}

#[test]
fn second_ctrl_c_with_a_clock_that_is_set_leaves_within_two_seconds_and_not_after() {
    for step in STEPS {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press("ctrl-c").after(1).clock_is_set(step).press("ctrl-c");
        assert!(dashboard.left(), "{step}");
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press("ctrl-c").after(3).clock_is_set(step).press("ctrl-c");
        assert!(!dashboard.left(), "{step}");
    }
}

#[test]
fn shown_time_follows_the_clock_that_is_set() {
    let mut dashboard = Dashboard::new();
    dashboard.clock_is_set(-3_600).after(1);
    assert!(dashboard.shows("13:02"));
    for step in STEPS {
        dashboard.clock_is_set(step).after(1).clock_is_set(-step);
        assert!(dashboard.wakes_in() <= Duration::from_secs(60), "{step}");
    }
}
