//! Lists that are not what was asked for.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use mmd_elevate_practice::{Endpoint, ListFault, Misdeed, Rule, Settings};
use serde_json::Value;

use super::{Heard, Served, misbehaviour::misbehaving, serve};

const LONG: Duration = Duration::from_secs(600);

fn fault(fault: ListFault) -> Rule {
    Rule::new(Endpoint::List, Misdeed::List(fault))
}

/// A tenant with nine requests more than it begins with, misbehaving from there on.
async fn nine_and(faults: impl IntoIterator<Item = ListFault>) -> Served {
    let served = serve(Settings { open_requests_per_device: 9, ..Settings::default() }).await;
    for n in 1..=9 {
        served.create("DeviceName", &format!("t{n}")).await;
    }
    served.observer.set_rules(faults.into_iter().map(fault).collect::<Vec<_>>());
    served
}

fn titles(listed: &[Value]) -> Vec<&str> {
    listed.iter().map(|one| one["title"].as_str().unwrap()).collect()
}

impl Served {
    async fn of_device(&self, options: &[(&str, &str)]) -> Vec<Value> {
        let filter = [("$filter", "deviceName eq 'DeviceName'")];
        self.list(&[&filter, options].concat()).await
    }

    async fn get(&self, url: &str) -> Heard {
        let path = url.strip_prefix(&format!("http://{}", self.address)).unwrap();
        self.send("GET", path, &self.known(), "").await
    }
}

#[tokio::test]
async fn a_capped_page_says_nothing_of_the_rest_and_skip_goes_on() {
    let served = nine_and([ListFault::Cap(4)]).await;
    let heard = served.call("GET", "elevationRequests?$top=100", "").await.json();
    assert!(heard["value"].as_array().unwrap().len() == 4 && heard.get("@odata.nextLink").is_none());
    assert_eq!(titles(&served.of_device(&[("$top", "100"), ("$skip", "4")]).await), ["t5", "t4", "t3", "t2"]);
    assert_eq!(served.of_device(&[("$top", "2")]).await.len(), 2);
}

#[tokio::test]
async fn a_linked_page_is_reached_by_its_link_alone() {
    let served = nine_and([ListFault::NextLink(4)]).await;
    let first = served.of_device(&[]).await;
    assert_eq!(served.of_device(&[("$skip", "4")]).await, first, "the skip does nothing");
    let filter = super::query(&[("$filter", "deviceName eq 'DeviceName'"), ("$top", "100"), ("$skip", "0")]);
    let mut link = format!("http://{}{}", served.address, served.path(&format!("elevationRequests?{filter}")));
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = served.get(&link).await.json();
        seen.extend(titles(page["value"].as_array().unwrap()).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        next.clone_into(&mut link);
    }
    assert_eq!((seen.join(" ").as_str(), pages), ("t9 t8 t7 t6 t5 t4 t3 t2 t1", 3), "the filter goes on");
    served.observer.set_rules([]);
    assert_eq!(served.get(&link).await.status, 400, "no link was given out");
}

