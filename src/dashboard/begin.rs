//! Where a draft begins: empty, like another request, from a paste, or from a row in which it waits. Nothing replaces the draft
//! that is in the form: it waits in a row of Mine.

use super::{CreateAttempt, CreateState, Effect, Form, Model, Notice, Pane, RowId, guard, intake, leaving};
use crate::keys::{Action, Scope};
use mmd_elevate_core::{Draft, Field, visible};

/// Goes to the form: to the draft that is there, or to an empty one.
pub(super) fn new_request(model: &mut Model) {
    // Who begins another request on the way out stays.
    leaving::stay(model);
    if model.form.sending().is_some() {
        // The draft that is being sent lives in its row: another can begin.
        model.form.replace_with(Form::default());
    } else if model.form.problem(model.form.focused).is_none() {
        model.form.focus(Field::Ticket);
    }
    model.pane = Pane::Form;
}

/// Begins a draft with the title, the categories and the plan of the selected request: the same work for another ticket.
pub(super) fn like_selected(model: &mut Model) {
    let Some(row) = model.requests.selected() else { return };
    let mut draft = Draft::default();
    for field in [Field::Title, Field::Category, Field::Subcategory, Field::PlanOfAction] {
        let stored = row.request.map(|request| request.text(field).raw()).filter(|text| !text.is_empty());
        let typed = row.draft.map_or("", |draft| draft.get(field));
        draft.set(field, stored.unwrap_or(typed));
    }
    let text = format!("Like the request for {}, for another ticket and device", row.name());
    begin(model, &draft, Field::Ticket, text);
}

/// Begins a draft with what is recognized in a paste that no text has taken. It sends nothing but the question what is open
/// on the device.
pub(super) fn from_paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let found = intake::recognize(text, &model.patterns, &model.devices);
    let named: Vec<_> = found
        .fields()
        .into_iter()
        .map(|(field, text)| format!("{} {}", field.label().to_lowercase(), visible(text)))
        .collect();
    if named.is_empty() {
        let key = model.keymap.name(Scope::Panes, Action::NewRequest);
        model.notice = Some(
            Notice::info("Neither a ticket nor a device was recognized in the paste")
                .hint(format!("{key} goes to the form, whose fields take any text")),
        );
        return Vec::new();
    }
    let mut draft = Draft::default();
    for (field, text) in found.fields() {
        draft.set(field, text);
    }
    let focus = Field::ALL.into_iter().find(|field| draft.get(*field).is_empty()).unwrap_or(Field::Ticket);
    begin(model, &draft, focus, format!("From the paste: {}", named.join(", ")));
    guard::ask_about_form(model).into_iter().collect()
}

/// Takes the draft of a row into the form. The row goes.
pub(super) fn take_up(model: &mut Model, id: RowId) {
    if model.form_row == Some(id) {
        return new_request(model);
    }
    let name = model.requests.name(id);
    let Some(create) = model.requests.remove_create(id) else { return };
    let waits = set_aside(model);
    let mut form = Form::from_draft(&create.draft);
    form.focus(Field::Ticket);
    model.notice = waits.map(|name| Notice::info(format!("The draft for {name} waits in Mine")));
    if let Some(error) = create.error {
        model.notice = Some(Notice::from_error(&format!("Not opened for {name}"), &error));
        form.show_refusal(&error);
    }
    model.form.replace_with(form);
    model.pane = Pane::Form;
}

/// Puts another draft into the form, and says so.
fn begin(model: &mut Model, draft: &Draft, focus: Field, text: String) {
    leaving::stay(model);
    let notice = Notice::info(text);
    model.notice = Some(match set_aside(model) {
        Some(name) => notice.hint(format!("nothing was sent; the draft for {name} waits in Mine")),
        None => notice.hint("nothing was sent"),
    });
    let mut form = Form::from_draft(draft);
    form.focus(focus);
    model.form.replace_with(form);
    model.pane = Pane::Form;
}

/// The draft in the form waits in a row of its own from here on. Returns what that is called, if there is a draft.
fn set_aside(model: &mut Model) -> Option<String> {
    if !model.form.holds_text() {
        return None;
    }
    show_form_draft(model, true);
    let (row, now) = (model.form_row.take()?, model.now);
    // From here on it is saved as a draft of its own.
    model.requests.change_create(row, |create| create.since = now);
    model.form.replace_with(Form::default());
    Some(model.requests.name(row))
}

/// Keeps the row in which the form's draft stands in Mine as long as it `waits`.
fn show_form_draft(model: &mut Model, waits: bool) {
    match model.form_row.filter(|row| model.requests.get(*row).is_some()) {
        None if waits => {
            let create = CreateAttempt::new(model.form.draft(), CreateState::Draft, model.now);
            model.form_row = Some(model.requests.add_create(create));
        }
        Some(row) if waits => {
            let draft = model.form.draft();
            if model.requests.get(row).is_some_and(|row| row.draft != Some(&draft)) {
                model.requests.change_create(row, |create| create.draft = draft);
            }
        }
        Some(row) => {
            model.requests.remove_create(row);
            model.form_row = None;
        }
        None => model.form_row = None,
    }
}

/// The form's draft stands in Mine while the form has not the focus.
pub(super) fn note_form_draft(model: &mut Model) {
    show_form_draft(model, model.pane != Pane::Form && model.form.holds_text());
}
