//! The event loop: turns inputs and events into messages, performs the effects of the dashboard, and draws. It never waits
//! for a disk, for the terminal or for the worker.

mod background;
mod batch;
mod confirmation;
mod external;
mod pointer;
pub(crate) mod practice;
mod report_file;
mod runtime;
mod setup;
mod tenants;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Display,
    path::PathBuf,
    task::Poll,
    time::{Duration, Instant},
};

use background::BackgroundQuestion;
pub use batch::Batch;
use color_eyre::eyre;
pub use confirmation::Confirmation;
use external::{
    CopiedText, CopyReason, RunningCopies, RunningEdit, RunningOpenings, edit_result, start_copy, start_editor,
    start_opening,
};
use jiff::Timestamp;
pub use pointer::Pointer;
use report_file::write_report;
pub use runtime::BackgroundRuntime;
pub(crate) use setup::tenant_key;
pub use setup::{Components, OtherTenants, open_service, open_session, setup};
use tenants::{Connections, HiddenTenant, elsewhere};
pub use tenants::{OpenedTenant, TenantOpener};
use tokio::{sync::mpsc::Receiver, task::JoinSet};

use crate::{
    dashboard::{
        CopiedTo, EditTarget, Effect, HandedOver, Message, Model, ScrollLimits, TenantNumber, TenantState, Tenants,
        update,
        view::{self, Palette, Theme},
    },
    keys::{Action, Scope},
    platform::{self, SystemEvent, Termination, TmuxCopy},
    templates::TemplateFolders,
    terminal::{Background, InputBatch, Surface, TerminalError, editor::EditResult},
};
use mmd_elevate_core::{Call, CallId, Event, Problem, Reply, visible};
use mmd_elevate_engine::{
    failpoint,
    redact::redact,
    session::{CommandError, Session},
};

/// How many events of the worker are applied at most before the screen is drawn.
const MAX_EVENTS_PER_DRAW: usize = 256;

/// How long the worker may take to accept the last drafts.
const LAST_DRAFTS_TIMEOUT: Duration = Duration::from_millis(200);

/// How long the last keys may take to arrive: the thread that has read them may not have a core yet. It is well below the
/// 50 ms within which the terminal has to be given back.
const LAST_KEYS_TIMEOUT: Duration = Duration::from_millis(20);

/// How long the result of an editor or of a copy may take to arrive at the end.
const LAST_RESULTS_TIMEOUT: Duration = Duration::from_millis(100);

/// How much earlier the input thread may see a hang-up than the thread that watches for it.
const HANG_UP_DELAY: Duration = Duration::from_millis(100);

/// The loop's ends of its channels.
#[derive(Debug)]
pub struct Channels {
    /// Inputs of the terminal.
    pub inputs: Receiver<InputBatch>,
    /// Events of the system.
    pub system: Receiver<SystemEvent>,
    /// Events of the session.
    pub events: Receiver<Event>,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The agent quit.
    Quit,
    /// The system ended it.
    Terminated(Termination),
}

/// The dashboard on a surface.
#[derive(Debug)]
pub struct App<'a, S> {
    surface: &'a mut S,
    /// The dashboard of the tenant that is shown.
    model: Model,
    /// The tenants that can be shown.
    tenants: Tenants,
    open_tenant: Option<TenantOpener>,
    /// The tenants that are open and not shown.
    hidden: BTreeMap<TenantNumber, HiddenTenant>,
    /// The tenant that the agent has chosen.
    wanted_tenant: Option<TenantNumber>,
    /// The sessions that the loop has opened, once it has ended.
    sessions: Vec<Session>,
    /// How far the last frame can be scrolled.
    limits: ScrollLimits,
    theme: Theme,
    clock: fn() -> Timestamp,
    /// The beginning of the steady clock.
    started: Instant,
    edit: RunningEdit,
    /// Whether the dashboard has applied the text of the editor.
    is_edit_applied: bool,
    copies: RunningCopies,
    /// The folder of reports. A relative one begins at the current folder.
    report_folder: PathBuf,
    /// What is done with files meanwhile, each with what it tells the dashboard.
    jobs: JoinSet<Option<Message>>,
    template_folders: TemplateFolders,
    openings: RunningOpenings,
    /// The inputs after the key that opened the editor. They are applied when the editor has ended.
    typed_ahead: Option<Batch>,
    confirmation: Confirmation,
    pointer: Pointer,
    /// Whether a frame was drawn.
    is_drawn: bool,
    background: Background,
    background_question: BackgroundQuestion,
    /// The title that was set last, empty at first. `None` if titles are switched off.
    title: Option<String>,
    /// The error that shows that the terminal is gone.
    terminal_error: Option<TerminalError>,
}

