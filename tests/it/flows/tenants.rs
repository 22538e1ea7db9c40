//! Switching to another tenant: the panel, what is told of the other tenants, and what leaving asks about them.

use mmd_elevate::dashboard::{
    Effect, Message, Overlay, Remains, TenantEntry, TenantNumber, TenantState, TenantSummary, Tenants,
};
use mmd_elevate_core::Problem;
use ratatui::style::Color;

use crate::support::dashboard::Dashboard;

const NAMES: [(&str, Color); 4] = [
    ("Contoso", Color::Magenta),
    ("Fabrikam", Color::Green),
    ("Northwind Traders", Color::Blue),
    ("Tailspin", Color::Yellow),
];

/// Four tenants: the first is shown, the second is open, and the last cannot be opened.
fn tenants(fabrikam: TenantSummary) -> Tenants {
    let states = [
        TenantState::Opened(TenantSummary::default()),
        TenantState::Opened(fabrikam),
        TenantState::NotOpened,
        TenantState::Unusable(Problem::new("the token is missing", "give it [tenants.sign_in]")),
    ];
    let entries = NAMES.into_iter().zip(states).map(|((name, colour), state)| TenantEntry {
        name: name.to_owned(),
        id: "0000…000b".to_owned(),
        colour: Some(colour),
        state,
    });
    Tenants { entries: entries.collect(), present: TenantNumber(0), previous: None }
}

fn busy() -> TenantSummary {
    let remains = Remains { open: 2, in_flight: 1, unknown: 1, ..Remains::default() };
    TenantSummary { remains, trouble: "1 unknown".to_owned() }
}

fn dashboard(columns: u16, rows: u16) -> Dashboard {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.happens(Message::Tenants(tenants(busy())));
    dashboard
}

/// The tenants that were to be shown since this was asked last.
fn shown(dashboard: &mut Dashboard) -> Vec<usize> {
    let effects = dashboard.take_effects();
    effects
        .iter()
        .filter_map(|effect| if let Effect::ShowTenant(number) = effect { Some(number.0) } else { None })
        .collect()
}

#[test]
fn another_tenant_is_at_most_three_keys_away() {
    for (keys, expected) in [("T enter", 1), ("T 3", 2), ("T j enter", 2), ("T k enter", 0), ("T G k enter", 2)] {
        let mut dashboard = dashboard(120, 36);
        dashboard.press(keys);
        assert!(dashboard.model.overlays.is_empty(), "{keys}");
        assert_eq!(shown(&mut dashboard), if expected == 0 { vec![] } else { vec![expected] }, "{keys}");
        assert!(keys == "T G k enter" || keys.split(' ').count() <= 3);
    }
}

#[test]
fn tenant_that_was_shown_before_is_chosen_first() {
    let mut dashboard = dashboard(120, 36);
    dashboard.happens(Message::Tenants(Tenants { previous: Some(TenantNumber(2)), ..tenants(busy()) }));
    dashboard.press("T enter");
    assert_eq!(shown(&mut dashboard), [2]);
}

#[test]
fn search_finds_a_tenant_by_some_letters_of_its_name_and_types_digits() {
    let mut dashboard = dashboard(120, 36);
    dashboard.press("T / nwt enter");
    assert_eq!(shown(&mut dashboard), [2]);
    dashboard.press("T / 2");
    assert!(dashboard.shows("No tenant has such a name."), "{}", dashboard.screen());
    dashboard.press("enter esc");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Tenants(_)]), "the search is cleared first");
    dashboard.press("esc");
    assert!(dashboard.model.overlays.is_empty() && shown(&mut dashboard).is_empty());
}

#[test]
fn tenant_whose_settings_are_not_complete_says_what_is_missing_and_the_panel_stays() {
    let mut dashboard = dashboard(120, 36);
    dashboard.press("T 4");
    assert_eq!(dashboard.notice(), "Tailspin cannot be opened: the token is missing · hint: give it [tenants.sign_in]");
    assert!(matches!(dashboard.model.overlays[..], [Overlay::Tenants(_)]));
    dashboard.press("9");
    assert!(dashboard.notice().starts_with("Nothing to do: there are not so many tenants"));
    assert!(shown(&mut dashboard).is_empty());
}

#[test]
fn where_there_is_one_tenant_the_key_says_so_and_names_the_setting() {
    let mut dashboard = Dashboard::new();
    dashboard.press("T");
    assert_eq!(
        dashboard.notice(),
        "Nothing to do: the practice tenant is the only one; [[tenants]] in the settings gives others"
    );
    dashboard.model.tenant.practice = false;
    dashboard.press("T");
    assert!(dashboard.notice().starts_with("Nothing to do: this is the only tenant; [[tenants]]"));
    assert!(dashboard.model.overlays.is_empty());
}

#[test]
fn key_types_its_letter_where_text_is_typed() {
    let mut dashboard = dashboard(120, 36);
    dashboard.press("n T");
    assert_eq!(dashboard.form()[0], "T");
}

#[test]
fn leaving_asks_about_all_tenants_and_says_which() {
    let mut dashboard = dashboard(120, 36);
    dashboard.press("q");
    assert!(!dashboard.left());
    let text = "Fabrikam: 2 requests are open, 1 call is under way, 1 request may or may not be open.";
    assert!(dashboard.prose().contains(text), "{}", dashboard.screen());
    dashboard.press("esc");
    dashboard.open("INC-1 MMD-1 Excel");
    dashboard.press("q");
    assert!(dashboard.prose().contains("Contoso: 1 request is open."), "{}", dashboard.screen());
    // Closing them here does not leave what is open there.
    dashboard.press("c Done ctrl-s").closed();
    assert!(!dashboard.left() && dashboard.prose().contains(text), "{}", dashboard.screen());
    dashboard.press("esc");
    dashboard.happens(Message::Tenants(tenants(TenantSummary::default())));
    assert!(dashboard.press("q").left());
}

#[test]
fn second_interrupt_leaves_whatever_is_open_elsewhere() {
    let mut dashboard = dashboard(120, 36);
    dashboard.press("ctrl-c");
    assert!(!dashboard.left());
    dashboard.press_every(550, "ctrl-c");
    assert!(dashboard.left());
}

#[test]
fn trouble_at_another_tenant_stands_in_the_header_and_what_is_open_there_in_the_title() {
    for (columns, rows) in [(120, 36), (80, 24), (60, 20)] {
        let dashboard = dashboard(columns, rows);
        let header = dashboard.screen().lines().next().unwrap().to_owned();
        assert!(header.contains("Contoso") && header.contains("Fabrikam: 1 unknown"), "{header}");
    }
    let title = dashboard(120, 36).model.title();
    assert_eq!(title, "Contoso, Fabrikam: 3 open - mmd-elevate");
}

#[test]
fn panel_in_all_sizes() {
    for (columns, rows) in [(120, 36), (80, 24), (60, 20)] {
        let mut dashboard = dashboard(columns, rows);
        dashboard.open("INC-10442 MMD-03690457680 Excel");
        dashboard.press("T");
        dashboard.looks_like(&format!("tenants_{columns}x{rows}"));
        assert!(dashboard.screen().lines().next().unwrap().contains("Contoso"));
    }
    let mut dashboard = dashboard(120, 36);
    dashboard.press("T / tr");
    dashboard.looks_like("tenants_search_120x36");
    assert_eq!(dashboard.style_of("Northwind").0, Color::Blue);
}
