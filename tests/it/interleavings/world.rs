//! The agent's dashboard, the server, and what of both has to agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::AddAssign,
    path::Path,
    time::Duration,
};

use mmd_elevate::{
    domain::{Draft, ElevationRequest, Field},
    port::{Call, FromWorker, Progress},
    practice::{Held, Observer, Practice, Rules, Settings},
    state::{Closure, Model, RecordState, Row, RowState},
};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::{
    chance::{Chance, TWICE, rules},
    process::Process,
};
use crate::support::within;

/// How many may be open for a device: some creates are to be declined.
const OPEN_AT_ONCE: usize = 6;

/// What makes two requests equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) ticket: String,
    pub(super) device: String,
    pub(super) title: String,
    pub(super) plan: String,
}

impl Key {
    pub(super) fn of(draft: &Draft) -> Self {
        let [ticket, device, title, plan] =
            [Field::Ticket, Field::Device, Field::Title, Field::PlanOfAction].map(|field| draft.get(field).to_owned());
        Self { ticket, device: device.to_uppercase(), title, plan }
    }

    fn of_held(held: &Held) -> Self {
        Self {
            ticket: held.ticket.clone(),
            device: held.device.to_uppercase(),
            title: held.title.clone(),
            plan: held.plan_of_action.clone(),
        }
    }

    fn of_row(row: &Row) -> Self {
        row.request.as_ref().map_or_else(|| Self::of(&row.draft), Self::of_request)
    }

    pub(super) fn of_request(request: &ElevationRequest) -> Self {
        Self {
            ticket: request.ticket.raw().to_owned(),
            device: request.device.raw().to_uppercase(),
            title: request.title.raw().to_owned(),
            plan: request.plan_of_action.raw().to_owned(),
        }
    }
}

/// What is known of a text that was typed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    /// It was seen in the record: from there on it is not lost.
    safe: bool,
    /// The agent let it go.
    gone: bool,
}

/// What a run was about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) steps: usize,
    pub(super) kills: usize,
    pub(super) quits: usize,
    pub(super) creates: usize,
    pub(super) closes: usize,
    pub(super) unknown: usize,
    pub(super) sent_again: usize,
    pub(super) set_aside: usize,
    pub(super) adopted: usize,
    pub(super) held: usize,
    pub(super) texts: usize,
}

impl AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.kills += other.kills;
        self.quits += other.quits;
        self.creates += other.creates;
        self.closes += other.closes;
        self.unknown += other.unknown;
        self.sent_again += other.sent_again;
        self.set_aside += other.set_aside;
        self.adopted += other.adopted;
        self.held += other.held;
        self.texts += other.texts;
    }
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) chance: Chance,
    observer: Observer,
    base_url: String,
    token: String,
    folder: TempDir,
    pub(super) process: Process,
    pub(super) texts: BTreeMap<String, Text>,
    pub(super) typed: usize,
    /// How often the agent confirmed a create like this.
    pub(super) confirmed: BTreeMap<Key, usize>,
    aside: BTreeMap<Key, usize>,
    /// What the tenant held before.
    before: BTreeSet<String>,
    pub(super) told: Told,
}

impl World {
    pub(super) async fn begin(seed: u64) -> Self {
        let settings = Settings { open_requests_per_device: OPEN_AT_ONCE, ..Settings::default() };
        let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await.unwrap();
        let (observer, base_url) = (practice.observer(), practice.base_url());
        let token = practice.token();
        tokio::spawn(practice.serve());
        let before = observer.requests().unwrap().into_iter().map(|held| held.id).collect();
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(&base_url, &token, folder.path());
        let (texts, confirmed, aside) = Default::default();
        let chance = Chance(seed);
        let (told, typed) = (Told::default(), 0);
        Self { seed, chance, observer, base_url, token, folder, process, texts, typed, confirmed, aside, before, told }
    }

    pub(super) async fn step(&mut self) {
        self.told.steps += 1;
        match self.chance.below(32) {
            0..=8 => self.writes_in_the_form(),
            9..=17 => self.turns_to_a_row(),
            18..=24 => {
                let wait = Duration::from_millis(self.chance.below(30) as u64);
                self.process.hears(wait).await;
            }
            25 => self.refreshes(),
            26..=27 => self.observer.set_rules(rules(&mut self.chance)),
            28 => self.observer.set_rules(Rules::default()),
            29 => self.pauses().await,
            30 if self.chance.one_in(2) => self.is_killed().await,
            31 if self.chance.one_in(4) => self.starts_again().await,
            _ => {}
        }
        if self.chance.one_in(2) {
            let millis = self.chance.below(400);
            self.process.after(i64::try_from(millis).unwrap());
        }
        self.process.hears(Duration::ZERO).await;
        self.notes_calls();
        self.notes_what_is_told();
        if self.told.steps.is_multiple_of(10) {
            self.assert_never_twice();
        }
    }

