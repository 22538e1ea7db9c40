//! A service that is hostile in every field, header and error, and the bytes that the program writes for it.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{GONE, Home, SUBMIT, started, wait_until};
use crate::support::{
    corpus::{NOT_UTF8, corpus},
    harmless::{Sequence, assert_harmless_lines, sequences},
    pty::{self, Program, Pty},
    server::{Play, Request, Server, http},
};

const DEVICE: &str = "MMD-1";
const TOKEN: &str = "canary-token";

/// A service on a runtime of its own.
struct Service {
    server: Server,
    home: Home,
    _runtime: Runtime,
}

impl Service {
    fn start(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::start_with(move |request| Some(Play::Answer(answer(request?)))));
        Self { server, home: Home::new(), _runtime: runtime }
    }

    fn dashboard(&self) -> Program {
        self.home
            .dashboard()
            .env("MMD_ELEVATE_BASE_URL", &format!("http://{}", self.server.address))
            .env("MMD_ELEVATE_TENANT_ID", "8c0ffee5-0000-4000-8000-00000000000a")
            .env("MMD_ELEVATE_TOKEN", TOKEN)
            .env("MMD_ELEVATE_LOG", "trace")
            // An editor that does not start is told by its name.
            .env("VISUAL", "/nowhere/\x1b[2J\u{202e}vi")
    }

    /// Waits until so many writes have come in all: lists are asked for by themselves too.
    fn has_been_asked(&self, times: usize) {
        let is_write = |request: &Request| !request.line().starts_with("GET");
        wait_until("the request", || {
            self.server.requests().iter().filter(|request| is_write(request)).count() >= times
        });
    }

    /// What the program wrote in this session was its own, and so is what it logged.
    fn assert_harmless(&self, pty: &Pty) -> Vec<Sequence> {
        let log = self.home.read("logs/mmd-elevate.log");
        assert!(log.contains("asked the service"), "{log}");
        assert_harmless_lines(&log, "the log");
        assert!(log.lines().all(|line| line.starts_with("20")), "a line that nobody wrote: {log}");
        assert!(!log.contains(TOKEN));
        sequences(&pty.bytes())
    }
}

/// A request with this text in every field. The ticket can be told from others.
fn entity(n: usize, text: &str, is_closed: bool) -> Value {
    let mut entity =
        json!({ "id": id(n, text), "partnerTicketId": format!("T{n}z{text}"), "viewerUpns": [text, text] });
    for key in [
        "deviceName",
        "title",
        "category",
        "subcategory",
        "planOfAction",
        "actionsTaken",
        "requestingAgentUpn",
        "requestCreationTime",
    ] {
        entity[key] = json!(text);
    }
    if is_closed {
        entity["closingAgentUpn"] = json!(text);
        // No other text is a closure, so nothing else of it is ever shown.
        entity["requestClosureTime"] = json!("2024-01-01T00:00:00Z");
    }
    entity
}

/// As hostile as an id can be.
fn id(n: usize, text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_control()).take(20).collect::<String>();
    format!("{n}-{visible}")
}

/// An answer with a request id that is no text, as far as HTTP has room for that.
fn answer(n: usize, status: &str, body: &Value) -> Vec<u8> {
    let bytes = http(&format!("{status}\nrequest-id: @"), body.to_string());
    let at = bytes.iter().position(|byte| *byte == b'@').unwrap();
    [&bytes[..at], NOT_UTF8[n % NOT_UTF8.len()], &bytes[at + 1..]].concat()
}

fn refused(n: usize, status: &str, text: &str) -> Vec<u8> {
    answer(n, status, &json!({ "error": { "code": text, "message": text, "target": text } }))
}

