//! The practice tenant, called as any client would call it: bytes over loopback, nothing of the program's own client.

mod callers;
mod colleagues;
mod keeping;
mod lies;
mod lists;
mod misbehaviour;
mod reads;
mod rules;
mod token;
mod writes;

use std::{io, net::SocketAddr, time::Duration};

use mmd_elevate_practice::{Observer, Practice, PracticeError, Settings};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

struct Served {
    address: String,
    tenant_id: String,
    token: String,
    secret: String,
    observer: Observer,
    warning: Option<String>,
    task: JoinHandle<()>,
}

struct Heard {
    status: u16,
    head: String,
    body: String,
}

async fn serve(settings: Settings) -> Served {
    let practice = Practice::bind(LOOPBACK, settings).await.unwrap();
    let url = practice.base_url();
    let address = url.strip_prefix("http://").unwrap().strip_suffix("/support/odata/v1").unwrap().to_owned();
    let (tenant_id, token) = (mmd_elevate_practice::TENANT_ID.to_owned(), practice.token());
    let secret = practice.client_secret();
    let (observer, warning) = (practice.observer(), practice.warning().map(str::to_owned));
    Served { address, tenant_id, token, secret, observer, warning, task: tokio::spawn(practice.serve()) }
}

impl Served {
    async fn send(&self, method: &str, path: &str, authorization: &str, body: &str) -> Heard {
        let answer = self.exchange(method, path, authorization, body).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        assert!(head.contains("\r\nx-ms-request-id: ") && head.contains("\r\ndate: "), "{head}");
        Heard { status, head, body: body.to_owned() }
    }

    /// Sends a call and gives everything that comes until the connection ends, however that is.
    async fn exchange(&self, method: &str, path: &str, authorization: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(&self.address).await?;
        let length = body.len();
        // A call that is about its host says so itself.
        let host = if authorization.contains("host: ") { String::new() } else { format!("host: {}\r\n", self.address) };
        let start = format!("{method} {path} HTTP/1.1\r\n{host}connection: close\r\n{authorization}");
        let request = format!("{start}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    async fn call(&self, method: &str, rest: &str, body: &str) -> Heard {
        self.send(method, &self.path(rest), &self.known(), body).await
    }

    /// A call whose answer need not be a whole one.
    async fn try_call(&self, method: &str, rest: &str, body: &str) -> io::Result<String> {
        self.exchange(method, &self.path(rest), &self.known(), body).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/support/odata/v1/tenants/{}/{rest}", self.tenant_id)
    }

    fn known(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.token)
    }

    async fn create(&self, device: &str, title: &str) -> Heard {
        let mut body = sample();
        (body["DeviceName"], body["Title"]) = (json!(device), json!(title));
        self.call("POST", "elevationRequests", &body.to_string()).await
    }

    async fn list(&self, options: &[(&str, &str)]) -> Vec<Value> {
        let heard = self.call("GET", &format!("elevationRequests?{}", query(options)), "").await;
        assert_eq!(heard.status, 200, "{}", heard.body);
        heard.json()["value"].as_array().unwrap().clone()
    }
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    #[track_caller]
    fn refuses(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.json(), json!({ "error": { "code": status.to_string(), "message": words } }));
    }
}

/// The create document's request.
fn sample() -> Value {
    json!({
        "PartnerTicketId": "Support Ticket Id", "DeviceName": "DeviceName", "Title": "Elevation request title",
        "Category": "Office", "Subcategory": "Excel", "PlanOfAction": "Plan of action using elevation."
    })
}

fn query(options: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    options.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

#[rstest]
#[case::none("")]
#[case::another("authorization: Bearer another\r\n")]
#[case::basic("authorization: Basic dTpw\r\n")]
#[tokio::test]
async fn without_the_token_nothing_is_told(#[case] authorization: &str) {
    let served = serve(Settings::default()).await;
    for rest in ["/elevationRequests", "/devices", "/no-such-thing"] {
        let path = format!("/support/odata/v1/tenants/{}{rest}", served.tenant_id);
        let heard = served.send("GET", &path, authorization, "").await;
        assert_eq!((heard.status, heard.body.as_str()), (401, ""));
        assert!(heard.head.contains("\r\nwww-authenticate: bearer error=\"invalid_token\""), "{}", heard.head);
    }
}

#[tokio::test]
async fn another_tenant_path_or_method_is_not_served() {
    let served = serve(Settings::default()).await;
    let known = format!("authorization: Bearer {}\r\n", served.token);
    let other = "/support/odata/v1/tenants/00000000-0000-0000-0000-000000000000/devices";
    served.send("GET", other, &known, "").await.refuses(404, "This tenant does not exist.");
    assert_eq!(served.send("GET", "/", &known, "").await.status, 404);
    assert_eq!(served.call("DELETE", "elevationRequests", "").await.status, 405);
    assert_eq!(served.call("GET", "devices/%FF", "").await.status, 400);
    let long = format!(r#"{{"Title": "{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(served.call("POST", "elevationRequests", &long).await.status, 413);
}

#[tokio::test]
async fn settings_decide_what_is_assumed() {
    let settings = Settings {
        open_requests_per_device: 0,
        blank_fields_refused: false,
        test_ring_refusal: None,
        ..Settings::default()
    };
    let served = serve(settings).await;
    let words = "This device has too many open elevation requests.";
    served.create("MMD-00000000002", "").await.refuses(403, words);
    served.create("", "").await.refuses(404, "This device does not exist.");
}

#[tokio::test]
async fn the_address_is_loopback_and_free_again_afterwards() {
    for elsewhere in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"] {
        let refused = Practice::bind(elsewhere.parse().unwrap(), Settings::default()).await.err().unwrap();
        assert!(matches!(refused, PracticeError::NotLoopback { .. }), "{refused}");
        assert!(refused.to_string().contains("must be loopback"));
    }
    let (first, second) = (serve(Settings::default()).await, serve(Settings::default()).await);
    assert_eq!(first.tenant_id, second.tenant_id);
    assert_ne!(first.token, second.token);

    let address: SocketAddr = first.address.parse().unwrap();
    let taken = Practice::bind(address, Settings::default()).await.err().unwrap();
    assert!(matches!(taken, PracticeError::Unavailable { .. }), "{taken}");
    let mut idle = TcpStream::connect(address).await.unwrap();
    assert_eq!(first.call("GET", "devices", "").await.status, 200);
    first.task.abort();
    assert!(first.task.await.unwrap_err().is_cancelled());
    let end = tokio::time::timeout(Duration::from_secs(5), idle.read(&mut [0])).await.unwrap();
    assert_eq!(end.unwrap_or(0), 0, "a connection does not outlive the server");
    assert!(TcpStream::connect(address).await.is_err());
}
