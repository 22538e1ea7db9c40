//! The token endpoint over real bytes: a token, its end, and errors in Entra's shape.

use mmd_elevate_practice::{CLIENT_ID, Endpoint, Misdeed, Rule, SCOPE, Settings};
use rstest::rstest;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Heard, Served, query, serve};

async fn ask(served: &Served, tenant: &str, parameters: &[(&str, &str)]) -> Heard {
    let body = query(parameters);
    let head = format!(
        "POST /{tenant}/oauth2/v2.0/token HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        served.address,
        body.len()
    );
    let mut stream = TcpStream::connect(&served.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Heard { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// What is right, with some of it changed; an empty value leaves a parameter out.
async fn ask_with(served: &Served, changed: &[(&str, &str)]) -> Heard {
    let right = [
        ("client_id", CLIENT_ID),
        ("scope", SCOPE),
        ("grant_type", "client_credentials"),
        ("client_secret", &served.secret),
    ];
    let is_changed = |name: &str| changed.iter().any(|(key, _)| *key == name);
    let kept = right.into_iter().filter(|(name, _)| !is_changed(name));
    let parameters: Vec<_> = kept.chain(changed.iter().copied()).collect();
    ask(served, &served.tenant_id, &parameters).await
}

#[tokio::test]
async fn a_token_serves_until_it_ends_and_the_printed_one_for_ever() {
    let served = serve(Settings::default()).await;
    let heard = ask_with(&served, &[]).await;
    assert_eq!(heard.status, 200, "{}", heard.body);
    assert!(heard.head.contains("cache-control: no-store"), "{}", heard.head);
    let mut answer = heard.json();
    let token = answer["access_token"].take();
    assert_eq!(
        answer,
        json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": null})
    );
    let known = format!("authorization: Bearer {}\r\n", token.as_str().unwrap());
    assert_eq!(served.send("GET", &served.path("devices"), &known, "").await.status, 200);
    served.observer.end_tokens();
    let ended = served.send("GET", &served.path("devices"), &known, "").await;
    assert_eq!((ended.status, ended.body.as_str()), (401, ""));
    assert!(ended.head.contains("www-authenticate: bearer error=\"invalid_token\""), "{}", ended.head);
    assert_eq!(served.call("GET", "devices", "").await.status, 200);
}

#[rstest]
#[case::secret(&[("client_secret", "x")], 401, "invalid_client", 7_000_215)]
#[case::no_secret(&[("client_secret", "")], 401, "invalid_client", 7_000_216)]
#[case::client(&[("client_id", "x")], 400, "unauthorized_client", 700_016)]
#[case::no_client(&[("client_id", "")], 400, "invalid_request", 900_144)]
#[case::grant(&[("grant_type", "password")], 400, "unsupported_grant_type", 70_003)]
#[case::no_grant(&[("grant_type", "")], 400, "invalid_request", 900_144)]
#[case::scope(&[("scope", "openid")], 400, "invalid_scope", 70_011)]
#[case::resource(&[("scope", "https://other.example/.default")], 400, "invalid_resource", 500_011)]
#[case::assertion(
    &[("client_secret", ""), ("client_assertion", "e30.e30.x"),
      ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")],
    401, "invalid_client", 50_027
)]
#[tokio::test]
async fn what_is_wrong_is_said_as_entra_says_it(
    #[case] changed: &[(&str, &str)],
    #[case] status: u16,
    #[case] error: &str,
    #[case] code: u64,
) {
    let served = serve(Settings::default()).await;
    let heard = ask_with(&served, changed).await;
    let answer = heard.json();
    assert_eq!((heard.status, &answer["error"], &answer["error_codes"]), (status, &json!(error), &json!([code])));
    let description = answer["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    for id in ["trace_id", "correlation_id"] {
        assert!(description.contains(answer[id].as_str().unwrap()), "{answer}");
    }
    assert!(!heard.body.contains(&served.secret));
}

#[tokio::test]
async fn another_tenant_is_not_known_and_a_rule_on_any_spares_the_sign_in() {
    let rules = [Rule::new(Endpoint::Any, Misdeed::Fail), Rule::new(Endpoint::Token, Misdeed::Fail).skip(1).times(1)];
    let served = serve(Settings { rules: rules.into(), ..Settings::default() }).await;
    assert_eq!(ask(&served, "other.example", &[("a", "b")]).await.json()["error_codes"], json!([90_002]));
    assert_eq!(ask_with(&served, &[]).await.status, 500);
    assert_eq!(ask_with(&served, &[]).await.status, 200);
    assert_eq!((served.observer.received(Endpoint::Token), served.observer.received(Endpoint::Any)), (3, 0));
}