    /// What the agent has confirmed since this was last asked.
    pub(super) fn notes_calls(&mut self) {
        for (_, call) in self.process.calls.drain(..) {
            match call {
                Call::Create(new) => {
                    self.told.creates += 1;
                    *self.confirmed.entry(Key::of(new.draft())).or_default() += 1;
                }
                Call::Close { .. } => self.told.closes += 1,
                Call::Look(_) | Call::SetAside(_) | Call::Adopt(..) | Call::Check(_) => {}
            }
        }
    }

    /// What the worker has told since this was last asked.
    fn notes_what_is_told(&mut self) {
        let told = std::mem::take(&mut self.process.told);
        self.told.unknown +=
            told.iter().filter(|word| matches!(word, FromWorker::Progress(_, Progress::Looking(_)))).count();
    }

    fn is_safe(&mut self, held: &str) {
        for (text, known) in &mut self.texts {
            known.safe |= held.contains(text.as_str());
        }
    }

    /// The agent does not want this text any more.
    pub(super) fn lets_go(&mut self, held: &str) {
        for (text, known) in &mut self.texts {
            known.gone |= held.contains(text.as_str());
        }
    }

    pub(super) fn sets_aside(&mut self, draft: &Draft) {
        *self.aside.entry(Key::of(draft)).or_default() += 1;
        self.lets_go(draft.get(Field::PlanOfAction));
    }

