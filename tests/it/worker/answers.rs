//! What an answer proves, in the shapes that services and gateways give it: how a close is believed, and how an error is read.

use mmd_elevate_core::{CallError, ErrorCode, Field, Untrusted};
use rstest::rstest;

use super::{PATIENT, answer, client_of, close, create, new_request};
use crate::support::{gist, server::Server, within};

const JSON: &str = "content-type: application/json";

fn words(fault: &CallError) -> &str {
    fault.service_message.as_ref().map_or("", Untrusted::raw)
}

#[rstest]
#[case(r#"{"error":"Forbidden"}"#)]
#[case(r#"{"error":{"code":"403","message":"No."}}"#)]
#[case(r#"{"id":"3f2b","requestClosureTime":null}"#)]
#[case(r#"{"id":"3f2b","requestClosureTime":"0001-01-01T00:00:00Z"}"#)]
#[case(r#"{"id":"3f2b","requestClosureTime":"9999-12-31T23:59:59.9999999Z"}"#)]
#[case(r#"{"id":"3f2b","requestClosureTime":"null"}"#)]
#[case(r#"{"id":"3f2b","requestClosureTime":"pending"}"#)]
#[case(r#"{"id":"another","requestClosureTime":"2024-01-01T00:00:00Z"}"#)]
#[case(r#"{"requestClosureTime":"2024-01-01T00:00:00Z"}"#)]
#[case(r#"{"success":false}"#)]
#[case(r#"{"success":true}"#)]
#[case(r#"{"value":[]}"#)]
#[case(r#"{"value":[{"id":"3f2b","requestClosureTime":"2024-01-01T00:00:00Z"}]}"#)]
#[case("null")]
#[case("true")]
#[case("OK")]
#[case("<html><title>Sign in</title></html>")]
#[tokio::test]
async fn close_answered_with_200_and_no_closed_entity_is_unknown(#[case] body: &str) {
    let fault = close(answer("200 OK", body)).await.unwrap_err();
    assert!(fault.code == Some(ErrorCode::BrokenAnswer) && fault.may_have_happened(), "{fault:?}");
    assert!(fault.what().starts_with("The answer cannot be used: "), "{}", fault.what());
}

#[rstest]
#[tokio::test]
async fn close_answered_with_another_success_is_unknown(#[values(201, 202, 203, 205, 206, 207, 299)] status: u16) {
    for body in ["", r#"{"id":"3f2b","requestClosureTime":"2024-01-01T00:00:00Z"}"#] {
        let fault = close(answer(&format!("{status} Fine"), body)).await.unwrap_err();
        assert!(fault.may_have_happened(), "{status} {body}: {fault:?}");
    }
}

#[tokio::test]
async fn see_other_is_unknown_and_other_redirects_are_not_done() {
    for status in [300, 301, 302, 303, 304, 305, 307, 308, 399] {
        let head = format!("{status} Elsewhere\nlocation: https://elsewhere.example/");
        for fault in [create(answer(&head, "")).await.unwrap_err(), close(answer(&head, "")).await.unwrap_err()] {
            assert_eq!(gist(&fault), gist(&CallError::redirected(status)));
            assert_eq!(fault.may_have_happened(), status == 303, "{status}");
            assert_eq!(fault.hint().contains("look before"), status == 303, "{status}: {}", fault.hint());
        }
    }
}

/// Answers to a close that are like the documented refusals and are not.
#[rstest]
#[case(
    "404 Not Found",
    r#"{"error":{"code":"404","message":"Resource not found for the segment 'elevationRequests'."}}"#
)]
#[case("404 Not Found", r#"{"error":{"code":"","message":"The segment 'elevationRequests' does not exist."}}"#)]
#[case("404 Not Found", r#"{"Message":"No HTTP resource was found that matches the request URI."}"#)]
#[case("404 Not Found", r#"{"error":{"code":"404","message":"This tenant does not exist."}}"#)]
#[case("404 Not Found", "This elevation request does not exist here, but in another region.")]
#[case("404 Not Found", "<html><title>This elevation request does not exist.</title></html>")]
#[case("404 Not Found", "")]
#[case("400 Bad Request", r#"{"error":{"message":"The ticket was already closed."}}"#)]
#[case("400 Bad Request", r#"{"error":{"message":"already closed"}}"#)]
#[case("409 Conflict", r#"{"error":{"message":"Somebody else is closing it."}}"#)]
#[case("410 Gone", "")]
#[case("412 Precondition Failed", r#"{"error":"etag"}"#)]
#[tokio::test]
async fn close_refused_in_other_words_settles_nothing(#[case] head: &str, #[case] body: &str) {
    let fault = close(answer(head, body)).await.unwrap_err();
    assert!(fault.code == Some(ErrorCode::NotAccepted), "{fault:?}");
    assert!(!fault.hint().contains("nothing is left"), "{}", fault.hint());
}

