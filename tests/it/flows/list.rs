//! The list and the details: moving, ordering, filtering, copying.

use jiff::SignedDuration;
use mmd_elevate::dashboard::{
    CopiedTo, Effect, Message,
    Pane::{Details, Form, List},
};
use mmd_elevate_core::{
    Call, CallError, CallResult, HistoryStep, Problem, Untrusted, WriteHistory, WriteId, WriteState,
};

use crate::support::dashboard::{Dashboard, start};

fn three() -> Dashboard {
    Dashboard::with_open(&["INC-2 MMD-9 Excel", "INC-3 MMD-7 Word", "INC-1 MMD-8 Excel again"])
}

#[test]
fn the_order_goes_round() {
    let mut dashboard = three();
    assert_eq!(dashboard.list(), ["> INC-1 open", "INC-3 open", "INC-2 open"]);
    for (order, list) in [
        ("oldest first", ["INC-2 open", "INC-3 open", "> INC-1 open"]),
        ("by ticket", ["> INC-1 open", "INC-2 open", "INC-3 open"]),
        ("by device", ["INC-3 open", "> INC-1 open", "INC-2 open"]),
        ("by state", ["INC-2 open", "INC-3 open", "> INC-1 open"]),
        ("newest first", ["> INC-1 open", "INC-3 open", "INC-2 open"]),
    ] {
        dashboard.press("s");
        assert_eq!(dashboard.notice(), format!("Sorted {order}"));
        assert_eq!(dashboard.list(), list, "{order}");
    }
}

#[test]
fn the_selection_holds_its_row_whatever_changes_around_it() {
    let mut dashboard = three();
    dashboard.press("j");
    assert_eq!(dashboard.list(), ["INC-1 open", "> INC-3 open", "INC-2 open"]);
    dashboard.press("k c Done ctrl-s j").closed();
    assert_eq!(dashboard.list(), ["> INC-3 open", "INC-2 open"]);
    dashboard.press("s / mmd-9");
    assert_eq!(dashboard.list(), ["> INC-2 open"], "a row that is filtered away leaves it to its neighbour");
    dashboard.press("esc s");
    assert_eq!(dashboard.list(), ["> INC-2 open", "INC-3 open"]);
    dashboard.send("INC-0 MMD-0 New");
    assert_eq!(dashboard.list(), ["> INC-0 sending", "INC-2 open", "INC-3 open"], "a new request is selected");
    dashboard.press("j").fails(CallError::timed_out(), "");
    assert_eq!(dashboard.list(), ["INC-0 unknown", "> INC-2 open", "INC-3 open"]);
}

#[test]
fn moving_stops_at_the_ends() {
    let requests: Vec<String> = (10..40).map(|number| format!("INC-{number} MMD-1 Title")).collect();
    let mut dashboard = Dashboard::with_open(&requests.iter().map(String::as_str).collect::<Vec<_>>());
    for (keys, position) in [
        ("k", 0),
        ("j down", 2),
        ("pgdn", 12),
        ("G j", 29),
        ("pgup", 19),
        ("end", 29),
        ("g", 0),
        ("down down down up", 2),
        ("home", 0),
    ] {
        dashboard.press(keys);
        assert_eq!(dashboard.model.requests.list().position(), Some(position), "{keys}");
        let ticket = format!("▌ INC-{}", 39 - position);
        assert!(dashboard.shows(&ticket), "the selected row is always seen: {keys}\n{}", dashboard.screen());
    }
}

#[test]
fn the_filter_works_as_it_is_typed_and_esc_clears_it() {
    let mut dashboard = three();
    dashboard.press("/ -WORD");
    assert_eq!(dashboard.list(), ["> INC-1 open", "INC-2 open"]);
    dashboard.press("space mmd-9");
    assert_eq!(dashboard.list(), ["> INC-2 open"], "every word of it");
    dashboard.press("enter");
    assert!(!dashboard.model.filtering && dashboard.shows("1 of 1 found"));
    dashboard.press("esc");
    assert_eq!(dashboard.list().len(), 3);
    dashboard.press("/ zzz");
    assert!(dashboard.shows("Nothing matches the filter. Esc clears it."));
    dashboard.press("esc");
    assert_eq!(dashboard.list().len(), 3);
    assert!(!dashboard.model.filtering);
}

