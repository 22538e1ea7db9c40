//! What a text loses on its way into a field: characters that a paste may not bring, and blanks around a line whose field
//! is left. The agent is told.

use super::{Model, Notice, Pane, text_field::Dropped};
use mmd_elevate_core::{Field, invisible_characters, is_edge_blank};

/// The form's field that is being filled in, also while an overlay has the keys.
pub(super) fn field_in_focus(model: &Model) -> Option<Field> {
    (model.pane == Pane::Form && model.form.sending().is_none()).then_some(model.form.focused)
}

/// Drops the blanks around the field that had the focus, if it has been left. A notice says so unless another notice came
/// meanwhile; `before` is the notice that stood before.
pub(super) fn trim_left_field(model: &mut Model, had_focus: Option<Field>, before: Option<&Notice>) {
    if let Some(field) = had_focus.filter(|field| field_in_focus(model) != Some(*field))
        && model.form.trim(field)
        && model.notice.as_ref() == before
    {
        model.notice = Some(Notice::info(format!("{}: the blanks around the text are dropped", field.label())));
    }
}

/// Says what was dropped from a text, and how much of it cannot be seen. `source` names where the text came from.
pub(super) fn report_dropped(model: &mut Model, text: &str, dropped: Dropped, source: &str) {
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
        model.notice = Some(Notice::info(format!("{} dropped from the {source}", what.join(" and "))));
    }
    if hidden > 0 && dropped.controls == 0 {
        let text = format!("The {source} holds {hidden} character{} that cannot be seen", plural(hidden));
        model.notice = Some(Notice::info(text).hint("they are sent as they are; retype the text to remove them"));
    }
}
