//! What the record does, on its own thread: each change is one short transaction that is durable when it returns.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};

use super::{
    JournalError, Purged, TenantKey, Unclaimed,
    files::Files,
    owner::Owner,
    retention,
    row::{Read, Row, Table},
    rows::{INTENT, IntentRow, stage_name, time},
};
use crate::{
    domain::{ElevationRequest, RequestId, Untrusted},
    port::{Intent, IntentId, Intention, Outcome, Stage, Step},
    private,
};

/// Who this process is to the record.
pub(super) struct Me {
    pub(super) owner: Owner,
    pub(super) tenant: TenantKey,
    pub(super) operator: String,
    pub(super) clock: fn() -> Timestamp,
}

/// The open record.
pub(super) struct Store {
    pub(super) db: Connection,
    pub(super) files: Files,
    /// The file that was opened. A write to one that has been moved or removed since would not be found again.
    pub(super) identity: Option<private::Identity>,
    pub(super) me: Me,
}

/// Why a change was not made.
pub(super) enum Failure {
    Sql(rusqlite::Error),
    Journal(JournalError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Store {
    /// Does it in one transaction, or not at all. The write lock is taken at once: two that first read and then write
    /// could not both go on.
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &Me) -> Result<T, Failure>,
    ) -> Result<T, JournalError> {
        let path = &self.files.main;
        if self.files.identity() != self.identity {
            let why = "the file has been moved or removed while it was in use".to_owned();
            return Err(JournalError::NotDurable { path: path.clone(), why });
        }
        let changed = (|| {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&tx, &self.me)?;
            tx.commit()?;
            Ok(value)
        })();
        changed.map_err(|failure| match failure {
            Failure::Sql(error) => JournalError::sql(path, &error),
            Failure::Journal(error) => error,
        })
    }

    pub(super) fn intend(&mut self, what: Intention) -> Result<Intent, JournalError> {
        self.change(|tx, me| {
            let at = (me.clock)();
            let intent = Intent { id: IntentId(INTENT.next_id(tx)?), what, at, stage: Stage::Intended };
            let row = IntentRow {
                revision: 1,
                tenant: me.tenant.clone(),
                owner: me.owner.name.clone(),
                operator: me.operator.clone(),
                intent,
                changed_at: at,
                made: None,
                why: None,
                service_request_id: None,
            };
            INTENT.write(tx, &row.row())?;
            note(tx, &row, None)?;
            Ok(row.intent)
        })
    }

    pub(super) fn settle(&mut self, id: IntentId, outcome: &Outcome) -> Result<(), JournalError> {
        self.change(|tx, me| settle(tx, me, id, outcome))
    }

    pub(super) fn intent(&self, id: IntentId) -> Result<Option<Intent>, JournalError> {
        match self.read(|db| INTENT.row(db, id.0))? {
            None => Ok(None),
            Some(Read::Damaged(_)) => Err(JournalError::DamagedIntent(id)),
            Some(Read::Whole(row)) => {
                let row = IntentRow::of(row).ok_or(JournalError::DamagedIntent(id))?;
                Ok((row.tenant == self.me.tenant).then_some(row.intent))
            }
        }
    }

    pub(super) fn owned(&self, except: IntentId) -> Result<Vec<RequestId>, JournalError> {
        let condition = "kind = 'create' AND request_id IS NOT NULL AND id <> ?1";
        let rows = self.read(|db| INTENT.select(db, condition, [except.0]))?;
        Ok(self.of_tenant(rows).filter_map(|row| row.made).collect())
    }

    pub(super) fn unclaimed(&self) -> Result<Vec<Unclaimed>, JournalError> {
        let condition = "kind = 'create' AND request_id IS NULL AND stage NOT IN ('done', 'not done')";
        let rows = self.read(|db| INTENT.select(db, condition, []))?;
        let of = |row: IntentRow| {
            let is_ours = row.owner == self.me.owner.name;
            let Intent { what: Intention::Create(request), at, stage, .. } = row.intent else { return None };
            Some(Unclaimed { request, at, stage, is_ours })
        };
        Ok(self.of_tenant(rows).filter_map(of).collect())
    }

    /// The whole intents of this tenant.
    fn of_tenant(&self, rows: Vec<Read>) -> impl Iterator<Item = IntentRow> {
        let rows = rows.into_iter().filter_map(Read::whole).filter_map(IntentRow::of);
        rows.filter(|row| row.tenant == self.me.tenant)
    }

    pub(super) fn purge(&mut self, before: Timestamp) -> Result<Purged, JournalError> {
        let purged = self.change(|tx, _| Ok(retention::purge(tx, before)?))?;
        checkpoint(&self.db);
        Ok(purged)
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        read(&self.db).map_err(|error| JournalError::sql(&self.files.main, &error))
    }

    /// Ends the use of the record. The database is closed before the owner's lock is let go: whoever finds the owner
    /// dead may take the files for their own.
    pub(super) fn close(self) {
        let Self { db, me, .. } = self;
        finish(db);
        drop(me);
    }
}

/// Moves the log into the database and empties it, as far as others let it.
pub(super) fn checkpoint(db: &Connection) {
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::debug!(%error, "the record's log was not moved into it"); // It is as durable where it is.
    }
}

