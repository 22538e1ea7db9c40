//! A loop of commands on the dashboards' record, one after another, each a process of its own: they open, close, look for what
//! is unknown and list, and some are killed or told to end at any moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    ops::AddAssign,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mmd_elevate_practice::{Observer, TENANT_ID};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{
    chance::{Chance, TWICE},
    process::{AGENT, Machine},
    world::Key,
};

/// How long a command may take before it is told to end: a service that misbehaves keeps it waiting for half a minute.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to end once it was told to.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// What the commands of a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CommandsTold {
    runs: usize,
    pub(super) done: usize,
    not_done: usize,
    unknown: usize,
    pub(super) closed: usize,
    pub(super) killed: usize,
    ended_by_signal: usize,
}

impl AddAssign for CommandsTold {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.done += other.done;
        self.not_done += other.not_done;
        self.unknown += other.unknown;
        self.closed += other.closed;
        self.killed += other.killed;
        self.ended_by_signal += other.ended_by_signal;
    }
}

/// What the commands may have opened.
#[derive(Default)]
struct Confirmed {
    creates: BTreeMap<Key, usize>,
    again: BTreeSet<Key>,
}

/// The loop of commands, while it runs and afterwards.
pub(super) struct Commands {
    confirmed: Arc<Mutex<Confirmed>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<CommandsTold>>,
}

impl Commands {
    /// Begins the loop.
    pub(super) fn start(seed: u64, machine: &Machine, observer: Observer) -> Self {
        let (confirmed, stop) = (Arc::<Mutex<Confirmed>>::default(), Arc::<AtomicBool>::default());
        let mut script = Script {
            seed,
            chance: Chance(!seed),
            state_dir: machine.state_dir.path().to_owned(),
            base_url: machine.base_url.clone(),
            token: machine.token.clone(),
            observer,
            confirmed: confirmed.clone(),
            texts: 0,
            told: CommandsTold::default(),
        };
        let is_over = stop.clone();
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                script.step();
            }
            script.told
        });
        Self { confirmed, stop, thread: Some(thread) }
    }

    /// Ends the loop, once its last command has ended.
    pub(super) fn end(&mut self) -> CommandsTold {
        self.stop.store(true, Ordering::SeqCst);
        let Some(thread) = self.thread.take() else { return CommandsTold::default() };
        thread.join().unwrap_or_else(|failed| std::panic::resume_unwind(failed))
    }

    /// Whether the loop runs.
    pub(super) const fn are_running(&self) -> bool {
        self.thread.is_some()
    }

    /// How many requests like this the commands may have opened.
    pub(super) fn confirmed(&self, key: &Key) -> usize {
        self.confirmed.lock().unwrap().creates.get(key).copied().unwrap_or_default()
    }

    /// Whether one like this was sent again on purpose.
    pub(super) fn sent_again(&self, key: &Key) -> bool {
        self.confirmed.lock().unwrap().again.contains(key)
    }
}

/// The loop itself.
struct Script {
    seed: u64,
    chance: Chance,
    state_dir: PathBuf,
    base_url: String,
    token: String,
    observer: Observer,
    confirmed: Arc<Mutex<Confirmed>>,
    texts: usize,
    told: CommandsTold,
}

/// How a command ended.
struct Ended {
    status: ExitStatus,
    /// The documents on standard output that are whole: the last one may be cut where it was killed.
    documents: Vec<Value>,
    said: String,
}

impl Script {
    fn step(&mut self) {
        self.told.runs += 1;
        match self.chance.below(10) {
            0..=2 => self.creates(),
            3 | 4 => self.creates_several(),
            5..=7 => self.closes(),
            8 => drop(self.run(&["resolve"])),
            _ => drop(self.run(&["list"])),
        }
    }

    /// A text that nobody has typed yet.
    fn text(&mut self) -> String {
        self.texts += 1;
        format!("command-{}-{}.", self.seed, self.texts)
    }

    /// What to open: something new, or the same as before.
    fn picks(&mut self) -> (Key, bool) {
        let known: Vec<_> = self.confirmed.lock().unwrap().creates.keys().cloned().collect();
        if !known.is_empty() && self.chance.one_in(4) {
            return (known[self.chance.below(known.len())].clone(), true);
        }
        let ticket = self.chance.of(&["INC-1", "INC-2", TWICE]).to_owned();
        let device = self.chance.of(&["MMD-03690457680", "MMD-00000000001", "MMD-00000000005"]).to_owned();
        (Key { ticket, device, title: "Excel crashes".to_owned(), plan: self.text() }, false)
    }

    /// Notes it before it is sent: whoever looks meanwhile finds one that was confirmed.
    fn confirms(&self, key: &Key, is_again: bool) {
        let mut confirmed = self.confirmed.lock().unwrap();
        *confirmed.creates.entry(key.clone()).or_default() += 1;
        if is_again {
            confirmed.again.insert(key.clone());
        }
    }

    fn creates(&mut self) {
        let (key, is_again) = self.picks();
        let mut arguments = vec!["create", "--ticket", &key.ticket, "--device", &key.device, "--title", &key.title];
        arguments.extend(["--category", "Office", "--subcategory", "Excel", "--plan", &key.plan]);
        let (allow_open, again) = (!self.chance.one_in(3), is_again && self.chance.one_in(2));
        arguments.extend(allow_open.then_some("--allow-open"));
        arguments.extend(again.then_some("--again"));
        self.confirms(&key, is_again);
        let ended = self.run(&arguments);
        let Some(document) = ended.documents.first() else { return };
        let codes: &[i32] = match self.notes(&key, document) {
            "done" => &[0],
            "not-done" => &[3, 7],
            _ => &[6],
        };
        // It may have been killed after it had told the outcome.
        let is_right = ended.status.code().is_none_or(|code| codes.contains(&code) || code > 128);
        assert!(is_right, "{:?}: {document}", ended.status);
    }

