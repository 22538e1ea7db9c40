//! Decides from a list whether a create of unknown outcome has happened.
//!
//! Only a list that was read completely and holds nothing similar yields [`MatchResult::NotSeen`]. A clock alone never does:
//! a similar request that is not clearly older than the create is at least possible.

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;

use super::{ElevationRequest, Field, NewElevationRequest, Problem, RequestId};

/// A request that the service created later than this after the create was sent is not taken for its result without the
/// agent.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The precision of the `Date` header.
const DATE_PRECISION: SignedDuration = SignedDuration::from_secs(1);

/// How much earlier than the create a time of its request may seem: a proxy rewrites the `Date` header, a clock is set.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

const COMPARED_FIELDS: [Field; 4] = [Field::Ticket, Field::Device, Field::Title, Field::PlanOfAction];

/// What a list shows of a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchResult {
    /// The list holds the request.
    Found {
        /// The request.
        request: Box<ElevationRequest>,
        /// Other requests that equal it and belong to no other write.
        surplus: Vec<ElevationRequest>,
    },
    /// The list holds requests that may be the result; the agent decides.
    Possible(Vec<ElevationRequest>),
    /// A list that was read completely does not hold it. This does not prove that it does not exist.
    NotSeen,
    /// An incomplete list does not hold it.
    Unclear(Gaps),
}

/// What could not be read of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many entries could not be read.
    pub unreadable: usize,
    /// Why the list was not read to its end, if it was not. `what` is part of a sentence.
    pub cut: Option<Problem>,
}

impl Gaps {
    /// Returns whether the whole list was read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.unreadable == 0 && self.cut.is_none()
    }

    /// Describes what could not be read, as parts of a sentence.
    #[must_use]
    pub fn describe(&self) -> String {
        let unreadable = match self.unreadable {
            0 => None,
            1 => Some("1 entry could not be read".to_owned()),
            count => Some(format!("{count} entries could not be read")),
        };
        let cut = self.cut.as_ref().map(|cut| cut.what.strip_suffix('.').unwrap_or(&cut.what).to_owned());
        unreadable.into_iter().chain(cut).collect::<Vec<_>>().join("; ")
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.cut.as_ref().map(|cut| cut.hint.as_str())
    }

    /// Adds the gaps of another list. Two filters may yield the same entries, so the larger number is taken.
    pub fn add(&mut self, other: Self) {
        self.unreadable = self.unreadable.max(other.unreadable);
        self.cut = self.cut.take().or(other.cut);
    }
}

/// A create that was sent.
#[derive(Clone, Copy, Debug)]
pub struct SentCreate<'a> {
    /// The request.
    pub request: &'a NewElevationRequest,
    /// When it was sent, by this machine's clock.
    pub at: Timestamp,
    /// How far the service's clock is behind this machine's; negative if it is ahead.
    pub skew: SignedDuration,
}

/// Decides from the requests of the device whether the create has happened.
///
/// | request | in the window | up to 15 minutes before it, after it, or no time | earlier |
/// |---|---|---|---|
/// | ticket, device, title and plan are equal | found | possible | no match |
/// | device is equal, and ticket, or title and plan | possible | possible | no match |
/// | anything else | no match | no match | no match |
///
/// A text that the service does not return contradicts nothing. The window begins when the create was sent, corrected by the
/// clock skew, and ends ten minutes later. A request that another write owns is ignored. `gaps` decides whether a list
/// without a match is complete.
#[must_use]
pub fn match_listed(
    sent: SentCreate<'_>,
    listed: Vec<ElevationRequest>,
    gaps: &Gaps,
    owned: impl Fn(&RequestId) -> bool,
) -> MatchResult {
    let mut equal = Vec::new();
    let mut possible = Vec::new();
    for request in listed {
        if owned(&request.id) {
            continue;
        }
        match (compare(sent.request, &request), sent.window(&request)) {
            (Similarity::None, _) | (_, Window::Before) => {}
            (Similarity::Equal, Window::Within) => equal.push(request),
            (Similarity::Equal | Similarity::Similar, Window::Within | Window::Near) => possible.push(request),
        }
    }
    equal.sort_by_key(|request| request.created.as_ref().and_then(|created| created.at));
    let mut equal = equal.into_iter();
    match equal.next() {
        Some(request) => MatchResult::Found { request: Box::new(request), surplus: equal.collect() },
        None if !possible.is_empty() => MatchResult::Possible(possible),
        None if gaps.is_empty() => MatchResult::NotSeen,
        None => MatchResult::Unclear(gaps.clone()),
    }
}

enum Window {
    /// Earlier than the create by more than any clock error: the create did not make the request.
    Before,
    Within,
    /// Shortly before, later, or unknown.
    Near,
}

