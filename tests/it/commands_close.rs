//! `close` and `resolve` in the real binary: every exit code, every form of their results, and what is sent.

use std::{
    fs::{self, File},
    time::Duration,
};

use jiff::Timestamp;
use mmd_elevate_core::WriteState;
use mmd_elevate_engine::record::{Place, Record, TenantKey};
use mmd_elevate_practice::{Endpoint, Misdeed, Rule, TENANT_ID};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{
    corpus::corpus,
    harmless::assert_harmless_lines,
    pty::{self, Program},
    service::{DEVICE, Ended, OTHER_DEVICE, Service, create},
};

const ACTIONS: [&str; 2] = ["--actions", "Removed the add-in"];

fn close<'a>(ids: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [&["close"], ids, &ACTIONS, more].concat()
}

fn only(document: &Value) -> &Value {
    let [result] = &document["results"].as_array().unwrap()[..] else { panic!("{document}") };
    result
}

fn problem(result: &Value) -> &str {
    result["problem"]["code"].as_str().unwrap_or("none")
}

/// A second place for a record, so that the first one's requests are unknown there.
fn elsewhere(service: &Service, arguments: &[&str]) -> Ended {
    let mut command = service.command(arguments);
    command.env("MMD_ELEVATE_STATE_DIR", service.path("elsewhere")).output().unwrap().into()
}

#[test]
fn request_is_closed_and_read_back() {
    let service = Service::new();
    let id = service.opened("INC-1", DEVICE);
    let ended = service.run(&close(&[&id], &["--json"])).expect(0);
    assert_eq!(ended.stderr, "");
    let document = ended.valid();
    assert_eq!(document["schema"], 1);
    let result = only(&document);
    assert_eq!(
        (&result["id"], &result["outcome"], &result["verified"], &result["problem"]),
        (&json!(id), &json!("done"), &json!(true), &Value::Null)
    );
    let request = &result["request"];
    assert_eq!((&request["state"], &request["mine"]), (&json!("closed"), &json!(true)));
    assert_eq!(request["actionsTaken"], ACTIONS[1]);
    let stored = &service.with_ticket("INC-1")[0];
    assert!(!stored.open && stored.actions_taken == ACTIONS[1]);
}

#[test]
fn result_is_a_line_without_a_terminal_and_a_sentence_on_one() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", DEVICE));
    let ended = service.run(&close(&[&one], &[])).expect(0);
    let line = format!("done  {one}  verified  INC-1  {DEVICE}  Excel add-in crashes\n");
    assert_eq!((ended.stdout, ended.stderr.as_str()), (line, ""));
    if pty::missing() {
        return;
    }
    let program = Program::new(env!("CARGO_BIN_EXE_mmd-elevate")).clean();
    let program = service.environment().into_iter().fold(program, |program, (name, value)| program.env(name, &value));
    let pty = close(&[&other], &[]).into_iter().fold(program, Program::arg).start();
    pty.wait_for_text("Request closed: Excel add-in crashes, verified");
}

#[test]
fn id_is_shortened_to_what_means_one_request_in_the_record_or_at_the_service() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", DEVICE));
    let listed = |id: &str| {
        let before = service.observer.received(Endpoint::List);
        service.run(&close(&[id], &[])).expect(0);
        service.observer.received(Endpoint::List) - before
    };
    let third = service.opened("INC-3", OTHER_DEVICE);
    assert_eq!(listed(&one[..8].to_uppercase()), listed(&third), "what the record knows is only read back");
    let result = elsewhere(&service, &close(&[&other[..8]], &["--json"])).expect(0).valid();
    assert_eq!((&only(&result)["id"], &only(&result)["verified"]), (&json!(other), &json!(true)));
    assert!(service.with_ticket("INC-2").iter().all(|request| !request.open));
}

