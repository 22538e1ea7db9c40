//! Keys, the mouse, pastes, resizes and replies in any order: the dashboard takes them all, and no cell of its screen acts.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use mmd_elevate::{
    app::{Batch, Confirmation, Pointer},
    dashboard::{
        Category, Effect, Message, Model, ScrollLimits, Setup, Tenant, update,
        view::{self, Drawn, Theme},
    },
    keys::Keymap,
    terminal::{Input, InputBatch},
};
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, Device, ElevationRequest, Event, Field, Gaps, NewElevationRequest, Operation,
    Progress, ReadBack, Reply, RequestId, ServiceTime, Untrusted, invisible_characters,
};
use ratatui::{Terminal, backend::TestBackend};

/// The keys that are not characters.
const NAMED: [KeyCode; 17] = [
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Tab,
    KeyCode::BackTab,
    KeyCode::Backspace,
    KeyCode::Delete,
    KeyCode::Insert,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::PageUp,
    KeyCode::PageDown,
    KeyCode::F(1),
    KeyCode::Null,
];

/// A stream of what a terminal and a worker send, written as [`Bytes`] reads it.
pub(crate) fn keys(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut agent = Agent::new();
    while let Some(kind) = bytes.next() {
        match kind {
            // A plain character is itself, so that a seed can be read.
            b' '..=b'~' => agent.press(KeyCode::Char(char::from(kind)), KeyModifiers::NONE),
            0..=26 => agent.press(KeyCode::Char(char::from(b'`' + kind)), KeyModifiers::CONTROL),
            27..=31 => agent.press(NAMED[usize::from(kind - 27)], KeyModifiers::NONE),
            128..=191 => {
                let modifiers = KeyModifiers::from_bits_truncate(kind & 0b111);
                agent.press(NAMED[usize::from(kind - 128) % NAMED.len()], modifiers);
            }
            192..=207 => {
                let text = bytes.text();
                agent.take(vec![Input::Paste(text)]);
            }
            208..=215 => agent.resize(u16::from(bytes.byte()) % 120 + 1, u16::from(bytes.byte()) % 40 + 1),
            216..=247 => agent.reply(kind, &bytes.text()),
            248..=251 => {
                let kinds =
                    [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollUp, MouseEventKind::ScrollDown];
                let kind = kinds[usize::from(kind - 248) % kinds.len()];
                let (column, row) = (u16::from(bytes.byte()), u16::from(bytes.byte()));
                agent.take(vec![Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })]);
            }
            _ => agent.wait(i64::from(bytes.byte())),
        }
        agent.draw();
        if agent.left {
            agent = Agent::new();
        }
    }
    agent.check_size(data.len());
}

/// What is left of the bytes.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or_default()
    }

    /// A text: its length, then its bytes.
    fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

/// The dashboard, with all that it asked of a worker.
struct Agent {
    model: Model,
    terminal: Terminal<TestBackend>,
    calls: Vec<(CallId, Call)>,
    now: Timestamp,
    /// By which keys are read and frames drawn.
    clock: Instant,
    confirmation: Confirmation,
    pointer: Pointer,
    limits: ScrollLimits,
    elapsed: Duration,
    left: bool,
}

impl Agent {
    fn new() -> Self {
        let setup = Setup {
            tenant: Tenant { name: None, id: "tenant".to_owned(), practice: false },
            categories: vec![Category { name: "Office".to_owned(), subcategories: vec!["Excel".to_owned()] }],
            keymap: Keymap::default(),
            time_zone: TimeZone::UTC,
            now: Timestamp::UNIX_EPOCH,
        };
        let Ok(terminal) = Terminal::new(TestBackend::new(80, 24));
        let now = Timestamp::UNIX_EPOCH;
        let (clock, confirmation, pointer) = (Instant::now(), Confirmation::default(), Pointer::default());
        let (calls, limits, elapsed) = (Vec::new(), ScrollLimits::default(), Duration::ZERO);
        let model = Model::new(setup);
        let mut agent =
            Self { model, terminal, calls, now, clock, confirmation, pointer, limits, elapsed, left: false };
        agent.apply(Message::Worker(Event::Ready));
        agent.apply(Message::Worker(Event::Recovered(Box::default())));
        agent
    }

    fn apply(&mut self, message: Message) {
        for effect in update(&mut self.model, message, self.limits) {
            match effect {
                Effect::Call(id, call) => self.calls.push((id, call)),
                Effect::Exit => self.left = true,
                _ => {}
            }
        }
    }

