//! The token endpoint: what its answers mean, and what it never gets to see.

use mmd_elevate_practice::{Endpoint, Settings};
use rstest::rstest;

use super::{SECRET, fetched, shown, source_at, tenant};
use crate::support::server::{Play, Server, http};

async fn answered(head: &str, body: impl AsRef<[u8]>) -> Result<String, mmd_elevate_engine::auth::SignInError> {
    let server = Server::start(Play::Answer(http(head, body))).await;
    fetched(&source_at(&format!("http://{}/tenant-id", server.address), SECRET)).await
}

#[tokio::test]
async fn the_request_is_the_documented_one() {
    let body = r#"{"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "t"}"#;
    let server = Server::start(Play::Answer(http("200 OK", body))).await;
    assert_eq!(fetched(&source_at(&format!("http://{}/tenant-id", server.address), SECRET)).await.unwrap(), "t");
    let request = &server.requests()[0];
    assert_eq!(request.line(), "POST /tenant-id/oauth2/v2.0/token HTTP/1.1");
    assert_eq!(request.header("content-type"), ["application/x-www-form-urlencoded"]);
    assert!(request.header("authorization").is_empty());
    let body = String::from_utf8(request.body.clone()).unwrap();
    let scope = "https%3A%2F%2Fmwaas-services-customerapi-prod.azurewebsites.net%2F.default";
    let expected = format!(
        "client_id={}&scope={scope}&grant_type=client_credentials&client_secret=canary-secret%7Eof_the.application",
        mmd_elevate_practice::CLIENT_ID
    );
    assert_eq!(body, expected);
}

