//! Typing, pasting, undoing, suggestions, and the agent's editor.

use mmd_elevate::{
    domain::Field,
    state::{EditTarget, Effect, Message},
};

use crate::support::dashboard::Dashboard;

const TO_PLAN: &str = "n tab tab tab tab tab";

/// The keys that lead to a place where text is typed, and how the text there is read.
type Place = (String, fn(&Dashboard) -> String);

/// All eight of them.
fn places() -> Vec<Place> {
    fn field<const N: usize>(dashboard: &Dashboard) -> String {
        dashboard.form()[N].clone()
    }
    let fields: [fn(&Dashboard) -> String; 6] =
        [field::<0>, field::<1>, field::<2>, field::<3>, field::<4>, field::<5>];
    let keys = (0..6).map(|tabs| format!("n{}", " tab".repeat(tabs)));
    let mut places: Vec<_> = keys.zip(fields).collect();
    places.push(("/".to_owned(), |dashboard| dashboard.model.requests.filter().text()));
    places.push(("c".to_owned(), |dashboard| {
        dashboard.row("INC-1").actions_taken.as_ref().map_or_else(String::new, |text| text.text())
    }));
    places
}

fn one() -> Dashboard {
    Dashboard::with_open(&["INC-1 MMD-1 Excel"])
}

#[test]
fn undo_and_redo_work_in_every_text() {
    for (keys, text) in places() {
        let mut dashboard = one();
        dashboard.press(&keys).paste("first ").press("second ctrl-z");
        assert_eq!(text(&dashboard), "first ", "{keys}");
        dashboard.press("ctrl-z");
        assert_eq!(text(&dashboard), "", "{keys}");
        dashboard.press("ctrl-y ctrl-y");
        assert_eq!(text(&dashboard), "first second", "{keys}");
    }
}

#[test]
fn every_text_is_edited_by_what_a_reader_takes_for_a_character() {
    for (keys, text) in places() {
        let mut dashboard = one();
        dashboard.press(&keys).paste("zwei e\u{301}👩‍🚒 drei");
        dashboard.press("ctrl-left left backspace");
        assert_eq!(text(&dashboard), "zwei e\u{301} drei", "{keys}");
        dashboard.press("left delete");
        assert_eq!(text(&dashboard), "zwei  drei", "{keys}");
        dashboard.press("end ctrl-w home alt-d");
        assert_eq!(text(&dashboard).trim(), "", "{keys}");
    }
}

#[test]
fn going_right_passes_a_whole_character() {
    for (keys, text) in places() {
        let mut dashboard = one();
        dashboard.press(&keys).paste("e\u{301}👩‍🚒x").press("home right 1 right 2 right 3");
        assert_eq!(text(&dashboard), "e\u{301}1👩‍🚒2x3", "{keys}");
    }
}

#[test]
fn a_paste_is_text_whatever_is_in_it() {
    for (keys, text) in places() {
        let mut dashboard = one();
        dashboard.press(&keys).paste("a\r\nb\rc\td\x1b[31m\x07\x13q");
        let one_line = keys == "/" || (keys.starts_with('n') && keys != TO_PLAN);
        let cleaned = if one_line { "a b c d[31mq" } else { "a\nb\nc\td[31mq" };
        assert_eq!(text(&dashboard), cleaned, "{keys}");
        assert_eq!(dashboard.notice(), "3 control characters dropped from the paste");
        assert!(dashboard.calls().is_empty() && !dashboard.left());
    }
}

#[test]
fn a_paste_says_what_of_it_cannot_be_seen_and_keeps_it() {
    let mut dashboard = one();
    dashboard.press("n tab").paste("MMD\u{200b}-1");
    assert_eq!(dashboard.form()[1], "MMD\u{200b}-1");
    assert!(dashboard.notice().contains("1 character that cannot be seen"), "{}", dashboard.notice());
}

#[test]
fn a_paste_outside_text_does_not_act() {
    let mut dashboard = one();
    for keys in ["esc", "tab", "esc", "q", "esc", "f1", "esc"] {
        dashboard.press(keys);
        let (scopes, list) = (dashboard.model.scopes(), dashboard.list());
        dashboard.paste("qcnl\r\n\x13\x03");
        assert_eq!((dashboard.model.scopes(), dashboard.list()), (scopes, list), "{keys}");
        assert!(dashboard.notice().contains("A paste needs a text to go to"));
        assert!(dashboard.model.form.is_empty() && !dashboard.left() && dashboard.calls().is_empty());
    }
}

