//! What is seen of a write under way, of a close that is read back, and of what others did meanwhile.

use jiff::SignedDuration;
use mmd_elevate::dashboard::{Closure, Effect, RowState};
use mmd_elevate_core::{Call, CallError, CallResult, MatchResult, Progress, ReadBack, Untrusted, WriteId};
use rstest::rstest;

use crate::support::{
    dashboard::{DRAFT, Dashboard, closed, fault, start},
    record::{checked, held},
};

const ONE: &str = "INC-1 MMD-1 Excel";

fn one() -> Dashboard {
    Dashboard::with_open(&[ONE])
}

fn throttled_at(columns: u16, rows: u16) -> Dashboard {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.press(DRAFT).press("ctrl-s");
    dashboard.progress(0, Progress::Recorded(WriteId(1)));
    let retry_after = Some(std::time::Duration::from_secs(20));
    let fault = fault(CallError::throttled(retry_after), "");
    dashboard
        .progress(0, Progress::Waiting { until: start() + SignedDuration::from_secs(20), attempt: 2, error: fault });
    dashboard
}

#[rstest]
fn the_pictures_of_a_write_under_way(#[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16)) {
    let picture = |dashboard: &Dashboard, name: &str| dashboard.looks_like(&format!("{columns}x{rows}-{name}"));
    let mut dashboard = throttled_at(columns, rows);
    dashboard.after(5);
    picture(&dashboard, "throttled");
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.open(ONE);
    let mut verified = dashboard.clone();
    verified.press("c Done ctrl-s").reply_to(0, Ok(by_me()));
    verified.press("4 enter");
    picture(&verified, "verified");
    dashboard.press("c Done esc r").reply_to(0, Ok(by_another()));
    picture(&dashboard, "closed-elsewhere");
}

/// What the service says of a close that it shows.
fn by_me() -> CallResult {
    let mut request = closed(held(ONE, "id-1"), "agent@partner.example", start());
    request.actions_taken = Untrusted::new("Done");
    CallResult::Closed(ReadBack::Verified(Box::new(request)))
}

fn by_another() -> CallResult {
    checked(vec![closed(held(ONE, "id-1"), "other@partner.example", start())], &["id-2"], start())
}

#[test]
fn a_throttled_create_waits_visibly_and_can_be_abandoned() {
    let mut dashboard = throttled_at(120, 36);
    assert_eq!(dashboard.list(), ["> INC-10442 sending"]);
    for text in ["asks to wait 20 s", "it goes out again by itself at 14:02:20; x on its row abandons it"] {
        assert!(dashboard.notice().contains(text), "{}", dashboard.notice());
    }
    dashboard.press("s s s s s enter");
    assert!(dashboard.prose().contains("It goes out again at 14:02:20, attempt 2; x abandons it."));
    dashboard.press("x");
    let id = dashboard.calls()[0].0;
    assert_eq!(dashboard.take_effects(), [Effect::Abandon(id)]);
    assert_eq!(dashboard.list(), ["> INC-10442 sending"], "it is not over before its reply");
    dashboard.fails(CallError::abandoned(false), "");
    assert_eq!(dashboard.form()[0], "INC-10442", "nothing was sent: the draft is back");
    assert_eq!(dashboard.list(), ["> INC-10442 draft"]);
}

#[test]
fn abandoned_in_flight_it_is_unknown_and_looked_for() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s").progress(0, Progress::Recorded(WriteId(1)));
    dashboard.press("x");
    let id = dashboard.calls()[0].0;
    assert_eq!(dashboard.take_effects(), [Effect::Abandon(id)]);
    let abandoned = fault(CallError::abandoned(true), "");
    dashboard.progress(0, Progress::Looking(abandoned.clone()));
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
    dashboard.reply_to(0, Ok(CallResult::Looked { seen: MatchResult::NotSeen, at: start(), error: abandoned }));
    assert!(dashboard.notice().contains("not seen at 14:02:00"), "{}", dashboard.notice());
    dashboard.press("enter");
    assert!(dashboard.prose().contains("It was abandoned after it may have been sent."), "{}", dashboard.screen());
}

