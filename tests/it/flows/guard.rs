//! The form: what is suggested, what is open on the device, and what is told before a request is sent.

use jiff::SignedDuration;
use mmd_elevate::dashboard::{Overlay, Pane, RowState};
use mmd_elevate_core::{
    Call, CallError, CallResult, Device, ElevationRequest, Field, Gaps, Query, ServiceTime, Untrusted,
};

use crate::support::{
    dashboard::{DRAFT, Dashboard, fault, start},
    record::held,
};

const DEVICE: &str = "MMD-03690457680";

/// An open request of a colleague on the draft's device, so many minutes old.
fn open(ticket: &str, by: &str, minutes: i64) -> ElevationRequest {
    let at = start() - SignedDuration::from_mins(minutes);
    let created = Some(ServiceTime { text: Untrusted::new(at.to_string()), at: Some(at) });
    let requested_by = Untrusted::new(format!("{by}@partner.example"));
    ElevationRequest { created, requested_by, ..held(&format!("{ticket} {DEVICE} Docking"), ticket) }
}

/// A device with two open requests, and one of another device that a service lists with them.
fn guarded() -> Dashboard {
    let mut dashboard = Dashboard::new();
    let other = held("INC-9 MMD-9 Other", "INC-9");
    dashboard.lists_of_device(Some(vec![open("INC-1", "ana", 180), open("INC-2", "kofi", 20), other]));
    dashboard
}

#[test]
fn what_is_open_on_the_device_is_told_as_its_field_is_left() {
    let mut dashboard = guarded();
    dashboard.press(&format!("n tab {DEVICE}"));
    assert_eq!(dashboard.notice(), "");
    dashboard.press("tab");
    let told = format!("2 open on {DEVICE}: ana 3 h INC-1 · kofi 20 min INC-2 · hint: Ctrl-G shows them");
    assert_eq!(dashboard.notice(), told);
    assert_eq!(dashboard.model.form.focused, Field::Title, "nothing else has happened");
}

#[test]
fn draft_that_was_told_is_sent_at_once_and_one_that_was_not_waits_for_the_same_key_again() {
    let mut told = guarded();
    told.press(DRAFT).press("ctrl-s");
    assert_eq!(told.create(0).get(Field::Device), DEVICE, "the agent knows of them");

    let mut untold = guarded();
    untold.lists_of_device(Some(Vec::new())).press(DRAFT);
    untold.lists_of_device(Some(vec![open("INC-1", "ana", 180)])).press("ctrl-s");
    assert!(untold.calls().is_empty());
    assert!(untold.notice().starts_with("Not sent yet: 1 open on"), "{}", untold.notice());
    assert!(untold.notice().contains("Ctrl-S again sends all the same"), "{}", untold.notice());
    assert_eq!((untold.model.pane, untold.model.form.focused), (Pane::Form, Field::Device));
    assert!(untold.list().is_empty(), "the draft is in the form, and only there");
    untold.press("ctrl-s");
    assert_eq!(untold.create(0).get(Field::Device), DEVICE);
}

#[test]
fn held_key_sends_nothing_that_was_not_read() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(Some(Vec::new())).press(DRAFT);
    dashboard.lists_of_device(Some(vec![open("INC-1", "ana", 180)]));
    dashboard.press_every(30, "ctrl-s ctrl-s ctrl-s ctrl-s");
    assert!(dashboard.calls().is_empty(), "{}", dashboard.notice());
}

#[test]
fn sending_waits_two_seconds_for_the_list_and_then_says_that_it_was_not_checked() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(DRAFT).press("ctrl-s");
    assert_eq!(dashboard.list(), ["> INC-10442 checking"]);
    let listing = dashboard.reads().last().unwrap().1.clone();
    assert_eq!(listing, Call::List(Query::Device(DEVICE.to_owned())));
    assert!(dashboard.calls().is_empty() && dashboard.model.remains().unsent == 1);
    dashboard.after_millis(1_999);
    assert!(dashboard.calls().is_empty());
    dashboard.after_millis(1);
    assert_eq!(dashboard.create(0).get(Field::Device), DEVICE);
    assert!(dashboard.notice().contains("was not checked"), "{}", dashboard.notice());
    assert_eq!(dashboard.list(), ["> INC-10442 sending"]);
    // The list that comes at last changes nothing of that.
    let last = dashboard.reads().len() - 1;
    dashboard.page(last, vec![open("INC-1", "ana", 180)]);
    dashboard.reply_to_read(last, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }));
    assert_eq!(dashboard.calls().len(), 1);
}

