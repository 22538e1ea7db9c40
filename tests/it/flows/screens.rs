//! Pictures of the main screens at five sizes, and what no picture can show of them.

use std::time::Duration;

use jiff::SignedDuration;
use mmd_elevate::dashboard::Message;
use mmd_elevate_core::{CallError, CallResult, ElevationRequest, Gaps, RequestId, ServiceTime, Untrusted};
use ratatui::style::{Color, Modifier};
use rstest::rstest;

use crate::support::{
    dashboard::{DRAFT, Dashboard, start},
    record::held,
};

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
    ("tab-closed", |dashboard| _ = two(dashboard).press("c Done ctrl-s").closed().press("4")),
    ("help", |dashboard| _ = two(dashboard).press("?")),
    ("quit", |dashboard| _ = two(dashboard).press("n INC-3 esc q")),
    ("tenant", |dashboard| _ = tenant(dashboard).press("j")),
    ("tenant-news", |dashboard| {
        dashboard.model.preferences.refresh = Some(Duration::from_secs(30));
        tenant(dashboard).after(30).page(0, vec![colleagues(9, "INC-10470", "kofi", 0)]);
    }),
    ("tenant-filter", |dashboard| _ = tenant(dashboard).press("/ by:ana")),
    ("tenant-close", |dashboard| _ = tenant(dashboard).press("G c")),
    ("tenant-40", |dashboard| {
        let many = (0..40).map(|n| colleagues(n, &format!("INC-{}", 20_000 + u32::from(n)), "tess", i64::from(n) * 17));
        _ = dashboard.press("2").page(0, many.collect()).press("j j");
    }),
    ("texts", |dashboard| {
        for request in [
            "INC-٣٤٥٦ MMD-1 لا يمكن فتح الملف بعد التحديث",
            "INC-東京 MMD-2 Excel の数式が更新されない、再起動しても同じです",
            "INC-👩‍🚒 MMD-3 Touch ⚠️ screen e\u{301}te\u{301} 👍🏽 reacts late",
            "INC-10442-with-a-long-name MMD-00000000000000000017 A title that is much longer than any column that it could stand in",
        ] {
            dashboard.open(request);
        }
    }),
    ("attention", |dashboard| {
        two(dashboard).press("c Done ctrl-s").accepted().press(DRAFT).press("ctrl-s j");
        dashboard.fails(CallError::timed_out(), "").after(3 * 3_600).press("3");
    }),
    ("take-as-closed", |dashboard| _ = two(dashboard).press("c Done ctrl-s").accepted().press("d")),
    ("device", |dashboard| _ = on_device(dashboard).press(DRAFT)),
    ("device-panel", |dashboard| _ = on_device(dashboard).press(DRAFT).press("ctrl-g j")),
    ("notices", |dashboard| {
        two(dashboard).press("c Done ctrl-s k").fails(CallError::declined(), &"Because of it. ".repeat(12)).press("!");
    }),
    ("draft-waits", |dashboard| _ = two(dashboard).press("n INC-3 tab MMD-3 tab 'A third' esc").after(6)),
    ("worker-gone", |dashboard| _ = two(dashboard).happens(Message::WorkerGone)),
];

/// A request of a colleague's, so many minutes old.
fn colleagues(number: u8, ticket: &str, by: &str, minutes: i64) -> ElevationRequest {
    let at = start() - SignedDuration::from_mins(minutes);
    let created = Some(ServiceTime { text: Untrusted::new(at.to_string()), at: Some(at) });
    let requested_by = Untrusted::new(format!("{by}@partner.example"));
    let viewers = if number.is_multiple_of(2) { vec![requested_by.clone()] } else { Vec::new() };
    let request = format!("{ticket} MMD-{:011} Docking station is not found", 3 + number / 2);
    ElevationRequest { created, requested_by, viewers, ..held(&request, &format!("c-{number}")) }
}

