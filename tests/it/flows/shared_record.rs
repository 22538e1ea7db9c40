//! Two dashboards on one record: what the other does is shown with each refresh, and what this one does stays its own.

use std::time::Duration;

use mmd_elevate::dashboard::{Closure, Effect, Preferences, RowState};
use mmd_elevate_core::{CloseElevationRequest, EndedRequest, Event, Operation, RecordChanges, Untrusted};

use crate::support::{
    dashboard::{Dashboard, closed, start},
    record::{held, lost_close},
};

const HERE: &str = "INC-1 MMD-1 Excel";
const THERE: &str = "INC-2 MMD-2 Word";
const EVERY: Duration = Duration::from_secs(30);

fn changes(dashboard: &mut Dashboard, changes: RecordChanges) {
    dashboard.says(Event::RecordChanged(Box::new(changes)));
}

/// The other dashboard has opened this.
fn opens(dashboard: &mut Dashboard, request: &str, id: &str) {
    changes(dashboard, RecordChanges { open: vec![held(request, id)], ..RecordChanges::default() });
}

/// The other dashboard has closed this, with a text.
fn closes(dashboard: &mut Dashboard, request: &str, id: &str, text: &str) {
    let request = closed(held(request, id), "agent@partner.example", start());
    let request = mmd_elevate_core::ElevationRequest { actions_taken: Untrusted::new(text), ..request };
    let ended = EndedRequest { request, at: start(), on_word: false };
    changes(dashboard, RecordChanges { closed: vec![ended], ..RecordChanges::default() });
}

#[test]
fn request_of_another_dashboard_is_the_agents_own_and_goes_when_it_is_closed_there() {
    let mut dashboard = Dashboard::with_open(&[HERE]);
    dashboard.after(10);
    opens(&mut dashboard, THERE, "id-x");
    assert_eq!(dashboard.list(), ["INC-2 open", "> INC-1 open"], "the selection stays");
    assert_eq!(dashboard.notice(), "Opened in another dashboard: MMD-2 (INC-2) · hint: 1 shows it");
    assert!(dashboard.row("INC-2").mine && dashboard.model.remains().open == 2);
    dashboard.after(10);
    closes(&mut dashboard, THERE, "id-x", "Done.");
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert_eq!(dashboard.notice(), "Closed in another dashboard: MMD-2 (INC-2) · hint: 4 shows it");
    assert_eq!(dashboard.press("4").list(), ["> INC-2 closed"]);
    assert!(dashboard.model.overlays.is_empty(), "there is no text that was not stored");
}

#[test]
fn request_that_both_was_opened_and_closed_there_is_in_closed() {
    let mut dashboard = Dashboard::new();
    closes(&mut dashboard, THERE, "id-x", "Done.");
    assert!(dashboard.list().is_empty());
    assert_eq!(dashboard.press("4").list(), ["> INC-2 closed"]);
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Recorded));
}

#[test]
fn what_is_typed_for_a_request_is_kept_when_another_dashboard_closes_it() {
    let mut dashboard = Dashboard::with_open(&[HERE]);
    dashboard.press("c 'My words.'");
    closes(&mut dashboard, HERE, "id-1", "Their words.");
    assert!(dashboard.shows("My words."), "{}", dashboard.screen());
    dashboard.press("esc");
    assert!(dashboard.shows("The service did not store what you typed"), "{}", dashboard.screen());
    assert!(dashboard.calls().is_empty());
}

#[test]
fn close_that_is_under_way_here_is_decided_by_its_reply() {
    let mut dashboard = Dashboard::with_open(&[HERE]);
    dashboard.press("c 'My words.' ctrl-s");
    closes(&mut dashboard, HERE, "id-1", "Their words.");
    assert!(matches!(dashboard.row("INC-1").state, RowState::Closing(_)));
    dashboard.closed();
    assert_eq!(dashboard.row("INC-1").state, RowState::Closed(Closure::Verified));
}

#[test]
fn accepted_close_of_another_dashboard_needs_attention_here_too_and_its_text_is_not_typed_here() {
    let mut dashboard = Dashboard::with_open(&[HERE]);
    let mut write = lost_close(7, "id-1", "MMD-1", "Their words.");
    write.state = mmd_elevate_core::WriteState::Done;
    let accepted = || RecordChanges { accepted: vec![write.clone()], ..RecordChanges::default() };
    changes(&mut dashboard, accepted());
    assert_eq!(dashboard.row("INC-1").state, RowState::Accepted);
    assert!(dashboard.row("INC-1").actions_taken.is_none());
    closes(&mut dashboard, HERE, "id-1", "Their words.");
    assert!(matches!(dashboard.row("INC-1").state, RowState::Closed(_)));
    changes(&mut dashboard, accepted());
    assert!(matches!(dashboard.row("INC-1").state, RowState::Closed(_)), "that is told late");
    let Operation::Close(CloseElevationRequest { id, .. }) = &write.operation else { unreachable!() };
    assert!(dashboard.model.requests.find(id).is_some());
}

/// How often the record was looked at since this was asked last.
fn looks(dashboard: &mut Dashboard) -> usize {
    dashboard.take_effects().iter().filter(|effect| **effect == Effect::ReadChanges).count()
}

#[test]
fn record_is_looked_at_with_each_refresh_and_on_its_key_and_wakes_nobody_in_between() {
    let mut dashboard = Dashboard::new();
    dashboard.model.preferences = Preferences { refresh: Some(EVERY), ..Preferences::default() };
    looks(&mut dashboard);
    assert_eq!(dashboard.wakes_in(), EVERY);
    dashboard.after(29);
    assert_eq!(looks(&mut dashboard), 0);
    dashboard.after(1);
    assert_eq!(looks(&mut dashboard), 1);
    dashboard.press("r");
    assert_eq!(looks(&mut dashboard), 1);
    dashboard.model.preferences.refresh = None;
    dashboard.after(3_600);
    assert_eq!(looks(&mut dashboard), 0, "it is asked only where the agent asks");
    dashboard.press("r");
    assert_eq!(looks(&mut dashboard), 1);
}
