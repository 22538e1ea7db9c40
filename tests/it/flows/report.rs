//! The report of the shift: what is in it, how it is handed over, and that it can be had on the way in and out.

use mmd_elevate::dashboard::{CopiedTo, Effect, Message, Overlay, ReportFile};
use mmd_elevate_core::{
    CallError, CallResult, ElevationRequest, EndedRequest, Event, Gaps, MatchResult, Problem, ReadBack, Recovered,
    Untrusted,
};
use rstest::rstest;

use crate::support::{
    corpus::{Specimen, corpus},
    dashboard::{Dashboard, closed, created, fault, opened, start},
    harmless::{assert_harmless, assert_harmless_lines},
    keys::events,
    record::{everything, held},
};

fn is_shown(dashboard: &Dashboard) -> bool {
    matches!(dashboard.model.overlays.last(), Some(Overlay::Report(_)))
}

/// The report that was handed to the clipboard.
#[track_caller]
fn copied(dashboard: &mut Dashboard) -> String {
    match &dashboard.take_effects()[..] {
        [Effect::Copy(text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// The report that is to be written to a file.
#[track_caller]
fn written(dashboard: &mut Dashboard) -> ReportFile {
    match &dashboard.take_effects()[..] {
        [Effect::WriteReport(file)] => file.clone(),
        other => panic!("{other:?}"),
    }
}

/// The report in JSON.
fn json(dashboard: &mut Dashboard) -> serde_json::Value {
    dashboard.take_effects();
    dashboard.press("R f f y");
    serde_json::from_str(&copied(dashboard)).unwrap()
}

/// A request in each state, three hours after the first was opened.
fn shift(columns: u16, rows: u16) -> Dashboard {
    let mut dashboard = Dashboard::at(columns, rows);
    for n in 1..=5 {
        dashboard.open(&format!("INC-2000{n} MMD-0000000000{n} Printer {n} does not print"));
        dashboard.after(600);
    }
    let select = |dashboard: &mut Dashboard, n: u8| _ = dashboard.press("1 g").press(&"j ".repeat(usize::from(5 - n)));
    select(&mut dashboard, 1);
    dashboard.press("c 'Installed the driver.' ctrl-s").closed();
    // One row less from here on, behind the others.
    select(&mut dashboard, 2);
    dashboard.press("c 'Cleared the queue.' ctrl-s").accepted();
    select(&mut dashboard, 3);
    dashboard.press("c 'Restarted the spooler.' ctrl-s esc");
    dashboard.fails(fault(CallError::declined(), "The device is in use."), "The device is in use.");
    dashboard.press("esc");
    dashboard.after(7_200);
    dashboard.send("INC-20006 MMD-00000000006 Word asks for activation");
    dashboard.fails(CallError::timed_out(), "");
    dashboard.send("INC-20007 MMD-00000000007 Excel cannot open the finance add-in");
    // What is typed meanwhile keeps the refused one in its row.
    dashboard.press("n INC-20008 tab MMD-00000000008 esc esc");
    dashboard.fails(CallError::too_many_open(), "This device has too many open elevation requests.");
    dashboard.after(60);
    dashboard.take_effects();
    dashboard
}

#[rstest]
fn report_is_previewed_with_what_is_open_and_why(#[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16)) {
    let mut dashboard = shift(columns, rows);
    dashboard.press("R");
    assert!(is_shown(&dashboard));
    dashboard.looks_like(&format!("{columns}x{rows}-report"));
    dashboard.press("G");
    dashboard.looks_like(&format!("{columns}x{rows}-report-end"));
}

#[rstest]
fn choices_and_keys_are_seen_at_every_size(
    #[values((200, 60), (120, 36), (80, 24), (60, 20), (40, 10))] (columns, rows): (u16, u16),
) {
    let mut dashboard = shift(columns, rows);
    dashboard.press("R");
    for text in ["[Markdown]", "[today]", "shift.md"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    assert!(dashboard.footer().contains("Enter write"), "{}", dashboard.screen());
}

#[test]
fn three_requests_are_handed_over_with_two_keys() {
    for (keys, is_copy) in [("R y", true), ("R enter", false), ("R w", false)] {
        let mut dashboard =
            Dashboard::with_open(&["INC-1 MMD-1 Excel crashes", "INC-2 MMD-2 No sound", "INC-3 MMD-3 No network"]);
        dashboard.after(11_520).take_effects();
        assert!(events(keys).len() <= 2);
        dashboard.press(keys);
        let text = if is_copy { copied(&mut dashboard) } else { written(&mut dashboard).text };
        for request in ["INC-1 · MMD-1 · Excel crashes", "INC-2 · MMD-2 · No sound", "INC-3 · MMD-3 · No network"]
        {
            assert!(text.contains(request), "{text}");
        }
        assert!(text.contains("## Still open (3)") && text.contains("open for 3 h 12 min"), "{text}");
        assert!(dashboard.model.overlays.is_empty(), "the agent is back at work");
    }
}

#[test]
fn report_has_each_state_with_its_reason() {
    let mut dashboard = shift(120, 36);
    let report = json(&mut dashboard);
    let found: Vec<_> = report["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| {
            let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", text("partnerTicketId"), text("state"), text("why"))
        })
        .collect();
    assert_eq!(
        found,
        [
            "INC-20002 accepted: no list shows it as closed yet; its close was accepted at 2026-11-22T14:52:00Z",
            "INC-20003 open: its close was not done: The device is in use; a text for its close is typed and not sent",
            "INC-20004 open: ",
            "INC-20005 open: ",
            "INC-20006 unknown: No answer came in time; sent at 2026-11-22T16:52:00Z",
            "INC-20007 refused: This device has too many open elevation requests",
            "INC-20008 draft: typed and not sent",
            "INC-20001 closed: ",
        ]
    );
    assert_eq!(report["agent"], "agent@partner.example");
    assert_eq!(report["tenant"]["name"], "Contoso");
    assert_eq!((&report["since"], &report["until"]), (&"2026-11-22T00:00:00Z".into(), &"2026-11-22T16:53:00Z".into()));
    let closed = &report["requests"][7];
    assert_eq!((&closed["openMinutes"], &closed["actionsTaken"]), (&50.into(), &"Installed the driver.".into()));
    assert_eq!(report["requests"][0]["actionsTaken"], "Cleared the queue.", "it was sent, whether or not it is seen");
    assert_eq!(report["requests"][1]["actionsTaken"], serde_json::Value::Null);
}

#[test]
fn report_is_of_today_of_a_day_or_of_all() {
    let mut dashboard = Dashboard::opening(120, 36);
    let ended = |n: u8, hours: i64| {
        let at = start() - jiff::SignedDuration::from_hours(hours);
        let request = closed(held(&format!("INC-{n} MMD-{n} Title"), &format!("id-{n}")), "agent@partner.example", at);
        EndedRequest { request, at, on_word: false }
    };
    dashboard.recovered(Recovered { closed: vec![ended(1, 2), ended(2, 20), ended(3, 40)], ..Recovered::default() });
    dashboard.press("R");
    assert!(dashboard.shows("[today]") && dashboard.shows("Closed (1)"), "{}", dashboard.screen());
    dashboard.press("s");
    assert!(dashboard.shows("[24 h]") && dashboard.shows("Closed (2)"), "{}", dashboard.screen());
    dashboard.press("s");
    assert!(dashboard.shows("[all]") && dashboard.shows("Closed (3)"), "{}", dashboard.screen());
    dashboard.press("s");
    assert!(dashboard.shows("[today]"), "{}", dashboard.screen());
    assert!(
        dashboard.shows("agent@partner.example"),
        "who opened and closed them is the agent: {}",
        dashboard.screen()
    );
}

#[test]
fn what_was_closed_of_others_is_in_the_report_and_counts_as_opened_by_them() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel crashes"]);
    let theirs =
        ElevationRequest { requested_by: Untrusted::new("ana@partner.example"), ..held("INC-9 MMD-9 Theirs", "id-9") };
    let mine = dashboard.row("INC-1").request.cloned().unwrap();
    dashboard.press("2").page(0, vec![mine, theirs]);
    dashboard.reply_to_read(0, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }));
    dashboard.press("g");
    if dashboard.model.requests.selected().unwrap().mine {
        dashboard.press("j");
    }
    dashboard.press("c Done ctrl-s").closed();
    let report = json(&mut dashboard);
    let closed = &report["requests"][1];
    assert_eq!((&closed["partnerTicketId"], &closed["mine"]), (&"INC-9".into(), &false.into()), "{report:#}");
    assert_eq!(closed["requestingAgentUpn"], "ana@partner.example");
    assert_eq!((&report["counts"]["opened"], &report["counts"]["closed"]), (&1.into(), &1.into()));
}

#[test]
fn what_is_known_of_an_unknown_outcome_is_told() {
    let mut dashboard = Dashboard::new();
    dashboard.send("INC-1 MMD-1 Excel");
    let error = CallError::timed_out();
    let result = CallResult::Looked { seen: MatchResult::NotSeen, at: start(), error };
    dashboard.reply_to(0, Ok(result));
    let report = json(&mut dashboard);
    let why = "No answer came in time; not seen, which proves nothing; looked at 2026-11-22T14:02:00Z";
    assert_eq!(report["requests"][0]["why"], why, "{report:#}");
    assert_eq!(report["counts"]["unknown"], 1);
}

#[test]
fn format_is_chosen_with_a_key_and_the_file_is_named_for_the_day() {
    for (keys, extension, begins) in [
        ("R enter", "md", "# Report of the shift: Contoso\n"),
        ("R f enter", "csv", "\"state\",\"ticket\","),
        ("R tab f enter", "json", "{\n"),
        ("R f f f enter", "md", "# "),
    ] {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.take_effects();
        dashboard.press(keys);
        let file = written(&mut dashboard);
        assert_eq!((file.stem.as_str(), file.extension), ("mmd-elevate-2026-11-22-shift", extension), "{keys}");
        assert!(file.text.starts_with(begins), "{}", file.text);
    }
}

#[test]
fn what_became_of_the_report_is_told() {
    let mut dashboard = Dashboard::new();
    dashboard.press("R enter").take_effects();
    dashboard.happens(Message::ReportWritten(Ok("/home/ann/mmd-elevate-2026-11-22-shift.md".to_owned())));
    assert_eq!(dashboard.notice(), "Report written: /home/ann/mmd-elevate-2026-11-22-shift.md");
    let problem = Problem::new("The report was not written to /: Permission denied", "name another folder");
    dashboard.happens(Message::ReportWritten(Err(problem)));
    let told = "The report was not written to /: Permission denied · hint: name another folder; or R and y hand it to the \
                clipboard";
    assert_eq!(dashboard.notice(), told);
    dashboard.press("R y");
    let text = copied(&mut dashboard);
    dashboard.happens(Message::Copied(CopiedTo::Terminal, text));
    assert_eq!(dashboard.notice(), "Sent to the terminal: # Report of the shift: C…");
}

#[rstest]
fn leaving_can_be_reported_and_asks_again_afterwards(#[values("enter", "y", "esc", "R")] key: &str) {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.take_effects();
    dashboard.press("q");
    assert!(dashboard.shows("R report"), "{}", dashboard.screen());
    dashboard.press("R");
    assert!(is_shown(&dashboard));
    dashboard.press(key);
    assert_eq!(dashboard.model.overlays, [Overlay::Quit]);
    assert_eq!(dashboard.take_effects().len(), usize::from(["enter", "y"].contains(&key)));
    assert!(dashboard.press("l").left());
}

#[test]
fn what_was_recovered_can_be_reported_before_going_on() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.recovered(everything());
    dashboard.take_effects();
    dashboard.press("R");
    assert!(is_shown(&dashboard) && dashboard.shows("Still open"), "{}", dashboard.screen());
    dashboard.press("y");
    assert!(copied(&mut dashboard).contains("INC-10460"));
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Recovery(_)]), "the pane is back");
}

