//! What a command would leave unsaid if a signal ended it now: the writes that are on their way, and the results that are not
//! printed yet.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mmd_elevate_core::{Problem, WriteId};
use mmd_elevate_engine::session::WriteNumber;

use crate::output::warn;

static UNTOLD: Mutex<BTreeMap<u64, Stage>> = Mutex::new(BTreeMap::new());

/// How far a write has come.
enum Stage {
    /// Nothing of it was sent.
    Begun,
    /// It may be recorded and sent. Without a number it is unclear whether it is.
    AboutToBeSent(WriteNumber),
    /// What came of it is known, in words, and not printed yet.
    Ended(String),
}

/// A write of which a signal tells, until this is dropped.
#[derive(Debug)]
pub struct Untold {
    key: u64,
    name: String,
    number: WriteNumber,
}

impl Untold {
    /// Makes one that is not sent yet. What is told of it begins with the name.
    #[must_use]
    pub fn new(name: String) -> Self {
        let mut untold = lock();
        let key = untold.last_key_value().map_or(0, |(key, _)| key + 1);
        untold.insert(key, Stage::Begun);
        Self { key, name, number: WriteNumber::default() }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its number, under which it is looked for.
    #[must_use]
    pub const fn number(&self) -> &WriteNumber {
        &self.number
    }

    /// Notes that it is about to be recorded and sent, or looked for.
    pub fn is_about_to_be_sent(&self) {
        self.note(Stage::AboutToBeSent(self.number.clone()));
    }

    /// Notes what came of it; `unknown` is its number if it has to be looked for.
    pub fn has_ended(&self, summary: &str, unknown: Option<WriteId>) {
        match unknown {
            Some(write) => {
                self.number.set(write);
                self.is_about_to_be_sent();
            }
            None => self.note(Stage::Ended(format!("{}{summary}", self.name))),
        }
    }

    fn note(&self, stage: Stage) {
        lock().insert(self.key, stage);
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        lock().remove(&self.key);
    }
}

fn lock() -> MutexGuard<'static, BTreeMap<u64, Stage>> {
    UNTOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells it all, because a signal ends the process.
pub fn tell() {
    let (mut recorded, mut is_unclear) = (Vec::new(), false);
    // Nothing changes behind what is told.
    let untold = lock();
    for stage in untold.values() {
        match stage {
            Stage::Begun => {}
            Stage::AboutToBeSent(number) => match number.get() {
                Some(WriteId(id)) => recorded.push(id),
                None => is_unclear = true,
            },
            Stage::Ended(summary) => {
                let what = format!("ended before this was printed: {summary}");
                warn(&Problem::new(what, "mmd-elevate record list tells what is recorded of it"));
            }
        }
    }
    recorded.sort_unstable();
    let recorded: Vec<_> = recorded.iter().map(i64::to_string).collect();
    let problem = match &recorded[..] {
        [] if is_unclear => Problem::new(
            "ended while it was unknown whether anything was sent",
            "mmd-elevate resolve looks for it; do not send it a second time before",
        ),
        [] => return,
        [id] if !is_unclear => Problem::new(
            format!("ended while the outcome of intent {id} was unknown"),
            format!("mmd-elevate resolve {id} looks for it; do not send it a second time"),
        ),
        ids => {
            let more = if is_unclear { ", and whether more was sent" } else { "" };
            Problem::new(
                format!("ended while it was unknown what came of the intents {}{more}", ids.join(", ")),
                "mmd-elevate resolve looks for all that is unknown; do not send any of it a second time before",
            )
        }
    };
    warn(&problem);
}
