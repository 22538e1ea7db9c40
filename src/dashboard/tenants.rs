//! The tenants of the settings: what the dashboard of one is told of the others, and the panel that switches to one. A model is
//! about one tenant and never holds requests or texts of another.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Effect, Model, Notice, Overlay, RecordState, Remains, RowState, ServiceState, TextField, Tone,
    draw::{
        Theme, draw_keys,
        words::{columns, counted, cut, fit},
    },
    fuzzy, leaving,
};
use crate::keys::{Action, Motion};
use mmd_elevate_core::{Problem, SignIn, visible};

/// The number of a tenant among those of the settings. It stays the same as long as the program runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantNumber(pub usize);

/// What is known of the requests of a tenant that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantSummary {
    /// What would be left behind there.
    pub remains: Remains,
    /// What there needs the agent, in words; empty where nothing does.
    pub trouble: String,
}

/// How far a tenant is opened in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantState {
    /// It was not chosen yet.
    NotOpened,
    /// Its settings are not complete.
    Unusable(Problem),
    /// It is open.
    Opened(TenantSummary),
}

/// A tenant that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantEntry {
    /// Its name in the settings, or its id; harmless to a terminal.
    pub name: String,
    /// Its id, shortened; empty where that is its name.
    pub id: String,
    /// The colour of its name.
    pub colour: Option<Color>,
    /// How far it is opened.
    pub state: TenantState,
}

/// The tenants that can be chosen, in the order of the settings. There are none where the practice tenant is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenants {
    /// The tenants, by their numbers.
    pub entries: Vec<TenantEntry>,
    /// The one that this dashboard shows.
    pub present: TenantNumber,
    /// The one that was shown before.
    pub previous: Option<TenantNumber>,
}

impl Tenants {
    /// The tenant of this number.
    #[must_use]
    pub fn get(&self, number: TenantNumber) -> Option<&TenantEntry> {
        self.entries.get(number.0)
    }

    /// The others that are open.
    pub fn others(&self) -> impl Iterator<Item = (&TenantEntry, &TenantSummary)> {
        let entries = self.entries.iter().enumerate().filter(|(index, _)| *index != self.present.0);
        entries.filter_map(|(_, entry)| match &entry.state {
            TenantState::Opened(summary) => Some((entry, summary)),
            TenantState::NotOpened | TenantState::Unusable(_) => None,
        })
    }

    fn others_with_remains(&self) -> impl Iterator<Item = (&TenantEntry, Remains)> {
        self.others().map(|(entry, summary)| (entry, summary.remains)).filter(|(_, remains)| !remains.nothing())
    }
}

/// The panel that switches to a tenant.
#[derive(Clone, Debug)]
pub struct TenantPanel {
    chosen: TenantNumber,
    /// Whether the search is being typed.
    pub(super) searching: bool,
    search: TextField,
}

impl PartialEq for TenantPanel {
    fn eq(&self, other: &Self) -> bool {
        let of = |panel: &Self| (panel.chosen, panel.searching, panel.search.text());
        of(self) == of(other)
    }
}

impl Eq for TenantPanel {}

impl Model {
    /// What the dashboards of other tenants are told of this one.
    #[must_use]
    pub fn summary(&self) -> TenantSummary {
        let unknown = self.requests.creates().filter(|row| matches!(row.state, RowState::Unknown)).count();
        let unknown = unknown + self.requests.closes().filter(|row| row.state == RowState::CloseUnknown).count();
        let refused = self.requests.creates().filter(|row| row.state == RowState::Refused).count();
        let mut trouble = Vec::new();
        trouble.extend((unknown > 0).then(|| format!("{unknown} unknown")));
        trouble.extend((refused > 0).then(|| format!("{refused} refused")));
        trouble.extend(matches!(self.service, ServiceState::NotReady(_)).then(|| "no service".to_owned()));
        trouble.extend(matches!(self.sign_in, Some(SignIn::SignedOut(_))).then(|| "signed out".to_owned()));
        let is_failing = matches!(self.record, RecordState::NotRead | RecordState::Failing);
        trouble.extend(is_failing.then(|| "drafts are not saved".to_owned()));
        TenantSummary { remains: self.remains(), trouble: trouble.join(", ") }
    }

    /// What needs the agent at the other tenants that are open.
    pub(super) fn trouble_elsewhere(&self) -> Vec<String> {
        let others = self.tenants.others().filter(|(_, summary)| !summary.trouble.is_empty());
        others.map(|(entry, summary)| format!("{}: {}", cut(&entry.name, 16), summary.trouble)).collect()
    }

    /// What would be left behind at the other tenants: a sentence for each.
    pub(super) fn remains_elsewhere(&self) -> Vec<String> {
        let others = self.tenants.others_with_remains();
        others.map(|(entry, remains)| format!("{}: {}.", entry.name, describe(remains).join(", "))).collect()
    }