#[test]
fn report_stays_true_while_it_is_shown_and_tells_what_it_lacks() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s R");
    assert!(dashboard.shows("its close was sent"), "{}", dashboard.screen());
    dashboard.closed();
    assert!(dashboard.shows("Closed (1)") && !dashboard.shows("Still open"), "{}", dashboard.screen());
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press("R");
    assert!(dashboard.shows("The record is still being read"), "{}", dashboard.screen());
    dashboard.recovered(Recovered { unusable: true, ..Recovered::default() });
    assert!(dashboard.shows("The record could not be read"), "{}", dashboard.screen());
    let mut dashboard = Dashboard::new();
    dashboard.press("R");
    assert!(dashboard.shows("Nothing was opened or closed in this time"), "{}", dashboard.screen());
}

#[test]
fn accepted_close_that_is_taken_on_word_says_so() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press("c Done ctrl-s").reply_to(0, Ok(CallResult::Closed(ReadBack::NotYetVisible)));
    dashboard.press("d ctrl-s").reply_to(0, Ok(CallResult::TakenAsClosed));
    let report = json(&mut dashboard);
    assert_eq!(report["requests"][0]["state"], "closed");
    assert_eq!(report["requests"][0]["why"], "taken as closed on the agent's word: no list has shown it");
    assert!(!report.to_string().contains("rights"));
}

#[test]
fn nothing_of_the_service_s_acts_in_the_report() {
    for Specimen { name, text } in corpus() {
        let mut dashboard = Dashboard::at(80, 24);
        dashboard.send("INC-1 MMD-1 Excel");
        let untrusted = || Untrusted::new(&*text);
        let entity = ElevationRequest {
            ticket: untrusted(),
            device: untrusted(),
            title: untrusted(),
            plan_of_action: untrusted(),
            requested_by: untrusted(),
            ..created(&dashboard.create(0), "id", start())
        };
        dashboard.reply_to(0, Ok(opened(entity)));
        dashboard.send("INC-2 MMD-2 Word");
        dashboard.fails(CallError::declined(), &text);
        dashboard.says(Event::Warning(Problem::new("x", "x"))).press("esc");
        for formats in ["R", "R f", "R f f"] {
            dashboard.press(formats);
            for symbol in dashboard.symbols() {
                assert_harmless(symbol, name);
            }
            dashboard.take_effects();
            dashboard.press("y");
            assert_harmless_lines(&copied(&mut dashboard), name);
        }
    }
}
