//! What is shown of a close that the service took, until a list shows it; and of one whose text is stored in another form.

use jiff::SignedDuration;
use mmd_elevate::dashboard::{Closure, Effect, Overlay, RowState};
use mmd_elevate_core::{
    Call, CallError, CallResult, ElevationRequest, Field, Progress, ReadBack, Recovered, Untrusted, WriteRecord,
    WriteState,
};
use rstest::rstest;

use crate::support::{
    dashboard::{Dashboard, closed, fault, start},
    record::{checked, held, lost_close},
};

const ONE: &str = "INC-1 MMD-1 Excel";

fn accepted() -> Dashboard {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    dashboard.press("c Done ctrl-s").accepted();
    dashboard
}

fn as_closed(text: &str) -> ElevationRequest {
    let request = closed(held(ONE, "id-1"), "agent@partner.example", start());
    ElevationRequest { actions_taken: Untrusted::new(text), ..request }
}

fn listed(request: ElevationRequest, minutes: i64) -> CallResult {
    checked(vec![request], &[], start() + SignedDuration::from_mins(minutes))
}

fn typed(dashboard: &Dashboard) -> String {
    dashboard.row("INC-1").actions_taken.as_ref().map_or_else(String::new, |text| text.text())
}

#[test]
fn accepted_close_not_seen_closed_stays_in_list_and_quit_question() {
    let mut dashboard = accepted();
    assert_eq!(dashboard.list(), ["> INC-1 accepted"]);
    assert!(dashboard.notice().contains("accepted, not yet visible"), "{}", dashboard.notice());
    assert!(dashboard.shows("accepted, not yet visible") && !dashboard.shows("✓"), "{}", dashboard.screen());
    dashboard.press("q");
    assert!(matches!(dashboard.model.overlays.last(), Some(Overlay::Quit)) && !dashboard.left());
    assert!(dashboard.shows("1 close was accepted and is not visible yet"), "{}", dashboard.screen());
    assert!(!dashboard.shows("close them"), "it has been closed once");
    dashboard.press("esc r");
    let (_, Call::Check(asked)) = &dashboard.calls()[0] else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked.len(), 1, "refreshing looks at it");
    assert_eq!(typed(&dashboard), "Done", "its text is kept");
}

#[test]
fn accepted_close_that_a_list_shows_ends_as_verified() {
    let mut dashboard = accepted();
    dashboard.press("r").reply_to(0, Ok(listed(as_closed("Done"), 1)));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));
    let told = "Request closed: MMD-1 (INC-1), verified, by agent@partner.example at 2026-11-22 14:02";
    assert_eq!(dashboard.notice(), told);
    assert!(dashboard.list().is_empty() && dashboard.model.remains().nothing());
    assert!(dashboard.press("q").left());
}

#[test]
fn accepted_close_still_listed_as_open_says_so_and_can_be_closed_again() {
    let mut dashboard = accepted();
    dashboard.press("r").reply_to(0, Ok(listed(held(ONE, "id-1"), 7)));
    assert_eq!(dashboard.list(), ["> INC-1 accepted"]);
    assert!(
        dashboard.notice().starts_with("Close accepted, but still listed as open at 14:09"),
        "{}",
        dashboard.notice()
    );
    assert!(dashboard.shows("still listed as open at 14:09"), "{}", dashboard.screen());
    dashboard.press("c");
    assert!(dashboard.shows("Done"), "the dialog offers the text");
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0), ("id-1", "Done"));
    dashboard.fails(CallError::not_accepted(409, None), "Conflict.").press("esc");
    assert_eq!(dashboard.list(), ["> INC-1 accepted"], "the first was taken all the same");
    assert_eq!(typed(&dashboard), "Done");
}

#[test]
fn accepted_close_survives_a_restart() {
    let mut dashboard = Dashboard::opening(120, 36);
    let mut write = lost_close(1, "id-1", "MMD-1", "Done");
    write.state = WriteState::Done;
    let open = vec![held(ONE, "id-1")];
    dashboard.recovered(Recovered { open, accepted: vec![write], ..Recovered::default() });
    assert!(dashboard.shows("accepted"), "{}", dashboard.screen());
    dashboard.press("enter");
    assert_eq!((dashboard.list(), typed(&dashboard).as_str()), (vec!["> INC-1 accepted".to_owned()], "Done"));
    let Call::Check(_) = dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    dashboard.reply_to(0, Ok(listed(as_closed("Done"), 1)));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));
}

