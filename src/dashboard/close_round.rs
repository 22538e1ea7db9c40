//! Closing several requests, one dialog after the other: each with a text of its own, or all with one.

use ratatui::text::{Line, Span};

use super::{
    CloseDialog, Effect, Model, Notice, Overlay, RowId, RowState, TextField, close, drafts,
    draw::{
        Theme,
        words::{counted, cut, fit},
    },
};
use mmd_elevate_core::Field;

/// How wide a ticket and a device are among the requests that one text closes.
const CELLS: [usize; 2] = [13, 17];

/// How many requests that were not closed are named.
const NAMED: usize = 3;

/// The requests that are closed one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseRound {
    rows: Vec<RowId>,
    /// Which of them the dialog is about.
    at: usize,
    /// Whether one text closes them all.
    one_text: bool,
}

impl Model {
    /// The number of the dialog that is shown of several, and how many there are.
    #[must_use]
    pub fn close_turn(&self) -> Option<(usize, usize)> {
        self.round.as_ref().map(|round| (round.at + 1, round.rows.len()))
    }

    /// The requests that one text closes, if one closes several.
    #[must_use]
    pub fn closed_with_one_text(&self) -> Option<Vec<RowId>> {
        let round = self.round.as_ref().filter(|round| round.one_text)?;
        Some(round.rows.iter().copied().filter(|row| is_to_close(self, *row)).collect())
    }
}

fn is_to_close(model: &Model, row: RowId) -> bool {
    model.requests.get(row).is_some_and(|row| row.state.is_open())
}

/// Begins to close these requests: what cannot be closed is left out, and said.
pub(super) fn begin(model: &mut Model, rows: Vec<RowId>) {
    let count = rows.len();
    let rows: Vec<_> = rows.into_iter().filter(|row| is_to_close(model, *row)).collect();
    if rows.len() < count {
        let left_out = count - rows.len();
        let what = if left_out == 1 { "of them is not open" } else { "of them are not open" };
        model.notice = Some(Notice::info(format!("{left_out} {what}, and left out")));
    }
    let Some(first) = rows.first().copied() else { return };
    model.round = (rows.len() > 1).then_some(CloseRound { rows, at: 0, one_text: false });
    close::open_dialog(model, first);
}

/// The dialog is left: what was typed is kept, and nothing comes after it.
pub(super) fn leave(model: &mut Model) {
    model.round = None;
}

/// Goes to the next blank of a template in the text, or else to the next request.
pub(super) fn fill_in_or_skip(model: &mut Model) {
    let Some(Overlay::Close(dialog)) = model.overlays.last() else { return };
    let row = dialog.row;
    if !model.requests.actions_taken(row).is_some_and(TextField::select_next_blank) {
        skip(model, true);
    }
}

/// Goes to the next request that is to be closed, or to the one before; behind the last stands the first.
pub(super) fn skip(model: &mut Model, forward: bool) {
    let Some(CloseRound { rows, at, .. }) = model.round.clone() else { return };
    let count = rows.len();
    let step = |by: usize| if forward { (at + by) % count } else { (at + count - by) % count };
    let next = (1..count).map(step).find(|at| is_to_close(model, rows[*at]));
    if let Some(next) = next {
        show(model, next);
    }
}

/// Closes the dialog's request if there is a dialog, and shows that of the request at this place.
fn show(model: &mut Model, at: usize) {
    let Some(round) = &mut model.round else { return };
    round.at = at;
    let row = round.rows[at];
    if matches!(model.overlays.last(), Some(Overlay::Close(_))) {
        model.overlays.pop();
    }
    close::open_dialog(model, row);
}

/// One text for all, or a text each. What closes several is asked anew.
pub(super) fn toggle_one_text(model: &mut Model) {
    let Some(round) = &mut model.round else { return };
    round.one_text = !round.one_text;
    if let Some(Overlay::Close(dialog)) = model.overlays.last_mut() {
        *dialog = CloseDialog::new(dialog.row);
    }
}

