//! What the record has brought back, since when, and what is known of it by now. The keys of a row act on the one that is chosen.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use jiff::Timestamp;

use super::{
    Model, Notice, Recovery, RowId, RowState, Subject,
    draw::{
        Columns, Theme, row_line, scroll,
        words::{age, columns, counted, fit, local},
    },
};
use crate::keys::{Action, Motion, Scope, Tab};
use mmd_elevate_core::{Field, Left, visible};

/// In a wider row the eye loses the line.
const WIDEST: u16 = 100;

/// The panel: which row is chosen, and how far it is scrolled where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryPanel {
    /// The chosen row.
    pub(super) chosen: Option<RowId>,
    /// In lines.
    pub(super) scroll: u16,
}

impl RecoveryPanel {
    pub(super) fn new(model: &Model) -> Self {
        Self { chosen: model.recovery.rows().next(), scroll: 0 }
    }

    /// The chosen row. Where it has become another one, as a create that was found in the list, the first row is.
    pub(super) fn chosen(&self, model: &Model) -> Option<RowId> {
        let mut rows = model.recovery.rows().filter(|row| model.requests.get(*row).is_some());
        self.chosen.filter(|chosen| rows.any(|row| row == *chosen)).or_else(|| model.recovery.rows().next())
    }
}

/// Chooses among the rows. Returns whether there was one to go to: else the panel is scrolled.
pub(super) fn choose(model: &mut Model, motion: Motion) -> bool {
    let rows: Vec<_> = model.recovery.rows().filter(|row| model.requests.get(*row).is_some()).collect();
    let Some(super::Overlay::Recovery(panel)) = model.overlays.last() else { return false };
    let chosen = panel.chosen(model);
    let at = rows.iter().position(|row| Some(*row) == chosen);
    let to = match (motion, at) {
        (Motion::Down, Some(at)) => at + 1,
        (Motion::Up, Some(at)) if at > 0 => at - 1,
        (Motion::Down | Motion::Up, None) => 0,
        _ => return false,
    };
    let Some(row) = rows.get(to) else { return false };
    if let Some(super::Overlay::Recovery(panel)) = model.overlays.last_mut() {
        panel.chosen = Some(*row);
    }
    true
}

/// When the record was left, as it is told: "yesterday 17:42", "Nov 20 17:42".
fn moment(model: &Model, at: Timestamp) -> String {
    let day = |at: Timestamp| at.to_zoned(model.time_zone.clone()).date();
    let time = local(at, &model.time_zone, "%H:%M");
    match day(model.now) {
        today if today == day(at) => time,
        today if today.yesterday().is_ok_and(|yesterday| yesterday == day(at)) => format!("yesterday {time}"),
        _ => local(at, &model.time_zone, "%b %d %H:%M"),
    }
}

/// What waits after a plain leave, in a line.
pub(super) fn describe(model: &Model) -> Option<Notice> {
    let Recovery { open, drafts, form, closes, left, .. } = &model.recovery;
    let Some(Left::Plainly(at)) = left else { return None };
    let parts = [
        (open.len(), "request is open", "requests are open"),
        (drafts.len() + usize::from(*form), "draft waits", "drafts wait"),
        (*closes, "close dialog has its text", "close dialogs have their texts"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
    if parts.is_empty() {
        return None;
    }
    let notice = Notice::info(format!("Since you left, {}: {}", moment(model, *at), parts.join(", ")));
    let key = model.keymap.name(Scope::Panes, Action::NewRequest);
    Some(if *form { notice.hint(format!("{key} goes on with the draft")) } else { notice })
}

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, panel: &RecoveryPanel) -> u16 {
    let ago = |at: Timestamp| format!("{} ago", age(at, model.now));
    let (title, right) = match model.recovery.left {
        Some(Left::Plainly(at)) => (format!("Since you left, {}", moment(model, at)), ago(at)),
        Some(Left::Died(Some(at))) => (format!("The program did not end by itself, {}", moment(model, at)), ago(at)),
        Some(Left::Died(None)) => ("The program did not end by itself".to_owned(), String::new()),
        None => ("Recovery".to_owned(), String::new()),
    };
    let block = theme.panel(&title, &right, true);
    let inner = block.inner(area);
    let (lines, chosen) = lines(model, theme, usize::from(inner.width.min(WIDEST)), panel);
    // What is chosen is in sight.
    let first = chosen.map(|at| u16::try_from(at).unwrap_or(u16::MAX));
    let from = first.map_or(panel.scroll, |at| {
        panel.scroll.min(at.saturating_sub(1)).max(at.saturating_add(1).saturating_sub(inner.height))
    });
    scroll::draw(frame, area, block, lines, from)
}

/// Rows stand in the columns of the list, with what is known of them by now. Returns the place of the chosen one too.
fn lines(model: &Model, theme: &Theme, width: usize, panel: &RecoveryPanel) -> (Vec<Line<'static>>, Option<usize>) {
    let recovery = &model.recovery;
    let columns = Columns::new(Tab::Mine, width);
    let heading = |text: String, about: &'static str| {
        Line::from(vec![Span::styled(text, Theme::bold()), Span::styled(about, Theme::dim())])
    };
    let (chosen_row, mut chosen) = (panel.chosen(model), None);
    let mut lines = vec![Line::raw("This is how you left it; everything is where it was.")];
    if model.read_only {
        lines.push(Line::raw("It is only looked at: the next dashboard that is not read-only takes it up."));
    }
    lines.push(Line::default());
    let mut add = |lines: &mut Vec<Line<'static>>, ids: &[RowId]| {
        for row in ids.iter().filter_map(|id| model.requests.get(*id)) {
            let is_chosen = chosen_row == Some(row.id);
            if is_chosen {
                chosen = Some(lines.len());
            }
            lines.push(row_line(&row, is_chosen.then_some(true), false, model, theme, &columns));
        }
    };
    if !recovery.unresolved.is_empty() {
        let mut of_rows = recovery.unresolved.iter().filter_map(|id| model.requests.get(*id));
        let about = if of_rows.any(|row| row.state.in_flight()) { "  looking up what came of it" } else { "" };
        let text = counted(recovery.unresolved.len(), "write had no answer", "writes had no answer");
        lines.push(heading(text, about));
        add(&mut lines, &recovery.unresolved);
        lines.push(Line::default());
    }
    let open: Vec<_> = recovery.only_open().collect();
    if !open.is_empty() {
        let asking = model.calls.values().any(|call| matches!(call.subject, Subject::Requests(_)));
        let about = if asking { "  asking the service" } else { "" };
        lines.push(heading(counted(open.len(), "request was open", "requests were open"), about));
        add(&mut lines, &open);
        lines.push(Line::default());
    }
    if recovery.form || recovery.closes > 0 || !recovery.drafts.is_empty() {
        lines.push(heading("Typed and not sent".to_owned(), ""));
        if recovery.form {
            lines.push(form_line(model, theme, width));
        }
        add(&mut lines, &recovery.drafts);
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
    (lines, chosen)
}

/// The form's draft, which has no row.
fn form_line(model: &Model, theme: &Theme, width: usize) -> Line<'static> {
    let draft = model.form.draft();
    let cells = [Field::Ticket, Field::Device, Field::Title].map(|field| visible(draft.get(field)).into_owned());
    let state = format!("  {} in the form", theme.state_sign(RowState::Draft));
    let text = fit(&format!("  {}", cells.join("  ")), width.saturating_sub(columns(&state)));
    Line::from(vec![Span::raw(text), Span::styled(state, theme.state(RowState::Draft))])
}
