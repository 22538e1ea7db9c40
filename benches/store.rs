//! What 100,000 requests of a tenant cost: to change one, to take in a page, to filter, to draw, and to keep.
//!
//! `cargo bench --bench store`. Limits: a change 0.2 ms, a page of 1,000 requests 20 ms, a letter of the filter 50 ms, and 1 kB for
//! a request: what `keep_all` allocates at most, divided by 100,000.

use divan::{AllocProfiler, Bencher};
use jiff::{Timestamp, tz::TimeZone};
use mmd_elevate::{
    dashboard::{
        Effect, Message, Model, ScrollLimits, Setup, Sort, Tenant, update,
        view::{self, Theme},
    },
    keys::{Action, Keymap, Motion, Tab},
};
use mmd_elevate_core::{
    Call, CallResult, ElevationRequest, Event, Gaps, Query, Reply, RequestId, ServiceTime, Untrusted,
};
use ratatui::{Terminal, backend::TestBackend};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const REQUESTS: u32 = 100_000;
const PAGE: u32 = 1_000;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn main() {
    divan::main();
}

/// The requests of these numbers, as a service lists them.
fn listed(numbers: impl Iterator<Item = u32>) -> Vec<ElevationRequest> {
    // Ids come in no order.
    let id = |number: u32| format!("{:08x}-9a41-4d0e-8f77-{number:012x}", number.wrapping_mul(2_654_435_761));
    let ids = numbers.filter_map(|number| Some((number, RequestId::new(id(number))?)));
    let request = |(number, id): (u32, RequestId)| ElevationRequest {
        id,
        ticket: Untrusted::new(format!("INC-{}", 10_000 + number.wrapping_mul(7_919) % 900_000)),
        device: Untrusted::new(format!("MMD-{:011}", number / 3)),
        title: Untrusted::new(format!("Excel add-in crashes on opening {}", number % 97)),
        category: Untrusted::new("Office"),
        subcategory: Untrusted::new("Excel"),
        plan_of_action: Untrusted::new(
            "Start Excel as administrator, register the add-in again, restart, and open the file with the customer.",
        ),
        actions_taken: Untrusted::default(),
        requested_by: Untrusted::new("agent@partner.example"),
        closed_by: Untrusted::default(),
        created: Some(ServiceTime { text: Untrusted::new("2026-11-22T14:02:00Z"), at: Some(NOW) }),
        closed: None,
        viewers: Vec::new(),
    };
    ids.map(request).collect()
}

fn empty() -> Model {
    let mut model = Model::new(Setup {
        tenant: Tenant { name: None, id: "tenant".to_owned(), practice: false },
        categories: Vec::new(),
        keymap: Keymap::default(),
        time_zone: TimeZone::UTC,
        now: NOW,
    });
    act(&mut model, Action::ShowTab(Tab::Tenant));
    model
}

/// A dashboard with all requests, in the order that is asked for.
fn full(sort: Sort) -> Model {
    with(REQUESTS, sort)
}

/// A dashboard with so many requests, in the order that is asked for.
fn with(count: u32, sort: Sort) -> Model {
    let mut model = empty();
    for first in (0..count).step_by(PAGE as usize) {
        model.requests.insert_listed(listed(first..(first + PAGE).min(count)), NOW);
    }
    while model.requests.list().sort() != sort {
        act(&mut model, Action::NextSort);
    }
    model
}

fn act(model: &mut Model, action: Action) {
    update(model, Message::Act(action), ScrollLimits::default());
}

/// A row whose ticket changes, so that it moves in a list by ticket.
#[divan::bench(args = [Sort::Newest, Sort::Ticket], sample_count = 1_000)]
fn change_one(bencher: Bencher, sort: Sort) {
    let mut model = full(sort);
    let mut number = 0_u32;
    let changed = || {
        number = number.wrapping_add(48_271);
        let mut request = listed(std::iter::once(number % REQUESTS));
        for request in &mut request {
            request.ticket = Untrusted::new(format!("INC-{}", 10_000 + number.wrapping_mul(31) % 900_000));
        }
        request
    };
    bencher.with_inputs(changed).bench_local_values(|request| model.requests.insert_listed(request, NOW));
}

