//! An elevation request as the service tells it.

use jiff::Timestamp;

use super::Untrusted;

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

/// A time of the service's: the text as it came, and the moment where it can be read.
///
/// The service writes up to seven fractional digits and `0001-01-01T00:00:00Z` for "never", and nothing keeps it from
/// writing what no calendar holds, so the text is the truth and the moment is a reading of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTime {
    /// As it came.
    pub text: Untrusted,
    /// The moment, where the text is one.
    pub at: Option<Timestamp>,
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
    /// `requestClosureTime`: open means that there is none (inferred).
    pub closed: Option<ServiceTime>,
    /// `viewerUpns`: who has seen the password.
    pub viewers: Vec<Untrusted>,
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