impl<'a, S: Surface> App<'a, S> {
    /// Makes a dashboard that has not been drawn. `clock` returns the time of day and is read before each batch of messages;
    /// delays are measured by a steady clock.
    pub fn new(surface: &'a mut S, model: Model, theme: Theme, clock: fn() -> Timestamp) -> Self {
        Self {
            surface,
            model,
            tenants: Tenants::default(),
            open_tenant: None,
            hidden: BTreeMap::new(),
            wanted_tenant: None,
            sessions: Vec::new(),
            limits: ScrollLimits::default(),
            theme,
            clock,
            started: Instant::now(),
            edit: None,
            is_edit_applied: false,
            copies: RunningCopies::new(),
            report_folder: PathBuf::from("."),
            jobs: JoinSet::new(),
            template_folders: TemplateFolders::default(),
            openings: RunningOpenings::new(),
            typed_ahead: None,
            confirmation: Confirmation::default(),
            pointer: Pointer::default(),
            is_drawn: false,
            background: Background::Unknown,
            background_question: BackgroundQuestion::default(),
            title: None,
            terminal_error: None,
        }
    }

    /// Sets whether the loop asks the terminal for its background, once, after the first frame. It does not at first.
    #[must_use]
    pub fn with_background_question(mut self, is_asked: bool) -> Self {
        self.background_question = if is_asked { BackgroundQuestion::Due } else { BackgroundQuestion::Closed };
        self
    }

    /// Sets whether the program names itself and what waits in the title of the terminal. It does not at first.
    #[must_use]
    pub fn with_title(mut self, is_on: bool) -> Self {
        self.title = is_on.then(String::new);
        self
    }

    /// Sets the folder in which reports are written. It is the current one at first.
    #[must_use]
    pub fn with_report_folder(mut self, folder: PathBuf) -> Self {
        self.model.report_folder = visible(&folder.to_string_lossy()).into_owned();
        self.report_folder = folder;
        self
    }

    /// Sets where templates are kept. At first there are only those that the program brings along.
    #[must_use]
    pub fn with_template_folders(mut self, folders: TemplateFolders) -> Self {
        self.template_folders = folders;
        self
    }

    /// Sets the tenants that the agent can switch to, and how one is opened.
    pub fn set_tenants(&mut self, tenants: Tenants, open: TenantOpener) {
        self.tenants = tenants;
        self.open_tenant = Some(open);
        update(&mut self.model, Message::Tenants(self.tenants.clone()), self.limits);
    }

    /// Returns the sessions that the loop has opened, for the caller to end.
    pub fn take_sessions(&mut self) -> Vec<Session> {
        std::mem::take(&mut self.sessions)
    }

    /// Returns the background of the terminal, as far as it is known.
    #[must_use]
    pub fn background(&self) -> Background {
        self.background
    }

    /// Returns the surface.
    pub fn surface(&mut self) -> &mut S {
        self.surface
    }