#[test]
fn a_filter_finds_by_state_owner_age_and_texts_and_each_tab_has_its_own() {
    let mut dashboard = three();
    dashboard.press("c Done ctrl-s").closed().send("INC-4 MMD-4 Excel");
    assert_eq!(dashboard.list(), ["> INC-4 sending", "INC-3 open", "INC-2 open"]);
    for (filter, list) in [
        ("is:open", vec!["> INC-3 open", "INC-2 open"]),
        ("not:is:open", vec!["> INC-4 sending"]),
        ("device:mmd-9", vec!["> INC-2 open"]),
        ("sending", vec!["> INC-4 sending"]),
        ("age:>2h", vec![]),
        ("by:agent", vec!["> INC-3 open", "INC-2 open"]),
    ] {
        dashboard.press(&format!("esc / '{filter}' enter"));
        assert_eq!(dashboard.list(), list, "{filter}");
    }
    dashboard.press("4");
    assert_eq!(dashboard.list(), ["> INC-1 closed"], "the filter of one tab hides nothing in another");
    dashboard.press("/ closed:today enter");
    assert_eq!(dashboard.list(), ["> INC-1 closed"]);
    dashboard.press("/ ctrl-u closed:yesterday enter");
    assert!(dashboard.list().is_empty() && dashboard.shows("Nothing matches the filter"), "{}", dashboard.screen());
    dashboard.press("/ ctrl-u closed:never");
    assert!(dashboard.shows("closed: takes today, yesterday or a date"), "{}", dashboard.screen());
    dashboard.press("esc 1 esc / 'age:>2h' enter").after(2 * 3_600);
    let list = ["> INC-4 sending", "INC-3 open", "INC-2 open"];
    assert_eq!(dashboard.list(), list, "what is old enough comes by itself");
}

#[test]
fn a_new_request_is_shown_whatever_the_filter_says() {
    let mut dashboard = three();
    dashboard.press("/ zzz enter").send("INC-4 MMD-4 Other");
    assert_eq!(dashboard.list()[0], "> INC-4 sending");
}

#[test]
fn the_id_and_a_line_for_the_ticket_are_copied() {
    let mut dashboard = three();
    dashboard.press("y Y");
    let line = "INC-1 · MMD-8 · Excel again · id-3 · opened 2026-11-22T14:02:00Z · open";
    assert_eq!(dashboard.take_effects(), [Effect::Copy("id-3".to_owned()), Effect::Copy(line.to_owned())]);
    // What became of a copy is told when it is known, and no more than is known.
    for (to, text, told) in [
        (CopiedTo::Terminal, "id-3", "Sent to the terminal: id-3"),
        (CopiedTo::Terminal, line, "Sent to the terminal: INC-1 · MMD-8 · Excel ag…"),
        (CopiedTo::TmuxAndTerminal, "two\nlines", "Sent to tmux and the terminal: two…"),
    ] {
        dashboard.happens(Message::Copied(to, text.to_owned()));
        assert_eq!(dashboard.notice(), told);
    }
    dashboard.happens(Message::Copied(CopiedTo::Tmux, "id-3".to_owned()));
    assert!(dashboard.notice().starts_with("Sent to tmux: id-3 · hint: "), "{}", dashboard.notice());
    dashboard.send("INC-4 MMD-4 Other");
    dashboard.press("y");
    assert_eq!(dashboard.take_effects(), []);
    assert_eq!(dashboard.notice(), "Nothing to do: the service has given it no id yet");
}

#[test]
fn details_scroll_and_begin_at_the_top_for_each_request() {
    let mut dashboard = three();
    dashboard.resize(80, 24).press("n INC-4 tab MMD-4 tab Long tab Office tab Word tab");
    let steps: Vec<_> = (1..=60).map(|line| format!("step {line}.")).collect();
    dashboard.paste(&steps.join("\n")).press("ctrl-s").opened();
    dashboard.press("enter");
    assert!(dashboard.shows("step 1.") && !dashboard.shows("step 60."));
    dashboard.press("ctrl-d ctrl-d ctrl-u");
    assert!(dashboard.shows("step 6.") && !dashboard.shows("step 1."), "{}", dashboard.screen());
    dashboard.press("G");
    assert!(dashboard.shows("Viewed by") && !dashboard.shows("step 1."), "{}", dashboard.screen());
    dashboard.press("k");
    dashboard.press("j pgup g");
    assert!(dashboard.shows("step 1."));
    dashboard.press("G esc j enter");
    assert!(dashboard.shows("INC-1") && dashboard.model.details_scroll == 0);
}