#[rstest]
#[case::too_short(&["close", "3f2b0c5", "--actions", "a"], "is too short")]
#[case::no_text(&["close", "3f2b0c5e"], "--actions is missing or empty")]
#[case::empty_text(&["close", "3f2b0c5e", "--actions", "-"], "--actions is missing or empty")]
#[case::no_id(&["close", "--actions", "a"], "<ID>")]
#[case::two_texts(&["close", "3f2b0c5e", "--actions", "a", "--actions-file", "b"], "--actions-file")]
#[case::no_file(&["close", "3f2b0c5e", "--actions-file", "/nowhere"], "cannot be read")]
#[case::no_number(&["resolve", "first"], "INTENT")]
#[case::no_intent(&["resolve", "9999"], "no intent 9999")]
fn wrong_command_line_ends_with_two_and_sends_nothing(#[case] arguments: &[&str], #[case] said: &str) {
    let service = Service::new();
    let ended = service.run(arguments).expect(2);
    assert!(ended.stderr.contains(said) && ended.stdout.is_empty(), "{ended:?}");
    assert_eq!(service.observer.received(Endpoint::Any), 0);
}

#[test]
fn beginning_of_several_ids_ends_with_two() {
    let service = Service::new();
    // No service can be made to give two ids that begin alike; a record can.
    Runtime::new().unwrap().block_on(async {
        let (record, _) = Record::join(service_place(&service), Timestamp::now).await.unwrap();
        for end in ["a", "b"] {
            let write = record.begin(&crate::record::create("x")).await.unwrap();
            let request = crate::record::request(&format!("3f2b0c5e{end}"));
            record.settle(write.id, crate::record::done(request)).await.unwrap();
        }
        record.close().await;
    });
    let ended = service.run(&close(&["3f2b0c5e"], &[])).expect(2);
    assert!(ended.stderr.contains("several requests begin with 3f2b0c5e"), "{ended:?}");
    assert_eq!(service.observer.received(Endpoint::Any), 0);
}

fn service_place(service: &Service) -> Place {
    let base_url = service.environment().into_iter().find(|(name, _)| *name == "MMD_ELEVATE_BASE_URL").unwrap().1;
    let base_url = mmd_elevate_engine::http::BaseUrl::parse(&base_url).unwrap().to_string();
    let tenant = TenantKey { base_url, tenant_id: TENANT_ID.to_owned() };
    Place { state_dir: service.path("state"), tenant, operator: "agent".to_owned(), keep_days: 90 }
}

#[test]
fn request_that_is_closed_or_does_not_exist_ends_with_three() {
    let service = Service::new();
    let id = service.opened("INC-1", DEVICE);
    service.run(&close(&[&id], &[])).expect(0);
    let result = service.run(&["close", &id, "--actions", "again", "--json"]).expect(3).valid();
    let closed = only(&result);
    assert_eq!((problem(closed), closed["outcome"].as_str()), ("already-closed", Some("not-done")));
    assert_eq!(
        (&closed["request"]["state"], &closed["request"]["actionsTaken"]),
        (&json!("closed"), &json!(ACTIONS[1]))
    );
    for nobody in ["00000000-0000-4000-8000-000000000001", "00000000"] {
        let result = service.run(&close(&[nobody], &["--json"])).expect(3).valid();
        assert_eq!((problem(only(&result)), &only(&result)["id"]), ("request-not-found", &json!(nobody)));
    }
}

#[test]
fn full_id_is_closed_unverified_where_lists_fail_and_a_shortened_one_is_not() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", DEVICE));
    service.misbehave([Rule::new(Endpoint::List, Misdeed::NoRoute)]);
    let result = elsewhere(&service, &close(&[&one], &["--json"])).expect(0).valid();
    assert_eq!((&only(&result)["outcome"], &only(&result)["verified"]), (&json!("done"), &json!(false)));
    assert!(!service.with_ticket("INC-1")[0].open);
    let ended = elsewhere(&service, &close(&[&other[..8]], &["--json"]));
    assert!(matches!(ended.code, Some(3 | 7)) && only(&ended.valid())["outcome"] == "not-done", "{ended:?}");
    assert!(service.with_ticket("INC-2")[0].open, "nothing was sent");
}

