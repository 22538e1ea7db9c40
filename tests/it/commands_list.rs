//! `list` and `show` in the real binary: what they print in every form, every exit code, and that they send nothing.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use mmd_elevate_practice::{Endpoint, Misdeed, Rule, TENANT_ID};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{
    corpus::corpus,
    harmless::assert_harmless_lines,
    pty::{self, Program},
    server::{Play, Request, Server, http},
    service::{DEVICE, Ended, OTHER_DEVICE, Service, create},
};

/// The tenant has requests of others, too.
const OURS: &str = "by:practice.agent";

/// The tickets of ours that a list names, a JSON object a line.
fn tickets(service: &Service, words: &[&str]) -> Vec<String> {
    let ended = service.run(&[&["list", "--json"], words, &[OURS]].concat()).expect(0);
    let mut tickets: Vec<_> =
        ended.valid_lines().iter().map(|request| request["partnerTicketId"].as_str().unwrap().to_owned()).collect();
    tickets.sort();
    tickets
}

#[track_caller]
fn closed(service: &Service, id: &str) {
    service.run(&["close", id, "--actions", "Removed the add-in"]).expect(0);
}

/// A tenant with requests on two devices: INC-1 is closed, the others are open.
fn tenant() -> (Service, Vec<String>) {
    let service = Service::new();
    let ids = [("INC-1", DEVICE), ("INC-2", DEVICE), ("INC-3", OTHER_DEVICE)];
    let ids: Vec<_> = ids.iter().map(|(ticket, device)| service.opened(ticket, device)).collect();
    closed(&service, &ids[0]);
    (service, ids)
}

#[test]
fn open_requests_of_all_agents_are_listed_a_line_each() {
    let (service, ids) = tenant();
    let sent = service.observer.received(Endpoint::Create) + service.observer.received(Endpoint::Close);
    assert!(service.run(&["list"]).expect(0).stdout.lines().count() > 2, "of all agents");
    let ended = service.run(&["list", OURS]).expect(0);
    assert_eq!(ended.stderr, "");
    let mut lines: Vec<Vec<_>> = ended.stdout.lines().map(|line| line.split("  ").collect()).collect();
    lines.sort_by_key(|fields| fields[2]);
    assert_eq!(lines.len(), 2, "{ended:?}");
    assert_eq!(lines[0][..5], [ids[1].as_str(), "open", "INC-2", DEVICE, "Excel add-in crashes"]);
    lines[0][5].parse::<jiff::Timestamp>().unwrap();
    assert!(lines[0][6].contains('@') && lines[0].len() == 7, "{lines:?}");
    let document = service.run(&["list", "device:17", OURS, "--json"]).expect(0).valid();
    for (name, value) in [
        ("id", json!(ids[2])),
        ("partnerTicketId", json!("INC-3")),
        ("state", json!("open")),
        ("mine", json!(true)),
        ("requestClosureTime", Value::Null),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let after = service.observer.received(Endpoint::Create) + service.observer.received(Endpoint::Close);
    assert_eq!(after, sent, "nothing is sent");
}

#[test]
fn words_are_those_of_the_dashboard() {
    let (service, _) = tenant();
    for (words, expected) in [
        (&[][..], &["INC-2", "INC-3"][..]),
        (&["is:open"], &["INC-2", "INC-3"]),
        (&["EXCEL", "device:17"], &["INC-3"]),
        (&["excel device:17"], &["INC-3"]),
        (&["not:ticket:inc-2"], &["INC-3"]),
        (&["--", "-ticket:inc-2"], &["INC-3"]),
        (&["is:mine"], &["INC-2", "INC-3"]),
        (&["not:is:mine"], &[]),
        (&["by:nobody"], &[]),
        (&["is:closed"], &["INC-1"]),
        (&["closed:today"], &["INC-1"]),
        (&["not:is:open"], &["INC-1"]),
        (&["not:is:closed"], &["INC-2", "INC-3"]),
        (&["age:>2h"], &[]),
        (&["age:<2h"], &["INC-2", "INC-3"]),
    ] {
        assert_eq!(tickets(&service, words), expected, "{words:?}");
    }
}

#[test]
fn limit_ends_the_list_and_says_that_there_is_more() {
    let (service, _) = tenant();
    let ended = service.run(&["list", OURS, "--limit", "1"]).expect(0);
    assert_eq!(ended.stdout.lines().count(), 1);
    assert_eq!(ended.stderr, "mmd-elevate: there are more than 1: --limit 0 lists all\n");
    for arguments in [&["list", OURS, "--limit", "2"][..], &["list", OURS, "--limit", "0"]] {
        let ended = service.run(arguments).expect(0);
        assert_eq!((ended.stdout.lines().count(), ended.stderr.as_str()), (2, ""), "{arguments:?}");
    }
    let quiet = service.run(&["list", OURS, "--limit", "1", "--quiet"]).expect(0);
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (1, ""));
}

