//! The shell around the pure middle: one loop that takes what happens, performs the effects, and draws.

mod background;
mod batch;
mod confirm;
mod others;
mod setup;

use std::{
    collections::VecDeque,
    fmt::Display,
    time::{Duration, Instant},
};

pub use background::Background;
pub use batch::Batch;
use color_eyre::eyre;
pub use confirm::Confirmations;
use jiff::Timestamp;
use others::{Copying, Editing, edited};
pub(crate) use setup::practice_sign_in;
pub use setup::{Components, SetupError, open_service, setup};
use tokio::sync::mpsc::Receiver;

use crate::{
    dashboard::{
        Effect, Message, Model, update,
        view::{self, Theme},
    },
    platform::{Ending, SystemEvent},
    terminal::{InputBatch, Surface, TerminalError},
};
use mmd_elevate_core::{Call, CallId, Event, Problem, Reply};
use mmd_elevate_engine::{
    failpoint,
    session::{NotTaken, Session},
};

/// How many words of the worker are applied before the screen is drawn.
const WORDS_PER_DRAW: usize = 256;

/// How long the worker may take to hear of the last drafts.
const LAST_WORD: Duration = Duration::from_millis(200);

/// The thread that reads may see a hang-up this much earlier than the one that watches for it.
const NOTICED: Duration = Duration::from_millis(100);

/// The loop's ends of its channels.
#[derive(Debug)]
pub struct Channels {
    /// What was typed, pasted and resized.
    pub inputs: Receiver<InputBatch>,
    /// What the system wants.
    pub system: Receiver<SystemEvent>,
    /// Events of the session.
    pub events: Receiver<Event>,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The agent left.
    ByAgent,
    /// The system ended it.
    BySystem(Ending),
}

/// The dashboard on a surface: the model, its look, and what is under way.
#[derive(Debug)]
pub struct App<'a, S> {
    surface: &'a mut S,
    model: Model,
    theme: Theme,
    clock: fn() -> Timestamp,
    /// From when on the clock counts that nobody sets.
    started: Instant,
    editing: Editing,
    /// Whether the text that came from the editor was taken over.
    edit_taken: bool,
    /// The copy that tmux is being given; what the terminal itself takes is sent at once.
    copying: Copying,
    /// What was typed behind the key that opened the editor, until the editor has ended.
    held: Option<Batch>,
    confirmations: Confirmations,
    /// Why the terminal is taken for gone.
    gone: Option<TerminalError>,
}

impl<'a, S: Surface> App<'a, S> {
    /// A dashboard that has not been drawn. The clock tells the time of day and is asked before each batch of messages;
    /// delays are measured by a steady clock of its own.
    pub fn new(surface: &'a mut S, model: Model, theme: Theme, clock: fn() -> Timestamp) -> Self {
        Self {
            surface,
            model,
            theme,
            clock,
            started: Instant::now(),
            editing: None,
            edit_taken: false,
            copying: Copying::new(),
            held: None,
            confirmations: Confirmations::default(),
            gone: None,
        }
    }

    /// The surface it is drawn on.
    pub fn surface(&mut self) -> &mut S {
        self.surface
    }

    /// Draws the model as it is.
    ///
    /// # Errors
    /// Where the terminal refuses bytes.
    pub fn draw(&mut self) -> eyre::Result<()> {
        // From before the bytes go out: a key that answers what they show cannot have been read earlier.
        let (mut extents, mut drawn) = (None, None);
        let (model, theme) = (&self.model, &self.theme);
        self.surface
            .draw(|frame| {
                extents = Some(view::draw(frame, model, theme));
                drawn = view::fits(frame.area()).then(Instant::now);
            })
            .map_err(|error| eyre::eyre!(error).wrap_err("failed to draw on the terminal"))?;
        // What the terminal has not taken yet nobody has seen.
        if let Some(at) = drawn.filter(|_| !self.surface.is_behind()) {
            self.confirmations.drawn(&self.model, at);
        }
        if let Some(extents) = extents {
            update(&mut self.model, Message::Drawn(extents));
        }
        Ok(())
    }

