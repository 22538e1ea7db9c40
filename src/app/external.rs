//! Runs other programs for the loop: the agent's editor, and tmux for copies. It never waits for them in the loop's thread, and
//! applies none of their results.

use tokio::task::{JoinHandle, JoinSet};

use crate::{
    dashboard::EditTarget,
    platform::{self, TmuxCopy},
    terminal::editor::{EditResult, EditorCommand, edit},
};
use mmd_elevate_core::Problem;

type EditTask = JoinHandle<Result<EditResult, Problem>>;
/// The running editor, and the text that it edits.
pub(super) type RunningEdit = Option<(EditTarget, EditTask)>;
/// The copies that are being given to tmux.
pub(super) type RunningCopies = JoinSet<(String, Option<TmuxCopy>)>;

/// Starts the agent's editor.
pub(super) fn start_editor(text: String) -> EditTask {
    tokio::task::spawn_blocking(move || EditorCommand::from_environment().and_then(|command| edit(&text, &command)))
}

/// Starts a copy by tmux. Only the last of several copies counts.
pub(super) fn start_copy(copies: &mut RunningCopies, text: String) {
    copies.abort_all();
    copies.spawn(async move {
        let result = platform::copy_in_tmux(&text).await;
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
