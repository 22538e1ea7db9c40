//! How looking decides whether a create of unknown outcome has happened.

use jiff::{SignedDuration, Timestamp};

use super::{ElevationRequest, Field, NewElevationRequest, RequestId};

/// A request that the service created later than this after the sending is somebody else's, or a matter for the agent.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// What looking saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// It is there. What else equals it is surplus.
    Found {
        /// The request.
        request: Box<ElevationRequest>,
        /// Others that equal it, and belong to no other intent.
        surplus: Vec<ElevationRequest>,
    },
    /// Something is there that may be it; the agent decides.
    Possible(Vec<ElevationRequest>),
    /// Nothing was seen. That is no proof of absence.
    NotSeen,
}

/// Decides by what the service lists for the device.
///
/// Texts are compared after trimming and with line ends made equal, the device without regard to case. The window runs
/// from the sending less the clock skew to the sending plus ten minutes. An entity that another intent owns settles
/// nothing. `skew` is by how much the service's clock is behind ours; a negative one means that it is ahead.
#[must_use]
pub fn sighting(
    sent: &NewElevationRequest,
    sent_at: Timestamp,
    skew: SignedDuration,
    listed: Vec<ElevationRequest>,
    owned: impl Fn(&RequestId) -> bool,
) -> Sighting {
    let mut equal = Vec::new();
    let mut possible = Vec::new();
    for request in listed {
        let same = |field| same_text(sent, field, &request);
        if owned(&request.id) || !same(Field::Ticket) || !same(Field::Device) {
            continue;
        }
        match in_window(&request, sent_at, skew) {
            // What was there before the sending cannot be what was sent.
            Window::Before => {}
            Window::Within if same(Field::Title) && same(Field::PlanOfAction) => equal.push(request),
            Window::Within | Window::After | Window::Unclear => possible.push(request),
        }
    }
    equal.sort_by_key(|request| request.created.as_ref().and_then(|created| created.at));
    let mut equal = equal.into_iter();
    match equal.next() {
        Some(request) => Sighting::Found { request: Box::new(request), surplus: equal.collect() },
        None if possible.is_empty() => Sighting::NotSeen,
        None => Sighting::Possible(possible),
    }
}

enum Window {
    Before,
    Within,
    After,
    Unclear,
}

fn in_window(request: &ElevationRequest, sent_at: Timestamp, skew: SignedDuration) -> Window {
    let Some(created) = request.created.as_ref().and_then(|created| created.at) else { return Window::Unclear };
    // The service's clock on our scale. A second of grace: the Date header has no fractions.
    let created = created.saturating_add(skew).unwrap_or(created);
    let grace = SignedDuration::from_secs(1);
    if created.duration_since(sent_at) < -grace {
        Window::Before
    } else if created.duration_since(sent_at) > WINDOW {
        Window::After
    } else {
        Window::Within
    }
}

/// Whether two requests would look the same once the service has them: looking cannot tell them apart.
#[must_use]
pub fn are_alike(one: &NewElevationRequest, other: &NewElevationRequest) -> bool {
    let fields = [Field::Ticket, Field::Device, Field::Title, Field::PlanOfAction];
    fields.into_iter().all(|field| alike(field, one.get(field), other.get(field)))
}

fn same_text(sent: &NewElevationRequest, field: Field, request: &ElevationRequest) -> bool {
    let there = match field {
        Field::Ticket => &request.ticket,
        Field::Device => &request.device,
        Field::Title => &request.title,
        Field::Category => &request.category,
        Field::Subcategory => &request.subcategory,
        Field::PlanOfAction => &request.plan_of_action,
    };
    alike(field, sent.get(field), there.raw())
}

fn alike(field: Field, one: &str, other: &str) -> bool {
    let (one, other) = (even(one), even(other));
    if field == Field::Device { one.to_lowercase() == other.to_lowercase() } else { one == other }
}

/// The text as it is compared: a service may trim it, and write the ends of its lines in its own way.
fn even(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Draft, ServiceTime, Untrusted};

    const SENT: &str = "2024-01-01T12:00:00Z";

    fn sent() -> NewElevationRequest {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, format!(" {}\r\n2", field.label()));
        }
        draft.validate().unwrap()
    }

    /// The same as the service may tell it.
    fn listed(id: &str, created: &str) -> ElevationRequest {
        let text = |field: Field| Untrusted::new(format!("{}\n2", field.label()));
        ElevationRequest {
            id: RequestId::new(id).unwrap(),
            ticket: text(Field::Ticket),
            device: Untrusted::new("DEVICE\n2"),
            title: text(Field::Title),
            category: Untrusted::default(),
            subcategory: Untrusted::default(),
            plan_of_action: text(Field::PlanOfAction),
            actions_taken: Untrusted::default(),
            requested_by: Untrusted::default(),
            closed_by: Untrusted::default(),
            created: Some(ServiceTime { text: Untrusted::new(created), at: created.parse().ok() }),
            closed: None,
            viewers: Vec::new(),
        }
    }

    fn seen(skew: i64, listed: Vec<ElevationRequest>) -> String {
        let owned = |id: &RequestId| id.raw() == "owned";
        match sighting(&sent(), SENT.parse().unwrap(), SignedDuration::from_secs(skew), listed, owned) {
            Sighting::Found { request, surplus } => format!("found {} +{}", request.id.raw(), surplus.len()),
            Sighting::Possible(possible) => format!("{} possible", possible.len()),
            Sighting::NotSeen => "not seen".to_owned(),
        }
    }

    #[test]
    fn the_window_is_on_our_clock() {
        for (skew, created, what) in [
            (0, "2024-01-01T12:00:00.5Z", "found 1 +0"),
            (0, "2024-01-01T12:10:00Z", "found 1 +0"),
            (0, "2024-01-01T12:10:01Z", "1 possible"),
            (0, "2024-01-01T11:59:59Z", "found 1 +0"),
            (0, "2024-01-01T11:59:58Z", "not seen"),
            (300, "2024-01-01T11:55:00Z", "found 1 +0"),
            (300, "2024-01-01T11:54:00Z", "not seen"),
            (-300, "2024-01-01T12:04:00Z", "not seen"),
            (-300, "2024-01-01T12:15:00Z", "found 1 +0"),
            (0, "soon", "1 possible"),
        ] {
            assert_eq!(seen(skew, vec![listed("1", created)]), what, "{skew} {created}");
        }
    }

    #[test]
    fn the_first_is_taken_the_rest_is_surplus_and_what_another_owns_settles_nothing() {
        let at = |id: &str, second: u8| listed(id, &format!("2024-01-01T12:00:{second:02}Z"));
        assert_eq!(seen(0, vec![at("b", 9), at("a", 3), at("owned", 1)]), "found a +1");
        assert_eq!(seen(0, vec![at("owned", 1)]), "not seen");
        let other_title = ElevationRequest { title: Untrusted::new("Other"), ..at("a", 1) };
        assert_eq!(seen(0, vec![other_title]), "1 possible");
        let other_ticket = ElevationRequest { ticket: Untrusted::new("Other"), ..at("a", 1) };
        assert_eq!(seen(0, vec![other_ticket]), "not seen");
    }
}
