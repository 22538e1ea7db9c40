//! `mmd-elevate doctor` in the real binary: what it finds, what it says to do, and what it keeps to itself.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::support::{
    server::{Play, Server, http},
    tls::{Authority, TlsServer, UNUSED_CA, VALID, params, self_signed},
    within,
};

const TENANT: &str = "7f3c2a10-0000-4000-8000-000000006677";
const TOKEN: &str = "canary-token.eyJhbGciOi";
const IDS: [&str; 12] = [
    "configuration",
    "state-folder",
    "permissions",
    "terminal-size",
    "terminal-colours",
    "terminal-text",
    "terminal-clipboard",
    "proxy",
    "name-resolution",
    "tls",
    "token",
    "list",
];

/// A person's home, in which everything is, and the environment of a doctor.
struct Patient {
    root: TempDir,
    set: Vec<(String, String)>,
}

impl Patient {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("canary-home");
        fs::create_dir(&home).unwrap();
        let patient = Self { root, set: Vec::new() };
        patient
            .with("HOME", home.to_str().unwrap())
            .with("USER", "canary-user")
            .with("TERM", "xterm-256color")
            .with("LANG", "C.UTF-8")
            .with("SSL_CERT_FILE", UNUSED_CA)
    }

    /// With a service configured.
    fn of(base_url: &str) -> Self {
        Self::new()
            .with("MMD_ELEVATE_BASE_URL", base_url)
            .with("MMD_ELEVATE_TENANT_ID", TENANT)
            .with("MMD_ELEVATE_TOKEN", TOKEN)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.set.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The state folder, made now.
    fn state(&self) -> std::path::PathBuf {
        let state = self.root.path().join("canary-home/.local/state/mmd-elevate");
        fs::create_dir_all(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        state
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmd-elevate"));
        command.arg("doctor").args(arguments).env_clear().envs(self.set.clone()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        for secret in [TOKEN, "canary", TENANT, self.root.path().to_str().unwrap()] {
            assert!(!said.contains(secret), "{secret} is in: {said}");
        }
        (output.status.code().unwrap(), said)
    }

    /// What is found, and the same as people read it.
    fn examined(self) -> Found {
        let (code, json) = self.run(&["--json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        holds_to_the_schema(&report);
        assert_eq!(code == 0, report["ok"] == true, "{json}");
        assert!(code < 2);
        Found { report, patient: self }
    }

    async fn examined_beside_a_server(self) -> Found {
        tokio::task::spawn_blocking(|| self.examined()).await.unwrap()
    }
}

struct Found {
    report: Value,
    patient: Patient,
}

impl Found {
    /// Verdict, what was found, and the hint.
    fn check(&self, id: &str) -> (&str, &str, &str) {
        let checks = self.report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
        let text = |name: &str| check[name].as_str().unwrap_or_default();
        (text("verdict"), text("what"), text("hint"))
    }

    #[track_caller]
    fn says(&self, id: &str, verdict: &str, what: &str, hint: &str) {
        let found = self.check(id);
        assert!(found.0 == verdict && found.1.contains(what) && found.2.contains(hint), "{id}: {found:?}");
    }
}

#[track_caller]
fn holds_to_the_schema(report: &Value) {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(report), ["checks", "ok", "practice", "subject", "version"]);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["practice"].is_boolean() && (report["subject"].is_string() || report["subject"].is_null()));
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.iter().map(|check| check["id"].as_str().unwrap()).collect::<Vec<_>>(), IDS);
    let mut failed = false;
    for check in checks {
        assert_eq!(names(check), ["hint", "id", "verdict", "what"]);
        assert!(!check["what"].as_str().unwrap().is_empty(), "{check}");
        let has_hint = check["hint"].as_str().is_some_and(|hint| !hint.is_empty());
        match check["verdict"].as_str().unwrap() {
            "ok" | "not-tried" => assert!(check["hint"].is_null(), "{check}"),
            "warning" => assert!(has_hint, "{check}"),
            "failed" => {
                failed = true;
                assert!(has_hint, "{check}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(report["ok"], !failed);
}

#[test]
fn with_nothing_configured_the_practice_tenant_is_examined_and_nothing_is_made() {
    let found = Patient::new().examined();
    assert_eq!((&found.report["practice"], &found.report["ok"]), (&Value::Bool(true), &Value::Bool(true)));
    found.says("configuration", "ok", "there is no settings file", "");
    found.says("state-folder", "ok", "~/.local/state/mmd-elevate is not there yet", "");
    found.says("tls", "not-tried", "plain http, which stays on this machine", "");
    found.says("list", "ok", "lists requests", "");
    found.says("terminal-clipboard", "not-tried", "OSC 52", "");
    assert_eq!(fs::read_dir(found.patient.root.path().join("canary-home")).unwrap().count(), 0);
    let (code, text) = found.patient.run(&[]);
    assert!(
        code == 0 && text.contains("doctor: the practice tenant\n") && text.ends_with("\nNothing failed.\n"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80) && !text.contains('\x1b'), "{text}");
}

#[tokio::test]
async fn a_service_that_works_is_asked_for_one_request_and_no_more() {
    let server = Server::start(Play::Answer(http("200 OK", r#"{"value": [{"id": "canary-id"}]}"#))).await;
    let found = Patient::of(&format!("http://{}/v1", server.address)).examined_beside_a_server().await;
    assert_eq!(found.report["ok"], true, "{}", found.report);
    assert_eq!(found.report["subject"], format!("tenant 7f3c…6677 at http://{}/v1", server.address));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].line(), format!("GET /v1/tenants/{TENANT}/elevationRequests?$top=1 HTTP/1.1"));
    assert_eq!(requests[0].header("authorization"), [format!("Bearer {TOKEN}")]);
}

#[rstest]
#[case::no_token("401 Unauthorized", "", "does not accept the token", "MMD_ELEVATE_TOKEN")]
#[case::no_role("403 Forbidden", "", "does not allow this", "MmdSupport.ReadWrite")]
#[case::declined("403 Forbidden", r#"{"error": {"message": "canary of canary-user"}}"#, "does not allow", "role")]
#[case::not_there("404 Not Found", "", "HTTP 404", "base URL")]
#[case::failing("500 Internal Server Error", "canary", "HTTP 500", "later")]
#[case::elsewhere("302 Found\nLocation: https://canary.example", "", "HTTP 302", "base URL")]
#[case::a_page("200 OK", "<html>canary", "cannot be used", "later")]
#[tokio::test]
async fn a_list_that_fails_is_told_with_its_hint_and_without_the_services_words(
    #[case] head: &str,
    #[case] body: &str,
    #[case] what: &str,
    #[case] hint: &str,
) {
    let server = Server::start(Play::Answer(http(head, body))).await;
    let found = Patient::of(&format!("http://{}/v1", server.address)).examined_beside_a_server().await;
    found.says("list", "failed", what, hint);
    let hints = found.check("list").2;
    assert!(!hints.contains("send it"), "nothing was sent that could be sent again: {hints}");
}

#[rstest]
#[case::plain_http(&[("MMD_ELEVATE_BASE_URL", "http://example.com")], "configuration", "plain http", "https")]
#[case::no_service(&[("MMD_ELEVATE_TOKEN", "")], "configuration", "token is missing", "MMD_ELEVATE_TOKEN")]
#[case::no_ca_file(&[("MMD_ELEVATE_CA_FILE", "/no/such.pem")], "configuration", "/no/such.pem", "correct the path")]
#[case::no_settings(&[("MMD_ELEVATE_CONFIG", "/no/such.toml")], "configuration", "/no/such.toml", "leave")]
#[case::state_is_a_file(&[("MMD_ELEVATE_STATE_DIR", "/dev/null")], "state-folder", "/dev/null", "--state-dir")]
#[case::state_below_a_file(&[("MMD_ELEVATE_STATE_DIR", "/dev/null/x")], "state-folder", "/dev/null/x", "--state-dir")]
#[case::no_name(&[("MMD_ELEVATE_BASE_URL", "https://no-such-host.invalid")], "name-resolution", "no address", "VPN")]
#[case::refused(&[], "tls", "refused the connection", "check the network")]
fn what_fails_is_told_with_its_hint(
    #[case] set: &[(&str, &str)],
    #[case] id: &str,
    #[case] what: &str,
    #[case] hint: &str,
) {
    // Nobody listens on port 1.
    let patient =
        set.iter().fold(Patient::of("https://127.0.0.1:1"), |patient, (name, value)| patient.with(name, value));
    let found = patient.examined();
    found.says(id, "failed", what, hint);
    let after = IDS.iter().skip_while(|it| **it != id).skip(1).filter(|it| ["tls", "list"].contains(it));
    for id in after.filter(|_| !id.starts_with("state")) {
        assert_eq!(found.check(id).0, "not-tried", "{id} needs what failed: {}", found.report);
    }
    let (code, text) = found.patient.run(&[]);
    assert!(code == 1 && text.contains(" failed.\n") && text.contains("hint: "), "{text}");
}

#[rstest]
#[case::utf8(&[("LANG", "C.UTF-8")], "ok", "UTF-8, according to LANG")]
#[case::console(&[("TERM", "linux")], "ok", "borders and signs are ASCII on this terminal")]
#[case::another_encoding(&[("LC_ALL", "C")], "warning", "LC_ALL names no UTF-8 locale, so borders and signs are ASCII")]
#[case::no_locale(&[("LANG", "")], "warning", "no locale is set, so borders and signs are ASCII")]
fn the_locale_and_the_terminal_decide_on_signs(
    #[case] set: &[(&str, &str)],
    #[case] verdict: &str,
    #[case] what: &str,
) {
    let patient = set.iter().fold(Patient::new(), |patient, (name, value)| patient.with(name, value));
    let hint = if verdict == "ok" { "" } else { "set LANG to a UTF-8 locale" };
    patient.examined().says("terminal-text", verdict, what, hint);
}

#[test]
fn the_state_folder_and_its_files_are_looked_at_and_left_as_they_are() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let patient = Patient::new();
    let state = patient.state();
    fs::write(state.join("record.db"), "").unwrap();
    fs::set_permissions(state.join("record.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let found = patient.examined();
    found.says("state-folder", "ok", "~/.local/state/mmd-elevate can be written", "");
    found.says("permissions", "warning", "~/.local/state/mmd-elevate/record.db", "chmod");
    assert_eq!((mode(&state.join("record.db")), &found.report["ok"]), (0o644, &Value::Bool(true)));

    fs::create_dir(state.join("owners")).unwrap();
    fs::set_permissions(state.join("owners"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("/etc/passwd", state.join("owners/x.lock")).unwrap();
    let found = found.patient.examined();
    found.says("permissions", "failed", "owners/x.lock is a link", "move it away");

    fs::remove_dir_all(&state).unwrap();
    symlink("nowhere", &state).unwrap();
    let found = found.patient.examined();
    found.says("state-folder", "failed", "a link that leads nowhere", "--state-dir");
}

#[tokio::test]
async fn tls_is_examined_without_the_token_and_with_the_ca_file() {
    let authority = Authority::new();
    let answer = http("200 OK", r#"{"value": []}"#);
    let server = TlsServer::start(authority.sign(&params("localhost", VALID)), answer.clone()).await;
    let url = format!("https://localhost:{}/v1", server.address.port());
    let found = Patient::of(&url).examined_beside_a_server().await;
    found.says("tls", "failed", "its issuer is not known here", "ca_file");
    found.says("list", "not-tried", "TLS failed", "");
    assert_eq!(server.served(), 0);

    let patient = found.patient;
    let file = patient.root.path().join("ca.pem");
    fs::write(&file, &authority.pem).unwrap();
    let found = patient.with("MMD_ELEVATE_CA_FILE", file.to_str().unwrap()).examined_beside_a_server().await;
    found.says("name-resolution", "ok", "localhost has", "");
    found.says("tls", "ok", "with the CA file", "");
    found.says("list", "ok", "", "");

    let server = TlsServer::start(self_signed(&params("127.0.0.1", (2020, 2021))), answer).await;
    let found = Patient::of(&format!("https://{}", server.address)).examined_beside_a_server().await;
    found.says("tls", "failed", "expired on 2021-01-01", "clock");
}

/// A proxy that answers every CONNECT like this, or leads to the port that it is asked for, on this machine, and keeps
/// its lines.
async fn proxy(answer: &'static str) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://canary-name:canary-password@{}", listener.local_addr().unwrap());
    let lines: std::sync::Arc<std::sync::Mutex<Vec<String>>> = std::sync::Arc::default();
    let kept = std::sync::Arc::clone(&lines);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let kept = std::sync::Arc::clone(&kept);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let head = String::from_utf8(head).unwrap();
                let line = head.lines().next().unwrap().to_owned();
                kept.lock().unwrap().push(line.clone());
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
                if answer.starts_with("HTTP/1.1 200 ") {
                    let (_, port) = line.split(' ').nth(1).unwrap().rsplit_once(':').unwrap();
                    let mut there = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut there).await;
                }
            });
        }
    });
    (url, lines)
}

#[tokio::test]
async fn https_goes_by_the_proxy_unless_the_host_is_excepted() {
    let authority = Authority::new();
    let answer = http("200 OK", r#"{"value": []}"#);
    let server = TlsServer::start(authority.sign(&params("service.example", VALID)), answer).await;
    let host = format!("service.example:{}", server.address.port());
    let (proxy, lines) = proxy("HTTP/1.1 200 Go\r\n\r\n").await;
    let patient = Patient::of(&format!("https://{host}/v1")).with("HTTPS_PROXY", &proxy);
    let file = patient.root.path().join("ca.pem");
    fs::write(&file, &authority.pem).unwrap();
    let found = patient.with("MMD_ELEVATE_CA_FILE", file.to_str().unwrap()).examined_beside_a_server().await;
    found.says("proxy", "ok", "is used and accepts connections", "");
    found.says("name-resolution", "not-tried", "the proxy looks the name up", "");
    found.says("list", "ok", "", "");
    let connect = format!("CONNECT {host} HTTP/1.1");
    assert_eq!(*lines.lock().unwrap(), [connect.clone(), connect], "for TLS and for the list, each once");
    lines.lock().unwrap().clear();
    let found = found.patient.with("NO_PROXY", "service.example").examined_beside_a_server().await;
    found.says("proxy", "ok", "none is configured for this host", "");
    found.says("name-resolution", "failed", "no address is known", "");
    assert!(lines.lock().unwrap().is_empty());
}

#[rstest]
#[case("localhost")]
#[case("127.0.0.1")]
#[case("127.1")]
#[tokio::test]
async fn https_on_this_machine_goes_past_every_proxy(#[case] host: &str) {
    let authority = Authority::new();
    let name = if host == "127.1" { "127.0.0.1" } else { host };
    let server = TlsServer::start(authority.sign(&params(name, VALID)), http("200 OK", r#"{"value": []}"#)).await;
    let (proxy, lines) = proxy("HTTP/1.1 200 Go\r\n\r\n").await;
    let patient = Patient::of(&format!("https://{host}:{}/v1", server.address.port()));
    let patient = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
        .into_iter()
        .fold(patient, |patient, name| patient.with(name, &proxy));
    let file = patient.root.path().join("ca.pem");
    fs::write(&file, &authority.pem).unwrap();
    let found = patient.with("MMD_ELEVATE_CA_FILE", file.to_str().unwrap()).examined_beside_a_server().await;
    found.says("proxy", "ok", "none: connections to this machine", "");
    found.says("list", "ok", "", "");
    assert!(lines.lock().unwrap().is_empty(), "{lines:?}");
}

#[tokio::test]
async fn a_sign_in_on_this_machine_goes_past_every_proxy() {
    let authority = Authority::new();
    let token = r#"{"token_type": "Bearer", "expires_in": 3599, "access_token": "doctor-canary-token"}"#;
    let server = TlsServer::start(authority.sign(&params("localhost", VALID)), http("200 OK", token)).await;
    let (proxy, lines) = proxy("HTTP/1.1 200 Go\r\n\r\n").await;
    let patient = Patient::new().with("HTTPS_PROXY", &proxy).with("APP_SECRET", "doctor-canary-secret");
    let (file, config) =
        (patient.root.path().join("canary-home/ca.pem"), patient.root.path().join("canary-home/c.toml"));
    fs::write(&file, &authority.pem).unwrap();
    let port = server.address.port();
    let text = format!(
        "ca_file = \"ca.pem\"\nbase_url = \"https://localhost:{port}/v1\"\n[[tenants]]\nname = \"A\"\nid = \"{TENANT}\"\n\
         [tenants.sign_in]\nmethod = \"client-secret\"\nclient_id = \"00000000-0000-4000-8000-00000000c1d0\"\n\
         secret_env = \"APP_SECRET\"\nauthority = \"https://localhost:{port}/tenant\"\n"
    );
    fs::write(&config, text).unwrap();
    let found = patient.with("MMD_ELEVATE_CONFIG", config.to_str().unwrap()).examined_beside_a_server().await;
    found.says("token", "ok", "there is one", "");
    assert!(lines.lock().unwrap().is_empty(), "{lines:?}");
}

#[test]
fn doubtful_settings_are_a_warning_and_several_mistakes_are_told_at_once() {
    let patient = Patient::new();
    let config = patient.root.path().join("canary-home/c.toml");
    fs::write(&config, "[record]\nkeep_days = 0\n").unwrap();
    let found = patient.with("MMD_ELEVATE_CONFIG", config.to_str().unwrap()).examined();
    found.says("configuration", "warning", "line 2, column 13: `keep_days = 0`", "give the number of days");
    assert_eq!(found.report["ok"], true);
    fs::write(&config, "colour = 1\n[record]\nkeep_days = -1\n").unwrap();
    let found = found.patient.examined();
    found.says("configuration", "failed", "line 1, column 1: unknown setting `colour`", "correct each of these");
    found.says("configuration", "failed", "line 3, column 13: `-1` is out of range", "");
    fs::write(&config, "[record]\nkeep_days = 0\n[keys]\n\"list.sort\" = [\"q\"]\n").unwrap();
    let found = found.patient.examined();
    found.says("configuration", "warning", "line 2, column 13: `keep_days = 0`", "check each of these");
    found.says("configuration", "warning", "line 4, column 1: q is bound", "");
}

/// A secret where the name of its place belongs, with a program or file that is not there.
#[rstest]
#[case::variable("secret_env = \"doctorCanary8Q7\"")]
#[case::no_variable("secret_env = \"canary~8Q7.x\"")]
#[case::file("secret_file = \"canary-8Q7~x\"")]
#[case::file_like_a_path("secret_file = \"canary/8Q7+x\"")]
#[case::command("secret_command = [\"canary-secret\"]")]
#[case::command_with_arguments("secret_command = [\"canary8Q7~x\", \"canary\"]")]
#[case::trace("secret_command = [\"sh\", \"-c\", \"echo canary >&2; exit 3\"]")]
fn a_secret_in_the_place_of_its_place_is_shown_nowhere(#[case] place: &str) {
    let patient = Patient::new();
    let config = patient.root.path().join("canary-home/c.toml");
    let text = format!(
        "base_url = \"https://127.0.0.1:1/v1\"\n[[tenants]]\nname = \"A\"\nid = \"{TENANT}\"\n[tenants.sign_in]\n\
         method = \"client-secret\"\nclient_id = \"00000000-0000-4000-8000-00000000c1d0\"\n{place}\n"
    );
    fs::write(&config, text).unwrap();
    // That nothing of it is shown is held for every run of the doctor.
    let found = patient.with("MMD_ELEVATE_CONFIG", config.to_str().unwrap()).examined();
    let (configuration, token) = (found.check("configuration"), found.check("token"));
    assert!(configuration.0 == "failed" || token.0 == "failed", "{configuration:?} {token:?}");
    if place.contains("exit 3") {
        assert!(token.1.contains("the command for the client secret (sh) failed with exit code 3"), "{token:?}");
    }
    let (_, text) = found.patient.run(&[]);
    assert!(text.contains("hint: "), "{text}");
}

#[rstest]
#[case::asks(
    "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
    "the proxy on the way to example.com asks",
    "HTTPS_PROXY"
)]
#[case::declines("HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy declined to connect to example.com", "NO_PROXY")]
#[tokio::test]
async fn a_refusal_of_the_proxy_is_told_as_the_proxys(
    #[case] answer: &'static str,
    #[case] what: &str,
    #[case] hint: &str,
) {
    let (proxy, lines) = proxy(answer).await;
    let found = Patient::of("https://example.com").with("ALL_PROXY", &proxy).examined_beside_a_server().await;
    found.says("tls", "failed", what, hint);
    assert_eq!(*lines.lock().unwrap(), ["CONNECT example.com:443 HTTP/1.1"]);
}

#[tokio::test]
async fn plain_http_on_this_machine_goes_past_every_proxy() {
    let (proxy, lines) = proxy("HTTP/1.1 200 Go\r\n\r\n").await;
    let patient = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"]
        .into_iter()
        .fold(Patient::new(), |patient, name| patient.with(name, &proxy));
    let found = patient.examined_beside_a_server().await;
    found.says("list", "ok", "", "");
    found.says("proxy", "ok", "none: connections to this machine", "");
    assert!(lines.lock().unwrap().is_empty());
}

#[test]
fn a_proxy_that_is_not_there_is_told() {
    let found = Patient::of("https://example.com").with("HTTPS_PROXY", "http://127.0.0.1:1").examined();
    found.says("proxy", "failed", "127.0.0.1:1 accepts no connection", "HTTPS_PROXY");
    found.says("tls", "not-tried", "proxy failed", "");
}

#[tokio::test]
async fn a_service_that_never_answers_does_not_hold_it_up() {
    let server = Server::start(Play::Hang(Vec::new())).await;
    let started = Instant::now();
    let found = within(Patient::of(&format!("https://{}", server.address)).examined_beside_a_server()).await;
    found.says("tls", "failed", "took no connection within 4 s", "check the network");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}