    /// Draws the model.
    ///
    /// # Errors
    /// The terminal does not take the frame.
    pub fn draw(&mut self) -> eyre::Result<()> {
        // The time is taken before the bytes go out, because a key that answers the frame is read after that.
        let mut picture = None;
        let (model, theme, limits, is_drawn) = (&self.model, &self.theme, &mut self.limits, &mut self.is_drawn);
        self.surface
            .draw(|frame| {
                let drawn = view::draw(frame, model, theme);
                *limits = drawn.limits;
                picture = Some((drawn.regions, view::fits(frame.area()), Instant::now()));
                *is_drawn = true;
            })
            .map_err(|error| eyre::eyre!(error).wrap_err("failed to draw on the terminal"))?;
        // A frame that the terminal has not taken yet is not on the screen.
        match picture {
            Some((regions, ..)) if self.surface.is_behind() => self.pointer.record_behind(regions),
            Some((regions, fits, at)) => {
                self.pointer.record_draw(regions, at);
                if fits {
                    self.confirmation.record_draw(&self.model, at);
                }
            }
            None => {}
        }
        Ok(())
    }

    /// Sets the title of the terminal's window, if titles are switched on and it is another one than before. Call it after
    /// each draw: what a terminal does not take now is set by a later call.
    fn show_title(&mut self, title: &str) {
        if self.title.as_deref().is_none_or(|last| last == title) || self.surface.is_behind() {
            return;
        }
        match self.surface.set_title(&redact(title)) {
            Ok(()) => self.title = Some(title.to_owned()),
            Err(error) => tracing::debug!(%error, "failed to set the title; the next draw fails too"),
        }
    }

    /// Rings the terminal's bell, as far as the agent wants it. While an editor has the terminal, nothing rings.
    fn ring_bell(&mut self) {
        if let Err(error) = self.surface.bell() {
            tracing::debug!(%error, "failed to ring the bell; the next draw fails too");
        }
    }

    /// Has the terminal report the mouse, or no longer.
    fn capture_mouse(&mut self, is_on: bool) {
        if let Err(error) = self.surface.capture_mouse(is_on) {
            tracing::debug!(%error, "failed to switch the mouse; the next draw fails too");
        }
    }

    /// Shows a warning from before the loop.
    pub fn warn(&mut self, problem: Problem) {
        update(&mut self.model, Message::Warning(problem), self.limits);
    }

    /// Runs until the agent or the system ends it. In any case the worker gets all drafts before this returns; it saves them
    /// and ends when the channels are dropped.
    ///
    /// # Errors
    /// The terminal cannot be read although it is still there.
    pub async fn run(&mut self, mut channels: Channels, session: &Session) -> eyre::Result<ExitReason> {
        let first = self.tenants.present;
        let mut connections = Connections::new(first, session);
        let reason = self.run_until_exit(&mut channels, &mut connections).await;
        let session = connections.session(self.tenants.present);
        if matches!(reason, Ok(ExitReason::Quit)) {
            for session in connections.sessions() {
                // A busy worker must not keep the program from ending.
                let _ = tokio::time::timeout(LAST_DRAFTS_TIMEOUT, session.leave()).await;
            }
            self.await_background(&mut channels.inputs).await;
        }
        self.apply_last_results(&mut channels, session, matches!(reason, Ok(ExitReason::Terminated(_)))).await;
        self.await_jobs().await;
        let tick = self.tick();
        let mut effects = update(&mut self.model, tick, self.limits);
        effects.extend(update(&mut self.model, Message::Ending, self.limits));
        let mut all = vec![(self.tenants.present, effects)];
        let tick = self.tick();
        all.extend(self.hidden.iter_mut().map(|(number, hidden)| (*number, hidden.end(tick.clone()))));
        // A busy worker must keep neither the program from ending nor the drafts of another tenant from being saved.
        let sending = all.into_iter().map(async |(number, effects)| {
            for effect in effects {
                if let Effect::Save(drafts) = effect {
                    connections.session(number).save_last(drafts).await;
                }
            }
        });
        let sent = tokio::time::timeout(LAST_DRAFTS_TIMEOUT, join_all(sending)).await;
        tracing::debug!(in_time = sent.is_ok(), "sent the last drafts to the workers");
        self.sessions = connections.into_sessions();
        reason
    }

