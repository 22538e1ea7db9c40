//! Reads the message of an error body, in the shapes that services and gateways use.
//!
//! | shape | where the message is |
//! |---|---|
//! | `{"error": {"code", "message"}}` (create and close documents; `OData` v4) | `message`, `details`, `innererror` |
//! | `{"odata.error": {"code", "message": {"lang", "value"}}}` (`OData` v3) | `value` |
//! | `{"errorCode", "message"}` (another endpoint of the same service) | `message` |
//! | `{"error": "…", "error_description": "…"}` (OAuth, Spring) | the description, else the error itself |
//! | `{"Message", "ExceptionMessage", "ModelState"}` (ASP.NET) | all of them |
//! | `{"title", "detail", "errors": {"Field": ["…"]}}` (problem details, RFC 9457) | all of them |
//! | `{"Field": ["…"]}` (ASP.NET) | each with its field |
//!
//! `error_text.rs` reads bodies that are not JSON. The letter case of keys does not matter.

use serde_json::{Map, Value};

use super::wire::{member, members};
use mmd_elevate_core::Untrusted;

/// How deep nested errors are read, and how many texts are collected.
const MAX_DEPTH: usize = 6;
const MAX_TEXTS: usize = 16;

/// A text longer than this is redundant if another text contains it.
const LONGEST_WORD: usize = 8;

/// Keys that hold a message, the most specific first.
const MESSAGES: [&str; 9] = [
    "message",
    "errorMessage",
    "error_message",
    "error_description",
    "errorDescription",
    "faultstring",
    "exceptionMessage",
    "messageDetail",
    "userMessage",
];

/// Keys that hold an error, or a word for it.
const ERRORS: [&str; 3] = ["error", "odata.error", "error"];

/// Keys that hold an inner error.
const INNER: [&str; 4] = ["innererror", "inner_error", "innerException", "internalexception"];

/// Keys that hold the errors of fields.
const FIELDS: [&str; 3] = ["errors", "modelState", "validationErrors"];

/// Keys beside which `title` and `detail` belong to an error, and not to an elevation request.
const PROBLEM: [&str; 6] = ["status", "type", "detail", "errors", "instance", "traceId"];

/// A sentence to which the documents give a meaning, in the form of [`normalize`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence(&'static str);

/// 403 to a create (create document).
pub(super) const TOO_MANY_OPEN: Sentence = Sentence("this device has too many open elevation requests");
/// 404 to a create (create document).
pub(super) const NO_SUCH_DEVICE: Sentence = Sentence("this device does not exist");
/// 400 to a close (close document).
pub(super) const ALREADY_CLOSED: Sentence = Sentence("this elevation request was already closed");
/// 404 to a close (close document).
pub(super) const NO_SUCH_REQUEST: Sentence = Sentence("this elevation request does not exist");

/// The message of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceMessage {
    /// The message first, then its details.
    texts: Vec<String>,
    code: Option<String>,
}