    /// Long enough for what was typed to be saved.
    async fn pauses(&mut self) {
        self.is_open().await;
        self.process.after(1_000);
        let drafts: Vec<_> = self.process.model.drafts().into_values().collect();
        let plans: Vec<_> = drafts.iter().map(|draft| draft.get(Field::PlanOfAction).to_owned()).collect();
        let saved = || {
            let saved = column(self.folder.path(), "SELECT plan_of_action FROM draft");
            plans.iter().all(|plan| saved.contains(plan))
        };
        within(async {
            while !saved() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
        for plan in plans {
            self.is_safe(&plan);
        }
    }

    /// Waits until the record is open.
    async fn is_open(&mut self) {
        within(async {
            while self.process.model.record == RecordState::Opening {
                self.process.hears(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert_eq!(self.process.model.record, RecordState::Keeping, "{:?}", self.process.model.notice);
    }

    async fn is_killed(&mut self) {
        self.told.kills += 1;
        let next = self.chance.one_in(3);
        self.notes_calls();
        self.process.killed(self.folder.path()).await;
        if self.folder.path().join("record.db").exists() {
            // What was sent and may have been done; a text that was refused has a second to be saved again.
            let kept = "SELECT ifnull(plan_of_action, actions_taken) FROM intent WHERE stage <> 'not done'";
            for text in column(self.folder.path(), kept) {
                self.is_safe(&text);
            }
        }
        self.process = Process::start(&self.base_url, &self.token, self.folder.path());
        self.texts.retain(|_, text| text.safe || text.gone);
        if !next {
            self.is_open().await;
            self.assert_nothing_is_lost();
        }
    }

    pub(super) async fn starts_again(&mut self) {
        self.told.quits += 1;
        self.is_open().await;
        self.notes_what_is_told();
        let all: Vec<_> = held_by(&self.process.model);
        self.notes_calls();
        self.process.leaves(self.folder.path()).await;
        self.process = Process::start(&self.base_url, &self.token, self.folder.path());
        for text in all {
            self.is_safe(&text);
        }
        self.texts.retain(|_, text| text.safe || text.gone);
        self.is_open().await;
        self.assert_nothing_is_lost();
    }

    /// The server behaves, and everything comes to rest.
    pub(super) async fn rests(&mut self) {
        self.observer.set_rules(Rules::default());
        self.observer.open().await;
        self.is_open().await;
        self.quiet().await;
        self.looks_for_all();
        self.quiet().await;
        // What a server does long after the connection broke is seen by the refresh after that.
        let began = std::time::Instant::now();
        loop {
            self.refreshes();
            self.quiet().await;
            self.notes_what_is_told();
            match self.disagreement() {
                None => break,
                Some(what) => assert!(began.elapsed() < Duration::from_secs(5), "{what}\n{}", self.picture()),
            }
        }
        self.assert_never_twice();
        self.assert_nothing_is_lost();
        self.assert_every_intent_is_shown();
        self.told.held = self.held().len();
        self.told.texts = self.typed;
    }

    async fn quiet(&mut self) {
        within(async {
            while !self.process.model.calls.is_empty() {
                self.process.hears(Duration::from_millis(50)).await;
            }
        })
        .await;
        self.process.after(1_000);
    }

    fn held(&self) -> Vec<Held> {
        let all = self.observer.requests().unwrap();
        all.into_iter().filter(|held| !self.before.contains(&held.id)).collect()
    }

    /// Never more than was confirmed.
    fn assert_never_twice(&self) {
        let mut held: BTreeMap<Key, usize> = BTreeMap::new();
        for request in self.held() {
            *held.entry(Key::of_held(&request)).or_default() += 1;
        }
        for (key, count) in held {
            let confirmed = self.confirmed.get(&key).copied().unwrap_or_default();
            let most = if key.ticket == TWICE { 2 * confirmed } else { confirmed };
            assert!(count <= most, "{count} of {key:?}, and {confirmed} confirmed\n{}", self.picture());
        }
    }

    fn assert_nothing_is_lost(&self) {
        let mut there = held_by(&self.process.model);
        for held in self.held() {
            there.extend([held.plan_of_action, held.actions_taken]);
        }
        for (text, known) in &self.texts {
            let found = there.iter().any(|there| there.contains(text.as_str()));
            assert!(found || known.gone, "{text} was lost: {known:?}\n{}", self.picture());
        }
    }

    /// Where the list and the server do not agree.
    fn disagreement(&self) -> Option<String> {
        let held = self.held();
        let mut seen = BTreeSet::new();
        let mut unclear = self.aside.clone();
        for row in self.process.model.requests.all() {
            if matches!(row.state, RowState::Unknown | RowState::Looking(_)) {
                *unclear.entry(Key::of_row(row)).or_default() += 1;
            }
            let Some(id) = row.request_id() else {
                if row.state.is_open() || matches!(row.state, RowState::Closed(_)) {
                    return Some(format!("a row without an id is {:?}", row.state));
                }
                continue;
            };
            if !seen.insert(id.raw().to_owned()) {
                return Some(format!("two rows are {}", id.raw()));
            }
            let found = held.iter().find(|held| held.id == id.raw());
            let agrees = match (row.state, found) {
                (RowState::Open, Some(held)) => held.open,
                // Nobody knows.
                (RowState::CloseUnknown, _) | (RowState::Closed(Closure::Gone), None) => true,
                (RowState::Closed(Closure::Gone), Some(_)) => false,
                (RowState::Closed(_), Some(held)) => !held.open,
                _ => false,
            };
            if !agrees {
                return Some(format!("{} is {:?}, and the server holds {found:?}", id.raw(), row.state));
            }
        }
        for held in held.iter().filter(|held| held.open && !seen.contains(&held.id)) {
            let key = Key::of_held(held);
            let left = unclear.get_mut(&key).filter(|left| **left > 0);
            match left {
                // One that a server did twice may have been nobody's.
                _ if key.ticket == TWICE => {}
                Some(left) => *left -= 1,
                None => return Some(format!("{} is open, and no row says so: {key:?}", held.id)),
            }
        }
        None
    }

    fn assert_every_intent_is_shown(&self) {
        let open = "stage NOT IN ('done', 'not done', 'set aside')";
        let sql = format!("SELECT CAST(id AS TEXT) FROM intent WHERE kind = 'create' AND {open}");
        for id in column(self.folder.path(), &sql) {
            let rows = self.process.model.requests.all();
            let shown = rows.filter(|row| row.intent.is_some_and(|intent| intent.0.to_string() == id)).count();
            assert_eq!(shown, 1, "create {id}\n{}", self.picture());
        }
        for request in
            column(self.folder.path(), &format!("SELECT request_id FROM intent WHERE kind = 'close' AND {open}"))
        {
            let shown =
                self.process.model.requests.all().any(|row| row.request_id().is_some_and(|id| id.raw() == request));
            assert!(shown, "close of {request}\n{}", self.picture());
        }
    }

    /// What there is, for whoever has to find out.
    fn picture(&self) -> String {
        let rows = self.process.model.requests.all().map(|row| {
            let id = row.request_id().map(|id| id.raw().to_owned());
            let typed = row.actions_taken.as_ref().map(|text| text.text());
            format!("row {} {:?} {id:?} {:?} {:?} {typed:?}", row.id.0, row.state, row.intent, Key::of_row(row))
        });
        let held = self.held().into_iter().map(|held| format!("held {held:?}"));
        let intents = column(
            self.folder.path(),
            "SELECT id || ' ' || kind || ' ' || stage || ' ' || ifnull(request_id, '-') || ' ' || \
             ifnull(plan_of_action, ifnull(actions_taken, '')) FROM intent",
        );
        let intents = intents.into_iter().map(|intent| format!("intent {intent}"));
        rows.chain(held).chain(intents).chain([format!("{:?}", self.told)]).collect::<Vec<_>>().join("\n")
    }
}

/// Every text that the dashboard holds.
fn held_by(model: &Model) -> Vec<String> {
    let mut texts = vec![model.form.draft().get(Field::PlanOfAction).to_owned()];
    for row in model.requests.all() {
        texts.push(row.draft.get(Field::PlanOfAction).to_owned());
        texts.extend(row.actions_taken.as_ref().map(|text| text.text()));
        texts.extend(row.request.as_ref().map(|request| request.plan_of_action.raw().to_owned()));
    }
    texts
}

/// A column of the record, read beside whoever uses it.
fn column(folder: &Path, sql: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(folder.join("record.db"), flags).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    let mut rows = db.prepare(sql).unwrap();
    let texts = rows.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
    texts.map(|text| text.unwrap().unwrap_or_default()).collect()
}
