//! A service that holds requests, and misbehaves as it is told.

use std::collections::VecDeque;

use jiff::Timestamp;
use mmd_elevate_core::Field;
use serde_json::{Value, json};

use super::new_request;
use crate::support::server::{Play, Request, http};

/// What the service does with a write.
#[derive(Clone, Debug)]
pub(super) struct Act {
    commits: bool,
    then: Then,
}

#[derive(Clone, Debug)]
enum Then {
    AnswerWell,
    Play(Play),
    CutTheAnswer,
    /// Nothing is read at all.
    Slam,
}

/// It does it, and then plays this.
pub(super) fn commits_then(play: Play) -> Act {
    Act { commits: true, then: Then::Play(play) }
}

/// It does nothing, and plays this.
pub(super) fn plays(play: Play) -> Act {
    Act { commits: false, then: Then::Play(play) }
}

/// The same with an answer.
pub(super) fn says(head: &str) -> Play {
    Play::Answer(http(head, ""))
}

pub(super) fn slams() -> Act {
    Act { commits: false, then: Then::Slam }
}

pub(super) fn commits_and_cuts_the_answer() -> Act {
    Act { commits: true, then: Then::CutTheAnswer }
}

pub(super) fn does_as_asked() -> Act {
    Act { commits: true, then: Then::AnswerWell }
}

/// What the service holds and is told to do.
#[derive(Default)]
pub(super) struct Held {
    pub(super) requests: Vec<Value>,
    pub(super) acts: VecDeque<Act>,
    /// What the next lists are answered instead.
    pub(super) lists: VecDeque<Play>,
    /// So many lists show what was there before the first write.
    pub(super) stale_lists: usize,
    pub(super) stale: Vec<Value>,
    pub(super) creates: usize,
    pub(super) closes: usize,
    pub(super) listed: usize,
}

impl Held {
    pub(super) fn decide(&mut self, request: Option<&Request>) -> Option<Play> {
        let Some(request) = request else {
            // Only a write that comes next is slammed: tests use it for a first call.
            let slams = matches!(self.acts.front(), Some(Act { then: Then::Slam, .. }));
            return slams.then(|| {
                self.acts.pop_front();
                Play::Slam
            });
        };
        let line = request.line().to_owned();
        if line.starts_with("GET ") {
            return Some(self.list(&line));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let act = self.acts.pop_front().unwrap_or_else(does_as_asked);
        let well = if line.starts_with("POST ") {
            self.creates += 1;
            self.create(&act, &body)
        } else {
            self.closes += 1;
            self.close(&act, &line, &body)
        };
        Some(match act.then {
            Then::AnswerWell => Play::Answer(well),
            Then::CutTheAnswer => Play::Answer(well[..well.len() - 3].to_vec()),
            Then::Play(play) => play,
            Then::Slam => Play::Slam,
        })
    }

    fn create(&mut self, act: &Act, body: &Value) -> Vec<u8> {
        let entity = entity(&format!("r{}", self.requests.len() + 1), body);
        if act.commits {
            self.requests.push(entity.clone());
        }
        http("201 Created\nx-ms-request-id: theirs", entity.to_string())
    }

    fn close(&mut self, act: &Act, line: &str, body: &Value) -> Vec<u8> {
        let id = line.split([' ', '/']).rev().nth(2).unwrap().to_owned();
        let Some(entity) = self.requests.iter_mut().find(|entity| entity["id"] == id.as_str()) else {
            return error("404 Not Found", "This elevation request does not exist.");
        };
        if !entity["requestClosureTime"].is_null() {
            return error("400 Bad Request", "This elevation request was already closed.");
        }
        if act.commits {
            self.stale = vec![entity.clone()];
            entity["requestClosureTime"] = json!(Timestamp::now().to_string());
            entity["closingAgentUpn"] = json!("agent@example.org");
            entity["actionsTaken"] = body["ActionsTaken"].clone();
        }
        http("204 No Content\nx-ms-request-id: theirs", "")
    }

    fn list(&mut self, line: &str) -> Play {
        // A list is counted by its first page; the second is empty.
        if !line.contains("$skip=0&") {
            return Play::Answer(http("200 OK", json!({ "value": [] }).to_string()));
        }
        self.listed += 1;
        if let Some(play) = self.lists.pop_front() {
            return play;
        }
        let stale = self.stale_lists > 0;
        self.stale_lists = self.stale_lists.saturating_sub(1);
        let all = if stale { &self.stale } else { &self.requests };
        Play::Answer(http("200 OK", json!({ "value": all }).to_string()))
    }
}

fn error(head: &str, words: &str) -> Vec<u8> {
    http(head, json!({"error": {"code": "", "message": words}}).to_string())
}

/// What the service makes of a create's body.
pub(super) fn entity(id: &str, body: &Value) -> Value {
    json!({
        "id": id, "partnerTicketId": body["PartnerTicketId"], "deviceName": body["DeviceName"],
        "title": body["Title"], "category": body["Category"], "subcategory": body["Subcategory"],
        "planOfAction": body["PlanOfAction"], "actionsTaken": "", "closingAgentUpn": "",
        "requestCreationTime": Timestamp::now().to_string(), "requestClosureTime": null,
    })
}

/// One as the agents of these tests make them.
pub(super) fn entity_of(id: &str, text: &str) -> Value {
    let new = new_request(text);
    let get = |field| new.get(field);
    entity(
        id,
        &json!({
            "PartnerTicketId": get(Field::Ticket), "DeviceName": get(Field::Device), "Title": get(Field::Title),
            "Category": get(Field::Category), "Subcategory": get(Field::Subcategory),
            "PlanOfAction": get(Field::PlanOfAction),
        }),
    )
}
