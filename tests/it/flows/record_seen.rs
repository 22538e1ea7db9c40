//! What the agent reads where a list was not seen whole, where an answer named another request, and of surplus.

use jiff::SignedDuration;
use mmd_elevate::dashboard::RowState;
use mmd_elevate_core::{Call, CallError, CallResult, Gaps, MatchResult, Problem, Progress, RequestId, WriteId};

use crate::support::{
    dashboard::{Dashboard, created, fault, opened, start},
    record::{checked, held},
};

const REQUEST: &str = "INC-10442 MMD-03690457680 Excel add-in crashes";

fn lost() -> CallError {
    fault(CallError::timed_out(), "")
}

fn looking() -> Dashboard {
    let mut dashboard = Dashboard::new();
    dashboard.send(REQUEST);
    dashboard.progress(0, Progress::Recorded(WriteId(7)));
    dashboard.progress(0, Progress::Looking(lost()));
    dashboard
}

fn unclear() -> CallResult {
    let cut = Some(Problem::new("the list could not be read: The service failed (HTTP 500).", "look later"));
    let seen = MatchResult::Unclear(Gaps { unreadable: 2, cut });
    CallResult::Looked { seen, at: start() + SignedDuration::from_secs(31), error: lost() }
}

#[test]
fn list_that_was_not_seen_whole_says_what_is_missing_and_never_not_seen() {
    let mut dashboard = looking();
    dashboard.reply_to(0, Ok(unclear()));
    let words = "2 entries could not be read; the list could not be read: The service failed (HTTP 500)";
    let notice = dashboard.notice();
    assert!(
        notice.starts_with("It is unknown whether the request for MMD-03690457680 (INC-10442) was opened: 2 entries"),
        "{notice}"
    );
    assert!(notice.contains(words) && notice.contains("hint: look later; Enter on its row decides"), "{notice}");
    dashboard.press("tab");
    assert!(dashboard.shows("Looked at 14:02:31, and it may be there unseen"), "{}", dashboard.screen());
    assert!(dashboard.shows("hint: look later"), "{}", dashboard.screen());
    dashboard.press("esc enter");
    assert!(dashboard.shows("Looked at 14:02:31, and it may be there unseen"), "{}", dashboard.screen());
    assert!(!dashboard.screen().to_lowercase().contains("not seen at"), "{}", dashboard.screen());
    for key in ["l look again", "s send again", "d set aside"] {
        assert!(dashboard.shows(key), "{key}");
    }
}

#[test]
fn answer_with_the_id_of_another_row_keeps_both_rows_and_the_text() {
    let mut dashboard = Dashboard::with_open(&[REQUEST]);
    dashboard.send("INC-2 MMD-2 Word");
    let request = created(&dashboard.create(0), "id-1", start());
    dashboard.reply_to(0, Ok(opened(request)));
    assert_eq!(dashboard.list(), ["> INC-2 unknown", "INC-10442 open"]);
    let notice = dashboard.notice();
    assert!(notice.contains("it has the id of another request that was opened from here"), "{notice}");
    dashboard.press("enter");
    assert!(dashboard.shows("Outcome unknown"), "{}", dashboard.screen());
}

#[test]
fn surplus_that_turns_out_to_be_the_own_request_becomes_its_row_with_the_text() {
    let mut dashboard = looking();
    let request = created(&dashboard.create(0), "id-1", start());
    let surplus = vec![created(&dashboard.create(0), "id-2", start())];
    dashboard.reply_to(0, Ok(CallResult::Created { request: Box::new(request), surplus }));
    dashboard.send(REQUEST);
    let own = created(&dashboard.create(0), "id-2", start());
    dashboard.progress(0, Progress::Recorded(WriteId(8)));
    dashboard.reply_to(0, Ok(opened(own)));
    assert_eq!(dashboard.list().len(), 2);
    let row = dashboard.model.requests.find(&RequestId::new("id-2").unwrap()).unwrap();
    assert_eq!((row.state, row.surplus, row.write), (RowState::Open, false, Some(WriteId(8))));
}

#[test]
fn request_sent_again_is_checked_for_what_the_first_may_have_made() {
    let mut dashboard = looking();
    let seen = MatchResult::NotSeen;
    dashboard.reply_to(0, Ok(CallResult::Looked { seen, at: start(), error: lost() }));
    dashboard.press("enter s ctrl-s").reply_to(0, Ok(CallResult::SetAside));
    let request = created(&dashboard.create(0), "id-2", start());
    dashboard.reply_to(0, Ok(opened(request.clone())));
    let Call::Check(asked) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked[0].0.raw(), "id-2");
    let CallResult::Checked { listed, missing, gaps, at, .. } = checked(vec![request], &[], start()) else { panic!() };
    // A service that does not filter lists it for each device that is asked for.
    let surplus = vec![held(REQUEST, "id-1"), held(REQUEST, "id-1")];
    dashboard.reply_to(0, Ok(CallResult::Checked { listed, missing, gaps, surplus, at }));
    assert_eq!(dashboard.list(), ["INC-10442 open", "> INC-10442 open"]);
    assert!(dashboard.notice().contains("1 more of the same"), "{}", dashboard.notice());
    assert_eq!(dashboard.model.remains().open, 2, "it is asked about on leaving");
}

#[test]
fn refresh_that_saw_a_part_says_so_and_leaves_the_rest_as_it_was() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    dashboard.press("r");
    let gaps = Gaps { unreadable: 1, cut: None };
    let (listed, missing) = (vec![held("INC-1 MMD-1 Excel", "id-1")], Vec::new());
    dashboard.reply_to(0, Ok(CallResult::Checked { listed, missing, gaps, surplus: Vec::new(), at: start() }));
    let notice = dashboard.notice();
    assert!(notice.starts_with("Not all open requests could be checked: 1 entry could not be read"), "{notice}");
    assert_eq!(dashboard.list(), ["> INC-2 open", "INC-1 open"]);
    assert!(!dashboard.screen().contains("did not list it"), "{}", dashboard.screen());
}

#[test]
fn listing_before_a_repeat_is_shown() {
    let mut dashboard = Dashboard::new();
    dashboard.send(REQUEST);
    dashboard.progress(0, Progress::Recorded(WriteId(7))).progress(0, Progress::LookingFirst);
    assert_eq!(dashboard.list(), ["> INC-10442 sending"]);
    dashboard.press("tab");
    assert!(dashboard.prose().contains("The device is listed before it goes out again."), "{}", dashboard.screen());
}

#[test]
fn reason_why_a_close_could_not_be_read_back_is_told() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s").progress(0, Progress::NotRead(fault(CallError::not_signed_in(), "")));
    dashboard.fails(CallError::timed_out(), "");
    let notice = dashboard.notice();
    assert!(notice.contains("The list could not be read: The service does not accept the token."), "{notice}");
    dashboard.press("esc tab");
    assert!(dashboard.shows("The list could not be read"), "{}", dashboard.screen());
}
