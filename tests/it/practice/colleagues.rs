//! The colleagues of the agent: what they add to a tenant, and what they do in it while it is served.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use mmd_elevate_practice::{AGENT_UPN, Endpoint, Misdeed, Rule, Rules, Settings};
use rstest::rstest;
use serde_json::Value;
use tempfile::tempdir;

use super::{Served, query, sample, serve};
use crate::support::within;

/// Their addresses; the requests of the embedded data are by other people.
const COLLEAGUES: [&str; 6] = ["ana", "kofi", "tess", "noor", "jan", "mei"];
const OPEN: &str = "requestClosureTime eq null";
const CLOSED: &str = "requestClosureTime ne null";

/// Colleagues who do nothing during a test.
fn with_colleagues() -> Settings {
    busy(Duration::from_secs(60 * 60))
}

fn busy(interval: Duration) -> Settings {
    Settings { colleagues: true, colleague_interval: interval, ..Settings::default() }
}

fn kept(folder: &Path, settings: Settings) -> Settings {
    Settings { keep: Some(folder.to_owned()), ..settings }
}

fn text<'a>(request: &'a Value, key: &str) -> &'a str {
    request[key].as_str().unwrap()
}

fn is_by_colleague(request: &Value) -> bool {
    let name = text(request, "requestingAgentUpn").strip_suffix("@partner.example");
    name.is_some_and(|name| COLLEAGUES.contains(&name))
}

fn time(request: &Value, key: &str) -> Timestamp {
    text(request, key).parse().unwrap()
}

async fn theirs(served: &Served, filter: &str) -> Vec<Value> {
    let mut theirs = served.list(&[("$filter", filter)]).await;
    theirs.retain(is_by_colleague);
    theirs
}

async fn devices(served: &Served, text: &str) -> Vec<Value> {
    let heard = served.call("GET", &format!("devices?{}", query(&[("$searchText", text)])), "").await;
    heard.json()["value"].as_array().unwrap().clone()
}

/// The times at which colleagues opened or closed a request after `start`, in their order.
async fn acts_since(served: &Served, start: Timestamp) -> Vec<Timestamp> {
    let mut acts = Vec::new();
    for request in served.list(&[]).await.iter().filter(|request| is_by_colleague(request)) {
        acts.push(time(request, "requestCreationTime"));
        acts.extend(request["requestClosureTime"].as_str().map(|closed| closed.parse::<Timestamp>().unwrap()));
    }
    acts.retain(|at| *at > start);
    acts.sort_unstable();
    acts
}

async fn wait_for_acts(served: &Served, start: Timestamp, count: usize) -> Vec<Timestamp> {
    within(async {
        loop {
            let acts = acts_since(served, start).await;
            if acts.len() >= count {
                return acts;
            }
        }
    })
    .await
}

#[tokio::test]
async fn colleagues_are_there_only_with_the_setting() {
    assert!(!Settings::default().colleagues);
    let served = serve(Settings::default()).await;
    assert!(!served.list(&[]).await.iter().any(is_by_colleague));
    assert_eq!(devices(&served, "tara.singh").await, Vec::<Value>::new());
}

