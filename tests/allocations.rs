//! How often drawing and a key allocate: as often with 10,000 requests in the list as with 100, and not often. Counted, not
//! timed, so that a busy machine changes nothing.
//!
//! The counting allocator is that of the whole process. So this is a test crate of its own.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use allocation_counter::measure;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use mmd_elevate::{
    dashboard::{
        Message, Model, ScrollLimits, Setup, Tenant, update,
        view::{self, Theme},
    },
    keys::{Action, Keymap, Motion, Tab},
};
use mmd_elevate_core::{ElevationRequest, RequestId, ServiceTime, Untrusted};
use ratatui::{Terminal, backend::TestBackend};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// How many requests there are in the short list and in the long one.
const REQUESTS: [u32; 2] = [100, 10_000];

/// How often a frame of 120 columns and 36 rows may allocate, and how often a key and its frame. Measured: 1,027 for both, with
/// either list; that may become three tenths more.
const MOST: u64 = 1_350;

/// A dashboard that shows so many requests of the tenant, and its terminal.
struct Dashboard {
    model: Model,
    limits: ScrollLimits,
    terminal: Terminal<TestBackend>,
}

impl Dashboard {
    fn new(requests: u32) -> Self {
        let mut model = Model::new(Setup {
            tenant: Tenant { name: None, id: "tenant".to_owned(), practice: false },
            categories: Vec::new(),
            keymap: Keymap::default(),
            time_zone: TimeZone::UTC,
            now: NOW,
        });
        model.requests.insert_listed((0..requests).map(request).collect(), NOW);
        let terminal = Terminal::new(TestBackend::new(120, 36)).unwrap();
        let mut dashboard = Self { model, limits: ScrollLimits::default(), terminal };
        dashboard.act(Action::ShowTab(Tab::Tenant));
        // The newest are shown, which are the same ones.
        dashboard.act(Action::Move(Motion::First));
        dashboard.draw();
        dashboard
    }

    fn act(&mut self, action: Action) {
        _ = update(&mut self.model, Message::Act(action), self.limits);
    }

    fn draw(&mut self) {
        let (model, limits) = (&self.model, &mut self.limits);
        let drawn = |frame: &mut ratatui::Frame<'_>| *limits = view::draw(frame, model, &Theme::default()).limits;
        self.terminal.draw(drawn).unwrap();
    }

    /// Returns how often one frame allocates.
    fn allocations_of_a_frame(&mut self) -> u64 {
        self.draw();
        measure(|| self.draw()).count_total
    }

    /// Returns how often a key that moves the selection allocates, and the frame after it.
    fn allocations_of_a_key(&mut self) -> u64 {
        let mut key = || {
            self.act(Action::Move(Motion::Down));
            self.draw();
        };
        key();
        let allocations = measure(&mut key).count_total;
        assert!(self.shows_details_of(2), "two keys move the selection from the first request to the third");
        allocations
    }

    fn shows_details_of(&self, number: u32) -> bool {
        self.terminal.backend().to_string().contains(&format!("Ticket    {}", ticket(number)))
    }
}

fn ticket(number: u32) -> String {
    format!("INC-{}", 100_000 + number.wrapping_mul(7_919) % 900_000)
}

/// A request as a service lists it: the first is the newest.
fn request(number: u32) -> ElevationRequest {
    let at = NOW - SignedDuration::from_secs(number.into());
    ElevationRequest {
        // Ids come in no order.
        id: RequestId::new(format!("{:08x}-9a41-4d0e-8f77-{number:012x}", number.wrapping_mul(2_654_435_761))).unwrap(),
        ticket: Untrusted::new(ticket(number)),
        device: Untrusted::new(format!("MMD-{number:011}")),
        title: Untrusted::new("Excel add-in crashes on opening"),
        category: Untrusted::new("Office"),
        subcategory: Untrusted::new("Excel"),
        plan_of_action: Untrusted::new("Start Excel as administrator, register the add-in again, and open the file."),
        actions_taken: Untrusted::default(),
        requested_by: Untrusted::new("agent@partner.example"),
        closed_by: Untrusted::default(),
        created: Some(ServiceTime { text: Untrusted::new(at.to_string()), at: Some(at) }),
        closed: None,
        viewers: Vec::new(),
    }
}

#[test]
fn a_frame_allocates_as_often_with_ten_thousand_requests_as_with_a_hundred() {
    let [few, many] = REQUESTS.map(|requests| Dashboard::new(requests).allocations_of_a_frame());
    assert_eq!(few, many, "with 100 requests and with 10,000");
    assert!(few <= MOST, "a frame allocates {few} times, and may do so {MOST} times");
}

#[test]
fn a_key_allocates_as_often_with_ten_thousand_requests_as_with_a_hundred() {
    let [few, many] = REQUESTS.map(|requests| Dashboard::new(requests).allocations_of_a_key());
    assert_eq!(few, many, "with 100 requests and with 10,000");
    assert!(few <= MOST, "a key and its frame allocate {few} times, and may do so {MOST} times");
}