#[rstest]
#[case::state(&["list", "is:x"], "is: takes open, closed, unknown or mine")]
#[case::age(&["list", "age:old"], "age: takes >2h, <30m or >1d")]
#[case::nothing(&["list", "by:"], "nothing stands behind the colon of by:")]
#[case::limit(&["list", "--limit", "many"], "--limit")]
#[case::no_id(&["show"], "<ID>")]
#[case::short(&["show", "3f2b0c1"], "the id 3f2b0c1 is too short")]
fn wrong_command_line_ends_with_two_and_asks_nobody(#[case] arguments: &[&str], #[case] said: &str) {
    let service = Service::new();
    let ended = service.run(arguments).expect(2);
    assert!(ended.stderr.contains(said) && ended.stderr.contains("\nhint: "), "{ended:?}");
    assert_eq!((ended.stdout.as_str(), service.observer.received(Endpoint::Any)), ("", 0));
}

#[test]
fn list_and_show_end_with_the_code_of_what_went_wrong() {
    let (service, ids) = tenant();
    for arguments in [&["list"][..], &["show", &ids[1]]] {
        let run = |form: &[&str]| service.run(&[arguments, form].concat());
        let told = |ended: Ended, code: i32| {
            let ended = ended.expect(code);
            assert!(ended.stdout.is_empty() && ended.stderr.contains("\nhint: "), "{arguments:?}: {ended:?}");
        };
        service.misbehave([Rule::new(Endpoint::List, Misdeed::Html)]);
        told(run(&[]), 7);
        service.misbehave([]);
        let mut wrong = service.command(arguments);
        wrong.env("MMD_ELEVATE_TOKEN", "another-token-than-the-tenant-has");
        told(wrong.output().unwrap().into(), 4);
        let mut nothing = service.command(arguments);
        nothing.env_remove("MMD_ELEVATE_TOKEN").env_remove("MMD_ELEVATE_BASE_URL").env_remove("MMD_ELEVATE_TENANT_ID");
        told(nothing.output().unwrap().into(), 8);
        run(&["--json"]).expect(0);
    }
    service.shut();
    service.run(&["list", "--json"]).expect(7);
    service.run(&["show", &ids[1], "--json"]).expect(7);
}

/// What a list holds of a page of this size from this number on, of so many. A text in each makes them large.
fn page(request: &Request, total: usize) -> String {
    let number = |name: &str| -> usize {
        let value = request.line().split(name).nth(1).unwrap();
        value.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let (skip, top) = (number("$skip="), number("$top="));
    let plan = "Remove the add-in, start Excel, ask the user. ".repeat(40);
    let entries = (skip..total.min(skip + top)).map(|number| {
        let id = format!("{number:08x}-9a41-4d0e-8f77-{number:012x}");
        json!({ "id": id, "partnerTicketId": format!("INC-{number}"), "deviceName": "MMD-1", "title": "Excel crashes",
            "planOfAction": plan, "requestCreationTime": "2026-11-27T08:00:00Z" })
    });
    json!({ "value": entries.collect::<Vec<_>>() }).to_string()
}

/// A service that lists so many open requests; each call that its number is not below `end` is answered by `last`.
async fn listing(total: usize, end: usize, last: Play) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start_with(move |request| {
        let request = request?;
        if calls.fetch_add(1, Ordering::SeqCst) >= end {
            return Some(last.clone());
        }
        Some(Play::Answer(http("200 OK\ncontent-type: application/json", page(request, total))))
    })
    .await
}

