//! The palette: every action that the keys of the list or the details can do, found by a few letters of what it does. It
//! knows no action by itself; all that it shows comes from the table of actions and from [`Model::unavailable`].

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    Model, Overlay, TextField,
    draw::{
        Theme,
        words::{columns, cut, fit},
    },
    fuzzy,
};
use crate::keys::{Action, Motion};
use mmd_elevate_core::{Field, visible};

/// From this width on the targets stand in a column.
const THREE_COLUMNS: usize = 76;

/// From this width on there is room for most of what is said of an action; in a narrower panel the last line says it of the chosen
/// one.
const ROOMY: usize = 100;

/// In a wider row the eye loses the line.
const WIDEST: u16 = 120;

/// How wide the column of the targets is at least, and the one of the keys at most.
const TARGET: usize = 28;
const KEYS: usize = 18;

/// Why an action that commits is not done from here.
const ONLY_BY_KEY: &str = "only its own key does this";

/// An action that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PaletteEntry {
    /// The id of its first row in the table.
    id: &'static str,
    action: Action,
    /// What it does.
    what: String,
    /// Its keys.
    keys: String,
    /// What it is done to.
    target: String,
    /// Why it cannot be done now.
    why: Option<&'static str>,
}

impl PaletteEntry {
    /// What is told of it beside what it does.
    fn about(&self) -> String {
        self.why.map_or_else(|| self.target.clone(), |why| format!("not now: {why}"))
    }
}

/// The palette.
#[derive(Clone, Debug)]
pub struct ActionPalette {
    search: TextField,
    /// All actions.
    entries: Vec<PaletteEntry>,
    /// Which of them fit what was typed, the best first.
    shown: Vec<usize>,
    /// The id of the chosen one.
    chosen: Option<&'static str>,
}

impl PartialEq for ActionPalette {
    fn eq(&self, other: &Self) -> bool {
        self.search.text() == other.search.text() && (&self.entries, self.chosen) == (&other.entries, other.chosen)
    }
}

impl Eq for ActionPalette {}

impl ActionPalette {
    fn new(entries: Vec<PaletteEntry>) -> Self {
        let mut palette = Self { search: TextField::one_line(), entries, shown: Vec::new(), chosen: None };
        palette.filter();
        palette
    }

    /// Finds anew what fits. What is chosen stays so as long as it fits.
    fn filter(&mut self) {
        let typed = self.search.text();
        self.shown = if typed.trim().is_empty() {
            let mut all: Vec<_> = (0..self.entries.len()).collect();
            // What can be done comes first, and what moves around last: its keys are quicker.
            let entry = |index: &usize| &self.entries[*index];
            all.sort_by_key(|index| (is_movement(entry(index).action), entry(index).why.is_some()));
            all
        } else {
            let about: Vec<_> = self.entries.iter().map(|entry| format!("{} {}", entry.target, entry.keys)).collect();
            let items = self.entries.iter().zip(&about).enumerate();
            fuzzy::rank(&typed, items.map(|(index, (entry, about))| (index, entry.what.as_str(), about.as_str())))
        };
        if self.chosen().is_none() {
            let first = self.shown().next().map(|entry| entry.id);
            self.chosen = first;
        }
    }

    fn shown(&self) -> impl Iterator<Item = &PaletteEntry> {
        self.shown.iter().filter_map(|index| self.entries.get(*index))
    }

    fn chosen(&self) -> Option<&PaletteEntry> {
        self.shown().find(|entry| Some(entry.id) == self.chosen)
    }

    /// The id of the action that is chosen.
    pub(super) fn chosen_id(&self) -> Option<&'static str> {
        self.chosen().map(|entry| entry.id)
    }

    /// Why the chosen action cannot be done, if it cannot.
    pub(super) fn unavailable(&self) -> Option<&'static str> {
        self.chosen().map_or(Some("no action fits what was typed"), |entry| entry.why)
    }

    /// Changes what is searched for; the best that fits is chosen.
    pub(super) fn change_search<T>(&mut self, change: impl FnOnce(&mut TextField) -> T) -> T {
        let before = self.search.text();
        let result = change(&mut self.search);
        if self.search.text() != before {
            self.chosen = None;
            self.filter();
        }
        result
    }

    pub(super) fn choose(&mut self, motion: Motion) {
        let at = self.shown().position(|entry| Some(entry.id) == self.chosen).unwrap_or(0);
        let last = self.shown.len().saturating_sub(1);
        let chosen = self.shown().nth(motion.from(at, last)).map(|entry| entry.id);
        self.chosen = chosen;
    }
}

/// Whether the action only moves around.
const fn is_movement(action: Action) -> bool {
    matches!(action, Action::Move(_) | Action::NextPane | Action::PreviousPane)
}

/// Every action of the scopes that have the keys, as the table, the settings and the model have it now.
fn entries(model: &Model) -> Vec<PaletteEntry> {
    let scopes = model.scopes();
    let mut entries: Vec<PaletteEntry> = Vec::new();
    for scope in scopes {
        for (binding, keys) in model.keymap.rows().filter(|(binding, _)| binding.scope == *scope) {
            let action = binding.action;
            if action == Action::ShowPalette {
                continue;
            }
            let is_reached = |key: &&crate::keys::Key| model.keymap.action(scopes, **key) == Some(action);
            let keys: Vec<_> = keys.iter().filter(is_reached).map(ToString::to_string).collect();
            let keys = keys.join(", ");
            if let Some(entry) = entries.iter_mut().find(|entry| entry.action == action) {
                let are_both = !entry.keys.is_empty() && !keys.is_empty();
                entry.keys.push_str(if are_both { ", " } else { "" });
                entry.keys.push_str(&keys);
                continue;
            }
            let mut first = binding.help.chars();
            let what = first.next().map_or_else(String::new, |c| c.to_uppercase().chain(first).collect());
            let why = model.unavailable(action).or(model.commits(action).then_some(ONLY_BY_KEY));
            entries.push(PaletteEntry { id: binding.id, action, what, keys, target: target(model, action), why });
        }
    }
    entries
}

