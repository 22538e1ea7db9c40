//! Whether an action can do anything now. It is asked before acting, and before a key is shown.

use std::borrow::Cow;

use super::{Model, Overlay, RowId, RowState, ServiceState};
use crate::keys::{Action, Scope, Tab};
use mmd_elevate_core::SignIn;

/// Why nothing is written.
const READ_ONLY: &str = "this dashboard is read-only";

const CLOSED_ALREADY: &str = "it is closed already";

impl Model {
    /// The row that a key is about: the one of the panel that has the keys, or the one that is selected.
    #[must_use]
    pub fn row_in_focus(&self) -> Option<RowId> {
        match self.overlays.last() {
            Some(Overlay::Device(row) | Overlay::Look(row)) => Some(*row),
            Some(Overlay::Recovery(panel)) => panel.chosen(self),
            _ => self.requests.list().selected(),
        }
    }

    /// Whether the text of the close dialog has a blank of a template.
    fn has_blank_to_fill_in(&self) -> bool {
        let Some(Overlay::Close(dialog)) = self.overlays.last() else { return false };
        let text = self.requests.get(dialog.row).and_then(|row| row.actions_taken);
        text.is_some_and(|text| !text.unfilled_blanks().is_empty())
    }

    /// Whether keys of the list are about the marked rows.
    pub(super) fn acts_on_marks(&self) -> bool {
        self.scopes()[0] == Scope::List && self.requests.list().marks().0 > self.requests.list().marks().1
    }

    /// Why this action can do nothing now, if it cannot. Asked before acting, and before the footer and help show it.
    #[must_use]
    pub fn unavailable(&self, action: Action) -> Option<&'static str> {
        let row = self.row_in_focus().and_then(|id| self.requests.get(id));
        let none = row.is_none().then_some("no request is selected");
        match action {
            Action::CloseRequest if self.acts_on_marks() => {
                let is_open = |id| self.requests.get(id).is_some_and(|row| row.state.is_open());
                let none = !self.requests.list().marked().into_iter().any(is_open);
                none.then_some("none of the marked requests can be closed")
            }
            // Whatever else may be in its way, this does not pass.
            _ if self.read_only && action.writes() => Some(READ_ONLY),
            Action::CloseRequest => row.map_or(Some("no request is selected"), |row| cannot_close(row.state)),
            Action::CloseMistake if self.requests.tab() != Tab::Mine => {
                Some("only one's own requests, in Mine, can be")
            }
            Action::CloseMistake => row.map_or(Some("no request is selected"), |row| cannot_close(row.state)),
            Action::Mark(_) => self.requests.list().shown().is_empty().then_some("there is nothing to mark"),
            Action::SkipClose if self.has_blank_to_fill_in() => None,
            Action::SkipClose | Action::PreviousClose | Action::ToggleOneText if self.round.is_none() => {
                Some("one request is being closed")
            }
            Action::SkipClose | Action::PreviousClose if self.closed_with_one_text().is_some() => {
                Some("one text closes all of them")
            }
            Action::CopyId => {
                let no_id = row.is_some_and(|row| row.request_id().is_none());
                none.or(no_id.then_some("the service has given it no id yet"))
            }
            Action::CopyLine | Action::Open | Action::NewLike => none,
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
            Action::OpenTicket => none.or_else(|| self.ticket_address().err()),
            Action::SignIn => match (&self.service, &self.sign_in) {
                (ServiceState::NotReady(_), _) => Some("there is no service to sign in to"),
                (ServiceState::Starting, None) | (_, Some(SignIn::SigningIn | SignIn::Renewing { .. })) => {
                    Some("signing in is under way")
                }
                _ => None,
            },
            Action::Help => (self.scopes()[0] == Scope::Help).then_some("this is the help"),
            Action::Discard => self.form.is_empty().then_some("the form is empty"),
            Action::Refresh => match self.service {
                ServiceState::NotReady(_) => Some("the service cannot be called"),
                ServiceState::Starting => Some("the service is not ready yet"),
                ServiceState::Ready => None,
            },
            Action::Perform => match self.overlays.last() {
                Some(Overlay::Palette(palette)) => palette.unavailable(),
                _ => Some("no action is chosen"),
            },
            Action::ShowTab(tab) => (tab == self.requests.tab()).then_some("this tab is shown"),
            Action::ShowTenants => self.only_tenant(),
            Action::SwitchTenant => self.chosen_tenant().is_none().then_some("no tenant has such a name"),
            Action::SwitchToTenant(digit) => {
                (usize::from(digit) > self.tenants.entries.len()).then_some("there are not so many tenants")
            }
            Action::ShowDevice => match self.open_on_device().is_empty() {
                true if self.is_checking_device() => Some("the device is being looked up"),
                true => Some("nothing is known to be open on this device"),
                false => None,
            },
            Action::CopyReport | Action::WriteReport | Action::NextReportFormat | Action::NextReportPeriod => {
                (!matches!(self.overlays.last(), Some(Overlay::Report(_)))).then_some("the report is not shown")
            }
            Action::TakeAsClosed => match row.map(|row| row.state) {
                None => Some("no request is selected"),
                Some(RowState::Accepted) => None,
                Some(_) => Some("only an accepted close that no list shows can be taken as done"),
            },
            Action::CloseThem => (self.remains().open == 0).then_some("no request is open"),
            Action::Back if self.scopes()[0] == Scope::List => {
                let list = self.requests.list();
                (list.filter().is_empty() && !list.has_marks()).then_some("there is no filter and no mark")
            }
            _ => None,
        }
    }

    /// Whether the footer names the action: a key that goes to another field is known without it.
    #[must_use]
    pub fn is_worth_naming(&self, action: Action) -> bool {
        match action {
            Action::NextSuggestion => !self.form.suggestions().is_empty(),
            Action::TakeSuggestion => self.form.chosen().is_some(),
            _ => true,
        }
    }

    /// What the footer says of an action, where that is more than its `label` in the table.
    #[must_use]
    pub fn footer_label(&self, action: Action, label: &'static str) -> Cow<'static, str> {
        let together = || self.closed_with_one_text().map(|rows| rows.len());
        match action {
            Action::CloseRequest if self.acts_on_marks() => {
                let (marked, hidden) = self.requests.list().marks();
                format!("{label} {} marked", marked - hidden).into()
            }
            Action::Submit if matches!(self.overlays.last(), Some(Overlay::Close(_))) => match together() {
                Some(count) => format!("close all {count}").into(),
                None if self.round.is_some() => "close, and next".into(),
                None => label.into(),
            },
            Action::ToggleOneText if together().is_some() => "a text each".into(),
            _ => label.into(),
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
        RowState::Checking(_) | RowState::Sending(_) => Some("it is still being sent"),
        RowState::Closing(_) => Some("it is being closed already"),
        RowState::Refused | RowState::Draft => Some("it was never opened"),
        RowState::Closed(_) => Some(CLOSED_ALREADY),
    }
}