    /// Tells something from before the loop.
    pub fn warn(&mut self, what: String, hint: String) {
        update(&mut self.model, Message::Warning(Problem::new(what, hint)));
    }

    /// Runs until the agent or the system ends it. However it ends, the worker has been told all drafts by then; dropping
    /// the wires lets it save them and end.
    ///
    /// # Errors
    /// Where the terminal cannot be read although it is still there.
    pub async fn run(&mut self, mut channels: Channels, session: &Session) -> eyre::Result<Ended> {
        let ended = self.turn(&mut channels, session).await;
        self.take_last_results(&mut channels, session, matches!(ended, Ok(Ended::BySystem(_)))).await;
        let tick = self.tick();
        update(&mut self.model, tick);
        for effect in update(&mut self.model, Message::Ending) {
            if let Effect::Save(drafts) = effect {
                // The worker may be busy, but it must not keep the program.
                let told = tokio::time::timeout(LAST_WORD, session.save_last(drafts)).await;
                tracing::debug!(in_time = told.is_ok(), "told the last drafts");
            }
        }
        ended
    }

    async fn turn(&mut self, channels: &mut Channels, session: &Session) -> eyre::Result<Ended> {
        let mut worker_lives = true;
        loop {
            if let Err(error) = self.draw() {
                return Ok(hung_up(&error, &mut channels.system));
            }
            let wake = tokio::time::sleep(self.model.next_wake());
            let messages = tokio::select! {
                // In the order of what cannot wait: an editor that has ended is heard before the signal that ended it.
                biased;
                (target, edited) = edited(&mut self.editing) => {
                    self.take_edited(target, edited, session);
                    if let Err(error) = self.surface.resume() {
                        return Ok(hung_up(&error, &mut channels.system));
                    }
                    Vec::new()
                }
                event = channels.system.recv() => match event {
                    Some(SystemEvent::End(ending)) => return Ok(Ended::BySystem(ending)),
                    Some(SystemEvent::Continued) => {
                        if let Err(error) = self.surface.retake() {
                            return Ok(hung_up(&error, &mut channels.system));
                        }
                        Vec::new()
                    }
                    Some(SystemEvent::Suspend) => {
                        self.suspend();
                        Vec::new()
                    }
                    None => eyre::bail!("failed to watch for signals"),
                },
                batch = channels.inputs.recv(), if self.editing.is_none() => match batch {
                    Some(batch) => {
                        if self.take_inputs(Batch::new(batch), session) {
                            return Ok(Ended::ByAgent);
                        }
                        Vec::new()
                    }
                    None => match tokio::time::timeout(NOTICED, channels.system.recv()).await {
                        Ok(Some(SystemEvent::End(ending))) => return Ok(Ended::BySystem(ending)),
                        _ => eyre::bail!("failed to read the terminal"),
                    },
                },
                word = channels.events.recv(), if worker_lives => {
                    worker_lives = word.is_some();
                    let mut messages = vec![word.map_or(Message::WorkerGone, Message::Worker)];
                    while messages.len() < WORDS_PER_DRAW && let Ok(word) = channels.events.try_recv() {
                        messages.push(Message::Worker(word));
                    }
                    messages
                }
                Some(copied) = self.copying.join_next() => copied.ok().and_then(|copied| self.copied(copied)).into_iter().collect(),
                () = self.surface.room(), if self.surface.is_behind() => Vec::new(),
                () = wake => Vec::new(),
            };
            for message in std::iter::once(self.tick()).chain(messages) {
                if self.apply(message, session) {
                    return Ok(Ended::ByAgent);
                }
            }
            if self.editing.is_none()
                && let Some(held) = self.held.take()
                && self.take_inputs(held.typed_ahead(), session)
            {
                return Ok(Ended::ByAgent);
            }
            if let Some(error) = self.gone.take() {
                return Ok(hung_up(&error, &mut channels.system));
            }
        }
    }