#[rstest]
#[case("400 Bad Request", "", r#"{"error":{"code":"400","message":"This elevation request was already closed."}}"#)]
#[case("400 Bad Request", "", r#"{"Error":{"Message":"this elevation request was already closed"}}"#)]
#[case(
    "400 Bad Request",
    "",
    r#"{"odata.error":{"message":{"lang":"en","value":" This elevation request was already closed. "}}}"#
)]
#[case("400 Bad Request", "content-type: text/plain", "This elevation request was already closed.\r\n")]
#[case(
    "409 Conflict",
    "",
    r#"{"title":"Conflict","status":409,"detail":"This elevation request was already closed."}"#
)]
#[tokio::test]
async fn documented_sentence_is_told_in_every_shape(#[case] head: &str, #[case] header: &str, #[case] body: &str) {
    let head = if header.is_empty() { head.to_owned() } else { format!("{head}\n{header}") };
    assert_eq!(gist(&close(answer(&head, body)).await.unwrap_err()), gist(&CallError::already_closed()), "{body}");
}

#[rstest]
#[case("Insufficient privileges to complete the operation.", "Authorization_RequestDenied", CallError::not_allowed())]
#[case("Denied.", "Authorization_RequestDenied", CallError::not_allowed())]
#[case("Elevation is not available for devices in the Test group.", "403", CallError::declined())]
#[case("The tenant is suspended.", "", CallError::declined())]
#[case("This device has too many open elevation requests.", "403", CallError::too_many_open())]
#[case("This device has too many open elevation requests, says the gateway", "403", CallError::declined())]
#[tokio::test]
async fn hint_of_a_403_belongs_to_its_words(#[case] message: &str, #[case] code: &str, #[case] kind: CallError) {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    let fault = create(answer(&format!("403 Forbidden\n{JSON}"), body)).await.unwrap_err();
    assert_eq!((gist(&fault), words(&fault)), (gist(&kind), message));
    assert_eq!(fault.hint().contains("close a request"), kind == CallError::too_many_open(), "{}", fault.hint());
    assert_eq!(fault.hint().contains("role"), kind == CallError::not_allowed(), "{}", fault.hint());
}

#[rstest]
#[case("402 Payment Required", "payment")]
#[case("405 Method Not Allowed", "base URL")]
#[case("407 Proxy Authentication Required", "proxy")]
#[case("409 Conflict", "conflicts")]
#[case("412 Precondition Failed", "version")]
#[case("413 Content Too Large", "too large")]
#[case("415 Unsupported Media Type", "JSON")]
#[case("423 Locked", "locked")]
#[case("426 Upgrade Required", "protocol")]
#[case("428 Precondition Required", "version")]
#[case("431 Request Header Fields Too Large", "head of the call")]
#[case("451 Unavailable For Legal Reasons", "legal")]
#[tokio::test]
async fn refusal_of_a_class_is_told_in_its_words(#[case] head: &str, #[case] part: &str) {
    let fault = create(answer(head, "")).await.unwrap_err();
    let told = format!("{} {}", fault.what(), fault.hint());
    assert!(told.contains(part) && !told.contains("check the fields"), "{head}: {told}");
}