    /// Whether something would be left behind at another tenant.
    pub(super) fn has_remains_elsewhere(&self) -> bool {
        self.tenants.others_with_remains().next().is_some()
    }

    /// Why there is no tenant to switch to, if there is none.
    pub(super) fn only_tenant(&self) -> Option<&'static str> {
        match self.tenants.entries.len() {
            2.. => None,
            _ if self.tenant.practice => {
                Some("the practice tenant is the only one; [[tenants]] in the settings gives others")
            }
            _ => Some("this is the only tenant; [[tenants]] in the settings gives others"),
        }
    }

    /// The tenant that is chosen in the panel.
    pub(super) fn chosen_tenant(&self) -> Option<TenantNumber> {
        let Some(Overlay::Tenants(panel)) = self.overlays.last() else { return None };
        let shown = shown(self, panel);
        shown.iter().find(|number| **number == panel.chosen).or(shown.first()).copied()
    }
}

/// What would be left behind, in words.
fn describe(remains: Remains) -> Vec<String> {
    let Remains { open, accepted, in_flight, unsent, unknown, drafts } = remains;
    let all = [
        (open, "request is open", "requests are open"),
        (accepted, "close is not visible yet", "closes are not visible yet"),
        (in_flight, "call is under way", "calls are under way"),
        (unsent, "request is not sent yet", "requests are not sent yet"),
        (unknown, "request may or may not be open", "requests may or may not be open"),
        (drafts, "draft would be lost", "drafts would be lost"),
    ];
    all.into_iter().filter(|(count, ..)| *count > 0).map(|(count, one, many)| counted(count, one, many)).collect()
}

/// The tenants that match the search; all in their order where there is none.
fn shown(model: &Model, panel: &TenantPanel) -> Vec<TenantNumber> {
    let entries = model.tenants.entries.iter();
    let typed = panel.search.text();
    if typed.trim().is_empty() {
        return (0..model.tenants.entries.len()).map(TenantNumber).collect();
    }
    let numbered = entries.enumerate();
    let items = numbered.map(|(index, entry)| (TenantNumber(index), entry.name.as_str(), entry.id.as_str()));
    fuzzy::rank(typed.trim(), items)
}

/// Does what a key asks about tenants.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::SwitchTenant => switch(model, model.chosen_tenant()),
        Action::SwitchToTenant(digit) => switch(model, usize::from(digit).checked_sub(1).map(TenantNumber)),
        _ => {
            open_panel(model);
            Vec::new()
        }
    }
}

/// Opens the panel. The tenant that was shown before is chosen, or else the next one.
fn open_panel(model: &mut Model) {
    let next = (model.tenants.present.0 + 1) % model.tenants.entries.len().max(1);
    let chosen = model.tenants.previous.unwrap_or(TenantNumber(next));
    let panel = TenantPanel { chosen, searching: false, search: TextField::one_line() };
    model.overlays.push(Overlay::Tenants(Box::new(panel)));
}

/// Changes the panel that is shown.
pub(super) fn change(model: &mut Model, change: impl FnOnce(&mut TenantPanel)) {
    if let Some(Overlay::Tenants(panel)) = model.overlays.last_mut() {
        change(panel);
    }
}

impl TenantPanel {
    pub(super) fn change_search<T>(&mut self, change: impl FnOnce(&mut TextField) -> T) -> T {
        // The best match is chosen.
        self.chosen = TenantNumber(usize::MAX);
        change(&mut self.search)
    }

    /// Leaves the search. Returns whether there was one.
    pub(super) fn leave_search(&mut self) -> bool {
        let was_searching = self.searching || !self.search.is_empty();
        (self.searching, self.search) = (false, TextField::one_line());
        was_searching
    }
}

/// Chooses another tenant in the panel.
pub(super) fn choose(model: &mut Model, motion: Motion) {
    let Some(Overlay::Tenants(panel)) = model.overlays.last() else { return };
    let shown = shown(model, panel);
    let at = model.chosen_tenant().and_then(|chosen| shown.iter().position(|number| *number == chosen)).unwrap_or(0);
    let last = shown.len().saturating_sub(1);
    if let Some(number) = shown.get(motion.from(at, last)).copied() {
        change(model, |panel| panel.chosen = number);
    }
}

