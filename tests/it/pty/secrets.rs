//! Where the secret of a sign-in and its tokens are not: on the screen, in any file, in a crash's report, in what the
//! doctor says, in the arguments of the process, in a core. They are real ones, of a tenant that gives out tokens.

use std::{
    cell::RefCell,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mmd_elevate_practice::{self as practice, Endpoint, Misdeed, Observer, Practice, Rule, Rules, Settings};
use tokio::runtime::Runtime;

use super::{GONE, Home, PROGRAM, SUBMIT, create, leave, started, wait_until};
use crate::support::{
    pty::{self, Program, Pty},
    server::{Play, Server, http},
};

const PLAN: &str = "Start Excel as administrator";

/// A tenant that is signed in to with a secret in a file, and the home of who does.
struct Tenant {
    home: Home,
    observer: Observer,
    secret: String,
    /// Tokens that are taken no more.
    ended: RefCell<Vec<String>>,
    _runtime: Runtime,
}

impl Tenant {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let practice = runtime.block_on(Practice::bind(([127, 0, 0, 1], 0).into(), Settings::default())).unwrap();
        let (secret, observer) = (practice.client_secret(), practice.observer());
        let home = Home::new();
        home.write("secret", &secret);
        fs::set_permissions(home.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
        let settings = format!(
            "base_url = \"{}\"\ntenant = \"{tenant}\"\n[[tenants]]\nname = \"Contoso\"\nid = \"{tenant}\"\n\
             [tenants.sign_in]\nmethod = \"client-secret\"\nclient_id = \"{}\"\nsecret_file = \"secret\"\n\
             authority = \"{}\"\n",
            practice.base_url(),
            practice::CLIENT_ID,
            practice.authority(),
            tenant = practice::TENANT_ID,
        );
        home.write("config.toml", &settings);
        runtime.spawn(practice.serve());
        Self { home, observer, secret, ended: RefCell::default(), _runtime: runtime }
    }

    fn dashboard(&self) -> Program {
        let config = self.home.path("config.toml");
        self.home.dashboard().arg("--config").arg(&config).env("MMD_ELEVATE_LOG", "trace")
    }

    fn end_tokens(&self) {
        self.ended.borrow_mut().extend(self.observer.tokens());
        self.observer.end_tokens();
    }

    /// What the doctor says to people and to programs.
    fn doctor(&self) -> String {
        let ask = |arguments: &[&str]| {
            let mut command = Command::new(PROGRAM);
            command.env_clear().envs(self.home.environment()).args(["doctor", "--config"]);
            let output = command.arg(self.home.path("config.toml")).args(arguments).stdin(Stdio::null()).output();
            let output = output.unwrap();
            format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        format!("{}{}", ask(&[]), ask(&["--json"]))
    }

    /// Neither the secret nor any token that was given out is in there.
    fn assert_clean(&self, what: &str, bytes: &[u8]) {
        let tokens = self.observer.tokens();
        assert!(!tokens.is_empty(), "nobody has signed in");
        for secret in tokens.iter().chain(&*self.ended.borrow()).chain([&self.secret]) {
            assert!(!holds(bytes, secret), "{what} holds a secret");
        }
    }

    /// Every file under the home but the one that the secret was read from. Tells which there were.
    fn assert_files_clean(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files(self.home.0.path(), &mut found);
        found.retain(|file| !file.ends_with("secret"));
        for file in &found {
            self.assert_clean(&file.display().to_string(), &fs::read(file).unwrap());
        }
        found
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Opens a request, is refused one, loses the answer to one, signs in again, and closes the first.
fn a_shift(tenant: &Tenant, pty: &mut Pty) {
    create(pty, "INC-1", "MMD-03690457680");
    pty.wait_for_text("● open");
    pty.send("cReset the add-in");
    pty.send(SUBMIT);
    pty.wait_for_text("verified");
    tenant.end_tokens();
    create(pty, "INC-2", "MMD-NOWHERE");
    pty.wait_for_text("does not exist");
    pty.send("\x18\x1b");
    tenant.observer.set_rules([Rule::new(Endpoint::Create, Misdeed::DropAfter)]);
    create(pty, "INC-3", "MMD-00000000001");
    pty.wait_for_text("● open");
    tenant.observer.set_rules(Rules::default());
    pty.send("L");
    pty.wait_for_text("Signed in again");
}

#[test]
fn no_secret_and_no_token_is_found_anywhere_after_a_shift() {
    if pty::missing() {
        return;
    }
    let tenant = Tenant::start();
    let mut pty = started(tenant.dashboard());
    a_shift(&tenant, &mut pty);
    #[cfg(target_os = "linux")]
    {
        let of_process = |file: &str| fs::read(format!("/proc/{}/{file}", pty.id())).unwrap();
        tenant.assert_clean("the command line", &of_process("cmdline"));
        let limits = String::from_utf8(of_process("limits")).unwrap();
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(cores.split_whitespace().nth(4), Some("0"), "a core would hold them: {cores}");
    }
    leave(&mut pty);
    pty.wait_for_exit(GONE);
    tenant.assert_clean("the terminal", &pty.bytes());
    let found = tenant.assert_files_clean();
    for name in ["mmd-elevate.log", "record.db"] {
        assert!(found.iter().any(|file| file.ends_with(name)), "{name} was not looked at: {found:?}");
    }
    let log = tenant.home.read("logs/mmd-elevate.log");
    assert!(log.contains("asked the service") && !log.contains(PLAN), "texts are in no log: {log}");
    let doctor = tenant.doctor();
    assert!(doctor.contains("\"token\""), "{doctor}");
    tenant.assert_clean("the doctor", doctor.as_bytes());
    tenant.assert_files_clean();
}

/// The token in every field of what the service says, plain, in base64 and in part: on the terminal, in the log at its
/// loudest, in the record and on the clipboard there is nothing of it.
#[test]
fn a_service_that_repeats_the_token_puts_it_nowhere() {
    const TOKEN: &str = "eyJ0eXAi.canary-of-the-token.3q2-7wXyZ0123456789";
    if pty::missing() {
        return;
    }
    let forms =
        [TOKEN.to_owned(), base64::Engine::encode(&base64::prelude::BASE64_STANDARD, TOKEN), TOKEN[..30].into()];
    let echo = forms.join(" ");
    let answered = echo.clone();
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(Server::start_with(move |request| {
        let echo = &answered;
        let entity = format!(
            r#"{{"id": "3f2b", "partnerTicketId": "INC-1 {echo}", "deviceName": "MMD-03690457680", "title": "{echo}",
            "category": "{echo}", "subcategory": "{echo}", "planOfAction": "{echo}", "requestingAgentUpn": "{echo}",
            "viewerUpns": ["{echo}"], "requestCreationTime": "2026-11-22T14:02:00Z", "{TOKEN}": "{TOKEN}"}}"#
        );
        let head = |status: &str| format!("{status}\nx-ms-request-id: {echo}");
        Some(Play::Answer(match request?.line().split(' ').next() {
            Some("POST") => http(&head("201 Created"), entity),
            Some("PATCH") => http(&head("403 Forbidden"), format!(r#"{{"error": {{"message": "{echo}"}}}}"#)),
            _ => http(&head("200 OK"), format!(r#"{{"value": [{entity}]}}"#)),
        }))
    }));
    let home = Home::new();
    let dashboard = home
        .dashboard()
        .env("MMD_ELEVATE_BASE_URL", &format!("http://{}", server.address))
        .env("MMD_ELEVATE_TENANT_ID", "8c0ffee5-0000-4000-8000-00000000000a")
        .env("MMD_ELEVATE_TOKEN", TOKEN)
        .env("MMD_ELEVATE_LOG", "trace");
    let mut pty = started(dashboard);
    create(&mut pty, "INC-1", "MMD-03690457680");
    // Its list holds one of the device already, whose words are the token.
    pty.wait_for_text("Not sent yet");
    // Another key between the two: who answers at once holds the key down.
    pty.send("\x1b[F");
    pty.send(SUBMIT);
    pty.wait_for_text("● open");
    pty.send("Y");
    pty.send("cDone");
    pty.send(SUBMIT);
    pty.wait_for_text("[token]");
    wait_until("the close", || server.requests().iter().any(|request| request.line().starts_with("PATCH")));
    pty.send("\x03\x03");
    pty.wait_for_exit(GONE);
    let mut found = Vec::new();
    files(home.0.path(), &mut found);
    let log = home.read("logs/mmd-elevate.log");
    assert!(log.contains("asked the service") && log.contains("[token]"), "{log}");
    for form in &forms {
        let part = &form[..16];
        assert!(!holds(&pty.bytes(), part), "the terminal holds {part}");
        for file in &found {
            assert!(!holds(&fs::read(file).unwrap(), part), "{} holds {part}", file.display());
        }
    }
}

#[test]
fn no_secret_and_no_token_is_in_what_a_panic_leaves() {
    // Only such a build can be asked to panic.
    if pty::missing() || !cfg!(debug_assertions) {
        return;
    }
    for place in ["call", "loop"] {
        let tenant = Tenant::start();
        let program = tenant.dashboard().env("MMD_ELEVATE_PANIC", place).env("RUST_BACKTRACE", "full");
        let mut pty = started(program);
        if place == "call" {
            create(&mut pty, "INC-1", "MMD-03690457680");
            pty.wait_for_text("? unknown");
            leave(&mut pty);
        } else {
            pty.send("j");
        }
        pty.wait_for_exit(GONE);
        assert!(place == "call" || pty.said_after().contains("asked to panic"), "{}", pty.said_after());
        tenant.assert_clean("the report", &pty.bytes());
        tenant.assert_files_clean();
    }
}
