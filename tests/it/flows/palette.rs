//! Every action by a few letters of its name: what it is done to, by which key, and why it cannot be done.

use std::collections::BTreeMap;

use mmd_elevate::{
    dashboard::{Effect, Overlay, Pane, Question},
    keys::{Action, BINDINGS, Keymap, Scope},
};
use mmd_elevate_core::CallError;
use rstest::rstest;

use crate::support::dashboard::Dashboard;

fn two_open() -> Dashboard {
    Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Word"])
}

/// The line of the palette that holds all of these.
fn has_line(dashboard: &Dashboard, parts: &[&str]) -> bool {
    dashboard.screen().lines().any(|line| parts.iter().all(|part| line.contains(part)))
}

fn is_open(dashboard: &Dashboard) -> bool {
    matches!(dashboard.model.overlays.last(), Some(Overlay::Palette(_)))
}

#[test]
fn palette_looks_so() {
    for (columns, rows) in [(120, 36), (80, 24)] {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.open("INC-10442 MMD-03690457680 Excel");
        dashboard.press(":").looks_like(&format!("{columns}x{rows}-palette"));
        dashboard.press("copy down").looks_like(&format!("{columns}x{rows}-palette-search"));
    }
}

#[test]
fn palette_has_every_action_of_where_it_was_opened_with_its_keys() {
    for (keys, scopes) in
        [("", [Scope::List, Scope::Panes, Scope::Anywhere]), ("enter", [Scope::Details, Scope::Panes, Scope::Anywhere])]
    {
        let mut dashboard = two_open();
        dashboard.resize(160, 140).press(keys).press(":");
        for binding in BINDINGS.iter().filter(|binding| scopes.contains(&binding.scope)) {
            if binding.action == Action::ShowPalette {
                continue;
            }
            // Two rows of one action stand in one line, with the words of the first.
            let first =
                BINDINGS.iter().find(|row| scopes.contains(&row.scope) && row.action == binding.action).unwrap();
            let words = first.help[1..].to_owned();
            let key = dashboard.model.keymap.name(binding.scope, binding.action);
            assert!(has_line(&dashboard, &[&words, &key]), "{}\n{}", binding.id, dashboard.screen());
        }
        assert!(!dashboard.shows("iscard the draft"), "what does not work here is not offered");
    }
}

#[test]
fn palette_shows_the_keys_of_the_settings_and_also_what_has_none() {
    let keys =
        BTreeMap::from([("list.close".to_owned(), vec!["f7".to_owned()]), ("panes.sign-in".to_owned(), Vec::new())]);
    let mut dashboard = two_open();
    dashboard.model.keymap = Keymap::new(&keys).unwrap();
    dashboard.press(":").press("'close the'");
    assert!(has_line(&dashboard, &["Close the selected request", "INC-2", "F7"]), "{}", dashboard.screen());
    dashboard.press("ctrl-u 'sign in'");
    assert!(has_line(&dashboard, &["▌ Sign in again, with a new token"]), "{}", dashboard.screen());
    dashboard.press("enter");
    assert_eq!(dashboard.take_effects(), [Effect::SignIn]);
}

#[test]
fn palette_names_the_target_and_why_not() {
    let mut dashboard = two_open();
    dashboard.press(":");
    assert!(has_line(&dashboard, &["Close the selected request", "INC-2"]), "{}", dashboard.screen());
    assert!(has_line(&dashboard, &["tab Closed"]), "{}", dashboard.screen());
    dashboard.press("unstored");
    assert!(dashboard.shows("No action fits what was typed."), "{}", dashboard.screen());
    dashboard.press("ctrl-u abandon");
    assert!(has_line(&dashboard, &["not now: no call is under way for this request"]), "{}", dashboard.screen());
    // What happens meanwhile is told at once.
    let mut dashboard = two_open();
    dashboard.press("c Done ctrl-s k").press(": abandon");
    assert!(has_line(&dashboard, &["▌ Abandon the call", "INC-2"]), "{}", dashboard.screen());
    dashboard.fails(CallError::declined(), "");
    assert!(has_line(&dashboard, &["not now: no call is under way for this request"]), "{}", dashboard.screen());
}

#[test]
fn what_cannot_be_done_does_nothing_and_says_why() {
    let mut dashboard = two_open();
    dashboard.press(": abandon enter");
    assert!(is_open(&dashboard));
    assert_eq!(dashboard.notice(), "Nothing to do: no call is under way for this request");
    assert!(dashboard.take_effects().is_empty() && dashboard.calls().is_empty());
    dashboard.press("esc");
    assert!(dashboard.model.overlays.is_empty());
    let mut dashboard = Dashboard::new();
    dashboard.press(": zzzz enter");
    assert_eq!(dashboard.notice(), "Nothing to do: no action fits what was typed");
}

