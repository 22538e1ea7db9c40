//! What the agent sees of signing in, and what the key for it does.

use jiff::{SignedDuration, Timestamp};
use mmd_elevate::dashboard::Effect;
use mmd_elevate_core::{CallError, Event, Problem, SignIn};
use rstest::rstest;

use crate::support::dashboard::{DRAFT, Dashboard, start};

fn in_minutes(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}

fn wrong_secret() -> CallError {
    let what = "the client secret is wrong (AADSTS7000215)";
    CallError::sign_in_failed(&Problem::new(what, "get the secret's value, not its id"))
}

#[rstest]
#[case(SignIn::SigningIn, "signing in")]
#[case(SignIn::SignedIn { until: None }, "token set, not tried ")]
#[case(SignIn::SignedIn { until: Some(in_minutes(52)) }, "signed in, 52 min left")]
#[case(SignIn::SignedIn { until: Some(in_minutes(-3)) }, "signed in, 0 min left")]
#[case(SignIn::Renewing { until: Some(in_minutes(5)) }, "renewing, 5 min left")]
#[case(SignIn::Renewing { until: None }, "renewing")]
#[case(SignIn::NotRenewed { until: Some(in_minutes(4)), error: wrong_secret() }, "not renewed, 4 min left")]
#[case(SignIn::SignedOut(wrong_secret()), "signed out, L signs in")]
fn the_header_says_where_it_stands(
    #[case] sign_in: SignIn,
    #[case] words: &str,
    #[values((120, 36), (80, 24))] (columns, rows): (u16, u16),
) {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.says(Event::SignIn(sign_in));
    assert!(dashboard.screen().lines().next().unwrap().contains(words), "{}", dashboard.screen());
}

#[test]
fn minutes_go_by() {
    let mut dashboard = Dashboard::new();
    assert!(dashboard.shows("signed in, 52 min left"), "{}", dashboard.screen());
    dashboard.after(120);
    assert!(dashboard.shows("signed in, 50 min left"), "{}", dashboard.screen());
}

#[test]
fn a_narrow_header_keeps_what_has_to_be_known() {
    let mut dashboard = Dashboard::at(40, 12);
    for (sign_in, words) in [
        (SignIn::SignedOut(wrong_secret()), "signed out"),
        (SignIn::NotRenewed { until: Some(in_minutes(4)), error: wrong_secret() }, "4 min left"),
        (SignIn::SignedIn { until: Some(in_minutes(2)) }, "2 min left"),
    ] {
        dashboard.says(Event::SignIn(sign_in));
        assert!(dashboard.screen().lines().next().unwrap().contains(words), "{}", dashboard.screen());
    }
}

#[test]
fn who_is_signed_out_is_told_why_and_what_to_do_and_loses_nothing() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT);
    let form = dashboard.form();
    dashboard.says(Event::SignIn(SignIn::SignedOut(wrong_secret())));
    let notice = dashboard.notice();
    assert!(notice.contains("AADSTS7000215") && notice.contains("L signs in again"), "{notice}");
    assert_eq!(dashboard.form(), form);
    dashboard.press("ctrl-s").fails(wrong_secret(), "");
    assert_eq!(dashboard.form(), form, "a call that had no token gives its draft back");
}

#[test]
fn signing_in_is_asked_for_with_one_key_and_its_end_is_told() {
    let mut dashboard = Dashboard::new();
    dashboard.says(Event::SignIn(SignIn::SignedOut(wrong_secret()))).press("L");
    assert_eq!(dashboard.take_effects(), [Effect::SignIn]);
    dashboard.says(Event::SignIn(SignIn::SigningIn)).press("L");
    assert_eq!(dashboard.take_effects(), [], "once is enough");
    assert!(dashboard.notice().contains("under way"), "{}", dashboard.notice());
    dashboard.says(Event::SignIn(SignIn::SignedIn { until: Some(in_minutes(60)) }));
    assert_eq!(dashboard.notice(), "Signed in again");
    dashboard.press("n esc L");
    assert_eq!(
        dashboard.take_effects(),
        [Effect::SignIn],
        "also while the one there is holds: it may be too old a role"
    );
}

#[test]
fn a_renewal_is_quiet_and_a_failed_one_is_told_once() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC");
    let notice = dashboard.notice();
    dashboard.says(Event::SignIn(SignIn::Renewing { until: Some(in_minutes(5)) }));
    dashboard.says(Event::SignIn(SignIn::SignedIn { until: Some(in_minutes(60)) }));
    assert_eq!(dashboard.notice(), notice);
    let failed = SignIn::NotRenewed { until: Some(in_minutes(5)), error: wrong_secret() };
    dashboard.says(Event::SignIn(failed.clone()));
    assert!(dashboard.notice().contains("lasts until 14:07:00"), "{}", dashboard.notice());
    dashboard.press("esc y");
    let notice = dashboard.notice();
    dashboard.says(Event::SignIn(failed));
    assert_eq!(dashboard.notice(), notice, "it has been told");
}
