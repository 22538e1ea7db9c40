//! The one thread that calls crossterm's poll and read, whose documentation forbids a second.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use tokio::sync::mpsc::Sender;

use crate::{platform, rehearsal};

/// The thread's name: a panic in it gives the terminal back.
pub(super) const NAME: &str = "input";
/// How long the next event may take to count as part of the same batch. Zero would never yield one on this reader, and
/// it spins meanwhile (its own timer counts milliseconds), so this is also what a key waits and costs.
const LULL: Duration = Duration::from_micros(30);
/// A batch is sent when it is this long or this old, so that a flood still reaches the screen.
const MOST_EVENTS: usize = 65_536;
const OLDEST: Duration = Duration::from_millis(20);
/// How long parking waits for the thread, and how often it is woken meanwhile.
const PARKING: Duration = Duration::from_millis(250);
const WAKE_AGAIN: Duration = Duration::from_millis(20);

/// What came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key went down or repeats.
    Key(KeyEvent),
    /// A paste, whole and raw: untrusted text with whatever line ends and control characters it had.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
}

/// Reads the terminal into batches for as long as the process lives. It is never joined: it may be stuck in crossterm.
#[derive(Debug)]
pub struct InputThread {
    gate: Arc<Gate>,
}

impl InputThread {
    /// Starts reading. Each batch holds what was there; when the thread ends (an error, a panic) the channel closes.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn start(batches: Sender<Vec<Input>>) -> io::Result<Self> {
        let gate = Arc::new(Gate::default());
        let theirs = Arc::clone(&gate);
        thread::Builder::new().name(NAME.into()).spawn(move || {
            if let Err(error) = read_batches(&theirs, &batches) {
                tracing::error!(%error, "failed to read the terminal");
            }
        })?;
        Ok(Self { gate })
    }

    /// Keeps the thread from reading, so that another program gets the keys. Says whether it has acknowledged.
    #[must_use]
    pub fn park(&self) -> bool {
        self.gate.close(PARKING)
    }

    /// Lets the thread read again.
    pub fn unpark(&self) {
        self.gate.open();
    }
}

/// Lets the thread into crossterm, or not.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// Whether the thread is between [`Gate::enter`] and [`Gate::leave`], where it may take keys.
    inside: bool,
}

impl Gate {
    fn enter(&self) {
        let mut state = self.lock();
        while state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.inside = true;
    }

    fn leave(&self) {
        self.lock().inside = false;
        self.changed.notify_all();
    }

    fn close(&self, limit: Duration) -> bool {
        let started = Instant::now();
        let mut state = self.lock();
        state.closed = true;
        while state.inside && started.elapsed() < limit {
            // More than once: a wake-up is lost on a thread that is just before its first read.
            let _ = platform::wake_reader();
            state = self.changed.wait_timeout(state, WAKE_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.inside
    }

    fn open(&self) {
        self.lock().closed = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_batches(gate: &Gate, batches: &Sender<Vec<Input>>) -> io::Result<()> {
    loop {
        gate.enter();
        let batch = read_batch();
        gate.leave();
        let batch = tidy(batch?);
        if !batch.is_empty() && batches.blocking_send(batch).is_err() {
            return Ok(());
        }
    }
}

/// Blocks for the first event, then takes what is there. `read` alone waits without end and without waking up; a `poll`
/// that says no in error (the thread was kept off the processor) only splits a batch.
fn read_batch() -> io::Result<Vec<Event>> {
    let mut batch = vec![event::read()?];
    rehearsal::panic_if_asked("input");
    let started = Instant::now();
    while batch.len() < MOST_EVENTS && started.elapsed() < OLDEST && event::poll(LULL)? {
        batch.push(event::read()?);
    }
    Ok(batch)
}

/// Keeps what the program acts on, and of resizes only the last. One that changes nothing is kept as well: what the
/// screen was drawn for is known to the loop alone, which may have seen a size that was gone again when this thread asked.
fn tidy(events: Vec<Event>) -> Vec<Input> {
    let mut size = None;
    let mut batch: Vec<Input> = events
        .into_iter()
        .filter_map(|event| match event {
            Event::Key(key) => (key.kind != KeyEventKind::Release).then_some(Input::Key(key)),
            Event::Paste(text) => Some(Input::Paste(text)),
            Event::Resize(columns, rows) => {
                size = Some(Input::Resize(columns, rows));
                None
            }
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
        })
        .collect();
    batch.extend(size);
    batch
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    fn key(kind: KeyEventKind) -> KeyEvent {
        KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, kind)
    }

    #[test]
    fn releases_mouse_and_focus_are_dropped() {
        let (press, repeat) = (key(KeyEventKind::Press), key(KeyEventKind::Repeat));
        let events = vec![
            Event::Key(press),
            Event::FocusGained,
            Event::Key(key(KeyEventKind::Release)),
            Event::Paste("a\r\nb".into()),
            Event::Key(repeat),
        ];
        let batch = tidy(events);
        assert_eq!(batch, [Input::Key(press), Input::Paste("a\r\nb".into()), Input::Key(repeat)]);
    }

    #[test]
    fn of_many_resizes_the_last_is_told() {
        assert_eq!(tidy(vec![Event::Resize(1, 1), Event::Resize(100, 30)]), [Input::Resize(100, 30)]);
    }

    #[test]
    fn a_closed_gate_keeps_the_thread_out_until_it_is_opened() {
        let gate = Arc::new(Gate::default());
        assert!(gate.close(Duration::ZERO), "nobody is inside");
        let theirs = Arc::clone(&gate);
        let thread = thread::spawn(move || theirs.enter());
        thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished());
        gate.open();
        thread.join().unwrap();
        assert!(!gate.close(Duration::ZERO), "the thread is inside and does not answer");
    }
}
