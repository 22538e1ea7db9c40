//! What came of a create, or of looking for a write: as JSON, as a line, and as sentences.

use mmd_elevate_core::{ElevationRequest, Field, NewElevationRequest, Untrusted, WriteId};
use serde_json::{Value, json};

use crate::{
    exit::{CommandProblem, Exit},
    json,
    output::{OutputForm, plain_line},
};

/// The version of the documents. It changes when a field is renamed, removed or has another meaning.
pub const SCHEMA: u32 = 1;

/// The outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The service did it.
    Done,
    /// The service did not do it.
    NotDone,
    /// It is unknown whether the service did it.
    Unknown,
}

impl WriteOutcome {
    /// Returns its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDone => "not-done",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of a write.
#[derive(Clone, Debug)]
pub struct WriteResult {
    /// The outcome.
    pub outcome: WriteOutcome,
    /// How the command ends with it.
    pub exit: Exit,
    /// The write in the record, once there is one.
    pub intent: Option<WriteId>,
    /// The request, if it is known.
    pub request: Option<Box<ElevationRequest>>,
    /// Whether the request is known to be closed.
    pub is_closed: bool,
    /// Requests that equal what was sent: beside the request, or one of them may be it where the outcome is unknown.
    pub surplus: Vec<ElevationRequest>,
    /// Why it is not done or unknown.
    pub problem: Option<CommandProblem>,
}

impl WriteResult {
    /// Makes the result of a write that was not done.
    #[must_use]
    pub fn not_done(problem: CommandProblem) -> Self {
        let exit = problem.exit();
        Self {
            outcome: WriteOutcome::NotDone,
            exit,
            intent: None,
            request: None,
            is_closed: false,
            surplus: Vec::new(),
            problem: Some(problem),
        }
    }

    /// Makes the result of a write of unknown outcome.
    #[must_use]
    pub fn unknown(intent: Option<WriteId>, problem: CommandProblem) -> Self {
        Self { outcome: WriteOutcome::Unknown, exit: Exit::Unknown, intent, ..Self::not_done(problem) }
    }

    /// Makes the result of a write that was done.
    #[must_use]
    pub fn done(intent: Option<WriteId>, request: Option<Box<ElevationRequest>>) -> Self {
        Self {
            outcome: WriteOutcome::Done,
            exit: Exit::Done,
            intent,
            request,
            is_closed: false,
            surplus: Vec::new(),
            problem: None,
        }
    }

    /// Returns the number of the write if its outcome is unknown.
    #[must_use]
    pub fn unknown_intent(&self) -> Option<WriteId> {
        self.intent.filter(|_| self.outcome == WriteOutcome::Unknown)
    }

    /// Returns it as JSON, without the version of the document.
    #[must_use]
    pub fn fields(&self) -> Value {
        let is_closed = |request: &ElevationRequest| self.is_closed || request.closed.is_some();
        json!({
            "outcome": self.outcome.word(),
            "intent": self.intent.map(|WriteId(id)| id.to_string()),
            "request": self.request.as_ref().map(|request| json::request(request, is_closed(request), true)),
            "surplus": self.surplus.iter()
                .map(|request| json::request(request, request.closed.is_some(), false)).collect::<Vec<_>>(),
            "problem": self.problem.as_ref().map(CommandProblem::json),
        })
    }

    /// Returns it as a document.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut document = self.fields();
        document["schema"] = SCHEMA.into();
        document
    }

    /// Returns the line of the result of this create.
    #[must_use]
    pub fn line(&self, sent: &NewElevationRequest) -> String {
        let text = |field| {
            let stored = self.request.as_ref().map(|request| request.text(field)).filter(|text| !text.is_blank());
            stored.map_or(sent.get(field), Untrusted::raw).to_owned()
        };
        self.line_of(&text(Field::Ticket), &text(Field::Device), &text(Field::Title))
    }

    /// Returns the line of the result: outcome, id, intent, ticket, device, title.
    #[must_use]
    pub fn line_of(&self, ticket: &str, device: &str, title: &str) -> String {
        let intent = self.intent.map_or_else(String::new, |WriteId(id)| id.to_string());
        let id = self.request.as_ref().map_or("", |request| request.id.raw());
        plain_line([self.outcome.word(), id, &intent, ticket, device, title])
    }

    /// Returns the result of this create in this form, for standard output.
    #[must_use]
    pub fn render(&self, form: OutputForm, sent: &NewElevationRequest) -> String {
        match (form, &self.request) {
            (OutputForm::Json, _) => json::document(&self.json()),
            (OutputForm::Plain, _) => self.line(sent),
            // What is not done is a problem, and told as such.
            (OutputForm::Human, None) => String::new(),
            (OutputForm::Human, Some(request)) => {
                let title = request.text(Field::Title).visible();
                format!(
                    "Request opened: {title} on {}\nid  {}\n",
                    request.device.visible(),
                    request.id.text().visible()
                )
            }
        }
    }

    /// Returns the outcome and the id in words, for when the result cannot be printed.
    #[must_use]
    pub fn summary(&self) -> String {
        let id = self.request.as_ref().map(|request| format!(", request {}", request.id.text().visible()));
        let intent = self.intent.map(|WriteId(id)| format!(", intent {id}"));
        format!("the outcome is {}{}{}", self.outcome.word(), id.unwrap_or_default(), intent.unwrap_or_default())
    }
}
