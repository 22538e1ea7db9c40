//! Requests of other people beside one's own: they are listed, and nothing is asked or done about them by itself.

use mmd_elevate::dashboard::{Closure, RowState};
use mmd_elevate_core::{Call, CloseElevationRequest, ElevationRequest, Operation, Recovered, RequestId, Untrusted};

use crate::support::{
    dashboard::{Dashboard, closed, created, opened, start},
    record::{checked, held},
};

const OWN: &str = "INC-1 MMD-1 Excel";
const THEIRS: &str = "INC-2 MMD-2 Word";

fn theirs(id: &str) -> ElevationRequest {
    ElevationRequest { requested_by: Untrusted::new("ana@partner.example"), ..held(THEIRS, id) }
}

fn lists(dashboard: &mut Dashboard, listed: Vec<ElevationRequest>) {
    dashboard.model.requests.insert_listed(listed, start());
}

/// The ids that the calls under way ask for, or close.
fn asked(dashboard: &Dashboard) -> Vec<&str> {
    let ids = dashboard.calls().iter().flat_map(|(_, call)| match call {
        Call::Check(asked) => asked.iter().map(|(id, _)| id.raw()).collect(),
        Call::Send(Operation::Close(CloseElevationRequest { id, .. })) => vec![id.raw()],
        other => panic!("{other:?}"),
    });
    ids.collect()
}

#[test]
fn request_of_another_does_not_keep_from_leaving() {
    let mut dashboard = Dashboard::new();
    lists(&mut dashboard, vec![theirs("id-x"), closed(theirs("id-y"), "ana@partner.example", start())]);
    assert!(dashboard.list().is_empty(), "it is somebody else's");
    assert_eq!(dashboard.press("2").list(), ["> INC-2 open"]);
    assert_eq!(dashboard.press("4").list(), ["> INC-2 closed"]);
    assert!(!dashboard.row("INC-2").mine && dashboard.model.remains().nothing());
    assert!(dashboard.press("q").left());
}

#[test]
fn leaving_counts_and_closes_only_the_own_requests() {
    let mut dashboard = Dashboard::with_open(&[OWN]);
    lists(&mut dashboard, vec![theirs("id-x"), theirs("id-y")]);
    dashboard.press("q");
    assert!(dashboard.shows("1 request is open") && dashboard.model.remains().open == 1, "{}", dashboard.screen());
    dashboard.press("c Done ctrl-s");
    assert_eq!(asked(&dashboard), ["id-1"]);
    assert!(dashboard.model.overlays.is_empty(), "no further dialog comes");
    assert!(dashboard.closed().left());
}

#[test]
fn refresh_and_recovery_check_only_the_own_requests() {
    let mut dashboard = Dashboard::new();
    lists(&mut dashboard, vec![theirs("id-x")]);
    dashboard.press("r");
    assert!(asked(&dashboard).is_empty(), "nobody's requests are asked for by name");
    dashboard.recovered(Recovered { open: vec![held(OWN, "id-a")], ..Recovered::default() });
    assert_eq!(asked(&dashboard), ["id-a"]);
    assert_eq!(dashboard.model.recovery.open, [dashboard.row("INC-1").id]);
    dashboard.reply_to(0, Ok(checked(vec![held(OWN, "id-a"), theirs("id-x")], &[], start())));
    dashboard.press("esc r");
    assert_eq!(asked(&dashboard), ["id-a"]);
}

#[test]
fn page_that_lists_an_own_request_changes_nothing_of_it() {
    let mut dashboard = Dashboard::with_open(&[OWN]);
    lists(&mut dashboard, vec![closed(held(OWN, "id-1"), "ana@partner.example", start()), theirs("id-x")]);
    assert_eq!(dashboard.row("INC-1").state, RowState::Open, "what became of it a check says");
    assert!(dashboard.row("INC-1").mine && dashboard.model.remains().open == 1);
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert_eq!(dashboard.press("2").list(), ["> INC-2 open", "INC-1 open"]);
    // A later page, which shows the other one as closed.
    lists(&mut dashboard, vec![closed(theirs("id-x"), "ana@partner.example", start())]);
    assert_eq!(dashboard.row("INC-2").state, RowState::Closed(Closure::Elsewhere));
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
}

#[test]
fn own_create_that_a_page_lists_before_its_answer_has_one_row_and_is_the_agents() {
    let mut dashboard = Dashboard::new();
    dashboard.send(OWN);
    let request = created(&dashboard.create(0), "id-1", start());
    lists(&mut dashboard, vec![request.clone()]);
    assert!(dashboard.model.remains().open == 0, "it is not known yet to be the agent's");
    dashboard.reply_to(0, Ok(opened(request)));
    assert_eq!(dashboard.list(), ["> INC-1 open"]);
    assert!(dashboard.model.requests.find(&RequestId::new("id-1").unwrap()).unwrap().mine);
    assert_eq!(dashboard.model.remains().open, 1);
}
