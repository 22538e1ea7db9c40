//! The token goes to the configured origin and to no other: a second server, which everything points to, sees nobody.

use mmd_elevate_core::CallError;
use rstest::rstest;
use serde_json::{Value, json};

use super::{PATIENT, TENANT, TOKEN, client_of, new_request, request_id};
use crate::support::{
    gist, list_device,
    server::{Play, Server, http},
    within,
};

/// Two servers: the one that is configured, and the one that it points to.
struct Scene {
    service: Server,
    elsewhere: Server,
}

impl Scene {
    /// The service's answer to a request, where `elsewhere` is.
    async fn new(answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let elsewhere = Server::start(Play::Answer(http("200 OK", r#"{"value": [], "id": "stolen"}"#))).await;
        let at = elsewhere.address.to_string();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let service = Server::start_with(move |request| {
            request?;
            Some(Play::Answer(answer(&at, asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst))))
        })
        .await;
        Self { service, elsewhere }
    }

    /// Nobody came elsewhere, and whoever came to the service asked for what lies under the base.
    #[track_caller]
    fn assert_kept(&self, what: &str) {
        assert_eq!(self.elsewhere.connections(), 0, "{what}");
        assert!(self.elsewhere.bytes().is_empty(), "{what}");
        for request in self.service.requests() {
            let path = request.line().split(' ').nth(1).unwrap().to_owned();
            let base = format!("/support/odata/v1/tenants/{TENANT}/elevationRequests");
            let rest = path.strip_prefix(&base).unwrap_or_else(|| panic!("{what}: {path}"));
            assert!(rest.is_empty() || rest.starts_with('?') || rest == "/3f2b", "{what}: {path}");
            assert_eq!(request.header("authorization"), [format!("Bearer {TOKEN}")], "{what}");
            assert_eq!(request.header("host"), [self.service.address.to_string()], "{what}");
        }
    }
}

/// Ways to point to `at`, or out of the base.
fn pointers(at: &str) -> Vec<String> {
    let port = at.rsplit_once(':').unwrap().1;
    vec![
        format!("http://{at}/support/odata/v1/tenants/{TENANT}/elevationRequests"),
        format!("https://{at}/"),
        format!("//{at}/"),
        format!("http://localhost:{port}/"),
        format!("http://agent:secret@{at}/"),
        format!("\\\\{at}\\"),
        format!("http:\\\\{at}/"),
        "/outside/the/base".to_owned(),
        "../../../../outside".to_owned(),
        "?$skip=1".to_owned(),
        String::new(),
    ]
}

const POINTERS: usize = 11;

#[rstest]
#[tokio::test]
async fn no_redirect_takes_the_token_along(#[values(301, 302, 303, 307, 308, 300, 305)] status: u16) {
    for n in 0..POINTERS {
        let scene = Scene::new(move |at, _| {
            let to = &pointers(at)[n];
            http(&format!("{status} Elsewhere\nlocation: {to}\nrefresh: 0; url={to}"), format!("<a href=\"{to}\">"))
        })
        .await;
        let client = client_of(&scene.service, PATIENT);
        let redirected = CallError::redirected(status);
        assert_eq!(gist(&within(client.create(&new_request("x"))).await.unwrap_err()), gist(&redirected));
        assert_eq!(gist(&within(client.close(&request_id("3f2b"), "x")).await.unwrap_err()), gist(&redirected));
        assert_eq!(gist(&within(list_device(&client, "x")).await.unwrap_err()), gist(&redirected));
        assert_eq!(scene.service.connections(), 3, "each is sent once, also to the same origin");
        scene.assert_kept(&format!("{status} to pointer {n}"));
    }
}

#[tokio::test]
async fn no_link_of_a_list_leads_elsewhere() {
    for n in 0..POINTERS {
        let scene = Scene::new(move |at, asked| {
            let to = &pointers(at)[n];
            let links = ["@odata.nextLink", "@odata.context", "@odata.deltaLink", "@odata.id", "@nextLink", "nextLink"];
            let mut page: Value = json!({ "value": [{ "id": asked.to_string(), "@odata.editLink": to }] });
            // From the last page on there is no link to a next one, and all the others.
            for link in links.iter().skip(usize::from(asked >= 2)) {
                page[link] = json!(to);
            }
            if asked > 2 {
                page["value"] = json!([]);
            }
            http(&format!("200 OK\nlink: <{to}>; rel=next\nalt-svc: h2=\"{to}\""), page.to_string())
        })
        .await;
        let listed = within(list_device(&client_of(&scene.service, PATIENT), "x")).await.unwrap();
        assert_eq!((listed.requests.len(), scene.service.connections()), (3, 4), "pointer {n}");
        assert!(listed.is_complete(), "pointer {n}");
        scene.assert_kept(&format!("a link to pointer {n}"));
    }
}

#[tokio::test]
async fn no_address_in_any_other_answer_is_asked() {
    for n in 0..POINTERS {
        for head in ["201 Created", "200 OK", "401 Unauthorized", "403 Forbidden", "503 Busy"] {
            let scene = Scene::new(move |at, _| {
                let to = &pointers(at)[n];
                let head = format!(
                    "{head}\nlocation: {to}\ncontent-location: {to}\nwww-authenticate: Bearer \
                     authorization_uri=\"{to}\"\nlink: <{to}>; rel=preconnect\nalt-svc: h2=\"{to}\""
                );
                let body = json!({ "id": "3f2b", "@odata.context": to, "@odata.id": to,
                    "error": { "code": "1", "message": to, "target": to } });
                http(&head, body.to_string())
            })
            .await;
            let client = client_of(&scene.service, PATIENT);
            let _ = within(client.create(&new_request("x"))).await;
            let _ = within(client.close(&request_id("3f2b"), "x")).await;
            let _ = within(list_device(&client, "x")).await;
            assert_eq!(scene.service.connections(), 3);
            scene.assert_kept(&format!("{head}, pointer {n}"));
        }
    }
}
