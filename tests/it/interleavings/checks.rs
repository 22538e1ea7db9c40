//! What of the dashboards, the record and the server has to agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mmd_elevate::dashboard::{Closure, Model, Row, RowState};
use mmd_elevate_core::{Field, RequestId};
use mmd_elevate_practice::StoredRequest;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    chance::{LIMITED, TWICE},
    commands::Commands,
    process::{Machine, Process, QUICK},
    world::{Key, World},
};

/// The long texts of a write, as the record has them.
const PLAN: &str = "operation ->> '$.create.plan_of_action'";
const ACTIONS: &str = "operation ->> '$.close.actions_taken'";

/// An id as it is compared: the server may have told it in capitals.
fn plain(id: &RequestId) -> String {
    id.raw().to_lowercase()
}

impl World {
    pub(super) fn held(&self) -> Vec<StoredRequest> {
        let all = self.observer.requests().unwrap();
        all.into_iter().filter(|held| !self.before.contains(&held.id)).collect()
    }

    /// Never more than was confirmed.
    pub(super) fn assert_never_twice(&self) {
        let mut held: BTreeMap<Key, usize> = BTreeMap::new();
        for request in self.held() {
            *held.entry(Key::of_held(&request)).or_default() += 1;
        }
        for (key, count) in held {
            let commands = self.commands.as_ref().map_or(0, |commands| commands.confirmed(&key));
            let confirmed = self.confirmed.get(&key).copied().unwrap_or_default() + commands;
            let most = match key.ticket.as_str() {
                TWICE => 2 * confirmed,
                // A 429 is taken for a call that was not processed (assumption): one that was is sent again where the list
                // that is read before does not show it, each time that is tried.
                LIMITED => QUICK.throttles as usize * confirmed,
                _ => confirmed,
            };
            assert!(count <= most, "{count} of {key:?}, and {confirmed} confirmed\n{}", self.picture());
        }
    }

    pub(super) fn assert_nothing_is_lost(&self) {
        let mut there: Vec<_> = self.processes().flat_map(|process| held_by(&process.model)).collect();
        for held in self.observer.requests().unwrap() {
            there.extend([held.plan_of_action, held.actions_taken]);
        }
        if self.commands.as_ref().is_some_and(Commands::are_running) {
            // A write that `resolve` has taken over from a dead dashboard is shown by the one that starts after it.
            let taken_over = format!(
                "SELECT ifnull({PLAN}, {ACTIONS}) FROM intent WHERE stage NOT IN ('done', 'not done', 'set aside')"
            );
            there.extend(column(&self.machine, &taken_over));
        }
        for (text, known) in &self.texts {
            let found = there.iter().any(|there| there.contains(text.as_str()));
            assert!(found || known.gone, "{text} was lost: {known:?}\n{}", self.picture());
        }
    }

    /// Where a list and the server do not agree, or what is open there is out of sight.
    pub(super) fn disagreement(&self) -> Option<String> {
        let held = self.held();
        let mut in_sight: BTreeSet<String> =
            column(&self.machine, "SELECT request_id FROM open_request").iter().map(|id| id.to_lowercase()).collect();
        let mut unclear = self.aside.clone();
        let all = self.observer.requests().unwrap();
        let rows = self.processes().flat_map(|process| process.model.requests.all());
        let listed: BTreeSet<_> =
            rows.filter(|row| row.state.is_open()).filter_map(|row| row.request_id().map(plain)).collect();
        for process in self.processes() {
            let shown = match shown(process, &all) {
                Ok(shown) => shown,
                Err(what) => return Some(what),
            };
            for row in process.model.requests.all().filter(|row| is_unknown(row)) {
                *unclear.entry(Key::of_row(&row)).or_default() += 1;
                in_sight.extend(row.possible().iter().map(|request| plain(&request.id)));
            }
            // Dashboards that share a record see each other's requests.
            let opened = column(&self.machine, "SELECT request_id FROM open_request");
            if let Some(unseen) = opened.into_iter().map(|id| id.to_lowercase()).find(|id| !shown.contains(id)) {
                return Some(format!("{unseen} was opened from this record, and agent {} has no row", process.agent));
            }
            in_sight.extend(shown);
        }
        for held in held.iter().filter(|held| held.open && !in_sight.contains(&held.id)) {
            let key = Key::of_held(held);
            let left = unclear.get_mut(&key).filter(|left| **left > 0);
            match left {
                // One that a server did twice may have been nobody's.
                _ if key.ticket == TWICE => {}
                _ if key.ticket == LIMITED && self.was_given_up(&key) => {}
                // What the first of two made that were sent as separate requests, where that came long after, or where the
                // second was taken back before it was sent; and what was done and answered with 429. These stand in the
                // tenant's list, and under nobody's own.
                _ if (key.ticket == LIMITED || self.is_again(&key)) && listed.contains(&held.id) => {}
                Some(left) => *left -= 1,
                None => return Some(format!("{} is open, and no row says so: {key:?}", held.id)),
            }
        }
        None
    }

    /// Whether an agent, or a command, has sent it a second time, as a separate request.
    fn is_again(&self, key: &Key) -> bool {
        self.again.contains(key) || self.commands.as_ref().is_some_and(|commands| commands.sent_again(key))
    }

