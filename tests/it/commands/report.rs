//! `report`: made of a record, in every format, with the codes that it ends with.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{ElevationRequest, RequestId, ServiceTime, Untrusted, WriteState};
use mmd_elevate_engine::record::{Place, Record, TenantKey};
use mmd_elevate_practice as practice;
use serde_json::{Value, json};

use crate::{
    record::{close, create, done, folder, outcome, request},
    support::{corpus::corpus, harmless::assert_harmless_lines, service::valid},
};

/// What `report` prints for the practice tenant with this home folder: its code, its output and its errors.
fn told(arguments: &[&str], home: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    command
        .arg("report")
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("MMD_ELEVATE_STATE_DIR", home.join("state"));
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[track_caller]
fn printed(arguments: &[&str], home: &Path) -> String {
    let (code, text, errors) = told(&[&["--practice"], arguments].concat(), home);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    text
}

fn place(home: &Path) -> Place {
    let tenant = TenantKey { base_url: "practice".to_owned(), tenant_id: practice::TENANT_ID.to_owned() };
    Place { state_dir: home.join("state"), tenant, operator: "sam".to_owned(), keep_days: 90 }
}

fn named(id: &str, title: &str, opened: Timestamp) -> ElevationRequest {
    let request = request(id);
    let created = Some(ServiceTime { text: Untrusted::new(opened.to_string()), at: Some(opened) });
    ElevationRequest {
        title: Untrusted::new(title),
        created,
        closed: None,
        requested_by: Untrusted::new("sam@p.example"),
        ..request
    }
}

/// A record with a request of each kind, as a dashboard that died has left it.
async fn keep(home: &Path) {
    let now = Timestamp::now();
    let (record, _) = Record::open(place(home), Timestamp::now).await.unwrap();
    for (id, title) in
        [("id-open", "Still open"), ("id-accepted", "Accepted"), ("id-doubt", "In doubt"), ("id-closed", "Over")]
    {
        let write = record.begin(&create(title)).await.unwrap().id;
        record.settle(write, done(named(id, title, now - SignedDuration::from_mins(30)))).await.unwrap();
    }
    record.begin(&create("Sent by a dead process")).await.unwrap();
    let accepted = record.begin(&close("id-accepted")).await.unwrap().id;
    record.settle(accepted, outcome(WriteState::Done)).await.unwrap();
    record.begin(&close("id-doubt")).await.unwrap();
    record.end_request(&RequestId::new("id-closed").unwrap()).await.unwrap();
    record.close().await;
}

#[tokio::test]
async fn report_has_what_the_record_knows_and_changes_nothing() {
    let home = folder();
    keep(home.path()).await;
    let report: Value = valid(&printed(&["--json", "--since", "24h"], home.path()));
    assert_eq!((&report["schema"], &report["tenant"]["practice"]), (&json!(1), &json!(true)));
    assert_eq!((&report["agent"], report["notes"].as_array().unwrap().len()), (&json!("sam@p.example"), 1));
    let counts = json!({ "opened": 4, "closed": 1, "stillOpen": 3, "unknown": 1, "notOpened": 0 });
    assert_eq!(report["counts"], counts);
    let state = |id: &str| {
        let requests = report["requests"].as_array().unwrap().iter();
        requests.filter(|it| it["id"] == id).map(|it| it["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (id, expected) in
        [("id-open", "open"), ("id-accepted", "accepted"), ("id-doubt", "close-unknown"), ("id-closed", "closed")]
    {
        assert_eq!(state(id), [expected], "{id}");
    }
    let unknown = report["requests"].as_array().unwrap().iter().find(|it| it["state"] == "unknown").unwrap();
    assert_eq!(unknown["id"], Value::Null);
    // Twice the same: nothing was taken over.
    let again: Value = valid(&printed(&["--format", "json", "--since", "24h"], home.path()));
    assert_eq!(again["counts"], counts);
    let (_record, recovered) = Record::open(place(home.path()), Timestamp::now).await.unwrap();
    assert_eq!((recovered.unresolved.len(), recovered.open.len()), (2, 3));
}

#[tokio::test]
async fn report_is_written_in_each_format_to_a_new_private_file_or_printed() {
    let home = folder();
    keep(home.path()).await;
    for (format, begins) in [("md", "# "), ("csv", "\"state\","), ("json", "{\n")] {
        let text = printed(&["--format", format, "--since", "24h"], home.path());
        let path = home.path().join(format!("shift.{format}"));
        let arguments = ["--practice", "--since", "24h", "--format", format, "--output", path.to_str().unwrap()];
        let (code, nothing, message) = told(&arguments, home.path());
        assert_eq!((code, nothing.as_str()), (Some(0), ""));
        assert_eq!(message, format!("mmd-elevate: the report was written to {}\n", path.display()));
        let written = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(begins) && written.starts_with(begins), "{text}");
        assert_eq!(written.lines().count(), text.lines().count());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (code, _, errors) = told(&arguments, home.path());
        assert_eq!(code, Some(1), "a file that exists is never written over");
        assert!(errors.contains("exists, and the report was not written\nhint: "), "{errors}");
        assert_eq!(fs::read_to_string(&path).unwrap(), written);
    }
    let quiet = home.path().join("quiet.md");
    let arguments = ["--practice", "--quiet", "--output", quiet.to_str().unwrap()];
    assert_eq!(told(&arguments, home.path()), (Some(0), String::new(), String::new()));
    let nowhere = home.path().join("nowhere/shift.md");
    let (code, _, errors) = told(&["--practice", "--output", nowhere.to_str().unwrap()], home.path());
    assert_eq!(code, Some(1));
    assert!(errors.contains("was not written to") && errors.contains("\nhint: "), "{errors}");
}

#[tokio::test]
async fn what_was_over_before_is_left_out() {
    let home = folder();
    keep(home.path()).await;
    let closed = |since: &str| {
        let report: Value = valid(&printed(&["--json", "--since", since], home.path()));
        report["counts"]["closed"].as_u64().unwrap()
    };
    assert_eq!(closed("24h"), 1);
    assert_eq!(closed("2020-01-01"), 1);
    assert_eq!(closed("2100-01-01"), 0);
    for wrong in ["yesterday", "24", "2026-13-01", ""] {
        let (code, text, errors) = told(&["--practice", "--since", wrong], home.path());
        assert_eq!((code, text.as_str()), (Some(2), ""), "{wrong}");
        assert!(errors.contains("expected today, 24h or a date"), "{errors}");
    }
    assert_eq!(told(&["--practice", "--json", "--format", "csv"], home.path()).0, Some(2));
}

#[test]
fn report_without_a_record_is_empty_and_makes_none() {
    let home = folder();
    let report: Value = valid(&printed(&["--json"], home.path()));
    assert_eq!(report["requests"], json!([]));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn report_of_no_tenant_ends_with_eight() {
    let home = folder();
    let (code, text, errors) = told(&[], home.path());
    assert_eq!((code, text.as_str()), (Some(8), ""));
    assert!(errors.contains("no service is configured\nhint: "), "{errors}");
    let state = home.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::create_dir(state.join("record.db")).unwrap();
    let (code, text, errors) = told(&["--practice"], home.path());
    assert_eq!((code, text.as_str()), (Some(8), ""));
    assert!(errors.contains("\nhint: "), "{errors}");
}

#[tokio::test]
async fn harmful_record_is_reported_harmless() {
    let home = folder();
    let (record, _) = Record::open(place(home.path()), Timestamp::now).await.unwrap();
    for (n, specimen) in corpus().into_iter().enumerate() {
        let write = record.begin(&create("x")).await.unwrap().id;
        let request = named(&format!("id-{n}"), &specimen.text, Timestamp::now());
        record.settle(write, done(request)).await.unwrap();
    }
    record.close().await;
    for format in ["md", "csv", "json"] {
        assert_harmless_lines(&printed(&["--format", format], home.path()), format);
    }
}
