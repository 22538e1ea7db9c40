//! `$filter`, as far as the documents' examples use it: `eq`, `contains(…,'…')`, and `and`. That `requestClosureTime eq null`
//! selects the open requests and `ne null` the closed ones is an assumption: such services usually understand it.

use super::{tenant::same_name, wire::ElevationRequest};

/// The conditions that a listed request must meet.
#[derive(Default)]
pub(super) struct Filter(Vec<Condition>);

enum Condition {
    IsOpen(bool),
    Text { property: Property, test: Test, text: String },
}

type Property = fn(&ElevationRequest) -> &str;

#[derive(Clone, Copy)]
enum Test {
    Equals,
    NamesDevice,
    Contains,
}

impl Filter {
    /// Parses the value of the option, percent-decoded. The error is a message for the caller.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        let mut rest = text;
        loop {
            let (condition, after) = parse_condition(rest.trim_start())?;
            conditions.push(condition);
            let after = after.trim();
            if after.is_empty() {
                return Ok(Self(conditions));
            }
            rest = after.strip_prefix("and ").ok_or_else(|| not_understood(after))?;
        }
    }

    /// Returns the device that the filter selects, if any.
    pub(super) fn device(&self) -> Option<&str> {
        self.0.iter().find_map(|condition| match condition {
            Condition::Text { test: Test::NamesDevice, text, .. } => Some(text.as_str()),
            Condition::Text { .. } | Condition::IsOpen(_) => None,
        })
    }

    /// Returns whether the request meets all conditions.
    pub(super) fn matches(&self, request: &ElevationRequest) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::IsOpen(open) => request.is_open() == *open,
            Condition::Text { property, test: Test::Equals, text } => property(request) == text,
            Condition::Text { property, test: Test::NamesDevice, text } => same_name(property(request), text),
            Condition::Text { property, test: Test::Contains, text } => property(request).contains(text),
        })
    }
}

/// Parses one condition. Returns it and the rest of the text.
fn parse_condition(text: &str) -> Result<(Condition, &str), String> {
    if let Some(inner) = text.strip_prefix("contains(") {
        let (name, rest) = split_name(inner.trim_start());
        let rest = rest.trim_start().strip_prefix(',').ok_or_else(|| not_understood(rest))?;
        let (text, rest) = parse_literal(rest.trim_start())?;
        let rest = rest.trim_start().strip_prefix(')').ok_or_else(|| not_understood(rest))?;
        Ok((Condition::Text { property: find_property(name)?, test: Test::Contains, text }, rest))
    } else {
        let (name, rest) = split_name(text);
        let (operator, rest) = split_name(rest.trim_start());
        match (name, operator, split_name(rest.trim_start())) {
            ("requestClosureTime", "eq", ("null", rest)) => return Ok((Condition::IsOpen(true), rest)),
            ("requestClosureTime", "ne", ("null", rest)) => return Ok((Condition::IsOpen(false), rest)),
            _ => {}
        }
        let rest =
            rest.strip_prefix(' ').filter(|_| operator == "eq").ok_or_else(|| not_understood(text))?.trim_start();
        let (text, rest) = parse_literal(rest)?;
        // The letter case of a device's name does not matter, here as in a create.
        let equals = if name == "deviceName" { Test::NamesDevice } else { Test::Equals };
        Ok((Condition::Text { property: find_property(name)?, test: equals, text }, rest))
    }
}

fn split_name(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()))
}

/// Parses a text between quotes; a quote inside it is doubled. Returns it and the rest.
fn parse_literal(text: &str) -> Result<(String, &str), String> {
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

/// Returns the text property of this name.
fn find_property(name: &str) -> Result<Property, String> {
    let property: Property = match name {
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
    Ok(property)
}

fn not_understood(at: &str) -> String {
    if at.is_empty() {
        "The filter ends too early.".to_owned()
    } else {
        format!("The filter is not understood at: {}", at.chars().take(40).collect::<String>())
    }
}