impl SentCreate<'_> {
    /// Returns whether the request may be the result of this create: all texts are equal, and it did not exist before.
    #[must_use]
    pub fn equals(&self, request: &ElevationRequest) -> bool {
        compare(self.request, request) == Similarity::Equal && !matches!(self.window(request), Window::Before)
    }

    fn window(&self, request: &ElevationRequest) -> Window {
        let Some(created) = request.created.as_ref().and_then(|created| created.at) else { return Window::Near };
        // The service's time by this machine's clock, if the `Date` header is right.
        let corrected = created.saturating_add(self.skew).unwrap_or(created);
        let after = |at: Timestamp| at.duration_since(self.at);
        if (-DATE_PRECISION..=WINDOW).contains(&after(corrected)) {
            Window::Within
        } else if after(corrected).max(after(created)) < -CLOCK_TOLERANCE {
            Window::Before
        } else {
            Window::Near
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Similarity {
    /// All four texts are equal.
    Equal,
    /// Enough texts are similar, and none contradicts.
    Similar,
    None,
}

/// How a text of the service compares with the one that was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextMatch {
    Equal,
    /// Equal except for what a service may change.
    Similar,
    /// The service returned no text.
    Missing,
    Different,
}

fn compare(sent: &NewElevationRequest, request: &ElevationRequest) -> Similarity {
    let [ticket, device, title, plan] =
        COMPARED_FIELDS.map(|field| compare_text(field, sent.get(field), request.text(field).raw()));
    if [ticket, device, title, plan].iter().all(|text| *text == TextMatch::Equal) {
        return Similarity::Equal;
    }
    let agrees = |text| matches!(text, TextMatch::Equal | TextMatch::Similar);
    let is_work_possible = title != TextMatch::Different && plan != TextMatch::Different;
    let is_similar = match ticket {
        TextMatch::Equal | TextMatch::Similar => true,
        TextMatch::Missing => is_work_possible,
        TextMatch::Different => is_work_possible && (agrees(title) || agrees(plan)),
    };
    if device != TextMatch::Different && is_similar { Similarity::Similar } else { Similarity::None }
}

fn compare_text(field: Field, sent: &str, listed: &str) -> TextMatch {
    let loose = |text: &str| normalize(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if listed.trim().is_empty() {
        TextMatch::Missing
    } else if is_equal(field, sent, listed) {
        TextMatch::Equal
    } else if loose(sent) == loose(listed) || (field == Field::Device && is_same_host(&loose(sent), &loose(listed))) {
        TextMatch::Similar
    } else {
        TextMatch::Different
    }
}

/// Returns whether one name is the other followed by a domain.
fn is_same_host(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    !short.is_empty() && long.strip_prefix(short).is_some_and(|domain| domain.starts_with('.'))
}

/// Returns whether a list cannot tell the results of two creates apart.
#[must_use]
pub fn are_equivalent(one: &NewElevationRequest, other: &NewElevationRequest) -> bool {
    COMPARED_FIELDS.into_iter().all(|field| is_equal(field, one.get(field), other.get(field)))
}

fn is_equal(field: Field, one: &str, other: &str) -> bool {
    if field == Field::Device {
        normal_device_name(one) == normal_device_name(other)
    } else {
        normalize(one) == normalize(other)
    }
}

/// Returns the name of a device as names are compared.
#[must_use]
pub fn normal_device_name(name: &str) -> String {
    normalize(name).to_lowercase()
}

/// Normalizes a text for comparison: a service may trim it, compose its characters, and change its line ends.
fn normalize(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, ServiceTime, Untrusted};

    const SENT: &str = "2024-01-01T12:00:00Z";

    fn sent() -> NewElevationRequest {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, format!(" {}\r\n2 é", field.label()));
        }
        draft.set(Field::Device, "MMD-1");
        draft.validate().unwrap()
    }

    /// The same as the service may tell it.
    fn listed(id: &str, created: &str) -> ElevationRequest {
        let text = |field: Field| Untrusted::new(format!("{}\n2 e\u{301}", field.label()));
        ElevationRequest {
            id: RequestId::new(id).unwrap(),
            ticket: text(Field::Ticket),
            device: Untrusted::new("mmd-1"),
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

    fn seen_in(gaps: &Gaps, skew: i64, listed: Vec<ElevationRequest>) -> String {
        let owned = |id: &RequestId| id.raw() == "owned";
        let (request, at) = (&sent(), SENT.parse().unwrap());
        match match_listed(SentCreate { request, at, skew: SignedDuration::from_secs(skew) }, listed, gaps, owned) {
            MatchResult::Found { request, surplus } => format!("found {} +{}", request.id.raw(), surplus.len()),
            MatchResult::Possible(possible) => format!("{} possible", possible.len()),
            MatchResult::NotSeen => "not seen".to_owned(),
            MatchResult::Unclear(gaps) => gaps.describe(),
        }
    }

    fn seen(skew: i64, listed: Vec<ElevationRequest>) -> String {
        seen_in(&Gaps::default(), skew, listed)
    }

    #[test]
    fn names_of_a_device_are_compared_as_a_service_may_write_them() {
        for name in ["MMD-É1", " mmd-é1\n", "mmd-e\u{301}1"] {
            assert_eq!(normal_device_name(name), "mmd-é1", "{name:?}");
        }
        assert_ne!(normal_device_name("mmd-e1"), "mmd-é1");
    }

    #[test]
    fn the_window_is_on_our_clock_and_a_clock_alone_never_decides_absence() {
        for (skew, created, what) in [
            (0, "2024-01-01T12:00:00.5Z", "found 1 +0"),
            (0, "2024-01-01T12:10:00Z", "found 1 +0"),
            (0, "2024-01-01T12:10:01Z", "1 possible"),
            (0, "2024-01-02T00:00:00Z", "1 possible"),
            (0, "2024-01-01T11:59:59Z", "found 1 +0"),
            (0, "2024-01-01T11:59:58Z", "1 possible"),
            (0, "2024-01-01T11:59:55Z", "1 possible"),
            (0, "2024-01-01T11:45:00Z", "1 possible"),
            (0, "2024-01-01T11:44:59Z", "not seen"),
            (300, "2024-01-01T11:55:00Z", "found 1 +0"),
            (300, "2024-01-01T11:54:00Z", "1 possible"),
            (300, "2024-01-01T11:39:59Z", "not seen"),
            (-300, "2024-01-01T12:04:00Z", "1 possible"),
            (-300, "2024-01-01T12:15:00Z", "found 1 +0"),
            // A stale header of a cache, or an implausible one.
            (86_400, "2024-01-01T12:00:01Z", "1 possible"),
            (-86_400, "2024-01-01T12:00:01Z", "1 possible"),
            (-86_400, "2024-01-01T11:50:00Z", "1 possible"),
            (0, "soon", "1 possible"),
        ] {
            assert_eq!(seen(skew, vec![listed("1", created)]), what, "{skew} {created}");
        }
        let timeless = ElevationRequest { created: None, ..listed("1", SENT) };
        assert_eq!(seen(0, vec![timeless]), "1 possible");
    }

    #[test]
    fn the_first_is_taken_the_rest_is_surplus_and_what_another_owns_settles_nothing() {
        let at = |id: &str, second: u8| listed(id, &format!("2024-01-01T12:00:{second:02}Z"));
        assert_eq!(seen(0, vec![at("b", 9), at("a", 3), at("owned", 1)]), "found a +1");
        assert_eq!(seen(0, vec![at("owned", 1)]), "not seen");
    }

    #[test]
    fn what_differs_in_part_is_possible_and_what_is_another_matter_is_not() {
        let with = |changes: &[(Field, &str)]| {
            let mut request = listed("1", SENT);
            for (field, text) in changes {
                let text = Untrusted::new(*text);
                match field {
                    Field::Ticket => request.ticket = text,
                    Field::Device => request.device = text,
                    Field::Title => request.title = text,
                    Field::Category => request.category = text,
                    Field::Subcategory => request.subcategory = text,
                    Field::PlanOfAction => request.plan_of_action = text,
                }
            }
            seen(0, vec![request])
        };
        let (ticket, device, title, plan) = (Field::Ticket, Field::Device, Field::Title, Field::PlanOfAction);
        for (changes, what) in [
            (vec![], "found 1 +0"),
            (vec![(Field::Category, "Other")], "found 1 +0"),
            (vec![(device, " MMD-1 ")], "found 1 +0"),
            (vec![(device, "MMD-1.contoso.local")], "1 possible"),
            (vec![(device, "MMD-10")], "not seen"),
            (vec![(device, "MMD")], "not seen"),
            (vec![(device, "")], "1 possible"),
            (vec![(title, "Other")], "1 possible"),
            (vec![(title, "Other"), (plan, "Other")], "1 possible"),
            (vec![(title, ""), (plan, "")], "1 possible"),
            (vec![(title, "title 2   É")], "1 possible"),
            (vec![(ticket, "")], "1 possible"),
            (vec![(ticket, " ")], "1 possible"),
            (vec![(ticket, "Other")], "1 possible"),
            (vec![(ticket, "Other"), (plan, "")], "1 possible"),
            (vec![(ticket, "Other"), (plan, ""), (title, "")], "not seen"),
            (vec![(ticket, "Other"), (title, "Other")], "not seen"),
            (vec![(ticket, ""), (title, "Other")], "not seen"),
            (vec![(ticket, ""), (device, ""), (title, ""), (plan, "")], "1 possible"),
        ] {
            assert_eq!(with(&changes), what, "{changes:?}");
        }
    }

    #[test]
    fn not_seen_is_said_of_a_list_that_was_seen_whole_alone() {
        let cut = Some(Problem::new("the list was not seen to its end: 5000 entries were read", "look"));
        for (gaps, words) in [
            (Gaps { unreadable: 1, cut: None }, "1 entry could not be read"),
            (Gaps { unreadable: 2, cut: None }, "2 entries could not be read"),
            (Gaps { unreadable: 0, cut: cut.clone() }, "the list was not seen to its end: 5000 entries were read"),
            (
                Gaps { unreadable: 2, cut },
                "2 entries could not be read; the list was not seen to its end: 5000 entries were read",
            ),
        ] {
            let other = ElevationRequest { device: Untrusted::new("MMD-2"), ..listed("1", SENT) };
            assert_eq!(seen_in(&gaps, 0, vec![other]), words);
            assert_eq!(seen_in(&gaps, 0, vec![listed("1", SENT)]), "found 1 +0", "what is there is there");
        }
    }
}
