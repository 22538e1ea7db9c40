//! Answers that say what is not so, and entities that are written in another way: what the caller hears, and what the
//! tenant holds after it.

use mmd_elevate_practice::{Endpoint, Misdeed, Rule, Shape};
use rstest::rstest;
use serde_json::Value;

use super::{
    Served,
    misbehaviour::{header, misbehaving},
};

const CLOSE: &str = r#"{"ActionsTaken": "x"}"#;

impl Served {
    async fn close_made(&self) -> super::Heard {
        self.call("PATCH", &format!("elevationRequests/{}", self.made()[0].id), CLOSE).await
    }
}

#[rstest]
#[case::error_200(Misdeed::Error200, 200, r#"{"error":"Forbidden"}"#)]
#[case::no_route(
    Misdeed::NoRoute,
    404,
    r#"{"error":{"code":"404","message":"Resource not found for the segment 'elevationRequests'."}}"#
)]
#[case::ignore(Misdeed::Ignore, 204, "")]
#[tokio::test]
async fn a_close_that_is_not_done_is_answered_as_told(
    #[case] misdeed: Misdeed,
    #[case] status: u16,
    #[case] body: &str,
) {
    let served = misbehaving([Rule::new(Endpoint::Close, misdeed).times(1)]).await;
    served.create("DeviceName", "to close").await;
    let heard = served.close_made().await;
    assert_eq!((heard.status, heard.body.as_str()), (status, body));
    assert!(served.made()[0].open && served.made()[0].actions_taken.is_empty());
    assert_eq!(served.close_made().await.status, 204, "once");
    assert!(!served.made()[0].open);
}

#[rstest]
#[case::create(Endpoint::Create)]
#[case::close(Endpoint::Close)]
#[tokio::test]
async fn a_redirect_comes_after_the_call_was_done_and_leads_to_the_list(#[case] on: Endpoint) {
    let served = misbehaving([]).await;
    served.create("DeviceName", "before").await;
    served.observer.set_rules([Rule::new(on, Misdeed::RedirectAfter)]);
    let heard =
        if on == Endpoint::Create { served.create("DeviceName", "made").await } else { served.close_made().await };
    // Heads are heard in small letters.
    let place = format!("http://{}{}", served.address, served.path("elevationRequests")).to_lowercase();
    assert_eq!((heard.status, header(&heard, "location"), heard.body.as_str()), (303, place.as_str(), ""));
    let made = served.made();
    assert!(made.last().unwrap().title == "made" || !made[0].open);
}

/// The sample as the create is answered, and the newest two as they are listed then.
async fn written(on: Endpoint, shape: Shape, entries: Option<usize>) -> (Value, Vec<Value>) {
    let served = misbehaving([]).await;
    served.create("DeviceName", "older").await;
    served.observer.set_rules([Rule::new(on, Misdeed::Shape(shape, entries))]);
    (served.create("DeviceName", "newest").await.json(), served.list(&[("$top", "2")]).await)
}

fn keys(entity: &Value) -> Vec<&str> {
    entity.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_bare_answer_has_its_id_alone() {
    let (created, listed) = written(Endpoint::Create, Shape::Bare, None).await;
    assert_eq!(keys(&created), ["id"]);
    assert_eq!(listed[0]["id"], created["id"]);
    assert_eq!(listed[0]["title"], "newest", "lists are not about creates");
}

#[tokio::test]
async fn null_texts_are_those_that_a_create_sends() {
    let (created, listed) = written(Endpoint::Any, Shape::NullTexts, Some(1)).await;
    for entity in [&created, &listed[0]] {
        for key in ["partnerTicketId", "deviceName", "title", "category", "subcategory", "planOfAction"] {
            assert!(entity[key].is_null() && entity.get(key).is_some(), "{key}");
        }
        assert!(entity["id"].is_string() && entity["requestCreationTime"].is_string());
    }
    assert_eq!(listed[1]["title"], "older", "the first alone");
}

#[tokio::test]
async fn a_null_ticket_leaves_the_rest() {
    let (created, listed) = written(Endpoint::List, Shape::NullTicket, None).await;
    assert_eq!(created["partnerTicketId"], "Support Ticket Id");
    assert!(listed.iter().all(|one| one["partnerTicketId"].is_null() && one["title"].is_string()), "{listed:?}");
}

#[tokio::test]
async fn pascal_case_is_in_all_keys_of_an_entity() {
    let (created, listed) = written(Endpoint::Any, Shape::PascalCase, None).await;
    for entity in [&created, &listed[0], &listed[1]] {
        let small = keys(entity).into_iter().filter(|key| key.starts_with(|c: char| c.is_lowercase())).count();
        assert_eq!((small, entity["Title"].is_string(), entity["Id"].is_string()), (0, true, true), "{entity}");
    }
    assert_eq!(created["Id"], listed[0]["Id"]);
}

#[tokio::test]
async fn an_id_in_capitals_is_listed_in_small_letters() {
    let (created, listed) = written(Endpoint::Create, Shape::CapitalId, None).await;
    let (told, shown) = (created["id"].as_str().unwrap(), listed[0]["id"].as_str().unwrap());
    assert_eq!(told.to_lowercase(), shown);
    assert_ne!(told, shown);
}

#[tokio::test]
async fn an_entry_without_an_id_stands_beside_whole_ones() {
    let (created, listed) = written(Endpoint::List, Shape::NoId, Some(1)).await;
    assert!(created["id"].is_string());
    assert_eq!((listed[0].get("id"), listed[0]["title"].as_str()), (None, Some("newest")));
    assert!(listed[1]["id"].is_string());
}

#[tokio::test]
async fn a_torn_text_is_half_a_character_in_the_bytes() {
    let served = misbehaving([Rule::new(Endpoint::List, Misdeed::Shape(Shape::TornText, Some(1)))]).await;
    served.create("DeviceName", "older").await;
    served.create("DeviceName", "newest").await;
    let heard = served.call("GET", "elevationRequests?$top=2", "").await;
    assert!(
        heard.body.contains(r#""title":"newest\ud83d""#) && heard.body.contains(r#""title":"older""#),
        "{}",
        heard.body
    );
    assert_eq!(header(&heard, "content-length"), heard.body.len().to_string());
}

#[tokio::test]
async fn shapes_add_up_and_spare_what_is_no_entity() {
    let shape = |shape| Rule::new(Endpoint::Any, Misdeed::Shape(shape, None));
    let served = misbehaving([shape(Shape::PascalCase), shape(Shape::CapitalId), shape(Shape::NullTicket)]).await;
    let created = served.create("DeviceName", "all").await.json();
    let id = created["Id"].as_str().unwrap();
    assert_eq!(id, id.to_uppercase());
    assert!(created["PartnerTicketId"].is_null() && created["Title"] == "all");
    served.create("no such device", "refused").await.refuses(404, "This device does not exist.");
}
