//! Everything the dashboard knows. What changes it stands with what the change is about.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Ages, Category, CloseDialog, CloseRound, EditTarget, Form, Notice, Requests, RowId, TenantPanel, Tenants,
    devices::Devices, guard::DeviceGuard, help, history::Histories, listing::Listings, mouse::Mouse, notices::Notices,
    palette, queue::Queue, record_changes, recovery_panel::RecoveryPanel, report::ReportPanel, template_picker,
};
use crate::{
    keys::{Keymap, Scope, Tab},
    templates::Templates,
};
use mmd_elevate_core::{
    CallError, CallId, Draft, DraftTarget, ElevationRequest, Left, Patterns, Progress, RequestId, SignIn, TicketUrl,
};

/// From when on a call that has no answer yet is called slow.
pub(crate) const SLOW: Duration = Duration::from_secs(3);

/// How often the seconds of a slow call change.
const SECOND: Duration = Duration::from_secs(1);

/// How long after a change its draft is saved: soon enough to keep the promise of a second, late enough to save a run of
/// typing once.
const SAVE_DELAY: Duration = Duration::from_millis(500);

/// The tenant that all of this is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name in the settings, or nothing where it has none.
    pub name: Option<String>,
    /// Its id.
    pub id: String,
    /// Whether it is the practice tenant.
    pub practice: bool,
}

/// What the dashboard begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The tenant.
    pub tenant: Tenant,
    /// What is suggested for category and subcategory.
    pub categories: Vec<Category>,
    /// What the keys do.
    pub keymap: Keymap,
    /// The agent's time zone.
    pub time_zone: TimeZone,
    /// The time.
    pub now: Timestamp,
}

/// Whether the service can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It is being made ready; calls wait.
    Starting,
    /// It can be called.
    Ready,
    /// It could not be made ready.
    NotReady(CallError),
}

/// Whether what is typed and sent is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// It is being opened.
    Opening,
    /// It could not be opened: what it holds is not shown, and what is typed is not kept.
    NotRead,
    /// It keeps everything.
    Keeping,
    /// It does not save what it is given: leaving would lose drafts.
    Failing,
}

impl RecordState {
    /// Whether what it holds is known, so that what is not shown is not there.
    #[must_use]
    pub const fn is_read(self) -> bool {
        match self {
            Self::Opening | Self::NotRead => false,
            Self::Keeping | Self::Failing => true,
        }
    }

    /// The state once something was not saved.
    pub(super) const fn after_failure(self) -> Self {
        if self.is_read() { Self::Failing } else { Self::NotRead }
    }
}

/// What the settings leave to the agent's liking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferences {
    /// From which ages on an open request is marked.
    pub ages: Ages,
    /// How often the tenant's open requests are listed; `None`: only where the agent asks.
    pub refresh: Option<Duration>,
    /// Whether the terminal's bell rings when one of the agent's own requests becomes too old.
    pub bell: bool,
}

/// A part of the dashboard that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The list.
    List,
    /// The details of the selected request.
    Details,
    /// `New request`
    Form,
}

/// What is before the panes and has the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys.
    Help(Box<help::Help>),
    /// The dialog that closes a request.
    Close(CloseDialog),
    /// The question on leaving.
    Quit,
    /// A text that the service did not store.
    Unsent(RowId),
    /// A create of unknown outcome, and which of its possible matches is chosen.
    Unknown(RowId, usize),
    /// The question whether to send such a create once more.
    SendAgain(RowId),
    /// The question whether an accepted close that no list shows is done.
    TakeAsClosed(RowId),
    /// The requests that are open on the form's device; one of them is chosen.
    Device(RowId),
    /// The details of a request, before the overlay that it was chosen in.
    Look(RowId),
    /// The tenants, to switch to one of them.
    Tenants(Box<TenantPanel>),
    /// The notices of this run.
    Notices {
        /// How far they are scrolled, in lines.
        scroll: u16,
    },
    /// The report of the shift.
    Report(Box<ReportPanel>),
    /// Every action, to be chosen by its name.
    Palette(Box<palette::ActionPalette>),
    /// Templates and recent texts for the long text beneath.
    Templates(Box<template_picker::TemplatePicker>),
    /// What the record has brought back from before this start.
    Recovery(RecoveryPanel),
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A row.
    Row(RowId),
    /// These requests, which the service was asked for.
    Requests(Vec<RequestId>),
    /// The tenant's requests of this tab.
    Listing(Tab),
    /// The requests of the form's device. Where this row is to be sent, it waits for them.
    Device(Option<RowId>),
    /// The devices that a text in the form may mean.
    Search,
    /// What the record holds of this row's writes.
    History(RowId),
    /// That this row is closed, on the agent's word.
    Word(RowId),
}

