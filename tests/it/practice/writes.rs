//! Create and close, held against the documents' samples.

use mmd_elevate_practice::{AGENT_UPN, Settings};
use rstest::rstest;
use serde_json::{Value, json};

use super::{sample, serve};

#[tokio::test]
async fn a_create_is_answered_with_the_documented_entity() {
    let served = serve(Settings::default()).await;
    let heard = served.call("POST", "elevationRequests", &sample().to_string()).await;
    assert_eq!(heard.status, 201);
    assert!(heard.head.contains("\r\ncontent-type: application/json"));
    assert!(heard.body.starts_with(r#"{"@odata.context":"#) && heard.body.ends_with(r#""ttl":7776000,"eTag":null}"#));
    let made = heard.json();
    assert!(made["id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    let created = made["requestCreationTime"].as_str().unwrap();
    assert!(created.len() == "2021-12-14T14:06:25.0338102Z".len() && created.ends_with('Z'), "{created}");
    let tenant = &served.tenant_id;
    let expected = json!({
        "@odata.context":
            "https://mmd-support-prod-nam.trafficmanager.net/odata/v1/$metadata#ElevationRequests/$entity",
        "id": made["id"], "tenantId": tenant, "partnerId": tenant,
        "requestingAgentUpn": AGENT_UPN, "partnerTicketId": "Support Ticket Id",
        "deviceName": "DeviceName", "title": "Elevation request title", "category": "Office",
        "subcategory": "Excel", "planOfAction": "Plan of action using elevation.", "actionsTaken": "",
        "closingAgentUpn": "", "requestCreationTime": created, "requestClosureTime": null,
        "requestRenewTime": null, "isSuccessfulRequest": true, "viewerUpns": [],
        "passwordLastUpdatedTime": made["passwordLastUpdatedTime"], "isDeleted": false, "ttl": 7_776_000,
        "eTag": null
    });
    assert_eq!(made, expected);
    let mut listed = served.list(&[("$top", "1")]).await.remove(0);
    listed["@odata.context"] = expected["@odata.context"].clone();
    assert_eq!(listed, expected, "a list has the same entity, and the newest first");
}

#[tokio::test]
async fn a_create_takes_keys_and_device_in_any_letter_case_and_texts_as_they_are() {
    let served = serve(Settings::default()).await;
    let plan = "„Größe“\n1. \"quoted\"\tand 'quoted' 🎉".repeat(300);
    let body = json!({
        "partnerTicketId": "T-1", "DEVICENAME": "mmd-03690457680", "title": "a", "Category": "b",
        "subCategory": "c", "planofaction": plan, "Another": 1
    });
    let made = served.call("POST", "elevationRequests", &body.to_string()).await.json();
    assert_eq!(made["deviceName"], "MMD-03690457680");
    assert_eq!(made["planOfAction"], plan);
}

#[rstest]
#[case::unknown_device(json!({ "DeviceName": "MMD-404" }), 404, "This device does not exist.")]
#[case::too_many(json!({ "DeviceName": "MMD-00000000003" }), 403, "This device has too many open elevation requests.")]
#[case::test_ring(json!({ "DeviceName": "MMD-00000000002" }), 403, "Elevation is not available for devices in the Test group.")]
#[case::blank(json!({ "Title": " \n", "Category": null }), 400, "These fields must not be empty: Title, Category.")]
#[case::nameless(json!({ "DeviceName": "" }), 400, "These fields must not be empty: DeviceName.")]
#[case::not_text(json!({ "Title": 7 }), 400, "Title must be a string.")]
#[tokio::test]
async fn a_create_is_refused(#[case] change: Value, #[case] status: u16, #[case] words: &str) {
    let served = serve(Settings::default()).await;
    let before = served.list(&[]).await;
    let mut body = sample();
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    served.call("POST", "elevationRequests", &body.to_string()).await.refuses(status, words);
    assert_eq!(served.list(&[]).await, before);
}

#[rstest]
#[case("", "The request body is not valid JSON.")]
#[case(r#"{"Title": "#, "The request body is not valid JSON.")]
#[case("[]", "The request body must be a JSON object.")]
#[case(
    "{}",
    "These fields must not be empty: PartnerTicketId, DeviceName, Title, Category, Subcategory, PlanOfAction."
)]
#[tokio::test]
async fn a_body_that_is_no_object_is_refused(#[case] body: &str, #[case] words: &str) {
    serve(Settings::default()).await.call("POST", "elevationRequests", body).await.refuses(400, words);
}

#[tokio::test]
async fn requests_for_a_device_are_limited_until_one_is_closed() {
    let served = serve(Settings::default()).await;
    for _ in 0..3 {
        assert_eq!(served.create("MMD-03690457680", "same").await.status, 201, "there is no idempotency key");
    }
    let words = "This device has too many open elevation requests.";
    served.create("mmd-03690457680", "same").await.refuses(403, words);
    let id = served.list(&[]).await[0]["id"].as_str().unwrap().to_owned();
    let closed = served.call("PATCH", &format!("elevationRequests/{id}"), r#"{"ActionsTaken": "done"}"#).await;
    assert_eq!(closed.status, 204);
    assert_eq!(served.create("MMD-03690457680", "same").await.status, 201);
}

#[tokio::test]
async fn a_close_says_who_and_when_and_happens_once() {
    let served = serve(Settings::default()).await;
    let made = served.create("DeviceName", "to close").await.json();
    let path = format!("elevationRequests/{}", made["id"].as_str().unwrap());
    let blank = served.call("PATCH", &path, r#"{"ActionsTaken": "  "}"#).await;
    blank.refuses(400, "These fields must not be empty: ActionsTaken.");
    let closed = served.call("PATCH", &path, r#"{"ActionsTaken" : "Actions taken to resolve case."}"#).await;
    assert_eq!((closed.status, closed.body.as_str()), (204, ""));
    let listed = served.list(&[("$top", "1")]).await.remove(0);
    assert_eq!(listed["actionsTaken"], "Actions taken to resolve case.");
    assert_eq!(listed["closingAgentUpn"], AGENT_UPN);
    assert!(listed["requestClosureTime"].as_str() >= listed["requestCreationTime"].as_str());
    let again = served.call("PATCH", &path, r#"{"ActionsTaken": "other words"}"#).await;
    again.refuses(400, "This elevation request was already closed.");
    assert_eq!(served.list(&[("$top", "1")]).await[0], listed, "what was written stays");
    let unknown = served.call("PATCH", "elevationRequests/no-such-id", r#"{"ActionsTaken": "x"}"#).await;
    unknown.refuses(404, "This elevation request does not exist.");
}
