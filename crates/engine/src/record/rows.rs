//! What the rows of the three tables mean. What the columns hold is told in `schema.rs`.

use jiff::Timestamp;
use rusqlite::types::Value;

use super::{
    TenantKey,
    table::{Entry, StoredRow, Table},
};
use mmd_elevate_core::{
    CloseElevationRequest, Draft, DraftTarget, ElevationRequest, Field, Operation, RequestId, SavedDraft, ServiceTime,
    Untrusted, WriteId, WriteRecord, WriteState,
};

/// The tables that are taken over from a damaged or lost database, in the order of what depends on what.
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

/// Nine digits always, so that texts are in the order of their times.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

fn maybe(value: Option<impl Into<String>>) -> Value {
    value.map_or(Value::Null, text)
}

/// Takes a row's cells one after the other. `None` is a row that was never written like this.
struct Cells<'a>(std::slice::Iter<'a, Value>);

#[expect(clippy::option_option, reason = "whether a cell can be read, and whether there is anything in it")]
impl Cells<'_> {
    fn maybe(&mut self) -> Option<Option<String>> {
        match self.0.next()? {
            Value::Null => Some(None),
            Value::Text(text) => Some(Some(text.clone())),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.maybe()?
    }

    fn untrusted(&mut self) -> Option<Untrusted> {
        self.text().map(Untrusted::new)
    }

    fn number(&mut self) -> Option<Option<i64>> {
        match self.0.next()? {
            Value::Null => Some(None),
            Value::Integer(number) => Some(Some(*number)),
            _ => None,
        }
    }

    fn time(&mut self) -> Option<Timestamp> {
        self.text()?.parse().ok()
    }

    fn maybe_time(&mut self) -> Option<Option<Timestamp>> {
        self.maybe()?.map_or(Some(None), |text| text.parse().ok().map(Some))
    }

    fn tenant(&mut self) -> Option<TenantKey> {
        Some(TenantKey { base_url: self.text()?, tenant_id: self.text()? })
    }

    fn draft(&mut self) -> Option<Draft> {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, self.maybe()?.unwrap_or_default());
        }
        Some(draft)
    }

    fn service_time(&mut self) -> Option<Option<ServiceTime>> {
        let text = self.maybe()?;
        let at = self.maybe_time()?;
        Some(text.map(|text| {
            let text = Untrusted::new(text);
            // An older version of the program may not have been able to read it.
            let at = at.or_else(|| ServiceTime::read(text.clone())?.at);
            ServiceTime { text, at }
        }))
    }

    /// Returns the revision of a row that is not marked as unreadable.
    fn end(&mut self) -> Option<i64> {
        let revision = self.number()??;
        matches!(self.0.next()?, Value::Null).then_some(revision)
    }
}

impl WriteRow {
    pub(super) const fn id(&self) -> i64 {
        self.write.id.0
    }
}

impl Entry for WriteRow {
    const TABLE: Table = Table { name: "intent", plural: "writes" };

    fn stored(&self) -> StoredRow {
        let request_id = match &self.write.operation {
            Operation::Create(_) => self.made.as_ref(),
            Operation::Close(CloseElevationRequest { id, .. }) => Some(id),
        };
        let cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(&self.owner),
            text(&self.operator),
            text(self.write.operation.kind()),
            text(time(self.write.at)),
            text(stage_name(self.write.state)),
            text(time(self.changed_at)),
            text(self.write.operation.to_json()),
            maybe(request_id.map(RequestId::raw)),
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
        let (at, state, changed_at) = (cells.time()?, stage_of(&cells.text()?)?, cells.time()?);
        let operation = Operation::from_json(&cells.text()?).filter(|operation| operation.kind() == kind)?;
        let request_id = match cells.maybe()? {
            Some(id) => Some(RequestId::new(id)?),
            None => None,
        };
        let made = match &operation {
            Operation::Create(_) => request_id,
            Operation::Close(CloseElevationRequest { id, .. }) => {
                // What is looked for by its column is what the write closes.
                request_id.filter(|closes| closes == id)?;
                None
            }
        };
        let write = WriteRecord { id: WriteId(row.id), operation, at, state };
        let (why, service_request_id, revision) = (cells.maybe()?, cells.maybe()?, cells.end()?);
        Some(Self { revision, tenant, owner, operator, write, changed_at, made, why, service_request_id })
    }
}

/// Converts a row of version 1, which had a digest before its last cell and a column for each text of an operation. A row
/// that has other columns stays as it is.
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

    fn stored(&self) -> StoredRow {
        let request = &self.request;
        let mut cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(request.id.raw()),
            self.opened_by.into(),
            text(time(self.seen_at)),
            self.ended_at.map(time).into(),
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
        cells.extend(texts.map(|it| text(it.raw())));
        for moment in [&request.created, &request.closed] {
            cells.push(maybe(moment.as_ref().map(|moment| moment.text.raw())));
            cells.push(moment.as_ref().and_then(|moment| moment.at).map(time).into());
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
        let (opened_by, seen_at, ended_at) = (cells.number()?, cells.time()?, cells.maybe_time()?);
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
        Some(Self { id: row.id, revision: cells.end()?, tenant, opened_by, seen_at, ended_at, request })
    }
}

impl Entry for DraftRow {
    const TABLE: Table = Table { name: "draft", plural: "drafts" };

    fn stored(&self) -> StoredRow {
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
            text(time(self.saved.at)),
        ];
        cells.extend(Field::ALL.map(|field| text(self.saved.draft.get(field))));
        cells.extend([Value::Integer(self.revision), Value::Null]);
        StoredRow { id: self.id, cells }
    }

    fn parse(row: &StoredRow) -> Option<Self> {
        let mut cells = Cells(row.cells.iter());
        let tenant = cells.tenant()?;
        let (owner, left_by) = (cells.text()?, cells.maybe()?);
        let target = match (cells.text()?.as_str(), cells.maybe()?) {
            ("form", None) => DraftTarget::Form,
            ("refused", Some(number)) => DraftTarget::Refused(number.parse().ok()?),
            ("close", Some(id)) => DraftTarget::Close(RequestId::new(id)?),
            _ => return None,
        };
        let at = cells.time()?;
        let saved = SavedDraft { target, draft: cells.draft()?, at };
        Some(Self { id: row.id, revision: cells.end()?, tenant, owner, left_by, saved })
    }
}

/// The state as the table says it.
pub(super) const fn stage_name(state: WriteState) -> &'static str {
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

fn stage_of(name: &str) -> Option<WriteState> {
    WriteState::ALL.into_iter().find(|state| stage_name(*state) == name)
}
