//! The tenant's lists: asked for by themselves and by hand, shown without moving anything under the agent's eyes; and what
//! can be done about somebody else's request.

use std::time::Duration;

use jiff::SignedDuration;
use mmd_elevate::dashboard::{Closure, Preferences, RowState};
use mmd_elevate_core::{
    Call, CallError, CallResult, Draft, DraftTarget, ElevationRequest, EndedRequest, Event, Field, Gaps, Problem,
    Query, Recovered, RequestId, SavedDraft, Untrusted,
};

use crate::support::{
    dashboard::{Dashboard, closed, start},
    record::held,
};

const EVERY: Duration = Duration::from_secs(30);

fn theirs(request: &str, id: &str) -> ElevationRequest {
    ElevationRequest { requested_by: Untrusted::new("ana@partner.example"), ..held(request, id) }
}

fn listed(seconds: i64) -> CallResult {
    CallResult::Listed { gaps: Gaps::default(), at: start() + SignedDuration::from_secs(seconds) }
}

/// A dashboard that lists the tenant by itself, and has asked for it.
fn sweeping() -> Dashboard {
    let mut dashboard = Dashboard::new();
    dashboard.model.preferences = Preferences { refresh: Some(EVERY), ..Preferences::default() };
    dashboard.says(Event::Ready).after(0);
    dashboard
}

/// The same with two requests of others.
fn two() -> Dashboard {
    let mut dashboard = sweeping();
    dashboard.page(0, vec![theirs("INC-1 MMD-1 One", "x-1"), theirs("INC-2 MMD-2 Two", "x-2")]);
    dashboard.reply_to_read(0, Ok(listed(0)));
    dashboard
}

fn asked(dashboard: &Dashboard) -> Vec<&Call> {
    dashboard.reads().iter().map(|(_, call)| call).collect()
}

#[test]
fn first_page_is_shown_before_the_rest() {
    let mut dashboard = sweeping();
    assert_eq!(asked(&dashboard), [&Call::List(Query::Open)]);
    dashboard.press("2");
    assert!(dashboard.shows("Reading the tenant's list: 0 so far."), "{}", dashboard.screen());
    dashboard.page(0, vec![theirs("INC-1 MMD-1 One", "x-1")]);
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert!(dashboard.shows("Reading the list: 1 so far") && dashboard.shows("reading"), "{}", dashboard.screen());
    dashboard.page(0, vec![theirs("INC-2 MMD-2 Two", "x-2")]).reply_to_read(0, Ok(listed(3)));
    assert_eq!(dashboard.list(), ["INC-2 open", "> INC-1 open"]);
    for text in ["as of 14:02:03", "2 Tenant 2", "ana", "nobody", "Listed every 30 s", "r asks now"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
}

#[test]
fn list_is_asked_for_again_by_itself_and_never_twice_at_once() {
    let mut dashboard = two();
    assert!(dashboard.wakes_in() <= EVERY);
    dashboard.after(29);
    assert!(dashboard.reads().is_empty());
    dashboard.after(1);
    assert_eq!(asked(&dashboard), [&Call::List(Query::Open)]);
    dashboard.after(300).press("r r");
    assert_eq!(dashboard.reads().len(), 1, "one is under way");
    // It took five minutes: the next waits ten times as long.
    dashboard.reply_to_read(0, Ok(listed(330))).after(2_999);
    assert!(dashboard.reads().is_empty());
    dashboard.after(1);
    assert_eq!(dashboard.reads().len(), 1);
}

#[test]
fn list_that_fails_is_asked_for_ever_more_seldom_and_says_so() {
    let mut dashboard = two();
    dashboard.press("2").after(30);
    for seconds in [60, 120, 240, 480, 600, 600] {
        assert_eq!(dashboard.reads().len(), 1, "{seconds}");
        dashboard.reply_to_read(0, Err(CallError::server_failed(503))).after(seconds - 1);
        assert!(dashboard.reads().is_empty(), "{seconds}");
        dashboard.after(1);
    }
    assert!(dashboard.shows("Not up to date: ") && dashboard.shows("stale"), "{}", dashboard.screen());
    assert_eq!(dashboard.list().len(), 2, "what was seen last stays");
}

#[test]
fn throttled_list_rests_for_a_minute_at_least() {
    let mut dashboard = two();
    dashboard.model.preferences.refresh = Some(Duration::from_secs(5));
    dashboard.after(30).reply_to_read(0, Err(CallError::throttled(None))).after(59);
    assert!(dashboard.reads().is_empty());
    dashboard.after(1);
    assert_eq!(dashboard.reads().len(), 1);
}

#[test]
fn what_comes_by_itself_is_told_in_a_line_and_moves_nothing() {
    let mut dashboard = two();
    dashboard.press("2 j");
    assert_eq!(dashboard.list(), ["INC-2 open", "> INC-1 open"]);
    dashboard.after(30).page(0, vec![theirs("INC-1 MMD-1 One", "x-1"), theirs("INC-3 MMD-3 Three", "x-3")]);
    dashboard.reply_to_read(0, Ok(listed(30)));
    assert_eq!(dashboard.list(), ["INC-2 open", "> INC-1 open"], "nothing has moved");
    let news = "+ INC-3 opened by ana, INC-2 is no longer open";
    assert!(dashboard.shows(news) && dashboard.shows("r shows it"), "{}", dashboard.screen());
    dashboard.after(1).press("r");
    assert_eq!(dashboard.list(), ["INC-3 open", "> INC-1 open"]);
    assert!(!dashboard.shows("no longer open"), "{}", dashboard.screen());
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Elsewhere));
    // Where nobody looks, it is shown at once.
    dashboard.press("1").page(0, vec![theirs("INC-4 MMD-4 Four", "x-4")]).reply_to_read(0, Ok(listed(60)));
    assert_eq!(dashboard.press("2").list(), ["> INC-4 open"]);
}

