//! Typing, pasting, undoing, suggestions, and the agent's editor.

use mmd_elevate::dashboard::{EditTarget, Effect, Message};
use mmd_elevate_core::{DraftTarget, Field, Recovered};
use rstest::rstest;

use crate::support::{
    dashboard::Dashboard,
    record::{draft, saved},
};

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
    places.push(("/".to_owned(), |dashboard| dashboard.model.requests.list().filter().text()));
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
        dashboard.press(&keys).paste("first-").press("second ctrl-z");
        assert_eq!(text(&dashboard), "first-", "{keys}");
        dashboard.press("ctrl-z");
        assert_eq!(text(&dashboard), "", "{keys}");
        dashboard.press("ctrl-y ctrl-y");
        assert_eq!(text(&dashboard), "first-second", "{keys}");
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

#[rstest]
#[case::line_end("INC-5\n", "1 line end dropped from the paste")]
#[case::line_ends("\r\nINC-5\r\n\r\n", "3 line ends dropped from the paste")]
#[case::blanks(" \tINC-5 ", "blanks around the text dropped from the paste")]
#[case::no_break_space("\u{a0}INC-5\u{3000}", "blanks around the text dropped from the paste")]
#[case::mark("\u{feff}INC-5\u{200b}", "blanks around the text dropped from the paste")]
#[case::control("\x1bINC-5\r", "1 control character and 1 line end dropped from the paste")]
fn a_paste_into_one_line_is_trimmed_and_told_and_undone(#[case] pasted: &str, #[case] notice: &str) {
    for (keys, text) in places().into_iter().filter(|(keys, _)| keys.starts_with('n') && keys != TO_PLAN) {
        let mut dashboard = one();
        dashboard.press(&keys).paste(pasted);
        assert_eq!((text(&dashboard).as_str(), dashboard.notice().as_str()), ("INC-5", notice), "{keys}");
        dashboard.press("ctrl-z");
        assert_eq!(text(&dashboard), "", "{keys}");
    }
}

#[rstest]
#[case("tab")]
#[case("shift-tab")]
#[case("enter")]
#[case("esc")]
#[case("ctrl-s")]
fn a_field_of_one_line_is_trimmed_however_it_is_left(#[case] key: &str) {
    let mut dashboard = one();
    dashboard.press("n tab ' MMD-5 '").press(key);
    assert_eq!(dashboard.form()[1], "MMD-5");
    if !["ctrl-s"].contains(&key) {
        assert_eq!(dashboard.notice(), "Device: the blanks around the text are dropped");
    }
    dashboard.press("esc n");
    while dashboard.model.form.focused != Field::Device {
        dashboard.press("tab");
    }
    dashboard.press("ctrl-z ctrl-z");
    assert_eq!(dashboard.form()[1], " MMD-5 ", "undo brings them back");
}

#[test]
fn blanks_are_dropped_neither_while_typing_nor_around_a_long_text() {
    let mut dashboard = one();
    dashboard.press("n tab tab Excel").burst("' add-in '").press("crashes");
    assert_eq!(dashboard.form()[2], "Excel add-in crashes");
    dashboard.press("tab tab tab ' Start it.' enter tab");
    assert_eq!(dashboard.form()[5], " Start it.\n");
    dashboard.press("shift-tab f1 esc");
    assert_eq!(dashboard.form()[5], " Start it.\n");
}

#[test]
fn the_wire_carries_the_trimmed_texts() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n").paste("INC-5\r\n").press("tab ' MMD-5 ' tab").paste("\u{a0}Excel\n");
    dashboard.press("tab 'Office ' tab ' Excel' tab ' Plan '").press("ctrl-s");
    let sent = dashboard.create(0);
    let texts: Vec<_> = Field::ALL.into_iter().map(|field| sent.get(field).to_owned()).collect();
    assert_eq!(texts, ["INC-5", "MMD-5", "Excel", "Office", "Excel", " Plan "]);
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
        let is_in_dialog = !dashboard.model.overlays.is_empty();
        let told = if is_in_dialog { "There is no text field to paste into" } else { "Neither a ticket nor a device" };
        assert!(dashboard.notice().starts_with(told), "{}", dashboard.notice());
        assert!(dashboard.model.form.is_empty() && !dashboard.left() && dashboard.calls().is_empty());
    }
}

fn suggested(dashboard: &Dashboard) -> Vec<&str> {
    dashboard.model.form.suggestions().iter().map(|suggestion| suggestion.text.as_str()).collect()
}

#[test]
fn suggestions_follow_what_is_typed_and_the_category() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab tab tab");
    for name in ["Office", "Windows", "Hardware"] {
        assert!(dashboard.shows(name), "{name}");
    }
    dashboard.press("w");
    assert_eq!(suggested(&dashboard), ["Windows", "Hardware"], "what begins so comes first");
    dashboard.press("enter");
    assert_eq!(dashboard.form()[3], "w", "Enter without a choice keeps what was typed and goes on");
    assert_eq!(dashboard.model.form.focused, Field::Subcategory);
    dashboard.press("shift-tab down enter");
    assert_eq!(dashboard.form()[3], "Windows");
    assert_eq!(suggested(&dashboard), ["Services", "Updates"]);
    dashboard.press("down down enter");
    assert_eq!(dashboard.form()[4], "Updates");
    assert_eq!(dashboard.model.form.focused, Field::PlanOfAction);
}

