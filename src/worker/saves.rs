//! Saves drafts, one after the other: a disk that is slow meets the newest text, not a queue of old ones.

use std::{collections::BTreeMap, time::Duration};

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender, error::SendError},
    task::JoinHandle,
    time::timeout,
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
    pub(super) fn start(record: Record, again: Duration, to_loop: mpsc::Sender<FromWorker>) -> Self {
        let (drafts, waiting) = mpsc::unbounded_channel();
        Self { drafts, saving: tokio::spawn(save_all(waiting, record, again, to_loop)) }
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
    record: Record,
    again: Duration,
    to_loop: mpsc::Sender<FromWorker>,
) {
    let mut unsaved = BTreeMap::new();
    loop {
        // What the disk did not take stays, and goes with the next; or by itself, for the disk may have room again.
        let patient = if unsaved.is_empty() || !record.is_open() { None } else { Some(again) };
        let quiet = match next(&mut waiting, patient).await {
            Next::Drafts(drafts) => {
                unsaved.extend(drafts);
                false
            }
            Next::Again => true,
            Next::Ended => return,
        };
        while let Ok(newer) = waiting.try_recv() {
            unsaved.extend(newer);
        }
        match record.save(unsaved.clone().into_iter().collect()).await {
            Ok(()) => {
                unsaved.clear();
                if record.keeps_again() {
                    let _ = to_loop.send(FromWorker::Saved).await;
                }
            }
            Err(Refused { what, hint, .. }) if !quiet => {
                let _ = to_loop.send(FromWorker::NotSaved(what, hint)).await;
            }
            Err(_) => {} // It was told when it happened.
        }
    }
}

enum Next {
    Drafts(Drafts),
    Again,
    Ended,
}

async fn next(waiting: &mut UnboundedReceiver<Drafts>, patient: Option<Duration>) -> Next {
    let drafts = match patient {
        None => waiting.recv().await,
        Some(again) => match timeout(again, waiting.recv()).await {
            Ok(drafts) => drafts,
            Err(_) => return Next::Again,
        },
    };
    drafts.map_or(Next::Ended, Next::Drafts)
}
