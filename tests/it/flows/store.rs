//! The list is kept in order row by row: whatever comes in whichever order, it stands as if all of it were sorted and
//! filtered anew.

use std::collections::BTreeSet;

use mmd_elevate::{
    dashboard::{Row, RowId, RowState, Sort},
    keys::{Action, Motion, Tab},
};
use mmd_elevate_core::{ElevationRequest, Field, Untrusted};
use proptest::prelude::*;

use crate::support::{
    dashboard::{Dashboard, closed, start},
    record::held,
};

#[derive(Clone, Debug)]
enum Step {
    /// A page of requests comes in: their numbers, each with a text that may have changed, and whether it is closed.
    Page(Vec<(u8, u8, bool)>),
    /// The agent opens a request of this ticket, or closes the selected one.
    Open(u8),
    Close,
    Tab(&'static str),
    Sort,
    Filter(&'static str),
    Move(Motion),
}

fn steps() -> impl Strategy<Value = Step> {
    let one = (0_u8..60, 0_u8..8, prop::bool::weighted(0.3));
    prop_oneof![
        6 => prop::collection::vec(one.clone(), 1..2).prop_map(Step::Page),
        3 => prop::collection::vec(one, 0..40).prop_map(Step::Page),
        1 => (0_u8..8).prop_map(Step::Open),
        1 => Just(Step::Close),
        3 => prop::sample::select(vec!["1", "2", "3", "4"]).prop_map(Step::Tab),
        2 => Just(Step::Sort),
        2 => prop::sample::select(vec!["", "é", "inc-3", "mmd-1 WORD", "is:open", "-is:mine inc", "ana", "zzz"]).prop_map(Step::Filter),
        2 => prop::sample::select(vec![Motion::Down, Motion::Up, Motion::PageDown, Motion::Last]).prop_map(Step::Move),
    ]
}

fn listed((number, text, is_closed): (u8, u8, bool)) -> ElevationRequest {
    let request = held(&format!("InC-{text} MMD-{} Word É{number}", number % 7), &format!("id-{}", 255 - number));
    let request = ElevationRequest { requested_by: Untrusted::new("ana@partner.example"), ..request };
    if is_closed { closed(request, "ana@partner.example", start()) } else { request }
}

fn take(dashboard: &mut Dashboard, step: &Step) {
    match step {
        Step::Page(page) => dashboard.model.requests.insert_listed(page.iter().copied().map(listed).collect(), start()),
        Step::Open(ticket) => dashboard.open(&format!("INC-{ticket} MMD-1 Own")),
        Step::Close if dashboard.model.unavailable(Action::CloseRequest).is_none() => {
            dashboard.press("c Done ctrl-s").closed();
        }
        Step::Close => {}
        Step::Tab(key) => _ = dashboard.press(key),
        Step::Sort => _ = dashboard.press("s"),
        Step::Filter(text) => _ = dashboard.press(&format!("esc / '{text}' enter")),
        Step::Move(motion) => {
            let key = match motion {
                Motion::Down => "j",
                Motion::Up => "k",
                Motion::PageDown => "pgdn",
                _ => "G",
            };
            dashboard.press(key);
        }
    }
}

/// What the list of a tab has to show: its rows, filtered and sorted in the plainest way.
fn expected(dashboard: &Dashboard, tab: Tab) -> Vec<RowId> {
    let list = dashboard.model.requests.list_of(tab);
    let words: Vec<String> = list.filter().text().to_lowercase().split_whitespace().map(str::to_owned).collect();
    let text = |row: &Row<'_>, field| row.text(field).to_lowercase();
    let belongs = |row: &Row<'_>| match tab {
        Tab::Mine => row.mine && !row.state.is_past(),
        Tab::Tenant => row.request.is_some() && (row.state.is_open() || matches!(row.state, RowState::Closing(_))),
        // All are new, and none is in doubt.
        Tab::Attention => false,
        Tab::Closed => row.state.is_past(),
    };
    let is_shown = |row: &Row<'_>| {
        words.iter().all(|word| match word.as_str() {
            "is:open" => row.state.is_open(),
            "-is:mine" => !row.mine,
            word => {
                let texts = Field::ALL.map(|field| text(row, field)).join("\n");
                let agent = row.request.map_or_else(String::new, |request| request.requested_by.raw().to_lowercase());
                texts.contains(word) || agent.contains(word) || row.state.word() == word
            }
        })
    };
    let mut rows: Vec<_> = dashboard.model.requests.all().filter(|row| belongs(row) && is_shown(row)).collect();
    match list.sort() {
        // All were opened, and closed, in the same second.
        Sort::Newest => rows.reverse(),
        Sort::Oldest => {}
        Sort::Ticket => rows.sort_by_key(|row| text(row, Field::Ticket)),
        Sort::Device => rows.sort_by_key(|row| text(row, Field::Device)),
        Sort::State => rows.sort_by_key(|row| row.state.word()),
    }
    rows.into_iter().map(|row| row.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn rows_put_in_their_places_stand_as_after_a_full_sort(steps in prop::collection::vec(steps(), 1..25)) {
        let mut dashboard = Dashboard::new();
        for step in steps {
            let before = Tab::ALL.map(|tab| dashboard.model.requests.list_of(tab).selected());
            take(&mut dashboard, &step);
            let requests = &dashboard.model.requests;
            // One that a page shows as closed and then as open has left its list for a moment.
            let changes_once = match &step {
                Step::Page(page) => page.iter().map(|(number, ..)| number).collect::<BTreeSet<_>>().len() == page.len(),
                Step::Sort => true,
                _ => false,
            };
            for (tab, selected) in Tab::ALL.into_iter().zip(before) {
                let list = requests.list_of(tab);
                prop_assert_eq!(list.shown(), expected(&dashboard, tab), "{:?} {:?}", tab, step);
                prop_assert_eq!(list.position().is_some(), !list.shown().is_empty());
                if changes_once && selected.is_some_and(|id| list.shown().contains(&id)) {
                    prop_assert_eq!(list.selected(), selected, "the selection stays with its row");
                }
            }
            let ids: Vec<_> = requests.all().filter_map(|row| row.request_id().cloned()).collect();
            for id in ids {
                prop_assert_eq!(requests.find(&id).and_then(|row| row.request_id()), Some(&id));
            }
        }
    }
}