#[tokio::test]
async fn history_of_colleagues_is_believable_and_the_same_in_every_tenant() {
    let before = Timestamp::now();
    let (served, plain) = (serve(with_colleagues()).await, serve(Settings::default()).await);
    let (open, closed) = (theirs(&served, OPEN).await, theirs(&served, CLOSED).await);
    assert_eq!((open.len(), closed.len()), (9, 300));
    let all = served.list(&[]).await;
    assert_eq!(all.len(), 309 + plain.list(&[]).await.len(), "the other requests are still there");
    assert!(all.is_sorted_by(|a, b| text(a, "requestCreationTime") >= text(b, "requestCreationTime")));
    for key in ["id", "partnerTicketId"] {
        assert_eq!(all.iter().map(|request| text(request, key)).collect::<HashSet<_>>().len(), all.len(), "{key}");
    }
    let people: HashSet<_> = closed.iter().map(|request| text(request, "requestingAgentUpn")).collect();
    let titles: HashSet<_> = closed.iter().map(|request| text(request, "title")).collect();
    assert!(people.len() == COLLEAGUES.len() && titles.len() >= 20, "{people:?} {titles:?}");

    let devices = devices(&served, "").await;
    assert!(devices.len() >= 40 && devices.iter().filter(|device| device["primaryUpdateRing"] == "Test").count() >= 4);
    let usable: HashSet<_> = devices.iter().filter(|device| device["primaryUpdateRing"] != "Test").collect();
    let usable: HashSet<_> = usable.into_iter().map(|device| text(device, "name")).collect();
    assert!(open.iter().chain(&closed).all(|request| usable.contains(text(request, "deviceName"))));
    let used: HashSet<_> = closed.iter().map(|request| text(request, "deviceName")).collect();
    assert!(used.len() >= 35, "{}", used.len());

    let age = |request: &Value| before.duration_since(time(request, "requestCreationTime"));
    for request in &closed {
        assert!(age(request) <= SignedDuration::from_hours(90 * 24), "{request}");
        assert!(time(request, "requestClosureTime") > time(request, "requestCreationTime"), "{request}");
        assert!(time(request, "requestClosureTime") < before, "{request}");
        assert!(request["actionsTaken"] != "" && request["closingAgentUpn"] != "", "{request}");
    }
    let minutes: Vec<_> = open.iter().map(|request| age(request).as_mins()).collect();
    assert!((3..=5).contains(&minutes[0]) && (1379..=1381).contains(&minutes[8]), "{minutes:?}");
    assert!(open.iter().all(|request| request["actionsTaken"] == "" && request["closingAgentUpn"] == ""));
    let viewed = open.iter().filter(|request| request["viewerUpns"].as_array().is_some_and(|it| !it.is_empty()));
    assert!((1..9).contains(&viewed.count()));

    let gist = |list: &[Value]| -> Vec<_> {
        list.iter().map(|request| ["id", "title", "deviceName"].map(|key| text(request, key).to_owned())).collect()
    };
    assert_eq!(gist(&serve(with_colleagues()).await.list(&[]).await), gist(&all));
}

#[rstest]
#[case::name_of_the_user("tARA sin")]
#[case::address_of_the_user("TARA.SINGH@")]
#[tokio::test]
async fn device_is_found_by_its_user_as_by_its_name_and_serial_number(#[case] user: &str) {
    let served = serve(with_colleagues()).await;
    let found = devices(&served, user).await;
    let [device] = &found[..] else { panic!("{found:?}") };
    assert_eq!(device["assignedUser"], "Tara Singh");
    for key in ["name", "serialNumber"] {
        let part = text(device, key)[2..].to_lowercase();
        assert_eq!(devices(&served, &part).await, found, "{part}");
    }
}

#[tokio::test]
async fn colleagues_act_beside_the_agent_and_leave_the_own_requests_and_room() {
    let start = Timestamp::now();
    let served = serve(busy(Duration::from_millis(4))).await;
    // On a device of theirs, before or after one of them.
    let device = text(&devices(&served, "Omar Farouk").await[0], "name").to_owned();
    let made = [served.create(&device, "mine").await.json(), served.create("MMD-00000000001", "mine too").await.json()];
    let ids: HashSet<_> = made.iter().map(|request| request["id"].clone()).collect();
    let mine = async || -> Vec<_> {
        served.list(&[]).await.into_iter().filter(|request| ids.contains(&request["id"])).collect()
    };
    let as_made = mine().await;
    let mut acts = (HashSet::new(), HashSet::new());
    within(async {
        while acts.0.len() < 40 || acts.1.len() < 40 {
            let all = served.list(&[]).await;
            let open: Vec<_> = all.iter().filter(|request| request["requestClosureTime"].is_null()).collect();
            let theirs = open.iter().filter(|request| is_by_colleague(request));
            assert!((5..=14).contains(&theirs.clone().count()), "{}", theirs.count());
            let mut by_device = BTreeMap::<_, usize>::new();
            for request in &open {
                *by_device.entry(text(request, "deviceName")).or_default() += 1;
            }
            let has_room = |request: &&Value| by_device[text(request, "deviceName")] < 3;
            assert!(theirs.filter(|request| request["deviceName"] != *device).all(has_room));
            for request in all.iter().filter(|request| is_by_colleague(request)) {
                let id = text(request, "id").to_owned();
                if time(request, "requestCreationTime") > start {
                    acts.0.insert(id.clone());
                }
                if request["requestClosureTime"].is_string() && time(request, "requestClosureTime") > start {
                    acts.1.insert(id);
                }
            }
        }
    })
    .await;
    assert_eq!(mine().await, as_made);
    assert_eq!(mine().await.iter().filter(|request| request["requestingAgentUpn"] == AGENT_UPN).count(), 2);
    let theirs_there = theirs(&served, &format!("deviceName eq '{device}'")).await;
    let since = time(&made[0], "requestCreationTime");
    assert!(theirs_there.iter().all(|request| time(request, "requestCreationTime") <= since), "the agent works there");
    let plain = serve(Settings::default()).await;
    let others = served.list(&[("$filter", OPEN)]).await;
    let others = others.iter().filter(|request| !is_by_colleague(request)).count();
    assert_eq!(others, 2 + plain.list(&[("$filter", OPEN)]).await.len(), "requests of the embedded data stay too");
}