impl Subject {
    /// Whether the agent waits for it. What only looks for more to show is not worth staying for.
    const fn is_awaited(&self) -> bool {
        match self {
            Self::Row(_) | Self::Requests(_) | Self::Device(Some(_)) | Self::Word(_) => true,
            Self::Listing(_) | Self::Device(None) | Self::Search | Self::History(_) => false,
        }
    }
}

/// A call that awaits its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCall {
    /// What it is about.
    pub subject: Subject,
    /// What it does, in words: "opening a request for MMD-1 (INC-1)".
    pub label: String,
    /// When it was handed over, as [`Model::elapsed`] stood then.
    pub since: Duration,
    /// The time of day then.
    pub at: Timestamp,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// Whether it only looks: where it fails, nothing is known that was not known before.
    pub is_lookup: bool,
    /// The text that a close stores: more may have been typed since it was sent.
    pub closes_with: Option<String>,
}

impl PendingCall {
    /// The error of a call whose reply answers another kind of call.
    pub(super) fn wrong_answer() -> CallError {
        CallError::broken_answer("it answers another call")
    }
}

/// What the record was given of the drafts.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedDrafts {
    /// What the record was given last.
    pub(super) drafts: BTreeMap<DraftTarget, Draft>,
    /// Whether it did not save that.
    pub(super) failed: bool,
    /// What the agent was told of that failure.
    pub(super) failure_notice: Option<String>,
    /// When the first change came that is not saved yet, as [`Model::elapsed`] stood then.
    pub(super) changed: Option<Duration>,
    /// [`Requests::changes`] when its texts were compared with what was saved, and whether they differed.
    pub(super) compared: Option<(u64, bool)>,
}

impl SavedDrafts {
    /// How long until there is something to save.
    pub(super) fn due_in(&self, elapsed: Duration) -> Option<Duration> {
        Some(SAVE_DELAY.saturating_sub(elapsed.saturating_sub(self.changed?)))
    }
}

/// What the record has brought back from before this start, for the recovery pane: the rows in which it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Writes whose outcome was not known.
    pub unresolved: Vec<RowId>,
    /// Requests that were open.
    pub open: Vec<RowId>,
    /// Drafts that stand in rows.
    pub drafts: Vec<RowId>,
    /// Whether the form's draft was brought back into the form.
    pub form: bool,
    /// How many close dialogs have their texts again.
    pub closes: usize,
    /// How many other dashboards use the same record.
    pub others: usize,
    /// How the record was left.
    pub left: Option<Left>,
    /// Whether the agent has not been shown it yet.
    pub(super) is_unseen: bool,
}

impl Recovery {
    /// What stood in one row stands in another now.
    pub(super) fn follow(&mut self, from: RowId, to: RowId) {
        for rows in [&mut self.unresolved, &mut self.open, &mut self.drafts] {
            let has_it = rows.contains(&to);
            rows.retain(|row| *row != from || !has_it);
            for row in rows.iter_mut().filter(|row| **row == from) {
                *row = to;
            }
        }
    }

    /// The rows in which something stands, in the order in which they are told.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = RowId> {
        self.unresolved.iter().copied().chain(self.only_open()).chain(self.drafts.iter().copied())
    }

    /// The requests that were open, without those that are told as unresolved.
    pub(super) fn only_open(&self) -> impl DoubleEndedIterator<Item = RowId> {
        self.open.iter().copied().filter(|row| !self.unresolved.contains(row))
    }

    /// Whether the agent is needed: not after a plain leave with nothing unresolved, when all is as it was left.
    pub(super) fn needs_agent(&self) -> bool {
        !self.is_empty() && (!self.unresolved.is_empty() || !matches!(self.left, Some(Left::Plainly(_))))
    }

    /// Whether nothing was brought back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unresolved.is_empty() && self.open.is_empty() && self.drafts.is_empty() && !self.form && self.closes == 0
    }
}

