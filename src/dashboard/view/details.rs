//! `Request`: all that the selected request says.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    Theme, scroll,
    words::{age, counted, cut, local, wrap},
};
use crate::{
    dashboard::{Closure, Model, Pane, Row, RowState},
    keys::{Action, Scope},
};
use mmd_elevate_core::{Field, MatchResult, Progress, ServiceTime, Untrusted};

const LABELS: usize = 14;

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) -> u16 {
    let row = model.requests.selected();
    let as_of = row.map_or_else(String::new, |row| {
        let time = local(row.as_of, &model.time_zone, "%H:%M:%S");
        if row.state.in_flight() { format!("since {time}") } else { format!("as of {time}") }
    });
    let block = theme.pane("Request", &as_of, model.pane == Pane::Details && model.overlays.is_empty());
    let inner = block.inner(area);
    let Some(row) = row else {
        frame.render_widget(block, area);
        frame.render_widget(Line::styled("The selected request is shown here.", Theme::dim()), inner);
        return 0;
    };
    let lines = lines(&row, model, theme, usize::from(inner.width));
    scroll::draw(frame, area, block, lines, model.details_scroll)
}

/// Collects lines: labelled values, and texts that wrap at words.
struct Sheet {
    lines: Vec<Line<'static>>,
    width: usize,
}

impl Sheet {
    fn value(&mut self, label: &str, value: &str, style: Style) {
        if !value.trim().is_empty() {
            let value = cut(value, self.width.saturating_sub(LABELS));
            let label = Span::styled(format!("{label:<LABELS$}"), Theme::dim());
            self.lines.push(Line::from(vec![label, Span::styled(value, style)]));
        }
    }

    fn text(&mut self, label: &'static str, text: impl Iterator<Item = String>) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(label, Theme::dim()));
        let width = self.width.saturating_sub(1).max(1);
        for line in text {
            self.lines.extend(wrap(&line, width).into_iter().map(|line| Line::raw(format!(" {line}"))));
        }
    }

    fn prose(&mut self, text: &str, style: Style) {
        let wrapped = wrap(text, self.width.max(1));
        self.lines.extend(wrapped.into_iter().map(|line| Line::styled(line.into_owned(), style)));
    }
}

fn lines(row: &Row<'_>, model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet { lines: Vec::new(), width };
    if let Some(error) = row.error {
        let style = if error.may_have_happened() { theme.doubt() } else { theme.failure() };
        let style = if matches!(row.state, RowState::Closed(_)) { Style::new() } else { style };
        sheet.prose(&error.what(), style);
        sheet.prose(&format!("hint: {}", error.hint()), Style::new());
        if let Some(id) = &error.ids.service {
            sheet.value("Service's id", &id.visible(), Theme::dim());
        }
        if let Some(id) = &error.ids.client {
            sheet.value("Call's id", id, Theme::dim());
        }
        sheet.lines.push(Line::default());
    }
    for note in notes(row, model) {
        sheet.prose(&note, theme.doubt());
    }
    for field in [Field::Ticket, Field::Device, Field::Title] {
        sheet.value(field.label(), &row.text(field), Style::new());
    }
    let category = format!("{} / {}", row.text(Field::Category), row.text(Field::Subcategory));
    sheet.value("Category", &category, Style::new());
    let state = format!("{} {}{}", theme.state_sign(row.state), row.state.word(), certainty(row.state));
    sheet.value("State", &state, theme.state(row.state));
    if let Some(request) = row.request {
        if let Some(created) = &request.created {
            sheet.value("Opened", &time(created, model), Style::new());
        }
        sheet.value("Opened by", &request.requested_by.visible(), Style::new());
        if let Some(closed) = &request.closed {
            sheet.value("Closed", &time(closed, model), Style::new());
        }
        sheet.value("Closed by", &request.closed_by.visible(), Style::new());
        sheet.value("Id", &request.id.text().visible(), Style::new());
        let viewers: Vec<_> = request.viewers.iter().map(Untrusted::visible).collect();
        sheet.value("Viewed by", &viewers.join(", "), Style::new());
    }
    if let Some(unsent) = row.unsent_text() {
        let lines = unsent.lines().iter().map(|line| mmd_elevate_core::visible(line).into_owned());
        let label = match row.state {
            RowState::Closed(Closure::StoredDifferently) => "Your text, as you typed it",
            RowState::Closed(Closure::PerhapsOurs) => "Your text, which the service may not have stored",
            _ => "Your text, which the service did not store",
        };
        sheet.text(label, lines);
    }
    let taken = |sheet: &mut Sheet| {
        let taken = row.request.map(|request| &request.actions_taken).filter(|taken| !taken.is_blank());
        if let Some(taken) = taken {
            sheet.text("Actions taken", taken.visible_lines().map(std::borrow::Cow::into_owned));
        }
    };
    // Two texts of one close stand side by side.
    let beside = row.unsent_text().is_some();
    if beside {
        taken(&mut sheet);
    }
    let stored = row.request.map(|request| request.plan_of_action.clone()).filter(|plan| !plan.is_blank());
    let typed = || Untrusted::new(row.draft.map_or("", |draft| draft.get(Field::PlanOfAction)));
    let plan = stored.unwrap_or_else(typed);
    sheet.text("Plan of action", plan.visible_lines().map(std::borrow::Cow::into_owned));
    if !beside {
        taken(&mut sheet);
    }
    sheet.lines
}

