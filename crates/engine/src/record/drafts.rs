//! What is being typed.
//!
//! A draft that a dead process left stays apart from what this one types, whatever they are of: it ends only when its
//! text is saved again, wherever that is, when what was sent of it is done, or when the agent lets it go.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::{
    RecordError,
    rows::DraftRow,
    store::{Me, Store},
    table::Entry,
};
use mmd_elevate_core::{Draft, DraftTarget, Field, SavedDraft};

impl Store {
    /// Saves the texts of this process; one that is gone or empty has ended.
    pub(super) fn save(&mut self, drafts: Vec<(DraftTarget, Option<Draft>)>) -> Result<(), RecordError> {
        self.change(|tx, me| {
            let rows = mine(tx, me)?;
            for (target, draft) in drafts {
                let own = rows.iter().find(|row| row.left_by.is_none() && row.saved.target == target);
                match (own, draft.filter(|draft| !draft.is_empty())) {
                    (own, Some(draft)) => {
                        for left in
                            rows.iter().filter(|row| row.left_by.is_some() && holds(&target, &draft, &row.saved))
                        {
                            DraftRow::TABLE.delete(tx, left.id)?;
                        }
                        keep(tx, me, own, target, draft)?;
                    }
                    (Some(own), None) => DraftRow::TABLE.delete(tx, own.id)?,
                    (None, None) => {}
                }
            }
            Ok(())
        })
    }

    /// The agent has let go of a draft that a dead process left.
    pub(super) fn discard(&mut self, draft: &SavedDraft) -> Result<(), RecordError> {
        self.change(|tx, me| {
            let same = |row: &DraftRow| {
                row.left_by.is_some() && row.saved.target == draft.target && row.saved.draft == draft.draft
            };
            for row in mine(tx, me)?.into_iter().filter(same) {
                DraftRow::TABLE.delete(tx, row.id)?;
            }
            Ok(())
        })
    }
}

/// Whether the text of the draft that was left is in this one. A close has one text, which may have been added to.
fn holds(target: &DraftTarget, draft: &Draft, left: &SavedDraft) -> bool {
    let plan = Field::PlanOfAction;
    let is_same_close = matches!(target, DraftTarget::Close(_)) && *target == left.target;
    draft.is_sent_as(&left.draft) || (is_same_close && draft.get(plan).contains(left.draft.get(plan)))
}

/// A create is done: what was typed of it before it was sent is no draft any more. A text that was saved later is one
/// of its own, also where it is the same.
pub(super) fn sent(tx: &Transaction<'_>, me: &Me, sent: &Draft, at: Timestamp) -> rusqlite::Result<()> {
    let was_sent = |row: &DraftRow| {
        let of_a_create = match row.saved.target {
            DraftTarget::Form => true,
            DraftTarget::Refused(_) => row.left_by.is_some(),
            DraftTarget::Close(_) => false,
        };
        of_a_create && row.saved.at <= at && row.saved.draft.is_sent_as(sent)
    };
    for row in mine(tx, me)?.into_iter().filter(was_sent) {
        DraftRow::TABLE.delete(tx, row.id)?;
    }
    Ok(())
}

/// A create is about to have this time: what was saved until now was saved before it, whatever the clock said then.
pub(super) fn are_before(tx: &Transaction<'_>, me: &Me, at: Timestamp) -> rusqlite::Result<()> {
    for mut row in mine(tx, me)?.into_iter().filter(|row| row.saved.at > at) {
        row.revision += 1;
        row.saved.at = at;
        row.save(tx)?;
    }
    Ok(())
}

fn mine(tx: &Transaction<'_>, me: &Me) -> rusqlite::Result<Vec<DraftRow>> {
    let mut rows = DraftRow::find(tx, "owner = ?1 ORDER BY id", [&me.owner.name])?;
    rows.retain(|row| row.tenant == me.tenant);
    Ok(rows)
}

fn keep(
    tx: &Transaction<'_>,
    me: &Me,
    own: Option<&DraftRow>,
    target: DraftTarget,
    draft: Draft,
) -> rusqlite::Result<()> {
    let (id, revision) = match own {
        Some(own) => (own.id, own.revision),
        // A target that is named twice in one go would else have two rows.
        None => (mine(tx, me)?.into_iter().find(|row| row.left_by.is_none() && row.saved.target == target))
            .map_or_else(
                || Ok((DraftRow::TABLE.next_id(tx)?, 0)),
                |row| Ok::<_, rusqlite::Error>((row.id, row.revision)),
            )?,
    };
    let row = DraftRow {
        id,
        revision: revision + 1,
        tenant: me.tenant.clone(),
        owner: me.owner.name.clone(),
        left_by: None,
        saved: SavedDraft { target, draft, at: me.time_of_draft() },
    };
    row.save(tx)
}
