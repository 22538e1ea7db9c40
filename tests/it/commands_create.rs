//! `create` in the real binary: every exit code, every form of its result, and what is sent.

use std::{
    fs::{self, File},
    io::pipe,
    os::unix::fs::PermissionsExt as _,
};

use mmd_elevate::{commands::write_result::SCHEMA, exit::ProblemCode};
use mmd_elevate_practice::{Endpoint, Misdeed, RetryAfter, Rule, Settings};
use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

mod lines;

use self::lines::line;
use crate::support::{
    corpus::corpus,
    harmless::assert_harmless_lines,
    pty::{self, Program},
    service::{DEVICE, Ended, OTHER_DEVICE, Service, create},
};

fn with<'a>(mut arguments: Vec<&'a str>, more: &[&'a str]) -> Vec<&'a str> {
    arguments.extend(more);
    arguments
}

/// The code of the problem in a JSON result.
fn problem(document: &Value) -> &str {
    document["problem"]["code"].as_str().unwrap_or("none")
}

#[test]
fn request_is_opened_and_told_as_json() {
    let service = Service::new();
    let ended = service.run(&with(create("INC-1", DEVICE), &["--json"])).expect(0);
    let document = ended.valid();
    let stored = &service.with_ticket("INC-1")[0];
    assert!(stored.open && stored.plan_of_action == "Remove the add-in");
    assert_eq!(ended.stderr, "");
    assert_eq!(
        (&document["schema"], &document["outcome"], &document["problem"], &document["surplus"]),
        (&json!(1), &json!("done"), &Value::Null, &json!([]))
    );
    assert!(document["intent"].as_str().unwrap().parse::<i64>().is_ok(), "{document}");
    let request = &document["request"];
    for (name, value) in [
        ("id", stored.id.as_str()),
        ("partnerTicketId", "INC-1"),
        ("deviceName", DEVICE),
        ("title", "Excel add-in crashes"),
        ("category", "Office"),
        ("subcategory", "Excel"),
        ("planOfAction", "Remove the add-in"),
        ("state", "open"),
    ] {
        assert_eq!(request[name], value, "{name}");
    }
    assert_eq!((&request["mine"], &request["requestClosureTime"]), (&json!(true), &Value::Null));
    request["requestCreationTime"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
}

#[test]
fn schema_knows_all_codes_and_refuses_what_is_no_result() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/schema/output.json")).unwrap();
    let codes = schema["$defs"]["problem"]["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(*codes, ProblemCode::ALL.map(|code| json!(code.word())));
    assert_eq!(schema["$defs"]["create"]["properties"]["schema"]["const"], SCHEMA);
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&json!({ "schema": 1, "outcome": "done" })));
    assert!(!validator.is_valid(&json!({ "schema": 1, "results": [{ "id": "a", "outcome": "perhaps" }] })));
}

#[test]
fn without_a_terminal_the_result_is_a_line_of_fields() {
    let service = Service::new();
    for arguments in [create("INC-1", DEVICE), with(create("INC-2", OTHER_DEVICE), &["--plain", "--allow-open"])] {
        let ended = service.run(&arguments).expect(0);
        let fields: Vec<_> = ended.stdout.strip_suffix('\n').unwrap().split("  ").collect();
        let stored = &service.with_ticket(arguments[2])[0];
        assert_eq!(fields[..2], ["done", stored.id.as_str()], "{ended:?}");
        assert_eq!(fields[3..], [arguments[2], arguments[4], "Excel add-in crashes"]);
    }
}

#[test]
fn on_a_terminal_the_result_is_a_sentence() {
    if pty::missing() {
        return;
    }
    let service = Service::new();
    let program = Program::new(env!("CARGO_BIN_EXE_mmd-elevate")).clean();
    let program = service.environment().into_iter().fold(program, |program, (name, value)| program.env(name, &value));
    let pty = create("INC-1", DEVICE).into_iter().fold(program, Program::arg).start();
    pty.wait_for_text("Request opened: Excel add-in crashes on MMD-03690457680");
    pty.wait_for_text(&service.with_ticket("INC-1")[0].id);
}

#[rstest]
#[case::nothing(&[], "--ticket, --device, --title, --category, --subcategory, --plan are missing or empty")]
#[case::blank(&["--ticket", "a", "--device", " ", "--title", "a", "--category", "a", "--subcategory", "a", "--plan", "a"],
    "--device is missing or empty")]
