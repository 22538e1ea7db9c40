//! Opening a request: from the form to the service's id, and back where the service declines.

use mmd_elevate::dashboard::{Effect, Message, Pane, RowState};
use mmd_elevate_core::{CallError, CallId, CallResult, Field, Problem, ReadBack};

use crate::support::dashboard::{DRAFT, Dashboard, created, fault, opened, start};

const TOO_MANY: &str = "The device MMD-03690457680 has too many open elevation requests.";

#[test]
fn a_request_is_sent_as_it_was_typed_and_opened_with_the_service_s_id() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s");
    let sent = dashboard.create(0);
    let texts = Field::ALL.map(|field| sent.get(field));
    let typed =
        ["INC-10442", "MMD-03690457680", "Excel add-in crashes", "Office", "Excel", "Start Excel as administrator."];
    assert_eq!(texts, typed);
    assert_eq!(dashboard.list(), ["> INC-10442 sending"]);
    assert_eq!(dashboard.form(), typed, "the form shows what is being sent");
    assert!(dashboard.shows("1 in flight"));
    dashboard.opened();
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
    assert_eq!(dashboard.row("INC-10442").request_id().unwrap().raw(), "id-1");
    assert_eq!(dashboard.notice(), "Opened for MMD-03690457680 (INC-10442)");
    assert!(dashboard.model.form.is_empty());
    assert!(!dashboard.shows("in flight"));
}

#[test]
fn alt_enter_submits_as_well_and_typing_may_come_at_once() {
    let mut dashboard = Dashboard::new();
    dashboard.burst(&format!("{DRAFT} f2"));
    assert_eq!(dashboard.create(0).get(Field::PlanOfAction), "Start Excel as administrator.");
}

#[test]
fn all_problems_are_shown_at_once_and_the_first_has_the_focus() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1 tab tab Title tab tab tab Plan ctrl-s");
    assert!(dashboard.calls().is_empty());
    let wrong: Vec<_> = Field::ALL.into_iter().filter(|field| dashboard.model.form.problem(*field).is_some()).collect();
    assert_eq!(wrong, [Field::Device, Field::Category, Field::Subcategory]);
    assert_eq!(dashboard.model.form.focused, Field::Device);
    assert!(dashboard.shows("type its name"));
    assert_eq!(dashboard.screen().matches("choose or type one").count(), 2);
    dashboard.press("M");
    assert!(!dashboard.shows("type its name"), "what was wrong with it may be so no longer");
    assert!(dashboard.shows("choose or type one"));
}

#[test]
fn a_refusal_comes_back_to_the_device_in_the_service_s_words_with_every_character() {
    for (kind, words, hint) in [
        (CallError::too_many_open(), TOO_MANY, "close a request that is open for this device"),
        (CallError::declined(), "No elevation for devices in the Test group.", "the service gave this reason"),
        (CallError::no_such_device(), "The device INC-10442 does not exist.", "check the device's name"),
    ] {
        let mut dashboard = Dashboard::new();
        dashboard.press("n ' INC-10442 ' tab MMD-1 tab").paste("Ünïcode \"quoted\" 东京").press("tab Office tab x tab");
        dashboard.paste("first line\r\n\tsecond\n").press("ctrl-s");
        let typed = dashboard.form();
        dashboard.fails(kind, words);
        assert_eq!(dashboard.form(), typed);
        assert_eq!((dashboard.model.pane, dashboard.model.form.focused), (Pane::Form, Field::Device));
        assert!(dashboard.list().is_empty(), "the draft is in the form again, and only there");
        assert!(dashboard.shows(&words[..20]), "{}", dashboard.screen());
        assert!(dashboard.notice().contains(words) && dashboard.notice().contains(hint), "{}", dashboard.notice());
        dashboard.press("9 ctrl-s");
        assert_eq!(dashboard.create(0).get(Field::Device), "MMD-19", "it is mended and sent again");
        assert_eq!(dashboard.create(0).get(Field::PlanOfAction), "first line\n\tsecond\n");
    }
}

#[test]
fn a_refusal_that_no_field_caused_brings_the_draft_back_all_the_same() {
    for kind in [
        CallError::not_signed_in(),
        CallError::sign_in_failed(&Problem::new("the client secret is wrong", "fix it")),
        CallError::not_allowed(),
        CallError::not_accepted(400, None),
        CallError::throttled(None),
        CallError::redirected(302),
        CallError::not_reached("refused"),
        CallError::not_sent("too many calls wait already"),
    ] {
        let mut dashboard = Dashboard::new();
        dashboard.press(DRAFT).press("ctrl-s").fails(kind.clone(), "");
        assert_eq!(dashboard.form()[0], "INC-10442");
        assert_eq!(dashboard.model.pane, Pane::Form);
        let told = kind.clone();
        assert!(dashboard.notice().contains(&told.what()) && dashboard.notice().contains(told.hint()));
    }
}

