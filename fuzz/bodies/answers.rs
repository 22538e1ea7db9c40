//! Answers of the service: whatever the bytes are, they end as requests that can be named or as a fault in words.

use mmd_elevate_core::{ElevationRequest, invisible_characters};
use mmd_elevate_engine::mmd::read_as_each;

/// The longest text that a fault may have, in characters: 500 of the service's, each at most as long as `‹U+10FFFF›`.
const LONGEST: usize = 500 * 10 + 100;

/// The body of an answer that says success or failure: the bytes as they are, and as the words of both shapes of an error.
pub(crate) fn answers(success: bool, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let documented = serde_json::json!({ "error": { "code": "403", "message": text } }).to_string();
    let elsewhere = serde_json::json!({ "errorCode": "400", "message": text }).to_string();
    // One of each meaning: every answer is read three times for each.
    let statuses: &[u16] = if success { &[200, 201, 204] } else { &[302, 400, 401, 403, 404, 408, 429, 500, 503] };
    for status in statuses {
        for body in [data, documented.as_bytes(), elsewhere.as_bytes()] {
            check(*status, body);
        }
    }
}

fn check(status: u16, body: &[u8]) {
    for result in read_as_each(status, body) {
        match result {
            Ok(requests) => {
                assert!((200..300).contains(&status), "{status} is no success");
                assert!(requests.len() <= body.len(), "more requests than bytes");
                for request in &requests {
                    check_request(request);
                }
            }
            Err(fault) => {
                let decided = (300..500).contains(&status) && status != 408;
                assert!(!decided || !fault.may_have_happened(), "{status} leaves no doubt: {fault:?}");
                for text in [&fault.what(), fault.hint()] {
                    check_shown(text);
                    assert!(text.chars().count() <= LONGEST, "{} characters", text.chars().count());
                }
            }
        }
    }
}

fn check_request(request: &ElevationRequest) {
    let id = request.id.raw();
    assert!(!id.trim().is_empty() && id.len() <= 128 && !id.contains(char::is_control), "{id:?}");
    let ElevationRequest { ticket, device, title, category, subcategory, plan_of_action, actions_taken, .. } = request;
    for text in [ticket, device, title, category, subcategory, plan_of_action, actions_taken] {
        check_shown(&text.visible());
        for line in text.visible_lines() {
            check_shown(&line);
        }
    }
    for text in request.viewers.iter().chain([&request.requested_by, &request.closed_by]) {
        check_shown(&text.visible());
    }
}

fn check_shown(text: &str) {
    assert_eq!(invisible_characters(text), 0, "{text:?}");
    assert!(!text.contains('\n'), "{text:?}");
}