#[case::empty_input(&["--ticket", "a", "--device", "a", "--title", "a", "--category", "a", "--subcategory", "a", "--plan", "-"],
    "--plan is missing or empty")]
#[case::no_file(&["--plan-file", "/nowhere"], "--plan-file /nowhere: it cannot be read")]
#[case::no_template(&["--template", "office repair onlin"], "did you mean `Office repair online`?")]
#[case::blanks(&["--template", "Office repair online"], "has blanks to fill in: <")]
#[case::two_plans(&["--plan", "a", "--plan-file", "b"], "--plan-file")]
#[case::texts_and_lines(&["--from", "a", "--title", "b"], "--title")]
#[case::mistyped(&["--tickt", "a"], "--ticket")]
#[case::two_forms(&["--json", "--plain"], "--plain")]
fn wrong_command_line_ends_with_two_and_sends_nothing(#[case] arguments: &[&str], #[case] said: &str) {
    let service = Service::new();
    let ended = service.run(&[&["create"], arguments].concat()).expect(2);
    assert!(ended.stderr.contains(said) && ended.stdout.is_empty(), "{ended:?}");
    assert_eq!(service.observer.received(Endpoint::Any), 0);
}

#[test]
fn device_with_open_requests_is_refused_unless_it_is_allowed() {
    let service = Service::new();
    let first = service.opened("INC-1", DEVICE);
    let lists = service.observer.received(Endpoint::List);
    assert_eq!(lists, 0, "--allow-open lists nothing");
    let ended = service.run(&with(create("INC-2", &DEVICE.to_lowercase()), &["--json"])).expect(3);
    let document = ended.valid();
    assert_eq!((document["outcome"].as_str(), problem(&document)), (Some("not-done"), "open-on-device"));
    assert_eq!((&document["intent"], &document["request"]), (&Value::Null, &Value::Null));
    assert!(ended.stderr.contains(&first) && ended.stderr.contains("--allow-open"), "{ended:?}");
    assert!(service.with_ticket("INC-2").is_empty());
    service.opened("INC-2", DEVICE);
}