#[test]
fn nothing_is_chosen_until_down_is_pressed_and_tab_takes_only_a_single_beginning() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n tab tab tab");
    for (keys, chosen) in [
        ("down", Some(0)),
        ("ctrl-n", Some(1)),
        ("up", Some(0)),
        ("ctrl-p", None),
        ("down", Some(0)),
        ("down", Some(1)),
        ("down", Some(2)),
        ("down", Some(2)),
    ] {
        dashboard.press(keys);
        assert_eq!(dashboard.model.form.chosen(), chosen, "{keys}");
    }
    dashboard.press("tab");
    assert_eq!(dashboard.form()[3], "", "Tab goes on with what was typed");
    dashboard.press("shift-tab off tab");
    assert_eq!(dashboard.form()[3], "Office");
    assert_eq!(dashboard.notice(), "Category: Office, the only one that begins so · hint: Ctrl-Z takes it back");
    dashboard.press("ctrl-z");
    assert_eq!((dashboard.form()[3].as_str(), dashboard.model.form.focused), ("off", Field::Category));
    dashboard.press("ctrl-u W tab");
    assert_eq!(dashboard.form()[3], "Windows");
    dashboard.press("shift-tab ctrl-u fic tab");
    assert_eq!(dashboard.form()[3], "fic", "what does not begin so is no completion");
}

#[test]
fn up_and_down_go_to_the_next_field_where_nothing_is_suggested() {
    let mut dashboard = Dashboard::new();
    dashboard.press("n down");
    assert_eq!(dashboard.model.form.focused, Field::Device);
    dashboard.press("down up up");
    assert_eq!(dashboard.model.form.focused, Field::Ticket);
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
    dashboard.happens(Message::Edited { target, text: "Better\r\nplan".to_owned() });
    assert_eq!(dashboard.take_effects(), [Effect::EditTaken]);
    assert_eq!(dashboard.form()[5], "Better\nplan");
    dashboard.press("ctrl-z ctrl-z");
    assert_eq!(dashboard.form()[5], "Draft", "undo goes back beyond the editor");
    dashboard.happens(Message::Edited { target, text: "a\x1b[1mb\x07".to_owned() });
    assert_eq!(dashboard.notice(), "2 control characters dropped from the edited text");
    dashboard.press("ctrl-z ctrl-z").take_effects();

    dashboard.press("esc c Done ctrl-o");
    let target = EditTarget::ActionsTaken(dashboard.row("INC-1").id);
    assert_eq!(dashboard.take_effects(), [Effect::OpenEditor(target, "Done".to_owned())]);
    dashboard.happens(Message::Edited { target, text: "Done well".to_owned() });
    assert_eq!(dashboard.take_effects(), [Effect::EditTaken]);
    dashboard.press("ctrl-s");
    assert_eq!(dashboard.close(0).1, "Done well");
}

#[test]
fn an_edited_text_replaces_nothing_that_came_while_the_editor_was_open() {
    let mut dashboard = Dashboard::opening(120, 36);
    dashboard.press(TO_PLAN).press("ctrl-o").take_effects();
    let drafts = vec![saved(DraftTarget::Form, draft("INC-3 MMD-3 Three"))];
    dashboard.recovered(Recovered { drafts, ..Recovered::default() });
    let plan = dashboard.form()[5].clone();
    assert!(!plan.is_empty());
    dashboard.happens(Message::Edited { target: EditTarget::PlanOfAction, text: "My plan".to_owned() });
    assert!(!dashboard.take_effects().contains(&Effect::EditTaken), "so that its file is kept and named");
    assert_eq!((dashboard.form()[0].as_str(), &dashboard.form()[5]), ("INC-3", &plan));
}

#[test]
fn an_edited_text_that_has_no_place_any_more_is_not_said_to_be_taken() {
    let mut dashboard = one();
    let target = EditTarget::ActionsTaken(dashboard.row("INC-1").id);
    dashboard.press("c Done ctrl-s").closed().take_effects();
    dashboard.happens(Message::Edited { target, text: "Done well".to_owned() });
    assert!(!dashboard.take_effects().contains(&Effect::EditTaken));
}

#[test]
fn a_long_text_is_typed_and_sent_whole() {
    let text = "0123456789 ".repeat(1_000);
    let mut dashboard = one();
    dashboard.press("c").burst(&format!("'{text}'")).paste(&text).press("ctrl-s");
    assert_eq!(dashboard.close(0).1, format!("{text}{text}"));
}

#[test]
fn cursor_stands_behind_what_was_typed_also_where_characters_join_into_one() {
    for text in ["abc", "é東x", "e\u{301}x", "👍🏽x", "👩\u{200d}🚒x", "⚠\u{fe0f}x", "لاx"] {
        for field in ["n", "n tab tab", "n shift-tab", "/"] {
            let mut dashboard = Dashboard::new();
            dashboard.press(field).paste(text);
            let left = dashboard.left_of_cursor();
            assert!(left.ends_with('x') || text == "abc" && left.ends_with("abc"), "{field} {text}: {left:?}");
        }
    }
}
