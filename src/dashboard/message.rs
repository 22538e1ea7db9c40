//! What can happen to the dashboard, and what it asks of the world.

use std::time::Duration;

use jiff::Timestamp;

use super::{Gesture, PointerTarget, RowId, TenantNumber, Tenants};
use crate::{
    keys::Action,
    templates::{Template, Templates},
};
use mmd_elevate_core::{Call, CallId, Draft, DraftTarget, Event, Problem};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// The time. It comes before each batch of other messages, and by itself when [`super::Model::next_wake`] is due.
    Tick {
        /// The time of day, for what is shown and written down. It may be set forward or back at any moment.
        now: Timestamp,
        /// How long the program has run, by a monotonic clock: every delay is measured by it.
        elapsed: Duration,
    },
    /// A key that is bound.
    Act(Action),
    /// Typing, for the text that has the focus.
    Text(String),
    /// A paste, for the text that has the focus.
    Paste(String),
    /// The mouse did this to that.
    Mouse(PointerTarget, Gesture),
    /// The worker reports something.
    Worker(Event),
    /// The worker has ended and will answer nothing more.
    WorkerGone,
    /// The agent's editor has ended and has saved this. [`Effect::EditTaken`] says that the text was taken over.
    Edited {
        /// Which text it was.
        target: EditTarget,
        /// The new text.
        text: String,
    },
    /// The templates were read.
    Templates(Templates),
    /// A template was saved in this file, or could not be.
    TemplateSaved(Result<String, Problem>),
    /// A text was handed over to be copied.
    Copied(CopiedTo, String),
    /// A report was written to the file at this path, which is visible text, or could not be written.
    ReportWritten(Result<String, Problem>),
    /// An address was handed over to be opened, or else to be copied.
    AddressHandedOver(HandedOver, String),
    /// The system ends the program: what was typed is to be saved now.
    Ending,
    /// What is known of the tenants has changed.
    Tenants(Tenants),
    /// Something the agent should know that belongs to no call.
    Warning(Problem),
}

impl Message {
    /// Whether it can do no more than type, edit and look: such a message asks nothing of the world but to save drafts.
    #[must_use]
    pub const fn only_types(&self) -> bool {
        match self {
            Self::Text(_) | Self::Paste(_) => true,
            Self::Act(action) => matches!(
                action,
                Action::Edit(_)
                    | Action::NextField
                    | Action::PreviousField
                    | Action::TakeSuggestion
                    | Action::NextSuggestion
                    | Action::PreviousSuggestion
                    | Action::NewRequest
                    | Action::NewLike
                    | Action::CloseRequest
                    | Action::Move(_)
                    | Action::NextPane
                    | Action::PreviousPane
                    | Action::Mark(_)
                    | Action::SkipClose
                    | Action::PreviousClose
                    | Action::ToggleOneText
                    | Action::CloseMistake
                    | Action::Filter
                    | Action::KeepFilter
                    | Action::ToggleDetails
                    | Action::ShowNotices
                    | Action::ShowPalette
                    | Action::ShowTenants
                    | Action::Search
                    | Action::ToggleEverywhere
                    | Action::Redraw
            ),
            Self::Tick { .. }
            | Self::Mouse(..)
            | Self::Worker(_)
            | Self::WorkerGone
            | Self::Edited { .. }
            | Self::Templates(_)
            | Self::TemplateSaved(_)
            | Self::Copied(..)
            | Self::ReportWritten(_)
            | Self::AddressHandedOver(..)
            | Self::Ending
            | Self::Tenants(_)
            | Self::Warning(_) => false,
        }
    }
}

/// How far the scrollable parts of the screen go beyond their room, in lines. Drawing returns it, and the next messages
/// come with it, so that scrolling ends with the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrollLimits {
    /// The details.
    pub details: u16,
    /// The help.
    pub help: u16,
    /// What was recovered.
    pub recovery: u16,
    /// The notices.
    pub notices: u16,
    /// The report of the shift.
    pub report: u16,
}

/// Where a copied text went, as far as that can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopiedTo {
    /// To the terminal, which does not say what it does with it.
    Terminal,
    /// Into the buffer of tmux, and from there to the terminal.
    TmuxAndTerminal,
    /// Into the buffer of tmux alone.
    Tmux,
}

/// What became of an address that was to be opened in the browser, as far as that can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandedOver {
    /// This program was asked to open it.
    Asked(String),
    /// Nothing here opens addresses: it was copied.
    CopiedWithoutBrowser(CopiedTo),
    /// This program did not open it: it was copied.
    CopiedAfterFailure(CopiedTo, String),
}

/// Which long text is in the agent's editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditTarget {
    /// The form's plan of action.
    PlanOfAction,
    /// The actions taken, in the close dialog of this row.
    ActionsTaken(RowId),
}

/// A report that is to be written to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// The file's name without extension. A number follows it where a file has that name.
    pub stem: String,
    /// The extension.
    pub extension: &'static str,
    /// The report.
    pub text: String,
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
    /// Read the templates.
    ReadTemplates,
    /// Save this template in a file of its own.
    SaveTemplate(Template),
    /// Count that the template of this name was used.
    CountTemplate(String),
    /// Have the worker read what other processes have changed in the record.
    ReadChanges,
    /// Put this text, harmless already, on the clipboard.
    Copy(String),
    /// Write this report to a new file.
    WriteReport(ReportFile),
    /// Have this address, encoded already, opened in the browser, or put it on the clipboard where that is not possible.
    OpenAddress(String),
    /// Hand this text to the agent's editor.
    OpenEditor(EditTarget, String),
    /// The text that the editor saved is in its place: its file is not needed any more.
    EditTaken,
    /// Draw all of the screen anew.
    Redraw,
    /// Ring the terminal's bell.
    Bell,
    /// Show the dashboard of another tenant, as it was left, or open it.
    ShowTenant(TenantNumber),
    /// Have the terminal report the mouse, or no longer.
    CaptureMouse(bool),
    /// Stop until the shell continues us.
    Suspend,
    /// Log that a reply came for a call that is not awaited.
    LogUnawaited(CallId),
    /// End the program.
    Exit,
}