#[test]
fn device_that_cannot_be_listed_is_told_and_stops_nothing() {
    let service = Service::misbehaving([Rule::new(Endpoint::List, Misdeed::NoRoute)]);
    let ended = service.run(&create("INC-1", DEVICE)).expect(0);
    assert!(ended.stderr.contains("was not checked"), "{ended:?}");
    let service = Service::misbehaving([Rule::new(Endpoint::List, Misdeed::Hang(std::time::Duration::from_secs(60)))]);
    let began = std::time::Instant::now();
    let ended = service.run(&create("INC-1", DEVICE)).expect(0);
    assert!(ended.stderr.contains("has not listed it in time"), "{ended:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn refusals_of_the_service_end_with_three() {
    let service = Service::new();
    for ticket in ["INC-1", "INC-2", "INC-3"] {
        service.opened(ticket, DEVICE);
    }
    for (arguments, code) in [
        (with(create("INC-4", DEVICE), &["--json", "--allow-open"]), "too-many-open"),
        (with(create("INC-4", "MMD-NOWHERE"), &["--json"]), "device-not-found"),
    ] {
        let document = service.run(&arguments).expect(3).valid();
        assert_eq!((document["outcome"].as_str(), problem(&document)), (Some("not-done"), code));
        assert!(document["intent"].is_string(), "it is in the record: {document}");
    }
}

#[test]
fn token_that_is_not_accepted_ends_with_four() {
    let service = Service::new();
    let mut command = service.command(&with(create("INC-1", DEVICE), &["--json"]));
    let ended = Ended::from(command.env("MMD_ELEVATE_TOKEN", "e30.e30.e30").output().unwrap()).expect(4);
    assert_eq!(problem(&ended.valid()), "signed-out");
}

#[test]
fn create_of_unknown_outcome_ends_with_six_and_is_not_sent_again_by_itself() {
    let service = Service::new();
    service.lose_creates();
    let create = create("INC-1", DEVICE);
    let ended = service.run(&with(create.clone(), &["--json"])).expect(6);
    let document = ended.valid();
    assert_eq!(document["outcome"], "unknown");
    let intent = document["intent"].as_str().unwrap();
    assert!(ended.stderr.contains(&format!("mmd-elevate resolve {intent}")), "{ended:?}");
    assert_eq!(service.observer.creates_received(), 1);

    service.misbehave([]);
    let again = service.run(&with(create.clone(), &["--json", "--allow-open"])).expect(6);
    assert_eq!((&again.valid()["intent"], problem(&again.valid())), (&document["intent"], "refused"));
    assert!(again.stderr.contains("--again"), "{again:?}");
    assert_eq!(service.observer.creates_received(), 1, "nothing was sent");
    // Other texts are another request.
    service.run(&with(self::create("INC-2", DEVICE), &["--allow-open"])).expect(0);
    service.run(&with(create, &["--again", "--allow-open"])).expect(0);
    assert_eq!(service.with_ticket("INC-1").len(), 2, "the same texts twice are two requests");
}

#[test]
fn lost_answer_is_looked_for() {
    let service = Service::misbehaving([Rule::new(Endpoint::Create, Misdeed::DropAfter)]);
    let document = service.run(&with(create("INC-1", DEVICE), &["--json"])).expect(0).valid();
    assert_eq!(document["request"]["id"], service.with_ticket("INC-1")[0].id.as_str());
    assert_eq!(service.observer.creates_received(), 1);
    let service = Service::misbehaving([
        Rule::new(Endpoint::Create, Misdeed::Twice),
        Rule::new(Endpoint::Create, Misdeed::DropAfter),
    ]);
    let ended = service.run(&with(create("INC-1", DEVICE), &["--json"])).expect(0);
    assert_eq!(ended.valid()["surplus"].as_array().unwrap().len(), 1);
    assert!(ended.stderr.contains("1 equal what was sent"), "{ended:?}");
}

#[test]
fn wait_goes_on_until_the_outcome_is_known_or_the_time_is_over() {
    let lists_fail = Rule::new(Endpoint::List, Misdeed::NoRoute);
    let lost = Rule::new(Endpoint::Create, Misdeed::DropAfter);
    let service = Service::misbehaving([lost.clone(), lists_fail.clone().times(2)]);
    service.run(&with(create("INC-1", DEVICE), &["--wait"])).expect(0);
    let service = Service::misbehaving([lost, lists_fail]);
    service.run(&with(create("INC-1", DEVICE), &["--wait", "1"])).expect(6);
    assert!(service.observer.received(Endpoint::List) >= 3, "it was looked for again");
}

#[test]
fn service_that_is_away_or_asks_for_too_long_a_wait_ends_with_seven() {
    let throttle = Misdeed::Throttle(RetryAfter::Seconds(9_999));
    let service = Service::misbehaving([Rule::new(Endpoint::Create, throttle)]);
    let document = service.run(&with(create("INC-1", DEVICE), &["--json"])).expect(7).valid();
    assert_eq!((document["outcome"].as_str(), problem(&document)), (Some("not-done"), "throttled"));
    service.shut();
    let document = service.run(&with(create("INC-1", DEVICE), &["--json", "--allow-open"])).expect(7).valid();
    assert_eq!((document["outcome"].as_str(), problem(&document)), (Some("not-done"), "unreachable"));
}

#[test]
fn record_or_settings_that_cannot_be_used_end_with_eight() {
    let service = Service::new();
    let arguments = with(create("INC-1", DEVICE), &["--json"]);
    let mut command = service.command(&arguments);
    for name in ["MMD_ELEVATE_BASE_URL", "MMD_ELEVATE_TENANT_ID", "MMD_ELEVATE_TOKEN"] {
        command.env_remove(name);
    }
    let ended = Ended::from(command.output().unwrap()).expect(8);
    assert_eq!(problem(&ended.valid()), "settings");
    assert!(ended.stderr.contains("no service is configured") && ended.stderr.contains("--practice"), "{ended:?}");
    let ended = service.run(&with(arguments.clone(), &["--config", "/nowhere"])).expect(8);
    assert_eq!(problem(&ended.valid()), "settings");
    let ended = service.run(&with(arguments.clone(), &["--read-only"])).expect(8);
    assert_eq!(problem(&ended.valid()), "settings");
    // A folder in the place of the database.
    fs::create_dir_all(service.path("state/record.db")).unwrap();
    let ended = service.run(&arguments).expect(8);
    assert_eq!((problem(&ended.valid()), ended.valid()["outcome"].as_str()), ("record", Some("not-done")));
    assert_eq!(service.observer.received(Endpoint::Any), 0);
}

#[test]
fn practice_tenant_is_for_who_asks_for_it() {
    let service = Service::new();
    let mut command = service.command(&with(create("INC-1", DEVICE), &["--practice", "--json", "--allow-open"]));
    let ended = Ended::from(command.env("MMD_ELEVATE_PRACTICE_COLLEAGUES", "false").output().unwrap()).expect(0);
    assert_eq!(ended.valid()["request"]["requestingAgentUpn"], mmd_elevate_practice::AGENT_UPN);
    assert_eq!(service.observer.received(Endpoint::Any), 0, "the service was not asked");
}

#[test]
fn result_that_cannot_be_printed_ends_with_one_and_is_named() {
    let service = Service::new();
    let Ok(full) = File::options().write(true).open("/dev/full") else { return };
    let mut command = service.command(&create("INC-1", DEVICE));
    let ended = Ended::from(command.stdout(full).output().unwrap()).expect(1);
    let id = &service.with_ticket("INC-1")[0].id;
    assert!(ended.stderr.contains(&format!("the outcome is done, request {id}")), "{ended:?}");
    let (_, closed) = pipe().unwrap();
    let mut command = service.command(&with(create("INC-2", DEVICE), &["--allow-open"]));
    let ended = Ended::from(command.stdout(closed).output().unwrap()).expect(0);
    assert_eq!((ended.stderr.as_str(), service.with_ticket("INC-2").len()), ("", 1));
}

/// Whether this process ignores SIGHUP, which those that it starts inherit.
fn hang_ups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|signals| signals & 1 == 1)
}

