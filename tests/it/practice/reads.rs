//! Lists, devices and the credential of a device.

use std::{collections::HashSet, time::Duration};

use mmd_elevate_practice::{AGENT_UPN, Order, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use super::{query, serve};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn titles(list: &[Value]) -> Vec<&str> {
    list.iter().map(|request| request["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_tenant_is_believable() {
    let served = serve(Settings::default()).await;
    let devices = served.call("GET", "devices", "").await.json();
    let devices = devices["value"].as_array().unwrap();
    let names: HashSet<_> = devices.iter().map(|device| device["name"].as_str().unwrap()).collect();
    assert!((20..=30).contains(&devices.len()) && names.len() == devices.len());
    assert!(["MMD-03690457680", "DeviceName", "Kiosk-Canteen", ""].iter().all(|name| names.contains(name)));
    let mut expected = [
        "name",
        "serialNumber",
        "manufacturer",
        "model",
        "assignedUser",
        "userUpn",
        "complianceState",
        "primaryUpdateRing",
        "persona",
        "lastIntuneSyncDateTimeUtc",
        "aadDeviceId",
    ];
    expected.sort_unstable();
    assert!(devices.iter().all(|device| keys(device) == expected));
    let all = served.list(&[]).await;
    assert!(all.iter().all(|request| names.contains(request["deviceName"].as_str().unwrap())));
    assert!(all.is_sorted_by(|a, b| a["requestCreationTime"].as_str() > b["requestCreationTime"].as_str()));
    let (open, closed): (Vec<_>, Vec<_>) = all.iter().partition(|request| request["requestClosureTime"].is_null());
    assert!(open.len() >= 5 && closed.len() >= 3);
    assert!(open.iter().all(|r| r["actionsTaken"] == "" && r["closingAgentUpn"] == ""));
    assert!(closed.iter().all(|r| r["actionsTaken"] != "" && r["closingAgentUpn"] != ""));
    assert!(open.iter().all(|request| request["deviceName"] != "MMD-03690457680"));
}

#[rstest]
#[case("deviceName eq 'MMD-00000000003'", &["Can't print to 'Floor 2'", "Excel closes when the chart is edited", "Docking station is not found"])]
#[case("deviceName eq 'kiosk-canteen'", &["Touch screen does not react"])]
#[case("contains(category,'Hard') and contains( title , 'Floor')", &["Can't print to 'Floor 2'"])]
#[case("title eq 'Can''t print to ''Floor 2'''", &["Can't print to 'Floor 2'"])]
#[case("contains(title,'数式') and actionsTaken eq ''", &["Excel の数式が更新されない"])]
#[case("requestClosureTime ne null and category eq 'Office'", &["Word asks for activation again", "Excel cannot open the finance add-in"])]
#[case("category eq 'nothing'", &[])]
#[tokio::test]
async fn a_list_is_filtered(#[case] filter: &str, #[case] expected: &[&str]) {
    assert_eq!(titles(&serve(Settings::default()).await.list(&[("$filter", filter)]).await), expected);
}

#[rstest]
#[case("$filter", "", "The filter ends too early.")]
#[case("$filter", "title ne 'x'", "The filter is not understood at: title ne 'x'")]
#[case("$filter", "title eq 'x", "The filter has a text without its closing quote.")]
#[case("$filter", "title eq 'x' or title eq 'y'", "The filter is not understood at: or title eq 'y'")]
#[case("$filter", "contains(title,'x'", "The filter ends too early.")]
#[case("$filter", "ttl eq '1'", "The filter cannot use the property 'ttl'.")]
#[case("$skip", "-1", "$skip must be a whole number.")]
#[case("$top", "many", "$top must be a whole number.")]
#[case("$orderby", "title", "$orderby is not supported.")]
#[tokio::test]
async fn an_option_that_is_not_understood_is_refused(#[case] name: &str, #[case] value: &str, #[case] words: &str) {
    let rest = format!("elevationRequests?{}", query(&[(name, value)]));
    serve(Settings::default()).await.call("GET", &rest, "").await.refuses(400, words);
}

#[tokio::test]
async fn pages_are_parts_of_the_whole() {
    let served = serve(Settings::default()).await;
    let all = served.list(&[]).await;
    let mut paged = Vec::new();
    for skip in (0..=all.len()).step_by(5) {
        paged.extend(served.list(&[("$skip", &skip.to_string()), ("$top", "5")]).await);
    }
    assert_eq!(paged, all);
    assert!(served.list(&[("$skip", "1000")]).await.is_empty() && served.list(&[("$top", "0")]).await.is_empty());
    let other = Settings { order: Order::OldestFirst, page_size: Some(2), ..Settings::default() };
    let oldest: Vec<_> = all.iter().rev().take(2).map(|request| request["id"].clone()).collect();
    let listed = serve(other).await.list(&[("$top", "9")]).await;
    assert_eq!(listed.iter().map(|request| request["id"].clone()).collect::<Vec<_>>(), oldest);
}

#[tokio::test]
async fn devices_are_found_by_text_and_by_name() {
    let served = serve(Settings::default()).await;
    let rest = format!("devices?{}", query(&[("$searchText", "KIOSK"), ("$skip", "1"), ("$top", "1")]));
    let found = served.call("GET", &rest, "").await.json();
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    assert_eq!(found["value"][0]["name"], "Kiosk-Canteen");
    for text in ["0457680", "0x6bmsv3", "PRIYA.RAMAN@", "priya r"] {
        let found = served.call("GET", &format!("devices?{}", query(&[("$searchText", text)])), "").await.json();
        assert_eq!(found["value"].as_array().unwrap().len(), 1, "{text}");
        assert_eq!(found["value"][0]["name"], "MMD-03690457680", "{text}");
    }
    let one = served.call("GET", "devices/mmd-03690457680", "").await;
    assert_eq!((one.status, &one.json()["name"]), (200, &json!("MMD-03690457680")));
    served.call("GET", "devices/MMD-404", "").await.refuses(404, "This device does not exist.");
}

#[tokio::test]
async fn details_are_for_an_open_request_and_name_who_looked() {
    let served = serve(Settings::default()).await;
    let path = "devices/DeviceName/elevationDetails";
    served.call("GET", path, "").await.refuses(404, "This device has no open elevation request.");
    let made = served.create("DeviceName", "look").await.json();
    let heard = served.call("GET", path, "").await;
    assert!(heard.head.contains("\r\ncache-control: no-store"));
    let (details, agent) = (heard.json(), json!([AGENT_UPN]));
    let mut expected = [
        "openedElevationRequestId",
        "accountUpn",
        "password",
        "passwordLastUpdated",
        "status",
        "isPasswordChanged",
        "viewedBy",
        "aadDeviceId",
        "deviceName",
        "tenantId",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&details), expected);
    assert_eq!((&details["openedElevationRequestId"], &details["viewedBy"]), (&made["id"], &agent));
    assert_eq!(served.call("GET", path, "").await.json(), details, "looking twice changes nothing");
    assert_eq!(served.list(&[("$top", "1")]).await[0]["viewerUpns"], agent);

    let id = made["id"].as_str().unwrap();
    served.call("PATCH", &format!("elevationRequests/{id}"), r#"{"ActionsTaken": "done"}"#).await;
    served.create("DeviceName", "look again").await;
    assert_ne!(served.call("GET", path, "").await.json()["password"], details["password"], "a close changes it");
    let brief = serve(Settings { password_lifetime: Duration::ZERO, ..Settings::default() }).await;
    brief.create("DeviceName", "look").await;
    let mut seen = HashSet::new();
    for _ in 0..2 {
        let details = brief.call("GET", path, "").await.json();
        assert_eq!(details["passwordLastUpdated"], brief.list(&[("$top", "1")]).await[0]["passwordLastUpdatedTime"]);
        assert!(seen.insert(details["password"].as_str().unwrap().to_owned()));
    }
}