#[test]
fn enter_does_what_the_key_of_the_action_does() {
    for binding in BINDINGS.iter().filter(|row| matches!(row.scope, Scope::List | Scope::Panes | Scope::Anywhere)) {
        let dashboard = two_open();
        let scopes = dashboard.model.scopes();
        let reached = |key: &&&str| dashboard.model.keymap.action(scopes, key.parse().unwrap()) == Some(binding.action);
        let Some(key) = binding.keys.iter().find(reached) else { continue };
        let why = dashboard.model.unavailable(binding.action);
        if binding.action == Action::ShowPalette || why.is_some() {
            continue;
        }
        let mut pressed = dashboard.clone();
        pressed.press(key);
        let mut chosen = dashboard.clone();
        chosen.press(":").press(&format!("'{}'", binding.help.split('\'').next().unwrap()));
        // Of two with the same words the second is one further.
        if chosen.model.question() != Some(asks(binding.id, &chosen)) {
            chosen.press("down");
        }
        assert_eq!(chosen.model.question(), Some(asks(binding.id, &chosen)), "{}\n{}", binding.id, chosen.screen());
        chosen.press("enter");
        assert_eq!(chosen.screen(), pressed.screen(), "{}", binding.id);
        assert_eq!(chosen.take_effects(), pressed.take_effects(), "{}", binding.id);
        assert_eq!(chosen.left(), pressed.left(), "{}", binding.id);
    }
}

/// The question whether to do the action of this row of the table.
fn asks(id: &'static str, dashboard: &Dashboard) -> Question {
    let first = BINDINGS.iter().find(|row| {
        let action = BINDINGS.iter().find(|row| row.id == id).unwrap().action;
        row.action == action && matches!(row.scope, Scope::List | Scope::Panes | Scope::Anywhere)
    });
    Question::Palette(first.unwrap().id, dashboard.model.row_in_focus())
}

#[test]
fn letters_in_their_order_find_an_action_and_arrows_choose() {
    let mut dashboard = two_open();
    dashboard.press(": clsl enter");
    assert!(dashboard.shows("Close request"), "{}", dashboard.screen());
    dashboard.press("esc").press(": copy");
    let first = dashboard.model.question();
    dashboard.press("down");
    let second = dashboard.model.question();
    assert_ne!(first, second);
    assert_eq!(dashboard.press("ctrl-p").model.question(), first);
    assert_eq!(dashboard.press("ctrl-n").model.question(), second);
    assert_eq!(dashboard.press("x").model.question(), dashboard.press("backspace x").model.question());
    dashboard.press("esc");
    assert!(dashboard.model.overlays.is_empty() && dashboard.model.pane == Pane::List);
    assert!(dashboard.calls().is_empty() && dashboard.take_effects().is_empty(), "Esc does nothing");
}

#[test]
fn movement_comes_last_where_nothing_is_typed() {
    let mut dashboard = two_open();
    dashboard.resize(160, 140).press(":");
    let screen = dashboard.screen();
    let line = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    for what in ["New request", "Abandon the call", "Quit; asks"] {
        for movement in ["Next request", "Half a page down", "Last request"] {
            assert!(line(what) < line(movement), "{what}, {movement}\n{screen}");
        }
    }
}

#[rstest]
#[case::with_the_key_that_opens_it(": enter")]
#[case::with_letters_that_were_not_seen(": 'close the' enter")]
#[case::with_an_arrow_that_was_not_seen(": down enter")]
fn enter_in_the_read_that_chose_does_nothing(#[case] keys: &str) {
    let mut dashboard = two_open();
    dashboard.burst(keys);
    assert!(is_open(&dashboard) && dashboard.take_effects().is_empty(), "{}", dashboard.screen());
    dashboard.press("esc : 'close the'").burst("ctrl-u sign enter");
    assert!(is_open(&dashboard) && dashboard.take_effects().is_empty(), "{}", dashboard.screen());
}

#[test]
fn held_enter_sends_nothing() {
    let mut dashboard = two_open();
    dashboard.press(": close").press_every(30, "enter enter enter enter");
    assert!(dashboard.shows("Close request"), "{}", dashboard.screen());
    assert!(dashboard.calls().is_empty() && dashboard.take_effects().is_empty(), "{}", dashboard.screen());
}

#[test]
fn enter_is_no_second_interrupt() {
    let mut dashboard = two_open();
    dashboard.press("ctrl-c esc : 'at once' enter");
    assert!(!dashboard.left() && dashboard.shows("Leave?"), "{}", dashboard.screen());
}

#[test]
fn a_text_of_the_service_in_the_palette_is_harmless_and_fits() {
    for (columns, rows) in [(200, 60), (120, 36), (80, 24), (60, 20), (40, 10), (40, 8)] {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.open(&format!("INC-\u{202e}{} MMD-1 Excel", "9".repeat(300)));
        dashboard.press(": close");
        assert!(dashboard.screen().lines().any(|line| line.contains("▌ Close the")), "{}", dashboard.screen());
        assert!(!dashboard.screen().contains('\u{202e}'));
    }
}
