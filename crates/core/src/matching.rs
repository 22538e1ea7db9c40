//! Decides from a list whether a create of unknown outcome has happened.
//!
//! Only a list that was seen whole and holds nothing similar makes [`MatchResult::NotSeen`]. A clock alone never does:
//! whatever fits and is not clearly older than the sending is at least possible.

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;

use super::{ElevationRequest, Field, NewElevationRequest, Problem, RequestId};

/// A request that the service created later than this after the sending is somebody else's, or a matter for the agent.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The `Date` header has no fractions of a second.
const GRACE: SignedDuration = SignedDuration::from_secs(1);

/// How far before the sending clocks may put what was sent: a proxy rewrites the `Date` header, a clock is stepped.
const SHORTLY: SignedDuration = SignedDuration::from_mins(15);

/// The fields by which looking compares.
const COMPARED: [Field; 4] = [Field::Ticket, Field::Device, Field::Title, Field::PlanOfAction];

/// What looking saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchResult {
    /// It is there. What else equals it is surplus.
    Found {
        /// The request.
        request: Box<ElevationRequest>,
        /// Others that equal it, and belong to no other intent.
        surplus: Vec<ElevationRequest>,
    },
    /// Something is there that may be it; the agent decides.
    Possible(Vec<ElevationRequest>),
    /// Nothing was seen, in a list that was seen whole. That is no proof of absence.
    NotSeen,
    /// Nothing was seen, and not all that the service lists was.
    Unclear(Gaps),
}

/// What was not seen of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many entries could not be read.
    pub unreadable: usize,
    /// Why it was not seen to its end, where it was not. `what` is part of a sentence.
    pub cut: Option<Problem>,
}

impl Gaps {
    /// Whether all of it was seen.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.unreadable == 0 && self.cut.is_none()
    }

    /// What was not seen, as parts of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let unreadable = match self.unreadable {
            0 => None,
            1 => Some("1 entry could not be read".to_owned()),
            count => Some(format!("{count} entries could not be read")),
        };
        let cut = self.cut.as_ref().map(|cut| cut.what.strip_suffix('.').unwrap_or(&cut.what).to_owned());
        unreadable.into_iter().chain(cut).collect::<Vec<_>>().join("; ")
    }

    /// What to do about it, where there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.cut.as_ref().map(|cut| cut.hint.as_str())
    }

    /// Adds what was not seen of another list. Two filters may yield the same entries, which are counted once.
    pub fn add(&mut self, other: Self) {
        self.unreadable = self.unreadable.max(other.unreadable);
        self.cut = self.cut.take().or(other.cut);
    }
}

/// What was sent, and when.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The request.
    pub request: &'a NewElevationRequest,
    /// When it was sent, on our clock.
    pub at: Timestamp,
    /// By how much the service's clock is behind ours, as far as it tells; a negative one is ahead.
    pub skew: SignedDuration,
}

/// Decides by what the service lists for the device.
///
/// | the entity | in the window | up to 15 minutes before it, after it, or no time | earlier |
/// |---|---|---|---|
/// | ticket, device, title and plan are equal | found | possible | not it |
/// | device is equal, and ticket, or title and plan | possible | possible | not it |
/// | anything else | not it | not it | not it |
///
/// A text that the service does not tell contradicts nothing. The window runs from the sending less the clock skew to
/// the sending plus ten minutes. An entity that another intent owns settles nothing. Where nothing is found, `gaps` says
/// whether that means anything.
#[must_use]
pub fn match_listed(
    sent: Sent<'_>,
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
        match (likeness(sent.request, &request), sent.window(&request)) {
            (Likeness::None, _) | (_, Window::Before) => {}
            (Likeness::Equal, Window::Within) => equal.push(request),
            (Likeness::Equal | Likeness::Close, Window::Within | Window::Near) => possible.push(request),
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
    /// It was there before, whatever the clocks say: it cannot be what was sent.
    Before,
    Within,
    /// Shortly before, or later, or nobody knows when.
    Near,
}

impl Sent<'_> {
    /// Whether the service may have made this request of it: all texts are equal, and it was not there before.
    #[must_use]
    pub fn equals(&self, request: &ElevationRequest) -> bool {
        likeness(self.request, request) == Likeness::Equal && !matches!(self.window(request), Window::Before)
    }

    fn window(&self, request: &ElevationRequest) -> Window {
        let Some(told) = request.created.as_ref().and_then(|created| created.at) else { return Window::Near };
        // The service's clock on our scale, if the header is to be believed.
        let shifted = told.saturating_add(self.skew).unwrap_or(told);
        let after = |at: Timestamp| at.duration_since(self.at);
        if (-GRACE..=WINDOW).contains(&after(shifted)) {
            Window::Within
        } else if after(shifted).max(after(told)) < -SHORTLY {
            Window::Before
        } else {
            Window::Near
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// All four texts are equal.
    Equal,
    /// Enough of them to be it, and nothing that says that it is not.
    Close,
    None,
}

/// How a text of the service compares with the one that was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Equal,
    /// Equal but for what a service may change.
    Close,
    /// The service does not tell it.
    Untold,
    Other,
}

fn likeness(sent: &NewElevationRequest, request: &ElevationRequest) -> Likeness {
    let [ticket, device, title, plan] =
        COMPARED.map(|field| compare(field, sent.get(field), request.text(field).raw()));
    if [ticket, device, title, plan].iter().all(|text| *text == Text::Equal) {
        return Likeness::Equal;
    }
    let agrees = |text| matches!(text, Text::Equal | Text::Close);
    let work = title != Text::Other && plan != Text::Other;
    let close = match ticket {
        Text::Equal | Text::Close => true,
        Text::Untold => work,
        Text::Other => work && (agrees(title) || agrees(plan)),
    };
    if device != Text::Other && close { Likeness::Close } else { Likeness::None }
}

fn compare(field: Field, sent: &str, told: &str) -> Text {
    let loose = |text: &str| normalize(text).split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    if told.trim().is_empty() {
        Text::Untold
    } else if alike(field, sent, told) {
        Text::Equal
    } else if loose(sent) == loose(told) || (field == Field::Device && is_same_host(&loose(sent), &loose(told))) {
        Text::Close
    } else {
        Text::Other
    }
}

/// Whether one name is the other with a domain behind it.
fn is_same_host(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    !short.is_empty() && long.strip_prefix(short).is_some_and(|domain| domain.starts_with('.'))
}

/// Whether two requests would look the same once the service has them: looking cannot tell them apart.
#[must_use]
pub fn are_alike(one: &NewElevationRequest, other: &NewElevationRequest) -> bool {
    COMPARED.into_iter().all(|field| alike(field, one.get(field), other.get(field)))
}

fn alike(field: Field, one: &str, other: &str) -> bool {
    let (one, other) = (normalize(one), normalize(other));
    if field == Field::Device { one.to_lowercase() == other.to_lowercase() } else { one == other }
}

/// The text as it is compared: a service may trim it, compose its characters, and write the ends of its lines in its own
/// way.
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
        match match_listed(Sent { request, at, skew: SignedDuration::from_secs(skew) }, listed, gaps, owned) {
            MatchResult::Found { request, surplus } => format!("found {} +{}", request.id.raw(), surplus.len()),
            MatchResult::Possible(possible) => format!("{} possible", possible.len()),
            MatchResult::NotSeen => "not seen".to_owned(),
            MatchResult::Unclear(gaps) => gaps.words(),
        }
    }

    fn seen(skew: i64, listed: Vec<ElevationRequest>) -> String {
        seen_in(&Gaps::default(), skew, listed)
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
            // A header that a cache has kept, or that nobody should believe.
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