#[rstest]
#[case(7_000_215, "invalid_client", "secret's value")]
#[case(7_000_222, "invalid_client", "new secret")]
#[case(700_016, "unauthorized_client", "client_id")]
#[case(90_002, "invalid_request", "tenant's id")]
#[case(500_011, "invalid_resource", "check the scope")]
#[case(70_011, "invalid_scope", ".default")]
#[case(700_027, "invalid_client", "certificate")]
#[case(65_001, "invalid_grant", "MmdSupport.ReadWrite")]
#[case::unknown(53_003, "access_denied", "settings")]
#[tokio::test]
async fn an_error_has_its_code_and_a_hint(#[case] code: u64, #[case] error: &str, #[case] hint: &str) {
    let description = format!("AADSTS{code}: Words for {SECRET}. Trace ID: 1 Correlation ID: 2");
    for codes in [format!(r#""error_codes": [{code}],"#), String::new()] {
        let body = format!(r#"{{"error": "{error}", {codes} "error_description": "{description}"}}"#);
        let refused = answered("400 Bad Request", body).await.unwrap_err();
        assert!(!refused.is_transient);
        let shown = shown(&refused);
        assert!(shown.contains(&format!("(AADSTS{code})")) && refused.problem.hint.contains(hint), "{shown}");
        assert!(!shown.contains("Trace ID"), "{shown}");
    }
}

#[rstest]
#[case::huge("200 OK", "x".repeat(70_000), "longer than 64 KiB")]
#[case::nested("200 OK", "[".repeat(60_000), "no token")]
#[case::html("200 OK", "<html>Sign in</html>".to_owned(), "no token")]
#[case::empty("200 OK", String::new(), "no token")]
#[case::other_types("200 OK", r#"{"token_type": 1, "expires_in": 1, "access_token": []}"#.to_owned(), "no token")]
#[case::no_bearer("200 OK", r#"{"token_type": "mac", "expires_in": 1, "access_token": "t"}"#.to_owned(), "bearer")]
#[case::no_life("200 OK", r#"{"token_type": "Bearer", "expires_in": null, "access_token": "t"}"#.to_owned(), "how long")]
#[case::negative("200 OK", r#"{"token_type": "Bearer", "expires_in": -5, "access_token": "t"}"#.to_owned(), "how long")]
#[case::endless("200 OK", r#"{"token_type": "Bearer", "expires_in": 1e300, "access_token": "t"}"#.to_owned(), "how long")]
#[case::words("200 OK", r#"{"token_type": "Bearer", "expires_in": "soon", "access_token": "t"}"#.to_owned(), "how long")]
#[case::two_lines("200 OK", r#"{"token_type": "Bearer", "expires_in": 9, "access_token": "canary\r\nX: y"}"#.to_owned(), "can be sent")]
#[case::no_error("400 Bad Request", r#"{"error": {"code": "canary"}}"#.to_owned(), "HTTP 400")]
#[case::nested_error("400 Bad Request", "[".repeat(60_000), "HTTP 400")]
#[case::huge_error("401 Unauthorized", "x".repeat(70_000), "HTTP 401")]
#[case::controls("400 Bad Request", format!(r#"{{"error": "\u001b[2J{SECRET}", "error_description": "\u001b]0;x\u0007 {SECRET}"}}"#), "refused")]
#[tokio::test]
async fn a_hostile_endpoint_gives_no_token_and_spoils_nothing(
    #[case] head: &str,
    #[case] body: String,
    #[case] words: &str,
) {
    let refused = answered(head, body).await.unwrap_err();
    let shown = shown(&refused);
    assert!(shown.contains(words) && shown.len() < 700 && !refused.is_transient, "{shown}");
}

#[rstest]
#[case::number("3599")]
#[case::text("\"3599\"")]
#[tokio::test]
async fn a_life_is_a_number_or_its_text(#[case] life: &str) {
    let body = format!(r#"{{"token_type": "bearer", "expires_in": {life}, "access_token": "t"}}"#);
    assert_eq!(answered("200 OK", body).await.unwrap(), "t");
}

#[rstest]
#[tokio::test]
async fn a_redirect_is_told_and_not_followed(
    #[values(301, 302, 303, 307, 308)] status: u16,
    #[values("http://localhost:PORT/", "http://127.0.0.1:PORT/", "https://127.0.0.1:PORT/", "//127.0.0.1:PORT/x")]
    to: &str,
) {
    let elsewhere = Server::start(Play::Hang(Vec::new())).await;
    let to = to.replace("PORT", &elsewhere.address.port().to_string());
    let refused = answered(&format!("{status} Moved\nlocation: {to}"), "").await.unwrap_err();
    assert!(shown(&refused).contains(&format!("another address (HTTP {status})")), "{refused}");
    assert_eq!(elsewhere.connections(), 0);
}

#[rstest]
#[case::slammed(Play::Slam, None)]
#[case::failed(Play::Answer(http("500 Internal Server Error", "")), None)]
#[case::throttled(Play::Answer(http("429 Too Many Requests\nretry-after: 7", "")), Some(7))]
#[case::later(Play::Answer(http("400 Bad Request", r#"{"error": "temporarily_unavailable"}"#)), None)]
#[tokio::test]
async fn what_may_pass_is_told_apart(#[case] play: Play, #[case] retry_after: Option<u64>) {
    let server = Server::start(play).await;
    let refused = fetched(&source_at(&format!("http://{}/t", server.address), SECRET)).await.unwrap_err();
    shown(&refused);
    assert!(refused.is_transient);
    assert_eq!(refused.retry_after.map(|wait| wait.as_secs()), retry_after);
}

#[tokio::test]
async fn the_practice_tenant_refuses_a_wrong_secret_as_the_real_one_does() {
    let tenant = tenant(Settings::default()).await;
    let refused = fetched(&source_at(&tenant.authority, SECRET)).await.unwrap_err();
    assert!(shown(&refused).contains("AADSTS7000215"), "{refused}");
    assert!(fetched(&tenant.source()).await.unwrap().starts_with("practice."));
    assert_eq!(tenant.observer.received(Endpoint::Token), 2);
    let stranger = tenant.authority.replace("/7f3c", "/0000");
    let refused = fetched(&source_at(&stranger, &tenant.secret)).await.unwrap_err();
    assert!(shown(&refused).contains("AADSTS90002"), "{refused}");
}
