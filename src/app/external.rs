//! Runs other programs for the loop: the agent's editor, and tmux for copies. The loop never waits for them while it runs.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use super::{App, Batch, Channels};
use crate::{
    dashboard::{CopiedTo, EditTarget, Message},
    platform::{self, TmuxCopy},
    terminal::{
        Surface,
        editor::{EditResult, EditorCommand, edit},
    },
};
use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::{redact::redact, session::Session};

/// How long the last keys may take to arrive: the thread that has read them may not have a core yet. It is well below the
/// 50 ms within which the terminal has to be given back.
const LAST_KEYS_TIMEOUT: Duration = Duration::from_millis(20);

/// How long the result of an editor or of a copy may take to arrive at the end.
const LAST_RESULTS_TIMEOUT: Duration = Duration::from_millis(100);

/// The running editor, and the text that it edits.
pub(super) type RunningEdit = Option<(EditTarget, JoinHandle<Result<EditResult, Problem>>)>;
/// The copies that are being given to tmux.
pub(super) type RunningCopies = JoinSet<(String, Option<TmuxCopy>)>;

impl<S: Surface> App<'_, S> {
    /// Lends the terminal to the agent's editor. Meanwhile replies are applied, and nothing is drawn.
    pub(super) fn open_editor(&mut self, target: EditTarget, text: String) -> Option<Message> {
        if let Err(error) = self.surface.suspend() {
            return Some(Message::Warning(Problem::new(format!("The editor was not started: {error}"), error.hint())));
        }
        let task = tokio::task::spawn_blocking(move || {
            EditorCommand::from_environment().and_then(|command| edit(&text, &command))
        });
        self.edit = Some((target, task));
        None
    }

    /// Applies what the editor saved. Its file is deleted only if nothing in it is missing from the text.
    pub(super) fn apply_edit_result(
        &mut self,
        target: EditTarget,
        result: Option<Result<EditResult, Problem>>,
        session: &Session,
    ) {
        let problem = match result {
            Some(Ok(EditResult { text, problem, keep_file, file })) => {
                let path = visible(&file.path().to_string_lossy()).into_owned();
                self.is_edit_applied = text.is_none();
                if let Some(text) = text {
                    self.apply(self.tick(), session);
                    self.apply(Message::Edited { target, text }, session);
                }
                if self.is_edit_applied && !keep_file {
                    file.discard();
                } else {
                    tracing::warn!(path, "the editor's file is kept");
                }
                if self.is_edit_applied {
                    problem
                } else {
                    let what = "The edited text was not applied, because its field is gone";
                    Some(Problem::new(what, format!("it is kept: {path}")))
                }
            }
            Some(Err(problem)) => Some(problem),
            None => {
                let hint = "the text is unchanged; the log names the editor's file, which is kept";
                Some(Problem::new("The program failed while the editor was open", hint))
            }
        };
        if let Some(problem) = problem {
            self.apply(Message::Warning(problem), session);
        }
    }

    /// Applies the result of an editor that has just ended and, if the system ends the program (`is_terminated`), the last
    /// typed text. No other action of the last keys is performed.
    pub(super) async fn apply_last_results(&mut self, channels: &mut Channels, session: &Session, is_terminated: bool) {
        if self.edit.is_some()
            && let Ok((target, result)) = tokio::time::timeout(LAST_RESULTS_TIMEOUT, edit_result(&mut self.edit)).await
        {
            self.apply_edit_result(target, result, session);
        }
        let mut batches: Vec<_> = self.typed_ahead.take().into_iter().filter(|_| is_terminated).collect();
        while is_terminated
            && let Ok(Some(batch)) = tokio::time::timeout(LAST_KEYS_TIMEOUT, channels.inputs.recv()).await
        {
            batches.push(Batch::new(batch));
        }
        'keys: for batch in &mut batches {
            while let Some(message) = batch.next(&self.model, &mut self.confirmation) {
                if !message.only_types() || self.apply(message, session) {
                    break 'keys;
                }
            }
        }
        while let Ok(Some(copied)) = tokio::time::timeout(LAST_RESULTS_TIMEOUT, self.copies.join_next()).await {
            let _ = copied.ok().and_then(|(text, result)| self.finish_copy(text, result));
        }
    }

    /// Copies a text by tmux or by the terminal. Returns a message, unless the result comes later.
    pub(super) fn copy(&mut self, text: &str) -> Option<Message> {
        let text = redact(text).into_owned();
        if !platform::is_in_tmux() {
            return Some(self.copy_by_terminal(text));
        }
        // Only the last of several copies counts.
        self.copies.abort_all();
        self.copies.spawn(async move {
            let result = platform::copy_in_tmux(&text).await;
            (text, result)
        });
        None
    }

    /// Completes a copy by tmux, by the terminal if tmux did not take it.
    pub(super) fn finish_copy(&mut self, text: String, result: Option<TmuxCopy>) -> Option<Message> {
        Some(match result {
            Some(TmuxCopy::BufferAndTerminal) => Message::Copied(CopiedTo::TmuxAndTerminal, text),
            Some(TmuxCopy::Buffer) => Message::Copied(CopiedTo::Tmux, text),
            // The sequence would spoil the editor's screen.
            None if self.edit.is_some() => return None,
            None => self.copy_by_terminal(text),
        })
    }

    fn copy_by_terminal(&mut self, text: String) -> Message {
        match self.surface.copy_to_clipboard(&text) {
            Ok(()) => Message::Copied(CopiedTo::Terminal, text),
            Err(error) => Message::Warning(Problem::new(
                format!("The terminal did not take the copy: {error}"),
                "copy it by hand",
            )),
        }
    }
}

/// Waits for the running editor, or forever if there is none. Returns `None` as its result if the task failed.
pub(super) async fn edit_result(edit: &mut RunningEdit) -> (EditTarget, Option<Result<EditResult, Problem>>) {
    let Some((target, task)) = edit else { return std::future::pending().await };
    let target = *target;
    let result = task.await.ok();
    *edit = None;
    (target, result)
}
