//! A text that the service did not store, put before the agent.

use ratatui::{Frame, layout::Rect};

use super::{
    Closure, Model, Overlay, RowId, RowState,
    draw::{Theme, draw_question},
};
use mmd_elevate_core::{CallError, visible};

/// Puts a text that was not stored before the agent, but never between two keys of something being typed.
pub(super) fn show(model: &mut Model) {
    if !model.overlays.is_empty() || model.takes_text() {
        return;
    }
    while let Some(id) = model.unsent.pop_front() {
        if model.requests.get(id).and_then(|row| row.unsent_text()).is_some() {
            model.overlays.push(Overlay::Unsent(id));
            return;
        }
    }
}

/// Draws the text, and why it was not stored.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, id: RowId) {
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
    draw_question(frame, area, model, theme, title, &texts, &lines);
}
