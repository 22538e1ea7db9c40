//! What is not taken of a paste, and blanks around a line that are dropped when its field is left: the agent is told.

use super::{Model, Notice, Pane, text_field::Dropped};
use mmd_elevate_core::{Field, invisible_characters, is_edge_blank};

/// The field that is being filled in, whatever stands before it for a moment.
pub(super) fn field_in_focus(model: &Model) -> Option<Field> {
    (model.pane == Pane::Form && model.form.sending().is_none()).then_some(model.form.focused)
}

/// Drops the blanks around the field that had the focus, where it has been left. That is told unless something else was
/// meanwhile; `told` is the notice before.
pub(super) fn leave(model: &mut Model, had_focus: Option<Field>, told: Option<&Notice>) {
    if let Some(field) = had_focus.filter(|field| field_in_focus(model) != Some(*field))
        && model.form.leave(field)
        && model.notice.as_ref() == told
    {
        model.notice = Some(Notice::info(format!("{}: the blanks around the text are dropped", field.label())));
    }
}

/// Says what was taken out of a text that came from there, and what is in it that nobody sees.
pub(super) fn tell(model: &mut Model, text: &str, dropped: Dropped, whence: &str) {
    let text = text.trim_matches(is_edge_blank);
    let hidden =
        invisible_characters(text).saturating_sub(text.chars().filter(|c| c.is_control() && *c != '\n').count());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}{}", plural(count)));
    let what = [
        count(dropped.controls, "control character"),
        count(dropped.line_ends, "line end"),
        dropped.blanks.then(|| "blanks around the text".to_owned()),
    ];
    let what: Vec<_> = what.into_iter().flatten().collect();
    if !what.is_empty() {
        model.notice = Some(Notice::info(format!("{} dropped from the {whence}", what.join(" and "))));
    }
    if hidden > 0 && dropped.controls == 0 {
        let text = format!("The {whence} holds {hidden} character{} that cannot be seen", plural(hidden));
        model.notice = Some(Notice::info(text).hint("they are sent as they are; retype the text to be rid of them"));
    }
}