#[divan::bench(args = [Sort::Newest, Sort::Ticket], sample_count = 20)]
fn insert_page(bencher: Bencher, sort: Sort) {
    let model = full(sort);
    let page = || (model.clone(), listed(REQUESTS..REQUESTS + PAGE));
    bencher.with_inputs(page).bench_local_refs(|(model, page)| {
        model.requests.insert_listed(std::mem::take(page), NOW);
    });
}

/// A letter that is typed into the filter, by the whole way of a key.
#[divan::bench(args = ["E", "6", "unk", "zzz", "by:agent", "-is:mine", "age:>2h"], sample_count = 20)]
fn filter(bencher: Bencher, typed: &str) {
    let mut model = full(Sort::Ticket);
    act(&mut model, Action::Filter);
    bencher
        .with_inputs(|| model.clone())
        .bench_local_refs(|model| update(model, Message::Text(typed.to_owned()), ScrollLimits::default()));
}

/// A key that moves the selection, and the frame after it: with 100,000 requests at most 1.2 times what it is with 100.
#[divan::bench(args = [100, REQUESTS], sample_count = 1_000)]
fn move_and_draw(bencher: Bencher, count: u32) {
    let mut model = with(count, Sort::Ticket);
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 36));
    bencher.bench_local(|| {
        act(&mut model, Action::Move(Motion::PageDown));
        let Ok(_) = terminal.draw(|frame| _ = view::draw(frame, &model, &Theme::default()));
    });
}

/// The same key with a thousand creates under way, four with the service and the rest behind them: at most 1.2 times what it is
/// with none.
#[divan::bench(args = [0, 1_000], sample_count = 1_000)]
fn move_and_draw_while_creates_wait(bencher: Bencher, creates: u32) {
    let mut model = with(100, Sort::Ticket);
    send(&mut model, creates);
    assert!(model.calls.len() >= creates as usize, "each waits for its answer, and the list for its first page");
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 36));
    bencher.bench_local(|| {
        act(&mut model, Action::Move(Motion::PageDown));
        let Ok(_) = terminal.draw(|frame| _ = view::draw(frame, &model, &Theme::default()));
    });
}

/// Sends so many requests from the form. The service has none on their devices, and does not answer the creates.
fn send(model: &mut Model, creates: u32) {
    let says = |event| Message::Worker(event);
    _ = update(model, says(Event::Ready), ScrollLimits::default());
    _ = update(model, says(Event::Recovered(Box::default())), ScrollLimits::default());
    for number in 0..creates {
        act(model, Action::NewRequest);
        let texts = [&format!("INC-{number}"), &format!("MMD-{number:011}"), "Title", "Office", "Excel", "Start it."];
        for text in texts {
            _ = update(model, Message::Text(text.to_owned()), ScrollLimits::default());
            answer(model, Action::NextField);
        }
        answer(model, Action::Submit);
    }
    act(model, Action::ShowTab(Tab::Tenant));
}

/// Does this, and answers what it asks of the service about a device.
fn answer(model: &mut Model, action: Action) {
    for effect in update(model, Message::Act(action), ScrollLimits::default()) {
        if let Effect::Call(call_id, Call::List(Query::Device(_))) = effect {
            let result = Ok(CallResult::Listed { gaps: Gaps::default(), at: NOW });
            _ = update(model, Message::Worker(Event::Reply(Reply { call_id, result })), ScrollLimits::default());
        }
    }
}

/// All requests, page by page. What is allocated at most is what they take.
#[divan::bench(sample_count = 1)]
fn keep_all() -> Model {
    full(Sort::Newest)
}
