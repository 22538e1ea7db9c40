//! What a fault says of an answer is harmless, whatever the answer holds, and so are the ids that stand beside it.

use serde_json::json;

use super::{answer, create};
use crate::support::{
    corpus::{NOT_UTF8, Specimen, corpus},
    harmless::assert_harmless,
    server::{Play, http},
};

#[tokio::test]
async fn nothing_that_is_said_of_an_answer_acts() {
    for Specimen { name, text } in corpus() {
        for (head, body) in [
            ("403 Forbidden", json!({ "error": { "message": text } })),
            ("500 Oops", json!({ "errorCode": text, "message": text })),
            ("201 Created", json!({ "id": [text] })),
            ("201 Created", json!({ text.as_str(): text })),
            ("200 OK", json!({ "id": text.repeat(200) })),
        ] {
            let fault = create(answer(head, body.to_string())).await.unwrap_err();
            assert_harmless(&fault.what(), name);
            assert_harmless(fault.hint(), name);
            // Debug escapes by itself, and what is marked already has nothing left to escape.
            assert_harmless(&format!("{fault:?}").replace('\\', ""), name);
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_spoil_themselves_and_are_no_id() {
    for bytes in NOT_UTF8 {
        let body = [br#"{"id": "1", "title": ""#, bytes, br#"", "deviceName": "MMD-1"}"#].concat();
        let request = create(answer("201 Created", body)).await.unwrap();
        assert!(request.title.raw().contains(char::REPLACEMENT_CHARACTER), "{:?}", request.title);
        assert_eq!((request.id.raw(), request.device.raw()), ("1", "MMD-1"));
        assert_harmless(&request.title.visible(), "a title");
        let body = [br#"{"id": ""#, bytes, br#""}"#].concat();
        let fault = create(answer("201 Created", body)).await.unwrap_err();
        assert!(fault.what().starts_with("The answer cannot be used: its id is"), "{}", fault.what());
        let whole = http("500 Oops\nrequest-id: @", "");
        let at = whole.iter().position(|byte| *byte == b'@').unwrap();
        let fault = create(Play::Answer([&whole[..at], bytes, &whole[at + 1..]].concat())).await.unwrap_err();
        let id = fault.ids.service.unwrap();
        assert_harmless(&id.visible(), "an id");
        assert!(id.raw().contains(char::REPLACEMENT_CHARACTER), "{id:?}");
    }
}
