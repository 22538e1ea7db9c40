//! Networks that fail: what is proved by each way of failing.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener as StdListener,
    time::Duration,
};

use mmd_elevate_core::CallError;
use mmd_elevate_engine::mmd::Timeouts;
use rstest::rstest;
use tokio::net::{TcpSocket, TcpStream};

use super::{PATIENT, answer, client_at, client_of, close, create, new_request};
use crate::support::{
    gist,
    server::{Play, Server, http},
    within,
};

const SHORT: Duration = Duration::from_millis(300);

fn reason(fault: &CallError) -> &str {
    let what = &fault.problem.what;
    let reason = ["The service could not be reached: ", "The answer cannot be used: "]
        .into_iter()
        .find_map(|before| what.strip_prefix(before)?.strip_suffix('.'));
    reason.unwrap_or_else(|| panic!("{fault:?}"))
}

async fn create_at(base_url: &str, timeouts: Timeouts) -> CallError {
    within(client_at(base_url, timeouts).create(&new_request("x"))).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let free = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = create_at(&format!("http://{free}"), PATIENT).await;
    assert_eq!(reason(&fault), format!("{free} refused the connection"));
    assert!(!fault.may_have_happened());
}

#[rstest]
#[case("HTTP/1.1 100 Continue\r\n\r\n")]
#[case("HTTP/1.1 102 Processing\r\n\r\n")]
#[case("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")]
#[tokio::test]
async fn interim_answers_without_end_are_given_up_before_the_calls_time_is_over(#[case] interim: &str) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let flood = interim.repeat(1_000);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, flood) = (stream.unwrap(), flood.clone());
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 8_192]);
                while stream.write_all(flood.as_bytes()).is_ok() {}
            });
        }
    });
    // Not a time-out: that would be of another kind.
    let fault = create_at(&format!("http://{address}"), PATIENT).await;
    assert_eq!(reason(&fault), "the server keeps sending and does not begin to answer");
    assert!(fault.may_have_happened());
}

#[tokio::test]
async fn a_connection_that_is_never_taken_sent_nothing() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Fill the queue until the system takes no more.
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let fault = create_at(&format!("http://{address}"), Timeouts { connect: SHORT, ..PATIENT }).await;
    assert_eq!(reason(&fault), format!("{address} took no connection within 0.3 s"));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_unknown() {
    let half = http("201 Created", r#"{"id": "3f2b"}"#);
    let half = &half[..half.len() - 3];
    for play in
        [Play::Slam, Play::Answer(Vec::new()), Play::Answer(b"HTTP/1.1 201 Cr".into()), Play::Answer(half.into())]
    {
        let fault = create(play.clone()).await.unwrap_err();
        assert_eq!(gist(&fault), gist(&CallError::connection_broken()), "{play:?}");
        assert!(fault.may_have_happened());
        assert_eq!(gist(&close(play.clone()).await.unwrap_err()), gist(&CallError::connection_broken()), "{play:?}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_leaves_the_outcome_unknown() {
    let head = b"HTTP/1.1 201 Created\r\ncontent-length: 100000\r\nrequest-id: abc\r\n\r\n";
    for play in [Play::Hang(Vec::new()), Play::Hang(head.into()), Play::Drip(head.into())] {
        let server = Server::start(play.clone()).await;
        let client = client_of(&server, Timeouts { write: SHORT, ..PATIENT });
        let fault = within(client.create(&new_request("x"))).await.unwrap_err();
        assert_eq!(gist(&fault), gist(&CallError::timed_out()), "{play:?}");
        assert_eq!(fault.ids.service.is_some(), !matches!(&play, Play::Hang(head) if head.is_empty()), "{play:?}");
        assert_eq!(server.connections(), 1, "no call is repeated");
    }
}

#[tokio::test]
async fn what_is_not_http_is_no_answer() {
    for garbage in ["SSH-2.0-OpenSSH_9.9\r\n\r\n", "\u{0}\u{1}\u{2} what\r\n\r\n"] {
        let fault = create(Play::Answer(garbage.into())).await.unwrap_err();
        assert_eq!(reason(&fault), "it is not HTTP", "{garbage:?}");
    }
    let fault = create(answer("201 Created\ncontent-encoding: gzip", "not gzip at all")).await.unwrap_err();
    assert_eq!(reason(&fault), "its compression is damaged");
}

#[tokio::test]
async fn a_body_is_read_up_to_4_mib_as_it_unfolds() {
    let bomb = include_bytes!("../support/five_mib_of_blanks.json.gz");
    assert!(bomb.len() < 10_000);
    let endless = vec![b' '; 5 << 20];
    for play in [answer("201 Created\ncontent-encoding: gzip", bomb), answer("201 Created", &endless)] {
        let fault = create(play).await.unwrap_err();
        assert_eq!(reason(&fault), "it is longer than 4 MiB (HTTP 201)");
    }
    let fault = create(answer("400 Bad Request", &endless)).await.unwrap_err();
    assert_eq!(gist(&fault), gist(&CallError::not_accepted(400, None)));
    let mut fits = br#"{"id": "3f2b"}"#.to_vec();
    fits.resize(4 << 20, b' ');
    assert!(create(answer("201 Created", fits)).await.is_ok());
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let elsewhere = Server::start(answer("204 No Content", "")).await;
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let head = format!("{status} Moved\nlocation: http://{}/x", elsewhere.address);
        for fault in [create(answer(&head, "")).await.unwrap_err(), close(answer(&head, "")).await.unwrap_err()] {
            assert_eq!(gist(&fault), gist(&CallError::redirected(status)));
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_failing_write_is_sent_once() {
    for play in [Play::Answer(Vec::new()), answer("503 Service Unavailable\nretry-after: 0", ""), answer("429 ?", "")] {
        let server = Server::start(play).await;
        within(client_of(&server, PATIENT).create(&new_request("x"))).await.unwrap_err();
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}