#[test]
fn list_that_fails_is_told_and_does_not_stop() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(&format!("n tab {DEVICE} tab"));
    dashboard.reply_to_read(0, Err(CallError::timed_out()));
    assert!(dashboard.notice().starts_with(&format!("What is open on {DEVICE} was not checked")));
    dashboard.press("shift-tab shift-tab INC-10442 tab tab Title tab Office tab Excel tab Plan ctrl-s");
    let last = dashboard.reads().len() - 1;
    dashboard.reply_to_read(last, Err(CallError::timed_out()));
    assert_eq!(dashboard.create(0).get(Field::Device), DEVICE);
}

#[test]
fn draft_that_waits_for_the_list_is_kept_and_can_be_called_back() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(DRAFT).press("ctrl-s x");
    assert_eq!(dashboard.list(), ["> INC-10442 draft"]);
    assert!(dashboard.calls().is_empty() && dashboard.form()[0] == "INC-10442");
    let mut other = guarded();
    other.lists_of_device(None).press(DRAFT).press("ctrl-s n INC-77");
    let call = other.reads().last().unwrap().0;
    let last = other.reads().len() - 1;
    other.page(last, vec![open("INC-1", "ana", 180)]);
    assert_eq!(other.reads()[last].0, call);
    other.reply_to_read(last, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }));
    assert_eq!(other.list(), ["> INC-10442 draft"], "another is being typed: it waits in its row");
    assert_eq!(other.form()[0], "INC-77");
    assert!(other.calls().is_empty());
}

#[test]
fn panel_shows_what_is_open_and_acts_on_it() {
    let mut dashboard = guarded();
    dashboard.press(DRAFT).press("ctrl-g");
    for text in [&format!("Already open on {DEVICE}"), "2 requests are open", "checked 14:02:00", "ana", "3 h !"] {
        assert!(dashboard.shows(text), "{text}\n{}", dashboard.screen());
    }
    let typed = dashboard.form();
    dashboard.press("j Y");
    assert!(dashboard.take_effects().iter().any(|effect| format!("{effect:?}").contains("INC-2")));
    dashboard.press("enter");
    assert!(matches!(dashboard.model.overlays.last(), Some(Overlay::Look(_))));
    assert!(dashboard.shows("INC-2  Docking"), "{}", dashboard.screen());
    dashboard.press("esc c 'Already done' ctrl-s");
    assert_eq!(dashboard.close(0), ("INC-2", "Already done"));
    dashboard.closed();
    assert!(matches!(dashboard.model.overlays.last(), Some(Overlay::Device(_))));
    assert!(dashboard.shows("1 request is open"), "{}", dashboard.screen());
    dashboard.press("esc");
    assert_eq!((dashboard.model.pane, dashboard.form()), (Pane::Form, typed), "the form is back, nothing was sent");
    dashboard.lists_of_device(Some(vec![open("INC-1", "ana", 180)])).press("ctrl-g ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Device), DEVICE);
}

#[test]
fn refusal_for_too_many_names_the_key_that_shows_them() {
    let mut dashboard = guarded();
    dashboard.press(DRAFT).press("ctrl-s").fails(CallError::too_many_open(), "This device has too many.");
    assert!(dashboard.notice().contains("hint: Ctrl-G shows them"), "{}", dashboard.notice());
    dashboard.press("ctrl-g");
    assert!(dashboard.shows("Already open on"), "{}", dashboard.screen());
}

fn device(name: &str, user: &str, ring: &str) -> Device {
    Device {
        name: Untrusted::new(name),
        serial_number: Untrusted::default(),
        user: Untrusted::new(user),
        model: Untrusted::new("Surface Laptop 5"),
        update_ring: Untrusted::new(ring),
    }
}

fn suggested(dashboard: &Dashboard) -> Vec<&str> {
    dashboard.model.form.suggestions().iter().map(|suggestion| suggestion.text.as_str()).collect()
}

#[test]
fn devices_are_searched_while_typing_and_the_newest_answer_wins() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab pri").after_millis(199);
    assert!(dashboard.reads().is_empty(), "not between two letters");
    dashboard.after_millis(1);
    let searches = |dashboard: &Dashboard| dashboard.reads().iter().map(|(_, call)| call.clone()).collect::<Vec<_>>();
    assert_eq!(searches(&dashboard), [Call::SearchDevices("pri".to_owned())]);
    dashboard.press("ya").after_millis(200);
    assert_eq!(searches(&dashboard)[1], Call::SearchDevices("priya".to_owned()));
    dashboard.reply_to_read(1, Ok(CallResult::Devices(vec![device("MMD-77", "priya@contoso.example", "Broad")])));
    assert_eq!(suggested(&dashboard), ["MMD-77"], "by its user");
    dashboard.reply_to_read(0, Ok(CallResult::Devices(vec![device("MMD-78", "prisca@contoso.example", "Broad")])));
    assert_eq!(suggested(&dashboard), ["MMD-77"]);
    assert!(dashboard.shows("MMD-77  priya · Surface Laptop 5"), "{}", dashboard.screen());
    dashboard.press("down enter");
    assert_eq!((dashboard.form()[1].as_str(), dashboard.model.form.focused), ("MMD-77", Field::Title));
}

