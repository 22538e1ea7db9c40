//! What other programs do for the loop: the agent's editor, and tmux. Neither is waited for while the loop runs.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use super::{App, Batch, Channels};
use crate::{
    dashboard::{CopiedTo, EditTarget, Message},
    platform::{self, InTmux},
    terminal::{
        Surface,
        editor::{Edited, EditorCommand, EditorError, edit},
    },
};
use mmd_elevate_core::Problem;
use mmd_elevate_engine::redact::redact;
use mmd_elevate_engine::session::Session;

/// How long what was typed right before the end may take to come in: the thread that has read it may not have been given
/// a core yet. Well below the 50 ms in which the terminal has to be given back.
const LAST_KEYS: Duration = Duration::from_millis(20);

/// How long an editor that has ended, or a copy that was asked for, may take to be heard at the end.
const LAST_RESULTS: Duration = Duration::from_millis(100);

/// An editor at work on a text.
pub(super) type Editing = Option<(EditTarget, JoinHandle<Result<Edited, EditorError>>)>;
/// Texts that tmux is being given, and what it did with each.
pub(super) type Copying = JoinSet<(String, Option<InTmux>)>;

impl<S: Surface> App<'_, S> {
    /// Lends the terminal to the agent's editor. Replies are applied meanwhile; nothing is drawn.
    pub(super) fn open_editor(&mut self, target: EditTarget, text: String) -> Option<Message> {
        if let Err(error) = self.surface.suspend() {
            return Some(Message::Warning(Problem::new(format!("The editor was not started: {error}"), error.hint())));
        }
        let task = tokio::task::spawn_blocking(move || {
            EditorCommand::from_environment().and_then(|command| edit(&text, &command))
        });
        self.editing = Some((target, task));
        None
    }

    /// Puts what the editor saved in its place. Its file is deleted only where nothing in it is missing.
    pub(super) fn take_edited(
        &mut self,
        target: EditTarget,
        edited: Option<Result<Edited, EditorError>>,
        session: &Session,
    ) {
        let told = match edited {
            Some(Ok(Edited { text, told, keeps, file })) => {
                let path = file.path().display().to_string();
                self.edit_taken = text.is_none();
                if let Some(text) = text {
                    self.apply(self.tick(), session);
                    self.apply(Message::Edited { target, text }, session);
                }
                if self.edit_taken && !keeps {
                    file.discard();
                } else {
                    tracing::warn!(path, "the editor's file is kept");
                }
                let what = "What the editor saved has no place any more".to_owned();
                if self.edit_taken { told } else { Some((what, format!("it is kept: {path}"))) }
            }
            Some(Err(error)) => Some((format!("The editor was not started: {error}"), error.hint().to_owned())),
            None => {
                let what = "The program failed while the editor was open".to_owned();
                Some((what, "the text is as it was; the log names the editor's file, which is kept".to_owned()))
            }
        };
        if let Some((what, hint)) = told {
            self.apply(Message::Warning(Problem::new(what, hint)), session);
        }
    }

    /// Takes what was typed before the system ended the program (`is_forced`), and an editor's text that came just then.
    /// What was asked of the world right before the end is not begun.
    pub(super) async fn take_last_results(&mut self, channels: &mut Channels, session: &Session, is_forced: bool) {
        if self.editing.is_some()
            && let Ok((target, edited)) = tokio::time::timeout(LAST_RESULTS, edited(&mut self.editing)).await
        {
            self.take_edited(target, edited, session);
        }
        let mut last: Vec<_> = self.held.take().into_iter().filter(|_| is_forced).collect();
        while is_forced && let Ok(Some(batch)) = tokio::time::timeout(LAST_KEYS, channels.inputs.recv()).await {
            last.push(Batch::new(batch));
        }
        'keys: for batch in &mut last {
            while let Some(message) = batch.next(&self.model, &mut self.confirmations) {
                if !message.only_types() || self.apply(message, session) {
                    break 'keys;
                }
            }
        }
        while let Ok(Some(copied)) = tokio::time::timeout(LAST_RESULTS, self.copying.join_next()).await {
            let _ = copied.ok().and_then(|copied| self.copied(copied));
        }
    }

    /// Hands a text to tmux, or to the terminal. Says how, where that is known at once.
    pub(super) fn copy(&mut self, text: &str) -> Option<Message> {
        let text = redact(text).into_owned();
        if !platform::is_in_tmux() {
            return Some(self.send_to_terminal(text));
        }
        // Of two copies the last one counts.
        self.copying.abort_all();
        self.copying.spawn(async move {
            let done = platform::copy_in_tmux(&text).await;
            (text, done)
        });
        None
    }

    pub(super) fn copied(&mut self, (text, done): (String, Option<InTmux>)) -> Option<Message> {
        Some(match done {
            Some(InTmux::SentOn) => Message::Copied(CopiedTo::TmuxAndTerminal, text),
            Some(InTmux::Buffer) => Message::Copied(CopiedTo::Tmux, text),
            // An editor has the terminal: the copy would land in its picture.
            None if self.editing.is_some() => return None,
            None => self.send_to_terminal(text),
        })
    }

    fn send_to_terminal(&mut self, text: String) -> Message {
        match self.surface.copy_to_clipboard(&text) {
            Ok(()) => Message::Copied(CopiedTo::Terminal, text),
            Err(error) => {
                let what = format!("The terminal did not take the copy: {error}");
                Message::Warning(Problem::new(what, "copy it by hand"))
            }
        }
    }
}

/// Waits for the editor, as long as one is open; for ever where none is. `None` where the task failed.
pub(super) async fn edited(editing: &mut Editing) -> (EditTarget, Option<Result<Edited, EditorError>>) {
    let Some((target, task)) = editing else { return std::future::pending().await };
    let target = *target;
    let edited = task.await.ok();
    *editing = None;
    (target, edited)
}
