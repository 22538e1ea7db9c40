//! The agents' dashboards, the server, and what comes between them. `checks` says what of them has to agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::AddAssign,
    time::Duration,
};

use mmd_elevate::dashboard::Row;
use mmd_elevate_core::{Call, Draft, ElevationRequest, Event, Field, Operation, Progress};
use mmd_elevate_practice::{Observer, Practice, Rules, Settings, StoredRequest};

use super::{
    chance::{Chance, rules},
    checks::{column, held_by},
    commands::{Commands, CommandsTold},
    process::{Machine, Process, set_clock},
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

    pub(super) fn of_held(held: &StoredRequest) -> Self {
        Self {
            ticket: held.ticket.clone(),
            device: held.device.to_uppercase(),
            title: held.title.clone(),
            plan: held.plan_of_action.clone(),
        }
    }

    pub(super) fn of_row(row: &Row<'_>) -> Self {
        row.request.map_or_else(|| Self::of(row.draft.unwrap()), Self::of_request)
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
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    /// Who typed it.
    agent: usize,
    /// It was seen in the record: from there on it is not lost.
    safe: bool,
    /// The agent let it go.
    pub(super) gone: bool,
}

impl Text {
    /// Typed just now.
    pub(super) const fn by(agent: usize) -> Self {
        Self { agent, safe: false, gone: false }
    }
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
    /// What runs beside the dashboards on their record.
    pub(super) commands: Option<Commands>,
    pub(super) seed: u64,
    pub(super) chance: Chance,
    pub(super) observer: Observer,
    pub(super) machine: Machine,
    /// The dashboard at hand.
    pub(super) process: Process,
    /// Another agent's, on the same record at the same time.
    other: Option<Process>,
    pub(super) texts: BTreeMap<String, Text>,
    pub(super) typed: usize,
    /// How often agents confirmed a create like this.
    pub(super) confirmed: BTreeMap<Key, usize>,
    pub(super) aside: BTreeMap<Key, usize>,
    /// What the agent has sent a second time, as a separate request.
    pub(super) again: BTreeSet<Key>,
    /// What the tenant held before.
    pub(super) before: BTreeSet<String>,
    pub(super) told: Told,
}

impl World {
    pub(super) async fn begin(seed: u64, lane: usize, has_commands: bool) -> Self {
        let settings = Settings { open_requests_per_device: OPEN_AT_ONCE, ..Settings::default() };
        let practice = Practice::bind((Ipv4Addr::LOCALHOST, 0).into(), settings).await.unwrap();
        let (observer, base_url) = (practice.observer(), practice.base_url());
        let token = practice.token();
        tokio::spawn(practice.serve());
        let before = observer.requests().unwrap().into_iter().map(|held| held.id).collect();
        set_clock(lane, 0);
        let machine = Machine { base_url, token, state_dir: tempfile::tempdir().unwrap(), lane, has_commands };
        let mut process = Process::start(&machine, 0);
        let mut chance = Chance(seed);
        let mut other = None;
        if chance.one_in(2) {
            process.is_open(&machine, None).await;
            other = Some(Process::start(&machine, 1));
        }
        let (texts, confirmed, aside, again) = Default::default();
        let (told, typed) = (Told::default(), 0);
        let commands = if has_commands {
            // The record is theirs to join, not to make.
            process.is_open(&machine, None).await;
            Some(Commands::start(seed, &machine, observer.clone()))
        } else {
            None
        };
        Self {
            commands,
            seed,
            chance,
            observer,
            machine,
            process,
            other,
            texts,
            typed,
            confirmed,
            aside,
            again,
            before,
            told,
        }
    }

    /// Every dashboard that runs.
    pub(super) fn processes(&self) -> impl Iterator<Item = &Process> {
        [&self.process].into_iter().chain(&self.other)
    }

    /// The other agent's turn, where there is one.
    fn turns(&mut self) {
        if let Some(other) = &mut self.other {
            std::mem::swap(&mut self.process, other);
        }
    }

    pub(super) async fn step(&mut self) {
        self.told.steps += 1;
        if self.chance.one_in(2) {
            self.turns();
        }
        match self.chance.below(33) {
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
            // Commands have the clock of this machine.
            32 if self.commands.is_none() && self.chance.one_in(2) => {
                let ahead = self.chance.of(&[0, 0, -180, -4, 3, 240]);
                set_clock(self.machine.lane, ahead);
            }
            _ => {}
        }
        if self.chance.one_in(2) {
            let millis = self.chance.below(400);
            self.process.after(i64::try_from(millis).unwrap());
        }
        for _ in 0..2 {
            self.process.hears(Duration::ZERO).await;
            self.notes_calls();
            self.notes_what_is_told();
            self.turns();
        }
        if self.told.steps.is_multiple_of(10) {
            self.assert_never_twice();
        }
    }

    /// What the agent has confirmed since this was last asked.
    pub(super) fn notes_calls(&mut self) {
        for (_, call) in self.process.calls.drain(..) {
            match call {
                Call::Send(Operation::Create(new)) | Call::SendUnlessUnknown(new) => {
                    self.told.creates += 1;
                    *self.confirmed.entry(Key::of(new.draft())).or_default() += 1;
                }
                Call::Send(Operation::Close(_)) => self.told.closes += 1,
                Call::Look(_)
                | Call::SetAside(_)
                | Call::Adopt(..)
                | Call::Check(_)
                | Call::TakeAsClosed(_)
                | Call::History { .. }
                | Call::List(_)
                | Call::SearchDevices(_) => {}
            }
        }
    }

    /// What the worker has told since this was last asked.
    fn notes_what_is_told(&mut self) {
        let told = std::mem::take(&mut self.process.told);
        self.told.unknown +=
            told.iter().filter(|word| matches!(word, Event::Progress(_, Progress::Looking(_)))).count();
    }

    fn is_safe(&mut self, held: &str) {
        for (text, known) in &mut self.texts {
            known.safe |= held.contains(text.as_str());
        }
    }

    /// It may be typed text again that is nowhere in the record.
    pub(super) fn is_unsafe(&mut self, held: &str) {
        for (text, known) in &mut self.texts {
            known.safe &= !held.contains(text.as_str());
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
            let saved = column(&self.machine, "SELECT plan_of_action FROM draft");
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

    /// Waits until the record is open, in both.
    async fn is_open(&mut self) {
        if let Some(other) = &mut self.other {
            other.is_open(&self.machine, Some(&self.process)).await;
        }
        self.process.is_open(&self.machine, self.other.as_ref()).await;
    }

    async fn is_killed(&mut self) {
        self.told.kills += 1;
        let next = self.chance.one_in(3);
        self.notes_calls();
        if let Some(other) = &mut self.other {
            other.is_open(&self.machine, Some(&self.process)).await;
        }
        self.process.killed(&self.machine, self.other.as_ref()).await;
        if self.machine.state_dir.path().join("record.db").exists() {
            // What was sent and may have been done; a text that was refused has a second to be saved again, and what
            // another is sending may yet be refused.
            let owner = self.process.owner();
            let kept = format!(
                "SELECT ifnull(operation ->> '$.create.plan_of_action', operation ->> '$.close.actions_taken') FROM intent \
                 WHERE stage IN ('unknown', 'done') OR owner = '{owner}' AND stage NOT IN ('not done', 'set aside')"
            );
            for text in column(&self.machine, &kept) {
                self.is_safe(&text);
            }
        }
        self.begins_again();
        if !next {
            self.is_open().await;
            self.assert_nothing_is_lost();
        }
    }

    /// The same agent starts another. What was not safe is not promised.
    fn begins_again(&mut self) {
        let agent = self.process.agent;
        self.process = Process::start(&self.machine, agent);
        self.texts.retain(|_, text| text.safe || text.gone || text.agent != agent);
    }

    async fn starts_again(&mut self) {
        self.told.quits += 1;
        self.is_open().await;
        self.notes_what_is_told();
        let all: Vec<_> = held_by(&self.process.model);
        self.notes_calls();
        self.process.leaves(&self.machine, self.other.as_ref()).await;
        for text in all {
            self.is_safe(&text);
        }
        self.begins_again();
        self.is_open().await;
        self.assert_nothing_is_lost();
    }

    pub(super) async fn all_start_again(&mut self) {
        self.starts_again().await;
        if self.other.is_some() {
            self.turns();
            self.starts_again().await;
        }
    }

    /// The commands end. What they left in the record is the next dashboards'.
    pub(super) async fn ends_commands(&mut self) -> CommandsTold {
        let ended = self.commands.as_mut().map(Commands::end);
        self.observer.set_rules(Rules::default());
        self.observer.open().await;
        self.all_start_again().await;
        ended.unwrap_or_default()
    }

    /// The server behaves, and everything comes to rest.
    pub(super) async fn rests(&mut self) {
        self.observer.set_rules(Rules::default());
        self.observer.open().await;
        self.is_open().await;
        self.quiet().await;
        for _ in 0..2 {
            self.looks_for_all();
            self.turns();
        }
        self.quiet().await;
        // What a server does long after the connection broke is seen by the refresh after that.
        let began = std::time::Instant::now();
        loop {
            for _ in 0..2 {
                self.refreshes();
                self.turns();
            }
            self.quiet().await;
            match self.disagreement() {
                None => break,
                Some(what) => assert!(began.elapsed() < Duration::from_secs(5), "{what}\n{}", self.picture()),
            }
        }
        self.assert_never_twice();
        self.assert_nothing_is_lost();
        self.assert_every_write_is_shown();
        self.told.held = self.held().len();
        self.told.texts = self.typed;
    }

    /// Nothing is under way any more.
    async fn quiet(&mut self) {
        for _ in 0..2 {
            let process = &mut self.process;
            within(async {
                while !process.model.calls.is_empty() {
                    process.hears(Duration::from_millis(50)).await;
                }
            })
            .await;
            process.after(1_000);
            self.notes_what_is_told();
            self.turns();
        }
    }
}
