//! What can happen to the dashboard, and what it asks of the world.

use jiff::Timestamp;

use super::{Extents, RowId};
use crate::{
    action::Action,
    domain::Draft,
    port::{Call, CallId, DraftTarget, FromWorker},
};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// The time. It comes before each batch of other messages, and by itself when [`super::Model::next_wake`] is due.
    Tick(Timestamp),
    /// A key that is bound.
    Act(Action),
    /// Typing, for the text that has the focus.
    Text(String),
    /// A paste, for the text that has the focus.
    Paste(String),
    /// Word from the worker.
    Worker(FromWorker),
    /// The worker is gone and will answer nothing more.
    WorkerGone,
    /// The agent's editor has ended.
    Edited {
        /// Which text it was.
        target: EditTarget,
        /// The new text, or what happened instead.
        result: Result<String, String>,
    },
    /// The system ends the program: what was typed is to be saved now.
    Ending,
    /// Something the agent should know that belongs to no call: what happened, and what to do.
    Warning(String, String),
    /// The screen was drawn, and had more to show than it had room for.
    Drawn(Extents),
}

/// Which long text is in the agent's editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditTarget {
    /// The form's plan of action.
    PlanOfAction,
    /// The actions taken, in the close dialog of this row.
    ActionsTaken(RowId),
}

/// Something the dashboard asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Hand this call to the worker.
    Call(CallId, Call),
    /// Tell the worker that this call is abandoned.
    Abandon(CallId),
    /// Save these drafts; one without a text has ended.
    Save(Vec<(DraftTarget, Option<Draft>)>),
    /// Have the worker fetch a new token.
    SignIn,
    /// Put this text, harmless already, on the clipboard.
    Copy(String),
    /// Hand this text to the agent's editor.
    OpenEditor(EditTarget, String),
    /// Stop until the shell continues us.
    Suspend,
    /// Note that a reply came for a call that nobody waits for.
    LogUnawaited(CallId),
    /// End the program.
    Exit,
}