#[test]
fn accepted_close_that_no_list_shows_is_not_verified() {
    let service = Service::new();
    let id = service.opened("INC-1", DEVICE);
    service.misbehave([Rule::new(Endpoint::Close, Misdeed::Late(Duration::from_secs(60)))]);
    let ended = service.run(&close(&[&id], &["--json"])).expect(0);
    let result = ended.valid();
    assert_eq!((&only(&result)["verified"], &only(&result)["request"]["state"]), (&json!(false), &json!("open")));
    assert!(ended.stderr.contains("no list shows it"), "{ended:?}");
}

#[test]
fn of_several_some_are_done_and_each_is_told() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", OTHER_DEVICE));
    let nobody = "00000000-0000-4000-8000-000000000001";
    let result = service.run(&close(&[&one, nobody, &other, &one], &["--json"])).expect(5).valid();
    let told: Vec<_> =
        result["results"].as_array().unwrap().iter().map(|it| (it["id"].as_str().unwrap(), problem(it))).collect();
    assert_eq!(told, [(one.as_str(), "none"), (nobody, "request-not-found"), (other.as_str(), "none")]);
    assert_eq!(service.observer.received(Endpoint::Close), 3, "each once");
}

#[test]
fn token_service_and_record_have_their_codes() {
    let service = Service::new();
    let id = service.opened("INC-1", DEVICE);
    let mut command = service.command(&close(&[&id], &["--json"]));
    let ended = Ended::from(command.env("MMD_ELEVATE_TOKEN", "e30.e30.e30").output().unwrap()).expect(4);
    assert_eq!(problem(only(&ended.valid())), "signed-out");
    service.run(&close(&[&id], &["--read-only"])).expect(8);
    service.run(&["resolve", "--config", "/nowhere"]).expect(8);
    let mut command = service.command(&["resolve"]);
    for name in ["MMD_ELEVATE_BASE_URL", "MMD_ELEVATE_TENANT_ID", "MMD_ELEVATE_TOKEN"] {
        command.env_remove(name);
    }
    assert!(Ended::from(command.output().unwrap()).expect(8).stderr.contains("no service is configured"));
    service.shut();
    let ended = service.run(&close(&[&id], &["--json"])).expect(7);
    assert_eq!(problem(only(&ended.valid())), "unreachable");
}

#[test]
fn result_that_cannot_be_printed_ends_with_one_and_is_named() {
    let service = Service::new();
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let id = service.opened("INC-1", DEVICE);
    let ended = Ended::from(service.command(&close(&[&id], &[])).stdout(full).output().unwrap()).expect(1);
    assert!(ended.stderr.contains(&format!("the outcome of closing {id} is done")), "{ended:?}");
}

#[test]
fn text_comes_from_standard_input_or_a_file_and_a_dry_run_sends_none() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", DEVICE));
    let ended = service.run(&close(&[&one, "00000000"], &["--dry-run", "--json"])).expect(5);
    assert!(ended.stderr.contains("without --dry-run"), "{ended:?}");
    assert_eq!(service.observer.received(Endpoint::Close), 0);
    service.run_with_input(&["close", &one, "--actions", "-"], "from\nstandard input\n").expect(0);
    assert_eq!(service.with_ticket("INC-1")[0].actions_taken, "from\nstandard input");
    let file = service.path("done.txt");
    fs::write(&file, "from a file").unwrap();
    service.run(&["close", &other, "--actions-file", file.to_str().unwrap()]).expect(0);
    assert_eq!(service.with_ticket("INC-2")[0].actions_taken, "from a file");
}

