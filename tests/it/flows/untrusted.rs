//! Text of the service through every pane: no cell of the screen holds what a terminal would act on.

use mmd_elevate::{
    domain::{ElevationRequest, RequestId, ServiceTime, Untrusted, invisible_characters},
    port::{FaultKind, RequestIds},
    state::Effect,
};
use rstest::rstest;

use crate::support::dashboard::{Dashboard, created, fault, opened, start};

const HOSTILE: &str = "a\x1b[2J\x1b]52;c;QUJD\x07b\u{9b}31mc\u{202e}d\u{2066}e\u{200b}f\u{feff}g\u{e0041}h\ti\rj";

/// No cell acts, and none carries a pile of marks.
#[track_caller]
fn assert_harmless(dashboard: &Dashboard) {
    for symbol in dashboard.symbols() {
        assert_eq!(invisible_characters(symbol), 0, "{symbol:?}");
        assert!(!symbol.contains(['\n', '\t']), "{symbol:?}");
        assert!(symbol.chars().count() < 32, "{} characters in a cell", symbol.chars().count());
    }
}

fn hostile(entity: &mut ElevationRequest, text: &str) {
    let ElevationRequest {
        id,
        ticket,
        device,
        title,
        category,
        subcategory,
        plan_of_action,
        actions_taken,
        requested_by,
        closed_by,
        created,
        closed,
        viewers,
    } = entity;
    let visible: String = text.chars().filter(|c| !c.is_control()).take(20).collect();
    *id = RequestId::new(format!("x{visible}")).unwrap();
    for field in [ticket, device, title, category, subcategory, plan_of_action, actions_taken, requested_by, closed_by]
    {
        *field = Untrusted::new(text);
    }
    let time = ServiceTime { text: Untrusted::new(text), at: None };
    (*created, *closed) = (Some(time.clone()), Some(time));
    *viewers = vec![Untrusted::new(text); 3];
}

#[rstest]
fn nothing_of_the_service_s_acts_in_any_pane(
    #[values((120, 36), (80, 24), (60, 20), (40, 12))] (columns, rows): (u16, u16),
    #[values(HOSTILE.to_owned(), format!("e{}", "\u{301}".repeat(10_000)), "\u{200d}\u{301}\u{fe0f}".to_owned())]
    text: String,
) {
    let mut dashboard = Dashboard::at(columns, rows);
    dashboard.send("INC-1 MMD-1 Excel");
    let mut entity = created(&dashboard.create(0), "id", start());
    hostile(&mut entity, &text);
    dashboard.reply_to(0, Ok(opened(entity)));
    let look = |dashboard: &mut Dashboard| {
        for keys in ["esc", "s", "enter", "G", "esc", "tab", "tab", "esc", "f1", "esc", "/ a", "esc"] {
            dashboard.press(keys);
            assert_harmless(dashboard);
        }
    };
    look(&mut dashboard);
    dashboard.press("q");
    assert_harmless(&dashboard);
    dashboard.press("esc y Y");
    for effect in dashboard.take_effects() {
        let Effect::Copy(copied) = effect else { panic!("{effect:?}") };
        assert_eq!(invisible_characters(&copied), 0);
    }
    dashboard.press("c Done");
    assert_harmless(&dashboard);
    dashboard.press("esc c ctrl-s");
    let mut failed = fault(FaultKind::AlreadyClosed, &text);
    failed.ids = RequestIds { client: Some("client".to_owned()), service: Some(Untrusted::new(text.as_str())) };
    dashboard.reply_to(0, Err(failed.clone()));
    assert_harmless(&dashboard);
    dashboard.press("esc / closed enter");
    look(&mut dashboard);
    for kind in [FaultKind::TimedOut, FaultKind::Declined] {
        dashboard.send("INC-2 MMD-2 Word");
        let mut failed = failed.clone();
        failed.kind = kind;
        dashboard.reply_to(0, Err(failed));
        assert_harmless(&dashboard);
        look(&mut dashboard);
        dashboard.press("g enter").press("esc n");
        assert_harmless(&dashboard);
        dashboard.press("ctrl-x esc");
    }
}

#[rstest]
fn nothing_that_was_pasted_acts_while_it_is_typed_on(
    #[values("n", "n tab tab tab", "n shift-tab", "/", "c")] keys: &str,
    #[values(HOSTILE.to_owned(), format!("e{}", "\u{301}".repeat(10_000)), "\u{200d}\u{301}\u{fe0f}\u{2028}".to_owned())]
    text: String,
) {
    let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
    dashboard.press(keys).paste(&text);
    assert_harmless(&dashboard);
    dashboard.press("x left backspace home right");
    assert_harmless(&dashboard);
    dashboard.press("esc");
    assert_harmless(&dashboard);
}

#[test]
fn two_names_that_would_look_alike_do_not() {
    let mut dashboard = Dashboard::new();
    dashboard.send("INC-1 MMD-1 Excel");
    let mut entity = created(&dashboard.create(0), "id", start());
    entity.device = Untrusted::new("MMD\u{200b}-1");
    dashboard.reply_to(0, Ok(opened(entity)));
    assert!(dashboard.shows("MMD‹U+200B›-1"), "{}", dashboard.screen());
}
