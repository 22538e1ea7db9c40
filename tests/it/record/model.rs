//! Compares sequences of writes and restarts with a model, which is a map.

use std::collections::BTreeMap;

use mmd_elevate_core::{Operation, Transition, WriteState};
use proptest::prelude::*;

use super::{close, create, done, folder, open, outcome, request};

#[derive(Clone, Debug)]
enum Act {
    Create(u8),
    Close(u8),
    Settle(usize, WriteState),
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => any::<u8>().prop_map(Act::Create),
        1 => any::<u8>().prop_map(Act::Close),
        4 => (any::<usize>(), prop::sample::select(WriteState::ALL.to_vec())).prop_map(|(at, stage)| Act::Settle(at, stage)),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..30)
}

/// Returns whether the state machine allows the change. `Sending` may be skipped.
fn is_allowed(from: WriteState, to: WriteState) -> bool {
    let reaches = |from: WriteState| Transition::ALL.iter().any(|step| from.after(*step) == Some(to));
    reaches(from) || matches!(from, WriteState::Intended | WriteState::Waiting) && reaches(WriteState::Sending)
}

async fn run(acts: Vec<Act>) {
    let dir = folder();
    let (mut record, _) = open(dir.path()).await;
    let mut model: BTreeMap<_, (Operation, WriteState)> = BTreeMap::new();
    for act in acts.into_iter().chain([Act::Restart]) {
        match act {
            Act::Create(text) => {
                let what = create(&text.to_string());
                let write = record.begin(&what).await.unwrap();
                assert!(model.insert(write.id, (what, WriteState::Intended)).is_none());
            }
            Act::Close(id) => {
                let what = close(&id.to_string());
                let write = record.begin(&what).await.unwrap();
                assert!(model.insert(write.id, (what, WriteState::Intended)).is_none());
            }
            Act::Settle(at, stage) => {
                let Some(id) = model.keys().nth(at % model.len().max(1)).copied() else { continue };
                let (_, from) = &model[&id];
                let is_allowed = is_allowed(*from, stage);
                let what = if stage == WriteState::Done { done(request(&format!("of {id}"))) } else { outcome(stage) };
                let settled = record.settle(id, what).await;
                assert_eq!(settled.is_ok(), is_allowed, "{from:?} {stage:?} {settled:?}");
                if is_allowed {
                    model.get_mut(&id).unwrap().1 = stage;
                }
            }
            Act::Restart => {
                record.close().await;
                let recovered;
                (record, recovered) = open(dir.path()).await;
                let left = model.iter_mut().filter(|(_, (_, stage))| !stage.is_settled());
                let mut expected = Vec::new();
                for (id, (what, stage)) in left {
                    *stage = WriteState::Unknown;
                    expected.push((*id, what.clone(), WriteState::Unknown));
                }
                let found: Vec<_> =
                    recovered.unresolved.into_iter().map(|it| (it.id, it.operation, it.state)).collect();
                assert_eq!(found, expected);
                let opened = model
                    .values()
                    .filter(|(what, stage)| matches!(what, Operation::Create(_)) && *stage == WriteState::Done);
                assert_eq!(recovered.open.len(), opened.count());
                assert_eq!(recovered.warnings, []);
            }
        }
    }
    for (id, (what, stage)) in model {
        let write = record.write(id).await.unwrap().unwrap();
        assert_eq!((write.operation, write.state), (what, stage));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_record_agrees_with_a_map(acts in acts()) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(acts));
    }
}