#[tokio::test]
async fn a_filter_that_does_nothing_lists_all_and_the_open_alone_can_be_asked_for() {
    let served = nine_and([]).await;
    let all = served.list(&[]).await.len();
    let open = served.list(&[("$filter", "requestClosureTime eq null and deviceName eq 'DeviceName'")]).await;
    assert_eq!(open.len(), 9);
    let close = format!("elevationRequests/{}", open[0]["id"].as_str().unwrap());
    served.call("PATCH", &close, r#"{"ActionsTaken": "x"}"#).await;
    let open = served.list(&[("$filter", "requestClosureTime eq null")]).await;
    assert!(open.iter().all(|one| one["requestClosureTime"].is_null()));
    assert!(open.len() < all);
    served.observer.set_rules([fault(ListFault::Unfiltered)]);
    assert_eq!(served.list(&[("$filter", "requestClosureTime eq null")]).await.len(), all);
    assert_eq!(served.of_device(&[]).await.len(), all);
    assert_eq!(served.list(&[("$filter", "title gt 3")]).await.len(), all, "it is not even read");
}

#[tokio::test]
async fn a_top_above_the_limit_is_refused() {
    let served = misbehaving([fault(ListFault::RefuseTop(50))]).await;
    let list = async |rest: &str| served.call("GET", &format!("elevationRequests{rest}"), "").await;
    let words = "The limit of '50' for Top query has been exceeded. The value from the incoming request is '100'.";
    list("?$top=100").await.refuses(400, words);
    for rest in ["?$top=50", "?$top=1", ""] {
        assert_eq!(list(rest).await.status, 200, "{rest}");
    }
    served.observer.set_rules([fault(ListFault::RefuseTop(0))]);
    assert_eq!((list("?$top=1").await.status, list("").await.status), (400, 200));
}

#[tokio::test]
async fn a_stale_list_shows_what_was_before() {
    let served = misbehaving([]).await;
    let before = served.list(&[]).await;
    let id = served.create("DeviceName", "new").await.json()["id"].as_str().unwrap().to_owned();
    served.call("PATCH", &format!("elevationRequests/{id}"), r#"{"ActionsTaken": "x"}"#).await;
    // A request that was open long before.
    let open = before.iter().find(|one| one["requestClosureTime"].is_null()).unwrap();
    let close = format!("elevationRequests/{}", open["id"].as_str().unwrap());
    assert_eq!(served.call("PATCH", &close, r#"{"ActionsTaken": "x"}"#).await.status, 204);
    let now = served.list(&[]).await;
    served.observer.set_rules([fault(ListFault::Stale(LONG)).every(2)]);
    for turn in ["first", "second"] {
        let gone: Vec<_> = served.list(&[]).await.iter().map(|one| one["id"].clone()).collect();
        assert!(!gone.contains(&id.as_str().into()) && gone.len() == before.len(), "{turn}");
        assert_eq!(served.list(&[]).await, now, "and back");
    }
    let shown = served.list(&[]).await.into_iter().find(|one| one["id"] == open["id"]).unwrap();
    assert!(shown["requestClosureTime"].is_null() && shown["actionsTaken"] == "");
}

#[tokio::test]
async fn entries_vanish_and_come_back() {
    let served = nine_and([ListFault::Vanish(2)]).await;
    let mut seen = HashSet::new();
    for _ in 0..32 {
        let listed = served.of_device(&[]).await;
        assert_eq!(titles(&listed).into_iter().collect::<HashSet<_>>().len(), 7);
        seen.insert(titles(&listed).join(" "));
    }
    assert!(seen.len() > 2, "{seen:?}");
    served.observer.set_rules([fault(ListFault::Vanish(1000))]);
    assert_eq!(served.list(&[]).await.len(), 0);
}

#[tokio::test]
async fn a_shuffled_list_has_all_in_another_order_each_time() {
    let served = nine_and([ListFault::Shuffle]).await;
    let mut seen = HashSet::new();
    for _ in 0..8 {
        let listed = served.of_device(&[]).await;
        assert_eq!(titles(&listed).into_iter().collect::<BTreeSet<_>>().len(), 9);
        seen.insert(titles(&listed).join(" "));
    }
    assert!(seen.len() > 2, "{seen:?}");
}

#[tokio::test]
async fn pages_that_overlap_repeat_and_leave_nothing_out() {
    let served = nine_and([ListFault::Overlap(2), ListFault::Cap(4)]).await;
    let pages = async |skip: &str| served.of_device(&[("$skip", skip)]).await;
    assert_eq!(titles(&pages("0").await), ["t9", "t8", "t7", "t6"]);
    assert_eq!(titles(&pages("4").await), ["t7", "t6", "t5", "t4"]);
    assert_eq!(titles(&pages("8").await), ["t3", "t2", "t1"]);
    assert_eq!(titles(&pages("9").await), ["t2", "t1"]);
    // One that would begin where the page before began, or before it, would never end.
    served.observer.set_rules([fault(ListFault::Overlap(9)), fault(ListFault::NextLink(2))]);
    assert_eq!(titles(&served.of_device(&[]).await), ["t9", "t8"]);
}
