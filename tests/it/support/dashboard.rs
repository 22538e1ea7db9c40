//! The dashboard without a terminal, a network or a clock: keys and replies go in, effects and a screen come out.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use mmd_elevate::{
    app::{Batch, Confirmation, Pointer},
    dashboard::{
        Category, Effect, Message, Model, Regions, Row, ScrollLimits, Setup, Tenant, update,
        view::{self, Drawn, Theme},
    },
    keys::Keymap,
    terminal::{Input, InputBatch},
};
use mmd_elevate_core::{
    Call, CallError, CallId, CallResult, CloseElevationRequest, Draft, DraftTarget, ElevationRequest, Event, Field,
    Gaps, NewElevationRequest, Operation, Progress, Query, ReadBack, Recovered, Reply, RequestId, ServiceTime, SignIn,
    Untrusted,
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    style::{Color, Modifier},
};

use super::keys::events;

/// A form that can be sent, as it is typed from the list.
pub(crate) const DRAFT: &str = "n INC-10442 tab MMD-03690457680 tab 'Excel add-in crashes' tab Office tab Excel tab 'Start Excel as administrator.'";

/// How long an agent takes who looks at the screen before the next key.
const LOOKS: Duration = Duration::from_millis(600);

/// The driver.
#[derive(Clone)]
pub(crate) struct Dashboard {
    pub(crate) model: Model,
    terminal: Terminal<TestBackend>,
    now: Timestamp,
    /// The monotonic clock, by which keys are read and frames drawn.
    clock: Instant,
    confirmation: Confirmation,
    pointer: Pointer,
    /// How far what was drawn last can be scrolled.
    limits: ScrollLimits,
    /// What stands where in what was drawn last.
    regions: Regions,
    /// By the clock that nobody sets.
    elapsed: Duration,
    /// What the dashboard asked of the world, other than calls and saves, since it was last looked at.
    effects: Vec<Effect>,
    /// The drafts that it had saved since that was last looked at.
    saves: Vec<(DraftTarget, Option<Draft>)>,
    /// The calls on the wire that have no reply yet, other than those that only look for more to show.
    calls: Vec<(CallId, Call)>,
    /// Those that only look for more to show.
    reads: Vec<(CallId, Call)>,
    /// What the service lists of the form's device; `None`: it does not answer by itself.
    device: Option<Vec<ElevationRequest>>,
    /// How many requests the service has opened.
    opened: usize,
    left: bool,
}

pub(crate) fn start() -> Timestamp {
    "2026-11-22T14:02:00Z".parse().unwrap()
}

pub(crate) fn setup() -> Setup {
    let category = |name: &str, subcategories: &[&str]| Category {
        name: name.to_owned(),
        subcategories: subcategories.iter().map(|&name| name.to_owned()).collect(),
    };
    Setup {
        tenant: Tenant {
            name: Some("Contoso".to_owned()),
            id: "7f3c0b1a-2d4e-4f60-8a9b-c1d2e3f46677".to_owned(),
            practice: true,
        },
        categories: vec![
            category("Office", &["Excel", "Outlook", "Word"]),
            category("Windows", &["Services", "Updates"]),
            category("Hardware", &["Printer"]),
        ],
        keymap: Keymap::default(),
        time_zone: TimeZone::UTC,
        now: start(),
    }
}

impl Dashboard {
    /// The dashboard as it stands once the service is ready and an empty record is open, at 120x36.
    pub(crate) fn new() -> Self {
        Self::at(120, 36)
    }

    pub(crate) fn at(columns: u16, rows: u16) -> Self {
        let mut dashboard = Self::opening(columns, rows);
        dashboard.recovered(Recovered::default());
        dashboard
    }

