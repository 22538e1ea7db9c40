//! The rows of the three tables as types, and their conversion. It never fills in a cell that it cannot read: the row is invalid.
//! `schema.rs` describes the columns.

use jiff::Timestamp;
use rusqlite::{Connection, types::Value};

use super::{
    table::{Entry, StoredRow, Table},
    tenant::TenantKey,
};
use mmd_elevate_core::{
    CloseElevationRequest, Draft, DraftTarget, ElevationRequest, Field, Operation, RequestId, SavedDraft, ServiceTime,
    Untrusted, WriteId, WriteRecord, WriteState,
};

/// The tables that are taken over from a damaged or lost database, each after those that its rows refer to.
pub(super) const TABLES: [Table; 3] = [WriteRow::TABLE, RequestRow::TABLE, DraftRow::TABLE];

/// A row of `intent`.
#[derive(Clone, Debug)]
pub(super) struct WriteRow {
    pub(super) revision: i64,
    pub(super) tenant: TenantKey,
    pub(super) owner: String,
    pub(super) operator: String,
    pub(super) write: WriteRecord,
    pub(super) changed_at: Timestamp,
    /// The request that a create has made.
    pub(super) made: Option<RequestId>,
    pub(super) why: Option<String>,
    pub(super) service_request_id: Option<String>,
}

/// A row of `request`.
#[derive(Clone, Debug)]
pub(super) struct RequestRow {
    pub(super) id: i64,
    pub(super) revision: i64,
    pub(super) tenant: TenantKey,
    pub(super) opened_by: Option<i64>,
    pub(super) seen_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) request: ElevationRequest,
}

/// A row of `draft`.
#[derive(Clone, Debug)]
pub(super) struct DraftRow {
    pub(super) id: i64,
    pub(super) revision: i64,
    pub(super) tenant: TenantKey,
    pub(super) owner: String,
    pub(super) left_by: Option<String>,
    pub(super) saved: SavedDraft,
}

/// Formats a time with nine digits of a second, so that texts sort as their times.
pub(super) fn format_time(at: Timestamp) -> String {
    format!("{at:.9}")
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn optional_text(value: Option<impl Into<String>>) -> Value {
    value.map_or(Value::Null, text)
}

/// Reads the cells of a row one after the other. `None` means that the row is invalid.
struct Cells<'a>(std::slice::Iter<'a, Value>);

#[expect(clippy::option_option, reason = "an invalid cell and an empty one are different")]
impl Cells<'_> {
    fn optional_text(&mut self) -> Option<Option<String>> {
        match self.0.next()? {
            Value::Null => Some(None),
            Value::Text(text) => Some(Some(text.clone())),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.optional_text()?
    }

    fn untrusted(&mut self) -> Option<Untrusted> {
        self.text().map(Untrusted::new)
    }

    fn optional_number(&mut self) -> Option<Option<i64>> {
        match self.0.next()? {
            Value::Null => Some(None),
            Value::Integer(number) => Some(Some(*number)),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.text()?.parse().ok()
    }

    fn optional_time(&mut self) -> Option<Option<Timestamp>> {
        self.optional_text()?.map_or(Some(None), |text| text.parse().ok().map(Some))
    }

    fn tenant(&mut self) -> Option<TenantKey> {
        Some(TenantKey { base_url: self.text()?, tenant_id: self.text()? })
    }

    fn draft(&mut self) -> Option<Draft> {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, self.optional_text()?.unwrap_or_default());
        }
        Some(draft)
    }

    fn service_time(&mut self) -> Option<Option<ServiceTime>> {
        let text = self.optional_text()?;
        let at = self.optional_time()?;
        Some(text.map(|text| {
            let text = Untrusted::new(text);
            // An earlier version of the program may have been unable to parse it.
            let at = at.or_else(|| ServiceTime::read(text.clone())?.at);
            ServiceTime { text, at }
        }))
    }

    /// Reads the last two cells. Returns the revision, unless the row is marked as damaged.
    fn revision(&mut self) -> Option<i64> {
        let revision = self.optional_number()??;
        matches!(self.0.next()?, Value::Null).then_some(revision)
    }
}

/// A condition for the rows whose request may be the one that [`same_request_params`] is given. It finds other spellings of a
/// UUID too; only a comparison of [`RequestId`]s decides whether two ids are equal. All spellings have the last twelve digits
/// together, and most rows of a long record do not: they are not brought into the same form. (`SQLite` would prepare the statement
/// anew for each pattern that is a parameter alone.)
pub(super) const SAME_REQUEST: &str =
    "(request_id = ?1 OR (request_id LIKE '%' || ?3 || '%' AND ?2 = replace(replace(replace(replace(
     replace(replace(lower(trim(request_id)), 'urn:uuid:', ''), '-', ''), '{', ''), '}', ''), '(', ''), ')', '')))";

