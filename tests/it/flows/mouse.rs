//! The mouse: what a click and the wheel do where they hit, and what they never do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use mmd_elevate::{
    dashboard::{Effect, Gesture, Message, Overlay, Pane, PointerTarget, RowState},
    keys::Tab,
    terminal::Input,
};
use mmd_elevate_core::{CallError, CallResult, ElevationRequest, Field, MatchResult, ServiceTime, Untrusted};
use rstest::rstest;

use crate::support::{
    dashboard::{DRAFT, Dashboard, created, mouse, start},
    record::held,
};

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

/// Three open requests, the last one selected, and the mouse on.
fn three() -> Dashboard {
    let mut dashboard =
        Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Outlook", "INC-3 MMD-3 'Dock not found'"]);
    dashboard.press("M");
    dashboard.take_effects();
    dashboard
}

/// A tenant with so many requests, `INC-20000` the newest, and the mouse on.
fn many(count: u32) -> Dashboard {
    let mut dashboard = Dashboard::new();
    let listed = (0..count).map(|n| {
        let at = start() - jiff::SignedDuration::from_mins(i64::from(n));
        let time = ServiceTime { text: Untrusted::new(at.to_string()), at: Some(at) };
        let request = held(&format!("INC-{} MMD-{n} Title", 20_000 + n), &format!("t-{n}"));
        ElevationRequest { created: Some(time), ..request }
    });
    dashboard.press("2").page(0, listed.collect()).press("M");
    dashboard
}

fn selected(dashboard: &Dashboard) -> String {
    dashboard.model.requests.selected().map_or_else(String::new, |row| row.text(Field::Ticket).into_owned())
}

#[test]
fn mouse_is_off_until_it_is_switched_on_and_says_how_text_is_selected_meanwhile() {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel", "INC-2 MMD-2 Outlook"]);
    dashboard.take_effects();
    dashboard.click("INC-1").click("2 Tenant").wheel("INC-2", 1);
    assert_eq!((selected(&dashboard).as_str(), dashboard.model.requests.tab()), ("INC-2", Tab::Mine));
    assert!(!dashboard.footer().contains("mouse"));
    dashboard.press("M");
    assert_eq!(dashboard.take_effects(), [Effect::CaptureMouse(true)]);
    assert!(dashboard.notice().contains("hold Shift to select text"), "{}", dashboard.notice());
    assert!(dashboard.footer().contains("mouse on"), "{}", dashboard.footer());
    dashboard.click("INC-1");
    assert_eq!(selected(&dashboard), "INC-1");
    dashboard.press("M");
    assert_eq!(dashboard.take_effects(), [Effect::CaptureMouse(false)]);
    assert!(!dashboard.footer().contains("mouse"));
    dashboard.click("INC-2");
    assert_eq!(selected(&dashboard), "INC-1");
}

#[rstest]
#[case(120, 36)]
#[case(80, 24)]
#[case(60, 16)]
#[case(40, 10)]
fn footer_says_that_the_mouse_is_on_at_every_size(#[case] columns: u16, #[case] rows: u16) {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.press("M");
    assert!(
        dashboard.footer().contains("mouse on") && dashboard.footer().contains("all keys"),
        "{}",
        dashboard.footer()
    );
    dashboard.press("n");
    assert!(dashboard.footer().contains("mouse on") && dashboard.footer().contains("Ctrl-S"), "{}", dashboard.footer());
}

#[test]
fn click_selects_a_row_and_a_second_one_at_once_opens_it() {
    let mut dashboard = three();
    dashboard.click("INC-1");
    assert_eq!((selected(&dashboard).as_str(), dashboard.model.pane), ("INC-1", Pane::List));
    dashboard.click("INC-1");
    assert_eq!(dashboard.model.pane, Pane::List, "two clicks with time between them are two");
    dashboard.double_click("INC-2");
    assert_eq!((selected(&dashboard).as_str(), dashboard.model.pane), ("INC-2", Pane::Details));
    assert!(dashboard.calls().is_empty());
}

