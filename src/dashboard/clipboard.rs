//! What is copied, and what is said of a copy.

use super::{CopiedTo, Effect, Model, Notice, Overlay, Row};
use mmd_elevate_core::{Field, visible};

/// How much of a copied text a notice shows, in characters.
const LONGEST_SHOWN: usize = 24;

/// Copies the id of the selected request.
pub(super) fn copy_id(model: &Model) -> Vec<Effect> {
    let id = model.row_in_focus().and_then(|id| model.requests.get(id)?.request_id());
    id.map(|id| Effect::Copy(id.text().visible().into_owned())).into_iter().collect()
}

/// Copies a line about the selected row for the ticket.
pub(super) fn copy_line(model: &Model) -> Vec<Effect> {
    let row = model.row_in_focus().and_then(|id| model.requests.get(id));
    row.map(|row| Effect::Copy(ticket_line(&row))).into_iter().collect()
}

/// Copies the text that was not stored as it was typed, with a visible mark for what a terminal would act on.
pub(super) fn copy_unsent(model: &Model) -> Vec<Effect> {
    let row = match model.overlays.last() {
        Some(Overlay::Unsent(id)) => model.requests.get(*id),
        _ => model.requests.selected(),
    };
    let Some(text) = row.and_then(|row| row.unsent_text()) else { return Vec::new() };
    let lines: Vec<_> = text.lines().iter().map(|line| visible(line)).collect();
    vec![Effect::Copy(lines.join("\n"))]
}

/// A line about a row, with times in UTC as everything that leaves the program.
fn ticket_line(row: &Row<'_>) -> String {
    let mut line = [Field::Ticket, Field::Device, Field::Title].map(|field| row.text(field).into_owned()).join(" · ");
    if let Some(request) = row.request {
        line.push_str(&format!(" · {}", request.id.text().visible()));
        if let Some(created) = &request.created {
            line.push_str(&format!(" · opened {}", created.text.visible()));
        }
    }
    line.push_str(&format!(" · {}", row.state.word()));
    line
}

/// Says what was copied, its beginning only, and where it went as far as that is known.
pub(super) fn notice(to: CopiedTo, text: &str) -> Notice {
    described(to, text, LONGEST_SHOWN)
}

/// The same with so many characters of the text.
pub(super) fn described(to: CopiedTo, text: &str, longest: usize) -> Notice {
    let mut shown: String = text.chars().take_while(|c| *c != '\n').take(longest).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let shown = visible(&shown);
    match to {
        CopiedTo::Terminal => Notice::info(format!("Sent to the terminal: {shown}")),
        CopiedTo::TmuxAndTerminal => Notice::info(format!("Sent to tmux and the terminal: {shown}")),
        CopiedTo::Tmux => Notice::info(format!("Sent to tmux: {shown}"))
            .hint("tmux pastes it, and has not handed it on to the terminal"),
    }
}