/// Closes the database. The last one to leave moves the log into it; nobody is waited for, because the log is as durable
/// as the database.
pub(super) fn finish(db: Connection) {
    let done = db
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(drop)
        .and_then(|()| db.close().map_err(|(_, error)| error));
    if let Err(error) = done {
        tracing::warn!(%error, "the record was not closed as it should be");
    }
}

fn settle(tx: &Transaction<'_>, me: &Me, id: IntentId, outcome: &Outcome) -> Result<(), Failure> {
    let mut row = match INTENT.row(tx, id.0)? {
        None => return Err(JournalError::UnknownIntent(id).into()),
        Some(Read::Damaged(_)) => return Err(JournalError::DamagedIntent(id).into()),
        Some(Read::Whole(row)) => IntentRow::of(row).ok_or(JournalError::DamagedIntent(id))?,
    };
    if row.tenant != me.tenant {
        return Err(JournalError::UnknownIntent(id).into());
    }
    if row.owner != me.owner.name {
        return Err(JournalError::NotOurs(id).into());
    }
    let (from, to) = (row.intent.stage, outcome.stage);
    if !may_become(from, to) {
        return Err(JournalError::BadStep { id, from, to }.into());
    }
    row.revision += 1;
    row.intent.stage = to;
    row.changed_at = (me.clock)();
    row.why.clone_from(&outcome.why);
    let answer = outcome.service_request_id.as_ref().map(Untrusted::raw);
    row.service_request_id = answer.map(str::to_owned).or(row.service_request_id);
    match (&row.intent.what, to, &outcome.request) {
        (Intention::Create(_), Stage::Done, None) => return Err(JournalError::NoRequest(id).into()),
        (Intention::Create(sent), Stage::Done, Some(request)) => {
            if let Some(owner) = owner_of(tx, me, &request.id)? {
                return Err(JournalError::Owned { id, owner }.into());
            }
            row.made = Some(request.id.clone());
            let request = request.clone().with_gaps_from_draft(sent.draft());
            super::requests::told(tx, me, &request, super::requests::Told::OpenedBy(id))?;
            super::drafts::sent(tx, me, sent.draft(), row.intent.at)?;
        }
        (Intention::Create(_), ..) => {}
        (Intention::Close { id: closes, .. }, ..) => {
            let told: Option<&ElevationRequest> = outcome.request.as_ref().filter(|request| request.id == *closes);
            super::requests::closed(tx, me, closes, told, to == Stage::Done)?;
        }
    }
    INTENT.write(tx, &row.row())?;
    note(tx, &row, answer)?;
    Ok(())
}

/// Whether the state machine of a write knows a way there. That the bytes go out need not be told: a process that dies
/// before or after leaves the same unknown behind, so nothing would be decided by it.
fn may_become(from: Stage, to: Stage) -> bool {
    let steps = |from: Stage| Step::ALL.into_iter().any(move |step| from.after(step) == Some(to));
    steps(from) || from.after(Step::Send).is_some_and(steps)
}

fn owner_of(tx: &Transaction<'_>, me: &Me, request: &RequestId) -> rusqlite::Result<Option<IntentId>> {
    let condition = format!("kind = 'create' AND {SAME_REQUEST}");
    let rows = INTENT.select(tx, &condition, same_request(request))?;
    let mut rows = rows.into_iter().filter_map(Read::whole).filter_map(IntentRow::of);
    let owner = rows.find(|row| row.tenant == me.tenant && row.made.as_ref() == Some(request));
    Ok(owner.map(|row| row.intent.id))
}

/// Rows whose request may be the one that [`same_request`] is of: the same UUID may be written in several ways. Whether it
/// is the same is for [`RequestId`] to say.
pub(super) const SAME_REQUEST: &str = "(request_id = ?1 OR (?2 IS NOT NULL AND ?2 = replace(replace(replace(replace(
     replace(replace(lower(trim(request_id)), 'urn:uuid:', ''), '-', ''), '{', ''), '}', ''), '(', ''), ')', '')))";

/// What [`SAME_REQUEST`] is given.
pub(super) fn same_request(id: &RequestId) -> (String, Option<String>) {
    (id.raw().to_owned(), id.uuid().map(|uuid| format!("{uuid:032x}")))
}

/// Writes down how the intent came to where it stands.
pub(super) fn note(tx: &Transaction<'_>, row: &IntentRow, answer: Option<&str>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO step (intent, at, stage, why, service_request_id) VALUES (?1, ?2, ?3, ?4, ?5)";
    let stage = stage_name(row.intent.stage);
    tx.prepare_cached(sql)?.execute((row.id(), time(row.changed_at), stage, &row.why, answer))?;
    Ok(())
}

impl Read {
    /// The row, if it is whole.
    pub(super) fn whole(self) -> Option<Row> {
        match self {
            Self::Whole(row) => Some(row),
            Self::Damaged(_) => None,
        }
    }
}

/// What the whole rows of a table mean.
pub(super) fn all<T>(tx: &Connection, table: &Table, of: impl Fn(Row) -> Option<T>) -> rusqlite::Result<Vec<T>> {
    let rows = table.rows(tx)?;
    Ok(rows.into_iter().filter_map(Read::whole).filter_map(of).collect())
}
