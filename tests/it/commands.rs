//! The commands beside the dashboard, in the real binary: what they say, do, and how they end.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use jiff::Timestamp;
use mmd_elevate_core::{RequestId, WriteState};
use mmd_elevate_engine::record::Record;
use rstest::rstest;

mod config;
mod help;
mod record_list;
mod report;
mod template;

use crate::record::{create, done, folder, open, outcome, place, request};

fn run(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command.args(arguments).env_clear().env("MMD_ELEVATE_STATE_DIR", folder);
    command.output().unwrap()
}

/// What a command says where all goes well.
#[track_caller]
fn said(arguments: &[&str], folder: &Path) -> String {
    let output = run(arguments, folder);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says where something fails.
#[track_caller]
fn failed(arguments: &[&str], folder: &Path) -> String {
    let output = run(arguments, folder);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(8), 0), "{errors}");
    let (what, hint) = errors.split_once("\nhint: ").unwrap_or_else(|| panic!("no hint: {errors}"));
    assert!(what.starts_with("mmd-elevate: "), "{errors}");
    assert!(!hint.trim().is_empty() && !errors.contains("panicked"), "{errors}");
    errors
}

#[tokio::test]
async fn purging_deletes_what_is_settled_and_says_how_much() {
    fn ten_days_ago() -> Timestamp {
        Timestamp::now() - jiff::SignedDuration::from_hours(240)
    }
    let folder = folder();
    let (record, _) = Record::open(place(folder.path()), ten_days_ago).await.unwrap();
    let mut ids = Vec::new();
    for name in ["open", "closed", "refused", "unknown"] {
        ids.push(record.begin(&create(name)).await.unwrap().id);
    }
    record.settle(ids[0], done(request("open"))).await.unwrap();
    record.settle(ids[1], done(request("closed"))).await.unwrap();
    record.end_request(&RequestId::new("closed").unwrap()).await.unwrap();
    record.settle(ids[2], outcome(WriteState::NotDone)).await.unwrap();
    record.close().await;

    let nothing = "Deleted 0 settled writes and 0 closed requests";
    assert!(said(&["record", "purge", "--yes"], folder.path()).starts_with(nothing), "90 days are not over");
    assert!(said(&["record", "purge", "--yes", "--older-than", "11"], folder.path()).starts_with(nothing));
    let purged = said(&["record", "purge", "--yes", "--older-than", "9"], folder.path());
    assert!(purged.starts_with("Deleted 2 settled writes and 1 closed request of the record in "), "{purged}");
    assert!(purged.contains(folder.path().to_str().unwrap()), "{purged}");

    let (_record, recovered) = open(folder.path()).await;
    assert_eq!(recovered.unresolved.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[3]], "never what is unresolved");
    assert_eq!(recovered.open, [request("open")], "never what is open");
    // Beside a dashboard that has the record open.
    assert!(said(&["record", "purge", "--yes", "--older-than", "0"], folder.path()).starts_with(nothing));
}

#[test]
fn purging_makes_no_record() {
    let folder = folder();
    let path = folder.path().join("nobody/was/here");
    let said = said(&["record", "purge", "--yes", "--state-dir", path.to_str().unwrap()], folder.path());
    assert!(said.contains(path.to_str().unwrap()), "a path that was mistyped is seen: {said}");
    assert!(!path.exists());
}

#[test]
fn what_is_no_record_is_left_as_it_is() {
    let folder = folder();
    let file = folder.path().join("record.db");
    fs::write(&file, "not a database").unwrap();
    let errors = failed(&["record", "purge", "--yes"], folder.path());
    assert!(errors.contains("record.db"), "{errors}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a database");
}