/// What the action is done to: the selected request, a tab, the draft in the form, the filter.
fn target(model: &Model, action: Action) -> String {
    if action == Action::CloseRequest && model.acts_on_marks() {
        let (marked, hidden) = model.requests.list().marks();
        return format!("{} marked", marked - hidden);
    }
    if action.is_about_request() {
        let row = model.row_in_focus().and_then(|id| model.requests.get(id));
        return row.map_or_else(String::new, |row| {
            let ticket = row.text(Field::Ticket);
            if ticket.trim().is_empty() { row.name() } else { visible(&ticket).into_owned() }
        });
    }
    match action {
        Action::ShowTab(tab) => format!("tab {}", tab.name()),
        Action::NewRequest if model.form.holds_text() => {
            let ticket = model.form.field(Field::Ticket).text();
            format!("draft {}", visible(ticket.trim())).trim_end().to_owned()
        }
        Action::Filter => visible(model.requests.list().filter().first_line()).into_owned(),
        Action::NextSort => model.requests.list().sort().label().to_owned(),
        _ => String::new(),
    }
}

/// Opens the palette over the panes.
pub(super) fn open(model: &mut Model) {
    let palette = ActionPalette::new(entries(model));
    model.overlays.push(Overlay::Palette(Box::new(palette)));
}

/// Closes the palette and returns what is to be done, as its key would do it.
pub(super) fn take(model: &mut Model) -> Option<Action> {
    let Some(Overlay::Palette(palette)) = model.overlays.last() else { return None };
    let action = palette.chosen().filter(|entry| entry.why.is_none())?.action;
    model.overlays.pop();
    // Enter is no second Ctrl-C.
    model.leaving.interrupted = None;
    Some(action)
}

/// Brings what is shown up to date: what can be done, and to what, may have changed.
pub(super) fn update(model: &mut Model) {
    match model.overlays.pop() {
        Some(Overlay::Palette(mut palette)) => {
            // As the panes beneath are asked.
            palette.entries = entries(model);
            palette.filter();
            model.overlays.push(Overlay::Palette(palette));
        }
        other => model.overlays.extend(other),
    }
}

/// Draws the palette.
pub(super) fn draw(frame: &mut Frame, area: Rect, theme: &Theme, palette: &ActionPalette) {
    let count = format!("{} of {}", palette.shown.len(), palette.entries.len());
    let block = theme.panel("Do", &count, true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let search = Rect { height: 1.min(inner.height), ..inner };
    frame.render_widget(Line::styled(":", theme.accent()), search);
    let text = Rect { x: search.x + 1.min(search.width), width: search.width.saturating_sub(1), ..search };
    frame.render_widget(palette.search.widget(), text);
    if let Some(cursor) = palette.search.cursor(text.width) {
        frame.set_cursor_position(cursor);
    }
    let width = usize::from(inner.width.min(WIDEST));
    let is_wide = width >= THREE_COLUMNS;
    let gap = u16::from(inner.height >= 9);
    let told = u16::from(width < ROOMY && inner.height >= 4);
    let room = inner.height.saturating_sub(1 + gap + told);
    let list = Rect { y: inner.y + 1 + gap, height: room, ..inner }.intersection(inner);
    if palette.shown.is_empty() {
        frame.render_widget(Line::styled("No action fits what was typed.", Theme::dim()), list);
        return;
    }
    let room = usize::from(room);
    let at = palette.shown().position(|entry| Some(entry.id) == palette.chosen).unwrap_or(0);
    let visible: Vec<_> = palette.shown().skip((at + 1).saturating_sub(room)).take(room).collect();
    let longest =
        |of: fn(&PaletteEntry) -> &str| palette.entries.iter().map(|entry| columns(of(entry))).max().unwrap_or(0);
    let keys_width = longest(|entry| &entry.keys).min(KEYS);
    let what_room = width.saturating_sub(2 + keys_width + 1);
    let what_width =
        if is_wide { (longest(|entry| &entry.what) + 2).min(what_room.saturating_sub(TARGET)) } else { what_room };
    let target_width = what_room.saturating_sub(what_width);
    let lines = visible.into_iter().map(|entry| {
        let is_chosen = Some(entry.id) == palette.chosen;
        let ground = if is_chosen { theme.selection(true) } else { Style::new() };
        let style = if entry.why.is_some() { ground.patch(Theme::dim()) } else { ground };
        let what = fit(&cut(&entry.what, what_width.saturating_sub(1)), what_width);
        Line::from(vec![
            Span::styled(theme.selected_mark(is_chosen), theme.accent()),
            Span::styled(what, style),
            Span::styled(fit(&cut(&entry.about(), target_width.saturating_sub(1)), target_width), style),
            Span::styled(fit(&cut(&entry.keys, keys_width), keys_width + 1), ground.patch(theme.accent())),
        ])
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), list);
    if let Some(chosen) = palette.chosen().filter(|_| told > 0) {
        let line = Rect { y: inner.bottom() - 1, height: 1, ..inner };
        frame.render_widget(Line::styled(cut(&format!("  {}", chosen.about()), width), Theme::dim()), line);
    }
}