#[tokio::test]
async fn error_in_any_character_set_is_read() {
    let utf16: Vec<u8> =
        r#"{"error":{"message":"Gerät gesperrt"}}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (header, body) in [
        ("content-type: text/plain", "Gerät gesperrt".as_bytes().to_vec()),
        ("content-type: text/plain; charset=ISO-8859-1", b"Ger\xe4t gesperrt".to_vec()),
        ("content-type: text/plain", b"Ger\xe4t gesperrt".to_vec()),
        ("content-type: application/json; charset=windows-1252", b"{\"message\":\"Ger\xe4t gesperrt\"}".to_vec()),
        ("content-type: application/json; charset=utf-16le", utf16.clone()),
        (JSON, [vec![0xff, 0xfe], utf16].concat()),
        (JSON, "\u{feff}{\"message\":\"Gerät gesperrt\"}".as_bytes().to_vec()),
    ] {
        let fault = create(answer(&format!("400 Bad Request\n{header}"), &body)).await.unwrap_err();
        assert_eq!(words(&fault), "Gerät gesperrt", "{header} {body:?}");
    }
}

#[tokio::test]
async fn problem_per_field_reaches_the_agent_and_a_page_gives_its_title_alone() {
    let problem = r#"{"title":"One or more validation errors occurred.","status":400,"errors":{"PlanOfAction":["Too long."],"Title":["Required."]}}"#;
    let fault = create(answer("400 Bad Request\ncontent-type: application/problem+json", problem)).await.unwrap_err();
    assert_eq!(fault.what(), "One or more validation errors occurred. · PlanOfAction: Too long. · Title: Required.");
    assert!(fault.hint().contains("check the fields"));
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>";
    let fault = create(answer("502 Bad Gateway\ncontent-type: text/html", page)).await.unwrap_err();
    assert_eq!(fault.what(), "A web page answered, and not the service: 502 Bad Gateway");
    assert!(fault.may_have_happened());
}

/// What a create is answered that leaves out what was sent.
#[rstest]
#[case(r#"{"id":"3f2b"}"#)]
#[case(r#"{"Id":"3f2b","PartnerTicketId":null,"DeviceName":null,"Title":null,"PlanOfAction":null}"#)]
#[case(r#"{"ID":"3f2b","partnerTicketId":"","deviceName":"  ","title":[],"category":[],"planOfAction":{}}"#)]
#[case(r#"{"id":"3f2b","PARTNERTICKETID":"Ticket x","devicename":"Device x","TITLE":"Title x"}"#)]
#[tokio::test]
async fn create_answered_without_texts_has_those_that_were_sent(#[case] body: &str) {
    let request = create(answer("201 Created", body)).await.unwrap();
    let sent = new_request("x");
    let held = [&request.ticket, &request.device, &request.title, &request.category, &request.plan_of_action];
    let fields = [Field::Ticket, Field::Device, Field::Title, Field::Category, Field::PlanOfAction];
    assert_eq!(held.map(Untrusted::raw), fields.map(|field| sent.get(field)));
}

#[tokio::test]
async fn create_answered_in_another_letter_case_has_the_services_texts() {
    for body in [
        r#"{"Id":"3f2b","PartnerTicketId":"theirs","DeviceName":"THEIRS-1","RequestCreationTime":"2024-01-01T00:00:00"}"#,
        r#"{"ID":"3f2b","PARTNERTICKETID":"theirs","DEVICENAME":"THEIRS-1","REQUESTCREATIONTIME":"2024-01-01 00:00:00Z"}"#,
    ] {
        let request = create(answer("200 OK", body)).await.unwrap();
        assert_eq!(
            (request.ticket.raw(), request.device.raw(), request.title.raw()),
            ("theirs", "THEIRS-1", "Title x")
        );
        assert_eq!(request.created.unwrap().at, "2024-01-01T00:00:00Z".parse().ok());
    }
}

#[tokio::test]
async fn date_of_an_answer_is_read_in_every_form() {
    for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
        let head = format!("429 Busy\ndate: {date}\nretry-after: Sunday, 06-Nov-94 08:49:44 GMT");
        let server = Server::start(answer(&head, "")).await;
        let fault = within(client_of(&server, PATIENT).create(&new_request("x"))).await.unwrap_err();
        assert_eq!(fault.what(), "The service has too many calls and asks to wait 7 s.", "{date}");
    }
}
