//! Each misdeed: what the caller sees on its socket, and what the tenant holds after it.

use std::{io, time::Duration};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use mmd_elevate_practice::{Endpoint, Misdeed, RetryAfter, Rule, Rules, Settings, StoredRequest};
use rstest::rstest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{Heard, Served, sample, serve};

const BRIEF: Duration = Duration::from_millis(200);
/// Long enough that a busy machine makes a call or two in it.
const A_WHILE: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(600);

pub(super) async fn misbehaving(rules: impl IntoIterator<Item = Rule>) -> Served {
    serve(Settings { rules: Rules::from(rules), ..Settings::default() }).await
}

async fn creating(misdeed: Misdeed) -> Served {
    misbehaving([Rule::new(Endpoint::Create, misdeed).times(1)]).await
}

impl Served {
    async fn try_create(&self) -> io::Result<String> {
        self.try_call("POST", "elevationRequests", &sample().to_string()).await
    }

    /// What creates of the sample have left.
    pub(super) fn made(&self) -> Vec<StoredRequest> {
        let held = self.observer.requests().unwrap();
        held.into_iter().filter(|held| held.ticket == "Support Ticket Id").collect()
    }

    async fn listed(&self) -> usize {
        self.list(&[("$filter", "partnerTicketId eq 'Support Ticket Id'")]).await.len()
    }
}

async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), wait).await.unwrap();
}

fn time_of(text: &str) -> Timestamp {
    DateTimeParser::new().parse_timestamp(text).unwrap()
}

pub(super) fn header<'a>(heard: &'a Heard, name: &str) -> &'a str {
    heard.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap()
}

