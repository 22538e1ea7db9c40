//! Saves drafts, one after the other. On a slow disk only the newest text of each draft waits.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender, error::SendError},
    task::JoinHandle,
    time::sleep,
};

use super::record::{RecordHandle, RecordRefusal};
use mmd_elevate_core::{Draft, DraftTarget, Event};

/// The drafts to save; `None` deletes a draft.
pub type Drafts = Vec<(DraftTarget, Option<Draft>)>;

/// Queues drafts to be saved. The loop sends only a few per second, so the queue stays short.
pub(super) struct DraftSaver {
    drafts: UnboundedSender<Drafts>,
    saving: JoinHandle<()>,
}

impl DraftSaver {
    pub(super) fn start(record: RecordHandle, again: Duration, events: mpsc::Sender<Event>) -> Self {
        let (drafts, waiting) = mpsc::unbounded_channel();
        Self { drafts, saving: tokio::spawn(save_all(waiting, record, again, events)) }
    }

    pub(super) fn save(&self, drafts: Drafts) {
        if let Err(SendError(lost)) = self.drafts.send(drafts) {
            tracing::error!(drafts = lost.len(), "nothing saves drafts any more");
        }
    }

    /// Waits until all is saved.
    pub(super) async fn finish(self) {
        drop(self.drafts);
        if self.saving.await.is_err() {
            tracing::error!("saving drafts has failed");
        }
    }
}

async fn save_all(
    mut waiting: UnboundedReceiver<Drafts>,
    record: RecordHandle,
    again: Duration,
    events: mpsc::Sender<Event>,
) {
    let mut unsaved = BTreeMap::new();
    let mut openings = record.openings();
    // The reason in the last event about unsaved drafts.
    let mut reported = None;
    loop {
        // Unsaved drafts are saved again with the next ones, when the record is opened, or after a wait.
        let has_some = !unsaved.is_empty();
        let is_last = tokio::select! {
            drafts = waiting.recv() => match drafts {
                Some(drafts) => {
                    unsaved.extend(drafts);
                    false
                }
                None => true,
            },
            () = openings.next(), if has_some => false,
            () = sleep(again), if has_some && record.is_open() => false,
        };
        if is_last {
            if !has_some {
                return;
            }
            record.restore().await;
        }
        while let Ok(newer) = waiting.try_recv() {
            unsaved.extend(newer);
        }
        match record.save(unsaved.clone().into_iter().collect()).await {
            Ok(()) => {
                unsaved.clear();
                reported = None;
                if record.take_failure() {
                    let _ = events.send(Event::Saved).await;
                }
            }
            // Each reason is reported once.
            Err(refused) if reported.as_ref() == Some(&refused.problem.what) => {}
            Err(RecordRefusal { problem, .. }) => {
                reported = Some(problem.what.clone());
                let _ = events.send(Event::NotSaved(problem)).await;
            }
        }
        if is_last {
            return;
        }
    }
}
