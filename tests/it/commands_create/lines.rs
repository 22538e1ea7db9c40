//! `create --from`: a request for each line, several at once.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mmd_elevate_practice::{Endpoint, ListFault, Misdeed, RetryAfter, Rule, Settings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::problem;
use crate::support::service::{DEVICE, Ended, OTHER_DEVICE, Service};

/// How many lines are under way at once, at most.
const AT_ONCE: usize = 16;

pub(super) fn line(ticket: &str, device: &str, title: &str) -> String {
    json!({
        "ticket": ticket, "device": device, "title": title, "category": "Office", "subcategory": "Excel", "plan": "x",
    })
    .to_string()
}

#[test]
fn lines_are_opened_in_one_process_with_a_result_each() {
    let service = Service::new();
    let lines =
        [line("INC-1", DEVICE, "a"), String::new(), line("INC-2", "MMD-NOWHERE", "b"), line("INC-3", DEVICE, "c")];
    let file = service.path("lines.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let from = ["create", "--from", file.to_str().unwrap(), "--json"];
    let results = service.run(&from).expect(5).valid_lines();
    let told: Vec<_> = results.iter().map(|result| (result["outcome"].as_str().unwrap(), problem(result))).collect();
    assert_eq!(told, [("done", "none"), ("not-done", "device-not-found"), ("not-done", "open-on-device")]);
    let all = lines[..2].join("\n") + "\n" + &line("INC-4", OTHER_DEVICE, "d");
    let ended = service.run_with_input(&["create", "--from", "-", "--allow-open", "--plain"], &all).expect(0);
    assert_eq!(ended.stdout.lines().map(|line| line.split("  ").next().unwrap()).collect::<Vec<_>>(), ["done"; 2]);
}

#[test]
fn file_with_a_line_that_is_none_is_refused_before_anything_is_sent() {
    let service = Service::new();
    let file = service.path("lines.jsonl");
    let wrong = [r#"{"ticket": "INC-2"}"#, "[]", r#"{"titel": "x"}"#, &line("INC-2", DEVICE, " ")];
    for wrong in wrong {
        let lines = [line("INC-1", DEVICE, "a"), wrong.to_owned()].join("\n");
        fs::write(&file, &lines).unwrap();
        let ended = service.run(&["create", "--from", file.to_str().unwrap(), "--json"]).expect(2);
        assert!(ended.stderr.contains("line 2") && ended.stdout.is_empty(), "{ended:?}");
    }
    assert_eq!(service.observer.received(Endpoint::Any), 0);
    // What comes on standard input is opened as it comes.
    let lines = ["no JSON".to_owned(), line("INC-1", DEVICE, "a")].join("\n");
    let results = service.run_with_input(&["create", "--from", "-", "--json"], &lines).expect(5).valid_lines();
    assert_eq!((problem(&results[0]), results[1]["outcome"].as_str()), ("refused", Some("done")));
}

#[test]
fn unknown_outcome_of_one_line_counts_and_equal_lines_after_it_are_refused() {
    let service = Service::new();
    service.misbehave([
        Rule::new(Endpoint::Create, Misdeed::DropAfter).ticket("INC-1"),
        Rule::new(Endpoint::List, Misdeed::NoRoute),
    ]);
    let lines = [line("INC-1", DEVICE, "a"), line("INC-1", DEVICE, "a"), line("INC-2", DEVICE, "b")].join("\n");
    let results = service.run_with_input(&["create", "--from", "-", "--json"], &lines).expect(6).valid_lines();
    let outcomes: Vec<_> = results.iter().map(|result| result["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["unknown", "unknown", "done"]);
    assert_eq!(results[0]["intent"], results[1]["intent"]);
    assert_eq!(service.with_ticket("INC-1").len(), 1);
}

#[test]
fn standard_input_is_read_line_by_line() {
    use std::io::Write as _;
    let service = Service::new();
    let mut child =
        service.command(&["create", "--from", "-", "--json"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", line("INC-1", DEVICE, "a")).unwrap();
    // The answer comes before the next line is written.
    let mut answer = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"{");
    drop(input);
    Ended::from(child.wait_with_output().unwrap()).expect(0);
}

/// A tenant whose devices may have any number of open requests, and that misbehaves like this.
fn service(rules: impl IntoIterator<Item = Rule>) -> Service {
    let service = Service::with(Settings { open_requests_per_device: usize::MAX, ..Settings::default() });
    service.misbehave(rules);
    service
}

/// Names of devices: the first fifteen may be elevated.
fn devices() -> impl Iterator<Item = String> {
    (1..).filter(|number| ![2, 13].contains(number)).map(|number| format!("MMD-{number:011}"))
}

/// A line for each of so many devices: INC-1 for the first.
fn lines_of_devices(count: usize) -> Vec<String> {
    devices().take(count).enumerate().map(|(at, device)| line(&format!("INC-{}", at + 1), &device, "a")).collect()
}

/// `create --from -` with lines that are written one after another.
struct Written(Child);

impl Written {
    fn start(service: &Service) -> Self {
        let mut command = service.command(&["create", "--from", "-", "--json", "--allow-open"]);
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }

    fn write(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn end(mut self) -> Ended {
        drop(self.0.stdin.take());
        self.0.wait_with_output().unwrap().into()
    }

    fn interrupt(self) -> Ended {
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        self.end()
    }
}

/// The writes in the record.
fn recorded(service: &Service) -> Vec<Value> {
    service.run(&["record", "list", "--json"]).expect(0).valid_lines()
}

/// Waits until the record holds a write of this ticket in this state.
#[track_caller]
fn wait_until_recorded(service: &Service, ticket: &str, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !recorded(service).iter().any(|write| write["partnerTicketId"] == ticket && write["state"] == state) {
        assert!(Instant::now() < deadline, "{ticket} is not {state}");
    }
}

fn time(write: &Value, name: &str) -> Timestamp {
    write[name].as_str().unwrap().parse().unwrap()
}

/// The ticket of each result, in their order.
fn tickets(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["request"]["partnerTicketId"].as_str().unwrap()).collect()
}

#[test]
fn several_lines_are_under_way_at_once_and_no_more() {
    // No create is answered, so that all that are begun stay under way.
    let hang = Rule::new(Endpoint::Create, Misdeed::Hang(Duration::from_secs(60)));
    let service = service([hang]);
    let mut command = Written::start(&service);
    for line in lines_of_devices(AT_ONCE + 2) {
        command.write(&line);
    }
    service.wait_for(Endpoint::Create, AT_ONCE as u64);
    let ended = command.interrupt().expect(130);
    let intents: Vec<_> = recorded(&service).iter().map(|write| write["intent"].as_str().unwrap().to_owned()).collect();
    assert_eq!(intents.len(), AT_ONCE);
    let told = format!("unknown what came of the intents {}\nhint: mmd-elevate resolve ", intents.join(", "));
    assert!(ended.stderr.contains(&told), "{ended:?} {intents:?}");
}

#[test]
fn results_come_in_the_order_of_the_lines() {
    let slow = Rule::new(Endpoint::Create, Misdeed::Delay(Duration::from_secs(3))).ticket("INC-1");
    let service = service([slow]);
    let arguments = ["create", "--from", "-", "--json", "--allow-open"];
    let ended = service.run_with_input(&arguments, &lines_of_devices(5).join("\n")).expect(0);
    assert_eq!(tickets(&ended.valid_lines()), ["INC-1", "INC-2", "INC-3", "INC-4", "INC-5"]);
    let held = service.observer.requests().unwrap();
    let at = |ticket: &str| held.iter().position(|request| request.ticket == ticket);
    assert!(at("INC-5") < at("INC-1"), "the others did not wait for the first: {held:?}");
}

#[test]
fn line_waits_for_those_of_its_device_alone() {
    let service = service([]);
    let lines: Vec<_> = (1..=12)
        .map(|number| line(&format!("INC-{number}"), [DEVICE, "mmd-03690457680 ", OTHER_DEVICE][number % 3], "a"))
        .collect();
    let all = ["create", "--from", "-", "--json", "--allow-open"];
    let results = service.run_with_input(&all, &lines.join("\n")).expect(0).valid_lines();
    assert_eq!(results.len(), lines.len());
    let mut last_of: HashMap<String, Timestamp> = HashMap::new();
    for write in recorded(&service) {
        let device = write["deviceName"].as_str().unwrap().trim().to_lowercase();
        if let Some(last) = last_of.insert(device, time(&write, "changedAt")) {
            assert!(last <= time(&write, "sentAt"), "the one before had not ended: {write}");
        }
    }
    assert_eq!(last_of.len(), 2);
}

#[test]
fn no_line_is_begun_while_one_is_looked_for() {
    let an_hour_old = ListFault::Stale(Duration::from_secs(3600));
    let service = service([
        Rule::new(Endpoint::Create, Misdeed::DropAfter).ticket("INC-1"),
        Rule::new(Endpoint::List, Misdeed::List(an_hour_old)),
    ]);
    let mut command = Written::start(&service);
    let lines = lines_of_devices(2);
    command.write(&lines[0]);
    // The look-up is repeated after a second and more.
    service.wait_for(Endpoint::List, 3);
    command.write(&lines[1]);
    service.misbehave([]);
    let results = command.end().expect(0).valid_lines();
    assert_eq!(tickets(&results), ["INC-1", "INC-2"]);
    let writes = recorded(&service);
    assert!(time(&writes[0], "changedAt") <= time(&writes[1], "sentAt"), "{writes:?}");
}

#[test]
fn line_is_begun_once_the_one_that_was_looked_for_is_found_although_an_earlier_one_is_slow() {
    let an_hour_old = ListFault::Stale(Duration::from_secs(3600));
    let service = service([
        Rule::new(Endpoint::Create, Misdeed::Hang(Duration::from_secs(60))).ticket("INC-1"),
        Rule::new(Endpoint::Create, Misdeed::DropAfter).ticket("INC-2"),
        Rule::new(Endpoint::List, Misdeed::List(an_hour_old)),
    ]);
    let mut command = Written::start(&service);
    let lines = lines_of_devices(3);
    command.write(&lines[0]);
    command.write(&lines[1]);
    service.wait_for(Endpoint::List, 3);
    command.write(&lines[2]);
    service.misbehave([]);
    service.wait_for(Endpoint::Create, 3);
    command.interrupt().expect(130);
}

#[test]
fn signal_tells_what_has_ended_and_is_not_printed() {
    // Whether a result has reached the command cannot be seen from outside: it may be told as unknown a moment before.
    for _ in 0..10 {
        let service = service([
            Rule::new(Endpoint::Create, Misdeed::HangAfter(Duration::from_secs(60))).ticket("INC-1"),
            Rule::new(Endpoint::Create, Misdeed::DropAfter).ticket("INC-3"),
            Rule::new(Endpoint::List, Misdeed::NoRoute),
        ]);
        let mut command = Written::start(&service);
        for line in lines_of_devices(3) {
            command.write(&line);
        }
        service.wait_for(Endpoint::Create, 3);
        wait_until_recorded(&service, "INC-2", "done");
        wait_until_recorded(&service, "INC-3", "unknown");
        let ended = command.interrupt().expect(130);
        assert_eq!(ended.stdout, "", "the first line has no result yet");
        let writes = recorded(&service);
        let intents = |tickets: &[&str]| {
            let named = writes.iter().filter(|write| tickets.contains(&write["partnerTicketId"].as_str().unwrap()));
            let intents: Vec<_> = named.map(|write| write["intent"].as_str().unwrap()).collect();
            format!("unknown what came of the intents {}\nhint: mmd-elevate resolve ", intents.join(", "))
        };
        let id = &service.with_ticket("INC-2")[0].id;
        let told = format!("ended before this was printed: INC-2: the outcome is done, request {id}, intent ");
        if ended.stderr.contains(&told) {
            assert!(ended.stderr.contains(&intents(&["INC-1", "INC-3"])), "{ended:?}");
            return;
        }
        assert!(ended.stderr.contains(&intents(&["INC-1", "INC-2", "INC-3"])), "{ended:?}");
    }
    panic!("it was never told as done");
}

#[test]
fn device_is_checked_although_the_service_asks_to_wait() {
    let service = service([Rule::new(Endpoint::List, Misdeed::Throttle(RetryAfter::Seconds(3))).times(1)]);
    service.opened("INC-2", DEVICE);
    let ended = service.run_with_input(&["create", "--from", "-", "--json"], &line("INC-1", DEVICE, "a")).expect(3);
    assert_eq!(problem(&ended.valid_lines()[0]), "open-on-device", "{ended:?}");
}

#[test]
fn input_that_cannot_be_read_ends_the_lines() {
    let service = Service::new();
    let mut command = service.command(&["create", "--from", "-", "--json"]);
    let ended = Ended::from(command.stdin(File::open("/").unwrap()).output().unwrap()).expect(2);
    let results = ended.valid_lines();
    assert_eq!((results.len(), problem(&results[0])), (1, "refused"), "{ended:?}");
    assert!(ended.stderr.contains("line 1: it cannot be read"), "{ended:?}");
}
