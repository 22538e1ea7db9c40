//! Help: the keys of where it was asked for, or of every place, from the one table; with a search.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use super::{
    Model, Overlay, TextField,
    draw::{
        Theme,
        words::{cut, fit},
    },
};
use crate::keys::Scope;

/// From this width on the keys stand in two columns.
const TWO_COLUMNS: usize = 96;

/// How wide the keys' names are.
const KEYS: usize = 18;

/// The help.
#[derive(Clone, Debug)]
pub struct Help {
    /// The scopes of where it was asked for.
    scopes: Vec<Scope>,
    /// Whether the keys of every place are shown.
    pub(super) everywhere: bool,
    /// Whether the search is being typed.
    pub(super) searching: bool,
    search: TextField,
    /// How far it is scrolled, in lines.
    pub(super) scroll: u16,
}

impl PartialEq for Help {
    fn eq(&self, other: &Self) -> bool {
        let of = |help: &Self| (help.everywhere, help.searching, help.search.text(), help.scroll);
        self.scopes == other.scopes && of(self) == of(other)
    }
}

impl Eq for Help {}

impl Help {
    /// The help of these scopes.
    #[must_use]
    pub fn new(scopes: Vec<Scope>) -> Self {
        Self { scopes, everywhere: false, searching: false, search: TextField::one_line(), scroll: 0 }
    }

    pub(super) fn change_search<T>(&mut self, change: impl FnOnce(&mut TextField) -> T) -> T {
        self.scroll = 0;
        change(&mut self.search)
    }

    /// Leaves the search that is being typed, or clears one that was kept. Returns whether there was one.
    pub(super) fn leave_search(&mut self) -> bool {
        let was_searching = self.searching || !self.search.is_empty();
        (self.searching, self.search) = (false, TextField::one_line());
        was_searching
    }
}

/// Changes the help that is shown.
pub(super) fn change(model: &mut Model, change: impl FnOnce(&mut Help)) {
    if let Some(Overlay::Help(help)) = model.overlays.last_mut() {
        change(help);
    }
}

/// A group of keys under its heading.
struct Group {
    heading: &'static str,
    rows: Vec<(String, &'static str)>,
}

fn groups(model: &Model, help: &Help) -> Vec<Group> {
    let wanted = help.search.text().to_lowercase();
    let scopes: &[Scope] = if help.everywhere { &Scope::ALL } else { &help.scopes };
    let reachable: Vec<_> = if help.everywhere {
        model.keymap.rows().map(|(binding, keys)| (binding, keys.to_vec())).collect()
    } else {
        model.keymap.reachable(scopes).collect()
    };
    let groups = scopes.iter().map(|scope| {
        let rows = reachable.iter().filter(|(binding, keys)| binding.scope == *scope && !keys.is_empty());
        let rows = rows.map(|(binding, keys)| {
            let names: Vec<_> = keys.iter().map(ToString::to_string).collect();
            (names.join(", "), binding.help)
        });
        let is_wanted = |(keys, help): &(String, &str)| {
            keys.to_lowercase().contains(&wanted) || help.to_lowercase().contains(&wanted)
        };
        Group { heading: scope.heading(), rows: rows.filter(is_wanted).collect() }
    });
    groups.filter(|group| !group.rows.is_empty()).collect()
}

/// The lines of groups in a column of this width.
fn lines(groups: &[Group], theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for group in groups {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(group.heading, Theme::bold()));
        for (keys, help) in &group.rows {
            // Keys that are longer than their column push the words aside, and are never cut.
            let room = KEYS.max(keys.width() + 1);
            lines.push(Line::from(vec![
                Span::styled(fit(keys, room), theme.accent()),
                Span::raw(cut(help, width.saturating_sub(room))),
            ]));
        }
    }
    lines
}

/// Draws the help. Returns how far it can be scrolled.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, help: &Help) -> u16 {
    let place = if help.everywhere { "every place" } else { "here" };
    let block = theme.panel("Help", place, true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let has_search = help.searching || !help.search.is_empty();
    let top = u16::from(has_search);
    if has_search {
        let line = Rect { height: 1.min(inner.height), ..inner };
        frame.render_widget(Line::styled("/", theme.accent()), line);
        let text = Rect { x: line.x + 1, width: line.width.saturating_sub(1), ..line };
        frame.render_widget(help.search.widget(), text);
        if help.searching
            && let Some(cursor) = help.search.cursor(text.width)
        {
            frame.set_cursor_position(cursor);
        }
    }
    let below = Rect { y: inner.y + top, height: inner.height.saturating_sub(top), ..inner };
    let groups = groups(model, help);
    if groups.is_empty() {
        frame.render_widget(Line::styled("No key or word of the help holds this.", Theme::dim()), below);
        return 0;
    }
    let width = usize::from(below.width);
    let columns = if width >= TWO_COLUMNS {
        let mut left = lines(&groups, theme, (width - 2) / 2);
        let half = left.len().div_ceil(2);
        let mut right = left.split_off(half);
        // A heading stays with its keys, and no column begins with an empty line.
        if left.last().is_some_and(|line| line.spans.len() == 1) {
            right.splice(0..0, left.pop());
        }
        if right.first().is_some_and(|line| line.spans.is_empty()) {
            right.remove(0);
        }
        vec![left, right]
    } else {
        vec![lines(&groups, theme, width)]
    };
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let limit = u16::try_from(longest).unwrap_or(u16::MAX).saturating_sub(below.height);
    let from = help.scroll.min(limit);
    let count = u16::try_from(columns.len()).unwrap_or(1).max(1);
    let column_width = if count == 1 { below.width } else { (below.width - 2) / 2 };
    for (index, lines) in (0..).zip(columns) {
        let column = Rect { x: below.x + index * (column_width + 2), width: column_width, ..below };
        frame.render_widget(Paragraph::new(lines).scroll((from, 0)), column);
    }
    if limit > from {
        super::draw::draw_more_below(frame, area, limit - from);
    }
    limit
}
