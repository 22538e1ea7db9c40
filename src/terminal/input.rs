//! The one thread that reads the terminal: bytes in, batches of inputs out. What bytes mean is for [`Parser`] alone.

mod gate;
mod key;
mod parser;
mod paste;
mod reply;
mod sequence;
mod state;

use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{KeyEvent, KeyEventKind, MouseEvent};
use gate::Gate;
pub use parser::Parser;
pub use reply::TerminalReply;
use tokio::sync::mpsc::Sender;

use crate::platform::{self, TerminalReader, Waker};
use mmd_elevate_engine::failpoint;

/// The thread's name: a panic in it gives the terminal back.
pub(super) const NAME: &str = "input";
/// A read of so many bytes is a part of more: a terminal hands over a long text in pieces.
const LONG_READ: usize = 128;
/// How long the next piece of a long text may take to count as part of the same batch.
const LULL: Duration = Duration::from_micros(100);
/// A batch is sent when it is this long or this old, so that a flood still reaches the screen.
const MOST_INPUTS: usize = 65_536;
const OLDEST: Duration = Duration::from_millis(20);
/// How long parking waits for the thread.
const PARKING: Duration = Duration::from_millis(250);
/// How much is read at once. The kernel holds no more for a terminal.
const BUFFER: usize = 4_096;

/// What came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key went down or repeats.
    Key(KeyEvent),
    /// A paste, raw: untrusted text with whatever line ends and control characters it had. A long one comes in parts.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The mouse, where somebody has switched its reports on.
    Mouse(MouseEvent),
    /// The terminal's window has got the focus, or lost it.
    Focus(bool),
    /// The terminal has answered a question.
    Reply(TerminalReply),
    /// The terminal sends bytes that are not UTF-8; told once.
    NotUtf8,
}

/// Inputs that were read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputBatch {
    /// When the first of them was read.
    pub at: Instant,
    /// In the order in which they came.
    pub inputs: Vec<Input>,
}

/// Reads the terminal into batches for as long as the process lives. It is never joined: it sleeps in the kernel.
#[derive(Debug)]
pub struct InputThread {
    gate: Arc<Gate>,
    waker: Waker,
}

impl InputThread {
    /// Starts reading. Each batch holds what was there; when the thread ends (an error, a panic) the channel closes.
    ///
    /// # Errors
    /// Where no thread, descriptor or signal handler can be had.
    pub fn start(batches: Sender<InputBatch>) -> io::Result<Self> {
        let gate = Arc::new(Gate::default());
        let theirs = Arc::clone(&gate);
        let (reader, waker) = platform::terminal_reader()?;
        thread::Builder::new().name(NAME.into()).spawn(move || {
            if let Err(error) = read_batches(&theirs, &reader, &batches) {
                tracing::error!(%error, "failed to read the terminal");
            }
        })?;
        Ok(Self { gate, waker })
    }

    /// Keeps the thread from reading, so that another program gets the keys. Says whether it has acknowledged.
    #[must_use]
    pub fn park(&self) -> bool {
        self.gate.close(PARKING, || self.waker.wake())
    }

    /// Lets the thread read again.
    pub fn unpark(&self) {
        self.gate.open();
    }
}

fn read_batches(gate: &Gate, reader: &TerminalReader, batches: &Sender<InputBatch>) -> io::Result<()> {
    let mut parser = Parser::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        // What another program has read of a sequence does not come any more.
        let begun = if gate.enter() { parser.flush() } else { Vec::new() };
        let batch = read_batch(reader, &mut parser, &mut buffer, begun);
        gate.leave();
        let batch = batch?;
        if batch.inputs.is_empty() {
            continue;
        }
        failpoint::panic_if_asked("input");
        if batches.blocking_send(batch).is_err() {
            return Ok(());
        }
    }
}

/// Waits for the first bytes, a change of size or the parser's deadline, then takes what is there.
fn read_batch(
    reader: &TerminalReader,
    parser: &mut Parser,
    buffer: &mut [u8],
    mut inputs: Vec<Input>,
) -> io::Result<InputBatch> {
    let limit = match parser.deadline() {
        _ if !inputs.is_empty() => Some(Duration::ZERO),
        deadline => deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())),
    };
    let mut arrival = reader.read(buffer, limit)?;
    let at = Instant::now();
    let mut resized = arrival.resized;
    while arrival.bytes > 0 {
        inputs.append(&mut parser.feed(&buffer[..arrival.bytes], Instant::now()));
        if inputs.len() >= MOST_INPUTS || at.elapsed() >= OLDEST {
            break;
        }
        let lull = if arrival.bytes >= LONG_READ { LULL } else { Duration::ZERO };
        // A terminal that is gone is told of by the next wait; what was typed before is handed over first.
        arrival = reader.read(buffer, Some(lull)).unwrap_or_default();
        resized |= arrival.resized;
    }
    inputs.append(&mut parser.idle(Instant::now()));
    if resized {
        // One that changes nothing is told as well: what the screen was drawn for is known to the loop alone.
        let (columns, rows) = platform::size();
        inputs.push(Input::Resize(columns, rows));
    }
    Ok(InputBatch { at, inputs: tidy(inputs) })
}

/// Drops what the program does not act on: a key that goes up.
fn tidy(mut inputs: Vec<Input>) -> Vec<Input> {
    inputs.retain(|input| !matches!(input, Input::Key(key) if key.kind == KeyEventKind::Release));
    inputs
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn keys_that_go_up_are_dropped() {
        let key = |kind| Input::Key(KeyEvent::new_with_kind(KeyCode::Char('a'), KeyModifiers::NONE, kind));
        let [press, release, repeat] = [KeyEventKind::Press, KeyEventKind::Release, KeyEventKind::Repeat].map(key);
        assert_eq!(tidy(vec![press.clone(), release, repeat.clone()]), [press, repeat]);
    }
}
