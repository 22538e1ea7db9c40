//! Reads how writes went. It never changes a row, and never reads more than a person does.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params_from_iter};

use super::{
    context::ProcessContext,
    rows::{SAME_REQUEST, WriteRow, parse_state, same_request_params},
    table::Entry,
};
use mmd_elevate_core::{HistoryStep, RequestId, Untrusted, WriteHistory, WriteId};

/// The most steps that are returned, and the most writes.
const MOST_STEPS: usize = 200;

/// Returns the writes of the tenant that made or closed a request, and a write, the oldest first. Of more than [`MOST_STEPS`]
/// steps the newest are returned; a write whose steps are all older is left out.
pub(super) fn history(
    db: &Connection,
    context: &ProcessContext,
    request: Option<&RequestId>,
    write: Option<WriteId>,
) -> rusqlite::Result<Vec<WriteHistory>> {
    let mut rows = Vec::new();
    if let Some(request) = request {
        rows = WriteRow::find(db, SAME_REQUEST, same_request_params(request))?;
        rows.retain(|row| row.request() == Some(request));
    }
    if let Some(WriteId(id)) = write {
        rows.extend(WriteRow::find(db, "id = ?1", [id])?);
    }
    rows.retain(|row| row.tenant == *context.tenant());
    rows.sort_by_key(WriteRow::id);
    rows.dedup_by_key(|row| row.id());
    let rows = rows.split_off(rows.len().saturating_sub(MOST_STEPS));
    let (mut steps, is_cut) = newest_steps(db, &rows)?;
    let histories = rows.into_iter().map(|row| WriteHistory {
        id: row.write.id,
        kind: row.write.operation.kind(),
        steps: steps.remove(&row.id()).unwrap_or_default(),
        operator: Untrusted::new(row.operator),
    });
    Ok(histories.filter(|history| !(is_cut && history.steps.is_empty())).collect())
}

/// Returns the newest steps of each of these writes, the oldest first, and whether there may be others. The table has no index, so
/// it is read once for all writes.
fn newest_steps(db: &Connection, rows: &[WriteRow]) -> rusqlite::Result<(HashMap<i64, Vec<HistoryStep>>, bool)> {
    let sql = format!(
        "SELECT intent, at, stage, why, service_request_id FROM step WHERE intent IN ({})
         ORDER BY id DESC LIMIT {MOST_STEPS}",
        vec!["?"; rows.len()].join(", ")
    );
    let mut statement = db.prepare(&sql)?;
    let mut found = statement.query(params_from_iter(rows.iter().map(WriteRow::id)))?;
    let mut steps: HashMap<_, Vec<_>> = HashMap::new();
    let mut count = 0;
    while let Some(row) = found.next()? {
        count += 1;
        // A row that cannot be read is left out: the others are true without it.
        if let Some((write, step)) = parse(row) {
            steps.entry(write).or_default().push(step);
        }
    }
    for steps in steps.values_mut() {
        steps.reverse();
    }
    Ok((steps, count == MOST_STEPS))
}

fn parse(row: &Row<'_>) -> Option<(i64, HistoryStep)> {
    let text = |column| row.get::<_, Option<String>>(column).ok();
    let step = HistoryStep {
        at: text(1)??.parse().ok()?,
        state: parse_state(&text(2)??)?,
        why: text(3)?.map(Untrusted::new),
        service_request_id: text(4)?.map(Untrusted::new),
    };
    Some((row.get(0).ok()?, step))
}
