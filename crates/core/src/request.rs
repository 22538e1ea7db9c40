//! An elevation request as the service returns it, and its id.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

use uuid::Uuid;

use super::{Draft, Field, ServiceTime, Untrusted};

/// The longest id that is accepted, in bytes (assumption; the service's are GUIDs of 36).
const LONGEST_ID: usize = 128;

/// The service's id of a request. It can be a segment of a path: not blank, not `.` or `..`, no control characters.
///
/// Two ids are equal if they are the same UUID in any notation: a service may return capitals to a create and small letters
/// in a list. Any other id is compared exactly. The id is sent back unchanged.
#[derive(Clone)]
pub struct RequestId {
    text: Untrusted,
    /// As bytes, which are half as large as the number with what its alignment costs.
    uuid: Option<Uuid>,
}

impl RequestId {
    /// Makes an id from the service's text. Returns `None` if it cannot be a segment of a path.
    pub fn new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        let usable = !id.trim().is_empty()
            && id.len() <= LONGEST_ID
            && id != "."
            && id != ".."
            // An id with undecodable bytes could not be sent back unchanged.
            && !id.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER);
        usable.then(|| Self { uuid: uuid(&id).map(Uuid::from_u128), text: Untrusted::new(id) })
    }

    /// Returns the id as the service sent it.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.text.raw()
    }

    /// Returns the id as a text to display.
    #[must_use]
    pub const fn text(&self) -> &Untrusted {
        &self.text
    }

    /// Returns the UUID, if the id is one.
    #[must_use]
    pub const fn uuid(&self) -> Option<u128> {
        match self.uuid {
            Some(uuid) => Some(uuid.as_u128()),
            None => None,
        }
    }

    /// Returns the value by which ids are compared.
    fn key(&self) -> (Option<Uuid>, &str) {
        (self.uuid, if self.uuid.is_some() { "" } else { self.raw() })
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for RequestId {}

impl Hash for RequestId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for RequestId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RequestId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestId").field(&self.text).finish()
    }
}

/// Parses a UUID in any notation of .NET and others: either case, with or without hyphens, braces or parentheses, as a URN.
#[must_use]
pub fn uuid(text: &str) -> Option<u128> {
    let text = text.trim().to_ascii_lowercase();
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(&text);
    Uuid::try_parse(inner).ok().map(|uuid| uuid.as_u128())
}

/// An elevation request as the service returns it, without the keys of the document's sample that the program does not use.
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
    /// `requestClosureTime`: missing while the request is open (inferred). A text that is no time is no evidence that the
    /// request was closed, and reads as missing.
    pub closed: Option<ServiceTime>,
    /// `viewerUpns`: who has seen the password.
    pub viewers: Vec<Untrusted>,
}

impl ElevationRequest {
    /// Returns a request of which no more than the id is known.
    #[must_use]
    pub fn from_id(id: RequestId) -> Self {
        Self {
            id,
            ticket: Untrusted::default(),
            device: Untrusted::default(),
            title: Untrusted::default(),
            category: Untrusted::default(),
            subcategory: Untrusted::default(),
            plan_of_action: Untrusted::default(),
            actions_taken: Untrusted::default(),
            requested_by: Untrusted::default(),
            closed_by: Untrusted::default(),
            created: None,
            closed: None,
            viewers: Vec::new(),
        }
    }

    /// Returns the text of a field of the form.
    #[must_use]
    pub const fn text(&self, field: Field) -> &Untrusted {
        match field {
            Field::Ticket => &self.ticket,
            Field::Device => &self.device,
            Field::Title => &self.title,
            Field::Category => &self.category,
            Field::Subcategory => &self.subcategory,
            Field::PlanOfAction => &self.plan_of_action,
        }
    }

    /// Fills texts that the service left blank from an earlier state: a service may answer with an id only, and a request
    /// without a device could not be listed again.
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
        let has_time = self.created.as_ref().is_some_and(|created| created.at.is_some());
        if !has_time && known.created.is_some() {
            self.created.clone_from(&known.created);
        }
        self
    }

    /// Fills texts that the service left blank from the draft that was sent.
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
        for id in ["", "  ", ".", "..", "a\nb", "a\u{0}b", "3f\u{fffd}", &"x".repeat(129)] {
            assert_eq!(RequestId::new(id), None, "{id:?}");
        }
        for id in ["3f2b", "a/b", "a b", "Elevation Request Id"] {
            assert_eq!(RequestId::new(id).unwrap().raw(), id);
        }
    }

    #[test]
    fn ids_that_are_one_uuid_are_the_same_and_others_are_compared_to_the_letter() {
        let id = |id: &str| RequestId::new(id).unwrap();
        let one = id("3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b");
        for same in [
            "3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B",
            "{3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b}",
            "(3F2B0C5E-9A41-4D0E-8F77-00C0FFEE0A1B)",
            "3f2b0c5e9a414d0e8f7700c0ffee0a1b",
            "urn:uuid:3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b",
            " 3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b ",
        ] {
            assert_eq!(id(same), one);
            assert_eq!(id(same).cmp(&one), Ordering::Equal);
            assert!(std::collections::HashSet::from([one.clone()]).contains(&id(same)), "{same}");
            assert_eq!(id(same).raw(), same, "it is sent back as it came");
        }
        for (other, another) in [
            ("3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1b", "3f2b0c5e-9a41-4d0e-8f77-00c0ffee0a1c"),
            ("abc", "ABC"),
            ("r1", "r1 "),
            ("3f2b0c5e-9a41-4d0e-8f77", "3f2b0c5e9a414d0e8f77"),
        ] {
            assert_ne!(id(other), id(another));
        }
    }

    #[test]
    fn what_the_service_does_not_tell_is_taken_from_what_was_sent_or_known() {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, field.label());
        }
        let text = Untrusted::default;
        let bare = ElevationRequest {
            id: RequestId::new("1").unwrap(),
            ticket: text(),
            device: Untrusted::new(" "),
            title: Untrusted::new("Theirs"),
            category: text(),
            subcategory: text(),
            plan_of_action: text(),
            actions_taken: text(),
            requested_by: text(),
            closed_by: text(),
            created: None,
            closed: None,
            viewers: Vec::new(),
        };
        let complete = bare.clone().with_gaps_from_draft(&draft);
        let texts = |request: &ElevationRequest| Field::ALL.map(|field| request.text(field).raw().to_owned());
        let expected = ["Ticket", "Device", "Theirs", "Category", "Subcategory", "Plan of action"];
        assert_eq!(texts(&complete), expected);
        assert_eq!(texts(&bare.with_gaps_from(&complete)), expected);
    }
}