#[test]
fn form_of_the_editor_is_sent_as_it_was_saved() {
    let service = Service::new();
    let id = service.opened("INC-1", DEVICE);
    let edit = |script: &str| {
        let mut command = service.command(&["close", &id, "--editor"]);
        Ended::from(command.env("VISUAL", format!("sh -c '{script}'")).output().unwrap())
    };
    edit("true").expect(2);
    assert!(service.with_ticket("INC-1")[0].open);
    edit(r#"echo "Removed it" >>"$0""#).expect(0);
    assert_eq!(service.with_ticket("INC-1")[0].actions_taken, "Removed it");
}

#[test]
fn harmful_text_is_whole_in_json_and_harmless_everywhere() {
    let service = Service::new();
    for specimen in corpus() {
        let id = service.opened("INC-1", DEVICE);
        let input = specimen.text.as_str();
        let (form, more) = if specimen.text.len() % 2 == 0 { ("--json", "--quiet") } else { ("--plain", "--quiet") };
        let ended = service.run_with_input(&["close", &id, "--actions", "-", form, more], input).expect(0);
        assert_harmless_lines(&ended.stdout, specimen.name);
        assert_harmless_lines(&ended.stderr, specimen.name);
        if form == "--json" {
            let actions = only(&ended.valid())["request"]["actionsTaken"].clone();
            assert_eq!(actions, *specimen.text.trim_end_matches('\n'), "{}", specimen.name);
        }
    }
    for specimen in corpus().into_iter().map(|specimen| specimen.text.replace('\0', "")) {
        let ended = service.run(&close(&[&specimen], &["--json"]));
        assert!(matches!(ended.code, Some(2 | 3)), "{ended:?}");
        assert_harmless_lines(&ended.stdout, "an id");
        assert_harmless_lines(&ended.stderr, "an id");
    }
}

#[test]
fn what_is_unknown_is_looked_for_and_settled() {
    let service = Service::new();
    service.lose_creates();
    let mut arguments = create("INC-1", DEVICE);
    arguments.extend(["--allow-open", "--json"]);
    let intent = service.run(&arguments).expect(6).valid()["intent"].as_str().unwrap().to_owned();
    // The list still fails.
    let document = service.run(&["resolve", "--json"]).expect(6).valid();
    assert_eq!((&only(&document)["outcome"], &only(&document)["intent"]), (&json!("unknown"), &json!(intent)));
    service.misbehave([]);
    let document = service.run(&["resolve", &intent, "--json"]).expect(0).valid();
    let result = only(&document);
    assert_eq!(
        (&document["schema"], &result["outcome"], &result["problem"]),
        (&json!(1), &json!("done"), &Value::Null)
    );
    assert_eq!(result["request"]["id"], service.with_ticket("INC-1")[0].id.as_str());
    assert_eq!(service.observer.creates_received(), 1);
    let ended = service.run(&["resolve", "--json"]).expect(0);
    assert_eq!(ended.valid()["results"], json!([]));
    assert!(ended.stderr.contains("nothing whose outcome is unknown"), "{ended:?}");
    let known = service.run(&["resolve", &intent]).expect(0);
    assert!(known.stdout.starts_with("done  "), "{known:?}");
    // What was found is known to the record: it is closed by its beginning, and its texts can be sent again.
    let id = &service.with_ticket("INC-1")[0].id;
    service.run(&close(&[&id[..8]], &[])).expect(0);
    service.run(&create("INC-1", DEVICE)).expect(0);
}

#[test]
fn close_of_unknown_outcome_is_looked_for() {
    let service = Service::new();
    let (one, other) = (service.opened("INC-1", DEVICE), service.opened("INC-2", OTHER_DEVICE));
    let lists_fail = Rule::new(Endpoint::List, Misdeed::NoRoute);
    service.misbehave([Rule::new(Endpoint::Close, Misdeed::DropAfter), lists_fail.clone()]);
    let ended = service.run(&close(&[&one], &["--json"])).expect(6);
    assert_eq!(only(&ended.valid())["outcome"], "unknown");
    assert!(ended.stderr.contains("mmd-elevate resolve "), "{ended:?}");
    service.misbehave([Rule::new(Endpoint::Close, Misdeed::DropBefore), lists_fail]);
    service.run(&close(&[&other], &[])).expect(6);
    service.misbehave([]);
    let document = service.run(&["resolve", "--json"]).expect(5).valid();
    let results = document["results"].as_array().unwrap();
    let told: Vec<_> =
        results.iter().map(|it| (it["outcome"].as_str().unwrap(), it["request"]["state"].as_str())).collect();
    assert_eq!(told, [("done", Some("closed")), ("not-done", Some("open"))], "{document}");
    assert_eq!(results[1]["problem"]["code"], "unreachable");
    assert!(service.with_ticket("INC-2")[0].open);
}

#[test]
fn write_of_a_process_that_runs_stays_its_own() {
    let service = Service::new();
    let runtime = Runtime::new().unwrap();
    let (record, id) = runtime.block_on(async {
        let (record, _) = Record::join(service_place(&service), Timestamp::now).await.unwrap();
        let write = record.begin(&crate::record::create("x")).await.unwrap();
        record.settle(write.id, crate::record::outcome(WriteState::Unknown)).await.unwrap();
        (record, write.id)
    });
    let document = service.run(&["resolve", "--json"]).expect(6).valid();
    assert_eq!((&only(&document)["intent"], problem(only(&document))), (&json!(id.0.to_string()), "refused"));
    assert_eq!(service.observer.received(Endpoint::List), 0);
    runtime.block_on(async {
        record.settle(id, crate::record::outcome(WriteState::SetAside)).await.unwrap();
        record.close().await;
    });
    let document = service.run(&["resolve", &id.0.to_string(), "--json"]).expect(6).valid();
    assert_eq!(only(&document)["outcome"], "unknown", "it was set aside: nobody looks for it any more");
}

#[test]
fn script_does_a_shift_although_answers_get_lost() {
    let service = Service::new();
    // The list of the device, two looks for the create, and one for the close.
    service.misbehave([
        Rule::new(Endpoint::Create, Misdeed::DropAfter).times(1),
        Rule::new(Endpoint::List, Misdeed::NoRoute).times(3),
        Rule::new(Endpoint::Close, Misdeed::Fail).times(1),
        Rule::new(Endpoint::List, Misdeed::NoRoute).skip(1).times(1),
    ]);
    let mut command = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shift.sh"));
    command.args(["INC-1", DEVICE]).env_clear().envs(service.environment());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("PROGRAM", env!("CARGO_BIN_EXE_mmd-elevate")).env("PAUSE", "0");
    let ended = Ended::from(command.output().unwrap()).expect(0);
    let [stored] = &service.with_ticket("INC-1")[..] else { panic!("opened once: {ended:?}") };
    assert!(!stored.open && stored.actions_taken == "Removed the add-in. The user has tested it.", "{ended:?}");
    assert!(ended.stdout.starts_with(&format!("opened {}\n", stored.id)), "{ended:?}");
    assert_eq!(service.observer.creates_received(), 1);
    let mut command = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shift.sh"));
    command.args(["INC-2", "MMD-NOWHERE"]).env_clear().envs(service.environment());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    Ended::from(command.env("PROGRAM", env!("CARGO_BIN_EXE_mmd-elevate")).output().unwrap()).expect(3);
}

#[test]
fn signal_tells_what_was_closed_and_is_not_printed() {
    let service = Service::new();
    let [first, second] =
        [("INC-1", DEVICE), ("INC-2", OTHER_DEVICE)].map(|(ticket, device)| service.opened(ticket, device));
    service.misbehave([Rule::new(Endpoint::Close, Misdeed::HangAfter(Duration::from_secs(60))).ticket("INC-2")]);
    let child = service.start(&close(&[&first, &second], &[]));
    service.wait_for(Endpoint::Close, 2);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ended = Ended::from(child.wait_with_output().unwrap()).expect(130);
    let told = format!("ended before this was printed: the outcome of closing {first} is done");
    assert!(ended.stderr.contains(&told) && ended.stderr.contains("mmd-elevate resolve "), "{ended:?}");
}
