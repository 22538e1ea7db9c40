//! The title of the terminal's window and its bell, on a real terminal.
//!
//! The terminal is that of this test program, which runs [`on_a_terminal`] again in it.

use std::{env, thread, time::Duration};

use mmd_elevate::{
    platform,
    terminal::{Screen, Surface as _},
};
use rstest::rstest;
use rustix::process::Signal;
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr as _;

use super::{GONE, Home, started, wait_until};
use crate::support::{
    corpus::corpus,
    harmless::{Sequence, sequences},
    pty::{self, Program, Pty},
};

const CHILD: &str = "MMD_ELEVATE_TEST_CHILD";
const SAVE: &str = "\x1b[22;0t";
const RESTORE: &str = "\x1b[23;0t";

/// Does on its terminal what the environment says, one word after the other.
#[test]
fn on_a_terminal() {
    let Ok(script) = env::var(CHILD) else { return };
    let (events, _system) = mpsc::channel(8);
    platform::watch(events).unwrap();
    let mut screen = Screen::enter().unwrap();
    for word in script.split(' ') {
        match word {
            "suspend" => screen.suspend().unwrap(),
            "resume" => screen.resume().unwrap(),
            "retake" => screen.retake().unwrap(),
            "bell" => screen.bell().unwrap(),
            "hostile" => corpus().iter().for_each(|it| screen.set_title(&it.text).unwrap()),
            "wait" => thread::sleep(Duration::from_secs(60)),
            title => screen.set_title(title).unwrap(),
        }
    }
}

fn start(script: &str) -> Pty {
    let program = env::current_exe().unwrap();
    let arguments = ["--exact", "pty::titles::on_a_terminal", "--nocapture"];
    let program = arguments.into_iter().fold(Program::new(program.to_str().unwrap()), Program::arg);
    program.clean().env(CHILD, script).start()
}

/// What was written from when the terminal was taken until it was given back.
fn written(pty: &Pty) -> String {
    let bytes = String::from_utf8(pty.bytes()).unwrap();
    let begin = bytes.find("\x1b[?1049h").unwrap();
    let end = bytes.rfind("\x1b[?1049l").unwrap() + "\x1b[?1049l".len();
    bytes[begin..end].to_owned()
}

fn written_by(script: &str) -> String {
    let mut pty = start(script);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    written(&pty)
}

/// The titles, with where the former one was saved and restored.
fn titles(written: &str) -> Vec<String> {
    let title = |sequence| match sequence {
        Sequence::Title(title) => Some(title),
        Sequence::Control(parameters, 't') => Some(if parameters == "22;0" { "save" } else { "restore" }.to_owned()),
        _ => None,
    };
    sequences(written.as_bytes()).into_iter().filter_map(title).collect()
}

#[rstest]
#[case::none("suspend resume", &[])]
#[case::set_twice("one two", &["save", "one", "two", "restore"])]
#[case::lent_and_taken("one suspend resume", &["save", "one", "restore", "save", "one", "restore"])]
#[case::set_while_lent("suspend one resume", &["save", "one", "restore"])]
#[case::ended_while_lent("one suspend", &["save", "one", "restore"])]
#[case::stopped_from_outside("one retake", &["save", "one", "restore", "save", "one", "restore"])]
fn former_title_comes_back_whenever_the_terminal_is_given_away(#[case] script: &str, #[case] expected: &[&str]) {
    if !pty::missing() {
        assert_eq!(titles(&written_by(script)), expected);
    }
}

#[test]
fn former_title_comes_back_after_a_signal() {
    if pty::missing() {
        return;
    }
    let mut pty = start("one wait");
    wait_until("the title", || String::from_utf8_lossy(&pty.bytes()).contains("\x1b]2;one\x1b\\"));
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 143);
    pty.assert_given_back();
    assert_eq!(titles(&written(&pty)), ["save", "one", "restore"]);
}

#[test]
fn untrusted_title_does_nothing() {
    if pty::missing() {
        return;
    }
    let written = written_by("hostile");
    // Reading them fails at whatever a terminal would act on.
    let titles = titles(&written);
    assert_eq!(titles.len(), corpus().len() + 2);
    assert!(titles.iter().all(|title| title.width() <= 200), "{titles:?}");
    assert!(!written.contains('\x07'));
}

#[test]
fn bell_is_one_byte() {
    if pty::missing() {
        return;
    }
    assert_eq!(written_by("bell").matches('\x07').count(), 1);
}

#[rstest]
#[case::switched_off("xterm-256color", "[appearance]\ntitle = false\nbell = false")]
#[case::console("linux", "")]
fn dashboard_without_titles_writes_none(#[case] term: &str, #[case] settings: &str) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    home.write("config.toml", settings);
    let program = home.dashboard().env("MMD_ELEVATE_CONFIG", &home.path("config.toml"));
    let mut pty = started(program.env("TERM", term));
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    pty.assert_given_back();
    let written = String::from_utf8(pty.bytes()).unwrap();
    assert!(![SAVE, RESTORE, "\x1b]2;", "\x07"].iter().any(|sequence| written.contains(sequence)));
}
