//! Text of the service through every pane: no cell of the screen holds what a terminal would act on.

use mmd_elevate::dashboard::{CopiedTo, EditTarget, Effect, Message};
use mmd_elevate_core::{CallError, ElevationRequest, Problem, RequestId, RequestIds, ServiceTime, Untrusted};
use rstest::rstest;

use crate::support::{
    corpus::{Specimen, corpus},
    dashboard::{Dashboard, created, fault, opened, start},
    harmless::{assert_harmless, assert_harmless_lines},
};

/// No cell acts, and none carries a pile of marks.
#[track_caller]
fn assert_screen_harmless(dashboard: &Dashboard, whence: &str) {
    for symbol in dashboard.symbols() {
        assert_harmless(symbol, whence);
    }
}

/// What was copied since this was last asked.
fn copied(dashboard: &mut Dashboard) -> Vec<String> {
    let copied = |effect| match effect {
        Effect::Copy(text) => Some(text),
        _ => None,
    };
    dashboard.take_effects().into_iter().filter_map(copied).collect()
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
) {
    for Specimen { name, text } in corpus() {
        let mut dashboard = Dashboard::at(columns, rows);
        dashboard.send("INC-1 MMD-1 Excel");
        let mut entity = created(&dashboard.create(0), "id", start());
        hostile(&mut entity, &text);
        dashboard.reply_to(0, Ok(opened(entity)));
        let look = |dashboard: &mut Dashboard| {
            for keys in ["esc", "s", "enter", "G", "esc", "tab", "tab", "esc", "f1", "esc", "/ a", "esc"] {
                dashboard.press(keys);
                assert_screen_harmless(dashboard, name);
            }
        };
        look(&mut dashboard);
        dashboard.press("q");
        assert_screen_harmless(&dashboard, name);
        dashboard.take_effects();
        dashboard.press("esc y Y");
        let copied = copied(&mut dashboard);
        assert_eq!(copied.len(), 2);
        for copied in copied {
            assert_harmless(&copied, name);
        }
        dashboard.press("c Done");
        assert_screen_harmless(&dashboard, name);
        dashboard.press("esc c ctrl-s");
        let mut failed = fault(CallError::already_closed(), &text);
        failed.ids = RequestIds { client: Some("client".to_owned()), service: Some(Untrusted::new(text.as_str())) };
        dashboard.reply_to(0, Err(failed.clone()));
        assert_screen_harmless(&dashboard, name);
        dashboard.press("esc 4");
        look(&mut dashboard);
        for kind in [CallError::timed_out(), CallError::declined()] {
            dashboard.send("INC-2 MMD-2 Word");
            let mut failed = failed.clone();
            (failed.disposition, failed.code, failed.problem) = (kind.disposition, kind.code, kind.problem);
            dashboard.reply_to(0, Err(failed));
            assert_screen_harmless(&dashboard, name);
            look(&mut dashboard);
            dashboard.press("g enter").press("esc n");
            assert_screen_harmless(&dashboard, name);
            dashboard.press("ctrl-x esc");
        }
    }
}

#[rstest]
fn nothing_that_was_pasted_acts_while_it_is_typed_on(
    #[values("n", "n tab tab tab", "n shift-tab", "/", "c")] keys: &str,
) {
    for Specimen { name, text } in corpus() {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press(keys).paste(&text);
        assert_screen_harmless(&dashboard, name);
        for keys in ["x left backspace home right", "esc"] {
            dashboard.press(keys);
            assert_screen_harmless(&dashboard, name);
        }
    }
}

/// What the shell tells by itself: an editor that does not start, the terminal, the record.
#[test]
fn nothing_that_the_shell_tells_acts() {
    for Specimen { name, text } in corpus() {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.happens(Message::Warning(Problem::new(&text, &text)));
        assert_harmless(&dashboard.notice(), name);
        dashboard.happens(Message::Copied(CopiedTo::Terminal, text.clone()));
        assert_harmless(&dashboard.notice(), name);
        assert_screen_harmless(&dashboard, name);
        // The editor's text is a paste by another way.
        dashboard.happens(Message::Edited { target: EditTarget::PlanOfAction, text });
        assert_screen_harmless(&dashboard, name);
    }
}

/// A text that a close could not store goes to the clipboard as it was typed, with marks.
#[test]
fn a_text_that_was_not_stored_is_copied_with_marks() {
    for Specimen { name, text } in corpus() {
        let mut dashboard = Dashboard::with_open(&["INC-1 MMD-1 Excel"]);
        dashboard.press("c").paste(&text).press("ctrl-s").fails(CallError::already_closed(), "");
        assert_screen_harmless(&dashboard, name);
        dashboard.take_effects();
        dashboard.press("Y y");
        for copied in copied(&mut dashboard) {
            assert_harmless_lines(&copied, name);
        }
    }
}

#[test]
fn a_name_without_an_end_does_not_hide_what_happened_nor_the_hint() {
    let mut dashboard = Dashboard::at(80, 24);
    dashboard.send("INC-1 MMD-1 Excel");
    let mut entity = created(&dashboard.create(0), "id", start());
    (entity.device, entity.ticket) = (Untrusted::new("漢".repeat(8_000)), Untrusted::new("x".repeat(8_000)));
    dashboard.reply_to(0, Ok(opened(entity)));
    dashboard.press("c Done ctrl-s").fails(CallError::not_accepted(409, None), "Busy with it.");
    assert!(
        dashboard.shows("Busy with it.") && dashboard.shows("hint: somebody else may have"),
        "{}",
        dashboard.screen()
    );
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
