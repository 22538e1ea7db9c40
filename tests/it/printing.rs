//! Whatever prints ends quietly where nobody reads on, and says so where there is no room.

use std::{
    fs::{self, File},
    io::pipe,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// Every command that prints and ends. The practice tenant prints and stays, where what it printed was taken.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["-h"],
    &["--version"],
    &["help"],
    &["help", "record", "purge"],
    &["record", "--help"],
    &["practice", "-h"],
    &["create", "--help"],
    &["close", "--help"],
    &["resolve", "--help"],
    &["doctor", "--help"],
    &["doctor"],
    &["doctor", "--json"],
    &["record", "purge", "--yes"],
    &["record", "path"],
    &["record", "export"],
    &["config", "path"],
    &["config", "check"],
    &["config", "show", "--json"],
    &["config", "schema"],
    &["template", "list"],
    &["template", "show", "office repair online"],
    &["practice", "--print-rules"],
    &["completions", "bash"],
    &["man"],
];
const PRACTICE: &[&str] = &["practice", "--listen", "127.0.0.1:0"];

fn command(arguments: &[&str], folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command.args(arguments).env_clear().env("MMD_ELEVATE_STATE_DIR", folder.path()).env("HOME", folder.path());
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A pipe whose reader has gone.
fn closed() -> Stdio {
    let (_, writer) = pipe().unwrap();
    writer.into()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_closed_pipe_ends_every_command_quietly_with_the_code_it_would_have_had() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in COMMANDS {
        let usual = command(arguments, &folder).output().unwrap();
        assert!(!usual.stdout.is_empty(), "{arguments:?} prints");
        let output = command(arguments, &folder).stdout(closed()).output().unwrap();
        assert_eq!((output.status.code(), said(&output)), (usual.status.code(), String::new()), "{arguments:?}");
    }
    let output = command(PRACTICE, &folder).stdout(closed()).output().unwrap();
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()), "nobody could use it");
}

#[test]
fn a_full_disk_ends_every_command_with_a_message() {
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let folder = tempfile::tempdir().unwrap();
    for arguments in COMMANDS.iter().chain([&PRACTICE]) {
        let output = command(arguments, &folder).stdout(full.try_clone().unwrap()).output().unwrap();
        assert_eq!(
            (output.status.code(), said(&output).as_str()),
            (Some(1), "mmd-elevate: failed to print: the disk is full\nhint: make room, or print to another place\n"),
            "{arguments:?}"
        );
    }
}

/// What went wrong has nowhere to be told; the code still tells that it did.
#[test]
fn an_error_that_cannot_be_printed_keeps_its_code() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("record.db"), "not a database").unwrap();
    for (arguments, code) in [
        (&["--nonsense"][..], 2),
        (&["record"], 2),
        (&["record", "purge", "--older-than", "soon"], 2),
        (&["record", "purge", "--yes"], 8),
        (&["practice", "--rules", "/nowhere"], 8),
        (&["--config", "/nowhere"], 8),
        (&[], 1),
    ] {
        let output = command(arguments, &folder).stderr(closed()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}");
        let Ok(full) = File::options().write(true).open("/dev/full") else { continue };
        let output = command(arguments, &folder).stderr(full).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}
