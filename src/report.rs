//! The report of a shift: what was opened, what was closed, what is still open and why, and for how long. It is made of plain
//! entries, knows nothing of the dashboard, and reads no clock.
//!
//! Times in a report are UTC in whole seconds. Text from the service is visible and harmless in Markdown and CSV; JSON keeps it
//! whole and escapes what nobody can see.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod csv;
mod json;
mod markdown;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use mmd_elevate_core::{Field, Untrusted};

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A list for a ticket, a chat or a wiki.
    #[default]
    Markdown,
    /// A table with a row for each request.
    Csv,
    /// A document for programs.
    Json,
}

impl Format {
    /// All formats, in their order.
    pub const ALL: [Self; 3] = [Self::Markdown, Self::Csv, Self::Json];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Markdown => "Markdown",
            Self::Csv => "CSV",
            Self::Json => "JSON",
        }
    }

    /// Returns the extension of a file in this format.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Returns the next format; the first one follows the last.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Markdown => Self::Csv,
            Self::Csv => Self::Json,
            Self::Json => Self::Markdown,
        }
    }
}

/// The time that a report is about. It ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Period {
    /// Since midnight in the agent's time zone.
    #[default]
    Today,
    /// The last 24 hours.
    Day,
    /// As far as anything is known.
    All,
}

impl Period {
    /// All periods, in their order.
    pub const ALL: [Self; 3] = [Self::Today, Self::Day, Self::All];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Day => "24 h",
            Self::All => "all",
        }
    }

    /// Returns the next period; the first one follows the last.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Today => Self::Day,
            Self::Day => Self::All,
            Self::All => Self::Today,
        }
    }

    /// Returns when it began. `None` means that it has no beginning.
    #[must_use]
    pub fn since(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Today => now.to_zoned(zone.clone()).start_of_day().map(|day| day.timestamp()).ok(),
            Self::Day => now.checked_sub(SignedDuration::from_hours(24)).ok(),
            Self::All => None,
        }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is open.
    Open,
    /// Its close is under way.
    Closing,
    /// Its close was accepted, and no list has shown it as closed.
    Accepted,
    /// It is unknown whether it was closed.
    CloseUnknown,
    /// It is being sent.
    Sending,
    /// It is unknown whether it was opened.
    Unknown,
    /// It is unknown whether it was opened, and nobody looks for it any more.
    SetAside,
    /// The service did not take it.
    Refused,
    /// It was typed and not sent.
    Draft,
    /// It is closed.
    Closed,
}

impl State {
    /// Returns the word for the state.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Accepted => "accepted",
            Self::CloseUnknown => "close-unknown",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::SetAside => "set-aside",
            Self::Refused => "refused",
            Self::Draft => "draft",
            Self::Closed => "closed",
        }
    }

    /// Returns the part of the report that a request in this state belongs to.
    #[must_use]
    pub const fn group(self) -> ReportGroup {
        match self {
            Self::Open | Self::Closing | Self::Accepted | Self::CloseUnknown => ReportGroup::StillOpen,
            Self::Sending | Self::Unknown | Self::SetAside => ReportGroup::Unknown,
            Self::Refused | Self::Draft => ReportGroup::NotOpened,
            Self::Closed => ReportGroup::Closed,
        }
    }

    /// Whether nothing is left to do, so that it is in a report of its own time only.
    const fn is_past(self) -> bool {
        matches!(self, Self::Closed | Self::SetAside)
    }
}

/// A part of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportGroup {
    /// What counts as open.
    StillOpen,
    /// What may have been opened.
    Unknown,
    /// What was refused, and what was not sent.
    NotOpened,
    /// What is closed.
    Closed,
}

impl ReportGroup {
    /// All parts, in the order in which they matter to whoever takes over.
    pub const ALL: [Self; 4] = [Self::StillOpen, Self::Unknown, Self::NotOpened, Self::Closed];

    /// Returns its heading.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::StillOpen => "Still open",
            Self::Unknown => "Outcome unknown",
            Self::NotOpened => "Not opened",
            Self::Closed => "Closed",
        }
    }
}

/// Why a request is in its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The reason, in visible form.
    pub text: String,
    /// The time that the text ends with, if it does.
    pub at: Option<Timestamp>,
}

impl Reason {
    /// Makes a reason without a time.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: None }
    }

    /// Makes a reason that ends with this time.
    pub fn at(text: impl Into<String>, at: Timestamp) -> Self {
        Self { text: text.into(), at: Some(at) }
    }

    /// Returns the reason as a sentence with its time, which `format` writes.
    pub fn sentence(&self, format: impl FnOnce(Timestamp) -> String) -> String {
        self.at.map_or_else(|| self.text.clone(), |at| format!("{} at {}", self.text, format(at)))
    }
}