/// Closes the dialog's request and goes on to the next one, or closes all with its text.
pub(super) fn submit(model: &mut Model, row: RowId) -> Vec<Effect> {
    let Some(text) = close::text_to_send(model, row) else { return Vec::new() };
    let rows = model.closed_with_one_text().unwrap_or_else(|| vec![row]);
    model.overlays.pop();
    model.notice = None;
    let mut effects = Vec::new();
    for id in rows {
        // A text of its own stays with its request, and closes it.
        let own = model.requests.actions_taken(id).map(|field| {
            if field.is_blank() {
                field.replace(&text);
            }
            field.text()
        });
        if let Some(own) = own.filter(|_| is_to_close(model, id)) {
            effects.extend(close::send(model, id, own));
            if model.round.is_some() && !model.leaving.closes_all {
                model.closed_together.push(id);
            }
        }
    }
    let next = model
        .round
        .as_ref()
        .and_then(|round| (round.at + 1..round.rows.len()).find(|at| is_to_close(model, round.rows[*at])));
    match next {
        Some(next) => show(model, next),
        None => leave(model),
    }
    drafts::save(model, true).into_iter().chain(effects).collect()
}

/// Says what became of all of them, once that is known of each.
pub(super) fn tell_result(model: &mut Model) {
    let rows = &model.closed_together;
    let state = |row: &RowId| model.requests.get(*row).map(|row| row.state);
    let is_under_way = |row: &RowId| matches!(state(row), Some(RowState::Closing(_)));
    if rows.is_empty() || model.round.is_some() || rows.iter().any(is_under_way) {
        return;
    }
    let rows = std::mem::take(&mut model.closed_together);
    let is_done =
        |row: &&RowId| matches!(model.requests.get(**row).map(|row| row.state), None | Some(RowState::Closed(_)));
    let (done, rest): (Vec<RowId>, Vec<RowId>) = rows.iter().copied().partition(|row| is_done(&row));
    if rows.len() < 2 {
        return;
    }
    let all = counted(rows.len(), "request", "requests");
    if rest.is_empty() {
        model.notice = Some(Notice::success(format!("{all} closed")));
        return;
    }
    let mut names: Vec<_> = rest.iter().take(NAMED).map(|row| model.requests.name(*row)).collect();
    if rest.len() > NAMED {
        names.push(format!("{} more", rest.len() - NAMED));
    }
    let text = format!("{} of {all} closed; not seen closed: {}", done.len(), names.join(", "));
    model.notice = Some(Notice::doubt(text).hint("each row says why; its text is kept"));
}

/// The requests that one text closes, in at most so many lines.
pub(super) fn lines(model: &Model, theme: &Theme, rows: &[RowId], width: usize, most: usize) -> Vec<Line<'static>> {
    let one = |id: &RowId| {
        let row = model.requests.get(*id)?;
        let [ticket, device] = CELLS;
        let text = format!(
            "{}{}",
            fit(&cut(&row.text(Field::Ticket), ticket - 1), ticket),
            fit(&cut(&row.text(Field::Device), device - 1), device)
        );
        let has_own = row.actions_taken.is_some_and(|text| !text.is_blank());
        let is_shown =
            model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Close(dialog) if dialog.row == *id));
        let keeps_own = has_own && !is_shown;
        let about = match (keeps_own, row.mine) {
            (true, _) => "keeps its own text".to_owned(),
            (false, false) => format!("by {}, a colleague", model.opener(&row)),
            (false, true) => row.text(Field::Title).into_owned(),
        };
        let style = if row.mine && !keeps_own { Theme::dim() } else { theme.doubt() };
        let room = width.saturating_sub(ticket + device);
        Some(Line::from(vec![Span::raw(cut(&text, width)), Span::styled(cut(&about, room), style)]))
    };
    let mut lines: Vec<_> = rows.iter().take(most).filter_map(one).collect();
    if rows.len() > most && most > 0 {
        let first = rows.first().map_or_else(String::new, |row| model.requests.name(*row));
        lines.truncate(most - 1);
        lines.push(match most {
            1 => Line::raw(cut(&format!("{first} and {} more", rows.len() - 1), width)),
            _ => Line::styled(format!("and {} more", rows.len() - (most - 1)), Theme::dim()),
        });
    }
    lines
}
