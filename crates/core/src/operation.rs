//! The operations, which change something at a service, and the queries, which do not.

use serde::{Deserialize, Serialize};

use crate::{Draft, Field, NewElevationRequest, RequestId, Untrusted};

/// A change that the agent confirmed. It is recorded before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Opens a request. There is no idempotency key: sending it twice opens two requests.
    Create(NewElevationRequest),
    /// Closes a request. Repeating it is harmless.
    Close(CloseElevationRequest),
}

/// A close, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseElevationRequest {
    /// The request.
    pub id: RequestId,
    /// The device of the request, by which the request is read back, also by a later process.
    pub device: Untrusted,
    /// What was done on the device, exactly as typed.
    pub actions_taken: String,
}

impl Operation {
    /// Returns the name of its kind, as the record and the commands write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Close(_) => "close",
        }
    }

    /// Returns the operation as JSON, for the record.
    #[must_use]
    pub fn to_json(&self) -> String {
        let written = match self {
            Self::Create(new) => {
                let text = |field| new.get(field).to_owned();
                Written::Create {
                    ticket: text(Field::Ticket),
                    device: text(Field::Device),
                    title: text(Field::Title),
                    category: text(Field::Category),
                    subcategory: text(Field::Subcategory),
                    plan_of_action: text(Field::PlanOfAction),
                }
            }
            Self::Close(CloseElevationRequest { id, device, actions_taken }) => Written::Close {
                request: id.raw().to_owned(),
                device: device.raw().to_owned(),
                actions_taken: actions_taken.clone(),
            },
        };
        // Texts alone: there is nothing in it that JSON could not hold.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// Reads what [`Operation::to_json`] wrote. Returns nothing for any other text.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        match serde_json::from_str(text).ok()? {
            Written::Create { ticket, device, title, category, subcategory, plan_of_action } => {
                let mut draft = Draft::default();
                for (field, text) in
                    Field::ALL.into_iter().zip([ticket, device, title, category, subcategory, plan_of_action])
                {
                    draft.set(field, text);
                }
                draft.validate().ok().map(Self::Create)
            }
            Written::Close { request, device, actions_taken } => {
                let (id, device) = (RequestId::new(request)?, Untrusted::new(device));
                Some(Self::Close(CloseElevationRequest { id, device, actions_taken }))
            }
        }
    }
}

/// An operation as it is written. The names are those of the record's file: a change of one needs a new version of it.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Create {
        ticket: String,
        device: String,
        title: String,
        category: String,
        subcategory: String,
        plan_of_action: String,
    },
    Close {
        request: String,
        device: String,
        actions_taken: String,
    },
}

/// Which requests to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The requests of the device with this name, open and closed.
    Device(String),
    /// The open requests of the tenant.
    Open,
    /// The closed requests of the tenant.
    Closed,
}

/// A managed device, as the service returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `name`. It can be blank, and the device can be renamed.
    pub name: Untrusted,
    /// `serialNumber`
    pub serial_number: Untrusted,
    /// `userUpn`, or `assignedUser` if there is none.
    pub user: Untrusted,
    /// `manufacturer` and `model`
    pub model: Untrusted,
    /// `primaryUpdateRing`: elevation is not offered for `Test`.
    pub update_ring: Untrusted,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_is_read_as_it_was_written() {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, format!("{} \"\u{202e}\n\u{0}x", field.label()));
        }
        let close = CloseElevationRequest {
            id: RequestId::new("3F2B").unwrap(),
            device: Untrusted::new("MMD-1"),
            actions_taken: " to the letter\n".to_owned(),
        };
        for operation in [Operation::Create(draft.validate().unwrap()), Operation::Close(close)] {
            assert_eq!(Operation::from_json(&operation.to_json()), Some(operation));
        }
    }

    #[test]
    fn other_text_is_no_operation() {
        for text in [
            "",
            "null",
            "{}",
            r#"{"open": {}}"#,
            r#"{"close": {"request": "..", "device": "", "actions_taken": ""}}"#,
            r#"{"close": {"request": "1", "device": "", "actions_taken": "", "more": ""}}"#,
            r#"{"create": {"ticket": "", "device": "", "title": "", "category": "", "subcategory": "", "plan_of_action": ""}}"#,
        ] {
            assert_eq!(Operation::from_json(text), None, "{text}");
        }
    }
}