impl ServiceMessage {
    /// Returns all texts on one line. It is blank for an error without texts.
    pub(super) fn text(&self) -> Untrusted {
        Untrusted::new(self.texts.join(" · "))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns whether one of the texts is this sentence. A text that contains it does not count: "The segment … does not exist"
    /// is not about an elevation request.
    pub(super) fn says(&self, sentence: Sentence) -> bool {
        self.texts.iter().any(|text| normalize(text) == sentence.0)
    }

    /// Returns whether the caller lacks a right, according to the phrases of Microsoft Graph and similar services (inferred).
    pub(super) fn is_about_rights(&self) -> bool {
        let phrases = [
            "insufficient privilege",
            "insufficient permission",
            "authorization_requestdenied",
            "required role",
            "required permission",
            "missing role",
            "missing application role",
        ];
        let texts = self.texts.iter().chain(&self.code).map(|text| text.to_lowercase());
        texts.into_iter().any(|text| phrases.iter().any(|phrase| text.contains(phrase)))
    }

    /// Adds a text, unless it is redundant.
    pub(super) fn push(&mut self, text: &str) {
        let text = text.trim();
        let lower = text.to_lowercase();
        let known = |known: &String| {
            let known = known.to_lowercase();
            known == lower || (text.len() > LONGEST_WORD && known.contains(&lower))
        };
        if !text.is_empty() && self.texts.len() < MAX_TEXTS && !self.texts.iter().any(known) {
            self.texts.push(text.to_owned());
        }
    }

    /// Adds a text, a list of texts, or an object with a text.
    fn add_value(&mut self, value: &Value, prefix: &str, depth: usize) {
        match value {
            Value::String(text) if text.trim_start().starts_with('{') && depth < MAX_DEPTH => {
                // A gateway may put the error body of the service behind it into its message.
                let inner = serde_json::from_str::<Value>(text).ok();
                match inner.and_then(|inner| parse_at(&inner, depth + 1)) {
                    Some(inner) => inner.texts.iter().for_each(|text| self.push(text)),
                    None => self.push(&format!("{prefix}{text}")),
                }
            }
            Value::String(text) if !text.trim().is_empty() => self.push(&format!("{prefix}{text}")),
            Value::Array(list) => list.iter().for_each(|value| self.add_value(value, prefix, depth + 1)),
            Value::Object(object) if depth < MAX_DEPTH => {
                match ["value", "text"].iter().find_map(|key| member(object, key)).filter(|value| value.is_string()) {
                    Some(text) => self.add_value(text, prefix, depth + 1),
                    None => _ = self.add_error(object, prefix, depth + 1),
                }
            }
            _ => {}
        }
    }

    /// Adds the texts of an error. Returns whether the object has the shape of an error.
    fn add_error(&mut self, object: &Map<String, Value>, prefix: &str, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let mut is_error = false;
        let holders = || ERRORS.iter().flat_map(|key| members(object, key));
        for error in holders().filter(|error| !error.is_string()) {
            is_error = true;
            match error {
                Value::Object(error) => _ = self.add_error(error, prefix, depth + 1),
                error => self.add_value(error, prefix, depth + 1),
            }
        }
        let target = member(object, "target").and_then(Value::as_str).filter(|_| depth > 1);
        let prefix = target.map_or_else(|| prefix.to_owned(), |target| format!("{prefix}{target}: "));
        for message in MESSAGES.iter().flat_map(|key| members(object, key)) {
            is_error = true;
            self.add_value(message, &prefix, depth + 1);
        }
        if depth > 0 || PROBLEM.iter().any(|key| member(object, key).is_some()) {
            for key in ["title", "detail"] {
                for text in members(object, key).filter(|text| text.is_string()) {
                    is_error = true;
                    self.add_value(text, &prefix, depth + 1);
                }
            }
        }
        for key in FIELDS {
            for fields in members(object, key).filter(|fields| !fields.is_string()) {
                is_error = true;
                self.add_fields(fields, depth + 1);
            }
        }
        // At the top level, `details` belong to an error only if it has a message.
        for details in members(object, "details").filter(|_| is_error || depth > 0) {
            self.add_value(details, &prefix, depth + 1);
        }
        for inner in INNER.iter().flat_map(|key| members(object, key)).filter_map(Value::as_object) {
            self.add_error(inner, &prefix, depth + 1);
        }
        let code = ["code", "errorCode"].iter().find_map(|key| member(object, key)).and_then(Value::as_str);
        if let Some(code) = code.filter(|code| !code.trim().is_empty()) {
            self.code.get_or_insert_with(|| code.to_owned());
        }
        is_error |= member(object, "errorCode").is_some();
        // A word for the error is used only if there is no message.
        for error in holders().filter_map(Value::as_str) {
            is_error = true;
            if self.is_blank() {
                self.push(error);
            }
        }
        is_error
    }

    /// Adds the errors of fields.
    fn add_fields(&mut self, fields: &Value, depth: usize) {
        match fields {
            Value::Object(fields) => {
                for (name, problems) in fields {
                    let prefix = if name.trim().is_empty() { String::new() } else { format!("{name}: ") };
                    self.add_value(problems, &prefix, depth + 1);
                }
            }
            fields => self.add_value(fields, "", depth + 1),
        }
    }
}

/// Reads an error body. Returns `None` if it does not have the shape of an error.
pub(super) fn parse(answer: &Value) -> Option<ServiceMessage> {
    parse_at(answer, 0)
}

/// Returns whether an object holds an error beside what it is about. Unlike in [`parse`], texts under any key are no error: in an
/// answer that says success, `{"value": ["…"]}` is a list of texts.
pub(super) fn is_beside(answer: &Value) -> bool {
    answer.as_object().is_some_and(|object| ServiceMessage::default().add_error(object, "", 0))
}

fn parse_at(answer: &Value, depth: usize) -> Option<ServiceMessage> {
    let mut message = ServiceMessage::default();
    match answer {
        Value::String(text) => message.push(text),
        Value::Object(object) => {
            let is_error = message.add_error(object, "", depth);
            let are_texts = |value: &Value| {
                value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string))
            };
            if !is_error {
                if object.is_empty() || !object.values().all(are_texts) {
                    return None;
                }
                message.add_fields(answer, depth);
            }
        }
        Value::Array(list) if depth < MAX_DEPTH && list.iter().any(|error| parse_at(error, depth + 1).is_some()) => {
            message.add_value(answer, "", depth + 1);
        }
        _ => return None,
    }
    // A code is used if there is no text, unless it is a number, which adds nothing to the status.
    if message.is_blank()
        && let Some(code) = message.code.clone().filter(|code| !code.bytes().all(|byte| byte.is_ascii_digit()))
    {
        message.push(&code);
    }
    Some(message)
}