    /// The dashboard before the record is open.
    pub(crate) fn opening(columns: u16, rows: u16) -> Self {
        let terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let model = Model::new(setup());
        let (effects, saves, calls, reads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let device = Some(Vec::new());
        let (clock, confirmation, elapsed) = (Instant::now(), Confirmation::default(), Duration::ZERO);
        let (now, limits, left) = (start(), ScrollLimits::default(), false);
        let (pointer, regions) = (Pointer::default(), Regions::default());
        let mut dashboard = Self {
            model,
            terminal,
            now,
            clock,
            confirmation,
            pointer,
            limits,
            regions,
            elapsed,
            effects,
            saves,
            calls,
            reads,
            device,
            opened: 0,
            left,
        };
        dashboard.draw();
        dashboard.says(Event::Ready);
        dashboard.says(Event::SignIn(SignIn::SignedIn { until: Some(start() + SignedDuration::from_mins(52)) }));
        dashboard
    }

    /// A dashboard with requests that the service opened, each `TICKET DEVICE TITLE`, the last one selected.
    pub(crate) fn with_open(requests: &[&str]) -> Self {
        let mut dashboard = Self::new();
        for request in requests {
            dashboard.open(request);
        }
        dashboard
    }

    /// Sends a request, and lets the service open it.
    pub(crate) fn open(&mut self, request: &str) {
        self.send(request);
        self.opened();
    }

    /// Sends a request: `TICKET DEVICE TITLE`.
    pub(crate) fn send(&mut self, request: &str) {
        let [ticket, device, title] = request.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{request}") };
        self.burst(&format!("n '{ticket}' tab '{device}' tab '{title}' tab Office tab Excel tab 'Start it.' ctrl-s"));
    }

    /// Presses keys one after the other and looks before each, written as [`events`] takes them.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        for event in events(keys) {
            assert!(!self.left, "the agent has left");
            self.batch(vec![Input::Key(event)]);
        }
        self
    }

    /// Presses keys with so many milliseconds between them, each read and drawn by itself.
    pub(crate) fn press_every(&mut self, millis: u64, keys: &str) -> &mut Self {
        for event in events(keys) {
            self.read_after(Duration::from_millis(millis), vec![Input::Key(event)]);
        }
        self
    }

    /// The mouse does this to the first place where the text stands on the screen.
    pub(crate) fn point(&mut self, kind: MouseEventKind, text: &str) -> &mut Self {
        let (column, row) = self.place_of(text);
        self.batch(vec![mouse(kind, column, row)]);
        self
    }

    pub(crate) fn click(&mut self, text: &str) -> &mut Self {
        self.point(MouseEventKind::Down(MouseButton::Left), text)
    }

    /// Clicks twice, as fast as one does.
    pub(crate) fn double_click(&mut self, text: &str) -> &mut Self {
        let (column, row) = self.click(text).place_of(text);
        self.at_once(mouse(MouseEventKind::Down(MouseButton::Left), column, row));
        self
    }

    /// What the loop does with an input that comes as soon after the last one as a second click. Returns what it meant.
    pub(crate) fn at_once(&mut self, input: Input) -> Vec<Message> {
        self.read_after(Duration::from_millis(150), vec![input])
    }

    /// Turns the wheel so many steps down, or up where that is less than nothing.
    pub(crate) fn wheel(&mut self, text: &str, steps: i32) -> &mut Self {
        let kind = if steps < 0 { MouseEventKind::ScrollUp } else { MouseEventKind::ScrollDown };
        let (column, row) = self.place_of(text);
        for _ in 0..steps.abs() {
            self.batch(vec![mouse(kind, column, row)]);
        }
        self
    }

    /// What stands where on the screen.
    pub(crate) fn regions(&self) -> &Regions {
        &self.regions
    }

    /// The same keys in one batch.
    pub(crate) fn burst(&mut self, keys: &str) -> &mut Self {
        self.batch(events(keys).into_iter().map(Input::Key).collect());
        self
    }

    pub(crate) fn paste(&mut self, text: &str) -> &mut Self {
        self.batch(vec![Input::Paste(text.to_owned())]);
        self
    }

    /// What the loop does with a batch that is read once the agent has looked. Returns what the inputs meant.
    pub(crate) fn batch(&mut self, inputs: Vec<Input>) -> Vec<Message> {
        self.read_after(LOOKS, inputs)
    }

    /// The same for an input that was read just before the last frame was drawn.
    pub(crate) fn read_before_the_last_frame(&mut self, input: Input) -> Vec<Message> {
        let at = self.clock.checked_sub(Duration::from_millis(1)).unwrap();
        self.read(at, vec![input])
    }

    fn read_after(&mut self, time: Duration, inputs: Vec<Input>) -> Vec<Message> {
        self.clock += time;
        self.read(self.clock, inputs)
    }

    fn read(&mut self, at: Instant, inputs: Vec<Input>) -> Vec<Message> {
        let mut meant = Vec::new();
        let mut batch = Batch::new(InputBatch { at, inputs });
        self.tick();
        while !self.left
            && let Some(message) = batch.next(&self.model, &mut self.confirmation, &mut self.pointer)
        {
            meant.push(message.clone());
            self.apply(message);
        }
        self.draw();
        meant
    }

    fn apply(&mut self, message: Message) {
        let mut devices = Vec::new();
        for effect in update(&mut self.model, message, self.limits) {
            match effect {
                Effect::Call(id, Call::List(Query::Device(_))) if self.device.is_some() => devices.push(id),
                Effect::Call(id, call @ (Call::List(_) | Call::SearchDevices(_) | Call::History { .. })) => {
                    self.reads.push((id, call));
                }
                Effect::Call(id, call) => self.calls.push((id, call)),
                Effect::Exit => self.left = true,
                Effect::Save(drafts) => self.saves.extend(drafts),
                effect => self.effects.push(effect),
            }
        }
        for call_id in devices {
            let listed = self.device.clone().unwrap_or_default();
            self.apply(Message::Worker(Event::Progress(call_id, Progress::Page(listed))));
            let result = Ok(CallResult::Listed { gaps: Gaps::default(), at: self.now });
            self.apply(Message::Worker(Event::Reply(Reply { call_id, result })));
        }
    }

    /// What the service lists of the form's device from here on; `None`: it does not answer by itself.
    pub(crate) fn lists_of_device(&mut self, listed: Option<Vec<ElevationRequest>>) -> &mut Self {
        self.device = listed;
        self
    }

    /// The calls under way that only look for more to show.
    pub(crate) fn reads(&self) -> &[(CallId, Call)] {
        &self.reads
    }

    /// A page of the `index`th read under way.
    pub(crate) fn page(&mut self, index: usize, page: Vec<ElevationRequest>) -> &mut Self {
        let call_id = self.reads[index].0;
        self.says(Event::Progress(call_id, Progress::Page(page)))
    }

    /// The reply to the `index`th read under way.
    pub(crate) fn reply_to_read(&mut self, index: usize, result: Result<CallResult, CallError>) -> &mut Self {
        let (call_id, _) = self.reads.remove(index);
        self.reply(call_id, result)
    }

    /// What comes without a key.
    pub(crate) fn happens(&mut self, message: Message) -> &mut Self {
        self.tick();
        self.apply(message);
        self.draw();
        self
    }

    pub(crate) fn says(&mut self, word: Event) -> &mut Self {
        self.happens(Message::Worker(word))
    }

    /// The record is open, and this is what it holds.
    pub(crate) fn recovered(&mut self, recovered: Recovered) -> &mut Self {
        self.says(Event::Recovered(Box::new(recovered)))
    }

    /// The `index`th call under way comes a step further.
    pub(crate) fn progress(&mut self, index: usize, progress: Progress) -> &mut Self {
        let call_id = self.calls[index].0;
        self.says(Event::Progress(call_id, progress))
    }

    /// Time goes by.
    pub(crate) fn after(&mut self, seconds: i64) -> &mut Self {
        self.after_millis(1_000 * seconds)
    }

    pub(crate) fn after_millis(&mut self, millis: i64) -> &mut Self {
        self.now += SignedDuration::from_millis(millis);
        self.clock += Duration::from_millis(millis.unsigned_abs());
        self.elapsed += Duration::from_millis(millis.unsigned_abs());
        self.tick();
        self.draw();
        self
    }

    /// Somebody sets the clock, so many seconds forward or back; no time goes by.
    pub(crate) fn clock_is_set(&mut self, seconds: i64) -> &mut Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    fn tick(&mut self) {
        self.apply(Message::Tick { now: self.now, elapsed: self.elapsed });
    }

    pub(crate) fn wakes_in(&self) -> Duration {
        self.model.next_wake()
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.terminal.backend_mut().resize(columns, rows);
        self.batch(vec![Input::Resize(columns, rows)]);
        self
    }

    /// The calls on the wire that have no reply yet.
    pub(crate) fn calls(&self) -> &[(CallId, Call)] {
        &self.calls
    }

    /// The create that was handed over as the `index`th of those under way.
    pub(crate) fn create(&self, index: usize) -> NewElevationRequest {
        match &self.calls[index].1 {
            Call::Send(Operation::Create(request)) => request.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// The close under way: its id and its text.
    pub(crate) fn close(&self, index: usize) -> (&str, &str) {
        match &self.calls[index].1 {
            Call::Send(Operation::Close(CloseElevationRequest { id, actions_taken, .. })) => (id.raw(), actions_taken),
            other => panic!("{other:?}"),
        }
    }

    /// The reply to the `index`th call under way.
    pub(crate) fn reply_to(&mut self, index: usize, result: Result<CallResult, CallError>) -> &mut Self {
        let (call_id, _) = self.calls.remove(index);
        self.reply(call_id, result)
    }

    /// A reply, to whichever call.
    pub(crate) fn reply(&mut self, call_id: CallId, result: Result<CallResult, CallError>) -> &mut Self {
        self.says(Event::Reply(Reply { call_id, result }))
    }

    /// The service opens what was sent by the oldest call under way.
    pub(crate) fn opened(&mut self) -> &mut Self {
        self.opened += 1;
        let answer = created(&self.create(0), &format!("id-{}", self.opened), self.now);
        self.reply_to(0, Ok(opened(answer)))
    }

    /// The service takes the close of the oldest call under way, and lists its request as closed.
    pub(crate) fn closed(&mut self) -> &mut Self {
        let (id, text) = self.close(0);
        let id = RequestId::new(id).unwrap();
        let request = self.model.requests.find(&id).and_then(|row| row.request.cloned()).unwrap();
        let request = ElevationRequest { actions_taken: Untrusted::new(text), ..request };
        let request = closed(request, "agent@partner.example", self.now);
        self.reply_to(0, Ok(CallResult::Closed(ReadBack::Verified(Box::new(request)))))
    }

    /// The service takes the close of the oldest call under way, and does not show it yet.
    pub(crate) fn accepted(&mut self) -> &mut Self {
        self.reply_to(0, Ok(CallResult::Closed(ReadBack::NotYetVisible)))
    }

    /// The oldest call under way fails.
    pub(crate) fn fails(&mut self, kind: CallError, words: &str) -> &mut Self {
        self.reply_to(0, Err(fault(kind, words)))
    }

    /// The drafts that were to be saved since this was last asked: those without a text have ended.
    pub(crate) fn take_saves(&mut self) -> Vec<(DraftTarget, Option<Draft>)> {
        std::mem::take(&mut self.saves)
    }

    /// The worker ends, and with it all that was on the wire.
    pub(crate) fn worker_gone(&mut self) {
        // What is due by now is asked of the worker before it is gone.
        self.tick();
        self.calls.clear();
        self.reads.clear();
        self.apply(Message::WorkerGone);
        self.draw();
    }

    pub(crate) fn left(&self) -> bool {
        self.left
    }

    /// What the dashboard has asked of the world, other than calls, since this was last asked.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The texts of the form, in the order of its fields.
    pub(crate) fn form(&self) -> [String; 6] {
        Field::ALL.map(|field| self.model.form.field(field).text())
    }

    /// The row whose ticket this is.
    pub(crate) fn row(&self, ticket: &str) -> Row<'_> {
        self.model.requests.all().find(|row| row.text(Field::Ticket) == ticket).unwrap()
    }

    /// The list as it is shown: `ticket state`, the selected row with a `>`.
    pub(crate) fn list(&self) -> Vec<String> {
        let selected = self.model.requests.list().selected();
        let row = |id| self.model.requests.get(id).unwrap();
        let line = |row: Row<'_>| {
            let mark = if selected == Some(row.id) { "> " } else { "" };
            format!("{mark}{} {}", row.text(Field::Ticket), row.state.word())
        };
        self.model.requests.list().shown().iter().map(|id| line(row(*id))).collect()
    }

    /// What just happened, with its hint.
    pub(crate) fn notice(&self) -> String {
        self.model.notice.as_ref().map_or_else(String::new, |notice| {
            notice.hint.as_ref().map_or_else(|| notice.text.clone(), |hint| format!("{} · hint: {hint}", notice.text))
        })
    }

    /// The screen as text; the cursor is not in it.
    pub(crate) fn screen(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let lines = buffer.content.chunks(usize::from(buffer.area.width.max(1))).map(|cells| {
            // A wide character leaves the cell after it empty.
            let mut line = String::new();
            let mut skip = 0;
            for cell in cells {
                if skip == 0 {
                    line.push_str(cell.symbol());
                    skip = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
                }
                skip -= 1;
            }
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What stands left of the cursor in its line, but for blanks.
    pub(crate) fn left_of_cursor(&mut self) -> String {
        let cursor = self.terminal.get_cursor_position().unwrap();
        let buffer = self.terminal.backend().buffer();
        let row = buffer.content.chunks(usize::from(buffer.area.width)).nth(usize::from(cursor.y)).unwrap();
        let left: String = row[..usize::from(cursor.x)].iter().map(ratatui::buffer::Cell::symbol).collect();
        left.split(' ').next_back().unwrap_or_default().to_owned()
    }

    /// What the screen says between its borders, column by column, however it is wrapped.
    pub(crate) fn prose(&self) -> String {
        let mut columns: Vec<String> = Vec::new();
        for line in self.screen().lines() {
            for (index, cell) in line.split('│').enumerate() {
                if columns.len() <= index {
                    columns.push(String::new());
                }
                columns[index].push_str(cell);
                columns[index].push(' ');
            }
        }
        columns.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }

    /// The last line: the keys that work here.
    pub(crate) fn footer(&self) -> String {
        self.screen().lines().last().unwrap_or_default().to_owned()
    }

    /// The symbols of all cells.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = &str> {
        self.terminal.backend().buffer().content.iter().map(ratatui::buffer::Cell::symbol)
    }

    /// The first place where this text stands: its column and its row.
    pub(crate) fn place_of(&self, text: &str) -> (u16, u16) {
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let wanted: Vec<String> = text.chars().map(String::from).collect();
        let found = buffer.content.chunks(width).zip(0..).find_map(|(row, y)| {
            let is_there = |cells: &[ratatui::buffer::Cell]| cells.iter().zip(&wanted).all(|(c, w)| c.symbol() == w);
            let at = row.windows(wanted.len()).position(is_there)?;
            Some((u16::try_from(at).unwrap(), y))
        });
        found.unwrap_or_else(|| panic!("\"{text}\" is not on the screen:\n{}", self.screen()))
    }

    /// How the first place where this text stands is drawn.
    pub(crate) fn style_of(&self, text: &str) -> (Color, Modifier) {
        let cell = self.terminal.backend().buffer()[self.place_of(text)].clone();
        (cell.fg, cell.modifier)
    }

    /// The screen as a theme draws it.
    pub(crate) fn drawn_with(&self, theme: &Theme) -> String {
        let area = self.terminal.backend().buffer().area;
        let mut terminal = Terminal::new(TestBackend::new(area.width, area.height)).unwrap();
        terminal.draw(|frame| _ = view::draw(frame, &self.model, theme)).unwrap();
        terminal.backend().to_string()
    }

    /// The screen as a theme draws it: a letter for each style, and what the letters mean.
    pub(crate) fn styles(&self, theme: &Theme) -> String {
        let area = self.terminal.backend().buffer().area;
        let mut terminal = Terminal::new(TestBackend::new(area.width, area.height)).unwrap();
        terminal.draw(|frame| _ = view::draw(frame, &self.model, theme)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut letters: Vec<String> = Vec::new();
        let mut picture = String::new();
        for row in buffer.content.chunks(usize::from(area.width)) {
            let line: String = row
                .iter()
                .map(|cell| {
                    let style = format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier);
                    if style == "Reset on Reset NONE" {
                        return if cell.symbol() == " " { ' ' } else { '.' };
                    }
                    let at = letters.iter().position(|known| *known == style).unwrap_or_else(|| {
                        letters.push(style);
                        letters.len() - 1
                    });
                    char::from(b'a' + u8::try_from(at).unwrap())
                })
                .collect();
            picture.push_str(line.trim_end());
            picture.push('\n');
        }
        for (letter, style) in ('a'..).zip(letters) {
            picture.push_str(&format!("{letter}: {style}\n"));
        }
        picture
    }

    /// Compares the screen with the picture of this name in `tests/it/snapshots`.
    #[track_caller]
    pub(crate) fn looks_like(&self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new("../snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.screen()));
    }

    /// Compares the styles of the screen with the picture of this name.
    #[track_caller]
    pub(crate) fn styled_like(&self, name: &str, theme: &Theme) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(Path::new("../snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.styles(theme)));
    }

    fn draw(&mut self) {
        let theme = Theme::default();
        let (mut fits, mut drawn) = (false, Drawn::default());
        let picture = |frame: &mut ratatui::Frame<'_>| {
            fits = view::fits(frame.area());
            drawn = view::draw(frame, &self.model, &theme);
        };
        self.terminal.draw(picture).unwrap();
        (self.limits, self.regions) = (drawn.limits, drawn.regions.clone());
        self.pointer.record_draw(drawn.regions, self.clock);
        if fits {
            self.confirmation.record_draw(&self.model, self.clock);
        }
    }
}

/// What a terminal reports of the mouse at this place.
pub(crate) const fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Input {
    Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

/// A fault with words of the service's, where there are any.
pub(crate) fn fault(kind: CallError, words: &str) -> CallError {
    CallError { service_message: (!words.is_empty()).then(|| Untrusted::new(words)), ..kind }
}

/// The answer to a create.
pub(crate) fn opened(request: ElevationRequest) -> CallResult {
    CallResult::Created { request: Box::new(request), surplus: Vec::new() }
}

/// The request as it is once somebody has closed it.
pub(crate) fn closed(request: ElevationRequest, by: &str, at: Timestamp) -> ElevationRequest {
    let closed = Some(ServiceTime { text: Untrusted::new(at.to_string()), at: Some(at) });
    ElevationRequest { closed_by: Untrusted::new(by), closed, ..request }
}

/// What the service makes of a request.
pub(crate) fn created(request: &NewElevationRequest, id: &str, now: Timestamp) -> ElevationRequest {
    let text = |field| Untrusted::new(request.get(field));
    ElevationRequest {
        id: RequestId::new(id).unwrap(),
        ticket: text(Field::Ticket),
        device: text(Field::Device),
        title: text(Field::Title),
        category: text(Field::Category),
        subcategory: text(Field::Subcategory),
        plan_of_action: text(Field::PlanOfAction),
        actions_taken: Untrusted::default(),
        requested_by: Untrusted::new("agent@partner.example"),
        closed_by: Untrusted::default(),
        created: Some(ServiceTime { text: Untrusted::new(now.to_string()), at: Some(now) }),
        closed: None,
        viewers: Vec::new(),
    }
}