    fn tick(&self) -> Message {
        Message::Tick { now: (self.clock)(), elapsed: self.started.elapsed() }
    }

    /// Applies a batch of inputs. Says whether the agent has left.
    fn take_inputs(&mut self, mut batch: Batch, session: &Session) -> bool {
        failpoint::panic_if_asked("loop");
        if self.apply(self.tick(), session) {
            return true;
        }
        while let Some(message) = batch.next(&self.model, &mut self.confirmations) {
            if self.apply(message, session) {
                return true;
            }
            if self.editing.is_some() {
                self.held = Some(batch);
                break;
            }
        }
        false
    }

    /// Applies a message and performs what follows from it. Says whether the agent has left.
    fn apply(&mut self, message: Message, session: &Session) -> bool {
        let mut messages = VecDeque::from([message]);
        while let Some(message) = messages.pop_front() {
            for effect in update(&mut self.model, message) {
                match effect {
                    Effect::Exit => return true,
                    Effect::Call(id, call) => messages.extend(submit(session, id, call)),
                    Effect::Abandon(id) => messages.extend(not_taken(session.abandon(id))),
                    Effect::SignIn => messages.extend(not_taken(session.sign_in())),
                    Effect::Save(drafts) => messages.extend(not_saved(session.save(drafts))),
                    Effect::Copy(text) => messages.extend(self.copy(&text)),
                    Effect::OpenEditor(target, text) => messages.extend(self.open_editor(target, text)),
                    Effect::EditTaken => self.edit_taken = true,
                    Effect::Suspend => self.suspend(),
                    Effect::LogUnawaited(id) => tracing::warn!(call = id.0, "a reply came that nobody awaits"),
                }
            }
        }
        false
    }

    /// Stops until the shell continues the job. While an editor has the terminal, the editor is what stops.
    fn suspend(&mut self) {
        if self.editing.is_some() {
            return;
        }
        match self.surface.stop() {
            Ok(()) => {}
            Err(error @ TerminalError::Switch(_)) => self.gone = Some(error),
            Err(error) => {
                let hint = error.hint().to_owned();
                update(&mut self.model, Message::Warning(Problem::new(format!("Not suspended: {error}"), hint)));
            }
        }
    }
}

/// A terminal that refuses bytes or settings is gone, whoever notices first; or the system has a reason of its own to
/// end the program, which comes first.
fn hung_up(error: &dyn Display, system: &mut Receiver<SystemEvent>) -> Ended {
    tracing::warn!(%error, "the terminal is gone");
    while let Ok(event) = system.try_recv() {
        if let SystemEvent::End(ending) = event {
            return Ended::BySystem(ending);
        }
    }
    Ended::BySystem(Ending::HangUp)
}

/// Submits a call without waiting. Where there is no room its failed reply comes from here, or the row would say `sending`
/// for ever.
fn submit(session: &Session, call_id: CallId, call: Call) -> Option<Message> {
    let result = Err(session.submit(call_id, call).err()?);
    Some(Message::Worker(Event::Reply(Reply { call_id, result })))
}

/// Returns the message that says that a command was not taken.
fn not_taken(taken: Result<(), NotTaken>) -> Option<Message> {
    taken.err().map(|_| Message::Warning(Problem::new(TOO_MANY_QUEUED, "wait a moment, then try again")))
}

/// The same for drafts.
fn not_saved(taken: Result<(), NotTaken>) -> Option<Message> {
    let problem = || Problem::new(TOO_MANY_QUEUED, "it is saved with the next change");
    taken.err().map(|_| Message::Worker(Event::NotSaved(problem())))
}

/// What happened where the worker does not take a command.
const TOO_MANY_QUEUED: &str = "Too many operations are queued";