/// A request, or what was typed for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportEntry {
    /// Where it stands.
    pub state: State,
    /// Whether it was opened, or is to be opened, by the agent whose report it is. Others' requests are in it if the agent
    /// closed them.
    pub mine: bool,
    /// The service's id, once there is one.
    pub id: Untrusted,
    /// The ticket.
    pub ticket: Untrusted,
    /// The device.
    pub device: Untrusted,
    /// The title.
    pub title: Untrusted,
    /// The category.
    pub category: Untrusted,
    /// The subcategory.
    pub subcategory: Untrusted,
    /// The plan of action.
    pub plan: Untrusted,
    /// The actions taken, where they were sent.
    pub actions: Untrusted,
    /// Who opened it.
    pub opened_by: Untrusted,
    /// Who closed it.
    pub closed_by: Untrusted,
    /// When it was opened, as far as that is known.
    pub opened: Option<Timestamp>,
    /// When it was closed, as far as the service says.
    pub closed: Option<Timestamp>,
    /// When its state was learnt.
    pub as_of: Timestamp,
    /// Why it is in its state.
    pub reason: Option<Reason>,
}

impl ReportEntry {
    /// Returns what is known from its texts alone: the service has given it no id and no times. It counts as the agent's own, and
    /// as open.
    #[must_use]
    pub fn typed(text: impl Fn(Field) -> Untrusted, as_of: Timestamp) -> Self {
        Self {
            state: State::Open,
            mine: true,
            id: Untrusted::default(),
            ticket: text(Field::Ticket),
            device: text(Field::Device),
            title: text(Field::Title),
            category: text(Field::Category),
            subcategory: text(Field::Subcategory),
            plan: text(Field::PlanOfAction),
            actions: Untrusted::default(),
            opened_by: Untrusted::default(),
            closed_by: Untrusted::default(),
            opened: None,
            closed: None,
            as_of,
            reason: None,
        }
    }
}

/// The tenant that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTenant {
    /// Its name, if it has one.
    pub name: Option<Untrusted>,
    /// Its id.
    pub id: Untrusted,
    /// Whether it is the practice tenant.
    pub is_practice: bool,
}

/// How many requests a report has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The agent's own that were opened in its time.
    pub opened: usize,
    /// Closed in its time.
    pub closed: usize,
    /// Still open.
    pub still_open: usize,
    /// Of unknown outcome.
    pub unknown: usize,
    /// Refused or not sent.
    pub not_opened: usize,
}

/// What was done in a shift, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    tenant: ReportTenant,
    agent: Option<Untrusted>,
    since: Option<Timestamp>,
    until: Timestamp,
    notes: Vec<String>,
    entries: Vec<ReportEntry>,
}

impl Report {
    /// Makes a report of the time from `since` to `until`. Of `entries`, what was over before is left out; whatever is not over
    /// is in it, however old.
    #[must_use]
    pub fn new(
        tenant: ReportTenant,
        agent: Option<Untrusted>,
        since: Option<Timestamp>,
        until: Timestamp,
        mut entries: Vec<ReportEntry>,
    ) -> Self {
        entries.retain(|entry| {
            let ended = entry.closed.unwrap_or(entry.as_of);
            !entry.state.is_past() || since.is_none_or(|since| ended >= since)
        });
        // What has no time stands with the newest.
        entries.sort_by_key(|entry| {
            let time = match entry.state.group() {
                ReportGroup::Closed => Some(entry.closed.unwrap_or(entry.as_of)),
                ReportGroup::StillOpen | ReportGroup::Unknown | ReportGroup::NotOpened => entry.opened,
            };
            (entry.state.group(), time.is_none(), time)
        });
        Self { tenant, agent, since, until, notes: Vec::new(), entries }
    }

    /// Returns the report with a note about what it may lack.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Returns the agent whose report it is, if known.
    #[must_use]
    pub const fn agent(&self) -> Option<&Untrusted> {
        self.agent.as_ref()
    }

    /// Returns the beginning of its time. `None` means that it has no beginning.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Returns what it may lack.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the entries of a part, in their order.
    pub fn entries(&self, group: ReportGroup) -> impl Iterator<Item = &ReportEntry> {
        self.entries.iter().filter(move |entry| entry.state.group() == group)
    }

    /// Returns how many requests it has.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let count = |group| self.entries(group).count();
        let is_opened = |entry: &&ReportEntry| {
            let is_known = matches!(entry.state.group(), ReportGroup::StillOpen | ReportGroup::Closed);
            let in_time = self.since.is_none_or(|since| entry.opened.is_some_and(|opened| opened >= since));
            entry.mine && is_known && in_time
        };
        Counts {
            opened: self.entries.iter().filter(is_opened).count(),
            closed: count(ReportGroup::Closed),
            still_open: count(ReportGroup::StillOpen),
            unknown: count(ReportGroup::Unknown),
            not_opened: count(ReportGroup::NotOpened),
        }
    }

    /// Returns for how long the request of an entry was open, or has been so far. `None` means that it is not known.
    #[must_use]
    pub fn duration(&self, entry: &ReportEntry) -> Option<SignedDuration> {
        let end = match entry.state.group() {
            ReportGroup::StillOpen => self.until,
            ReportGroup::Closed => entry.closed?,
            ReportGroup::Unknown | ReportGroup::NotOpened => return None,
        };
        // Clocks differ: a request that was closed before it was opened was open for a time that nobody knows.
        Some(end.duration_since(entry.opened?)).filter(|duration| !duration.is_negative())
    }

    /// Returns the report in this format.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Markdown => markdown::render(self),
            Format::Csv => csv::render(self),
            Format::Json => json::render(self),
        }
    }
}

