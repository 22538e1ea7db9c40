//! The program killed at each moment of a create and of a close, and started again: never a second create, and nothing
//! that was typed is lost. The server is in this process, so it survives.

use std::{path::PathBuf, time::Duration};

use mmd_elevate_practice::{self as practice, Endpoint, Misdeed, Observer, Practice, Rule, Rules, Settings};
use rstest::rstest;
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::{GONE, Home, SUBMIT, create, started, wait_until};
use crate::support::pty::{self, Program, Pty};

const TICKET: &str = "INC-10442";
const DEVICE: &str = "MMD-03690457680";
const PLAN: &str = "Start Excel as administrator";
const DONE: &str = "Reset the add-in";
/// Longer than any test: whatever hangs is killed.
const HOURS: Duration = Duration::from_secs(3600);

/// A service that outlives the dashboard.
struct Service {
    observer: Observer,
    environment: [(&'static str, String); 3],
    home: Home,
    _runtime: Runtime,
}

impl Service {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let practice = runtime.block_on(Practice::bind(([127, 0, 0, 1], 0).into(), Settings::default())).unwrap();
        let environment = [
            ("MMD_ELEVATE_BASE_URL", practice.base_url()),
            ("MMD_ELEVATE_TENANT_ID", practice::TENANT_ID.to_owned()),
            ("MMD_ELEVATE_TOKEN", practice.token()),
        ];
        let observer = practice.observer();
        runtime.spawn(practice.serve());
        Self { observer, environment, home: Home::new(), _runtime: runtime }
    }

    fn dashboard(&self) -> Program {
        self.environment.iter().fold(self.home.dashboard(), |program, (name, value)| program.env(name, value))
    }

    fn dies(&self, moment: &str) -> Program {
        self.dashboard().env("MMD_ELEVATE_DIE", moment)
    }

    /// The requests that are the test's: how many, and of how many the close is kept.
    fn holds(&self) -> (usize, usize) {
        let held = self.observer.requests().unwrap();
        let ours: Vec<_> = held.into_iter().filter(|held| held.ticket == TICKET).collect();
        (ours.len(), ours.iter().filter(|held| !held.open && held.actions_taken == DONE).count())
    }

    fn calls(&self, operation: Endpoint) -> u64 {
        self.observer.received(operation)
    }

    /// Waits until the record keeps this draft.
    fn has_saved(&self, text: &str) {
        let file = PathBuf::from(self.home.path("logs")).join("record.db");
        wait_until("saving the draft", || {
            let Ok(db) = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY) else { return false };
            let count = db.query_one("SELECT count(*) FROM draft WHERE plan_of_action = ?1", [text], |row| row.get(0));
            count.is_ok_and(|count: i64| count > 0)
        });
    }

    /// A request is open, and the dashboard has left.
    fn with_one_open(&self) {
        let mut pty = started(self.dashboard());
        create(&mut pty, TICKET, DEVICE);
        pty.wait_for_text("● open");
        super::leave(&mut pty);
        pty.wait_for_exit(GONE);
    }
}

/// Where the process is killed, and by what.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    BeforeRecording,
    AfterRecording,
    ReadByTheServer,
    CommittedByTheServer,
    AfterAnswer,
}

impl Moment {
    /// A dashboard that dies at this moment by itself, or hangs there because the server does.
    fn dashboard(self, service: &Service, operation: Endpoint) -> Program {
        let hangs = |misdeed| {
            service.observer.set_rules([Rule::new(operation, misdeed)]);
            service.dashboard()
        };
        match self {
            Self::BeforeRecording => service.dies("before-recording"),
            Self::AfterRecording => service.dies("after-recording"),
            Self::AfterAnswer => service.dies("after-answer"),
            Self::ReadByTheServer => hangs(Misdeed::Hang(HOURS)),
            Self::CommittedByTheServer => hangs(Misdeed::HangAfter(HOURS)),
        }
    }

    fn is_done(self) -> bool {
        matches!(self, Self::CommittedByTheServer | Self::AfterAnswer)
    }

    /// What the server has read of it.
    fn calls(self) -> u64 {
        u64::from(!matches!(self, Self::BeforeRecording | Self::AfterRecording))
    }

    /// Waits until the process is gone, and kills it where it does not see to that itself.
    fn comes(self, service: &Service, operation: Endpoint, pty: &mut Pty) {
        let done = || match operation {
            Endpoint::Create => service.holds().0 == 1,
            _ => service.holds().1 == 1,
        };
        match self {
            Self::ReadByTheServer => wait_until("reading", || service.calls(operation) == 1),
            Self::CommittedByTheServer => wait_until("committing", done),
            Self::BeforeRecording | Self::AfterRecording | Self::AfterAnswer => {}
        }
        if matches!(self, Self::ReadByTheServer | Self::CommittedByTheServer) {
            pty.signal(Signal::KILL);
        }
        assert_eq!(pty.wait_for_exit(Duration::from_secs(20)).signal(), Some("Killed"), "{self:?}");
        service.observer.set_rules(Rules::default());
    }
}

