//! Saves the drafts of texts that are being typed.
//!
//! A draft of a dead process is separate from the drafts of this process, even for the same target. It is deleted only when its
//! text is saved again for any target, when its create is done, or when the agent discards it.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{context::ProcessContext, rows::DraftRow, table::Entry};
use mmd_elevate_core::{Draft, DraftTarget, Field, SavedDraft};

/// Saves the drafts of this process; an empty or missing text deletes the draft.
pub(super) fn save(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    drafts: Vec<(DraftTarget, Option<Draft>)>,
) -> rusqlite::Result<()> {
    let rows = own_rows(tx, context)?;
    for (target, draft) in drafts {
        let own = rows.iter().find(|row| row.left_by.is_none() && row.saved.target == target);
        match (own, draft.filter(|draft| !draft.is_empty())) {
            (own, Some(draft)) => {
                for left in rows.iter().filter(|row| row.left_by.is_some() && includes(&target, &draft, &row.saved)) {
                    DraftRow::TABLE.delete(tx, left.id)?;
                }
                save_row(tx, context, own, target, draft)?;
            }
            (Some(own), None) => DraftRow::TABLE.delete(tx, own.id)?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// Deletes a draft of a dead process that the agent has discarded.
pub(super) fn discard(tx: &Transaction<'_>, context: &ProcessContext, draft: &SavedDraft) -> rusqlite::Result<()> {
    let is_same =
        |row: &DraftRow| row.left_by.is_some() && row.saved.target == draft.target && row.saved.draft == draft.draft;
    for row in own_rows(tx, context)?.into_iter().filter(is_same) {
        DraftRow::TABLE.delete(tx, row.id)?;
    }
    Ok(())
}

/// Returns whether a draft includes the text of a draft of a dead process. The text of a close may have been extended.
fn includes(target: &DraftTarget, draft: &Draft, left: &SavedDraft) -> bool {
    let plan = Field::PlanOfAction;
    let is_same_close = matches!(target, DraftTarget::Close(_)) && *target == left.target;
    draft.is_sent_as(&left.draft) || (is_same_close && draft.get(plan).contains(left.draft.get(plan)))
}

/// Deletes the drafts of a create that is done, if they were saved before it was sent. A later draft stays, even with the same
/// text.
pub(super) fn delete_sent(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    sent: &Draft,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let was_sent = |row: &DraftRow| {
        let is_for_create = match row.saved.target {
            DraftTarget::Form => true,
            DraftTarget::Refused(_) => row.left_by.is_some(),
            DraftTarget::Close(_) => false,
        };
        is_for_create && row.saved.at <= at && row.saved.draft.is_sent_as(sent)
    };
    for row in own_rows(tx, context)?.into_iter().filter(was_sent) {
        DraftRow::TABLE.delete(tx, row.id)?;
    }
    Ok(())
}

/// Limits the times of saved drafts to the time of a create that is recorded now: they were saved before it, even if the clock has
/// been set back since.
pub(super) fn limit_times(tx: &Transaction<'_>, context: &ProcessContext, at: Timestamp) -> rusqlite::Result<()> {
    for mut row in own_rows(tx, context)?.into_iter().filter(|row| row.saved.at > at) {
        row.revision += 1;
        row.saved.at = at;
        row.save(tx)?;
    }
    Ok(())
}

fn own_rows(tx: &Transaction<'_>, context: &ProcessContext) -> rusqlite::Result<Vec<DraftRow>> {
    let mut rows = DraftRow::find(tx, "owner = ?1 ORDER BY id", [&context.owner.name])?;
    rows.retain(|row| row.tenant == *context.tenant());
    Ok(rows)
}

fn save_row(
    tx: &Transaction<'_>,
    context: &ProcessContext,
    own: Option<&DraftRow>,
    target: DraftTarget,
    draft: Draft,
) -> rusqlite::Result<()> {
    let (id, revision) = match own {
        Some(own) => (own.id, own.revision),
        // A target that occurs twice in one call must have one row.
        None => (own_rows(tx, context)?.into_iter().find(|row| row.left_by.is_none() && row.saved.target == target))
            .map_or_else(
                || Ok((DraftRow::TABLE.next_id(tx)?, 0)),
                |row| Ok::<_, rusqlite::Error>((row.id, row.revision)),
            )?,
    };
    let row = DraftRow {
        id,
        revision: revision + 1,
        tenant: context.tenant().clone(),
        owner: context.owner.name.clone(),
        left_by: None,
        saved: SavedDraft { target, draft, at: context.draft_time() },
    };
    row.save(tx)
}