    fn take(&mut self, inputs: Vec<Input>) {
        // From somebody who looks first.
        self.clock += Duration::from_millis(600);
        let mut batch = Batch::new(InputBatch { at: self.clock, inputs });
        while let Some(message) = batch.next(&self.model, &mut self.confirmation, &mut self.pointer) {
            self.apply(message);
        }
    }

    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.take(vec![Input::Key(KeyEvent::new(code, modifiers))]);
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal.backend_mut().resize(columns, rows);
        self.take(vec![Input::Resize(columns, rows)]);
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.elapsed += Duration::from_secs(seconds.unsigned_abs());
        self.apply(Message::Tick { now: self.now, elapsed: self.elapsed });
    }

    /// One of the newest calls has an answer, with this text wherever the service may put one. A list has a page first.
    fn reply(&mut self, which: u8, text: &str) {
        let Some(at) = self.calls.len().checked_sub(1 + usize::from(which / 8 % 4)) else { return };
        let (call_id, call) = self.calls.remove(at);
        let fault = |kind| CallError { service_message: Some(Untrusted::new(text)), ..kind };
        let result = match (which % 8, call) {
            (0 | 1, Call::Send(Operation::Create(new))) => {
                let request = Box::new(created(call_id, &new, text));
                Ok(CallResult::Created { request, surplus: Vec::new() })
            }
            (0 | 1, Call::Send(Operation::Close(_))) => Ok(CallResult::Closed(ReadBack::NotYetVisible)),
            (0, call @ Call::List(_)) => {
                // One request for each of the first characters, so that lists repeat each other's.
                let page = text.char_indices().take(40).map(|(at, id)| listed(id, text.get(at..).unwrap_or_default()));
                let progress = Progress::Page(page.collect());
                self.calls.insert(at, (call_id, call));
                return self.apply(Message::Worker(Event::Progress(call_id, progress)));
            }
            (1, Call::List(_)) => Ok(CallResult::Listed { gaps: Gaps::default(), at: self.now }),
            (0 | 1, Call::SearchDevices(_)) => Ok(CallResult::Devices(text.split('\n').map(device).collect())),
            (2, _) => Err(fault(CallError::declined())),
            (3, _) => Err(fault(CallError::already_closed())),
            (4, _) => Err(fault(CallError::broken_answer("it is not JSON"))),
            (5, _) => Err(fault(CallError::not_signed_in())),
            _ => Err(fault(CallError::timed_out())),
        };
        self.apply(Message::Worker(Event::Reply(Reply { call_id, result })));
    }

    fn draw(&mut self) {
        let mut drawn = Drawn::default();
        let Ok(_) = self.terminal.draw(|frame| drawn = view::draw(frame, &self.model, &Theme::default()));
        self.limits = drawn.limits;
        self.pointer.record_draw(drawn.regions, self.clock);
        self.confirmation.record_draw(&self.model, self.clock);
        for cell in &self.terminal.backend().buffer().content {
            let symbol = cell.symbol();
            // Most cells are blank or hold one printable character of ASCII, which needs no closer look.
            if matches!(symbol.as_bytes(), [b' '..=b'~']) {
                continue;
            }
            assert_eq!(invisible_characters(symbol), 0, "{symbol:?}");
            assert!(!symbol.contains(['\n', '\t']) && symbol.chars().count() < 32, "{symbol:?}");
        }
    }

    /// What the dashboard holds is no more than what came.
    fn check_size(&self, came: usize) {
        assert!(self.model.requests.all().count() <= came, "{} rows", self.model.requests.all().count());
        let typed: usize = Field::ALL.iter().map(|field| self.model.form.field(*field).text().len()).sum();
        // A byte that is not UTF-8 becomes a character of three, a suggestion that is taken is longer than its key, and
        // what was cut can be put back in.
        assert!(typed <= 8 * came + 64, "{typed} bytes of text from {came}");
    }
}

fn created(id: CallId, new: &NewElevationRequest, text: &str) -> ElevationRequest {
    let hostile = || Untrusted::new(text);
    ElevationRequest {
        id: RequestId::new(format!("{id} {text}")).or_else(|| RequestId::new(id.to_string())).unwrap(),
        ticket: Untrusted::new(new.get(Field::Ticket)),
        device: hostile(),
        title: hostile(),
        category: hostile(),
        subcategory: hostile(),
        plan_of_action: hostile(),
        actions_taken: Untrusted::default(),
        requested_by: hostile(),
        closed_by: Untrusted::default(),
        created: None,
        closed: None,
        viewers: vec![hostile()],
    }
}

/// A request that is listed: of anybody, open or closed, as its id says.
fn listed(id: char, text: &str) -> ElevationRequest {
    let hostile = || Untrusted::new(text);
    let number = u32::from(id);
    let time = |second: u32| ServiceTime::read(Untrusted::new(format!("1970-01-01T00:{:02}:00Z", second % 60)));
    let is_closed = number.is_multiple_of(3);
    ElevationRequest {
        id: RequestId::new(format!("listed-{number}")).unwrap(),
        ticket: hostile(),
        device: Untrusted::new("MMD-1"),
        title: hostile(),
        category: hostile(),
        subcategory: hostile(),
        plan_of_action: hostile(),
        actions_taken: if is_closed { hostile() } else { Untrusted::default() },
        requested_by: hostile(),
        closed_by: if is_closed { hostile() } else { Untrusted::default() },
        created: time(number),
        closed: time(number / 7).filter(|_| is_closed),
        viewers: Vec::new(),
    }
}

fn device(text: &str) -> Device {
    let text = || Untrusted::new(text);
    Device { name: text(), serial_number: text(), user: text(), model: text(), update_ring: text() }
}