    async fn run_until_exit(
        &mut self,
        channels: &mut Channels,
        connections: &mut Connections<'_>,
    ) -> eyre::Result<ExitReason> {
        loop {
            let shown = self.tenants.present;
            if let Err(error) = self.draw() {
                return Ok(reason_of_lost_terminal(&error, &mut channels.system));
            }
            self.ask_background();
            self.show_title(&self.model.title());
            let wake = self.hidden.values().map(HiddenTenant::due_in).fold(self.model.next_wake(), Duration::min);
            let wake = tokio::time::sleep(wake);
            let (of, messages) = tokio::select! {
                // In this order: the result of an editor comes before the signal that ended it.
                biased;
                (target, result) = edit_result(&mut self.edit) => {
                    self.apply_edit_result(target, result, connections.session(shown));
                    if let Err(error) = self.surface.resume() {
                        return Ok(reason_of_lost_terminal(&error, &mut channels.system));
                    }
                    (shown, Vec::new())
                }
                event = channels.system.recv() => match event {
                    Some(SystemEvent::Terminate(termination)) => return Ok(ExitReason::Terminated(termination)),
                    Some(SystemEvent::Continued) => {
                        if let Err(error) = self.surface.retake() {
                            return Ok(reason_of_lost_terminal(&error, &mut channels.system));
                        }
                        (shown, Vec::new())
                    }
                    Some(SystemEvent::Suspend) => {
                        self.suspend();
                        (shown, Vec::new())
                    }
                    None => eyre::bail!("failed to watch for signals"),
                },
                batch = channels.inputs.recv(), if self.edit.is_none() => match batch {
                    Some(batch) => {
                        self.take_background(&batch);
                        if self.apply_inputs(Batch::new(batch), connections.session(shown)) {
                            return Ok(ExitReason::Quit);
                        }
                        (shown, Vec::new())
                    }
                    None => match tokio::time::timeout(HANG_UP_DELAY, channels.system.recv()).await {
                        Ok(Some(SystemEvent::Terminate(termination))) => return Ok(ExitReason::Terminated(termination)),
                        _ => eyre::bail!("failed to read the terminal"),
                    },
                },
                of_tenant = connections.messages(&mut channels.events, MAX_EVENTS_PER_DRAW) => of_tenant,
                Some(copied) = self.copies.join_next() => {
                    let message = copied.ok().and_then(|(text, result)| self.finish_copy(text, result));
                    (shown, message.into_iter().collect())
                }
                Some(done) = self.jobs.join_next() => (shown, done.ok().flatten().into_iter().collect()),
                Some(opened) = self.openings.join_next() => {
                    let message = opened.ok().and_then(|(address, failed)| self.finish_opening(&address, failed?));
                    (shown, message.into_iter().collect())
                }
                () = self.surface.writable(), if self.surface.is_behind() => (shown, Vec::new()),
                () = wake => (shown, Vec::new()),
            };
            let (messages, of_hidden) = if of == shown { (messages, Vec::new()) } else { (Vec::new(), messages) };
            for message in std::iter::once(self.tick()).chain(messages) {
                if self.apply(message, connections.session(shown)) {
                    return Ok(ExitReason::Quit);
                }
            }
            if self.apply_hidden(of, of_hidden, connections) || self.switch_tenant(connections) {
                return Ok(ExitReason::Quit);
            }
            while self.edit.is_none()
                && let Some(batch) = self.typed_ahead.take()
            {
                if self.apply_inputs(batch.into_typed_ahead(), connections.session(self.tenants.present)) {
                    return Ok(ExitReason::Quit);
                }
                if self.switch_tenant(connections) {
                    return Ok(ExitReason::Quit);
                }
            }
            if let Some(error) = self.terminal_error.take() {
                return Ok(reason_of_lost_terminal(&error, &mut channels.system));
            }
        }
    }

