//! `record`: its list, one write, the export, and what is asked before anything is deleted.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use jiff::Timestamp;
use mmd_elevate_core::{Untrusted, WriteState};
use mmd_elevate_engine::record::Record;
use serde_json::{Value, json};

use crate::{
    record::{close, create, done, folder, outcome, place, request},
    support::{
        corpus::corpus,
        harmless::assert_harmless_lines,
        pty::{self, Program},
        service::valid,
    },
};

/// What `record` prints for this state folder: its code, its output and its errors.
fn told(arguments: &[&str], state: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command.arg("record").args(arguments).env_clear().env("MMD_ELEVATE_STATE_DIR", state).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[track_caller]
fn printed(arguments: &[&str], state: &Path) -> String {
    let (code, text, errors) = told(arguments, state);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{arguments:?}");
    text
}

/// A record with a create that is done, its close without an answer, and a create that was refused. Returns their numbers.
async fn keep(state: &Path) -> [String; 3] {
    let (record, _) = Record::open(place(state), Timestamp::now).await.unwrap();
    let made = record.begin(&create("made")).await.unwrap().id;
    record.settle(made, done(request("id-1"))).await.unwrap();
    let closing = record.begin(&close("id-1")).await.unwrap().id;
    let refused = record.begin(&create("refused")).await.unwrap().id;
    let why = Some("the device is unknown".to_owned());
    record.settle(refused, mmd_elevate_core::Outcome { why, ..outcome(WriteState::NotDone) }).await.unwrap();
    record.close().await;
    [made, closing, refused].map(|id| id.0.to_string())
}

#[tokio::test]
async fn writes_are_listed_shown_and_exported() {
    let state = folder();
    let [made, closing, refused] = keep(state.path()).await;
    let text = printed(&["list"], state.path());
    let lines: Vec<Vec<_>> = text.lines().map(|line| line.split("  ").collect()).collect();
    assert!(lines.iter().all(|fields| fields.len() == 7), "{text}");
    for (fields, (intent, kind, outcome, id)) in lines.iter().zip([
        (&made, "create", "done", "id-1"),
        (&closing, "close", "unknown", "id-1"),
        (&refused, "create", "not-done", "-"),
    ]) {
        assert_eq!((fields[0], fields[2], fields[3], fields[6]), (intent.as_str(), kind, outcome, id));
        fields[1].parse::<Timestamp>().unwrap();
    }
    let objects: Vec<Value> = printed(&["list", "--json"], state.path()).lines().map(valid).collect();
    assert_eq!(objects.len(), 3);
    assert_eq!((&objects[2]["why"], &objects[2]["requestId"]), (&json!("the device is unknown"), &Value::Null));
    assert_eq!((&objects[1]["actionsTaken"], &objects[1]["operator"]), (&json!("closed id-1\n"), &json!("sam")));
    let export: Value = valid(&printed(&["export"], state.path()));
    assert_eq!((&export["schema"], &export["writes"]), (&json!(1), &Value::Array(objects.clone())));
    let shown: Value = valid(&printed(&["show", &closing, "--json"], state.path()));
    assert_eq!(shown, objects[1]);
    assert!(printed(&["show", &closing], state.path()).starts_with(&format!("{closing}  ")));
    let (code, text, errors) = told(&["show", "999"], state.path());
    assert_eq!((code, text.as_str()), (Some(3), ""));
    assert!(errors.contains("the record has no write 999\nhint: "), "{errors}");
}

#[test]
fn record_that_is_not_there_is_empty_and_is_not_made() {
    let home = folder();
    let state = home.path().join("state");
    assert_eq!(printed(&["list"], &state), "");
    assert_eq!(printed(&["list", "--json"], &state), "");
    let export: Value = valid(&printed(&["export"], &state));
    assert_eq!(export, json!({ "schema": 1, "writes": [] }));
    let file = state.join("record.db");
    assert_eq!(printed(&["path"], &state), format!("{}\n", file.display()));
    let path: Value = valid(&printed(&["path", "--json"], &state));
    assert_eq!(path, json!({ "schema": 1, "file": file, "fileExists": false }));
    assert!(!state.exists());
}

#[test]
fn record_that_cannot_be_read_ends_with_eight() {
    let state = folder();
    fs::write(state.path().join("record.db"), "not a database").unwrap();
    for arguments in [&["list"][..], &["show", "1"], &["export"], &["purge", "--yes"], &["purge", "--dry-run"]] {
        let (code, text, errors) = told(arguments, state.path());
        assert_eq!((code, text.as_str()), (Some(8), ""), "{arguments:?}");
        assert!(errors.starts_with("mmd-elevate: failed to ") && errors.contains("\nhint: "), "{errors}");
    }
}

#[tokio::test]
async fn nothing_is_deleted_that_was_not_confirmed() {
    let state = folder();
    keep(state.path()).await;
    let count = || printed(&["list"], state.path()).lines().count();
    let (code, text, errors) = told(&["purge", "--older-than", "0"], state.path());
    assert_eq!((code, text.as_str(), count()), (Some(2), "", 3));
    assert!(errors.contains("there is no terminal to ask on\nhint: add --yes"), "{errors}");
    let would = printed(&["purge", "--older-than", "0", "--dry-run"], state.path());
    assert!(would.starts_with("Would delete 1 settled write and 0 closed requests of the record in "), "{would}");
    let would: Value = valid(&printed(&["purge", "--older-than", "0", "--dry-run", "--json"], state.path()));
    assert_eq!(would, json!({ "schema": 1, "dryRun": true, "writes": 1, "requests": 0 }));
    assert_eq!(count(), 3);
    assert_eq!(told(&["purge", "--yes", "--dry-run"], state.path()).0, Some(2));
    if pty::missing() {
        return;
    }
    for (answer, left) in [("\r", 3), ("n\r", 3), ("y\r", 2)] {
        let program = Program::new(env!("CARGO_BIN_EXE_mmd-elevate")).clean();
        let program = program.env("MMD_ELEVATE_STATE_DIR", state.path().to_str().unwrap());
        let program = ["record", "purge", "--older-than", "0"].into_iter().fold(program, Program::arg);
        let mut asked = program.start();
        asked.wait_for_text("Delete 1 settled write and 0 closed requests");
        asked.send(answer);
        asked.wait_for_text(if left == 2 { "Deleted 1 settled write" } else { "Nothing was deleted." });
        assert_eq!(count(), left);
    }
}

#[tokio::test]
async fn harmful_record_is_printed_harmless() {
    let state = folder();
    let (record, _) = Record::open(place(state.path()), Timestamp::now).await.unwrap();
    let mut last = String::new();
    for specimen in corpus() {
        let write = record.begin(&create(&specimen.text)).await.unwrap().id;
        let made =
            mmd_elevate_core::ElevationRequest { title: Untrusted::new(specimen.text), ..request(specimen.name) };
        record.settle(write, done(made)).await.unwrap();
        last = write.0.to_string();
    }
    record.close().await;
    for arguments in [&["list"][..], &["list", "--json"], &["export"], &["show", &last], &["show", &last, "--json"]] {
        assert_harmless_lines(&printed(arguments, state.path()), &format!("{arguments:?}"));
    }
}