#[test]
fn list_that_was_not_seen_whole_ends_nothing() {
    let mut dashboard = two();
    dashboard.press("2").after(30).page(0, vec![theirs("INC-1 MMD-1 One", "x-1")]);
    let gaps = Gaps { unreadable: 0, cut: Some(Problem::new("the list was not seen to its end", "look later")) };
    dashboard.reply_to_read(0, Ok(CallResult::Listed { gaps, at: start() }));
    assert_eq!(dashboard.list().len(), 2);
    assert!(dashboard.shows("Not whole: the list was not seen to its end"), "{}", dashboard.screen());
}

#[test]
fn request_that_a_list_did_not_have_counts_as_open_once_it_is_the_agents_own() {
    let mut dashboard = two();
    dashboard.after(31).page(0, vec![theirs("INC-1 MMD-1 One", "x-1")]).reply_to_read(0, Ok(listed(31)));
    dashboard.press("2");
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    dashboard.recovered(Recovered { open: vec![held("INC-2 MMD-2 Two", "x-2")], ..Recovered::default() });
    dashboard.press("esc 1");
    assert_eq!(dashboard.list(), ["> INC-2 open"], "only a check says that it is closed");
    let Call::Check(asked_for) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked_for[0].0.raw(), "x-2");
}

/// The list came before the record was read, and is older than the close, or the service is behind.
#[test]
fn request_that_the_record_has_as_closed_is_the_agents_own_also_where_the_list_had_it_first() {
    let mut dashboard = two();
    let at = start() - SignedDuration::from_hours(1);
    let ended = EndedRequest {
        request: closed(held("INC-2 MMD-2 Two", "x-2"), "agent@partner.example", at),
        at,
        on_word: false,
    };
    dashboard.recovered(Recovered { closed: vec![ended], ..Recovered::default() });
    assert_eq!(dashboard.list(), ["> INC-2 open"]);
    let Call::Check(asked_for) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked_for[0].0.raw(), "x-2", "a check decides");
}

/// A text for a request comes back from the record, and nothing else says what the request is called.
#[test]
fn own_request_of_which_only_the_id_is_known_is_looked_for_among_the_closed_ones() {
    let mut draft = Draft::default();
    draft.set(Field::PlanOfAction, "Repaired.");
    let target = DraftTarget::Close(RequestId::new("x-7").unwrap());
    let saved = SavedDraft { target, draft, at: start() };
    let recovered = || {
        let mut dashboard = Dashboard::new();
        dashboard.recovered(Recovered { drafts: vec![saved.clone()], ..Recovered::default() }).press("esc").after(1);
        dashboard.reply_to_read(0, Ok(CallResult::History(Vec::new())));
        dashboard.model.preferences.refresh = Some(EVERY);
        dashboard.says(Event::Ready).after(0);
        dashboard.page(0, Vec::new()).reply_to_read(0, Ok(listed(1)));
        assert_eq!(asked(&dashboard), [&Call::List(Query::Closed)], "it is not among the open ones");
        dashboard
    };
    let mut dashboard = recovered();
    let ours = closed(held("INC-7 MMD-7 Seven", "x-7"), "agent@partner.example", start());
    dashboard.page(0, vec![ours]).reply_to_read(0, Ok(listed(2)));
    assert_eq!(dashboard.list(), ["> INC-7 open"], "its name is known now");
    dashboard.after(31).page(0, Vec::new()).reply_to_read(0, Ok(listed(31)));
    let Call::Check(asked_for) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!((asked_for[0].0.raw(), asked_for[0].1.raw()), ("x-7", "MMD-7"), "and so it can be asked for");

    // Where no list has it at all, they are not asked for it again and again.
    let mut dashboard = recovered();
    dashboard.reply_to_read(0, Ok(listed(2))).after(31);
    dashboard.page(0, Vec::new()).reply_to_read(0, Ok(listed(31)));
    assert!(!asked(&dashboard).contains(&&Call::List(Query::Closed)), "{:?}", dashboard.reads());
    assert!(dashboard.calls().is_empty() && dashboard.list().len() == 1, "{}", dashboard.screen());
}