/// Switches to a tenant. One whose settings are not complete says what is missing, and the panel stays.
fn switch(model: &mut Model, number: Option<TenantNumber>) -> Vec<Effect> {
    let Some((number, entry)) = number.and_then(|number| Some((number, model.tenants.get(number)?))) else {
        return Vec::new();
    };
    if let TenantState::Unusable(Problem { what, hint }) = &entry.state {
        let problem = Problem::new(format!("{} cannot be opened: {}", entry.name, visible(what)), visible(hint));
        model.notice = Some(Notice::from_problem(Tone::Failure, problem));
        change(model, |panel| panel.chosen = number);
        return Vec::new();
    }
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Tenants(_)));
    if number == model.tenants.present {
        return Vec::new();
    }
    // Who looks at another tenant stays.
    leaving::stay(model);
    model.untouched_since = None;
    vec![Effect::ShowTenant(number)]
}

/// The state of a tenant in a word or more, each with how it is drawn: what needs the agent first.
fn state_words(model: &Model, number: TenantNumber, entry: &TenantEntry, theme: &Theme) -> Vec<(String, Style)> {
    let mut words = Vec::new();
    let summary = match &entry.state {
        _ if number == model.tenants.present => {
            words.push(("shown now".to_owned(), Theme::bold()));
            &model.summary()
        }
        TenantState::Opened(summary) => summary,
        TenantState::NotOpened => return vec![("not opened yet".to_owned(), Theme::dim())],
        TenantState::Unusable(problem) => return vec![(format!("? {}", visible(&problem.what)), theme.doubt())],
    };
    if !summary.trouble.is_empty() {
        words.push((format!("? {}", summary.trouble), theme.doubt()));
    }
    let Remains { open, accepted, in_flight, unsent, unknown: _, drafts: _ } = summary.remains;
    let counts = [(open, "open"), (accepted, "accepted"), (in_flight, "in flight"), (unsent, "not sent yet")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ");
    words.push((if counts.is_empty() { "nothing open".to_owned() } else { counts }, Style::new()));
    words
}

/// Draws the panel.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, panel: &TenantPanel) {
    let shown = shown(model, panel);
    let count = format!("{} of {}", shown.len(), model.tenants.entries.len());
    let block = theme.panel("Switch tenant", if panel.search.is_empty() { "" } else { &count }, true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let keys = draw_keys(model, theme, usize::from(inner.width));
    let key_rows = u16::try_from(keys.len()).unwrap_or(1).min(inner.height.saturating_sub(1));
    let has_search = panel.searching || !panel.search.is_empty();
    if has_search {
        let line = Rect { height: 1.min(inner.height), ..inner };
        frame.render_widget(Line::styled("/", theme.accent()), line);
        let text = Rect { x: line.x + 1.min(line.width), width: line.width.saturating_sub(1), ..line };
        frame.render_widget(panel.search.widget(), text);
        if panel.searching
            && let Some(cursor) = panel.search.cursor(text.width)
        {
            frame.set_cursor_position(cursor);
        }
    }
    let top = u16::from(has_search);
    let room = usize::from(inner.height.saturating_sub(top + key_rows));
    let chosen = model.chosen_tenant();
    let at = chosen.and_then(|chosen| shown.iter().position(|number| *number == chosen)).unwrap_or(0);
    let width = usize::from(inner.width);
    let longest = model.tenants.entries.iter().map(|entry| columns(&entry.name)).max().unwrap_or(0);
    let (name_width, id_width) = (longest.min(width / 3).max(8) + 2, if width < 70 { 0 } else { 12 });
    let from = at.saturating_sub(room.saturating_sub(1));
    let mut lines = Vec::new();
    for number in shown.iter().skip(from).take(room) {
        let Some(entry) = model.tenants.get(*number) else { continue };
        let is_chosen = chosen == Some(*number);
        let digit = if number.0 < 9 { (number.0 + 1).to_string() } else { " ".to_owned() };
        let mut spans = vec![
            Span::styled(theme.selected_mark(is_chosen), theme.accent()),
            Span::styled(format!("{digit} "), theme.accent()),
            Span::styled(fit(&cut(&entry.name, name_width - 2), name_width), theme.tenant_in(entry.colour)),
            Span::styled(fit(&cut(&entry.id, id_width.max(1) - 1), id_width), Theme::dim()),
        ];
        let mut left = width.saturating_sub(4 + name_width + id_width);
        for (index, (words, style)) in state_words(model, *number, entry, theme).into_iter().enumerate() {
            let words = cut(&if index > 0 { format!("  {words}") } else { words }, left);
            left = left.saturating_sub(columns(&words));
            spans.push(Span::styled(words, style));
        }
        let line = Line::from(spans);
        lines.push(if is_chosen { line.style(theme.selection(true)) } else { line });
    }
    if shown.is_empty() {
        lines.push(Line::styled("No tenant has such a name.", Theme::dim()));
    }
    let above = Rect { y: inner.y + top, height: inner.height.saturating_sub(top + key_rows), ..inner };
    let below = Rect { y: above.bottom(), height: key_rows, ..inner };
    frame.render_widget(Paragraph::new(lines), above);
    frame.render_widget(Paragraph::new(keys), below);
}