    /// Applies the messages of a tenant that is not shown, and what is due at the others. What needs the agent is told. Returns whether
    /// the agent has quit: who waits for calls leaves when they have ended.
    fn apply_hidden(&mut self, of: TenantNumber, messages: Vec<Message>, connections: &Connections<'_>) -> bool {
        let mut of_number = (of, messages);
        let (mut told, mut rings, mut is_changed) = (Vec::new(), false, false);
        let tick = self.tick();
        for (number, hidden) in &mut self.hidden {
            let messages = if *number == of_number.0 { std::mem::take(&mut of_number.1) } else { Vec::new() };
            if messages.is_empty() && !hidden.due_in().is_zero() {
                continue;
            }
            let (notices, is_ringing) = hidden.apply(tick.clone(), messages, connections.session(*number));
            rings |= is_ringing;
            is_changed = true;
            let name = self.tenants.get(*number).map_or_else(String::new, |entry| entry.name.clone());
            told.extend(notices.into_iter().map(|notice| (name.clone(), notice)));
        }
        if rings {
            self.ring_bell();
        }
        if is_changed && self.update_tenants(connections) {
            return true;
        }
        let key = self.model.keymap.name(Scope::List, Action::ShowTenants);
        let mut told = told.into_iter().map(|(name, notice)| elsewhere(&name, notice, &key));
        let session = connections.session(self.tenants.present);
        told.any(|problem| self.apply(Message::Warning(problem), session))
    }

    /// Tells the dashboard that is shown what has changed at the others. Returns whether the agent has quit.
    fn update_tenants(&mut self, connections: &Connections<'_>) -> bool {
        for (number, hidden) in &self.hidden {
            if let Some(entry) = self.tenants.entries.get_mut(number.0) {
                entry.state = TenantState::Opened(hidden.model.summary());
            }
        }
        let is_changed = self.tenants != self.model.tenants;
        is_changed && self.apply(Message::Tenants(self.tenants.clone()), connections.session(self.tenants.present))
    }

    /// Shows the tenant that the agent has chosen, as it was left. One that is not open yet is opened, without waiting. Returns
    /// whether the agent has quit.
    fn switch_tenant(&mut self, connections: &mut Connections<'_>) -> bool {
        let Some(number) = self.wanted_tenant.take().filter(|number| *number != self.tenants.present) else {
            return false;
        };
        if !self.hidden.contains_key(&number) {
            let Some(opened) = self.open_tenant.as_mut().and_then(|opener| opener.open(number)) else {
                tracing::error!(number = number.0, "there is no such tenant");
                return false;
            };
            let OpenedTenant { mut model, session, events } = opened;
            model.report_folder.clone_from(&self.model.report_folder);
            connections.add(number, session, events);
            self.hidden.insert(number, HiddenTenant::new(model, ScrollLimits::default()));
        }
        let Some(HiddenTenant { model, limits, .. }) = self.hidden.remove(&number) else { return false };
        let (left, left_limits) =
            (std::mem::replace(&mut self.model, model), std::mem::replace(&mut self.limits, limits));
        // The mouse is the terminal's: it stays as it is.
        self.model.mouse.is_on = left.mouse.is_on;
        let present = std::mem::replace(&mut self.tenants.present, number);
        self.tenants.previous = Some(present);
        self.hidden.insert(present, HiddenTenant::new(left, left_limits));
        if let Some(entry) = self.tenants.entries.get_mut(number.0) {
            entry.state = TenantState::Opened(self.model.summary());
            self.theme.tenant = entry.colour;
        }
        self.confirmation.forget_question();
        self.update_tenants(connections) || self.apply(self.tick(), connections.session(number))
    }

    /// Asks the terminal for its background, if that is due and a frame is on the screen.
    fn ask_background(&mut self) {
        let is_due = matches!(self.background_question, BackgroundQuestion::Due);
        if !is_due || !self.is_drawn || self.surface.is_behind() {
            return;
        }
        self.background_question = match self.surface.ask_background() {
            Ok(()) => BackgroundQuestion::Asked(Instant::now()),
            Err(error) => {
                tracing::debug!(%error, "failed to ask for the background of the terminal");
                BackgroundQuestion::Closed
            }
        };
    }

