//! The record of the real program, locked at the start or lost while the program runs.

use std::{fs, path::Path};

use rstest::rstest;
use rusqlite::Connection;
use rustix::process::Signal;

use super::{GONE, Home, SUBMIT, create, leave, started, wait_until};
use crate::support::pty::{self, Pty};

const TICKET: &str = "INC-10442";
const DEVICE: &str = "MMD-03690457680";

fn kill(mut pty: Pty) {
    pty.signal(Signal::KILL);
    pty.wait_for_exit(GONE);
}

/// A dashboard whose record is open.
fn ready(home: &Home) -> Pty {
    let pty = started(home.dashboard());
    pty.wait_for_text("No open requests");
    pty
}

/// Whether the practice tenant holds the test's request.
fn was_sent(home: &Home) -> bool {
    home.read("logs/practice.json").contains(TICKET)
}

fn has_saved(state: &Path, text: &str) {
    wait_until("saving the draft", || {
        let Ok(db) = Connection::open(state.join("record.db")) else { return false };
        let count = db.query_one("SELECT count(*) FROM draft WHERE ticket = ?1", [text], |row| row.get::<_, i64>(0));
        count.is_ok_and(|count| count > 0)
    });
}

#[rstest]
fn create_after_a_file_is_removed_is_not_sent_and_told_and_goes_out_once_it_is_recorded(
    #[values("record.db-wal", "record.db", "record.db-shm")] name: &str,
) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut first = ready(&home);
    fs::remove_file(home.path(&format!("logs/{name}"))).unwrap();
    create(&mut first, TICKET, DEVICE);
    first.wait_for_text("Nothing was sent");
    assert!(!was_sent(&home), "{name}");
    first.wait_for_text("The record was written anew");
    first.wait_for_text(TICKET);
    first.send(SUBMIT);
    first.wait_for_text("● open");
    kill(first);
    let second = home.dashboard().start();
    second.wait_for_text("1 request was open");
    second.wait_for_text(TICKET);
}

#[test]
fn folder_that_is_removed_costs_neither_a_request_nor_a_draft() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let state = home.path("logs");
    let mut first = ready(&home);
    create(&mut first, TICKET, DEVICE);
    first.wait_for_text("● open");
    fs::rename(&state, home.path("moved")).unwrap();
    first.send("nINC-2");
    first.wait_for_text("The record was written anew");
    has_saved(Path::new(&state), "INC-2");
    kill(first);
    let mut second = home.dashboard().start();
    second.wait_for_text("1 request was open");
    second.send("\r");
    for text in [TICKET, "INC-2"] {
        second.wait_for_text(text);
    }
}

#[test]
fn record_that_is_locked_at_the_start_is_read_as_soon_as_it_is_free() {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let mut first = started(home.dashboard());
    create(&mut first, TICKET, DEVICE);
    first.wait_for_text("● open");
    leave(&mut first);
    first.wait_for_exit(GONE);
    let state = home.path("logs");
    let db = Connection::open(format!("{state}/record.db")).unwrap();
    db.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();

    let mut second = started(home.dashboard());
    second.wait_for_text("Reading the record");
    second.send("nINC-2");
    second.wait_for_text("record not read");
    assert!(!second.has_shown("No open requests"), "{}", second.screen());
    second.wait_for_text("another program keeps it busy");
    db.execute_batch("ROLLBACK; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM draft").unwrap_or_default();
    drop(db);
    second.wait_for_text(TICKET);
    has_saved(Path::new(&state), "INC-2");
    kill(second);
    let mut third = home.dashboard().start();
    third.wait_for_text("1 request was open");
    third.send("\r");
    third.wait_for_text("INC-2");
}

#[rstest]
#[case::blanks_and_a_line_end("a b\n c/ d")]
#[case::quotes_and_signs("it's ?mode=memory&x=%41#; DROP")]
#[case::other_scripts("état/日本/🙂")]
fn state_folder_with_an_odd_name_keeps_what_is_typed(#[case] name: &str) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let state = home.path(name);
    let mut first = started(home.dashboard().env("MMD_ELEVATE_STATE_DIR", &state));
    first.send("nINC-2");
    has_saved(Path::new(&state), "INC-2");
    kill(first);
    let mut second = home.dashboard().env("MMD_ELEVATE_STATE_DIR", &state).start();
    second.wait_for_text("This is how you left it");
    second.send("\r");
    second.wait_for_text("INC-2");
}

#[rstest]
#[case::longer_than_the_database_takes("0123456789/", 50)]
#[case::longer_than_any_path("0123456789/", 500)]
#[case::one_name_too_long("y", 300)]
fn state_folder_whose_path_is_too_long_is_survived_and_the_list_says_so(#[case] part: &str, #[case] times: usize) {
    if pty::missing() {
        return;
    }
    let home = Home::new();
    let state = home.path(&part.repeat(times));
    let mut pty = home.dashboard().env("MMD_ELEVATE_STATE_DIR", &state).start();
    // The reason is not looked for here: what the practice tenant says of the same folder may come after it.
    pty.wait_for_text("record not read");
    pty.send("q");
    assert_eq!(pty.wait_for_exit(GONE).exit_code(), 0);
    assert!(!pty.said_after().contains("panicked"), "{}", pty.said_after());
}