/// Returns a duration in minutes and hours, such as `3 h 12 min`.
#[must_use]
pub fn duration_text(duration: SignedDuration) -> String {
    match (duration.as_hours(), duration.as_mins() % 60) {
        (..=0, ..=0) => "<1 min".to_owned(),
        (..=0, minutes) => format!("{minutes} min"),
        (hours, ..=0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Returns a time in UTC, in whole seconds.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(state: State, opened: Option<&str>, closed: Option<&str>) -> ReportEntry {
        let text = Untrusted::default;
        ReportEntry {
            state,
            mine: true,
            id: text(),
            ticket: text(),
            device: text(),
            title: text(),
            category: text(),
            subcategory: text(),
            plan: text(),
            actions: text(),
            opened_by: text(),
            closed_by: text(),
            opened: opened.map(at),
            closed: closed.map(at),
            as_of: at("2026-11-22T14:00:00Z"),
            reason: None,
        }
    }

    fn report(since: Option<&str>, entries: Vec<ReportEntry>) -> Report {
        let tenant = ReportTenant { name: None, id: Untrusted::new("id"), is_practice: false };
        Report::new(tenant, None, since.map(at), at("2026-11-22T14:00:00Z"), entries)
    }

    #[test]
    fn period_begins_at_midnight_where_the_agent_is() {
        let now = at("2026-11-22T23:30:00Z");
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(Period::Today.since(now, &TimeZone::UTC), Some(at("2026-11-22T00:00:00Z")));
        assert_eq!(Period::Today.since(now, &east), Some(at("2026-11-22T22:00:00Z")));
        assert_eq!(Period::Day.since(now, &east), Some(at("2026-11-21T23:30:00Z")));
        assert_eq!(Period::All.since(now, &east), None);
    }

    #[test]
    fn what_is_over_is_in_the_report_of_its_time_and_what_is_not_over_is_in_each() {
        let entries = vec![
            entry(State::Closed, Some("2026-11-20T10:00:00Z"), Some("2026-11-21T23:59:59Z")),
            entry(State::Closed, Some("2026-11-21T10:00:00Z"), Some("2026-11-22T09:00:00Z")),
            entry(State::Closed, Some("2026-11-22T10:00:00Z"), Some("2026-11-22T11:00:00Z")),
            entry(State::Open, Some("2026-11-01T10:00:00Z"), None),
            entry(State::Open, Some("2026-11-22T00:00:00Z"), None),
            entry(State::Unknown, None, None),
            entry(State::Refused, None, None),
            ReportEntry {
                mine: false,
                ..entry(State::Closed, Some("2026-11-22T08:00:00Z"), Some("2026-11-22T08:10:00Z"))
            },
        ];
        let counts = |opened, closed| Counts { opened, closed, still_open: 2, unknown: 1, not_opened: 1 };
        assert_eq!(report(Some("2026-11-22T00:00:00Z"), entries.clone()).counts(), counts(2, 3));
        let all = report(None, entries);
        assert_eq!(all.counts(), counts(5, 4));
        let closed: Vec<_> = all.entries(ReportGroup::Closed).filter_map(|entry| entry.closed).collect();
        assert!(closed.is_sorted(), "{closed:?}");
    }

    #[test]
    fn duration_is_told_in_minutes_and_hours_and_not_where_it_is_not_known() {
        for (seconds, text) in [
            (0, "<1 min"),
            (59, "<1 min"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (11_520, "3 h 12 min"),
            (180_060, "50 h 1 min"),
        ] {
            assert_eq!(duration_text(SignedDuration::from_secs(seconds)), text);
        }
        for (state, opened, closed, minutes) in [
            (State::Open, Some("2026-11-22T13:00:00Z"), None, Some(60)),
            (State::Accepted, Some("2026-11-22T13:00:00Z"), None, Some(60)),
            (State::Open, Some("2026-11-22T15:00:00Z"), None, None),
            (State::Open, None, None, None),
            (State::Closed, Some("2026-11-22T11:00:00Z"), Some("2026-11-22T11:30:00Z"), Some(30)),
            (State::Closed, Some("2026-11-22T11:00:00Z"), Some("2026-11-22T10:59:00Z"), None),
            (State::Closed, Some("2026-11-22T11:00:00Z"), None, None),
            (State::Unknown, Some("2026-11-22T11:00:00Z"), None, None),
        ] {
            let report = report(None, vec![entry(state, opened, closed)]);
            let duration = report.duration(&report.entries[0]).map(|duration| duration.as_mins());
            assert_eq!(duration, minutes, "{state:?} {opened:?} {closed:?}");
        }
    }
}
