//! A practice tenant that misbehaves on request, and the program's commands against it, each in a process of its own.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use mmd_elevate_practice::{Endpoint, Misdeed, Observer, Practice, Rule, Settings, StoredRequest, TENANT_ID};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A device without open requests, and another one.
pub(crate) const DEVICE: &str = "MMD-03690457680";
pub(crate) const OTHER_DEVICE: &str = "MMD-00000000017";

/// A served tenant with a folder for the record of those who use it.
pub(crate) struct Service {
    runtime: Runtime,
    base_url: String,
    pub(crate) token: String,
    pub(crate) observer: Observer,
    pub(crate) folder: TempDir,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
    }
}

impl Ended {
    /// The one JSON document on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, held against the schema of the documents.
    #[track_caller]
    pub(crate) fn valid(&self) -> Value {
        let document = self.json();
        assert_valid(&document);
        document
    }

    /// A JSON document for each line of standard output, each held against the schema.
    #[track_caller]
    pub(crate) fn valid_lines(&self) -> Vec<Value> {
        let documents: Vec<_> = self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        documents.iter().for_each(assert_valid);
        documents
    }

    /// Holds that it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let runtime = Runtime::new().unwrap();
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let practice = runtime.block_on(Practice::bind(loopback, settings)).unwrap();
        let (base_url, token, observer) = (practice.base_url(), practice.token(), practice.observer());
        runtime.spawn(practice.serve());
        Self { runtime, base_url, token, observer, folder: tempfile::tempdir().unwrap() }
    }

    /// One that misbehaves like this from the first call on.
    pub(crate) fn misbehaving(rules: impl IntoIterator<Item = Rule>) -> Self {
        let service = Self::new();
        service.misbehave(rules);
        service
    }

    pub(crate) fn misbehave(&self, rules: impl IntoIterator<Item = Rule>) {
        self.observer.set_rules(rules.into_iter().collect::<Vec<_>>());
    }

    /// A create is done, and its answer is lost. Lists fail, so that nothing can be found.
    pub(crate) fn lose_creates(&self) {
        self.misbehave([Rule::new(Endpoint::Create, Misdeed::DropAfter), Rule::new(Endpoint::List, Misdeed::NoRoute)]);
    }

    /// Refuses connections from now on.
    pub(crate) fn shut(&self) {
        self.runtime.block_on(self.observer.shut());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The environment in which commands use this tenant.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let home = self.folder.path().to_str().unwrap().to_owned();
        vec![
            ("HOME", home.clone()),
            ("TMPDIR", home.clone()),
            ("MMD_ELEVATE_STATE_DIR", home + "/state"),
            ("MMD_ELEVATE_BASE_URL", self.base_url.clone()),
            ("MMD_ELEVATE_TENANT_ID", TENANT_ID.to_owned()),
            ("MMD_ELEVATE_TOKEN", self.token.clone()),
        ]
    }

    /// A command that knows no environment but this.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
        command.args(arguments).env_clear().envs(self.environment());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs a command that reads this text.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writing = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        output.into()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Waits until so many calls of an endpoint have come.
    #[track_caller]
    pub(crate) fn wait_for(&self, endpoint: Endpoint, least: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.observer.received(endpoint) < least {
            assert!(Instant::now() < deadline, "no call of {endpoint:?} has come");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The requests with this ticket, as the service holds them.
    pub(crate) fn with_ticket(&self, ticket: &str) -> Vec<StoredRequest> {
        let requests = self.observer.requests().unwrap();
        requests.into_iter().filter(|request| request.ticket == ticket).collect()
    }

    /// Opens a request from the command line and returns its id.
    #[track_caller]
    pub(crate) fn opened(&self, ticket: &str, device: &str) -> String {
        let mut arguments = create(ticket, device);
        arguments.extend(["--allow-open", "--json"]);
        let document = self.run(&arguments).expect(0).json();
        document["request"]["id"].as_str().unwrap().to_owned()
    }
}

/// Holds that a document has the form that is written down for it.
#[track_caller]
fn assert_valid(document: &Value) {
    let schema = serde_json::from_str(include_str!("../../../docs/schema/output.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {document}");
}

/// Reads a document, and holds that it has the form that is written down for it.
#[track_caller]
pub(crate) fn valid(text: &str) -> Value {
    let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_valid(&document);
    document
}

/// The arguments of a create that can be sent.
pub(crate) fn create<'a>(ticket: &'a str, device: &'a str) -> Vec<&'a str> {
    let texts = ["--title", "Excel add-in crashes", "--category", "Office", "--subcategory", "Excel"];
    let mut arguments = vec!["create", "--ticket", ticket, "--device", device, "--plan", "Remove the add-in"];
    arguments.extend(texts);
    arguments
}