#[test]
fn own_request_that_the_list_has_no_more_is_asked_for_by_name() {
    let mut dashboard = Dashboard::with_open(&["INC-9 MMD-9 Own"]);
    dashboard.model.preferences.refresh = Some(EVERY);
    dashboard.says(Event::Ready).after(1);
    dashboard.page(0, vec![theirs("INC-1 MMD-1 One", "x-1")]).reply_to_read(0, Ok(listed(1)));
    let Call::Check(asked) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked[0].0.raw(), "id-1");
    assert_eq!(dashboard.list(), ["> INC-9 open"], "only that check says what became of it");
}

#[test]
fn request_of_a_colleague_is_closed_and_the_dialog_says_whose_it_is() {
    let mut dashboard = two();
    dashboard.press("2 c");
    assert!(dashboard.shows("by ana, a colleague"), "{}", dashboard.screen());
    // Nothing that comes meanwhile changes what the dialog closes.
    dashboard.after(30).page(0, vec![theirs("INC-3 MMD-3 Three", "x-3")]).reply_to_read(0, Ok(listed(30)));
    dashboard.press("'Done for ana' ctrl-s");
    assert_eq!(dashboard.close(0), ("x-2", "Done for ana"));
    dashboard.closed();
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Verified));
    assert!(!dashboard.list().contains(&"INC-2 closed".to_owned()));
    assert!(dashboard.press("q").left(), "it is nobody's business on leaving");
}

#[test]
fn unknown_close_of_a_colleagues_request_needs_attention() {
    let mut dashboard = two();
    dashboard.press("2 c 'Done for ana' ctrl-s j").fails(CallError::timed_out(), "");
    assert_eq!(dashboard.press("3").list(), ["> INC-2 unknown"]);
}

#[test]
fn closed_requests_come_from_the_record_and_from_the_service() {
    let mut dashboard = Dashboard::opening(120, 36);
    let at = start() - SignedDuration::from_hours(20);
    let ended = |request: &str, id: &str, on_word| {
        let request = closed(held(request, id), "agent@partner.example", at);
        EndedRequest { request, at, on_word }
    };
    let recovered = vec![ended("INC-2 MMD-2 Newer", "id-2", false), ended("INC-1 MMD-1 Older", "id-1", true)];
    dashboard.recovered(Recovered { closed: recovered, ..Recovered::default() });
    assert!(dashboard.list().is_empty() && !dashboard.shows("Recovery"), "{}", dashboard.screen());
    dashboard.press("4");
    assert_eq!(dashboard.list(), ["> INC-2 closed", "INC-1 closed"]);
    assert_eq!(asked(&dashboard), [&Call::List(Query::Closed)]);
    let other = closed(theirs("INC-3 MMD-3 Three", "x-3"), "kofi@partner.example", start());
    dashboard.page(0, vec![other]).reply_to_read(0, Ok(listed(0)));
    assert_eq!(dashboard.list(), ["INC-3 closed", "> INC-2 closed", "INC-1 closed"]);
    assert!(dashboard.shows("kofi") && dashboard.shows("Nov 21"), "{}", dashboard.screen());
    dashboard.press("G");
    assert!(dashboard.shows("closed, on your word"), "{}", dashboard.screen());
    dashboard.press("1 4");
    assert!(dashboard.reads().is_empty(), "it is asked for once, and then on r");
    dashboard.press("r");
    assert_eq!(asked(&dashboard), [&Call::List(Query::Closed)]);
}