/// Returns the parameters of [`SAME_REQUEST`].
pub(super) fn same_request_params(id: &RequestId) -> (String, Option<String>, Option<String>) {
    let uuid = id.uuid().map(|uuid| format!("{uuid:032x}"));
    let last_digits = uuid.as_ref().map(|digits| digits[20..].to_owned());
    (id.raw().to_owned(), uuid, last_digits)
}

impl WriteRow {
    pub(super) const fn id(&self) -> i64 {
        self.write.id.0
    }

    /// Returns the request that the write is known to have made, or that it closes.
    pub(super) const fn request(&self) -> Option<&RequestId> {
        match &self.write.operation {
            Operation::Create(_) => self.made.as_ref(),
            Operation::Close(CloseElevationRequest { id, .. }) => Some(id),
        }
    }

    /// Saves the row, and adds its state to the history of the write, with the service's id of the answer that led to it.
    pub(super) fn save_with_step(&self, db: &Connection, service_request_id: Option<&str>) -> rusqlite::Result<()> {
        self.save(db)?;
        let sql = "INSERT INTO step (intent, at, stage, why, service_request_id) VALUES (?1, ?2, ?3, ?4, ?5)";
        let (at, state) = (format_time(self.changed_at), state_name(self.write.state));
        db.prepare_cached(sql)?.execute((self.id(), at, state, &self.why, service_request_id))?;
        Ok(())
    }
}

impl Entry for WriteRow {
    const TABLE: Table = Table { name: "intent", plural: "writes" };

    fn to_stored(&self) -> StoredRow {
        let cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(&self.owner),
            text(&self.operator),
            text(self.write.operation.kind()),
            text(format_time(self.write.at)),
            text(state_name(self.write.state)),
            text(format_time(self.changed_at)),
            text(self.write.operation.to_json()),
            optional_text(self.request().map(RequestId::raw)),
            self.why.clone().into(),
            self.service_request_id.clone().into(),
            Value::Integer(self.revision),
            Value::Null,
        ];
        StoredRow { id: self.id(), cells }
    }

    fn parse(row: &StoredRow) -> Option<Self> {
        let mut cells = Cells(row.cells.iter());
        let tenant = cells.tenant()?;
        let (owner, operator, kind) = (cells.text()?, cells.text()?, cells.text()?);
        let (at, state, changed_at) = (cells.time()?, parse_state(&cells.text()?)?, cells.time()?);
        let operation = Operation::from_json(&cells.text()?).filter(|operation| operation.kind() == kind)?;
        let request_id = match cells.optional_text()? {
            Some(id) => Some(RequestId::new(id)?),
            None => None,
        };
        let made = match &operation {
            Operation::Create(_) => request_id,
            Operation::Close(CloseElevationRequest { id, .. }) => {
                // SQL conditions use the column, so it must name the request that the write closes.
                request_id.filter(|closes| closes == id)?;
                None
            }
        };
        let write = WriteRecord { id: WriteId(row.id), operation, at, state };
        let (why, service_request_id, revision) = (cells.optional_text()?, cells.optional_text()?, cells.revision()?);
        Some(Self { revision, tenant, owner, operator, write, changed_at, made, why, service_request_id })
    }
}

/// Converts a row of version 1, which had a digest before its last cell and a column for each text of an operation. A row
/// with another number of columns is left unchanged.
pub(super) fn from_version_1(table: &Table, row: &mut StoredRow) {
    if row.cells.len() > 1 {
        row.cells.remove(row.cells.len() - 2);
    }
    if table.name != WriteRow::TABLE.name || row.cells.len() != 20 {
        return;
    }
    let cells = std::mem::take(&mut row.cells);
    let text = |cell: &Value| match cell {
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Null | Value::Integer(_) | Value::Real(_) => String::new(),
    };
    let (before, texts, after) = (&cells[..8], &cells[8..15], &cells[15..]);
    let text_of = |column: usize| text(&texts[column]);
    let body = if text(&before[4]) == "create" {
        serde_json::json!({ "create": {
            "ticket": text_of(0), "device": text_of(1), "title": text_of(2), "category": text_of(3),
            "subcategory": text_of(4), "plan_of_action": text_of(5),
        } })
    } else {
        serde_json::json!({ text(&before[4]): {
            "request": text(&after[0]), "device": text_of(1), "actions_taken": text_of(6),
        } })
    };
    row.cells = [before, &[Value::Text(body.to_string())], after].concat();
}

