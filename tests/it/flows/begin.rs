//! Where drafts begin: like another request, from a paste, and beside each other.

use mmd_elevate::dashboard::Pane;
use mmd_elevate_core::{Call, DraftTarget, ElevationRequest, Field, Query, RequestId, Untrusted};

use crate::support::{
    corpus::corpus,
    dashboard::{DRAFT, Dashboard},
};

fn one() -> Dashboard {
    Dashboard::with_open(&["INC-1 MMD-1 Excel"])
}

#[test]
fn request_like_the_selected_one_takes_over_all_but_ticket_and_device() {
    let mut dashboard = one();
    dashboard.press("N");
    assert_eq!(dashboard.form(), ["", "", "Excel", "Office", "Excel", "Start it."]);
    assert_eq!((dashboard.model.pane, dashboard.model.form.focused), (Pane::Form, Field::Ticket));
    assert_eq!(
        dashboard.notice(),
        "Like the request for MMD-1 (INC-1), for another ticket and device · hint: nothing was sent"
    );
    dashboard.press("INC-2 tab MMD-2 ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::PlanOfAction), "Start it.");
    let mut dashboard = Dashboard::new();
    dashboard.press("N");
    assert_eq!(dashboard.notice(), "Nothing to do: no request is selected");
}

#[test]
fn further_draft_leaves_the_first_one_waiting_in_mine() {
    let mut dashboard = one();
    dashboard.press("n INC-7 tab MMD-7 esc");
    assert_eq!(dashboard.list(), ["INC-7 draft", "> INC-1 open"], "a draft is in sight");
    dashboard.press("N");
    assert!(dashboard.notice().ends_with("the draft for MMD-7 (INC-7) waits in Mine"), "{}", dashboard.notice());
    dashboard.press("INC-8 esc");
    assert_eq!(dashboard.list(), ["INC-8 draft", "INC-7 draft", "> INC-1 open"]);
    dashboard.paste("INC-909 on MMD-03690457680").press("esc");
    assert_eq!(dashboard.list(), ["INC-909 draft", "INC-8 draft", "INC-7 draft", "> INC-1 open"]);
    dashboard.press("n");
    assert_eq!(dashboard.form()[0], "INC-909", "n returns to the draft that is there");
    dashboard.press("esc k enter");
    assert_eq!(dashboard.form()[..2], ["INC-7", "MMD-7"]);
    dashboard.press("esc");
    assert_eq!(dashboard.list().len(), 4, "none is lost: {:?}", dashboard.list());
    dashboard.press("n ctrl-x esc");
    assert_eq!(dashboard.list(), ["INC-909 draft", "INC-8 draft", "> INC-1 open"], "discarding is a key of its own");
    dashboard.press("n ctrl-z esc");
    assert_eq!(dashboard.list().len(), 4, "and is undone");
}

#[test]
fn every_draft_is_saved_and_the_one_in_the_form_only_once() {
    let mut dashboard = one();
    dashboard.press("n INC-7 esc").after(1);
    let saved: Vec<_> = dashboard.take_saves().into_iter().map(|(target, _)| target).collect();
    assert_eq!(saved, [DraftTarget::Form]);
    dashboard.press("N").after(1);
    let saved = dashboard.take_saves();
    let tickets: Vec<_> =
        saved.iter().filter_map(|(_, draft)| Some(draft.as_ref()?.get(Field::Ticket).to_owned())).collect();
    assert_eq!(tickets, ["", "INC-7"], "{saved:?}");
    assert!(saved.iter().any(|(target, _)| matches!(target, DraftTarget::Refused(_))), "{saved:?}");
}

#[test]
fn draft_that_is_sent_or_in_the_form_has_one_row() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("esc");
    assert_eq!(dashboard.list(), ["> INC-10442 draft"]);
    dashboard.press("enter");
    assert!(dashboard.list().is_empty() && dashboard.model.pane == Pane::Form);
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.list(), ["> INC-10442 sending"]);
    dashboard.opened();
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
}

#[test]
fn paste_begins_a_draft_with_what_it_says_and_asks_what_is_open_on_the_device() {
    let mut dashboard = one();
    dashboard.lists_of_device(None);
    dashboard.paste(
        "Number: INC-10442\r\nComputer:\tMMD-03690457680\r\nShort description: Excel add-in \u{1b}[31mcrashes\r\n",
    );
    assert_eq!(dashboard.form(), ["INC-10442", "MMD-03690457680", "Excel add-in [31mcrashes", "", "", ""]);
    assert_eq!((dashboard.model.pane, dashboard.model.form.focused), (Pane::Form, Field::Category));
    assert!(dashboard.notice().starts_with("From the paste: ticket INC-10442, device MMD-03690457680, title"));
    assert!(dashboard.calls().is_empty(), "nothing is sent");
    let device = Call::List(Query::Device("MMD-03690457680".to_owned()));
    assert_eq!(dashboard.reads().iter().map(|(_, call)| call).collect::<Vec<_>>(), [&device]);
}

#[test]
fn device_that_is_known_is_recognized_whatever_it_is_called() {
    let mut dashboard = one();
    let listed = ElevationRequest {
        device: Untrusted::new("Kiosk-Lobby"),
        ..ElevationRequest::from_id(RequestId::new("id-9").unwrap())
    };
    dashboard.press("2").page(0, vec![listed]);
    dashboard.paste("INC-303: please look at Kiosk-Lobby, it is slow");
    assert_eq!(dashboard.form()[..2], ["INC-303", "Kiosk-Lobby"]);
}

#[test]
fn paste_in_which_nothing_is_recognized_changes_nothing() {
    let mut dashboard = one();
    let plain = ["", "hello world", "Subject: only a title"].map(str::to_owned);
    for text in plain.into_iter().chain(corpus().into_iter().map(|specimen| specimen.text)) {
        let form = dashboard.form();
        dashboard.paste(&text);
        assert_eq!((dashboard.form(), dashboard.model.pane), (form, Pane::List), "{text:?}");
        assert!(dashboard.notice().starts_with("Neither a ticket nor a device was recognized"), "{text:?}");
    }
}

#[test]
fn paste_while_a_draft_is_being_sent_begins_another() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s").paste("INC-909 MMD-00000000009");
    assert_eq!(dashboard.form()[..2], ["INC-909", "MMD-00000000009"]);
    dashboard.opened();
    assert_eq!(dashboard.form()[..2], ["INC-909", "MMD-00000000009"]);
    assert_eq!(dashboard.list(), ["> INC-10442 open"]);
}
