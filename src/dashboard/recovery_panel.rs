//! `Recovery`: what the record has brought back, and what is known of it by now.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    Model, RowId, RowState, Subject,
    draw::{
        Columns, Theme, row_line, scroll,
        words::{columns, counted, fit},
    },
};
use crate::keys::{Action, Scope, Tab};
use mmd_elevate_core::{Field, visible};

/// In a wider row the eye loses the line.
const WIDEST: u16 = 100;

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, from: u16) -> u16 {
    let block = theme.panel("Recovery", "", true);
    let lines = lines(model, theme, usize::from(block.inner(area).width.min(WIDEST)));
    scroll::draw(frame, area, block, lines, from)
}

/// Rows stand in the columns of the list, with what is known of them by now.
fn lines(model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let recovery = &model.recovery;
    let columns = Columns::new(Tab::Mine, width);
    let heading = |text: String, about: &'static str| {
        Line::from(vec![Span::styled(text, Theme::bold()), Span::styled(about, Theme::dim())])
    };
    let rows = |ids: &[RowId]| -> Vec<_> {
        let rows = ids.iter().filter_map(|id| model.requests.get(*id));
        rows.map(|row| row_line(&row, None, false, model, theme, &columns)).collect()
    };
    let mut lines = vec![Line::raw("This is how you left it; everything is where it was."), Line::default()];
    if !recovery.unresolved.is_empty() {
        let mut of_rows = recovery.unresolved.iter().filter_map(|id| model.requests.get(*id));
        let about = if of_rows.any(|row| row.state.in_flight()) { "  looking up what came of it" } else { "" };
        let text = counted(recovery.unresolved.len(), "write had no answer", "writes had no answer");
        lines.push(heading(text, about));
        lines.extend(rows(&recovery.unresolved));
        lines.push(Line::default());
    }
    if !recovery.open.is_empty() {
        let asking = model.calls.values().any(|call| matches!(call.subject, Subject::Requests(_)));
        let about = if asking { "  asking the service" } else { "" };
        lines.push(heading(counted(recovery.open.len(), "request was open", "requests were open"), about));
        lines.extend(rows(&recovery.open));
        lines.push(Line::default());
    }
    if recovery.form || recovery.closes > 0 || !recovery.drafts.is_empty() {
        lines.push(heading("Typed and not sent".to_owned(), ""));
        if recovery.form {
            lines.push(form_line(model, theme, width));
        }
        lines.extend(rows(&recovery.drafts));
        if recovery.closes > 0 {
            let text =
                counted(recovery.closes, "close dialog has its text again", "close dialogs have their texts again");
            lines.push(Line::raw(format!("  {text}")));
        }
        lines.push(Line::default());
    }
    if recovery.others > 0 {
        let text = counted(recovery.others, "other dashboard uses", "other dashboards use");
        lines.push(Line::raw(format!("{text} this record; each has its own drafts.")));
        lines.push(Line::default());
    }
    let key = model.keymap.name(Scope::Recovery, Action::Back);
    lines.push(Line::from(vec![Span::styled(key, theme.accent()), Span::raw(" goes on to the dashboard.")]));
    lines
}

/// The form's draft, which has no row.
fn form_line(model: &Model, theme: &Theme, width: usize) -> Line<'static> {
    let draft = model.form.draft();
    let cells = [Field::Ticket, Field::Device, Field::Title].map(|field| visible(draft.get(field)).into_owned());
    let state = format!("  {} in the form", theme.state_sign(RowState::Draft));
    let text = fit(&format!("  {}", cells.join("  ")), width.saturating_sub(columns(&state)));
    Line::from(vec![Span::raw(text), Span::styled(state, theme.state(RowState::Draft))])
}