/// How far leaving has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving {
    /// When Ctrl-C was pressed last, as [`Model::elapsed`] stood then.
    pub(super) interrupted: Option<Duration>,
    /// Whether the agent chose to close all that is open, and then to leave.
    pub(super) closes_all: bool,
}

/// Everything the dashboard knows. [`super::update`] alone changes it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Model {
    /// The tenant.
    pub tenant: Tenant,
    /// The tenants that the agent can switch to.
    pub tenants: Tenants,
    /// What is suggested for category and subcategory.
    pub categories: Vec<Category>,
    /// What tickets and devices are called.
    pub patterns: Patterns,
    /// The form of the addresses of tickets, where the settings have one.
    pub ticket_url: Option<TicketUrl>,
    /// Whether no request is opened and none closed.
    pub read_only: bool,
    /// What the keys do.
    pub keymap: Keymap,
    /// The agent's time zone.
    pub time_zone: TimeZone,
    /// The time of day at the last tick: for what is shown, never for a delay.
    pub now: Timestamp,
    /// How long the program had run at the last tick, by a monotonic clock.
    pub elapsed: Duration,
    /// Whether the service can be called.
    pub service: ServiceState,
    /// Where signing in stands, once it is known.
    pub sign_in: Option<SignIn>,
    /// Whether the service has answered a call, so that it takes the token.
    pub was_accepted: bool,
    /// Whether the next sign-in that succeeds gets a notice: the last one failed, or the agent has asked for one.
    pub(super) announces_sign_in: bool,
    /// The pane that has the focus, when no overlay has it.
    pub pane: Pane,
    /// Whether the filter is being typed.
    pub filtering: bool,
    /// What is drawn over the panes; the last has the keys.
    pub overlays: Vec<Overlay>,
    /// The form.
    pub form: Form,
    /// The row in which the form's draft stands in Mine, while the form has not the focus.
    pub(super) form_row: Option<RowId>,
    /// The requests of the service, what is attempted about them, and the list of both.
    pub requests: Requests,
    /// The calls under way.
    pub calls: BTreeMap<CallId, PendingCall>,
    /// What just happened.
    pub notice: Option<Notice>,
    /// What has happened before.
    pub notices: Notices,
    /// How far the details are scrolled, in lines.
    pub details_scroll: u16,
    /// Whether the details are hidden as long as they have not the focus.
    pub hides_details: bool,
    /// The mouse.
    pub mouse: Mouse,
    /// What the settings leave to the agent's liking.
    pub preferences: Preferences,
    /// Where reports are written, in visible form.
    pub report_folder: String,
    /// The lists that the service was asked for.
    pub listings: Listings,
    /// What is known of devices.
    pub devices: Devices,
    /// What is open on the form's device.
    pub guard: DeviceGuard,
    /// What the record holds of the writes of requests.
    pub histories: Histories,
    pub(super) next_call: u64,
    /// The row that was submitted or closed last, as long as the agent has touched nothing since: only then may its
    /// refusal move the focus.
    pub(super) untouched_since: Option<RowId>,
    /// The rows with a text that the service did not store and that the agent has not been shown yet.
    pub(super) unsent: VecDeque<RowId>,
    pub(super) leaving: Leaving,
    /// The requests that are being closed one after the other.
    pub(super) round: Option<CloseRound>,
    /// The requests that were closed together, until it is known what became of each.
    pub(super) closed_together: Vec<RowId>,
    pub(super) queue: Queue,
    /// Whether what is typed and sent is kept.
    pub record: RecordState,
    /// What was brought back from before this start.
    pub recovery: Recovery,
    /// When the record was looked at for what other processes have changed, as [`Model::elapsed`] stood then.
    pub(super) record_looked_at: Duration,
    pub(super) saved: SavedDrafts,
    /// The templates, once the folder was read.
    pub(super) templates: Option<Templates>,
    /// What the editor was opened with, until it brings its text back.
    pub(super) in_editor: Option<(EditTarget, String)>,
}

