//! Which drafts there are, and when the record has to hear of them.

use std::{collections::BTreeMap, time::Duration};

use super::{Effect, Model, Notice, RecordState, RowState, Tone};
use mmd_elevate_core::{Draft, DraftTarget, Field, Problem};

/// How long after a change its draft is saved: soon enough to keep the promise of a second, late enough to save a run of
/// typing once.
const DELAY: Duration = Duration::from_millis(500);

/// What the record has been told.
#[derive(Clone, Debug, Default)]
pub(super) struct Drafts {
    told: BTreeMap<DraftTarget, Draft>,
    /// The record did not take what it was told last.
    untaken: bool,
    /// What was said of that.
    said: Option<String>,
    /// When the first change came that is not saved yet, as [`Model::elapsed`] stood then.
    changed: Option<Duration>,
}

impl Drafts {
    /// How long until there is something to save.
    pub(super) fn due_in(&self, elapsed: Duration) -> Option<Duration> {
        Some(DELAY.saturating_sub(elapsed.saturating_sub(self.changed?)))
    }
}

impl Model {
    /// The drafts as they are now: the form, what was refused or set aside for later, and the close dialogs' texts. What
    /// is being sent is one until it is open or unknown.
    #[must_use]
    pub fn drafts(&self) -> BTreeMap<DraftTarget, Draft> {
        let mut drafts = BTreeMap::new();
        if self.form.holds_text() {
            drafts.insert(DraftTarget::Form, self.form.draft());
        }
        for row in self.requests.all() {
            // What is being sent may not be in the record yet, or come back refused: its text stays until neither can be.
            if matches!(row.state, RowState::Sending(_) | RowState::Refused | RowState::Draft) {
                drafts.insert(DraftTarget::Refused(row.id.0), row.draft.clone());
            }
            let open = row.state.is_open() || matches!(row.state, RowState::Closing(_)) || row.unsent_text().is_some();
            if let (Some(request), Some(text)) =
                (&row.request, row.actions_taken.as_deref().filter(|text| open && !text.is_empty()))
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
}

/// Something may have been typed.
pub(super) fn touched(model: &mut Model) {
    if model.drafts() == model.drafts.told {
        model.drafts.changed = None;
    } else {
        model.drafts.changed.get_or_insert(model.elapsed);
    }
}

/// Saves what has changed, when it is time; at once where the program ends.
pub(super) fn save(model: &mut Model, at_once: bool) -> Option<Effect> {
    let due = model.drafts.due_in(model.elapsed).is_some_and(|wait| wait.is_zero());
    if !due && !at_once {
        return None;
    }
    let now = model.drafts();
    let Drafts { told, untaken, said, .. } = std::mem::take(&mut model.drafts);
    model.drafts.said = said;
    let mut changes: Vec<_> = now
        .iter()
        .filter(|(target, draft)| untaken || told.get(*target) != Some(*draft))
        .map(|(target, draft)| (target.clone(), Some(draft.clone())))
        .collect();
    changes.extend(told.into_keys().filter(|target| !now.contains_key(target)).map(|target| (target, None)));
    model.drafts.told = now;
    (!changes.is_empty()).then_some(Effect::Save(changes))
}

/// The record did not take what it was told last: all of it is told again with the next change.
pub(super) fn not_saved(model: &mut Model, problem: Problem) {
    model.record = model.record.if_it_fails();
    model.drafts.untaken = true;
    model.drafts.said = Some(problem.what.clone());
    model.notice = Some(Notice::of_problem(Tone::Failure, problem));
}

/// The record takes what it is told again. Where the agent reads of something else that went wrong, that stays.
pub(super) fn saved(model: &mut Model) {
    if model.record.is_read() {
        model.record = RecordState::Keeping;
    }
    let said = model.drafts.said.take();
    let is_of_another_trouble = model.notice.as_ref().is_some_and(|notice| {
        matches!(notice.tone, Tone::Doubt | Tone::Failure) && said.as_ref() != Some(&notice.text)
    });
    if !is_of_another_trouble {
        model.notice = Some(Notice::success("Drafts are being saved again"));
    }
}