/// What is in doubt about the request, or what the agent should know of it.
fn notes(row: &Row<'_>, model: &Model) -> Vec<String> {
    let mut notes = Vec::new();
    match row.seen {
        Some((MatchResult::Possible(possible), _)) => {
            let count = counted(possible.len(), "request", "requests");
            let key = model.keymap.name(Scope::List, Action::Open);
            let decides =
                if row.state == RowState::Unknown { format!("; {key} on its row decides") } else { String::new() };
            notes.push(format!("{count} at the service may be it{decides}."));
        }
        Some((MatchResult::NotSeen | MatchResult::Found { .. }, at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            notes.push(format!("Not seen at {at}; that does not prove that it is not there."));
        }
        Some((MatchResult::Unclear(gaps), at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            notes.push(format!("Looked at {at}, and it may be there unseen: {}.", gaps.describe()));
            notes.extend(gaps.hint().map(|hint| format!("hint: {hint}")));
        }
        None => {}
    }
    match row.state.call().and_then(|call| model.calls.get(&call)?.progress.as_ref()) {
        Some(Progress::Waiting { until, attempt, error }) => {
            let at = local(*until, &model.time_zone, "%H:%M:%S");
            let key = model.keymap.name(Scope::Panes, Action::Abandon);
            notes.push(format!("{} It goes out again at {at}, attempt {attempt}; {key} abandons it.", error.what()));
        }
        Some(Progress::LookingFirst) => {
            notes.push("The service asked to wait. The device is listed before it goes out again.".to_owned());
        }
        Some(Progress::ReadingBack) => notes.push("The service took the close; it is being read back.".to_owned()),
        _ => {}
    }
    if let Some(accepted) = row.sent_close.filter(|_| row.state == RowState::Accepted) {
        let time = |at| local(at, &model.time_zone, "%H:%M");
        let key = model.keymap.name(Scope::Panes, Action::Refresh);
        notes.push(match (accepted.listed_open, accepted.accepted) {
            (Some(at), _) => format!(
                "The close was accepted, but the request is still listed as open at {}. {key} looks again; closing it once \
                 more is harmless.",
                time(at)
            ),
            (None, at) => format!(
                "The close was accepted{}, and no list has shown it yet: it counts as open until one does. {key} looks again.",
                at.map_or_else(String::new, |at| format!(" at {}", time(at)))
            ),
        });
    }
    if row.surplus {
        notes.push("Surplus: it equals another one, and counts against the device's limit.".to_owned());
    }
    if let Some(at) = row.unlisted {
        let at = local(at, &model.time_zone, "%H:%M:%S");
        notes.push(format!("The service did not list it at {at}."));
    }
    if let Some(why) = row.unread {
        notes.push(format!("The list could not be read: {}", why.what()));
        notes.push(format!("hint: {}", why.hint()));
    }
    notes
}

/// How sure it is that the request is in this state.
const fn certainty(state: RowState) -> &'static str {
    match state {
        RowState::Closed(Closure::Verified) => ", verified",
        RowState::Closed(Closure::StoredDifferently) => ", stored differently",
        RowState::Closed(Closure::PerhapsOurs) => ", perhaps by this program",
        RowState::Accepted => ", not yet visible",
        RowState::Closed(Closure::Elsewhere) => " elsewhere",
        RowState::Closed(Closure::Gone) => ": does not exist",
        RowState::Looking(_) => ", being looked for",
        _ => "",
    }
}

/// Local time and age; a time that no calendar holds is shown as it came.
fn time(time: &ServiceTime, model: &Model) -> String {
    time.at.map_or_else(
        || time.text.visible().into_owned(),
        |at| format!("{} ({} ago)", local(at, &model.time_zone, "%Y-%m-%d %H:%M"), age(at, model.now)),
    )
}
