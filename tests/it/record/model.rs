//! Sequences of writes and restarts against a model that is a map.

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

/// What the state machine says, with the sending that need not be told.
fn may(from: WriteState, to: WriteState) -> bool {
    let by = |from: WriteState| Transition::ALL.iter().any(|step| from.after(*step) == Some(to));
    by(from) || matches!(from, WriteState::Intended | WriteState::Waiting) && by(WriteState::Sending)
}

async fn run(acts: Vec<Act>) {
    let dir = folder();
    let (mut record, _) = open(dir.path()).await;
    let mut model: BTreeMap<_, (Operation, WriteState)> = BTreeMap::new();
    for act in acts.into_iter().chain([Act::Restart]) {
        match act {
            Act::Create(text) => {
                let what = create(&text.to_string());
                let intent = record.begin(&what).await.unwrap();
                assert!(model.insert(intent.id, (what, WriteState::Intended)).is_none());
            }
            Act::Close(id) => {
                let what = close(&id.to_string());
                let intent = record.begin(&what).await.unwrap();
                assert!(model.insert(intent.id, (what, WriteState::Intended)).is_none());
            }
            Act::Settle(at, stage) => {
                let Some(id) = model.keys().nth(at % model.len().max(1)).copied() else { continue };
                let (_, from) = &model[&id];
                let may = may(*from, stage);
                let what = if stage == WriteState::Done { done(request(&format!("of {id}"))) } else { outcome(stage) };
                let settled = record.settle(id, what).await;
                assert_eq!(settled.is_ok(), may, "{from:?} {stage:?} {settled:?}");
                if may {
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
        let intent = record.write(id).await.unwrap().unwrap();
        assert_eq!((intent.operation, intent.state), (what, stage));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_record_agrees_with_a_map(acts in acts()) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(acts));
    }
}
