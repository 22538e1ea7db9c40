//! The tenants that are open beside the one that is shown: each keeps its model, its session with the running calls, and its
//! events. It draws nothing and never waits.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, future,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::Receiver;

use super::{not_saved, not_taken, submit};
use crate::dashboard::{Effect, Message, Model, Notice, ScrollLimits, TenantNumber, update};
use mmd_elevate_core::{Event, Problem};
use mmd_elevate_engine::session::Session;

/// A tenant that was opened.
#[derive(Debug)]
pub struct OpenedTenant {
    /// Its dashboard.
    pub model: Model,
    /// Its session.
    pub session: Session,
    /// The events of the session.
    pub events: Receiver<Event>,
}

/// Opens a tenant. It never waits: what is slow is done by the session's tasks. `None` if there is no such tenant.
pub struct TenantOpener(Box<dyn FnMut(TenantNumber) -> Option<OpenedTenant>>);

impl TenantOpener {
    /// Makes an opener of a function.
    pub fn new(open: impl FnMut(TenantNumber) -> Option<OpenedTenant> + 'static) -> Self {
        Self(Box::new(open))
    }

    pub(super) fn open(&mut self, number: TenantNumber) -> Option<OpenedTenant> {
        (self.0)(number)
    }
}

impl fmt::Debug for TenantOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantOpener").finish_non_exhaustive()
    }
}

/// The sessions of all tenants that are open, and their events. The session of the first tenant belongs to the caller of the
/// loop.
#[derive(Debug)]
pub(super) struct Connections<'s> {
    first: (TenantNumber, &'s Session),
    is_first_running: bool,
    others: BTreeMap<TenantNumber, Connection>,
}

#[derive(Debug)]
struct Connection {
    session: Session,
    events: Receiver<Event>,
    is_running: bool,
}

impl<'s> Connections<'s> {
    pub(super) const fn new(number: TenantNumber, session: &'s Session) -> Self {
        Self { first: (number, session), is_first_running: true, others: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, number: TenantNumber, session: Session, events: Receiver<Event>) {
        self.others.insert(number, Connection { session, events, is_running: true });
    }

    /// Returns the sessions of all tenants that are open.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.others.values().map(|connection| &connection.session).chain([self.first.1])
    }

    /// Returns the session of a tenant that is open.
    pub(super) fn session(&self, number: TenantNumber) -> &Session {
        self.others.get(&number).map_or(self.first.1, |connection| &connection.session)
    }

    /// Waits for the next message of a session that has not ended, and takes up to `most` that have come.
    pub(super) async fn messages(
        &mut self,
        first_events: &mut Receiver<Event>,
        most: usize,
    ) -> (TenantNumber, Vec<Message>) {
        let first = self.first.0;
        let (number, event) = future::poll_fn(|context| {
            if self.is_first_running
                && let Poll::Ready(event) = first_events.poll_recv(context)
            {
                return Poll::Ready((first, event));
            }
            for (number, connection) in self.others.iter_mut().filter(|(_, connection)| connection.is_running) {
                if let Poll::Ready(event) = connection.events.poll_recv(context) {
                    return Poll::Ready((*number, event));
                }
            }
            Poll::Pending
        })
        .await;
        let own = self.others.len();
        let (events, is_running) = match self.others.get_mut(&number) {
            Some(connection) => (&mut connection.events, &mut connection.is_running),
            None => (first_events, &mut self.is_first_running),
        };
        *is_running = event.is_some();
        let mut messages = vec![event.map_or(Message::WorkerGone, Message::Worker)];
        while messages.len() < most
            && let Ok(event) = events.try_recv()
        {
            messages.push(Message::Worker(event));
        }
        for message in &mut messages {
            if let Message::Worker(Event::Recovered(recovered)) = message {
                // The other sessions of this program use the record too, and are no other dashboards.
                recovered.others = recovered.others.saturating_sub(own);
            }
        }
        (number, messages)
    }

    /// Returns the sessions that the loop has opened. Nothing receives their events any more, so that their calls end.
    pub(super) fn into_sessions(self) -> Vec<Session> {
        self.others.into_values().map(|connection| connection.session).collect()
    }
}

/// A tenant that is open and not shown.
#[derive(Debug)]
pub(super) struct HiddenTenant {
    pub(super) model: Model,
    /// How far its last frame can be scrolled.
    pub(super) limits: ScrollLimits,
    /// When something is due there.
    due: Instant,
}

impl HiddenTenant {
    pub(super) fn new(model: Model, limits: ScrollLimits) -> Self {
        Self { model, limits, due: Instant::now() }
    }

    /// Returns how long until something is due.
    pub(super) fn due_in(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// Applies messages after a tick, and performs their effects. Returns what the agent has to know of it at another tenant,
    /// and whether the bell is to ring.
    pub(super) fn apply(&mut self, tick: Message, messages: Vec<Message>, session: &Session) -> (Vec<Notice>, bool) {
        let (mut told, mut rings) = (Vec::new(), false);
        let mut messages: VecDeque<_> = std::iter::once(tick).chain(messages).collect();
        while let Some(message) = messages.pop_front() {
            // What is repeated by itself is not told elsewhere.
            let is_news = !matches!(message, Message::Tick { .. } | Message::Worker(Event::Progress(..)));
            let before = self.model.notice.clone();
            for effect in update(&mut self.model, message, self.limits) {
                match effect {
                    Effect::Call(id, call) => messages.extend(submit(session, id, call)),
                    Effect::Abandon(id) => messages.extend(not_taken(session.abandon(id))),
                    Effect::SignIn => messages.extend(not_taken(session.sign_in())),
                    Effect::ReadChanges => _ = session.read_changes(),
                    Effect::Save(drafts) => messages.extend(not_saved(session.save(drafts))),
                    Effect::Bell => rings = true,
                    Effect::LogUnawaited(id) => {
                        tracing::warn!(call = id.0, "a reply came for a call that is not awaited");
                    }
                    // These follow from keys, and keys are for the tenant that is shown.
                    Effect::Copy(_)
                    | Effect::OpenEditor(..)
                    | Effect::OpenAddress(_)
                    | Effect::CaptureMouse(_)
                    | Effect::WriteReport(_)
                    | Effect::ReadTemplates
                    | Effect::SaveTemplate(_)
                    | Effect::CountTemplate(_)
                    | Effect::EditTaken
                    | Effect::Redraw
                    | Effect::Suspend
                    | Effect::ShowTenant(_)
                    | Effect::Exit => {}
                }
            }
            let notice = self.model.notice.as_ref().filter(|_| is_news && self.model.notice != before);
            told.extend(notice.filter(|notice| !notice.tone.is_passing()).cloned());
        }
        self.due = Instant::now() + self.model.next_wake();
        (told, rings)
    }

    /// Applies the end of the program. Returns what is still to be saved.
    pub(super) fn end(&mut self, tick: Message) -> Vec<Effect> {
        let mut effects = update(&mut self.model, tick, self.limits);
        effects.extend(update(&mut self.model, Message::Ending, self.limits));
        effects
    }
}

/// Returns what is told of a tenant while another is shown.
pub(super) fn elsewhere(name: &str, notice: Notice, key: &str) -> Problem {
    let hint = notice.hint.map_or_else(String::new, |hint| format!("; {hint}"));
    Problem::new(format!("{name}: {}", notice.text), format!("{key} goes there{hint}"))
}