    /// Takes the answer of the terminal, if these inputs hold one that counts.
    fn take_background(&mut self, batch: &InputBatch) {
        if let Some(background) = self.background_question.answer(batch) {
            tracing::debug!(?background, "the terminal told its background");
            self.set_background(background);
        }
    }

    /// Sets the background. The loop draws after each batch of inputs, so that the next frame shows it.
    fn set_background(&mut self, background: Background) {
        self.background = background;
        self.theme.palette = match background {
            Background::Unknown => self.theme.palette,
            Background::Dark => Palette::Dark,
            Background::Light => Palette::Light,
        };
    }

    /// Waits for an answer that may still come: after the terminal is given back, the shell would take it as typed.
    async fn await_background(&mut self, inputs: &mut Receiver<InputBatch>) {
        while let Some(left) = self.background_question.time_left()
            && let Ok(Some(batch)) = tokio::time::timeout(left, inputs.recv()).await
        {
            self.take_background(&batch);
        }
    }

    fn tick(&self) -> Message {
        Message::Tick { now: (self.clock)(), elapsed: self.started.elapsed() }
    }

    /// Applies a batch of inputs. Returns whether the agent has quit.
    fn apply_inputs(&mut self, mut batch: Batch, session: &Session) -> bool {
        failpoint::panic_if_asked("loop");
        if self.apply(self.tick(), session) {
            return true;
        }
        while let Some(message) = batch.next(&self.model, &mut self.confirmation, &mut self.pointer) {
            if self.apply(message, session) {
                return true;
            }
            // What comes after it is for the editor to have ended, or for the other tenant.
            if self.edit.is_some() || self.wanted_tenant.is_some() {
                self.typed_ahead = Some(batch);
                break;
            }
        }
        false
    }