/// `list` of this service, with a token and without any other environment.
fn list(server: &Server, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
    let folder = folder.path().to_str().unwrap();
    command.arg("list").args(arguments).env_clear().envs([
        ("HOME", folder),
        ("MMD_ELEVATE_STATE_DIR", folder),
        ("MMD_ELEVATE_BASE_URL", &format!("http://{}/v1", server.address)),
        ("MMD_ELEVATE_TENANT_ID", TENANT_ID),
        ("MMD_ELEVATE_TOKEN", "token"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn list_of_twenty_thousand_is_streamed_and_needs_no_more_memory_than_one_of_ten_thousand() {
    if !Path::new("/proc/self/status").exists() {
        println!("skipped: there is no /proc, which tells how much memory a process has used at most");
        return;
    }
    let runtime = Runtime::new().unwrap();
    let most_kib = |total: usize| -> usize {
        // The service never says that there is no more, so that the command waits and can be looked at.
        let server = runtime.block_on(listing(total, total / 1_000, Play::Hang(Vec::new())));
        let folder = tempfile::tempdir().unwrap();
        let mut listing = list(&server, &folder, &["--limit", "0", "--json"]).spawn().unwrap();
        let lines = BufReader::new(listing.stdout.take().unwrap()).lines().take(total);
        let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
        assert_eq!(last["partnerTicketId"], format!("INC-{}", total - 1), "all are printed before the list has ended");
        let status = fs::read_to_string(format!("/proc/{}/status", listing.id())).unwrap();
        listing.kill().unwrap();
        listing.wait().unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let (few, many) = (most_kib(10_000), most_kib(20_000));
    // 10,000 more of 2 kB each are 20 MB. Their ids are kept, because a list may repeat a request.
    assert!(many < few + 6 * 1_024, "{few} KiB for 10,000, {many} KiB for 20,000");
}

#[test]
fn list_that_breaks_off_or_holds_what_cannot_be_read_says_so_and_prints_the_rest() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let page = http("200 OK\ncontent-type: text/html", "<html>not the service</html>");
    let server = runtime.block_on(listing(1_500, 1, Play::Answer(page)));
    let ended = Ended::from(list(&server, &folder, &["--limit", "0"]).output().unwrap()).expect(7);
    assert_eq!(ended.stdout.lines().count(), 1_000);
    assert!(ended.stderr.contains("the list is not whole: ") && ended.stderr.contains("\nhint: "), "{ended:?}");
    let entries = r#"{"value": [{"id": "a-1", "deviceName": "MMD-1"}, {"deviceName": "MMD-2"}, {"id": "a-3"}]}"#;
    let damaged = http("200 OK\ncontent-type: application/json", entries);
    let server = runtime.block_on(listing(0, 0, Play::Answer(damaged)));
    let ended = Ended::from(list(&server, &folder, &[]).output().unwrap()).expect(5);
    let ids: Vec<_> = ended.stdout.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(ids, ["a-1", "a-3"]);
    assert!(ended.stderr.contains("the list is not whole: "), "{ended:?}");
}

#[test]
fn request_is_shown_by_its_id_or_its_beginning() {
    let (service, ids) = tenant();
    for (id, ticket, state) in [(&ids[0], "INC-1", "closed"), (&ids[1], "INC-2", "open")] {
        for given in [id.as_str(), &id.to_uppercase(), &id[..8]] {
            let shown = service.run(&["show", given, "--json"]).expect(0).valid();
            assert_eq!(
                (&shown["id"], &shown["partnerTicketId"], &shown["state"], &shown["planOfAction"]),
                (&json!(id), &json!(ticket), &json!(state), &json!("Remove the add-in"))
            );
        }
    }
    let line = service.run(&["show", &ids[0]]).expect(0).stdout;
    let fields: Vec<_> = line.strip_suffix('\n').unwrap().split("  ").collect();
    assert_eq!(fields[..5], [ids[0].as_str(), "closed", "INC-1", DEVICE, "Excel add-in crashes"]);
    assert_eq!(fields[9..], ["Office", "Excel", "Remove the add-in", "Removed the add-in"]);
    // A record that has none of them.
    let mut elsewhere = service.command(&["show", &ids[0][..8], "--json"]);
    elsewhere.env("MMD_ELEVATE_STATE_DIR", service.path("elsewhere"));
    let shown = Ended::from(elsewhere.output().unwrap()).expect(0).valid();
    assert_eq!((&shown["id"], &shown["mine"]), (&json!(ids[0]), &json!(false)));
    let ended = service.run(&["show", "00000000-0000-4000-8000-0000000000ff"]).expect(3);
    assert!(ended.stdout.is_empty() && ended.stderr.contains("there is no request"), "{ended:?}");
}

#[test]
fn on_a_terminal_there_is_a_table() {
    if pty::missing() {
        return;
    }
    let (service, ids) = tenant();
    let start = |arguments: &[&str]| {
        let program = Program::new(env!("CARGO_BIN_EXE_mmd-elevate")).clean();
        let environment = service.environment().into_iter();
        let program = environment.fold(program, |program, (name, value)| program.env(name, &value));
        arguments.iter().fold(program, |program, argument| program.arg(argument)).start()
    };
    let list = start(&["list", OURS]);
    list.wait_for_text("STATE  TICKET  DEVICE");
    list.wait_for_text(&ids[1]);
    let show = start(&["show", &ids[1]]);
    show.wait_for_text("device       MMD-03690457680");
}

#[test]
fn watch_lists_what_is_new_and_what_was_closed_until_it_is_ended() {
    let (service, ids) = tenant();
    let config = service.path("config.toml");
    std::fs::write(&config, "[list]\nrefresh_seconds = 5\n").unwrap();
    let mut watching = service.start(&["list", OURS, "--watch", "--json", "--config", config.to_str().unwrap()]);
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let mut first = [next()["id"].clone(), next()["id"].clone()];
    first.sort_by_key(Value::to_string);
    let mut open = [json!(ids[1]), json!(ids[2])];
    open.sort_by_key(Value::to_string);
    assert_eq!(first, open);
    let new = service.opened("INC-4", DEVICE);
    let line = next();
    assert_eq!((&line["id"], &line["state"]), (&json!(new), &json!("open")));
    closed(&service, &new);
    let line = next();
    assert_eq!((&line["id"], &line["state"]), (&json!(new), &json!("closed")));
    kill_process(Pid::from_child(&watching), Signal::TERM).unwrap();
    watching.wait().unwrap();
}

#[test]
fn harmful_requests_are_listed_and_shown_harmless() {
    let service = Service::new();
    let mut ids = Vec::new();
    for specimen in corpus() {
        // What no argument can hold, and what is too long for one.
        if specimen.text.contains('\0') || specimen.text.len() > 2_000 {
            continue;
        }
        let mut arguments = create(&specimen.text, DEVICE);
        arguments[6] = &specimen.text;
        arguments.extend(["--allow-open", "--json"]);
        let ended = service.run(&arguments);
        let Some(id) = (ended.code == Some(0)).then(|| ended.json()["request"]["id"].as_str().unwrap().to_owned())
        else {
            continue;
        };
        ids.push(id.clone());
        for form in ["--plain", "--json"] {
            let shown = service.run(&["show", &id, form]).expect(0);
            assert_harmless_lines(&shown.stdout, &format!("show {form}: {}", specimen.name));
            let listed = service.run(&["list", OURS, "--limit", "0", form]).expect(0);
            assert_eq!(listed.stdout.lines().count(), 1, "{}: no text makes a line", specimen.name);
            assert_harmless_lines(&listed.stdout, &format!("list {form}: {}", specimen.name));
        }
        closed(&service, &id);
    }
    assert!(ids.len() > 5, "only {} were opened", ids.len());
}