#[test]
fn two_quick_clicks_on_two_rows_open_nothing() {
    let mut dashboard = three();
    let [(x, one), (_, two)] = ["INC-1", "INC-2"].map(|ticket| dashboard.place_of(ticket));
    dashboard.batch(vec![mouse(CLICK, x, one), mouse(CLICK, x, two)]);
    assert_eq!((selected(&dashboard).as_str(), dashboard.model.pane), ("INC-2", Pane::List));
    // A third click begins anew.
    dashboard.double_click("INC-2").press("esc");
    dashboard.batch(vec![mouse(CLICK, x, two)]);
    assert_eq!(dashboard.model.pane, Pane::List);
}

#[test]
fn clicked_row_stays_under_the_pointer_until_a_key_moves_the_selection() {
    let mut dashboard = many(100);
    dashboard.press("pgdn pgdn pgdn");
    let (selected_before, screen) = (selected(&dashboard), dashboard.screen());
    let tickets: Vec<_> = (20_000..20_100).map(|n| format!("INC-{n}")).filter(|it| screen.contains(it)).collect();
    let last = tickets.last().unwrap();
    let place = dashboard.place_of(last);
    dashboard.click(last);
    assert_ne!(selected(&dashboard), selected_before);
    assert_eq!((&selected(&dashboard), dashboard.place_of(last)), (last, place));
    dashboard.press("k");
    assert_ne!(dashboard.place_of(last), place, "the selection is in the middle again");
}

#[test]
fn click_on_a_tab_shows_it_at_every_width() {
    for (columns, rows) in [(200, 60), (120, 36), (80, 24), (60, 16)] {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.press("M");
        for (text, tab) in [("4", Tab::Closed), ("2", Tab::Tenant), ("1", Tab::Mine), ("3", Tab::Attention)] {
            // The border with the tabs is the line below the header.
            let regions: Vec<_> = dashboard.regions().iter().cloned().collect();
            let (area, _) = regions.iter().find(|(_, target)| *target == PointerTarget::Tab(tab)).unwrap();
            let (x, y) = (area.x, area.y);
            let line = dashboard.screen().lines().nth(usize::from(y)).unwrap().to_owned();
            assert_eq!(line.chars().nth(usize::from(x)).map(String::from).as_deref(), Some(text), "{line}");
            dashboard.batch(vec![mouse(CLICK, x, y)]);
            assert_eq!(dashboard.model.requests.tab(), tab, "{columns}x{rows}");
        }
    }
}

#[test]
fn click_on_the_tab_that_is_shown_focuses_the_list_and_says_nothing() {
    let mut dashboard = three();
    dashboard.press("tab").after(10).click("1 Mine");
    assert_eq!((dashboard.model.pane, dashboard.notice().as_str()), (Pane::List, ""));
}

#[test]
fn click_on_a_field_focuses_it_and_the_form_keeps_what_was_typed() {
    let mut dashboard = three();
    dashboard.press("n INC-9").click("what the user sees");
    assert_eq!(dashboard.model.form.focused, Field::Title);
    dashboard.press("Dock").click("What will you do");
    assert_eq!(dashboard.model.form.focused, Field::PlanOfAction);
    dashboard.click("INC-1");
    assert_eq!((selected(&dashboard).as_str(), dashboard.model.pane), ("INC-1", Pane::List));
    let form = dashboard.form();
    assert_eq!((form[0].as_str(), form[2].as_str()), ("INC-9", "Dock"));
}

#[test]
fn leaving_the_device_by_a_click_asks_what_is_open_on_it() {
    let mut dashboard = three();
    dashboard.lists_of_device(Some(vec![held("INC-7 MMD-9 Other", "other")]));
    dashboard.press("n INC-8 tab MMD-9").click("what the user sees");
    assert!(dashboard.notice().contains("1 open on MMD-9"), "{}", dashboard.notice());
}

#[test]
fn click_on_a_suggestion_takes_it() {
    let mut dashboard = three();
    dashboard.press("n INC-9 tab MMD-1 tab Title tab h").click("Hardware");
    assert_eq!((dashboard.form()[3].as_str(), dashboard.model.form.focused), ("Hardware", Field::Subcategory));
    dashboard.press("shift-tab ctrl-z ctrl-z");
    assert_eq!(dashboard.form()[3], "h", "undo takes it back");
}

#[test]
fn click_on_the_filter_types_into_it_and_one_on_a_row_keeps_it() {
    let mut dashboard = three();
    dashboard.press("/ INC-").click("INC-2");
    assert!(!dashboard.model.filtering);
    assert_eq!((selected(&dashboard).as_str(), dashboard.list().len()), ("INC-2", 3));
    dashboard.click("/INC-").press("1");
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
}

