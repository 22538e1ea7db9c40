//! The token goes to the service and nowhere else.

use std::{
    io::{self, ErrorKind},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use mmd_elevate_core::{Disposition, ErrorCode};
use mmd_elevate_engine::{
    http::BaseUrl,
    mmd::{Client, Timeouts},
};

use super::{CREATED, PATIENT, TOKEN, answer, client_at, client_of, create, new_request};
use crate::support::{
    server::{Play, Server},
    session, shown_in_a_process_of_its_own,
    tls::UNUSED_CA,
    within,
};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn plain_http_passes_by_the_proxy_and_needs_no_ca_certificates() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let set: Vec<_> = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
        .into_iter()
        .map(|name| (name, address.as_str()))
        .chain([("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")])
        .collect();
    if shown_in_a_process_of_its_own(
        "worker::secrets::plain_http_passes_by_the_proxy_and_needs_no_ca_certificates",
        &set,
    ) {
        assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        return;
    }
    assert!(create(answer("201 Created", CREATED)).await.is_ok());
}

#[tokio::test]
async fn https_says_why_there_is_no_connection_and_shows_a_stranger_nothing() {
    const NAME: &str = "worker::secrets::https_says_why_there_is_no_connection_and_shows_a_stranger_nothing";
    if shown_in_a_process_of_its_own(NAME, &[("SSL_CERT_FILE", UNUSED_CA)]) {
        return;
    }
    let fault = |base_url: String| async move {
        let fault = within(client_at(&base_url, PATIENT).create(&new_request("x"))).await.unwrap_err();
        assert_eq!(fault.code, Some(ErrorCode::NotConnected), "{fault:?}");
        let reason = fault.problem.what.strip_prefix("The service could not be reached: ").unwrap();
        reason.strip_suffix('.').unwrap().to_owned()
    };
    assert_eq!(fault("https://no-such-host.invalid/x".into()).await, "no address is known for no-such-host.invalid");
    let server = Server::start(Play::Slam).await;
    let reason = fault(format!("https://{}", server.address)).await;
    assert!(reason.starts_with(&format!("no connection to {}", server.address)), "{reason}");
    let server = Server::start(Play::Answer(Vec::new())).await;
    let client = client_at(&format!("https://{}", server.address), Timeouts { connect: SHORT, ..PATIENT });
    let fault = within(client.create(&new_request("x"))).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.disposition),
        (Some(ErrorCode::NotConnected), Disposition::Repeat(None)),
        "{fault:?}"
    );
    let hello = String::from_utf8_lossy(&server.bytes()).into_owned();
    assert!(!hello.is_empty() && !hello.contains("Bearer") && !hello.contains(TOKEN), "{hello}");
}

#[tokio::test]
async fn a_tenant_that_cannot_be_sent_is_refused() {
    let base = BaseUrl::parse("http://127.0.0.1").unwrap();
    for tenant_id in ["", " ", ".", "..", "a\nb"] {
        let error = Client::new(&base, tenant_id, session(TOKEN), PATIENT).unwrap_err();
        assert!(error.what.starts_with("the tenant id"), "{tenant_id:?}");
    }
    assert!(!format!("{:?}", client_at("http://127.0.0.1", PATIENT)).contains(TOKEN));
}

#[tokio::test]
async fn a_service_that_repeats_the_token_is_not_repeated() {
    for (head, body) in [
        ("403 Forbidden", format!(r#"{{"error": {{"message": "bad token {TOKEN}"}}}}"#)),
        ("201 Created", format!(r#"{{"id": ["{TOKEN}"]}}"#)),
        ("201 Created", format!(r#"{{"{TOKEN}": 1}}"#)),
    ] {
        let head = format!("{head}\nrequest-id: {TOKEN}");
        let fault = create(answer(&head, body)).await.unwrap_err();
        let shown = format!("{fault:?} {}", fault.what());
        assert!(shown.contains("[token]") && !shown.contains(TOKEN), "{shown}");
    }
}

/// In every field of an answer that says success, and in each form that a service may repeat it in.
#[tokio::test]
async fn a_service_that_repeats_the_token_in_a_success_is_not_repeated() {
    let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, format!("Bearer {TOKEN}"));
    for echo in [TOKEN.to_owned(), format!("x {TOKEN}!"), base64, TOKEN[..24].to_owned()] {
        let fields = ["partnerTicketId", "deviceName", "title", "category", "subcategory", "planOfAction"];
        let more = ["requestingAgentUpn", "requestCreationTime", "viewerUpns"];
        let members: Vec<_> = fields.iter().chain(&more[..2]).map(|key| format!(r#""{key}": "{echo}""#)).collect();
        let body = format!(r#"{{"id": "3f2b", {}, "viewerUpns": ["{echo}"]}}"#, members.join(", "));
        let server = Server::start(answer(&format!("201 Created\nx-ms-request-id: {echo}"), body)).await;
        let told = within(client_of(&server, PATIENT).create(&new_request("x"))).await.unwrap();
        let shown = format!("{:?} {:?}", told.request, told.ids);
        assert!(shown.matches("[token]").count() >= 9, "{echo}: {shown}");
        assert!(!shown.contains(&TOKEN[..20]) && !shown.contains("QmVhcmVyIGNhbmFye"), "{shown}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_ids_and_no_texts() {
    // A log is the whole process's: in this one, tests without a log would switch its call sites off.
    if shown_in_a_process_of_its_own("worker::secrets::the_log_tells_ids_and_no_texts", &[]) {
        return;
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let server = Server::start(answer(
        &format!("201 Created\nrequest-id: told-by-it {TOKEN}"),
        r#"{"id": "3f2b", "title": "canary"}"#,
    ))
    .await;
    tracing::subscriber::set_global_default(subscriber).unwrap();
    within(client_of(&server, PATIENT).create(&new_request("canary"))).await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let client_id = server.requests()[0].header("client-request-id")[0].to_owned();
    assert!(log.contains(&client_id) && log.contains("told-by-it") && log.contains("status=201"), "{log}");
    assert!(!log.contains("canary") && log.contains("[token]"), "{log}");
}