    /// Whether a create like this was taken for one that was not processed.
    fn was_given_up(&self, key: &Key) -> bool {
        let Key { ticket, plan, .. } = key;
        let (ticket_is, plan_is) = ("operation ->> '$.create.ticket'", "operation ->> '$.create.plan_of_action'");
        let one = format!("{ticket_is} = '{ticket}' AND {plan_is} = '{plan}' AND stage = 'not done'");
        !column(&self.machine, &format!("SELECT why FROM intent WHERE kind = 'create' AND {one}")).is_empty()
    }

    pub(super) fn assert_every_write_is_shown(&self) {
        let open = "stage NOT IN ('done', 'not done', 'set aside')";
        let rows = || self.processes().flat_map(|process| process.model.requests.all());
        let sql = format!("SELECT CAST(id AS TEXT) FROM intent WHERE kind = 'create' AND {open}");
        for id in column(&self.machine, &sql) {
            let shown = rows().filter(|row| row.write.is_some_and(|write| write.0.to_string() == id)).count();
            assert_eq!(shown, 1, "create {id}\n{}", self.picture());
        }
        for request in column(&self.machine, &format!("SELECT request_id FROM intent WHERE kind = 'close' AND {open}"))
        {
            let shown = rows().any(|row| row.request_id().is_some_and(|id| plain(id) == request.to_lowercase()));
            assert!(shown, "close of {request}\n{}", self.picture());
        }
    }

    /// What there is, for whoever has to find out.
    pub(super) fn picture(&self) -> String {
        let rows = self.processes().flat_map(|process| {
            process.model.requests.all().map(|row| {
                let id = row.request_id().map(|id| id.raw().to_owned());
                let typed = row.actions_taken.as_ref().map(|text| text.text());
                let (agent, possible) = (process.agent, row.possible().len());
                let (state, key) = (row.state, Key::of_row(&row));
                format!("agent {agent} row {} {state:?} {id:?} {:?} {key:?} {typed:?} {possible}", row.id.0, row.write)
            })
        });
        let held = self.held().into_iter().map(|held| format!("held {held:?}"));
        let writes = column(
            &self.machine,
            "SELECT id || ' ' || kind || ' at ' || at || ' ' || stage || ' ' || ifnull(request_id, '-') || ' ' || \
             ifnull(operation ->> '$.create.plan_of_action', ifnull(operation ->> '$.close.actions_taken', '')) || ' ' || ifnull(why, '') FROM intent",
        );
        let writes = writes.into_iter().map(|write| format!("write {write}"));
        rows.chain(held).chain(writes).chain([format!("{:?}", self.told)]).collect::<Vec<_>>().join("\n")
    }
}

fn is_unknown(row: &Row<'_>) -> bool {
    matches!(row.state, RowState::Unknown | RowState::Looking(_))
}

/// The requests that the dashboard's rows are, or what it says that is not so.
fn shown(process: &Process, held: &[StoredRequest]) -> Result<BTreeSet<String>, String> {
    let (mut shown, mut open) = (BTreeSet::new(), 0);
    // What the service's list alone has is not followed.
    for row in process.model.requests.all().filter(|row| row.mine) {
        let Some(id) = row.request_id().map(plain) else {
            if row.state.is_open() || matches!(row.state, RowState::Closed(_)) {
                return Err(format!("a row without an id is {:?}", row.state));
            }
            continue;
        };
        let found = held.iter().find(|held| held.id == id);
        let agrees = match (row.state, found) {
            (RowState::Open | RowState::Accepted, Some(held)) => held.open,
            // Nobody knows.
            (RowState::CloseUnknown, _) | (RowState::Closed(Closure::Gone), None) => true,
            (RowState::Closed(Closure::Gone), Some(_)) => false,
            (RowState::Closed(_), Some(held)) => !held.open,
            _ => false,
        };
        if !agrees {
            return Err(format!("{id} is {:?} for agent {}, and the server holds {found:?}", row.state, process.agent));
        }
        open += usize::from(found.is_some_and(|held| held.open));
        if !shown.insert(id.clone()) {
            return Err(format!("two rows are {id}"));
        }
    }
    let remains = process.model.remains();
    if remains.open + remains.accepted + remains.unknown < open {
        return Err(format!("{open} are open, and leaving asks about {remains:?}"));
    }
    Ok(shown)
}

/// Every text that the dashboard holds.
pub(super) fn held_by(model: &Model) -> Vec<String> {
    let mut texts = vec![model.form.draft().get(Field::PlanOfAction).to_owned()];
    for row in model.requests.all() {
        texts.extend(row.draft.map(|draft| draft.get(Field::PlanOfAction).to_owned()));
        texts.extend(row.actions_taken.as_ref().map(|text| text.text()));
        texts.extend(row.request.map(|request| request.plan_of_action.raw().to_owned()));
    }
    texts
}

/// A column of the record, read beside whoever uses it.
pub(super) fn column(machine: &Machine, sql: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(machine.state_dir.path().join("record.db"), flags).unwrap();
    // Nobody may have it open but a command that is about to open it: the log stays.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    let mut rows = db.prepare(sql).unwrap();
    let texts = rows.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
    texts.map(|text| text.unwrap().unwrap_or_default()).collect()
}