#[tokio::test]
async fn a_refused_connection_is_reset_and_the_next_is_not() {
    let served = misbehaving([Rule::new(Endpoint::Any, Misdeed::Refuse).times(1)]).await;
    let refused = served.try_create().await.unwrap_err();
    assert!(matches!(refused.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{refused}");
    assert_eq!((served.observer.creates_received(), served.made().len()), (0, 0));
    assert!(served.try_create().await.unwrap().starts_with("HTTP/1.1 201"));
}

#[rstest]
#[case::drop_before(Misdeed::DropBefore, 0)]
#[case::drop_after(Misdeed::DropAfter, 1)]
#[case::hang(Misdeed::Hang(BRIEF), 0)]
#[case::hang_after(Misdeed::HangAfter(BRIEF), 1)]
#[tokio::test]
async fn a_dropped_call_ends_without_a_byte(#[case] misdeed: Misdeed, #[case] held: usize) {
    let served = creating(misdeed).await;
    let start = Instant::now();
    assert_eq!(served.try_create().await.unwrap(), "");
    let hangs = matches!(misdeed, Misdeed::Hang(_) | Misdeed::HangAfter(_));
    assert!(!hangs || start.elapsed() >= BRIEF);
    assert_eq!((served.observer.creates_received(), served.made().len()), (1, held));
    assert!(served.try_create().await.unwrap().starts_with("HTTP/1.1 201"), "once");
    assert_eq!(served.made().len(), held + 1);
}

#[tokio::test]
async fn a_cut_answer_ends_in_its_middle() {
    let served = creating(Misdeed::Cut).await;
    let answer = served.try_create().await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    assert!(!body.is_empty() && body.len() < length.unwrap(), "{answer}");
    assert_eq!(served.made().len(), 1);
    // A close has no body: its head is cut.
    let close = format!("elevationRequests/{}", served.made()[0].id);
    served.observer.set_rules([Rule::new(Endpoint::Close, Misdeed::Cut)]);
    let answer = served.try_call("PATCH", &close, r#"{"ActionsTaken": "x"}"#).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204") && !answer.contains("\r\n\r\n"), "{answer}");
    assert!(!served.made()[0].open);
}

#[rstest]
#[case::wrong_json(Misdeed::WrongJson, 201, "application/json", 1)]
#[case::throttle(Misdeed::Throttle(RetryAfter::Seconds(7)), 429, "application/json", 0)]
#[case::fail(Misdeed::Fail, 500, "application/json", 0)]
#[case::fail_after(Misdeed::FailAfter, 500, "application/json", 1)]
#[case::unavailable(Misdeed::Unavailable(None), 503, "text/html", 0)]
#[case::throttle_after(Misdeed::ThrottleAfter(RetryAfter::Seconds(7)), 429, "application/json", 1)]
#[case::error_200(Misdeed::Error200, 200, "application/json", 0)]
#[case::no_route(Misdeed::NoRoute, 404, "application/json", 0)]
#[case::html(Misdeed::Html, 200, "text/html", 0)]
#[tokio::test]
async fn a_wrong_answer_is_whole(
    #[case] misdeed: Misdeed,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] held: usize,
) {
    let served = creating(misdeed).await;
    let heard = served.create("DeviceName", "Elevation request title").await;
    assert_eq!((heard.status, served.made().len()), (status, held));
    assert!(header(&heard, "content-type").starts_with(kind), "{}", heard.head);
    assert_eq!(header(&heard, "content-length"), heard.body.len().to_string());
    let is_json = serde_json::from_str::<serde_json::Value>(&heard.body).is_ok();
    assert_eq!(is_json, kind == "application/json" && misdeed != Misdeed::WrongJson, "{}", heard.body);
    assert_eq!(served.create("DeviceName", "Elevation request title").await.status, 201);
}

#[tokio::test]
async fn when_to_come_again_is_said_in_seconds_or_as_a_date() {
    let rules = [
        Misdeed::Throttle(RetryAfter::Seconds(7)),
        Misdeed::Throttle(RetryAfter::Date(90)),
        Misdeed::Unavailable(Some(RetryAfter::Seconds(9))),
        Misdeed::ThrottleAfter(RetryAfter::Seconds(11)),
    ];
    let served = misbehaving(rules.map(|misdeed| Rule::new(Endpoint::Any, misdeed).times(1))).await;
    let list = || served.call("GET", "elevationRequests", "");
    assert_eq!(header(&list().await, "retry-after"), "7");
    let heard = list().await;
    let date = time_of(header(&heard, "retry-after"));
    let ahead = date.duration_since(Timestamp::now()).as_secs();
    assert!((60..=91).contains(&ahead), "{ahead}");
    let heard = list().await;
    assert_eq!((heard.status, header(&heard, "retry-after")), (503, "9"));
    let heard = list().await;
    assert_eq!((heard.status, header(&heard, "retry-after")), (429, "11"));
    assert_eq!(list().await.status, 200);
}

#[tokio::test]
async fn a_delayed_call_is_done_though_its_caller_has_gone() {
    let served = creating(Misdeed::Delay(A_WHILE)).await;
    tokio::select! {
        heard = served.try_create() => panic!("{heard:?}"),
        () = until(|| served.observer.creates_received() == 1) => {}
    }
    assert!(served.made().is_empty());
    until(|| !served.made().is_empty()).await;
}

#[tokio::test]
async fn a_server_that_ends_does_nothing_more_for_calls_that_wait() {
    for misdeed in [Misdeed::Delay(LONG), Misdeed::Hang(LONG)] {
        let served = creating(misdeed).await;
        let ends = async {
            until(|| served.observer.creates_received() == 1).await;
            served.task.abort();
        };
        let (heard, ()) =
            timeout(Duration::from_secs(30), async { tokio::join!(served.try_create(), ends) }).await.unwrap();
        assert_eq!(heard.unwrap(), "");
        assert!(served.made().is_empty());
    }
}

#[tokio::test]
async fn what_is_late_is_held_before_it_is_listed() {
    let late = |on| Rule::new(on, Misdeed::Late(A_WHILE)).times(1);
    let served = misbehaving([late(Endpoint::Create), Rule::new(Endpoint::Create, Misdeed::DropAfter).times(1)]).await;
    assert_eq!(served.try_create().await.unwrap(), "", "late and lost go together");
    assert_eq!((served.made().len(), served.listed().await), (1, 0));
    let shows = async |wanted: fn(&serde_json::Value) -> bool| {
        let listed = async {
            loop {
                if served.list(&[("$top", "1")]).await.iter().any(wanted) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), listed).await.unwrap();
    };
    shows(|request| request["partnerTicketId"] == "Support Ticket Id").await;
    served.observer.set_rules([late(Endpoint::Close)]);
    let close = format!("elevationRequests/{}", served.made()[0].id);
    assert_eq!(served.call("PATCH", &close, r#"{"ActionsTaken": "x"}"#).await.status, 204);
    assert!(!served.made()[0].open && served.list(&[("$top", "1")]).await[0]["requestClosureTime"].is_null());
    shows(|request| request["actionsTaken"] == "x").await;
}

#[tokio::test]
async fn twice_opens_a_second_that_nobody_is_told_of() {
    let served = creating(Misdeed::Twice).await;
    let told = served.create("DeviceName", "Elevation request title").await.json();
    let made = served.made();
    assert_eq!((made.len(), served.listed().await, served.observer.creates_received()), (2, 2, 1));
    assert_ne!(made[0].id, made[1].id);
    assert!(made.iter().any(|held| told["id"] == held.id.as_str()) && made[0].plan_of_action == made[1].plan_of_action);
}

#[rstest]
#[case::in_both(Misdeed::Skew(-3600), -3600)]
#[case::behind_a_proxy(Misdeed::SkewTimes(-3600), 0)]
#[case::ahead_behind_a_proxy(Misdeed::SkewTimes(3600), 0)]
#[tokio::test]
async fn a_skewed_clock_shows_in_what_is_written_and_in_the_header(#[case] misdeed: Misdeed, #[case] date: i64) {
    let served = misbehaving([Rule::new(Endpoint::Any, misdeed)]).await;
    let heard = served.create("DeviceName", "skewed").await;
    let created: Timestamp = heard.json()["requestCreationTime"].as_str().unwrap().parse().unwrap();
    let (Misdeed::Skew(written) | Misdeed::SkewTimes(written)) = misdeed else { panic!("{misdeed:?}") };
    for (time, ahead) in [(created, written), (time_of(header(&heard, "date")), date)] {
        let off = time.duration_since(Timestamp::now()).as_secs() - ahead;
        assert!(off.abs() < 60, "{off}");
    }
}

#[tokio::test]
async fn a_closed_door_refuses_and_opens_again() {
    let served = creating(Misdeed::Closed(A_WHILE)).await;
    let mut made_before = TcpStream::connect(&served.address).await.unwrap();
    assert_eq!(served.try_create().await.unwrap(), "");
    let refused = served.try_create().await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "nothing listens");
    made_before.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let reset = made_before.read(&mut [0]).await.unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    let opens = async {
        while served.try_create().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), opens).await.unwrap();
    assert_eq!((served.observer.creates_received(), served.made().len()), (2, 1));

    served.observer.shut().await;
    assert_eq!(served.try_create().await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    served.observer.open().await;
    assert!(served.try_create().await.unwrap().starts_with("HTTP/1.1 201"));
}

#[tokio::test]
async fn rules_add_up_until_one_ends_the_call() {
    let rules = [
        Rule::new(Endpoint::Create, Misdeed::Twice).times(1),
        Rule::new(Endpoint::Create, Misdeed::FailAfter).times(1),
        Rule::new(Endpoint::Create, Misdeed::Fail).times(1),
    ];
    let served = misbehaving(rules).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push((served.create("DeviceName", "Elevation request title").await.status, served.made().len()));
    }
    assert_eq!(told, [(500, 2), (500, 2), (201, 3)]);
    let seen: Vec<_> = served.observer.counts().iter().map(|count| (count.seen, count.applied)).collect();
    assert_eq!(seen, [(3, 1), (3, 1), (2, 1)], "the last did not see the call that another had ended");
}
