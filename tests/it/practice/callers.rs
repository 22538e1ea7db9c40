//! Who is served: by which name the tenant is called, from which page, how fast, and how many at once.

use std::time::Duration;

use mmd_elevate_practice::{Endpoint, Misdeed, Rule, Settings};
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Served, serve};
use crate::support::within;

impl Served {
    /// The status of a call with these headers, in which `PORT` stands for the tenant's.
    async fn status(&self, path: &str, headers: &str) -> u16 {
        let port = self.address.rsplit(':').next().unwrap();
        let headers = (headers.to_owned() + &self.known()).replace("PORT", port);
        self.send("GET", &path.replace("PORT", port), &headers, "").await.status
    }

    async fn idle(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }
}

/// Waits until the other side has ended the connection.
async fn ended(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    // A reset is an end too.
    drop(within(stream.read_to_end(&mut heard)).await);
    String::from_utf8(heard).unwrap()
}

#[rstest]
#[case::address("host: 127.0.0.1:PORT\r\n", 200)]
#[case::name("host: localhost:PORT\r\n", 200)]
#[case::capitals("host: LocalHost:PORT\r\n", 200)]
#[case::another_loopback("host: 127.0.0.2:PORT\r\n", 200)]
#[case::version_6("host: [::1]:PORT\r\n", 200)]
#[case::rebound("host: evil.example:PORT\r\n", 421)]
#[case::rebound_to_look_alike("host: 127.0.0.1.evil.example:PORT\r\n", 421)]
#[case::below_localhost("host: evil.localhost:PORT\r\n", 421)]
#[case::by_a_forwarder("host: 127.0.0.1:1\r\n", 200)]
#[case::port_80("host: localhost\r\n", 200)]
#[case::everywhere("host: 0.0.0.0:PORT\r\n", 421)]
#[case::another_machine("host: 192.0.2.1:PORT\r\n", 421)]
#[case::user("host: me@localhost:PORT\r\n", 421)]
#[case::nothing("host: \r\n", 421)]
#[case::two("host: localhost:PORT\r\nhost: evil.example\r\n", 421)]
#[case::none("not-a-host: x\r\n", 421)]
#[case::our_page("host: localhost:PORT\r\norigin: http://localhost:PORT\r\n", 200)]
#[case::our_page_by_address("host: localhost:PORT\r\norigin: http://127.0.0.1:PORT\r\n", 200)]
#[case::page_from_elsewhere("host: localhost:PORT\r\norigin: https://evil.example\r\n", 403)]
#[case::page_by_a_forwarder("host: localhost:1\r\norigin: http://localhost:1\r\n", 200)]
#[case::page_of_another_server("host: localhost:PORT\r\norigin: http://localhost:1\r\n", 403)]
#[case::page_from_nowhere("host: localhost:PORT\r\norigin: null\r\n", 403)]
#[case::page_of_another_scheme("host: localhost:PORT\r\norigin: https://localhost:PORT\r\n", 403)]
#[tokio::test]
async fn only_loopback_names_are_served_and_only_to_their_own_pages(#[case] headers: &str, #[case] status: u16) {
    let served = serve(Settings::default()).await;
    assert_eq!(served.status(&served.path("devices"), headers).await, status);
    let whole = |host: &str| format!("http://{host}{}", served.path("devices"));
    if headers == "host: localhost:PORT\r\n" {
        assert_eq!(served.status(&whole("localhost:PORT"), headers).await, 200);
        assert_eq!(served.status(&whole("evil.example"), headers).await, 421, "in the path");
    }
}

#[tokio::test]
async fn another_name_is_not_told_whether_the_token_is_right_and_cannot_sign_in() {
    let served = serve(Settings::default()).await;
    let elsewhere = "host: evil.example\r\n";
    assert_eq!(served.send("GET", &served.path("devices"), elsewhere, "").await.status, 421);
    let token = format!("/{}/oauth2/v2.0/token", served.tenant_id);
    assert_eq!(served.send("POST", &token, elsewhere, "grant_type=client_credentials").await.status, 421);
}

#[tokio::test]
async fn idle_connections_do_not_stop_it() {
    let served = serve(Settings::default()).await;
    let mut idle = Vec::new();
    for n in 0..1500 {
        let mut stream = served.idle().await;
        if n % 3 == 0 {
            // Part of a head is no call.
            stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(within(served.call("GET", "devices", "")).await.status, 200);
    assert_eq!(ended(&mut idle[0]).await, "", "the oldest made room");
}

#[tokio::test]
async fn a_connection_that_is_answering_is_let_finish() {
    let slow = Rule::new(Endpoint::Devices, Misdeed::Delay(Duration::from_millis(700))).times(1);
    let settings = Settings { max_connections: 4, rules: [slow].into(), ..Settings::default() };
    let served = serve(settings).await;
    let crowd = async {
        while served.observer.received(Endpoint::Devices) == 0 {
            tokio::task::yield_now().await;
        }
        let mut crowd = Vec::new();
        for _ in 0..12 {
            crowd.push(served.idle().await);
        }
        assert_eq!(served.call("GET", "elevationRequests", "").await.status, 200, "others are served meanwhile");
    };
    let (slow, ()) = within(async { tokio::join!(served.call("GET", "devices", ""), crowd) }).await;
    assert_eq!(slow.status, 200);
}

#[rstest]
#[case::nothing("", "")]
#[case::part_of_a_head("GET / HTTP/1.1\r\nhost: ", "")]
#[case::idle_after_a_call("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 421")]
#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection(#[case] sent: &str, #[case] heard: &str) {
    let served = serve(Settings { request_timeout: Duration::from_millis(50), ..Settings::default() }).await;
    let mut stream = served.idle().await;
    stream.write_all(sent.as_bytes()).await.unwrap();
    let answer = ended(&mut stream).await;
    assert!(answer.starts_with(heard) && answer.is_empty() == heard.is_empty(), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let served = serve(Settings { request_timeout: Duration::from_millis(50), ..Settings::default() }).await;
    let mut stream = served.idle().await;
    let (path, known, host) = (served.path("elevationRequests"), served.known(), &served.address);
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{known}content-length: 100\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = ended(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(served.observer.creates_received(), 0);
}
