//! An elevation request as the service tells it.

use super::{Draft, Field, ServiceTime, Untrusted};

/// The longest id that is taken as one, in bytes. The service's are GUIDs of 36; the bound is an assumption.
const LONGEST_ID: usize = 128;

/// The id the service gave a request. It is fit to stand in a path: not blank, not `.` or `..`, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(Untrusted);

/// The service's id for a request cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusableId;

impl RequestId {
    /// Takes an id from the service.
    ///
    /// # Errors
    /// [`UnusableId`] where it could not stand in a path and come back the same.
    pub fn new(id: impl Into<String>) -> Result<Self, UnusableId> {
        let id = id.into();
        let usable = !id.trim().is_empty()
            && id.len() <= LONGEST_ID
            && id != "."
            && id != ".."
            && !id.chars().any(char::is_control);
        if usable { Ok(Self(Untrusted::new(id))) } else { Err(UnusableId) }
    }

    /// The id as it came.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.0.raw()
    }

    /// The id as text for a person.
    #[must_use]
    pub const fn text(&self) -> &Untrusted {
        &self.0
    }
}

/// An elevation request as the service tells it. Keys of the document's sample that nobody here reads are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElevationRequest {
    /// `id`
    pub id: RequestId,
    /// `partnerTicketId`
    pub ticket: Untrusted,
    /// `deviceName`
    pub device: Untrusted,
    /// `title`
    pub title: Untrusted,
    /// `category`
    pub category: Untrusted,
    /// `subcategory`
    pub subcategory: Untrusted,
    /// `planOfAction`
    pub plan_of_action: Untrusted,
    /// `actionsTaken`: empty while the request is open.
    pub actions_taken: Untrusted,
    /// `requestingAgentUpn`
    pub requested_by: Untrusted,
    /// `closingAgentUpn`: empty while the request is open.
    pub closed_by: Untrusted,
    /// `requestCreationTime`
    pub created: Option<ServiceTime>,
    /// `requestClosureTime`: open means that there is none (inferred). Only a moment that can be read is one: nothing else
    /// is evidence that the request was closed.
    pub closed: Option<ServiceTime>,
    /// `viewerUpns`: who has seen the password.
    pub viewers: Vec<Untrusted>,
}

impl ElevationRequest {
    /// Fills what the service left blank with what was known before, text by text: a service may answer with an id alone,
    /// and a request without a device could not be listed again.
    #[must_use]
    pub fn with_gaps_from(mut self, known: &Self) -> Self {
        for (text, known) in [
            (&mut self.ticket, &known.ticket),
            (&mut self.device, &known.device),
            (&mut self.title, &known.title),
            (&mut self.category, &known.category),
            (&mut self.subcategory, &known.subcategory),
            (&mut self.plan_of_action, &known.plan_of_action),
            (&mut self.requested_by, &known.requested_by),
        ] {
            if text.is_blank() {
                text.clone_from(known);
            }
        }
        let is_told = self.created.as_ref().is_some_and(|created| created.at.is_some());
        if !is_told && known.created.is_some() {
            self.created.clone_from(&known.created);
        }
        self
    }

    /// The same with what was sent.
    #[must_use]
    pub fn with_gaps_from_draft(mut self, sent: &Draft) -> Self {
        for field in Field::ALL {
            let text = match field {
                Field::Ticket => &mut self.ticket,
                Field::Device => &mut self.device,
                Field::Title => &mut self.title,
                Field::Category => &mut self.category,
                Field::Subcategory => &mut self.subcategory,
                Field::PlanOfAction => &mut self.plan_of_action,
            };
            if text.is_blank() {
                *text = Untrusted::new(sent.get(field));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_would_change_the_path_is_not_one() {
        for id in ["", "  ", ".", "..", "a\nb", "a\u{0}b", &"x".repeat(129)] {
            assert_eq!(RequestId::new(id), Err(UnusableId), "{id:?}");
        }
        for id in ["3f2b", "a/b", "a b", "Elevation Request Id"] {
            assert_eq!(RequestId::new(id).unwrap().raw(), id);
        }
    }
}