#[test]
fn tab_goes_to_the_details_and_back() {
    let mut dashboard = three();
    let mut seen = Vec::new();
    for keys in ["tab", "tab", "esc", "shift-tab", "esc", "tab", "shift-tab", "n", "esc", "enter", "n"] {
        dashboard.press(keys);
        seen.push(dashboard.model.pane);
    }
    assert_eq!(seen, [Details, List, List, Details, List, Details, List, Form, List, Details, Form]);
}

#[test]
fn an_empty_list_says_what_to_do() {
    let mut dashboard = Dashboard::new();
    assert!(dashboard.shows("No open requests. n opens one."));
    dashboard.open("INC-1 MMD-1 Excel");
    dashboard.press("c Done ctrl-s").closed();
    assert!(dashboard.shows("No open requests. n opens one.") && dashboard.shows("4 Closed 1"));
    dashboard.press("2");
    assert!(dashboard.shows("Reading the tenant's list: 0 so far."), "{}", dashboard.screen());
    dashboard.press("3");
    assert!(dashboard.shows("Nothing needs you."), "{}", dashboard.screen());
}

#[test]
fn with_an_empty_list_nothing_is_offered_that_needs_a_request() {
    let mut dashboard = Dashboard::new();
    let screen = dashboard.screen();
    let footer = screen.lines().last().unwrap();
    assert!(!footer.contains("copy") && !footer.contains("details"), "{footer}");
    dashboard.press("y");
    assert!(dashboard.screen().contains("no request is selected"));
}

#[test]
fn details_are_hidden_and_shown_by_a_key() {
    let mut dashboard = three();
    assert!(dashboard.shows("Plan of action"));
    dashboard.press("p");
    assert!(!dashboard.shows("Plan of action"), "{}", dashboard.screen());
    dashboard.press("enter");
    assert!(dashboard.shows("Plan of action"), "who goes there sees them");
    dashboard.press("esc p");
    assert!(dashboard.shows("Plan of action"));
}

#[test]
fn an_empty_filter_line_shows_examples() {
    let mut dashboard = three();
    dashboard.press("/");
    assert!(dashboard.shows("try  by:ana  age:>2h"), "{}", dashboard.screen());
    dashboard.press("x");
    assert!(!dashboard.shows("try  by:ana"));
}

#[test]
fn history_of_a_write_is_read_from_the_record_once_the_agent_rests_on_its_row() {
    let mut dashboard = three();
    let histories = |dashboard: &Dashboard| {
        dashboard.reads().iter().filter(|(_, call)| matches!(call, Call::History { .. })).count()
    };
    dashboard.press("j k").after_millis(299);
    assert_eq!(histories(&dashboard), 0);
    dashboard.after_millis(1);
    assert_eq!(histories(&dashboard), 1);
    let step = |seconds, state, why: Option<&str>| HistoryStep {
        at: start() + SignedDuration::from_secs(seconds),
        state,
        why: why.map(Untrusted::new),
        service_request_id: None,
    };
    let steps = vec![
        step(0, WriteState::Intended, None),
        step(1, WriteState::Unknown, Some("No answer came in time.\u{1b}[2J")),
        step(9, WriteState::Done, None),
    ];
    let write = WriteHistory { id: WriteId(1), kind: "create", operator: Untrusted::new("agent"), steps };
    dashboard.reply_to_read(0, Ok(CallResult::History(vec![write])));
    let told = dashboard.prose();
    for text in
        ["create Nov 22 14:02:00 recorded", "14:02:01 unknown: No answer came in time.␛[2J", "14:02:09 confirmed"]
    {
        assert!(told.contains(text), "{text}\n{}", dashboard.screen());
    }
    dashboard.press("j k").after(10);
    assert_eq!(histories(&dashboard), 0, "nothing is read again: the row has not changed");
    dashboard.press("j").after(1);
    dashboard.reply_to_read(0, Err(CallError::not_recorded(Problem::new("the disk has failed", "look at it"))));
    assert!(dashboard.prose().contains("Record not read: "), "{}", dashboard.screen());
    assert!(dashboard.prose().contains("the disk has failed"), "{}", dashboard.screen());
}