#[test]
fn wheel_moves_the_selection_and_scrolls_details_and_help_under_the_pointer() {
    let mut dashboard = three();
    dashboard.wheel("INC-1", 1);
    assert_eq!(selected(&dashboard), "INC-2");
    dashboard.wheel("INC-1", -1);
    assert_eq!(selected(&dashboard), "INC-3");

    let mut dashboard = Dashboard::new();
    let plan: Vec<_> = (1..80).map(|n| format!("'Step {n}.' enter")).collect();
    dashboard.press(DRAFT).press(&plan.join(" ")).press("ctrl-s").opened();
    dashboard.press("M").wheel("Plan of action", 2);
    assert_eq!((dashboard.model.details_scroll, dashboard.model.pane), (6, Pane::List));
    dashboard.wheel("Step 9.", 1_000).wheel("Step 79.", -1);
    assert!(dashboard.shows("Step 76."));
    let scrolled = dashboard.model.details_scroll;
    dashboard.wheel("Step 76.", 1);
    assert_eq!(dashboard.model.details_scroll, scrolled + 3, "it ended with the text");

    dashboard.press("? a").wheel("Help", 1);
    assert!(matches!(dashboard.model.overlays.last(), Some(Overlay::Help(_))));
    assert!(!dashboard.shows("c close the selected") && dashboard.shows("more below"));
}

#[test]
fn wheel_moves_through_a_long_text() {
    let mut dashboard = three();
    let plan: Vec<_> = (1..40).map(|n| format!("'Step {n}.' enter")).collect();
    dashboard.press("n shift-tab").press(&plan.join(" "));
    assert!(!dashboard.shows("Step 1."));
    dashboard.wheel("Step 39.", -20);
    assert!(dashboard.shows("Step 1."));
    dashboard.press("esc c").press(&plan.join(" ")).wheel("Step 39.", -20);
    assert!(dashboard.shows("Step 1.") && dashboard.shows("Close request"));
}

#[test]
fn while_something_is_asked_the_rest_of_the_screen_does_nothing() {
    let mut dashboard = three();
    dashboard.press("c Done");
    let before = dashboard.screen();
    dashboard.click("INC-1").double_click("INC-2").click("2 Tenant").click("4 Closed").wheel("INC-1", 3);
    dashboard.click("Ctrl-S close it").click("You planned").click("Actions taken").click("Esc leave");
    assert_eq!(dashboard.screen(), before);
    assert!(dashboard.calls().is_empty());
    assert_eq!(dashboard.press("ctrl-s").close(0), ("id-3", "Done"));
}

#[test]
fn click_in_the_device_panel_chooses_and_a_double_click_looks() {
    let mut dashboard = three();
    let listed = [held("INC-7 MMD-9 Other", "t-1"), held("INC-8 MMD-9 Another", "t-2")];
    dashboard.lists_of_device(Some(listed.to_vec())).press("n INC-9 tab MMD-9 tab ctrl-g");
    dashboard.click("INC-8");
    let row = dashboard.row("INC-8").id;
    assert_eq!(dashboard.model.overlays.last(), Some(&Overlay::Device(row)));
    dashboard.wheel("INC-7", -1);
    assert_eq!(dashboard.model.overlays.last(), Some(&Overlay::Device(dashboard.row("INC-7").id)));
    dashboard.double_click("INC-8");
    assert_eq!(dashboard.model.overlays.last(), Some(&Overlay::Look(row)));
    dashboard.press("esc").click("Ctrl-S send all");
    assert!(dashboard.calls().is_empty());
}

#[test]
fn click_chooses_a_possible_match_and_settles_nothing() {
    let mut dashboard = Dashboard::new();
    dashboard.press(DRAFT).press("ctrl-s");
    let new = dashboard.create(0);
    let seen = ["one", "two"].map(|id| ElevationRequest { title: Untrusted::new(id), ..created(&new, id, start()) });
    let seen = MatchResult::Possible(seen.to_vec());
    dashboard.reply_to(0, Ok(CallResult::Looked { seen, at: start(), error: CallError::timed_out() }));
    dashboard.press("M enter").double_click("open, two");
    assert!(matches!(dashboard.model.overlays.last(), Some(Overlay::Unknown(_, 1))), "{}", dashboard.screen());
    assert!(dashboard.calls().is_empty());
    assert_eq!(dashboard.row("INC-10442").state, RowState::Unknown);
}