#[test]
fn accepted_close_that_no_list_shows_is_taken_as_closed_on_the_agents_word() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("d");
    assert!(dashboard.notice().contains("only an accepted close"), "{}", dashboard.notice());
    dashboard.press("c Done ctrl-s").accepted().press("3");
    assert_eq!(dashboard.list(), ["> INC-1 accepted"]);
    dashboard.press("d");
    assert!(dashboard.shows("Take as closed?") && dashboard.calls().is_empty(), "{}", dashboard.screen());
    dashboard.press("d enter");
    assert!(dashboard.calls().is_empty(), "no plain key does it");
    dashboard.press("ctrl-s");
    let Call::TakeAsClosed(id) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(id.raw(), "id-1");
    let mut refused = dashboard.clone();
    refused.fails(CallError::not_sent("the record is not open"), "");
    assert_eq!(refused.list(), ["> INC-1 accepted"]);
    dashboard.reply_to(0, Ok(CallResult::TakenAsClosed));
    assert!(dashboard.list().is_empty());
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::OnWord));
    assert!(dashboard.press("q").left());
}

#[test]
fn what_is_old_is_marked_needs_attention_and_rings_where_that_is_wanted() {
    let mut dashboard = Dashboard::new();
    dashboard.model.preferences.bell = true;
    dashboard.open("INC-1 MMD-1 Excel");
    dashboard.after(2 * 3_600 - 60);
    assert!(!dashboard.shows("!") || dashboard.press("3").list().is_empty());
    dashboard.press("1").after(60);
    assert!(dashboard.shows("2 h !") && dashboard.shows("3 Attention 1"), "{}", dashboard.screen());
    assert!(dashboard.shows("1 open · oldest 2 h !"), "{}", dashboard.screen());
    assert_eq!(dashboard.take_effects(), []);
    dashboard.after(6 * 3_600);
    assert!(dashboard.shows("8 h !!"), "{}", dashboard.screen());
    assert_eq!(dashboard.take_effects(), [mmd_elevate::dashboard::Effect::Bell]);
    dashboard.after(3_600);
    assert_eq!(dashboard.take_effects(), [], "it rings once");
    assert_eq!(dashboard.model.title(), "Contoso: 1 open · oldest 9 h !! - mmd-elevate");
    assert_eq!(dashboard.press("3").list(), ["> INC-1 open"]);
}

#[test]
fn list_that_is_older_than_a_close_does_not_open_it_again() {
    let mut dashboard = two();
    dashboard.press("2").after(30);
    dashboard.press("c 'Done for ana' ctrl-s").after(1).closed();
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Verified));
    dashboard.page(0, vec![theirs("INC-1 MMD-1 One", "x-1"), theirs("INC-2 MMD-2 Two", "x-2")]);
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Verified), "the list was begun before");
    dashboard.reply_to_read(0, Ok(listed(31))).after(30);
    dashboard.page(0, vec![theirs("INC-2 MMD-2 Two", "x-2")]);
    assert_eq!(dashboard.row("INC-2").state, RowState::Open, "a list that was begun after it is believed");
}

#[test]
fn request_that_became_ones_own_meanwhile_is_not_taken_for_closed() {
    let mut dashboard = two();
    dashboard.press("2").after(30);
    dashboard.page(0, vec![theirs("INC-1 MMD-1 One", "x-1")]).reply_to_read(0, Ok(listed(30)));
    assert!(dashboard.shows("INC-2 is no longer open"));
    // A lost create turns out to be it.
    dashboard.recovered(Recovered { open: vec![held("INC-2 MMD-2 Two", "x-2")], ..Recovered::default() });
    dashboard.press("esc r");
    assert_eq!(dashboard.row("INC-2").state, RowState::Open);
    assert!(dashboard.row("INC-2").mine && dashboard.model.remains().open == 1);
}

#[test]
fn accepted_close_of_a_colleagues_request_is_looked_at_again() {
    let mut dashboard = two();
    dashboard.press("2 c 'Done for ana' ctrl-s").accepted();
    dashboard.press("r");
    let Call::Check(asked) = &dashboard.calls()[0].1 else { panic!("{:?}", dashboard.calls()) };
    assert_eq!(asked.iter().map(|(id, _)| id.raw()).collect::<Vec<_>>(), ["x-2"]);
    let seen = ElevationRequest { actions_taken: Untrusted::new("Done for ana"), ..theirs("INC-2 MMD-2 Two", "x-2") };
    let mut listing = dashboard.clone();
    let seen = closed(seen, "agent@partner.example", start() + SignedDuration::from_secs(1));
    listing.page(0, vec![seen]);
    assert_eq!(listing.row("INC-2").state, RowState::Closed(Closure::Verified), "by its text it is told from others'");
}
