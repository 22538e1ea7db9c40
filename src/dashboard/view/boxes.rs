//! What is drawn over the panes: the close dialog, and the questions.

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Clear, Paragraph},
};

use super::{
    Theme,
    words::{counted, cut, local, wrap},
};
use crate::dashboard::{Closure, Model, Row, RowId, RowState, TextField};
use mmd_elevate_core::{CallError, ErrorCode, Field, MatchResult, visible};

/// Draws an empty frame in the middle of the area. Returns the room in it.
fn draw_frame(frame: &mut Frame, area: Rect, theme: &Theme, title: &str, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let area = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let block = theme.pane(title, "", true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// Ticket, device and title: what the dialog is about.
fn target(row: &Row<'_>, width: usize) -> Vec<Line<'static>> {
    [Field::Ticket, Field::Device, Field::Title]
        .map(|field| {
            let value = cut(&row.text(field), width.saturating_sub(13));
            Line::from(vec![Span::styled(format!("{:<13}", field.label()), Theme::dim()), Span::raw(value)])
        })
        .to_vec()
}

pub(super) fn close(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId, problem: Option<&str>) {
    let Some(row) = model.requests.get(id) else { return };
    let inner = draw_frame(frame, area, theme, "Close request", 78, 18);
    let width = usize::from(inner.width);
    let mut lines = target(&row, width);
    if let Some(error) = row.error {
        let style = if error.may_have_happened() { theme.doubt() } else { theme.failure() };
        lines.push(Line::styled(cut(&error.what(), width), style));
    }
    lines.push(Line::default());
    let label = Span::styled("Actions taken", theme.accent());
    lines.push(match problem {
        Some(problem) => {
            Line::from(vec![label, Span::raw("  "), Span::styled(theme.problem(problem), theme.failure())])
        }
        None => Line::from(label),
    });
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let [above, below] = Layout::vertical([Constraint::Length(used), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(lines), above);
    let [_, text] = Layout::horizontal([Constraint::Length(1), Constraint::Fill(1)]).areas(below);
    match row.actions_taken {
        Some(field) if !text.is_empty() => draw_text(frame, text, field),
        _ => frame.set_cursor_position((text.x, text.y)),
    }
}

fn draw_text(frame: &mut Frame, area: Rect, field: &TextField) {
    frame.render_widget(field.widget(), area);
    if let Some(cursor) = field.widget().rendered_cursor_position() {
        frame.set_cursor_position(cursor);
    }
}

pub(super) fn quit(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let some = |count, one, many| (counted(count, one, many), if count == 1 { "it" } else { "them" });
    let remains = model.remains();
    let mut texts = Vec::new();
    if remains.open > 0 {
        let (what, them) = some(remains.open, "request is open", "requests are open");
        texts.push(format!("{what}. Left open, the next start shows {them}, and the service keeps what it grants."));
    }
    if remains.accepted > 0 {
        let (one, many) = ("close was accepted and is not visible yet", "closes were accepted and are not visible yet");
        let (what, them) = some(remains.accepted, one, many);
        texts.push(format!("{what}: what is not seen closed counts as open. The next start looks at {them} again."));
    }
    if remains.in_flight > 0 {
        let (what, them) = some(remains.in_flight, "call is under way", "calls are under way");
        texts.push(format!("{what}. Leaving does not wait for {them}; the next start looks up what came of {them}."));
    }
    if remains.unknown > 0 {
        let what = counted(remains.unknown, "request may or may not be open", "requests may or may not be open");
        texts.push(format!("{what}. The next start looks again."));
    }
    if remains.drafts > 0 {
        let what = counted(remains.drafts, "draft", "drafts");
        texts.push(format!("{what} would be lost: the record does not take what is typed."));
    }
    notice_box(frame, area, model, theme, "Leave?", &texts, &[]);
}

pub(super) fn unsent(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    let Some(field) = row.unsent_text() else { return };
    let not_stored = "The service did not store what you typed:";
    let (title, stored) = match row.state {
        RowState::Closed(Closure::Gone) => ("Does not exist", not_stored),
        RowState::Closed(Closure::Elsewhere) => ("Closed elsewhere", not_stored),
        RowState::Closed(Closure::Verified) => {
            ("Closed", "The service stored an earlier text, not what you typed since:")
        }
        RowState::Closed(Closure::StoredDifferently) => {
            ("Closed, stored differently", "The service stored your text in another form. This is what you typed:")
        }
        RowState::Closed(Closure::PerhapsOurs) => (
            "Closed, perhaps by this program",
            "The text that the service stored differs from yours. This is what you typed:",
        ),
        _ => ("Already closed", not_stored),
    };
    let mut what = row.error.map_or_else(String::new, CallError::what);
    if let Some(request) = row.request.filter(|request| request.closed.is_some()) {
        what.push_str(&format!(" Closed by {}.", model.closer(request)));
    }
    let texts = [format!("{}: {}", row.name(), what.trim()), stored.to_owned()];
    let lines: Vec<_> = field.lines().iter().map(|line| visible(line).into_owned()).collect();
    notice_box(frame, area, model, theme, title, &texts, &lines);
}

pub(super) fn unknown(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId, chosen: usize) {
    let Some(row) = model.requests.get(id) else { return };
    // Of what another run has sent no more is known than that it ended first.
    let ended_first =
        |error: &&CallError| error.code == Some(ErrorCode::Crashed) && model.recovery.unresolved.contains(&id);
    let what = match row.error.filter(|error| !ended_first(error)) {
        Some(error) => error.what(),
        None => "The program ended before an answer came.".to_owned(),
    };
    let mut texts = vec![format!("{}: {what}", row.name())];
    texts.push(match row.seen {
        None => "It may have been opened all the same.".to_owned(),
        Some((seen, at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            match seen {
                MatchResult::Possible(_) => format!("Seen at {at}, and perhaps it; you decide:"),
                MatchResult::Found { .. } | MatchResult::NotSeen => {
                    format!("Not seen at {at}. That does not prove that it is not there.")
                }
                MatchResult::Unclear(gaps) => {
                    let hint = gaps.hint().map_or_else(String::new, |hint| format!(" (hint: {hint})"));
                    format!("Looked at {at}, and it may be there unseen: {}{hint}.", gaps.describe())
                }
            }
        }
    });
    let lines = row.possible().iter().enumerate().map(|(index, request)| {
        let created = request.created.as_ref().map_or_else(String::new, |created| match created.at {
            Some(at) => local(at, &model.time_zone, "%Y-%m-%d %H:%M"),
            None => created.text.visible().into_owned(),
        });
        let listed = if request.closed.is_some() { "closed" } else { "open" };
        let state = model.requests.find(&request.id).map_or(listed, |row| row.state.word());
        let mark = if index == chosen { ">" } else { " " };
        format!("{mark} {created} {state}, {}, by {}", request.title.visible(), request.requested_by.visible())
    });
    notice_box(frame, area, model, theme, "Outcome unknown", &texts, &lines.collect::<Vec<_>>());
}

pub(super) fn send_again(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
    let Some(row) = model.requests.get(id) else { return };
    let texts = [
        format!("{}: {}", row.name(), row.text(Field::Title)),
        "The first may be open without having been seen. Then this opens a second one, which counts against the device's \
         limit and leaves a person an administrator until somebody closes it."
            .to_owned(),
    ];
    notice_box(frame, area, model, theme, "Send again?", &texts, &[]);
}

/// The keys of the box, each with what it does, on as many lines as they need.
fn keys(model: &Model, theme: &Theme, columns: usize) -> Vec<Line<'static>> {
    let scope = model.scopes()[..1].to_vec();
    let mut lines: Vec<Line> = vec![Line::default()];
    for (binding, keys) in model.keymap.reachable(&scope) {
        let Some(label) = binding.footer.filter(|_| model.unavailable(binding.action).is_none()) else { continue };
        let (key, label) = (Span::styled(keys[0].to_string(), theme.accent()), format!(" {label}   "));
        if lines.last().is_some_and(|line| line.width() + key.width() + label.trim_end().len() > columns) {
            lines.push(Line::default());
        }
        if let Some(line) = lines.last_mut() {
            line.push_span(key);
            line.push_span(Span::raw(label));
        }
    }
    lines
}

/// A box that says something, shows a text, and names its keys in the last lines.
fn notice_box(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    title: &str,
    texts: &[String],
    shown: &[String],
) {
    let width = area.width.min(72);
    let columns = usize::from(width.saturating_sub(4)).max(1);
    let wrap = |text: &String| wrap(text, columns).into_iter().map(Cow::into_owned).collect::<Vec<_>>();
    let mut lines: Vec<Line> = texts.iter().flat_map(wrap).map(Line::from).collect();
    if !shown.is_empty() {
        lines.push(Line::default());
        lines.extend(shown.iter().flat_map(wrap).map(Line::from));
    }
    let keys = keys(model, theme, columns);
    let rows = |lines: &[Line]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = rows(&lines).saturating_add(rows(&keys)).saturating_add(3);
    let inner = draw_frame(frame, area, theme, title, width, height);
    let [above, last] = Layout::vertical([Constraint::Fill(1), Constraint::Length(rows(&keys))]).areas(inner);
    let room = usize::from(above.height.saturating_sub(1));
    if lines.len() > room && room > 0 {
        lines.truncate(room - 1);
        lines.push(Line::styled("…", Theme::dim()));
    }
    lines.truncate(room);
    frame.render_widget(Paragraph::new(lines), above);
    frame.render_widget(Paragraph::new(keys), last);
}
