//! A service that holds requests, and misbehaves as it is told.

use std::collections::VecDeque;

use jiff::Timestamp;
use mmd_elevate_core::{Field, NewElevationRequest};
use serde_json::{Value, json};

use super::new_request;
use crate::support::server::{Play, Request, http};

/// What the service does with a write.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) commits: bool,
    pub(super) then: Then,
}

#[derive(Clone, Debug)]
pub(super) enum Then {
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

/// What the service says of a close that it does not take.
pub(super) const NO_REQUEST: &str = "This elevation request does not exist.";
pub(super) const CLOSED: &str = "This elevation request was already closed.";

/// What the service holds and is told to do, whichever way it is called.
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
    /// What becomes of a connection.
    pub(super) fn decide(&mut self, request: Option<&Request>) -> Option<Play> {
        let Some(request) = request else {
            // Only a write that comes next is slammed: tests use it for a first call.
            return self.is_slammed().then_some(Play::Slam);
        };
        let line = request.line().to_owned();
        if line.starts_with("GET ") {
            return Some(self.list(&line));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let act = self.next_act();
        let well = if line.starts_with("POST ") {
            http("201 Created\nx-ms-request-id: theirs", self.create(&act, &body).to_string())
        } else {
            let id = line.split([' ', '/']).rev().nth(2).unwrap();
            match self.close(&act, id, body["ActionsTaken"].as_str().unwrap(), close) {
                Ok(()) => http("204 No Content\nx-ms-request-id: theirs", ""),
                Err(NO_REQUEST) => error("404 Not Found", NO_REQUEST),
                Err(words) => error("400 Bad Request", words),
            }
        };
        Some(match act.then {
            Then::AnswerWell => Play::Answer(well),
            Then::CutTheAnswer => Play::Answer(well[..well.len() - 3].to_vec()),
            Then::Play(play) => play,
            Then::Slam => Play::Slam,
        })
    }

    /// Whether the write that comes next is not even read.
    pub(super) fn is_slammed(&mut self) -> bool {
        let slams = matches!(self.acts.front(), Some(Act { then: Then::Slam, .. }));
        if slams {
            self.acts.pop_front();
        }
        slams
    }

    pub(super) fn next_act(&mut self) -> Act {
        self.acts.pop_front().unwrap_or_else(does_as_asked)
    }

    pub(super) fn create(&mut self, act: &Act, body: &Value) -> Value {
        self.creates += 1;
        let entity = entity(&format!("r{}", self.requests.len() + 1), body);
        if act.commits {
            self.requests.push(entity.clone());
        }
        entity
    }

    /// Closes a request as `commit` says. The error is why it cannot be closed.
    pub(super) fn close(
        &mut self,
        act: &Act,
        id: &str,
        text: &str,
        commit: impl FnOnce(&mut Value, &str),
    ) -> Result<(), &'static str> {
        self.closes += 1;
        let entity = self.requests.iter_mut().find(|entity| entity["id"] == id).ok_or(NO_REQUEST)?;
        if !entity["requestClosureTime"].is_null() {
            return Err(CLOSED);
        }
        if act.commits {
            self.stale = vec![entity.clone()];
            commit(entity, text);
        }
        Ok(())
    }

    fn list(&mut self, line: &str) -> Play {
        // A list is counted by its first page; the second is empty.
        if !line.contains("$skip=0&") {
            return Play::Answer(http("200 OK", json!({ "value": [] }).to_string()));
        }
        match self.look() {
            Ok(all) => Play::Answer(http("200 OK", json!({ "value": all }).to_string())),
            Err(play) => play,
        }
    }

    /// What is listed now, or what is played instead.
    pub(super) fn look(&mut self) -> Result<Vec<Value>, Play> {
        self.listed += 1;
        if let Some(play) = self.lists.pop_front() {
            return Err(play);
        }
        let stale = self.stale_lists > 0;
        self.stale_lists = self.stale_lists.saturating_sub(1);
        Ok(if stale { self.stale.clone() } else { self.requests.clone() })
    }
}

/// The request is closed now, with this text.
pub(super) fn close(entity: &mut Value, text: &str) {
    entity["requestClosureTime"] = json!(Timestamp::now().to_string());
    entity["closingAgentUpn"] = json!("agent@example.org");
    entity["actionsTaken"] = json!(text);
}

fn error(head: &str, words: &str) -> Vec<u8> {
    http(head, json!({"error": {"code": "", "message": words}}).to_string())
}

/// What the service makes of a create's body.
fn entity(id: &str, body: &Value) -> Value {
    json!({
        "id": id, "partnerTicketId": body["PartnerTicketId"], "deviceName": body["DeviceName"],
        "title": body["Title"], "category": body["Category"], "subcategory": body["Subcategory"],
        "planOfAction": body["PlanOfAction"], "actionsTaken": "", "closingAgentUpn": "",
        "requestCreationTime": Timestamp::now().to_string(), "requestClosureTime": null,
    })
}

/// A create's body.
pub(super) fn body_of(new: &NewElevationRequest) -> Value {
    let get = |field| new.get(field);
    json!({
        "PartnerTicketId": get(Field::Ticket), "DeviceName": get(Field::Device), "Title": get(Field::Title),
        "Category": get(Field::Category), "Subcategory": get(Field::Subcategory),
        "PlanOfAction": get(Field::PlanOfAction),
    })
}

/// One as the agents of these tests make them.
pub(super) fn entity_of(id: &str, text: &str) -> Value {
    entity(id, &body_of(&new_request(text)))
}
