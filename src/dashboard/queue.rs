//! At most four writes run at once, so that a service and a record are not flooded. The rest wait, visibly, and can be
//! abandoned: they are handed over one after the other, in the order in which they were confirmed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, Model, Row};
use mmd_elevate_core::{Call, CallError, CallId, Reply};

/// How many writes run at once.
const AT_ONCE: usize = 4;

/// The writes that run, and those that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    running: BTreeSet<CallId>,
    /// In the order in which they were confirmed: ids of calls ascend.
    waiting: BTreeMap<CallId, Call>,
}

impl Model {
    /// Whether this call waits until fewer writes run.
    #[must_use]
    pub fn is_waiting(&self, call: CallId) -> bool {
        self.queue.waiting.contains_key(&call)
    }

    /// The state of a row in a word.
    #[must_use]
    pub fn state_word(&self, row: &Row<'_>) -> &'static str {
        if row.state.call().is_some_and(|call| self.is_waiting(call)) { "waiting" } else { row.state.word() }
    }
}

/// Holds back the writes for which there is no room, and hands over those for which there is.
pub(super) fn hand_over(model: &mut Model, effects: Vec<Effect>) -> Vec<Effect> {
    let Model { queue: Queue { running, waiting }, calls, .. } = model;
    running.retain(|call| calls.contains_key(call));
    let mut kept = Vec::with_capacity(effects.len());
    for effect in effects {
        match effect {
            Effect::Call(id, call @ Call::Send(_)) => _ = waiting.insert(id, call),
            effect => kept.push(effect),
        }
    }
    while running.len() < AT_ONCE
        && let Some((id, call)) = waiting.pop_first()
    {
        // What has ended meanwhile, because the worker has, is handed to nobody.
        if calls.contains_key(&id) {
            running.insert(id);
            kept.push(Effect::Call(id, call));
        }
    }
    kept
}

/// Takes back a write that waits. Returns the reply that it gets: nothing was sent.
pub(super) fn take_back(model: &mut Model, call: CallId) -> Option<Reply> {
    model.queue.waiting.remove(&call)?;
    Some(Reply { call_id: call, result: Err(CallError::abandoned(false)) })
}