#[test]
fn suggestions_follow_what_is_typed_and_the_category() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab tab tab");
    for name in ["Office", "Windows", "Hardware"] {
        assert!(dashboard.shows(name), "{name}");
    }
    dashboard.press("w");
    assert_eq!(dashboard.model.form.suggestions(&dashboard.model.categories), ["Windows", "Hardware"]);
    dashboard.press("enter");
    assert_eq!(dashboard.form()[3], "Windows", "Enter takes the best match and goes on");
    assert_eq!(dashboard.model.form.focused, Field::Subcategory);
    assert_eq!(dashboard.model.form.suggestions(&dashboard.model.categories), ["Services", "Updates"]);
    dashboard.press("down down enter");
    assert_eq!(dashboard.form()[4], "Updates");
    assert_eq!(dashboard.model.form.focused, Field::PlanOfAction);
}

#[test]
fn up_and_down_go_round_the_suggestions_and_tab_takes_none() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab tab tab");
    for (keys, highlighted) in [("down", 0), ("down", 1), ("up", 0), ("up", 2), ("down", 0)] {
        dashboard.press(keys);
        assert_eq!(dashboard.model.form.highlighted(&dashboard.model.categories), Some(highlighted));
    }
    dashboard.press("tab");
    assert_eq!(dashboard.form()[3], "", "Tab goes on with what was typed");
    dashboard.press("shift-tab Of tab");
    assert_eq!(dashboard.form()[3], "Of");
    dashboard.press("shift-tab enter ctrl-z");
    assert_eq!(dashboard.form()[3], "Office");
}

#[test]
fn free_text_is_taken_and_enter_goes_on_where_nothing_is_suggested() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n INC-1 enter MMD-1 enter Title enter Quantum enter Flux enter 'First.' enter 'Second.'");
    let form = dashboard.form();
    assert_eq!(form, ["INC-1", "MMD-1", "Title", "Quantum", "Flux", "First.\nSecond."]);
}

#[test]
fn tab_goes_round_within_the_form() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n shift-tab");
    assert_eq!(dashboard.model.form.focused, Field::PlanOfAction);
    dashboard.press("tab");
    assert_eq!(dashboard.model.form.focused, Field::Ticket);
}

#[test]
fn the_long_texts_go_to_the_editor_and_come_back() {
    let mut dashboard = one();
    dashboard.press(TO_PLAN).press("Draft ctrl-o");
    let target = EditTarget::PlanOfAction;
    assert_eq!(dashboard.take_effects(), [Effect::OpenEditor(target, "Draft".to_owned())]);
    dashboard.happens(Message::Edited { target, result: Ok("Better\r\nplan".to_owned()) });
    assert_eq!(dashboard.form()[5], "Better\nplan");
    dashboard.press("ctrl-z ctrl-z");
    assert_eq!(dashboard.form()[5], "Draft", "undo goes back beyond the editor");
    dashboard.happens(Message::Edited { target, result: Err("Not edited: vi ended with 1".to_owned()) });
    assert_eq!(dashboard.form()[5], "Draft");
    assert!(dashboard.notice().contains("Not edited: vi ended with 1 · hint: the text is as it was"));

    dashboard.press("esc c Done ctrl-o");
    let target = EditTarget::ActionsTaken(dashboard.row("INC-1").id);
    assert_eq!(dashboard.take_effects(), [Effect::OpenEditor(target, "Done".to_owned())]);
    dashboard.happens(Message::Edited { target, result: Ok("Done well".to_owned()) });
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0).1, "Done well");
}

#[test]
fn a_long_text_is_typed_and_sent_whole() {
    let text = "0123456789 ".repeat(1_000);
    let mut dashboard = one();
    dashboard.press("c").burst(&format!("'{text}'")).paste(&text).press("ctrl-s");
    assert_eq!(dashboard.close(0).1, format!("{text}{text}"));
}