/// A shell that stands in a folder which was removed since, and names the state folder from there.
#[rstest]
#[case(&["record", "purge", "--yes", "--state-dir", "state"])]
#[case(&["doctor", "--state-dir", "./state"])]
#[case(&["record", "purge", "--yes", "--state-dir", "../state"])]
fn relative_state_folder_without_a_working_folder_ends_without_a_panic(#[case] arguments: &[&str]) {
    let folder = folder();
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let output = Command::new("sh")
        .args(["-c", r#"rmdir "$PWD"; exec "$0" "$@""#, env!("CARGO_BIN_EXE_mmd-elevate")])
        .args(arguments)
        .current_dir(&gone)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(matches!(output.status.code(), Some(0 | 1 | 8)) && !said.contains("panicked"), "{said}");
    assert!(!said.is_empty());
}

#[test]
fn a_command_that_is_incomplete_or_wrong_ends_with_two() {
    let folder = folder();
    for arguments in [&["record"][..], &["record", "purge", "--older-than", "-1"], &["record", "drop"]] {
        let output = run(arguments, folder.path());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Both ways to practise read the rules before anything starts.
#[rstest]
#[case::served(&["practice", "--rules"])]
#[case::in_the_dashboard(&["--practice", "--practice-rules"])]
fn rules_that_cannot_be_used_are_told_with_their_place(#[case] arguments: &[&str]) {
    let folder = folder();
    let rules = folder.path().join("rules.toml");
    let path = rules.to_str().unwrap();
    let arguments = [arguments, &[path]].concat();
    let missing = failed(&arguments, folder.path());
    assert!(missing.contains(path), "{missing}");
    fs::write(&rules, "[[rules]]\non = 'create'\ndo = 'explode'\n").unwrap();
    let wrong = failed(&arguments, folder.path());
    assert!(wrong.contains("line 3") && wrong.contains("explode"), "{wrong}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing has started");
}

#[test]
fn what_is_for_practice_alone_is_refused_beside_a_service() {
    let folder = folder();
    for flag in [&["--fresh"][..], &["--practice-rules", "rules.toml"]] {
        let output = run(&[flag, &["--base-url", "https://service.example/"]].concat(), folder.path());
        assert_eq!(output.status.code(), Some(8));
    }
}

#[test]
fn practice_prints_an_example_of_rules_that_it_can_read() {
    let folder = folder();
    let rules = said(&["practice", "--print-rules"], folder.path());
    assert_eq!(rules, include_str!("../../assets/practice-rules.example.toml"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    for other in [&["--listen", "127.0.0.1:8080"][..], &["--rules", "r"], &["--fresh"], &["--state-dir", "/s"]] {
        let output = run(&[&["practice", "--print-rules"], other].concat(), folder.path());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{other:?}");
    }
}

/// A folder that is called `~` is never meant, and never made.
#[test]
fn a_tilde_is_the_home_folder_and_no_folder_of_that_name_is_made() {
    let (home, started_in) = (folder(), folder());
    let run = |arguments: &[&str], state: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
        command.args(arguments).env_clear().env("HOME", home.path()).env("MMD_ELEVATE_STATE_DIR", state);
        command.current_dir(started_in.path()).stdin(std::process::Stdio::null()).output().unwrap()
    };
    for (arguments, state) in [
        (&["doctor", "--json"][..], "~/x"),
        (&["record", "purge", "--yes"], "~"),
        (&["--state-dir", "~/y", "record", "purge", "--yes"], "/nowhere"),
        (&["record", "purge", "--yes"], "~bob/x"),
        (&["doctor"], "~bob"),
        (&["--config", "~/c.toml"], "~/x"),
        (&["doctor", "--config", "~bob/c.toml"], "~/x"),
    ] {
        let output = run(arguments, state);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(fs::read_dir(started_in.path()).unwrap().count(), 0, "{arguments:?} {state}: {said}");
        if state.contains("bob") || arguments.concat().contains("bob") {
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("write ~/ for your own home folder"), "{said}");
        }
    }
    let output = run(&["--config", "~/c.toml"], "~/x");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(home.path().join("c.toml").to_str().unwrap()), "{said}");
}

#[test]
fn a_settings_file_that_is_a_pipe_ends_the_start_at_once() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let folder = folder();
    let pipe = folder.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RWXU, 0).unwrap();
    // Whatever waited for a writer of the pipe would wait for ever.
    let error = failed(&["--config", pipe.to_str().unwrap()], folder.path());
    assert!(error.contains("it is a pipe, not a file"), "{error}");
    let (rules, home) = (pipe.to_str().unwrap(), folder.path());
    let error = failed(&["practice", "--rules", rules], home);
    assert!(error.contains("it is a pipe, not a file"), "{error}");
}
