//! Saves drafts, one after the other: a disk that is slow meets the newest text, not a queue of old ones.

use std::collections::BTreeMap;

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender, error::SendError},
    task::JoinHandle,
};

use super::record::{Record, Refused};
use crate::{
    domain::Draft,
    port::{DraftTarget, FromWorker},
};

pub(super) type Drafts = Vec<(DraftTarget, Option<Draft>)>;

/// Takes drafts as they come. The loop sends some a second at most, so what waits here is little.
pub(super) struct Saver {
    drafts: UnboundedSender<Drafts>,
    saving: JoinHandle<()>,
}

impl Saver {
    pub(super) fn start(record: Record, to_loop: mpsc::Sender<FromWorker>) -> Self {
        let (drafts, waiting) = mpsc::unbounded_channel();
        Self { drafts, saving: tokio::spawn(save_all(waiting, record, to_loop)) }
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

async fn save_all(mut waiting: UnboundedReceiver<Drafts>, record: Record, to_loop: mpsc::Sender<FromWorker>) {
    let mut unsaved = BTreeMap::new();
    while let Some(drafts) = waiting.recv().await {
        unsaved.extend(drafts);
        while let Ok(newer) = waiting.try_recv() {
            unsaved.extend(newer);
        }
        match record.save(unsaved.clone().into_iter().collect()).await {
            Ok(()) => unsaved.clear(),
            // They stay, and go with the next.
            Err(Refused { what, hint, .. }) => {
                let _ = to_loop.send(FromWorker::NotSaved(what, hint)).await;
            }
        }
    }
}
