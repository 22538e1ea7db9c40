//! Opening the ticket of a request, what is said of it, and what is said of a copy.

use mmd_elevate::dashboard::{CopiedTo, Effect, HandedOver, Message};
use mmd_elevate_core::TicketUrl;
use rstest::rstest;

use crate::support::dashboard::{DRAFT, Dashboard};

fn with_form(form: &str, requests: &[&str]) -> Dashboard {
    let mut dashboard = Dashboard::with_open(requests);
    dashboard.model.ticket_url = TicketUrl::parse(form).ok();
    dashboard
}

fn opened(dashboard: &mut Dashboard) -> Vec<Effect> {
    dashboard.press("o").take_effects()
}

fn address(address: &str) -> Vec<Effect> {
    vec![Effect::OpenAddress(address.to_owned())]
}

#[test]
fn ticket_of_the_selected_request_is_opened_by_its_address() {
    let mut dashboard = with_form("https://t.example/{ticket}", &["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"]);
    assert_eq!(opened(&mut dashboard), address("https://t.example/INC-2"));
    dashboard.press("j enter");
    assert_eq!(opened(&mut dashboard), address("https://t.example/INC-1"), "in the details too");
    dashboard.press("esc k").press(": browser enter");
    assert_eq!(dashboard.take_effects(), address("https://t.example/INC-2"), "and from the palette");
    // A draft has a ticket before the service has it.
    dashboard.press(&format!("{DRAFT} ctrl-s")).press("g");
    assert_eq!(opened(&mut dashboard), address("https://t.example/INC-10442"));
}

#[rstest]
#[case("../../x?a=b#c", "..%2F..%2Fx%3Fa%3Db%23c")]
#[case("@evil.example/", "%40evil.example%2F")]
#[case("--no-sandbox", "--no-sandbox")]
#[case("a&b=c", "a%26b%3Dc")]
fn ticket_of_others_stays_one_part_of_the_address(#[case] ticket: &str, #[case] encoded: &str) {
    let mut dashboard = with_form("https://t.example/?id={ticket}&x=1", &[&format!("{ticket} MMD-1 Excel")]);
    assert_eq!(opened(&mut dashboard), address(&format!("https://t.example/?id={encoded}&x=1")));
}

#[test]
fn without_an_address_the_reason_is_told() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    assert_eq!(opened(&mut dashboard), []);
    assert_eq!(dashboard.notice(), "Nothing to do: `ticket_url` is not set in the settings file");
    let mut dashboard = with_form("https://t.example/{ticket}", &[]);
    assert_eq!(opened(&mut dashboard), []);
    assert_eq!(dashboard.notice(), "Nothing to do: no request is selected");
    let mut dashboard = with_form("https://t.example/{ticket}", &[".. MMD-1 Excel"]);
    assert_eq!(opened(&mut dashboard), []);
    assert_eq!(dashboard.notice(), "Nothing to do: its ticket cannot be a part of an address");
}

#[rstest]
#[case(HandedOver::Asked("xdg-open".to_owned()), "Asked xdg-open to open https://t.example/INC-1")]
#[case(
    HandedOver::CopiedWithoutBrowser(CopiedTo::Terminal),
    "Sent to the terminal: https://t.example/INC-1; there is no browser or no display here · hint: open it by hand, or name a program that opens addresses in BROWSER"
)]
#[case(
    HandedOver::CopiedAfterFailure(CopiedTo::TmuxAndTerminal, "w\u{1b}3m".to_owned()),
    "Sent to tmux and the terminal: https://t.example/INC-1; w␛3m did not open it · hint: open it by hand"
)]
fn what_became_of_an_address_is_told_as_far_as_it_is_known(#[case] how: HandedOver, #[case] told: &str) {
    let mut dashboard = Dashboard::new();
    dashboard.happens(Message::AddressHandedOver(how, "https://t.example/INC-1".to_owned()));
    assert_eq!(dashboard.notice(), told);
}

#[rstest]
#[case(CopiedTo::Terminal, "Sent to the terminal: cce2a0d4-0000-4000-8000-…")]
#[case(CopiedTo::TmuxAndTerminal, "Sent to tmux and the terminal: cce2a0d4-0000-4000-8000-…")]
#[case(
    CopiedTo::Tmux,
    "Sent to tmux: cce2a0d4-0000-4000-8000-… · hint: tmux pastes it, and has not handed it on to the terminal"
)]
fn a_copy_is_told_as_handed_over_and_never_as_copied(#[case] to: CopiedTo, #[case] told: &str) {
    let mut dashboard = Dashboard::new();
    dashboard.happens(Message::Copied(to, "cce2a0d4-0000-4000-8000-00000000c1d0".to_owned()));
    assert_eq!(dashboard.notice(), told);
    assert!(!dashboard.screen().to_lowercase().contains("copied"), "{}", dashboard.screen());
}

#[test]
fn ticket_that_was_opened_looks_so() {
    for (columns, rows) in [(120, 36), (80, 24)] {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.open("INC-1 MMD-1 Excel");
        let without_display = HandedOver::CopiedWithoutBrowser(CopiedTo::Terminal);
        dashboard.happens(Message::AddressHandedOver(without_display, "https://tickets.example.com/INC-1".to_owned()));
        dashboard.looks_like(&format!("{columns}x{rows}-ticket-copied"));
    }
}
