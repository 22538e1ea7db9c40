//! Whether an action can do anything now. It is asked before acting, and before a key is shown.

use super::{Model, Overlay, RowState, ServiceState};
use crate::keys::{Action, Scope};
use mmd_elevate_core::SignIn;

const CLOSED_ALREADY: &str = "it is closed already";

impl Model {
    /// Why this action can do nothing now, if it cannot. Asked before acting, and before the footer and help show it.
    #[must_use]
    pub fn unavailable(&self, action: Action) -> Option<&'static str> {
        let row = self.requests.selected();
        let none = row.is_none().then_some("no request is selected");
        match action {
            Action::CloseRequest => row.map_or(Some("no request is selected"), |row| cannot_close(row.state)),
            Action::CopyId => {
                let no_id = row.is_some_and(|row| row.request_id().is_none());
                none.or(no_id.then_some("the service has given it no id yet"))
            }
            Action::CopyLine | Action::Open => none,
            Action::Abandon => {
                let is_at_rest = row.is_some_and(|row| !row.state.in_flight());
                none.or(is_at_rest.then_some("no call is under way for this request"))
            }
            Action::Adopt => self.chosen_match().is_none().then_some("no possible match was found"),
            Action::CloseMatch => self.cannot_close_match(),
            Action::LookAgain | Action::SetAside => match self.overlays.last() {
                Some(Overlay::Unknown(id, _)) if self.requests.get(*id).is_some_and(|row| row.write.is_some()) => None,
                _ => Some("the record does not know it"),
            },
            Action::CopyUnsent => match self.overlays.last() {
                Some(Overlay::Unsent(_)) => None,
                _ if row.and_then(|row| row.unsent_text()).is_some() => None,
                _ => Some("every text of this request was stored"),
            },
            Action::SignIn => match (&self.service, &self.sign_in) {
                (ServiceState::NotReady(_), _) => Some("there is no service to sign in to"),
                (ServiceState::Starting, None) | (_, Some(SignIn::SigningIn | SignIn::Renewing { .. })) => {
                    Some("signing in is under way")
                }
                _ => None,
            },
            Action::Help => (self.scopes()[0] == Scope::Help).then_some("this is the help"),
            Action::Discard => self.form.is_empty().then_some("the form is empty"),
            Action::Refresh => {
                let remains = self.remains();
                (remains.open + remains.accepted == 0).then_some("no request is open")
            }
            Action::CloseThem => (self.remains().open == 0).then_some("no request is open"),
            Action::NextSuggestion | Action::PreviousSuggestion => {
                self.form.suggestions(&self.categories).is_empty().then_some("nothing is suggested here")
            }
            Action::Back if self.scopes()[0] == Scope::List => {
                self.requests.list().filter().is_empty().then_some("there is no filter")
            }
            _ => None,
        }
    }

    /// Why the chosen match cannot be closed, if it cannot. A row knows more of it than the list in which it was seen.
    fn cannot_close_match(&self) -> Option<&'static str> {
        let Some(chosen) = self.chosen_match() else { return Some("no possible match was found") };
        match self.requests.find(&chosen.id) {
            Some(row) => cannot_close(row.state),
            None => chosen.closed.is_some().then_some(CLOSED_ALREADY),
        }
    }
}

/// Why a request in this state cannot be closed, if it cannot.
const fn cannot_close(state: RowState) -> Option<&'static str> {
    match state {
        RowState::Open | RowState::CloseUnknown | RowState::Accepted => None,
        RowState::Unknown | RowState::SetAside => Some("the service's id of it is not known"),
        RowState::Looking(_) => Some("it is still being looked for"),
        RowState::Sending(_) => Some("it is still being sent"),
        RowState::Closing(_) => Some("it is being closed already"),
        RowState::Refused | RowState::Draft => Some("it was never opened"),
        RowState::Closed(_) => Some(CLOSED_ALREADY),
    }
}