/// Normalizes a sentence for comparison: letter case, blanks, and surrounding punctuation do not matter.
fn normalize(text: &str) -> String {
    let words = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    words.trim_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace()).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(answer: &Value) -> Option<String> {
        parse(answer).map(|message| message.text().raw().to_owned())
    }

    #[test]
    fn words_of_every_shape_are_read() {
        for (answer, told) in [
            (json!({"error": {"code": "403", "message": "No."}}), "No."),
            (json!({"Error": {"Code": "403", "Message": "No."}}), "No."),
            (json!({"errorCode": "400", "message": "No.", "instanceAnnotations": []}), "No."),
            (json!({"ERRORCODE": "400", "MESSAGE": "No."}), "No."),
            (json!({"odata.error": {"code": "", "message": {"lang": "en-US", "value": "No."}}}), "No."),
            (json!({"error": {"message": {"Lang": "en", "Value": "No."}}}), "No."),
            (json!({"error": "invalid_token", "message": "No."}), "No."),
            (json!({"error": "invalid_token", "error_description": "It has ended."}), "It has ended."),
            (json!({"error": "Forbidden"}), "Forbidden"),
            (json!({"status": 403, "error": "Forbidden", "path": "/x"}), "Forbidden"),
            (json!({"statusCode": 404, "message": "Resource not found"}), "Resource not found"),
            (
                json!({"Message": "An error has occurred.", "ExceptionMessage": "No.", "StackTrace": "at x"}),
                "An error has occurred. · No.",
            ),
            (
                json!({"Message": "The request is invalid.", "ModelState": {"body.Title": ["Too long."]}}),
                "The request is invalid. · body.Title: Too long.",
            ),
            (
                json!({"type": "about:blank", "title": "Invalid.", "status": 400, "detail": "See errors.",
                    "errors": {"Title": ["Too long.", "No."], "": ["None."]}}),
                "Invalid. · See errors. · None. · Title: Too long. · Title: No.",
            ),
            (json!({"title": "Not Found", "status": 404, "traceId": "00-1"}), "Not Found"),
            (json!({"Title": ["The Title field is required."]}), "Title: The Title field is required."),
            (
                json!({"error": {"code": "BadRequest", "message": "Invalid.", "target": "body",
                    "details": [{"code": "x", "target": "Title", "message": "Too long."}, {"message": "No."}]}}),
                "Invalid. · Title: Too long. · No.",
            ),
            (
                json!({"error": {"code": "1", "message": "Invalid.", "innererror": {"code": "2", "message": "Deeper.",
                    "type": "Some.Exception", "stacktrace": "at x", "innerError": {"message": "Deepest."}}}}),
                "Invalid. · Deeper. · Deepest.",
            ),
            (
                json!({"errors": [{"message": "One."}, {"title": "Two", "detail": "Three."}, "Four."]}),
                "One. · Two · Three. · Four.",
            ),
            (json!({"error": {"message": "{\"error\": {\"message\": \"Behind it.\"}}"}}), "Behind it."),
            (json!({"error": {"code": "Authorization_RequestDenied"}}), "Authorization_RequestDenied"),
            (json!({"error": {"faultstring": "No."}}), "No."),
            (json!("No."), "No."),
            (json!({"error": {"code": ""}}), ""),
            (json!({"error": {"code": "403", "message": ""}}), ""),
            (json!({"error": {"message": null}}), ""),
            (json!({"error": {}}), ""),
        ] {
            assert_eq!(words(&answer).as_deref(), Some(told), "{answer}");
        }
    }

    #[test]
    fn json_that_is_no_error_has_no_words() {
        for answer in [
            json!({}),
            json!(null),
            json!([]),
            json!(7),
            json!({"id": "1", "title": "Excel crashes", "deviceName": "MMD-1"}),
            json!({"value": [{"id": "1"}]}),
            json!({"success": false}),
            json!({"value": [], "title": "x"}),
        ] {
            assert_eq!(words(&answer), None, "{answer}");
        }
    }

    #[test]
    fn sentence_is_the_whole_sentence_and_nothing_like_it() {
        let says = |message: &str| parse(&json!({"error": {"message": message}})).unwrap().says(NO_SUCH_REQUEST);
        for message in [
            "This elevation request does not exist.",
            " this  Elevation request\ndoes not exist ",
            "\"This elevation request does not exist\"",
            "THIS ELEVATION REQUEST DOES NOT EXIST!",
        ] {
            assert!(says(message), "{message}");
        }
        for message in [
            "Resource not found for the segment 'elevationRequests'.",
            "The segment 'elevationRequests' does not exist.",
            "This elevation request does not exist in this region; try another endpoint.",
            "does not exist",
            "This device does not exist.",
            "This elevation request was already closed.",
            "",
        ] {
            assert!(!says(message), "{message}");
        }
    }
}
