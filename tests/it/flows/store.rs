//! The list is kept in order row by row: whatever comes in whichever order, it stands as if all of it were sorted and
//! filtered anew.

use std::collections::BTreeSet;

use mmd_elevate::{
    dashboard::{Row, RowId, Sort},
    keys::{Action, Motion},
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
        2 => Just(Step::Sort),
        2 => prop::sample::select(vec!["", "é", "inc-3", "mmd-1 WORD", "closed", "open inc", "zzz"]).prop_map(Step::Filter),
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

/// What the list has to show: all rows, filtered and sorted in the plainest way.
fn expected(dashboard: &Dashboard) -> Vec<RowId> {
    let list = dashboard.model.requests.list();
    let words: Vec<String> = list.filter().text().to_lowercase().split_whitespace().map(str::to_owned).collect();
    let text = |row: &Row<'_>, field| row.text(field).to_lowercase();
    let is_shown = |row: &Row<'_>| {
        let names_state = |word: &String| word.len() >= 3 && row.state.word().starts_with(word.as_str());
        let fields = [Field::Ticket, Field::Device, Field::Title];
        let holds = |word: &String| fields.into_iter().any(|field| text(row, field).contains(word));
        (!row.state.is_past() || words.iter().any(names_state))
            && words.iter().all(|word| names_state(word) || holds(word))
    };
    let mut rows: Vec<_> = dashboard.model.requests.all().filter(is_shown).collect();
    match list.sort() {
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
            let selected = dashboard.model.requests.list().selected();
            take(&mut dashboard, &step);
            let requests = &dashboard.model.requests;
            prop_assert_eq!(requests.list().shown(), expected(&dashboard), "{:?}", step);
            let not_past = requests.all().filter(|row| !row.state.is_past()).count();
            prop_assert_eq!(requests.list().not_past(), not_past);
            let longest = requests.list().shown().iter().map(|id| requests.get(*id).unwrap().state.word().len()).max();
            prop_assert_eq!(requests.list().longest_state(), longest.unwrap_or_default());
            prop_assert_eq!(requests.list().position().is_some(), !requests.list().shown().is_empty());
            // One that a page shows as closed and then as open has left the list for a moment.
            let changes_once = match &step {
                Step::Page(page) => page.iter().map(|(number, ..)| number).collect::<BTreeSet<_>>().len() == page.len(),
                Step::Sort => true,
                _ => false,
            };
            if changes_once && selected.is_some_and(|id| requests.list().shown().contains(&id)) {
                prop_assert_eq!(requests.list().selected(), selected, "the selection stays with its row");
            }
            let ids: Vec<_> = requests.all().filter_map(|row| row.request_id().cloned()).collect();
            for id in ids {
                prop_assert_eq!(requests.find(&id).and_then(|row| row.request_id()), Some(&id));
            }
        }
    }
}