#[test]
fn search_that_fails_or_does_not_exist_is_in_nobodys_way() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab pri").after_millis(200).reply_to_read(0, Err(CallError::not_accepted(404, None)));
    assert_eq!(dashboard.notice(), "");
    dashboard.press("ya").after_millis(1_000);
    assert!(dashboard.reads().is_empty(), "it is not asked again");
    dashboard.press("tab Title");
    assert_eq!(dashboard.form()[2], "Title");
}

#[test]
fn names_seen_in_lists_are_suggested_and_the_nearest_after_one_that_does_not_exist() {
    let mut dashboard = Dashboard::new();
    dashboard.press("2");
    let listed = vec![held("INC-1 MMD-03690457680 One", "x-1"), held("INC-2 MMD-77777777777 Two", "x-2")];
    dashboard.page(0, listed).press("1 n INC-5 tab 0369");
    assert_eq!(suggested(&dashboard), ["MMD-03690457680"]);
    dashboard.press("ctrl-u MMD-03690457860 tab Title tab Office tab Excel tab Plan ctrl-s");
    dashboard.fails(CallError::no_such_device(), "This device does not exist.");
    assert_eq!(dashboard.model.form.focused, Field::Device);
    assert_eq!(suggested(&dashboard)[0], "MMD-03690457680", "{}", dashboard.screen());
    dashboard.press("down enter ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Device), "MMD-03690457680");
}

#[test]
fn device_in_the_test_group_is_warned_of_and_the_same_key_sends_it_all_the_same() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-5 tab MMD-5").after_millis(200);
    dashboard.reply_to_read(0, Ok(CallResult::Devices(vec![device("MMD-5", "lee@contoso.example", "Test")])));
    dashboard.press("tab");
    assert!(dashboard.prose().contains("it is in the Test group"), "{}", dashboard.screen());
    dashboard.press("Title tab Office tab Excel tab Plan ctrl-s");
    assert!(dashboard.calls().is_empty() && dashboard.notice().contains("Test group"), "{}", dashboard.notice());
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Device), "MMD-5");
}

