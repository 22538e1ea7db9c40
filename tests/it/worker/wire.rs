//! What stands on the wire, against the create and close documents.

use mmd_elevate_core::{Draft, Field};

use super::{CREATED, PATIENT, TENANT, TOKEN, answer, client_at, client_of, new_request, request_id};
use crate::support::{server::Server, within};

#[tokio::test]
async fn a_create_is_the_documented_request_to_the_letter() {
    let server = Server::start(answer("201 Created", CREATED)).await;
    let long = "plan «ü» 計画\n".repeat(600);
    let mut draft = Draft::default();
    draft.set(Field::Ticket, "INC-0042");
    draft.set(Field::Device, "MMD-03690457680");
    draft.set(Field::Title, r#"Müller's "東京" \ 🦀 </script>"#);
    draft.set(Field::Category, "Office");
    draft.set(Field::Subcategory, "Excel\tor\rWord\u{7}\u{202e}");
    draft.set(Field::PlanOfAction, format!("1. Open\r\n2. Look\n{long}"));
    within(client_of(&server, PATIENT).create(&draft.validate().unwrap())).await.unwrap();

    let requests = server.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.line(), format!("POST /support/odata/v1/tenants/{TENANT}/elevationRequests HTTP/1.1"));
    assert_eq!(request.header("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(request.header("accept"), ["application/json"]);
    assert_eq!(request.header("content-type"), ["application/json"]);
    assert_eq!(request.header("host"), [server.address.to_string()]);
    assert_eq!(request.header("client-request-id")[0].len(), 36);
    let body = format!(
        concat!(
            r#"{{"PartnerTicketId":"INC-0042","DeviceName":"MMD-03690457680","#,
            r#""Title":"Müller's \"東京\" \\ 🦀 </script>","Category":"Office","#,
            r#""Subcategory":"Excel\tor\rWord\u0007{}","PlanOfAction":"1. Open\r\n2. Look\n{}"}}"#,
        ),
        '\u{202e}',
        long.replace('\n', "\\n")
    );
    assert!(body.len() > 10_000);
    assert_eq!(String::from_utf8(request.body.clone()).unwrap(), body);
}

#[tokio::test]
async fn a_close_is_the_documented_request_and_its_id_stays_one_segment() {
    let server = Server::start(answer("204 No Content", "")).await;
    let long = "é".repeat(5_000);
    within(client_of(&server, PATIENT).close(&request_id("a/../b?c#d%2e ü"), &format!("\"Done\"\n{long}")))
        .await
        .unwrap();
    let requests = server.requests();
    assert_eq!(
        requests[0].line(),
        format!("PATCH /support/odata/v1/tenants/{TENANT}/elevationRequests/a%2F..%2Fb%3Fc%23d%252e%20%C3%BC HTTP/1.1")
    );
    assert_eq!(requests[0].header("content-type"), ["application/json"]);
    let body = format!(r#"{{"ActionsTaken":"\"Done\"\n{long}"}}"#);
    assert_eq!(String::from_utf8(requests[0].body.clone()).unwrap(), body);
}

#[tokio::test]
async fn each_call_has_an_id_of_its_own() {
    let server = Server::start(answer("204 No Content", "")).await;
    let client = client_of(&server, PATIENT);
    for _ in 0..2 {
        within(client.close(&request_id("1"), "Done.")).await.unwrap();
    }
    let requests = server.requests();
    assert_ne!(requests[0].header("client-request-id"), requests[1].header("client-request-id"));
}

#[tokio::test]
async fn localhost_is_this_machine_and_a_trailing_slash_changes_nothing() {
    let server = Server::start(answer("201 Created", CREATED)).await;
    let client = client_at(&format!("http://localhost:{}/x/", server.address.port()), PATIENT);
    within(client.create(&new_request("x"))).await.unwrap();
    assert_eq!(server.requests()[0].line(), format!("POST /x/tenants/{TENANT}/elevationRequests HTTP/1.1"));
}

#[tokio::test]
async fn the_documents_sample_is_read_whole() {
    let sample = r#"{
        "@odata.context": "https://mmd-support-prod-nam.trafficmanager.net/odata/v1/$metadata#ElevationRequests/$entity",
        "id": "Elevation Request Id", "tenantId": "Tenant Id", "partnerId": "Tenant Id",
        "requestingAgentUpn": "user UPN email", "partnerTicketId": "Support Ticket Id", "deviceName": "DeviceName",
        "title": "Elevation request title", "category": "Office", "subcategory": "Excel",
        "planOfAction": "Plan of action using elevation.", "actionsTaken": "", "closingAgentUpn": "",
        "requestCreationTime": "2021-12-14T14:06:25.0338102Z", "requestClosureTime": null, "requestRenewTime": null,
        "isSuccessfulRequest": true, "viewerUpns": [], "passwordLastUpdatedTime": "2021-03-16T15:10:36.2066667Z",
        "isDeleted": false, "ttl": 7776000, "eTag": null }"#;
    let request = super::create(answer("201 Created\ncontent-type: application/json", sample)).await.unwrap();
    assert_eq!(request.id.raw(), "Elevation Request Id");
    assert_eq!(request.ticket.raw(), "Support Ticket Id");
    assert_eq!(request.device.raw(), "DeviceName");
    assert_eq!(request.title.raw(), "Elevation request title");
    assert_eq!((request.category.raw(), request.subcategory.raw()), ("Office", "Excel"));
    assert_eq!(request.plan_of_action.raw(), "Plan of action using elevation.");
    assert_eq!((request.actions_taken.raw(), request.closed_by.raw()), ("", ""));
    assert_eq!(request.requested_by.raw(), "user UPN email");
    assert_eq!(request.created.unwrap().at, "2021-12-14T14:06:25.0338102Z".parse().ok());
    assert_eq!((request.closed, request.viewers), (None, Vec::new()));
}
