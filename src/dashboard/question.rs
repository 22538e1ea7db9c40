//! What the dashboard asks now, and which keys answer it. Whether a key may answer yet is decided where keys are read.

use super::{Model, Overlay, Pane, RowId};
use crate::keys::Action;
use mmd_elevate_core::RequestId;

/// Something that the agent has to have read before a key that commits may count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether to send the form although this device's name is doubtful.
    DoubtfulDevice(String),
    /// Whether to send the form although these requests are open on its device.
    OpenOnDevice(Vec<RequestId>),
    /// Whether this request is closed, on the agent's word.
    TakeAsClosed(RowId),
    /// Whether to close this request with the text that was there when the dialog came.
    Close(RowId),
    /// Whether to close this request although blanks of a template are not filled in.
    CloseWithBlanks(RowId),
    /// Whether to send the form although these blanks of a template are not filled in.
    Blanks(Vec<String>),
    /// Whether to close these requests with one text.
    CloseAll(Vec<RowId>),
    /// Which of the possible matches is this request, or whether to ask no more.
    UnknownOutcome(RowId),
    /// Whether to send this request once more.
    SendAgain(RowId),
    /// What to do with what would be left behind.
    Leave,
    /// A text that was not stored, which has come by itself.
    UnsentText(RowId),
    /// Whether to do this action of the palette, by its id in the table of actions, to this row.
    Palette(&'static str, Option<RowId>),
    /// What was brought back from before this start, which has come by itself.
    Recovery,
}

impl Model {
    /// What is asked now, if anything.
    #[must_use]
    pub fn question(&self) -> Option<Question> {
        match self.overlays.last() {
            // What the agent has typed into the dialog, the agent means.
            Some(Overlay::Close(dialog)) => (!dialog.touched).then(|| match self.closed_with_one_text() {
                Some(rows) => Question::CloseAll(rows),
                None if dialog.warned_of_blanks => Question::CloseWithBlanks(dialog.row),
                None => Question::Close(dialog.row),
            }),
            Some(Overlay::Quit) => Some(Question::Leave),
            Some(Overlay::Unsent(row)) => Some(Question::UnsentText(*row)),
            Some(Overlay::Unknown(row, _)) => Some(Question::UnknownOutcome(*row)),
            Some(Overlay::SendAgain(row)) => Some(Question::SendAgain(*row)),
            Some(Overlay::Recovery(_)) => Some(Question::Recovery),
            Some(Overlay::TakeAsClosed(row)) => Some(Question::TakeAsClosed(*row)),
            Some(Overlay::Palette(palette)) => palette.chosen_id().map(|id| Question::Palette(id, self.row_in_focus())),
            Some(Overlay::Device(_)) => self.open_on_device_question(),
            None if self.pane == Pane::Form && !self.filtering => {
                let doubtful = || {
                    let name = self.form.confirmable_device(&self.patterns, self.form_known_device());
                    name.map(|name| Question::DoubtfulDevice(name.to_owned()))
                };
                let blanks = || {
                    let blanks = self.form.confirmable_blanks();
                    (!blanks.is_empty()).then(|| Question::Blanks(blanks.into_iter().map(str::to_owned).collect()))
                };
                self.open_on_device_question().or_else(doubtful).or_else(blanks)
            }
            None
            | Some(
                Overlay::Help(_)
                | Overlay::Look(_)
                | Overlay::Tenants(_)
                | Overlay::Notices { .. }
                | Overlay::Report(_)
                | Overlay::Templates(_),
            ) => None,
        }
    }

    fn open_on_device_question(&self) -> Option<Question> {
        self.confirmable_device_requests().map(Question::OpenOnDevice)
    }

    /// Whether this action commits to something: it answers a question, or it sends.
    #[must_use]
    pub fn commits(&self, action: Action) -> bool {
        let comes_by_itself = matches!(self.overlays.last(), Some(Overlay::Unsent(_) | Overlay::Recovery(_)));
        action.commits() || (action == Action::Back && comes_by_itself)
    }
}