    /// Applies a message and performs its effects. Returns whether the agent has quit.
    fn apply(&mut self, message: Message, session: &Session) -> bool {
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut self.model, message, self.limits) {
                match effect {
                    Effect::Exit => return true,
                    Effect::Call(id, call) => messages.extend(submit(session, id, call)),
                    Effect::Abandon(id) => messages.extend(not_taken(session.abandon(id))),
                    Effect::SignIn => messages.extend(not_taken(session.sign_in())),
                    // Where there is no room, the next refresh looks again.
                    Effect::ReadChanges => _ = session.read_changes(),
                    Effect::Save(drafts) => messages.extend(not_saved(session.save(drafts))),
                    Effect::Copy(text) => messages.extend(self.copy(&text, CopyReason::Asked)),
                    Effect::OpenAddress(address) => messages.extend(self.open_address(&address)),
                    Effect::WriteReport(file) => {
                        let folder = self.report_folder.clone();
                        self.jobs.spawn_blocking(move || Some(Message::ReportWritten(write_report(&folder, &file))));
                    }
                    Effect::ReadTemplates => {
                        let folders = self.template_folders.clone();
                        self.jobs.spawn_blocking(move || Some(Message::Templates(folders.read())));
                    }
                    Effect::SaveTemplate(template) => {
                        let folders = self.template_folders.clone();
                        self.jobs.spawn_blocking(move || Some(Message::TemplateSaved(folders.save(&template))));
                    }
                    Effect::CountTemplate(name) => {
                        let folders = self.template_folders.clone();
                        self.jobs.spawn_blocking(move || {
                            if let Err(error) = folders.count_use(&name) {
                                tracing::warn!(%error, "the use of a template was not counted");
                            }
                            None
                        });
                    }
                    Effect::OpenEditor(target, text) => messages.extend(self.open_editor(target, text)),
                    Effect::EditTaken => self.is_edit_applied = true,
                    Effect::Suspend => self.suspend(),
                    Effect::Redraw => {
                        if let Err(error) = self.surface.retake() {
                            tracing::debug!(%error, "failed to take the terminal anew; the next draw fails too");
                        }
                    }
                    Effect::Bell => self.ring_bell(),
                    Effect::ShowTenant(number) => self.wanted_tenant = Some(number),
                    Effect::CaptureMouse(is_on) => self.capture_mouse(is_on),
                    Effect::LogUnawaited(id) => {
                        tracing::warn!(call = id.0, "a reply came for a call that is not awaited");
                    }
                }
            }
        }
        false
    }

    /// Lends the terminal to the agent's editor. Meanwhile replies are applied, and nothing is drawn.
    fn open_editor(&mut self, target: EditTarget, text: String) -> Option<Message> {
        if let Err(error) = self.surface.suspend() {
            return Some(Message::Warning(Problem::new(format!("The editor was not started: {error}"), error.hint())));
        }
        self.edit = Some((target, start_editor(text)));
        None
    }

    /// Applies what the editor saved. Its file is deleted only if nothing in it is missing from the text.
    fn apply_edit_result(
        &mut self,
        target: EditTarget,
        result: Option<Result<EditResult, Problem>>,
        session: &Session,
    ) {
        let problem = match result {
            Some(Ok(EditResult { text, problem, keep_file, file })) => {
                let path = visible(&file.path().to_string_lossy()).into_owned();
                self.is_edit_applied = text.is_none();
                if let Some(text) = text {
                    self.apply(self.tick(), session);
                    self.apply(Message::Edited { target, text }, session);
                }
                if self.is_edit_applied && !keep_file {
                    file.discard();
                } else {
                    tracing::warn!(path, "the editor's file is kept");
                }
                if self.is_edit_applied {
                    problem
                } else {
                    let what = "The edited text was not applied, because its field is gone or has another text now";
                    Some(Problem::new(what, format!("it is kept: {path}")))
                }
            }
            Some(Err(problem)) => Some(problem),
            None => {
                let hint = "the text is unchanged; the log names the editor's file, which is kept";
                Some(Problem::new("The program failed while the editor was open", hint))
            }
        };
        if let Some(problem) = problem {
            self.apply(Message::Warning(problem), session);
        }
    }

    /// Applies the result of an editor that has just ended and, if the system ends the program (`is_terminated`), the last
    /// typed text. No other action of the last keys is performed.
    async fn apply_last_results(&mut self, channels: &mut Channels, session: &Session, is_terminated: bool) {
        if self.edit.is_some()
            && let Ok((target, result)) = tokio::time::timeout(LAST_RESULTS_TIMEOUT, edit_result(&mut self.edit)).await
        {
            self.apply_edit_result(target, result, session);
        }
        let mut batches: Vec<_> = self.typed_ahead.take().into_iter().filter(|_| is_terminated).collect();
        while is_terminated
            && let Ok(Some(batch)) = tokio::time::timeout(LAST_KEYS_TIMEOUT, channels.inputs.recv()).await
        {
            batches.push(Batch::new(batch));
        }
        'keys: for batch in &mut batches {
            while let Some(message) = batch.next(&self.model, &mut self.confirmation, &mut self.pointer) {
                if !message.only_types() || self.apply(message, session) {
                    break 'keys;
                }
            }
        }
        while let Ok(Some(copied)) = tokio::time::timeout(LAST_RESULTS_TIMEOUT, self.copies.join_next()).await {
            let _ = copied.ok().and_then(|(text, result)| self.finish_copy(text, result));
        }
    }

    /// Waits for the files that are being written, but not for a disk that does not answer.
    async fn await_jobs(&mut self) {
        while let Ok(Some(done)) = tokio::time::timeout(LAST_RESULTS_TIMEOUT, self.jobs.join_next()).await {
            if let Ok(Some(Message::ReportWritten(Err(problem)) | Message::TemplateSaved(Err(problem)))) = done {
                tracing::warn!(hint = %problem.hint, "{}", problem.what);
            }
        }
    }

    /// Copies a text by tmux or by the terminal. Returns a message, unless the result comes later.
    fn copy(&mut self, text: &str, reason: CopyReason) -> Option<Message> {
        let text = CopiedText { text: redact(text).into_owned(), reason };
        if !platform::is_in_tmux() {
            return Some(self.copy_by_terminal(text));
        }
        start_copy(&mut self.copies, text);
        None
    }

    /// Completes a copy by tmux, by the terminal if tmux did not take it.
    fn finish_copy(&mut self, text: CopiedText, result: Option<TmuxCopy>) -> Option<Message> {
        Some(match result {
            Some(TmuxCopy::BufferAndTerminal) => text.into_message(CopiedTo::TmuxAndTerminal),
            Some(TmuxCopy::Buffer) => text.into_message(CopiedTo::Tmux),
            // The sequence would spoil the editor's screen.
            None if self.edit.is_some() => return None,
            None => self.copy_by_terminal(text),
        })
    }

    fn copy_by_terminal(&mut self, text: CopiedText) -> Message {
        match self.surface.copy_to_clipboard(&text.text) {
            Ok(()) => text.into_message(CopiedTo::Terminal),
            Err(error) => Message::Warning(Problem::new(
                format!("The terminal did not take the copy: {error}"),
                "copy it by hand",
            )),
        }
    }

    /// Has an address opened in the browser. Where nothing opens it, it is copied.
    fn open_address(&mut self, address: &str) -> Option<Message> {
        // No secret that a service repeats as a ticket goes elsewhere.
        let address = redact(address).into_owned();
        let openers = platform::openers();
        let Some(first) = openers.first() else { return self.copy(&address, CopyReason::NoBrowser) };
        let asked = Message::AddressHandedOver(HandedOver::Asked(first.name().to_owned()), address.clone());
        start_opening(&mut self.openings, openers, address);
        Some(asked)
    }

    /// Copies an address that this program did not open.
    fn finish_opening(&mut self, address: &str, program: String) -> Option<Message> {
        // As for a copy by tmux: the sequence would spoil the editor's screen.
        if self.edit.is_some() { None } else { self.copy(address, CopyReason::NotOpened(program)) }
    }

    /// Stops until the shell continues the job. While an editor has the terminal, only the editor stops.
    fn suspend(&mut self) {
        if self.edit.is_some() {
            return;
        }
        match self.surface.stop() {
            Ok(()) => {}
            Err(error @ TerminalError::Switch(_)) => self.terminal_error = Some(error),
            Err(error) => self.warn(Problem::new(format!("The program was not suspended: {error}"), error.hint())),
        }
    }
}