#[rstest]
#[case(Signal::INT, 130)]
#[case(Signal::TERM, 143)]
// It keeps its default, which `nohup` may turn off; a shell says 129.
#[case(Signal::HUP, None)]
fn signal_leaves_what_was_sent_in_the_record(#[case] signal: Signal, #[case] code: impl Into<Option<i32>>) {
    if signal == Signal::HUP && hang_ups_are_ignored() {
        println!("skipped: SIGHUP is ignored here, as under nohup, and so it is in the command");
        return;
    }
    let hang = Misdeed::HangAfter(std::time::Duration::from_secs(60));
    let service = Service::misbehaving([Rule::new(Endpoint::Create, hang)]);
    let child = service.start(&create("INC-1", DEVICE));
    service.wait_for(Endpoint::Create, 1);
    kill_process(Pid::from_child(&child), signal).unwrap();
    let (ended, code) = (Ended::from(child.wait_with_output().unwrap()), code.into());
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stderr.contains("mmd-elevate resolve "), code.is_some(), "{ended:?}");
    service.misbehave([]);
    service.run(&with(create("INC-1", DEVICE), &["--allow-open"])).expect(6);
    assert_eq!(service.with_ticket("INC-1").len(), 1);
}

#[test]
fn dry_run_checks_everything_and_sends_nothing() {
    let service = Service::new();
    let ended = service.run(&with(create("INC-1", DEVICE), &["--dry-run", "--json"])).expect(0);
    assert_eq!((ended.valid()["outcome"].as_str(), &ended.valid()["problem"]), (Some("not-done"), &Value::Null));
    assert!(ended.stderr.contains("nothing was sent"), "{ended:?}");
    service.opened("INC-2", DEVICE);
    service.run(&with(create("INC-1", DEVICE), &["--dry-run"])).expect(3);
    assert_eq!(service.with_ticket("INC-1").len(), 0);
    assert_eq!(service.run(&with(create("INC-1", DEVICE), &["--dry-run", "--allow-open", "--quiet"])).stderr, "");
}

/// The arguments without the plan.
fn without_plan() -> Vec<&'static str> {
    let mut arguments = create("INC-1", DEVICE);
    let at = arguments.iter().position(|argument| *argument == "--plan").unwrap();
    arguments.drain(at..at + 2);
    arguments
}

#[test]
fn plan_comes_from_standard_input_a_file_or_an_editor() {
    let plan = |service: &Service| service.with_ticket("INC-1")[0].plan_of_action.clone();
    let service = Service::new();
    service.run_with_input(&with(without_plan(), &["--plan", "-"]), " one\n- two\n").expect(0);
    assert_eq!(plan(&service), " one\n- two");
    let service = Service::new();
    let file = service.path("plan.txt");
    fs::write(&file, "from a file\r\n").unwrap();
    service.run(&with(without_plan(), &["--plan-file", file.to_str().unwrap()])).expect(0);
    assert_eq!(plan(&service), "from a file");
    let service = Service::new();
    service.run(&with(without_plan(), &["--plan", "- begins with a hyphen"])).expect(0);
    assert_eq!(plan(&service), "- begins with a hyphen");
    let latin = service.path("latin.txt");
    fs::write(&latin, b"caf\xe9").unwrap();
    service.run(&with(without_plan(), &["--plan-file", latin.to_str().unwrap()])).expect(2);
}