#[test]
fn click_on_what_was_drawn_before_it_was_read_alone_counts() {
    let mut dashboard = three();
    let (x, y) = dashboard.place_of("INC-1");
    // Two inputs of one read: the list of the tenant was not on the screen when it was clicked.
    dashboard.batch(vec![Input::Key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::NONE)), mouse(CLICK, x, y)]);
    assert_eq!((dashboard.model.requests.tab(), selected(&dashboard).as_str()), (Tab::Closed, ""));
    // A dialog that came in between has the keys, and the row below it is not selected.
    dashboard.press("1");
    let before = selected(&dashboard);
    dashboard.batch(vec![Input::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::NONE)), mouse(CLICK, x, y)]);
    assert_eq!(selected(&dashboard), before);
    assert!(dashboard.shows("Close request"));
}

#[test]
fn click_that_was_read_before_the_rows_moved_hits_none_of_them() {
    let mut dashboard = three();
    dashboard.send("INC-4 MMD-4 Word");
    dashboard.press("esc").after(1).opened();
    let (x, y) = dashboard.place_of("INC-2");
    dashboard.after(1).send("INC-5 MMD-5 Excel");
    assert_ne!(dashboard.place_of("INC-2"), (x, y));
    assert!(dashboard.read_before_the_last_frame(mouse(CLICK, x, y)).is_empty());
    // A frame in which everything stands where it stood changes nothing about it.
    let (x, y) = dashboard.after(1).after(1).place_of("INC-2");
    dashboard.read_before_the_last_frame(mouse(CLICK, x, y));
    assert_eq!(selected(&dashboard), "INC-2");
}

#[test]
fn click_that_was_read_before_something_else_moved_hits_what_stayed() {
    let mut dashboard = three();
    let (x, y) = dashboard.place_of("INC-1");
    assert_ne!(selected(&dashboard), "INC-1");
    // The details go, and the rows stay where they are.
    dashboard.after(1).press("p");
    assert_eq!(dashboard.place_of("INC-1"), (x, y));
    dashboard.read_before_the_last_frame(mouse(CLICK, x, y));
    assert_eq!(selected(&dashboard), "INC-1");
}

#[test]
fn target_that_is_gone_is_not_taken_for_what_came_into_its_place() {
    let mut dashboard = three();
    let (one, two) = (dashboard.row("INC-1").id, dashboard.row("INC-2").id);
    dashboard.press("/ INC-2 enter");
    dashboard.happens(Message::Mouse(PointerTarget::Row { row: one, top: two }, Gesture::DoubleClick));
    assert_eq!((dashboard.list(), dashboard.model.pane), (vec!["> INC-2 open".to_owned()], Pane::List));
    for target in [
        PointerTarget::Field(Field::Title),
        PointerTarget::Suggestion("Office".to_owned()),
        PointerTarget::DeviceRow(one),
    ] {
        let before = dashboard.screen();
        dashboard.happens(Message::Mouse(target, Gesture::Click));
        assert_eq!(dashboard.screen(), before);
    }
}

#[test]
fn other_buttons_and_clicks_with_a_modifier_do_nothing() {
    let mut dashboard = three();
    let (column, row) = dashboard.place_of("INC-1");
    for (kind, modifiers) in [
        (MouseEventKind::Down(MouseButton::Right), KeyModifiers::NONE),
        (MouseEventKind::Down(MouseButton::Middle), KeyModifiers::NONE),
        (MouseEventKind::Up(MouseButton::Left), KeyModifiers::NONE),
        (MouseEventKind::Drag(MouseButton::Left), KeyModifiers::NONE),
        (MouseEventKind::Moved, KeyModifiers::NONE),
        (MouseEventKind::ScrollLeft, KeyModifiers::NONE),
        (CLICK, KeyModifiers::SHIFT),
        (CLICK, KeyModifiers::ALT),
        (CLICK, KeyModifiers::CONTROL),
    ] {
        let meant = dashboard.batch(vec![Input::Mouse(MouseEvent { kind, column, row, modifiers })]);
        assert!(meant.is_empty(), "{kind:?} {modifiers:?}: {meant:?}");
    }
}