/// Waits until all are done.
async fn join_all(futures: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Returns the reason to exit if the terminal does not take bytes or settings: a termination that has arrived already, or
/// else a hang-up, which the system may report later.
fn reason_of_lost_terminal(error: &dyn Display, system: &mut Receiver<SystemEvent>) -> ExitReason {
    tracing::warn!(%error, "the terminal is gone");
    while let Ok(event) = system.try_recv() {
        if let SystemEvent::Terminate(termination) = event {
            return ExitReason::Terminated(termination);
        }
    }
    ExitReason::Terminated(Termination::HangUp)
}

/// Submits a call without waiting. If there is no room, this makes the failed reply itself, or the row would say `sending`
/// forever.
fn submit(session: &Session, call_id: CallId, call: Call) -> Option<Message> {
    let result = Err(session.submit(call_id, call).err()?);
    Some(Message::Worker(Event::Reply(Reply { call_id, result })))
}

/// Returns the message that says that a command was not taken.
fn not_taken(taken: Result<(), CommandError>) -> Option<Message> {
    taken.err().map(|_| Message::Warning(Problem::new(TOO_MANY_QUEUED, "wait a moment and try again")))
}

/// The same for drafts.
fn not_saved(taken: Result<(), CommandError>) -> Option<Message> {
    let problem = || Problem::new(TOO_MANY_QUEUED, "it is saved with the next change");
    taken.err().map(|_| Message::Worker(Event::NotSaved(problem())))
}

/// What happened where the worker does not take a command.
const TOO_MANY_QUEUED: &str = "Too many operations are queued";
