//! The real program in a real terminal.

mod bytes;
mod command;
mod copying;
mod costs;
mod editors;
mod endings;
mod floods;
mod gate;
mod input;
mod job;
mod killed;
mod lending;
mod looks;
mod lost;
mod mouse;
mod record;
mod secrets;
mod stops;
mod stuck;
mod tenants;
mod tickets;
mod titles;
mod untrusted;

use std::time::Duration;

use tempfile::TempDir;

use crate::support::pty::{Program, Pty};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mmd-elevate");
/// The promise is a second; the rest is for a busy machine.
const GONE: Duration = Duration::from_secs(2);

const SUBMIT: &str = "\x13";
const EDITOR: &str = "\x0f";

/// A home folder of its own, so that a test finds no settings and leaves no files.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// A file of this home; empty as long as it is not there.
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Where the program has its files.
    fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("HOME", self.path("")),
            ("TMPDIR", self.path("")),
            ("XDG_CONFIG_HOME", self.path("config")),
            ("XDG_STATE_HOME", self.path("state")),
            ("MMD_ELEVATE_STATE_DIR", self.path("logs")),
            // What others do at their own times is not what these tests are about.
            ("MMD_ELEVATE_PRACTICE_COLLEAGUES", "false".to_owned()),
        ]
    }

    /// A program that knows no environment but this home.
    fn run(&self, program: &str) -> Program {
        let program = Program::new(program).clean();
        self.environment().iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// The dashboard with nothing configured.
    fn dashboard(&self) -> Program {
        self.run(PROGRAM)
    }

    /// A shell with job control. `None`, and why, where there is none to be had.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
    fn shell(&self) -> Option<Program> {
        let found = std::process::Command::new("bash").arg("-c").arg("true").status();
        if found.is_ok_and(|status| status.success()) {
            let shell = ["--norc", "--noprofile", "-i"].into_iter().fold(self.run("bash"), Program::arg);
            return Some(shell.env("PS1", "prompt> "));
        }
        println!("skipped: there is no bash, and not every shell has job control");
        None
    }
}

/// Starts it and waits until it takes keys and calls.
fn started(program: Program) -> Pty {
    let pty = program.start();
    wait_until_ready(&pty);
    pty
}

fn wait_until_ready(pty: &Pty) {
    // The token of the settings has not been tried where the service does not answer.
    pty.wait_for("a sign-in", |screen| {
        let text = screen.contents();
        text.contains("signed in") || text.contains("token set")
    });
}

/// Types a whole request into the form and sends it.
fn create(pty: &mut Pty, ticket: &str, device: &str) {
    pty.send(format!("n{ticket}\t{device}\tExcel add-in crashes\tOffice\tExcel\tStart Excel as administrator{SUBMIT}"));
}

/// Quits and leaves behind what is open, once that was asked.
fn leave(pty: &mut Pty) {
    pty.send("q");
    pty.wait_for_text("Leave?");
    pty.send("l");
}

/// Waits for something outside of the screen, with a deadline.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
