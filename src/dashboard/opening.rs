//! From the form to a create: what is wrong with the draft, what is doubtful about it, and then its row.

use super::{Effect, Model, Notice, Pane, Tone, unknown};
use crate::keys::{Action, Scope};
use mmd_elevate_core::Field;

/// Sends the draft, unless something is missing in it or the agent has not yet been told of a doubt about its device.
/// Submitting the same name once more is the answer to a doubt: the service may have devices of any name.
pub(super) fn submit(model: &mut Model) -> Vec<Effect> {
    let trimmed = Field::ALL.into_iter().filter(|field| model.form.leave(*field)).count() > 0;
    let request = match model.form.draft().validate() {
        Ok(request) => request,
        Err(problems) => {
            let count = problems.len();
            model.form.show_problems(problems);
            let what = if count == 1 { "One field needs".to_owned() } else { format!("{count} fields need") };
            model.notice = Some(Notice::info(format!("{what} something before the request can be sent")));
            return Vec::new();
        }
    };
    if let Some(doubt) = model.form.tell_doubt(&model.patterns) {
        let key = model.keymap.name(Scope::Form, Action::Submit);
        let text = format!("Not sent yet, look at the device's name: {doubt}");
        let hint = Some(format!("correct it, or {key} sends it as it is"));
        model.notice = Some(Notice { tone: Tone::Doubt, text, hint });
        return Vec::new();
    }
    let (id, call) = unknown::create(model, request);
    model.form.lock(id);
    model.pane = Pane::List;
    model.notice = trimmed.then(|| Notice::info("Sent without the blanks around the texts"));
    model.untouched_since = Some(id);
    vec![call]
}