#[tokio::test]
async fn rules_do_not_apply_to_colleagues() {
    let rules = [Rule::new(Endpoint::Create, Misdeed::DropBefore), Rule::new(Endpoint::Close, Misdeed::DropBefore)];
    let start = Timestamp::now();
    let served = serve(Settings { rules: Rules::from(rules), ..busy(Duration::from_millis(4)) }).await;
    wait_for_acts(&served, start, 20).await;
    assert_eq!((served.observer.creates_received(), served.observer.received(Endpoint::Close)), (0, 0));
    let body = sample().to_string();
    assert_eq!(
        served.try_call("POST", "elevationRequests", &body).await.unwrap_or_default(),
        "",
        "the rule is in force"
    );
}

#[tokio::test]
async fn servers_of_one_folder_share_the_pace_and_an_ended_one_does_nothing() {
    let (home, interval, start) = (tempdir().unwrap(), Duration::from_millis(60), Timestamp::now());
    let settings = || kept(home.path(), busy(interval));
    let (one, other) = (serve(settings()).await, serve(settings()).await);
    wait_for_acts(&one, start, 12).await;
    one.task.abort();
    assert!(one.task.await.unwrap_err().is_cancelled());
    let acts = wait_for_acts(&other, start, 16).await;
    // The service's times have seven digits.
    let least = SignedDuration::try_from(interval / 2).unwrap() - SignedDuration::from_micros(1);
    assert!(acts.windows(2).all(|two| two[1].duration_since(two[0]) >= least), "{acts:?}");

    let (ended, running) = (serve(busy(interval / 10)).await, serve(busy(interval / 10)).await);
    wait_for_acts(&ended, start, 2).await;
    ended.task.abort();
    assert!(ended.task.await.unwrap_err().is_cancelled());
    let at_the_end = ended.observer.requests().unwrap();
    wait_for_acts(&running, Timestamp::now(), 10).await;
    assert_eq!(ended.observer.requests().unwrap(), at_the_end);
}

#[tokio::test]
async fn stored_tenant_gets_the_history_once_and_keeps_what_it_has() {
    let home = tempdir().unwrap();
    let end = async |served: Served| {
        served.task.abort();
        assert!(served.task.await.unwrap_err().is_cancelled());
    };
    let first = serve(kept(home.path(), Settings::default())).await;
    first.create("DeviceName", "from before").await;
    let before = first.list(&[]).await;
    end(first).await;

    let second = serve(kept(home.path(), with_colleagues())).await;
    assert_eq!(second.warning, None);
    let listed = second.list(&[]).await;
    let (added, had): (Vec<_>, Vec<_>) = listed.iter().cloned().partition(is_by_colleague);
    assert_eq!((added.len(), had), (309, before));
    assert_eq!(devices(&second, "tara.singh").await.len(), 1);
    end(second).await;

    for settings in [with_colleagues(), Settings::default()] {
        let again = serve(kept(home.path(), settings)).await;
        assert_eq!(again.list(&[]).await, listed);
        end(again).await;
    }
    let fresh = serve(kept(home.path(), Settings { fresh: true, ..with_colleagues() })).await;
    assert_eq!(fresh.list(&[]).await.len(), listed.len() - 1);
}