/// The number in the ticket of the request that was sent.
fn number(request: &Request) -> usize {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["PartnerTicketId"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap()
}

fn pasted(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

/// Types a whole request and sends it.
fn send(pty: &mut Pty, ticket: &str, text: &str) {
    pty.send(format!("n{ticket}\t{DEVICE}\t"));
    for field in 0..4 {
        // A paste that ends itself would go on as keys, which is the terminal's business to prevent.
        pty.send(pasted(&text.replace("\x1b[201~", "")));
        pty.send(if field < 3 { "\t" } else { SUBMIT });
    }
}

#[test]
fn nothing_of_a_hostile_service_acts() {
    if pty::missing() {
        return;
    }
    let texts: Vec<_> = corpus().into_iter().map(|specimen| specimen.text).collect();
    let all = texts.len();
    let patched = Arc::new(AtomicUsize::new(0));
    let service = Service::start({
        let (texts, patched) = (texts.clone(), Arc::clone(&patched));
        move |request| match request.line().split(' ').next() {
            Some("POST") => {
                let n = number(request);
                let text = &texts[n % texts.len()];
                match n / texts.len() {
                    0 => answer(n, "201 Created", &entity(n, text, false)),
                    1 => refused(n, "403 Forbidden", text),
                    _ => answer(n, "201 Created", &json!({ "id": [text], text.as_str(): text })),
                }
            }
            // Refused at first, and then taken.
            Some("PATCH") => match patched.fetch_add(1, Ordering::SeqCst) {
                n if n % 2 == 0 => refused(n, "409 Conflict", &texts[n / 2 % texts.len()]),
                n => answer(n, "204 No Content", &Value::Null),
            },
            _ => {
                // Closed once a close was taken.
                let is_closed = patched.load(Ordering::SeqCst) > 1;
                let listed = texts.iter().enumerate().map(|(n, text)| entity(n, text, is_closed));
                answer(0, "200 OK", &json!({ "value": listed.collect::<Vec<_>>() }))
            }
        }
    });
    let mut pty = started(service.dashboard());
    let mut asked = 0;
    for (n, text) in texts.iter().enumerate() {
        send(&mut pty, &format!("INC-{n}"), text);
        pty.wait_for_text(&format!("T{n}z"));
        asked += 1;
        service.has_been_asked(asked);
        // The line for the ticket, the id, and the details to their end.
        pty.send("yY\rG");
    }
    let opened = service.assert_harmless(&pty);
    let copies = opened.iter().filter(|sequence| matches!(sequence, Sequence::Copied(_))).count();
    assert_eq!(copies, 2 * all, "each was copied in both ways");

    // The last one is closed: refused with words, then taken and read back.
    pty.send(format!("cx{SUBMIT}"));
    // What was refused is looked at.
    service.has_been_asked(asked + 1);
    // The answer is in, so that it can be closed again.
    pty.wait_for_text("Not closed");
    // Another key first: who sends at once what has come back holds the key down.
    pty.send("\x1b[F");
    pty.send(SUBMIT);
    service.has_been_asked(asked + 2);
    pty.wait_for_text("The text that the service stored differs from yours.");
    // What was typed is shown, because another text is stored; behind it are the details, and then the list.
    pty.wait_for_text("Esc done");
    pty.send("\x1b");
    pty.wait_for_text("Esc list");
    pty.send("\x1b");
    pty.wait_for_text("/ filter");
    pty.send("4");
    pty.wait_for_text("✓ closed");
    pty.send("\rG");
    service.assert_harmless(&pty);

    // Refused creates, each with words in the notice and in the form.
    for n in (all..2 * all).step_by(5) {
        send(&mut pty, &format!("R-{n}"), "text");
        pty.wait_for_text("Not opened for");
        pty.send("\x18");
        pty.wait_for_text("Draft discarded");
        pty.send("\x1b");
        pty.wait_for("an empty form", |screen| !screen.contents().contains("R-"));
    }
    // An answer that cannot be used, and what is listed instead.
    send(&mut pty, &format!("R-{}", 2 * all + 1), "text");
    pty.wait_for_text("looking");
    pty.resize(60, 20);
    pty.wait_for_size_taken();
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
    pty.assert_given_back();
    service.assert_harmless(&pty);

    // What was open comes back from the record, with all its texts.
    let mut pty = service.dashboard().start();
    pty.wait_for_text("This is how you left it");
    pty.wait_for_text("signed in");
    pty.send("G\r");
    pty.wait_for_text("1 Mine");
    pty.send("\rG\x03\x03");
    pty.wait_for_exit(GONE);
    service.assert_harmless(&pty);
}

/// The largest texts that an answer has room for.
#[test]
fn the_largest_texts_keep_no_key_waiting_and_take_no_memory() {
    if pty::missing() {
        return;
    }
    let service = Service::start(|_| {
        let text = "漢\u{301}\u{301}\u{301}\u{301}\u{301}\x1b".repeat(60_000);
        let mut entity = entity(0, &text, false);
        entity["id"] = json!("1");
        entity["viewerUpns"] = json!([]);
        // Three of them make an answer of nearly 4 MiB.
        for key in
            ["deviceName", "category", "subcategory", "actionsTaken", "requestingAgentUpn", "requestCreationTime"]
        {
            entity[key] = Value::Null;
        }
        let mut body = String::new();
        write!(body, "{entity}").unwrap();
        assert!((3 << 20..4 << 20).contains(&body.len()), "{}", body.len());
        http("201 Created", body)
    });
    let mut pty = started(service.dashboard());
    let before = pty.peak_memory();
    send(&mut pty, "INC-0", "text");
    pty.wait_for_text("T0z");
    pty.send("\rGn");
    pty.send("still here");
    pty.wait_for_text("still here");
    if let (Some(before), Some(after)) = (before, pty.peak_memory()) {
        assert!(after - before < 64 << 10, "{} KiB more", after - before);
    }
    service.assert_harmless(&pty);
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
}
