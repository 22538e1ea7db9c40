//! A device's name that is not what it seems: pointed out before it is sent, and never kept from being sent.

use mmd_elevate_core::Field;
use ratatui::style::Color;
use rstest::rstest;

use crate::support::dashboard::Dashboard;

/// It begins with the Cyrillic letters that look like the Latin ones.
const LOOK_ALIKE: &str = "\u{41c}\u{41c}D-7Q2XK9";

/// The form with this device, up to its last field.
fn filled(device: &str) -> Dashboard {
    let mut dashboard = Dashboard::at(80, 24);
    dashboard.press("n INC-7 tab").paste(device).press("tab Title tab Office tab Excel tab Plan");
    dashboard
}

#[rstest]
#[case(LOOK_ALIKE, "\u{41c} (U+041C) only looks like M")]
#[case("MMD-\u{200b}7Q2XK9", "1 character in it cannot be seen")]
#[case("Kiosk-\u{434}\u{43e}\u{43c}", "is of another alphabet")]
#[case("MMD-O3690457680", "the letter O stands where a 0 may be")]
#[case("MMD-1465058-R5V8P", "it looks like a ticket's number")]
#[case("INC-4711", "it looks like a ticket's number")]
#[case("ritm0012345", "it looks like a ticket's number")]
#[case("INC-7", "it is the same as the ticket")]
fn a_doubtful_name_is_pointed_out_and_sent_when_it_is_submitted_again(#[case] device: &str, #[case] words: &str) {
    let mut dashboard = filled(device);
    assert!(dashboard.shows(words), "it is told when the field has been left:\n{}", dashboard.screen());
    dashboard.press("ctrl-s");
    assert!(dashboard.calls().is_empty(), "nothing is sent before the agent has been told");
    assert_eq!(dashboard.model.form.focused, Field::Device);
    assert!(dashboard.notice().contains(words), "{}", dashboard.notice());
    assert!(dashboard.notice().contains("Ctrl-S sends it as it is"), "{}", dashboard.notice());
    assert!(dashboard.shows(words), "and stays in sight where the focus is");
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Device), device, "to the letter");
    assert!(!dashboard.shows(words));
}

#[test]
fn nothing_is_said_while_the_name_is_being_typed() {
    let mut dashboard = Dashboard::at(80, 24);
    dashboard.press("n INC-7 tab").paste(LOOK_ALIKE);
    assert!(!dashboard.shows("only looks like"));
    dashboard.press("tab");
    assert_eq!(dashboard.style_of("? \u{41c} (U+041C)").0, Color::Yellow, "a doubt is no failure");
    dashboard.press("shift-tab");
    assert!(!dashboard.shows("only looks like"));
}

#[test]
fn another_doubtful_name_is_pointed_out_anew_and_a_mended_one_is_sent_at_once() {
    let mut dashboard = filled(LOOK_ALIKE);
    dashboard.press("ctrl-s").paste("8").press("ctrl-s");
    assert!(dashboard.calls().is_empty(), "it is another name");
    dashboard.press("ctrl-u MMD-7Q2XK9 ctrl-s");
    assert_eq!(dashboard.create(0).get(Field::Device), "MMD-7Q2XK9");
}

#[test]
fn what_is_missing_is_told_first_and_the_doubt_stays_beside_its_field() {
    let mut dashboard = Dashboard::at(80, 24);
    dashboard.press("n INC-7 tab").paste(LOOK_ALIKE).press("ctrl-s");
    assert_eq!(dashboard.model.form.focused, Field::Title);
    assert!(dashboard.shows("only looks like M") && dashboard.shows("type a title"));
}

#[test]
fn a_name_that_was_told_of_in_one_draft_is_told_of_in_the_next() {
    let mut dashboard = filled(LOOK_ALIKE);
    dashboard.press("ctrl-s ctrl-s").opened();
    dashboard.press("n INC-8 tab").paste(LOOK_ALIKE).press("tab Title tab Office tab Excel tab Plan ctrl-s");
    assert!(dashboard.calls().is_empty());
}

#[test]
fn patterns_of_the_settings_apply_to_every_draft() {
    let patterns = || {
        let pattern = |text: &str| Some(vec![mmd_elevate_core::Pattern::new(text).unwrap()]);
        mmd_elevate_core::Patterns::new(pattern(r"T\d+"), pattern("Kiosk-.*"))
    };
    for (device, words) in [
        ("t123", Some("it looks like a ticket's number")),
        ("MMD-7Q2XK9", Some("it does not look like the names of devices")),
        ("Kiosk-1", None),
    ] {
        let mut dashboard = Dashboard::at(80, 24);
        dashboard.model = dashboard.model.clone().with_patterns(patterns());
        for ticket in ["INC-7", "INC-8"] {
            dashboard
                .press(&format!("n {ticket} tab"))
                .paste(device)
                .press("tab Title tab Office tab Excel tab Plan ctrl-s");
            match words {
                Some(words) => {
                    assert!(
                        dashboard.calls().is_empty() && dashboard.notice().contains(words),
                        "{}",
                        dashboard.notice()
                    );
                    dashboard.press("ctrl-s").opened();
                }
                None => drop(dashboard.opened()),
            }
        }
    }
}