impl Model {
    /// The dashboard as it is at the start: empty, the list in focus.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let Setup { tenant, categories, keymap, time_zone, now } = setup;
        Self {
            tenant,
            tenants: Tenants::default(),
            categories,
            patterns: Patterns::default(),
            ticket_url: None,
            read_only: false,
            keymap,
            time_zone,
            now,
            elapsed: Duration::ZERO,
            service: ServiceState::Starting,
            sign_in: None,
            was_accepted: false,
            announces_sign_in: false,
            pane: Pane::List,
            filtering: false,
            overlays: Vec::new(),
            form: Form::default(),
            form_row: None,
            requests: Requests::new(Ages::default(), now),
            calls: BTreeMap::new(),
            notice: None,
            notices: Notices::default(),
            details_scroll: 0,
            hides_details: false,
            mouse: Mouse::default(),
            preferences: Preferences::default(),
            report_folder: ".".to_owned(),
            listings: Listings::default(),
            devices: Devices::default(),
            guard: DeviceGuard::default(),
            histories: Histories::default(),
            next_call: 1,
            untouched_since: None,
            unsent: VecDeque::new(),
            leaving: Leaving::default(),
            round: None,
            closed_together: Vec::new(),
            queue: Queue::default(),
            record: RecordState::Opening,
            recovery: Recovery::default(),
            record_looked_at: Duration::ZERO,
            saved: SavedDrafts::default(),
            templates: None,
            in_editor: None,
        }
    }

    /// The same with what the settings say of tickets and devices.
    #[must_use]
    pub fn with_patterns(self, patterns: Patterns) -> Self {
        Self { patterns, ..self }
    }

    /// The same with what the settings say of the addresses of tickets.
    #[must_use]
    pub fn with_ticket_url(self, ticket_url: Option<TicketUrl>) -> Self {
        Self { ticket_url, ..self }
    }

    /// The same for a session that is read-only, or is not.
    #[must_use]
    pub fn with_read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    /// The same with what the settings leave to the agent's liking. It comes before any request.
    #[must_use]
    pub fn with_preferences(self, preferences: Preferences) -> Self {
        Self { requests: Requests::new(preferences.ages, self.now), preferences, ..self }
    }

    /// The scopes that apply to the next key, the most specific first.
    #[must_use]
    pub fn scopes(&self) -> &'static [Scope] {
        match self.overlays.last() {
            Some(Overlay::Help(help)) if help.searching => &[Scope::HelpSearch, Scope::Text, Scope::Anywhere],
            Some(Overlay::Help(_)) => &[Scope::Help, Scope::Anywhere],
            Some(Overlay::Tenants(panel)) if panel.searching => &[Scope::TenantSearch, Scope::Text, Scope::Anywhere],
            Some(Overlay::Tenants(_)) => &[Scope::Tenants, Scope::Anywhere],
            Some(Overlay::Notices { .. }) => &[Scope::Notices, Scope::Anywhere],
            Some(Overlay::Report(_)) => &[Scope::Report, Scope::Anywhere],
            Some(Overlay::Palette(_)) => &[Scope::Palette, Scope::Text, Scope::Anywhere],
            Some(Overlay::Templates(_)) => &[Scope::Templates, Scope::Text, Scope::Anywhere],
            Some(Overlay::Device(_)) => &[Scope::DevicePanel, Scope::Anywhere],
            Some(Overlay::Look(_)) => &[Scope::Details, Scope::Anywhere],
            Some(Overlay::TakeAsClosed(_)) => &[Scope::TakeAsClosed, Scope::Anywhere],
            Some(Overlay::Close(_)) => &[Scope::CloseDialog, Scope::LongText, Scope::Text, Scope::Anywhere],
            Some(Overlay::Quit) => &[Scope::QuitQuestion, Scope::Anywhere],
            Some(Overlay::Unsent(_)) => &[Scope::UnsentText, Scope::Anywhere],
            Some(Overlay::Unknown(..)) => &[Scope::UnknownOutcome, Scope::Anywhere],
            Some(Overlay::SendAgain(_)) => &[Scope::SendAgain, Scope::Anywhere],
            Some(Overlay::Recovery(_)) => &[Scope::Recovery, Scope::Anywhere],
            None if self.filtering => &[Scope::Filter, Scope::Text, Scope::Anywhere],
            None => match self.pane {
                Pane::List => &[Scope::List, Scope::Panes, Scope::Anywhere],
                Pane::Details => &[Scope::Details, Scope::Panes, Scope::Anywhere],
                Pane::Form if self.form.focused.is_one_line() => {
                    &[Scope::Line, Scope::Text, Scope::Form, Scope::Anywhere]
                }
                Pane::Form => &[Scope::LongText, Scope::Text, Scope::Form, Scope::Anywhere],
            },
        }
    }

    /// A moment on the agent's clock, to the second.
    #[must_use]
    pub fn clock_time(&self, at: Timestamp) -> String {
        at.to_zoned(self.time_zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Who closed the request and when, as far as the service says.
    #[must_use]
    pub fn closer(&self, request: &ElevationRequest) -> String {
        let who = if request.closed_by.is_blank() { "somebody".into() } else { request.closed_by.visible() };
        match request.closed.as_ref().map(|closed| closed.at.ok_or(&closed.text)) {
            Some(Ok(at)) => {
                let at = at.to_zoned(self.time_zone.clone()).strftime("%Y-%m-%d %H:%M");
                format!("{who} at {at}")
            }
            Some(Err(text)) => format!("{who} at {}", text.visible()),
            None => who.into_owned(),
        }
    }

    /// Notes that a call is under way.
    pub(super) fn begin_call(&mut self, subject: Subject, label: String) -> CallId {
        let call_id = CallId(self.next_call);
        self.next_call += 1;
        let (since, at) = (self.elapsed, self.now);
        let call = PendingCall { subject, label, since, at, progress: None, is_lookup: false, closes_with: None };
        self.calls.insert(call_id, call);
        call_id
    }

    /// Notes that a call is under way that only looks.
    pub(super) fn begin_lookup(&mut self, row: RowId, label: String) -> CallId {
        let call_id = self.begin_call(Subject::Row(row), label);
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.is_lookup = true;
        }
        call_id
    }

    /// Notes what the close stores where it succeeds.
    pub(super) fn set_close_text(&mut self, call_id: CallId, actions_taken: &str) {
        if let Some(call) = self.calls.get_mut(&call_id) {
            call.closes_with = Some(actions_taken.to_owned());
        }
    }

    /// Whether typing makes text now.
    #[must_use]
    pub fn takes_text(&self) -> bool {
        self.scopes().contains(&Scope::Text)
    }

    /// The calls under way that the agent waits for.
    pub fn awaited_calls(&self) -> impl Iterator<Item = &PendingCall> {
        self.calls.values().filter(|call| call.subject.is_awaited())
    }

    /// The oldest call that is slow, and how long it has been under way.
    #[must_use]
    pub fn slow_call(&self) -> Option<(&PendingCall, Duration)> {
        let oldest = self.awaited_calls().min_by_key(|call| call.since)?;
        let age = self.elapsed.saturating_sub(oldest.since);
        (age >= SLOW).then_some((oldest, age))
    }

    /// How long until something on the screen changes by itself: the ages' minute, a call that becomes slow, the seconds of one
    /// that is, a notice that goes, something that is due. Until then nothing has to be drawn.
    #[must_use]
    pub fn next_wake(&self) -> Duration {
        let into_minute = self.now.as_millisecond().rem_euclid(60_000);
        let minute = Duration::from_millis(60_000_u64.saturating_sub(into_minute.unsigned_abs()));
        let slow = self.awaited_calls().map(|call| {
            let age = self.elapsed.saturating_sub(call.since);
            let into_second = Duration::from_nanos(age.subsec_nanos().into());
            if age < SLOW { SLOW.saturating_sub(age) } else { SECOND.saturating_sub(into_second) }
        });
        let due = [
            self.saved.due_in(self.elapsed),
            self.notices.due_in(self),
            self.listings.due_in(self),
            self.devices.due_in(self.elapsed),
            self.guard.due_in(self),
            self.history_due_in(),
            record_changes::due_in(self),
        ];
        slow.chain(due.into_iter().flatten()).fold(minute, Duration::min).max(Duration::from_millis(1))
    }
}