impl Entry for RequestRow {
    const TABLE: Table = Table { name: "request", plural: "requests" };

    fn to_stored(&self) -> StoredRow {
        let request = &self.request;
        let mut cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(request.id.raw()),
            self.opened_by.into(),
            text(format_time(self.seen_at)),
            self.ended_at.map(format_time).into(),
        ];
        let texts = [
            &request.ticket,
            &request.device,
            &request.title,
            &request.category,
            &request.subcategory,
            &request.plan_of_action,
            &request.actions_taken,
            &request.requested_by,
            &request.closed_by,
        ];
        cells.extend(texts.map(|value| text(value.raw())));
        for moment in [&request.created, &request.closed] {
            cells.push(optional_text(moment.as_ref().map(|moment| moment.text.raw())));
            cells.push(moment.as_ref().and_then(|moment| moment.at).map(format_time).into());
        }
        let viewers: Vec<_> = request.viewers.iter().map(Untrusted::raw).collect();
        cells.push(text(serde_json::Value::from(viewers).to_string()));
        cells.extend([Value::Integer(self.revision), Value::Null]);
        StoredRow { id: self.id, cells }
    }

    fn parse(row: &StoredRow) -> Option<Self> {
        let mut cells = Cells(row.cells.iter());
        let tenant = cells.tenant()?;
        let id = RequestId::new(cells.text()?)?;
        let (opened_by, seen_at, ended_at) = (cells.optional_number()?, cells.time()?, cells.optional_time()?);
        let request = ElevationRequest {
            id,
            ticket: cells.untrusted()?,
            device: cells.untrusted()?,
            title: cells.untrusted()?,
            category: cells.untrusted()?,
            subcategory: cells.untrusted()?,
            plan_of_action: cells.untrusted()?,
            actions_taken: cells.untrusted()?,
            requested_by: cells.untrusted()?,
            closed_by: cells.untrusted()?,
            created: cells.service_time()?,
            closed: cells.service_time()?,
            viewers: serde_json::from_str::<Vec<String>>(&cells.text()?)
                .ok()?
                .into_iter()
                .map(Untrusted::new)
                .collect(),
        };
        Some(Self { id: row.id, revision: cells.revision()?, tenant, opened_by, seen_at, ended_at, request })
    }
}

impl Entry for DraftRow {
    const TABLE: Table = Table { name: "draft", plural: "drafts" };

    fn to_stored(&self) -> StoredRow {
        let (target, target_id) = match &self.saved.target {
            DraftTarget::Form => ("form", None),
            DraftTarget::Refused(number) => ("refused", Some(number.to_string())),
            DraftTarget::Close(id) => ("close", Some(id.raw().to_owned())),
        };
        let mut cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(&self.owner),
            self.left_by.clone().into(),
            text(target),
            target_id.into(),
            text(format_time(self.saved.at)),
        ];
        cells.extend(Field::ALL.map(|field| text(self.saved.draft.get(field))));
        cells.extend([Value::Integer(self.revision), Value::Null]);
        StoredRow { id: self.id, cells }
    }

    fn parse(row: &StoredRow) -> Option<Self> {
        let mut cells = Cells(row.cells.iter());
        let tenant = cells.tenant()?;
        let (owner, left_by) = (cells.text()?, cells.optional_text()?);
        let target = match (cells.text()?.as_str(), cells.optional_text()?) {
            ("form", None) => DraftTarget::Form,
            ("refused", Some(number)) => DraftTarget::Refused(number.parse().ok()?),
            ("close", Some(id)) => DraftTarget::Close(RequestId::new(id)?),
            _ => return None,
        };
        let at = cells.time()?;
        let saved = SavedDraft { target, draft: cells.draft()?, at };
        Some(Self { id: row.id, revision: cells.revision()?, tenant, owner, left_by, saved })
    }
}

/// Returns the name of a state in the tables.
const fn state_name(state: WriteState) -> &'static str {
    match state {
        WriteState::Intended => "intended",
        WriteState::Sending => "sending",
        WriteState::Waiting => "waiting",
        WriteState::Unknown => "unknown",
        WriteState::Done => "done",
        WriteState::NotDone => "not done",
        WriteState::SetAside => "set aside",
    }
}

/// Returns the state of this name in the tables.
pub(super) fn parse_state(name: &str) -> Option<WriteState> {
    WriteState::ALL.into_iter().find(|state| state_name(*state) == name)
}