#[test]
fn of_several_accepted_closes_each_text_survives_a_restart() {
    let mut dashboard = Dashboard::opening(120, 36);
    let accepted = [(1, "Done by one"), (2, "Done by another")]
        .map(|(id, text)| WriteRecord { state: WriteState::Done, ..lost_close(id, "id-1", "MMD-1", text) });
    dashboard.recovered(Recovered { open: vec![held(ONE, "id-1")], accepted: accepted.into(), ..Recovered::default() });
    let sent = dashboard.row("INC-1").sent_close.map(|sent| sent.text.clone());
    assert_eq!(sent.as_deref(), Some("Done by another"));
    assert_eq!(typed(&dashboard), "Done by another\nDone by one");
}

#[test]
fn text_of_a_close_is_saved_as_it_is_sent() {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    dashboard.press("c Done").take_saves();
    dashboard.press("ctrl-s");
    let saves = dashboard.take_saves();
    assert!(
        saves.iter().any(|(_, draft)| draft.as_ref().is_some_and(|draft| draft.get(Field::PlanOfAction) == "Done"))
    );
}

#[test]
fn record_written_anew_replaces_nothing_that_is_being_typed() {
    let mut dashboard = accepted();
    dashboard.press("c ' and rebooted'");
    let mut write = lost_close(1, "id-1", "MMD-1", "Done");
    write.state = WriteState::Done;
    dashboard.recovered(Recovered { accepted: vec![write], ..Recovered::default() });
    assert_eq!(typed(&dashboard), "Done and rebooted");
    dashboard.press("ctrl-s");
    let last = dashboard.calls().len() - 1;
    assert_eq!(dashboard.close(last), ("id-1", "Done and rebooted"));
}

#[test]
fn refused_close_stays_open_with_its_words_and_its_text() {
    for (kind, words) in [
        (CallError::not_accepted(404, None), "Resource not found for the segment 'elevationRequests'."),
        (CallError::absence_unproven(), "This elevation request does not exist."),
        (CallError::not_accepted(409, None), "Conflict."),
        (CallError::declined(), "The tenant is suspended."),
    ] {
        let mut dashboard = Dashboard::with_open(&[ONE]);
        dashboard.press("c 'What I did' ctrl-s").fails(kind.clone(), words);
        assert!(dashboard.shows(words) && dashboard.notice().contains(words), "{kind:?}\n{}", dashboard.screen());
        assert!(!dashboard.notice().contains("nothing is left"), "{}", dashboard.notice());
        dashboard.press("esc");
        assert_eq!(dashboard.list(), ["> INC-1 open"], "{kind:?}");
        assert_eq!(typed(&dashboard), "What I did");
        dashboard.press("q");
        assert!(!dashboard.left() && dashboard.shows("1 request is open"), "{kind:?}");
    }
}

#[test]
fn close_without_proof_that_was_not_done_tells_why_it_was_in_doubt() {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    let doubt = fault(CallError::broken_answer("it says success and holds an error"), "Forbidden");
    dashboard.press("c Done ctrl-s").progress(0, Progress::Looking(doubt));
    dashboard.reply_to(0, Ok(CallResult::StillOpen(Box::new(held(ONE, "id-1")))));
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    for text in ["MMD-1 (INC-1) is still open", "Forbidden", "its text is kept"] {
        assert!(dashboard.notice().contains(text), "{}", dashboard.notice());
    }
    assert!(dashboard.shows("Forbidden"), "{}", dashboard.screen());
}

