//! Pictures of the main screens at three sizes, and what no picture can show of them.

use mmd_elevate::dashboard::Message;
use mmd_elevate_core::CallError;
use ratatui::style::{Color, Modifier};
use rstest::rstest;

use crate::support::dashboard::{DRAFT, Dashboard};

const TOO_MANY: &str = "The device MMD-03690457680 has too many open elevation requests.";

/// How a screen comes about, and the name of its picture.
type Story = (&'static str, fn(&mut Dashboard));

const STORIES: &[Story] = &[
    ("empty", |_| {}),
    ("problems", |dashboard| _ = dashboard.press("n INC-1 tab MMD-1 tab tab tab tab Plan ctrl-s")),
    ("doubtful", |dashboard| {
        let keys = "tab Title tab Office tab Excel tab Plan ctrl-s";
        dashboard.press("n INC-1 tab").paste("\u{41c}\u{41c}D-7Q2XK9").press(keys);
    }),
    ("suggestions", |dashboard| _ = dashboard.press("n INC-1 tab MMD-1 tab Title tab o down")),
    ("sending", |dashboard| _ = dashboard.press(DRAFT).press("ctrl-s").after(4)),
    ("open", |dashboard| _ = two(dashboard).after(12 * 60)),
    ("details", |dashboard| _ = two(dashboard).press("enter")),
    ("refused", |dashboard| _ = dashboard.press(DRAFT).press("ctrl-s").fails(CallError::too_many_open(), TOO_MANY)),
    ("close", |dashboard| _ = two(dashboard).press("c 'Reset the add-in.' enter 'It starts again.'")),
    ("closed", |dashboard| _ = two(dashboard).press("c Done ctrl-s").closed()),
    ("accepted", |dashboard| _ = two(dashboard).press("c Done ctrl-s").accepted()),
    ("already-closed", |dashboard| {
        two(dashboard).press("c 'Reset the add-in.' ctrl-s");
        dashboard.fails(CallError::already_closed(), "This elevation request was already closed.");
    }),
    ("does-not-exist", |dashboard| {
        two(dashboard).press("c 'Reset the add-in.' ctrl-s");
        dashboard.fails(CallError::no_such_request(), "This elevation request does not exist.");
    }),
    ("unknown", |dashboard| {
        _ = dashboard.press(DRAFT).press("ctrl-s").fails(CallError::timed_out(), "").press("enter");
    }),
    ("filter", |dashboard| _ = two(dashboard).press("/ exc")),
    ("filter-closed", |dashboard| _ = two(dashboard).press("c Done ctrl-s").closed().press("/ closed")),
    ("help", |dashboard| _ = two(dashboard).press("?")),
    ("quit", |dashboard| _ = two(dashboard).press("n INC-3 esc q")),
    ("worker-gone", |dashboard| _ = two(dashboard).happens(Message::WorkerGone)),
];

fn two(dashboard: &mut Dashboard) -> &mut Dashboard {
    dashboard.open("INC-10450 MMD-00000000017 Word template missing");
    dashboard.press(DRAFT).press("ctrl-s").opened()
}

#[rstest]
fn the_main_screens_look_as_they_should(#[values((120, 36), (80, 24), (60, 20))] (columns, rows): (u16, u16)) {
    for (name, story) in STORIES {
        let mut dashboard = Dashboard::at(columns, rows);
        story(&mut dashboard);
        dashboard.looks_like(&format!("{columns}x{rows}-{name}"));
    }
}

#[test]
fn too_little_room_says_so_and_keeps_what_was_typed() {
    for (columns, rows) in [(39, 12), (40, 11), (10, 5), (1, 1)] {
        let mut dashboard = Dashboard::new();
        dashboard.press("n INC-").resize(columns, rows);
        if columns > 30 {
            assert_eq!(dashboard.screen().trim_end(), "mmd-elevate needs 40 x 12; all is kept");
        }
        dashboard.press("1").resize(120, 36);
        assert_eq!(dashboard.form()[0], "INC-1");
        assert!(dashboard.shows("INC-1"));
    }
}

#[test]
fn every_screen_says_which_tenant_it_is_about() {
    for (columns, rows) in [(120, 36), (80, 24), (60, 20), (40, 12)] {
        for (name, story) in STORIES {
            let mut dashboard = Dashboard::at(columns, rows);
            story(&mut dashboard);
            let header = dashboard.screen().lines().next().unwrap().to_owned();
            assert!(header.contains("Contoso") && header.contains("PRACTICE TENANT"), "{name} {columns}: {header}");
        }
    }
}

#[test]
fn a_state_is_never_cut() {
    for columns in 40..=130 {
        let mut dashboard = Dashboard::at(columns, 30);
        two(&mut dashboard).press("c Done ctrl-s");
        for state in ["◌ closing", "● open"] {
            assert!(dashboard.shows(state), "{columns}\n{}", dashboard.screen());
        }
        dashboard.resize(columns, 12);
        assert!(dashboard.shows("◌ closing"), "{columns}\n{}", dashboard.screen());
    }
}

#[test]
fn colour_is_red_for_action_yellow_for_doubt_and_the_accent_for_the_focus() {
    let mut dashboard = Dashboard::new();
    two(&mut dashboard);
    assert_eq!(dashboard.style_of("> INC-10442"), (Color::Cyan, Modifier::empty()));
    assert_eq!(dashboard.style_of("✓ Opened for").0, Color::Green);
    assert_eq!(dashboard.style_of("PRACTICE TENANT"), (Color::Magenta, Modifier::BOLD));
    assert_eq!(dashboard.style_of("Device").1, Modifier::DIM);
    dashboard.press("c Done ctrl-s j").fails(CallError::timed_out(), "");
    assert_eq!(dashboard.style_of("? unknown").0, Color::Yellow);
    dashboard.press("n ctrl-s");
    assert_eq!(dashboard.style_of("type a title").0, Color::Red);
}