#[test]
fn a_second_draft_is_begun_while_the_first_is_in_flight_and_replies_come_in_any_order() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s");
    dashboard.press("n");
    assert!(dashboard.model.form.is_empty() && dashboard.model.form.sending().is_none());
    dashboard.press("INC-2 tab MMD-2 tab Second tab Office tab Word tab Plan ctrl-s");
    assert_eq!(dashboard.list(), ["> INC-2 sending", "INC-10442 sending"]);
    assert!(dashboard.shows("2 in flight"));
    let second = created(&dashboard.create(1), "second", start());
    dashboard.reply_to(1, Ok(opened(second)));
    assert_eq!(dashboard.list(), ["> INC-2 open", "INC-10442 sending"]);
    assert_eq!(dashboard.row("INC-2").request_id().unwrap().raw(), "second");
    dashboard.opened();
    assert_eq!(dashboard.list(), ["> INC-2 open", "INC-10442 open"]);
    assert_eq!(dashboard.row("INC-10442").request_id().unwrap().raw(), "id-1");
}

#[test]
fn a_refusal_never_replaces_what_is_being_typed() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s n INC-2 tab MMD");
    let typed = dashboard.form();
    dashboard.fails(CallError::declined(), TOO_MANY);
    assert_eq!(dashboard.form(), typed);
    assert_eq!(dashboard.model.form.focused, Field::Device);
    assert_eq!(dashboard.list(), ["> INC-10442 refused"]);
    dashboard.press("-2");
    assert_eq!(dashboard.form()[1], "MMD-2", "typing goes on where it was");

    dashboard.press("esc");
    assert_eq!(dashboard.list(), ["INC-2 draft", "> INC-10442 refused"], "both are in sight");
    dashboard.press("enter");
    assert_eq!(dashboard.form()[0], "INC-10442");
    assert_eq!(dashboard.form()[5], "Start Excel as administrator.");
    assert_eq!(dashboard.model.form.focused, Field::Device);
    assert!(dashboard.shows("has too many open"), "it comes with what the service said");
    assert_eq!(dashboard.list(), ["> INC-2 draft"], "the other one waits");
    dashboard.press("esc g j enter");
    assert_eq!(dashboard.form()[..2], ["INC-2", "MMD-2"], "and can be taken up in turn");
    dashboard.press("esc");
    assert_eq!(dashboard.list(), ["INC-2 draft", "> INC-10442 draft"]);
}

#[test]
fn what_was_discarded_to_take_up_another_draft_comes_back() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s n INC-2 tab MMD-2").fails(CallError::declined(), TOO_MANY);
    dashboard.press("ctrl-x esc enter");
    assert_eq!(dashboard.form()[0], "INC-10442");
    dashboard.press("ctrl-s").opened().press("n ctrl-z");
    assert_eq!(dashboard.form()[..2], ["INC-2", "MMD-2"]);
}

#[test]
fn a_reply_moves_the_focus_only_as_long_as_the_agent_has_touched_nothing() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 One"]);
    dashboard.press(DRAFT).press("ctrl-s j");
    let focus = |dashboard: &Dashboard| (dashboard.model.pane, dashboard.model.overlays.len());
    let before = focus(&dashboard);
    dashboard.fails(CallError::declined(), TOO_MANY);
    assert_eq!(focus(&dashboard), before);
    assert!(dashboard.notice().contains("hint: n goes back to the draft"), "{}", dashboard.notice());
    dashboard.press("n");
    assert_eq!(dashboard.model.form.focused, Field::Device, "n leads to the field that is wrong");
    assert_eq!(dashboard.form()[0], "INC-10442");
}

#[test]
fn a_reply_changes_nothing_under_a_dialog_or_a_filter_that_is_being_typed() {
    for (keys, typed) in [("c Done", "Done"), ("/ One", "One")] {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 One"]);
        dashboard.press(DRAFT).press("ctrl-s j").press(keys);
        let scopes = dashboard.model.scopes();
        dashboard.fails(CallError::no_such_device(), "No.");
        assert_eq!(dashboard.model.scopes(), scopes, "{keys}");
        assert!(dashboard.shows(typed), "{keys}");
    }
}