#[rstest]
fn a_create(
    #[values(
        Moment::BeforeRecording,
        Moment::AfterRecording,
        Moment::ReadByTheServer,
        Moment::CommittedByTheServer,
        Moment::AfterAnswer
    )]
    moment: Moment,
) {
    if pty::missing() {
        return;
    }
    let service = Service::start();
    let mut pty = started(moment.dashboard(&service, Endpoint::Create));
    pty.send(format!("n{TICKET}\t{DEVICE}\tExcel add-in crashes\tOffice\tExcel\t{PLAN}"));
    service.has_saved(PLAN);
    pty.send(SUBMIT);
    moment.comes(&service, Endpoint::Create, &mut pty);

    let mut pty = service.dashboard().start();
    pty.wait_for_text("This is how you left it");
    if moment == Moment::BeforeRecording {
        pty.wait_for_text("in the form");
        pty.send("\r");
        pty.wait_for_text("Draft in the form");
        pty.send("n");
        pty.wait_for("the text", |screen| {
            let shown = screen.contents();
            [TICKET, PLAN].iter().all(|text| shown.contains(text)) && !shown.contains("This is how you left it")
        });
    } else {
        pty.wait_for_text("1 write had no answer");
        assert!(!pty.screen().contains("draft"), "the write has the text:\n{}", pty.screen());
        pty.send("\r");
        if moment.is_done() {
            pty.wait_for_text("● open");
        } else {
            pty.wait_for_text("? unknown");
            // It would be looked for a while longer.
            pty.send("x");
            // Where nothing could be listed by then, nothing is said of having looked.
            pty.wait_for("what looking came to", |screen| {
                ["not seen at", "It is unknown whether"].iter().any(|words| screen.contents().contains(words))
            });
            assert!(pty.screen().contains(TICKET), "{}", pty.screen());
        }
    }
    let held = usize::from(moment.is_done());
    assert_eq!((service.holds(), service.calls(Endpoint::Create)), ((held, 0), moment.calls()));
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
    pty.assert_given_back();
}

#[rstest]
fn a_create_is_only_looked_for_in_read_only_and_resolved_by_the_next_start(
    #[values(Moment::AfterRecording, Moment::ReadByTheServer, Moment::CommittedByTheServer)] moment: Moment,
) {
    if pty::missing() {
        return;
    }
    let service = Service::start();
    let mut pty = started(moment.dashboard(&service, Endpoint::Create));
    create(&mut pty, TICKET, DEVICE);
    moment.comes(&service, Endpoint::Create, &mut pty);

    let lists = service.calls(Endpoint::List);
    let mut pty = service.dashboard().arg("--read-only").start();
    pty.wait_for_text("1 write had no answer");
    assert!(pty.screen().contains("READ-ONLY"), "{}", pty.screen());
    pty.send("\r");
    if moment.is_done() {
        pty.wait_for_text("● open");
    } else {
        pty.wait_for_text("? unknown");
        pty.send("x");
        pty.wait_for("what looking came to", |screen| {
            ["not seen at", "It is unknown whether"].iter().any(|words| screen.contents().contains(words))
        });
    }
    // Neither the keys that send nor those of the questions do anything.
    pty.send(format!("nc{SUBMIT}"));
    pty.wait_for_text("Nothing to do: this dashboard is read-only");
    assert!(service.calls(Endpoint::List) > lists);
    pty.signal(Signal::KILL);
    assert_eq!(pty.wait_for_exit(Duration::from_secs(20)).signal(), Some("Killed"));
    assert_eq!((service.calls(Endpoint::Create), service.calls(Endpoint::Close)), (moment.calls(), 0));

    let mut pty = service.dashboard().start();
    pty.wait_for_text("1 write had no answer");
    pty.send("\r");
    pty.wait_for_text(if moment.is_done() { "● open" } else { "? unknown" });
    assert_eq!((service.calls(Endpoint::Create), service.calls(Endpoint::Close)), (moment.calls(), 0));
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
}

#[rstest]
fn a_close(
    #[values(
        Moment::BeforeRecording,
        Moment::AfterRecording,
        Moment::ReadByTheServer,
        Moment::CommittedByTheServer,
        Moment::AfterAnswer
    )]
    moment: Moment,
) {
    if pty::missing() {
        return;
    }
    let service = Service::start();
    service.with_one_open();
    let mut pty = started(moment.dashboard(&service, Endpoint::Close));
    pty.wait_for_text("Since you left");
    pty.wait_for_text("● open");
    pty.send(format!("c{DONE}"));
    service.has_saved(DONE);
    pty.send(SUBMIT);
    moment.comes(&service, Endpoint::Close, &mut pty);

    let mut pty = service.dashboard().start();
    pty.wait_for_text("This is how you left it");
    if moment != Moment::BeforeRecording {
        pty.wait_for_text("1 write had no answer");
    }
    pty.send("\r");
    if moment.is_done() {
        pty.wait_for_text("No open requests.");
        assert!(pty.has_shown("verified"), "{}", pty.screen());
    } else {
        if moment != Moment::BeforeRecording {
            pty.wait_for_text("◌ closing");
            pty.send("x");
            pty.wait_for_text("? unknown");
        }
        pty.wait_for("the row", |screen| !screen.contents().contains("This is how you left it"));
        pty.send("c");
        pty.wait_for_text("Close request");
        pty.wait_for_text(DONE);
        assert_eq!((service.holds(), service.calls(Endpoint::Close)), ((1, 0), moment.calls()));
        pty.send(SUBMIT);
        pty.wait_for_text("No open requests.");
    }
    assert_eq!(service.holds(), (1, 1));
    assert_eq!(service.calls(Endpoint::Create), 1);
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
    pty.assert_given_back();
}