#[test]
fn where_no_call_is_under_way_there_is_nothing_to_abandon() {
    let mut dashboard = one();
    dashboard.press("x");
    assert_eq!(dashboard.notice(), "Nothing to do: no call is under way for this request");
    assert_eq!(dashboard.take_effects(), []);
}

#[test]
fn a_close_that_the_service_shows_is_verified_with_who_and_when() {
    let mut dashboard = one();
    dashboard.press("c Done ctrl-s").progress(0, Progress::ReadingBack);
    assert!(dashboard.shows("The service took the close; it is being read back."));
    dashboard.reply_to(0, Ok(by_me()));
    let told = "Request closed: MMD-1 (INC-1), verified, by agent@partner.example at 2026-11-22 14:02";
    assert_eq!(dashboard.notice(), told);
    dashboard.press("4");
    for text in ["✓ closed, verified", "2026-11-22 14:02 (2026-11-22T14:02:00Z) by agent@partner.example", "Done"] {
        assert!(dashboard.prose().contains(text), "{text}\n{}", dashboard.screen());
    }
}

#[test]
fn a_close_that_it_does_not_show_yet_says_so() {
    let mut dashboard = one();
    dashboard.press("c Done ctrl-s").accepted();
    assert!(
        dashboard.notice().starts_with("Close of MMD-1 (INC-1): accepted, not yet visible"),
        "{}",
        dashboard.notice()
    );
    assert!(dashboard.shows("◌ accepted, not yet visible"), "{}", dashboard.screen());
}

#[test]
fn already_closed_shows_who_and_when_and_that_the_text_was_not_stored() {
    let mut dashboard = one();
    dashboard.press("c 'What I did' ctrl-s");
    let request = closed(held(ONE, "id-1"), "other@partner.example", start());
    dashboard.progress(0, Progress::ClosedBy(Box::new(request)));
    dashboard.fails(CallError::already_closed(), "");
    let screen = dashboard.prose();
    for text in ["Closed by other@partner.example at", "The service did not store what you typed", "What I did"] {
        assert!(screen.contains(text), "{text}\n{}", dashboard.screen());
    }
    assert!(dashboard.notice().contains("By other@partner.example at 2026-11-22 14:02."), "{}", dashboard.notice());
}

#[test]
fn refreshing_shows_what_was_closed_elsewhere_with_the_text_that_nobody_stored() {
    let mut dashboard = Dashboard::with_open(&[ONE, "INC-2 MMD-2 Word"]);
    dashboard.press("j c 'half a text' esc r");
    let (_, Call::Check(asked)) = &dashboard.calls()[0] else { panic!() };
    assert_eq!(asked.len(), 2);
    dashboard.reply_to(0, Ok(by_another()));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Elsewhere));
    assert!(dashboard.notice().starts_with("Closed elsewhere: MMD-1 (INC-1), by other@partner.example at"));
    assert!(dashboard.shows("half a text") && dashboard.shows("Closed elsewhere"));
    dashboard.press("esc");
    assert_eq!(dashboard.list(), ["> INC-2 open"]);
    assert!(dashboard.shows("The service did not list it at 14:02:00."), "{}", dashboard.screen());
}

#[test]
fn a_refresh_that_fails_keeps_the_list_with_its_time() {
    let mut dashboard = one();
    let error = CallError::not_reached("refused").with_hint("check the network and the base URL, then look again");
    dashboard.after(300).press("r").fails(error, "");
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert!(dashboard.notice().contains("The open requests could not be checked"));
    let notice = dashboard.notice();
    assert!(notice.contains("refused") && notice.contains("hint: they are shown as they were seen last; "), "{notice}");
    assert!(notice.ends_with("check the network and the base URL, then look again"), "{notice}");
    assert!(dashboard.shows("as of 14:02:00"));
    dashboard
        .press("r")
        .reply_to(0, Ok(checked(vec![held(ONE, "id-1")], &[], start() + SignedDuration::from_secs(300))));
    assert!(dashboard.shows("as of 14:07:00"));
}

#[test]
fn a_close_under_way_is_not_touched_by_a_refresh() {
    let mut dashboard = one();
    dashboard.press("r c Done ctrl-s").reply_to(0, Ok(by_another()));
    assert_eq!(dashboard.list(), ["> INC-1 closing"]);
    dashboard.closed();
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));
}