#[test]
fn an_outcome_that_nobody_knows_is_said_to_be_unknown_and_its_row_keeps_the_text() {
    for kind in [
        CallError::timed_out(),
        CallError::connection_broken(),
        CallError::server_failed(502),
        CallError::broken_answer("it has no id"),
        CallError::crashed(),
    ] {
        let mut dashboard = Dashboard::new();
        dashboard.press(DRAFT).press("ctrl-s").fails(kind, "");
        assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
        assert!(
            dashboard
                .notice()
                .starts_with("It is unknown whether the request for MMD-03690457680 (INC-10442) was opened")
        );
        dashboard.press("enter");
        assert!(dashboard.shows("Outcome unknown") && dashboard.shows("It may have been opened all the same."));
        dashboard.press("esc");
        assert!(dashboard.calls().is_empty(), "nothing is sent by itself");
        assert!(dashboard.model.form.is_empty());
        assert_eq!(dashboard.row("INC-10442").draft.unwrap().get(Field::PlanOfAction), "Start Excel as administrator.");
    }
}

#[test]
fn a_reply_to_the_wrong_question_is_not_taken_for_an_answer() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s").reply_to(0, Ok(CallResult::Closed(ReadBack::NotYetVisible)));
    assert_eq!(dashboard.list(), ["> INC-10442 unknown"]);
}

#[test]
fn a_reply_that_nobody_awaits_is_dropped_with_a_line_in_the_log() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s");
    let late = created(&dashboard.create(0), "late", start());
    dashboard.opened();
    for id in [1, 99] {
        let before = dashboard.screen();
        dashboard.reply(CallId(id), Ok(opened(late.clone())));
        dashboard.reply(CallId(id), Err(fault(CallError::timed_out(), "")));
        assert_eq!(dashboard.screen(), before);
        let logged = Effect::LogUnawaited(CallId(id));
        assert_eq!(dashboard.take_effects(), [logged.clone(), logged]);
    }
}

#[test]
fn a_worker_that_is_gone_leaves_no_call_without_an_end() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 One"]);
    dashboard.press(DRAFT).press("ctrl-s j c Done ctrl-s");
    dashboard.happens(Message::WorkerGone);
    assert_eq!(dashboard.list(), ["INC-10442 unknown", "> INC-1 unknown"]);
    assert!(dashboard.model.calls.is_empty());
    assert!(dashboard.shows("no service"));
    assert!(dashboard.notice().contains("quit and start again"));
}

#[test]
fn discarding_is_undone_and_a_draft_that_is_there_is_returned_to() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT);
    let typed = dashboard.form();
    dashboard.press("esc");
    assert_eq!(dashboard.model.pane, Pane::List);
    dashboard.press("n");
    assert_eq!(dashboard.form(), typed, "Esc throws nothing away");
    dashboard.press("ctrl-x");
    assert!(dashboard.model.form.is_empty());
    assert!(dashboard.notice().contains("Ctrl-Z brings it back"));
    dashboard.press("ctrl-z");
    assert_eq!(dashboard.form(), typed);
    dashboard.press("ctrl-x esc n ctrl-z");
    assert_eq!(dashboard.form(), typed, "also after leaving the form");
}

#[test]
fn a_draft_that_is_being_sent_is_never_sent_twice() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s tab tab");
    let typed = dashboard.form();
    dashboard.press("ctrl-s enter").paste("pasted");
    assert_eq!(dashboard.form(), typed);
    assert_eq!(dashboard.calls().len(), 1, "it is never sent twice");
    assert!(matches!(dashboard.row("INC-10442").state, RowState::Sending(_)));
}

#[test]
fn at_most_four_writes_run_at_once_and_the_rest_wait_visibly_and_can_be_taken_back() {
    let mut dashboard = Dashboard::new();
    for number in 1..=6 {
        dashboard.send(&format!("INC-{number} MMD-{number} Title"));
    }
    assert_eq!(dashboard.calls().len(), 4);
    assert!(dashboard.shows("… waiting") && dashboard.prose().contains("waits until one of four writes has ended"));
    let sent = |dashboard: &Dashboard, index: usize| dashboard.create(index).get(Field::Ticket).to_owned();
    assert_eq!(sent(&dashboard, 3), "INC-4");
    // The fifth is taken back, and its draft is kept; the sixth goes out as soon as there is room.
    dashboard.press("j x");
    assert!(dashboard.notice().starts_with("Not opened for MMD-5 (INC-5)"), "{}", dashboard.notice());
    assert_eq!(dashboard.row("INC-5").state, RowState::Refused);
    assert_eq!(dashboard.calls().len(), 4);
    dashboard.opened();
    assert_eq!((dashboard.calls().len(), sent(&dashboard, 3)), (4, "INC-6".to_owned()));
    assert!(!dashboard.shows("waiting"), "{}", dashboard.screen());
}