/// The tenant's tab with what colleagues have open, beside two of one's own.
fn tenant(dashboard: &mut Dashboard) -> &mut Dashboard {
    two(dashboard).press("2");
    let open = [
        (1, "INC-10405", "tess", 1_380),
        (2, "INC-10438", "noor", 190),
        (3, "INC-10440", "ana", 130),
        (4, "INC-10459", "ana", 4),
    ];
    let mut listed: Vec<_> = open.map(|(number, ticket, by, minutes)| colleagues(number, ticket, by, minutes)).into();
    listed.extend(["INC-10442", "INC-10450"].map(|ticket| dashboard.row(ticket).request.cloned().unwrap()));
    dashboard.page(0, listed).reply_to_read(0, Ok(CallResult::Listed { gaps: Gaps::default(), at: start() }))
}

/// A device with two requests that are open.
fn on_device(dashboard: &mut Dashboard) -> &mut Dashboard {
    let one = |ticket: &str, by: &str, minutes| {
        let listed = colleagues(1, ticket, by, minutes);
        let id = RequestId::new(ticket).unwrap();
        ElevationRequest { id, device: Untrusted::new("MMD-03690457680"), ..listed }
    };
    dashboard.lists_of_device(Some(vec![one("INC-10438", "noor", 190), one("INC-10459", "ana", 20)]))
}

fn two(dashboard: &mut Dashboard) -> &mut Dashboard {
    dashboard.open("INC-10450 MMD-00000000017 Word template missing");
    dashboard.press(DRAFT).press("ctrl-s").opened()
}

#[rstest]
fn the_main_screens_look_as_they_should(
    #[values((200, 60), (120, 36), (80, 24), (60, 20), (40, 10))] (columns, rows): (u16, u16),
) {
    for (name, story) in STORIES {
        let mut dashboard = Dashboard::at(columns, rows);
        story(&mut dashboard);
        dashboard.looks_like(&format!("{columns}x{rows}-{name}"));
    }
}

#[test]
fn too_little_room_says_so_and_keeps_what_was_typed() {
    for (columns, rows) in [(39, 12), (40, 7), (10, 5), (1, 1)] {
        let mut dashboard = Dashboard::new();
        dashboard.press("n INC-").resize(columns, rows);
        if columns > 30 {
            assert_eq!(dashboard.screen().trim_end(), "mmd-elevate needs 40 x 8; all is kept");
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
            let practice = match columns {
                // A sign-in that ends takes the place.
                ..60 if header.contains("min left") => "Contoso",
                ..60 => "PRACTICE",
                _ => "PRACTICE TENANT",
            };
            assert!(header.contains("Contoso") && header.contains(practice), "{name} {columns}: {header}");
        }
    }
}

#[test]
fn a_state_is_never_cut() {
    for columns in 40..=200 {
        let mut dashboard = Dashboard::at(columns, 30);
        two(&mut dashboard).press("c Done ctrl-s");
        // In words where there is room for them, and otherwise by their signs.
        let states = if columns < 60 { ["◌", "●"] } else { ["◌ closing", "● open"] };
        for rows in [30, 12, 8] {
            dashboard.resize(columns, rows);
            for state in states {
                assert!(dashboard.shows(state), "{columns}x{rows}\n{}", dashboard.screen());
            }
        }
    }
}

#[test]
fn colour_is_red_for_action_yellow_for_doubt_and_the_accent_for_the_focus() {
    let mut dashboard = Dashboard::new();
    two(&mut dashboard);
    assert_eq!(dashboard.style_of("▌ INC-10442"), (Color::Cyan, Modifier::empty()));
    assert_eq!(dashboard.style_of("✓ Opened for").0, Color::Green);
    assert_eq!(dashboard.style_of("PRACTICE TENANT"), (Color::Magenta, Modifier::BOLD));
    assert_eq!(dashboard.style_of("Device").1, Modifier::DIM);
    dashboard.press("c Done ctrl-s j").fails(CallError::timed_out(), "");
    assert_eq!(dashboard.style_of("? unknown").0, Color::Yellow);
    dashboard.press("n ctrl-s");
    assert_eq!(dashboard.style_of("type a title").0, Color::Red);
}