#[test]
fn new_row_has_the_focus_and_a_refusal_takes_it_back_only_if_nothing_was_pressed() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 One"]);
    dashboard.press("2").press(DRAFT).press("ctrl-s");
    assert_eq!(dashboard.list(), ["> INC-10442 sending", "INC-1 open"], "in the tab of one's own");
    let mut watched = dashboard.clone();
    watched.fails(CallError::declined(), "No.");
    assert_eq!(watched.model.pane, Pane::Form);
    dashboard.press("j n INC-3 esc").fails(fault(CallError::declined(), "No."), "No.");
    assert_eq!(dashboard.model.pane, Pane::List);
    assert_eq!(dashboard.press("3").list(), ["> INC-10442 refused"], "it waits in its row, and here");
    assert!(matches!(dashboard.row("INC-10442").state, RowState::Refused));
}

#[test]
fn each_draft_waits_for_the_list_of_its_own_device() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(DRAFT).press("ctrl-s");
    let first = dashboard.reads().len() - 1;
    dashboard.press("n INC-77 tab MMD-77 tab Other tab Office tab Word tab Plan ctrl-s");
    assert_eq!(dashboard.list(), ["> INC-77 checking", "INC-10442 checking"]);
    dashboard.page(first, vec![open("INC-1", "ana", 180)]);
    dashboard.reply_to_read(first, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }));
    assert_eq!(dashboard.list(), ["> INC-77 checking", "INC-10442 draft"]);
    assert!(dashboard.notice().contains("Not sent yet: 1 open on") && dashboard.calls().is_empty());
    assert!(dashboard.notice().ends_with("Enter on its row takes it up again"), "{}", dashboard.notice());
    dashboard.after(2);
    assert_eq!(dashboard.create(0).get(Field::Device), "MMD-77");
    assert_eq!(dashboard.list(), ["> INC-77 sending", "INC-10442 draft"]);
}

#[test]
fn draft_that_was_called_back_is_never_sent() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(DRAFT).press("ctrl-s n INC-77 esc x");
    assert_eq!(dashboard.list(), ["INC-77 draft", "> INC-10442 draft"]);
    dashboard.after(10);
    assert!(dashboard.calls().is_empty(), "{:?}", dashboard.calls());
    let last = dashboard.reads().len() - 1;
    dashboard.reply_to_read(last, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }));
    assert!(dashboard.calls().is_empty() && dashboard.list() == ["INC-77 draft", "> INC-10442 draft"]);
}

#[test]
fn draft_that_waits_when_the_worker_ends_comes_back() {
    let mut dashboard = guarded();
    dashboard.lists_of_device(None).press(DRAFT).press("ctrl-s");
    let typed = dashboard.form();
    dashboard.worker_gone();
    assert_eq!(dashboard.form(), typed);
    assert!(dashboard.list().is_empty() && dashboard.model.form.sending().is_none());
    assert_eq!(dashboard.model.remains().in_flight + dashboard.model.remains().unsent, 0);
}

#[test]
fn what_is_open_is_told_anew_for_each_draft_and_stands_while_it_is_typed() {
    let mut dashboard = guarded();
    dashboard.press(&format!("n tab {DEVICE} tab"));
    assert!(dashboard.notice().starts_with("2 open on"));
    dashboard.after(6).press("T");
    assert_eq!(dashboard.notice(), "");
    assert!(dashboard.shows("? 2 open on") && dashboard.shows("Ctrl-G shows it"), "{}", dashboard.screen());
    dashboard
        .press("ctrl-x esc")
        .after(3_600)
        .press(&format!("n shift-tab shift-tab shift-tab shift-tab shift-tab {DEVICE} tab"));
    assert!(dashboard.notice().starts_with("2 open on"), "{} {:?}", dashboard.notice(), dashboard.form());
}

#[test]
fn nothing_spins_while_nothing_can_be_asked() {
    use mmd_elevate_core::Event;
    let mut dashboard = Dashboard::new();
    dashboard.says(Event::NotReady(CallError::not_sent("no service")));
    dashboard.press("n tab MMD").after(1);
    assert!(dashboard.wakes_in() > std::time::Duration::from_millis(400), "{:?}", dashboard.wakes_in());
    let mut draft = guarded();
    draft.lists_of_device(None).press(DRAFT).press("ctrl-s n INC-77 esc x").after(1).after(1);
    assert!(draft.wakes_in() > std::time::Duration::from_millis(400), "{:?}", draft.wakes_in());
}
