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
        let mut cells = vec![
            text(&self.tenant.base_url),
            text(&self.tenant.tenant_id),
            text(&self.owner),
            text(&self.operator),
            text(match &self.write.operation {
                Operation::Create(_) => "create",
                Operation::Close(_) => "close",
            }),
            text(time(self.write.at)),
            text(stage_name(self.write.state)),
            text(time(self.changed_at)),
        ];
        match &self.write.operation {
            Operation::Create(new) => {
                cells.extend(Field::ALL.map(|field| text(new.get(field))));
                cells.extend([Value::Null, maybe(self.made.as_ref().map(RequestId::raw))]);
            }
            Operation::Close(CloseElevationRequest { id, device, actions_taken }) => {
                cells.extend(Field::ALL.map(|field| match field {
                    Field::Device => text(device.raw()),
                    _ => Value::Null,
                }));
                cells.extend([text(actions_taken), text(id.raw())]);
            }
        }
        cells.extend([self.why.clone().into(), self.service_request_id.clone().into()]);
        cells.extend([Value::Integer(self.revision), Value::Null]);
        StoredRow { id: self.id(), cells }
    }

    fn parse(row: &StoredRow) -> Option<Self> {
        let mut cells = Cells(row.cells.iter());
        let tenant = cells.tenant()?;
        let (owner, operator, kind) = (cells.text()?, cells.text()?, cells.text()?);
        let (at, state, changed_at) = (cells.time()?, stage_of(&cells.text()?)?, cells.time()?);
        let draft = cells.draft()?;
        let actions_taken = cells.maybe()?;
        let request_id = cells.maybe()?.map(|id| RequestId::new(id).ok_or(())).transpose().ok()?;
        let (what, made) = match kind.as_str() {
            "create" => (Operation::Create(draft.validate().ok()?), request_id),
            "close" => {
                let device = Untrusted::new(draft.get(Field::Device));
                (
                    Operation::Close(CloseElevationRequest { id: request_id?, device, actions_taken: actions_taken? }),
                    None,
                )
            }
            _ => return None,
        };
        let write = WriteRecord { id: WriteId(row.id), operation: what, at, state };
        let (why, service_request_id, revision) = (cells.maybe()?, cells.maybe()?, cells.end()?);
        Some(Self { revision, tenant, owner, operator, write, changed_at, made, why, service_request_id })
    }
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