/// An editor that runs this shell script on the file.
fn editor(service: &Service, script: &str) -> String {
    let path = service.path("editor.sh");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn form_of_the_editor_begins_with_what_is_given_and_is_sent_as_it_was_saved() {
    let service = Service::new();
    let script =
        r#"cp "$1" "$HOME/form"; sed -i 's/^Title: .*/Title: From the editor/' "$1"; printf "\n# kept\n" >>"$1""#;
    let mut command = service.command(&with(create("INC-1", DEVICE), &["--editor"]));
    let ended = Ended::from(command.env("VISUAL", editor(&service, script)).output().unwrap()).expect(0);
    let form = fs::read_to_string(service.path("form")).unwrap();
    assert!(form.starts_with("# ") && form.contains("\nTicket: INC-1\n"), "{form} {ended:?}");
    let stored = &service.with_ticket("INC-1")[0];
    assert_eq!(
        (stored.title.as_str(), stored.plan_of_action.as_str()),
        ("From the editor", "Remove the add-in\n# kept")
    );

    for script in ["true", "exit 3", r#"echo >"$1""#, r#"sed -i 's/^Title: .*/Titel: x/' "$1""#] {
        let mut command = service.command(&with(create("INC-2", DEVICE), &["--editor", "--allow-open"]));
        Ended::from(command.env("VISUAL", editor(&service, script)).output().unwrap()).expect(2);
        assert!(service.with_ticket("INC-2").is_empty(), "{script}");
    }
}

#[test]
fn template_gives_the_plan_and_the_category() {
    let service = Service::new();
    let arguments = ["create", "--ticket", "INC-1", "--device", DEVICE, "--title", "a"];
    let script = r#"sed -i 's/<[^<>]*>/it/g' "$1""#;
    let more = ["--subcategory", "b", "--template", "OFFICE repair online", "--editor", "--json"];
    let mut command = service.command(&[&arguments[..], &more].concat());
    let ended = Ended::from(command.env("VISUAL", editor(&service, script)).output().unwrap()).expect(0);
    let shipped = mmd_elevate::templates::shipped();
    let template = shipped.iter().find(|template| template.name == "Office repair online").unwrap();
    assert_eq!(ended.valid()["request"]["category"], template.category.as_str());
    assert_eq!(ended.valid()["request"]["subcategory"], "b", "what is given counts");
}

#[test]
fn harmful_text_is_whole_in_json_and_harmless_everywhere() {
    let service = Service::with(Settings { open_requests_per_device: usize::MAX, ..Settings::default() });
    for specimen in corpus() {
        let (name, text) = (specimen.name, specimen.text);
        let lines = line("INC-1", DEVICE, &text);
        let ended = service.run_with_input(&["create", "--from", "-", "--json", "--allow-open", "--again"], &lines);
        assert!(ended.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        assert_harmless_lines(&ended.stdout, name);
        assert_harmless_lines(&ended.stderr, name);
        assert_eq!(ended.expect(0).valid_lines()[0]["request"]["title"], text.as_str(), "{name}");
        let ended = service.run_with_input(&["create", "--from", "-", "--plain", "--allow-open", "--again"], &lines);
        assert_harmless_lines(&ended.stdout, name);
        assert_eq!(ended.stdout.lines().count(), 1, "{name}: {ended:?}");
        assert_eq!(ended.stdout.trim_end().split("  ").count(), 6, "{name}: {ended:?}");
    }
}

#[test]
fn stored_text_of_others_is_harmless_where_a_refusal_names_it() {
    let service = Service::new();
    let text = corpus().into_iter().find(|specimen| specimen.name.starts_with("OSC 52: ")).unwrap().text;
    let lines = line(&text, DEVICE, "a");
    service.run_with_input(&["create", "--from", "-"], &lines).expect(0);
    let ended = service.run(&create("INC-2", DEVICE)).expect(3);
    assert_harmless_lines(&ended.stderr, "the refusal");
}
