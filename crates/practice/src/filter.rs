//! `$filter`, as far as the documents' examples go: `eq`, `contains(…,'…')`, and `and` between them. That open requests
//! can be asked for with `requestClosureTime eq null` is an assumption: such services usually understand it.

use super::{tenant::same_name, wire::ElevationRequest};

/// What a request must meet to be listed.
#[derive(Default)]
pub(super) struct Filter(Vec<Condition>);

enum Condition {
    IsOpen,
    Text { read: Read, test: Test, text: String },
}

type Read = fn(&ElevationRequest) -> &str;

#[derive(Clone, Copy)]
enum Test {
    Equals,
    NamesDevice,
    Contains,
}

impl Filter {
    /// Reads the option's value, percent-decoded. The error is words for the caller.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        let mut rest = text;
        loop {
            let (condition, after) = condition(rest.trim_start())?;
            conditions.push(condition);
            let after = after.trim();
            if after.is_empty() {
                return Ok(Self(conditions));
            }
            rest = after.strip_prefix("and ").ok_or_else(|| not_understood(after))?;
        }
    }

    /// The one device that it asks for, if it does.
    pub(super) fn device(&self) -> Option<&str> {
        self.0.iter().find_map(|condition| match condition {
            Condition::Text { test: Test::NamesDevice, text, .. } => Some(text.as_str()),
            Condition::Text { .. } | Condition::IsOpen => None,
        })
    }

    /// Whether the request meets all of it.
    pub(super) fn holds(&self, request: &ElevationRequest) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::IsOpen => request.is_open(),
            Condition::Text { read, test: Test::Equals, text } => read(request) == text,
            Condition::Text { read, test: Test::NamesDevice, text } => same_name(read(request), text),
            Condition::Text { read, test: Test::Contains, text } => read(request).contains(text),
        })
    }
}

/// One condition, and what stands behind it.
fn condition(text: &str) -> Result<(Condition, &str), String> {
    if let Some(inner) = text.strip_prefix("contains(") {
        let (name, rest) = word(inner.trim_start());
        let rest = rest.trim_start().strip_prefix(',').ok_or_else(|| not_understood(rest))?;
        let (text, rest) = literal(rest.trim_start())?;
        let rest = rest.trim_start().strip_prefix(')').ok_or_else(|| not_understood(rest))?;
        Ok((Condition::Text { read: property(name)?, test: Test::Contains, text }, rest))
    } else {
        let (name, rest) = word(text);
        let rest = rest.trim_start().strip_prefix("eq ").ok_or_else(|| not_understood(text))?.trim_start();
        if let ("requestClosureTime", ("null", rest)) = (name, word(rest)) {
            return Ok((Condition::IsOpen, rest));
        }
        let (text, rest) = literal(rest)?;
        // A device is found by its name in any letter case, here as in a create.
        let equals = if name == "deviceName" { Test::NamesDevice } else { Test::Equals };
        Ok((Condition::Text { read: property(name)?, test: equals, text }, rest))
    }
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()))
}

/// A text between quotes; a quote inside it is doubled.
fn literal(text: &str) -> Result<(String, &str), String> {
    let mut rest = text.strip_prefix('\'').ok_or_else(|| not_understood(text))?;
    let mut literal = String::new();
    loop {
        let (before, after) = rest.split_once('\'').ok_or("The filter has a text without its closing quote.")?;
        literal.push_str(before);
        let Some(doubled) = after.strip_prefix('\'') else { return Ok((literal, after)) };
        literal.push('\'');
        rest = doubled;
    }
}

/// How a property is read, for those that hold text.
fn property(name: &str) -> Result<Read, String> {
    let read: Read = match name {
        "id" => |r| &r.id,
        "tenantId" => |r| &r.tenant_id,
        "partnerId" => |r| &r.partner_id,
        "requestingAgentUpn" => |r| &r.requesting_agent_upn,
        "partnerTicketId" => |r| &r.partner_ticket_id,
        "deviceName" => |r| &r.device_name,
        "title" => |r| &r.title,
        "category" => |r| &r.category,
        "subcategory" => |r| &r.subcategory,
        "planOfAction" => |r| &r.plan_of_action,
        "actionsTaken" => |r| &r.actions_taken,
        "closingAgentUpn" => |r| &r.closing_agent_upn,
        _ => return Err(format!("The filter cannot use the property '{name}'.")),
    };
    Ok(read)
}

fn not_understood(at: &str) -> String {
    if at.is_empty() {
        "The filter ends too early.".to_owned()
    } else {
        format!("The filter is not understood at: {}", at.chars().take(40).collect::<String>())
    }
}