    /// Opens several with one command, which has them under way at once.
    fn creates_several(&mut self) {
        let picked: Vec<_> = (0..2 + self.chance.below(5)).map(|_| self.picks()).collect();
        let lines: Vec<_> = (picked.iter())
            .map(|(Key { ticket, device, title, plan }, _)| {
                json!({
                    "ticket": ticket, "device": device, "title": title, "category": "Office", "subcategory": "Excel",
                    "plan": plan,
                })
                .to_string()
            })
            .collect();
        let file = self.state_dir.join("several.jsonl");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let mut arguments = vec!["create", "--from", file.to_str().unwrap()];
        arguments.extend((!self.chance.one_in(3)).then_some("--allow-open"));
        arguments.extend(self.chance.one_in(3).then_some("--again"));
        for (key, is_again) in &picked {
            self.confirms(key, *is_again);
        }
        let ended = self.run(&arguments);
        assert!(ended.documents.len() <= picked.len(), "{:?}", ended.documents);
        for ((key, _), document) in picked.iter().zip(&ended.documents) {
            self.notes(key, document);
        }
        let was_told_to_end = ended.status.code().is_some_and(|code| code > 128);
        let unprinted: Vec<_> = picked[ended.documents.len()..].iter().map(|(key, _)| key).collect();
        let held = self.observer.requests().unwrap();
        let is_new = |key: &Key| picked.iter().any(|(picked, is_again)| picked == key && !is_again);
        if was_told_to_end && held.iter().map(Key::of_held).any(|key| unprinted.contains(&&key) && is_new(&key)) {
            assert!(ended.said.contains("ended "), "what it has opened and not printed is told: {}", ended.said);
        }
    }

    /// Notes what came of a create, and returns the outcome.
    fn notes<'d>(&mut self, key: &Key, document: &'d Value) -> &'d str {
        let outcome = document["outcome"].as_str().unwrap();
        match outcome {
            "done" => {
                self.told.done += 1;
                let id = document["request"]["id"].as_str().unwrap().to_lowercase();
                let held = self.observer.requests().unwrap().into_iter().find(|held| held.id == id);
                assert!(held.is_some_and(|held| Key::of_held(&held) == *key), "{document}\n{key:?}");
            }
            "not-done" => {
                self.told.not_done += 1;
                // Then there is one less that may be open.
                *self.confirmed.lock().unwrap().creates.get_mut(key).unwrap() -= 1;
            }
            "unknown" => self.told.unknown += 1,
            outcome => panic!("{outcome}: {document}"),
        }
        outcome
    }

    fn closes(&mut self) {
        let held = self.observer.requests().unwrap();
        let open: Vec<_> = held.into_iter().filter(|held| held.open).map(|held| held.id).collect();
        if open.is_empty() {
            return;
        }
        let (id, text) = (open[self.chance.below(open.len())].clone(), self.text());
        let ended = self.run(&["close", &id, "--actions", &text]);
        let Some(result) = ended.documents.first().map(|document| &document["results"][0]) else { return };
        if result["outcome"] == "done" && result["verified"] == true {
            self.told.closed += 1;
            let held = self.observer.requests().unwrap().into_iter().find(|held| held.id == id);
            assert!(held.is_some_and(|held| !held.open), "{result}");
        }
    }

    /// Runs a command to its end, or ends it at any moment.
    fn run(&mut self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
        command.args(arguments).arg("--json").env_clear().envs([
            ("HOME", self.state_dir.to_str().unwrap()),
            ("USER", AGENT),
            ("MMD_ELEVATE_STATE_DIR", self.state_dir.to_str().unwrap()),
            ("MMD_ELEVATE_BASE_URL", &self.base_url),
            ("MMD_ELEVATE_TENANT_ID", TENANT_ID),
            ("MMD_ELEVATE_TOKEN", &self.token),
        ]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let reader = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        let output = thread::spawn(move || {
            let mut printed = String::new();
            stdout.read_to_string(&mut printed).unwrap();
            printed
        });
        let status = if self.chance.one_in(4) {
            let moment = Duration::from_millis(self.chance.below(80) as u64);
            wait(&mut child, moment).unwrap_or_else(|| {
                self.told.killed += 1;
                child.kill().unwrap();
                child.wait().unwrap()
            })
        } else {
            wait(&mut child, PATIENCE).unwrap_or_else(|| {
                self.told.ended_by_signal += 1;
                let signal = self.chance.of(&[Signal::INT, Signal::TERM]);
                kill_process(Pid::from_child(&child), signal).unwrap();
                wait(&mut child, LAST_WORDS).unwrap_or_else(|| panic!("{arguments:?} does not end by {signal:?}"))
            })
        };
        let (printed, said) = (output.join().unwrap(), reader.join().unwrap());
        let ended = Ended {
            status,
            documents: serde_json::Deserializer::from_str(&printed).into_iter().map_while(Result::ok).collect(),
            said,
        };
        assert!(!ended.said.contains("panicked"), "{arguments:?}: {}", ended.said);
        if ended.status.signal().is_none() {
            let code = ended.status.code().unwrap();
            assert!([0, 3, 5, 6, 7, 129, 130, 143].contains(&code), "{arguments:?}: {code}: {}", ended.said);
        }
        ended
    }
}

/// Waits until it has ended, or so long.
fn wait(child: &mut Child, most: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if began.elapsed() >= most {
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}
