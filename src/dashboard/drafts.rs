//! Which drafts there are, and when the record has to save them.

use std::collections::BTreeMap;

use super::{CreateState, Effect, Model, Notice, RecordState, RowId, Tone, model::SavedDrafts};
use mmd_elevate_core::{Draft, DraftTarget, Field, Problem};

impl Model {
    /// The drafts as they are now: the form, what was refused or set aside for later, and the close dialogs' texts. What
    /// is being sent is one until it is open or unknown.
    #[must_use]
    pub fn drafts(&self) -> BTreeMap<DraftTarget, Draft> {
        let mut drafts = self.row_drafts();
        if let Some(form) = self.form_draft() {
            drafts.insert(DraftTarget::Form, form);
        }
        drafts
    }

    fn form_draft(&self) -> Option<Draft> {
        self.form.holds_text().then(|| self.form.draft())
    }

    /// The drafts of rows.
    fn row_drafts(&self) -> BTreeMap<DraftTarget, Draft> {
        let mut drafts = BTreeMap::new();
        let waiting = self.requests.attempts().creates().filter(|(id, _)| self.form_row != Some(*id));
        for (id, create) in waiting {
            // What is being sent may not be in the record yet, or come back refused: its text stays until neither can be.
            if matches!(
                create.state,
                CreateState::Checking(_) | CreateState::Sending(_) | CreateState::Refused | CreateState::Draft
            ) {
                drafts.insert(DraftTarget::Refused(id.0), create.draft.clone());
            }
        }
        for row in self.requests.closes() {
            let open = row.state.counts_as_open() || row.unsent_text().is_some();
            if let (Some(request), Some(text)) =
                (row.request, row.actions_taken.filter(|text| open && !text.is_empty()))
            {
                // With what the request is called: the record may not know it, and it is listed by its device.
                let mut draft = Draft::default();
                draft.set(Field::Ticket, request.ticket.raw());
                draft.set(Field::Device, request.device.raw());
                draft.set(Field::Title, request.title.raw());
                draft.set(Field::PlanOfAction, text.text());
                drafts.insert(DraftTarget::Close(request.id.clone()), draft);
            }
        }
        drafts
    }

    /// Whether the record has been given all drafts as they are. What waits for a record that is not open is not saved.
    #[must_use]
    pub const fn drafts_are_saved(&self) -> bool {
        self.record.is_read() && self.saved.changed.is_none() && !self.saved.failed
    }
}

/// Notes whether there is something to save now. The texts of rows are looked at only where they may have changed: a thousand
/// of them that wait to be sent make no key slower.
pub(super) fn note_changes(model: &mut Model) {
    let changes = model.requests.changes();
    let rows_differ = match model.saved.compared {
        Some((compared, differ)) if compared == changes => differ,
        _ => {
            let saved = model.saved.drafts.iter().filter(|(target, _)| **target != DraftTarget::Form);
            !model.row_drafts().iter().eq(saved)
        }
    };
    model.saved.compared = Some((changes, rows_differ));
    let differ = rows_differ || model.form_draft().as_ref() != model.saved.drafts.get(&DraftTarget::Form);
    debug_assert_eq!(differ, model.drafts() != model.saved.drafts, "a text of a row changed unnoticed");
    if differ {
        model.saved.changed.get_or_insert(model.elapsed);
    } else {
        model.saved.changed = None;
    }
}

/// Saves what has changed if it is due, or `at_once`.
pub(super) fn save(model: &mut Model, at_once: bool) -> Option<Effect> {
    let due = model.saved.due_in(model.elapsed).is_some_and(|wait| wait.is_zero());
    if !due && !at_once {
        return None;
    }
    let now = model.drafts();
    let SavedDrafts { drafts: saved, failed, failure_notice, .. } = std::mem::take(&mut model.saved);
    model.saved.failure_notice = failure_notice;
    let mut changes: Vec<_> = now
        .iter()
        .filter(|(target, draft)| failed || saved.get(*target) != Some(*draft))
        .map(|(target, draft)| (target.clone(), Some(draft.clone())))
        .collect();
    changes.extend(saved.into_keys().filter(|target| !now.contains_key(target)).map(|target| (target, None)));
    model.saved.drafts = now;
    (!changes.is_empty()).then_some(Effect::Save(changes))
}

/// Saves all of them, whatever was saved before.
pub(super) fn save_all(model: &mut Model) -> Option<Effect> {
    model.saved.failed = true;
    save(model, true)
}

/// A create is done. With it the record drops the form's draft of the same text, which was the same draft as a rule: where the
/// agent has begun another like it meanwhile, that is saved again.
pub(super) fn save_twin_again(model: &mut Model, row: RowId) {
    let sent = model.requests.attempts().create(row).map(|create| &create.draft);
    if model.form.holds_text() && sent.is_some_and(|sent| model.form.draft().is_sent_as(sent)) {
        model.saved.drafts.remove(&DraftTarget::Form);
    }
}

/// The record did not save what it was given last: with the next change it is given all of it again.
pub(super) fn apply_failure(model: &mut Model, problem: Problem) {
    model.record = model.record.after_failure();
    model.saved.failed = true;
    model.saved.failure_notice = Some(problem.what.clone());
    model.notice = Some(Notice::from_problem(Tone::Failure, problem));
}

/// The record saves drafts again. A notice about another problem stays.
pub(super) fn apply_success(model: &mut Model) {
    if model.record.is_read() {
        model.record = RecordState::Keeping;
    }
    let failure = model.saved.failure_notice.take();
    let is_about_another_problem = model.notice.as_ref().is_some_and(|notice| {
        matches!(notice.tone, Tone::Doubt | Tone::Failure) && failure.as_ref() != Some(&notice.text)
    });
    if !is_about_another_problem {
        model.notice = Some(Notice::success("Drafts are being saved again"));
    }
}
