//! Runs other programs for the loop: the agent's editor, tmux for copies, and the browser. It never waits for them in the loop's thread, and
//! applies none of their results.

use tokio::task::{JoinHandle, JoinSet};

use crate::{
    dashboard::{CopiedTo, EditTarget, HandedOver, Message},
    platform::{self, Opener, TmuxCopy},
    terminal::editor::{EditResult, EditorCommand, edit},
};
use mmd_elevate_core::Problem;

type EditTask = JoinHandle<Result<EditResult, Problem>>;
/// The running editor, and the text that it edits.
pub(super) type RunningEdit = Option<(EditTarget, EditTask)>;
/// The copies that are being given to tmux.
pub(super) type RunningCopies = JoinSet<(CopiedText, Option<TmuxCopy>)>;
/// The addresses that are being opened: each, and the program that has failed to open it.
pub(super) type RunningOpenings = JoinSet<(String, Option<String>)>;

/// A text that is copied, and why.
#[derive(Clone, Debug)]
pub(super) struct CopiedText {
    pub(super) text: String,
    pub(super) reason: CopyReason,
}

/// Why a text is copied.
#[derive(Clone, Debug)]
pub(super) enum CopyReason {
    /// The agent has asked for it.
    Asked,
    /// It is an address, and nothing here opens addresses.
    NoBrowser,
    /// It is an address that this program did not open.
    NotOpened(String),
}

impl CopiedText {
    /// Returns the message that says where the text has gone.
    pub(super) fn into_message(self, to: CopiedTo) -> Message {
        match self.reason {
            CopyReason::Asked => Message::Copied(to, self.text),
            CopyReason::NoBrowser => Message::AddressHandedOver(HandedOver::CopiedWithoutBrowser(to), self.text),
            CopyReason::NotOpened(program) => {
                Message::AddressHandedOver(HandedOver::CopiedAfterFailure(to, program), self.text)
            }
        }
    }
}

/// Starts the program that opens an address. The terminal and the program's end are none of its concern.
pub(super) fn start_opening(openings: &mut RunningOpenings, openers: Vec<Opener>, address: String) {
    openings.spawn(async move {
        let is_open = platform::open_address(&openers, &address).await;
        let failed = openers.last().filter(|_| !is_open).map(|opener| opener.name().to_owned());
        (address, failed)
    });
}

/// Starts the agent's editor.
pub(super) fn start_editor(text: String) -> EditTask {
    tokio::task::spawn_blocking(move || EditorCommand::from_environment().and_then(|command| edit(&text, &command)))
}

/// Starts a copy by tmux. Only the last of several copies counts.
pub(super) fn start_copy(copies: &mut RunningCopies, text: CopiedText) {
    copies.abort_all();
    copies.spawn(async move {
        let result = platform::copy_in_tmux(&text.text).await;
        (text, result)
    });
}

/// Waits for the running editor, or forever if there is none. Returns `None` as its result if the task failed.
pub(super) async fn edit_result(edit: &mut RunningEdit) -> (EditTarget, Option<Result<EditResult, Problem>>) {
    let Some((target, task)) = edit else { return std::future::pending().await };
    let target = *target;
    let result = task.await.ok();
    *edit = None;
    (target, result)
}