#[rstest]
#[case(ReadBack::StoredDifferently as fn(Box<ElevationRequest>) -> ReadBack, Closure::StoredDifferently, "Wha…", "stored differently")]
#[case(ReadBack::PerhapsOurs, Closure::PerhapsOurs, "By the system", "perhaps by this program")]
fn close_found_with_another_text_keeps_and_shows_both(
    #[case] read_back: fn(Box<ElevationRequest>) -> ReadBack,
    #[case] closure: Closure,
    #[case] stored: &str,
    #[case] told: &str,
) {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    dashboard
        .press("c 'What I did' ctrl-s")
        .reply_to(0, Ok(CallResult::Closed(read_back(Box::new(as_closed(stored))))));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(closure));
    assert!(dashboard.notice().contains(told), "{}", dashboard.notice());
    for text in [told, "What I did"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    for text in ["lready closed", "did not store"] {
        assert!(!dashboard.shows(text) && !dashboard.notice().contains(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("y");
    assert_eq!(dashboard.take_effects(), [Effect::Copy("What I did".to_owned())]);
    dashboard.press("esc 4 enter");
    for text in [stored, "What I did", told] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
}

#[test]
fn lost_close_seen_by_a_refresh_is_told_by_its_text() {
    for (stored, closure) in [
        (" What I did ", Closure::Verified),
        ("What I did, says the log", Closure::StoredDifferently),
        ("By the system", Closure::PerhapsOurs),
    ] {
        let mut dashboard = Dashboard::with_open(&[ONE]);
        dashboard.press("c 'What I did' ctrl-s j").fails(CallError::timed_out(), "");
        assert_eq!(dashboard.list(), ["> INC-1 unknown"]);
        dashboard.press("r").reply_to(0, Ok(listed(as_closed(stored), 1)));
        assert_eq!(dashboard.row("INC-1").state, RowState::Closed(closure), "{stored}");
        assert!(!dashboard.shows("did not store"), "{stored}\n{}", dashboard.screen());
    }
    // Closed an hour before ours was sent: somebody else's.
    let mut dashboard = Dashboard::with_open(&[ONE]);
    dashboard.after(3_600).press("c 'What I did' ctrl-s j").fails(CallError::timed_out(), "");
    dashboard.press("r").reply_to(0, Ok(listed(as_closed("By the system"), 61)));
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Elsewhere));
    assert!(dashboard.shows("The service did not store what you typed"), "{}", dashboard.screen());
}

#[test]
fn entity_without_texts_leaves_the_row_as_it_was_known() {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    let mut bare = held(ONE, "id-1");
    (bare.ticket, bare.device, bare.title) = Default::default();
    bare.created = None;
    dashboard.press("r").reply_to(0, Ok(listed(bare, 1)));
    let row = dashboard.row("INC-1");
    assert_eq!((row.text(Field::Device), row.text(Field::Title)), ("MMD-1".into(), "Excel".into()));
    dashboard.press("r");
    let (_, Call::Check(asked)) = &dashboard.calls()[0] else { panic!() };
    assert_eq!(asked[0].1.raw(), "MMD-1", "it is listed by its device");
}

#[test]
fn age_of_a_request_whose_creation_time_cannot_be_read_is_not_claimed() {
    for created in ["soon", "0001-01-01T00:00:00Z"] {
        let mut dashboard = Dashboard::opening(120, 36);
        let mut request = held(ONE, "id-1");
        request.created = mmd_elevate_core::ServiceTime::read(Untrusted::new(created));
        dashboard.recovered(Recovered { open: vec![request], ..Recovered::default() }).press("enter");
        assert!(dashboard.shows("– ● open"), "{created}\n{}", dashboard.screen());
        assert!(!dashboard.shows("<1 min"), "{created}\n{}", dashboard.screen());
    }
}

#[test]
fn wait_that_a_service_asks_for_is_told_as_it_is() {
    let mut dashboard = Dashboard::with_open(&[ONE]);
    let kind = CallError::throttled(Some(std::time::Duration::from_secs(86_400)));
    dashboard.press("c Done ctrl-s").reply_to(0, Err(kind));
    assert!(dashboard.notice().contains("asks to wait 86400 s (24 h)"), "{}", dashboard.notice());
    assert!(!dashboard.notice().contains("wait a little"), "{}", dashboard.notice());
}
