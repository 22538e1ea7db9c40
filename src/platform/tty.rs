//! Takes the terminal device and gives it back exactly once, from any thread. It never blocks on the terminal.
//!
//! A terminal may take no bytes for any time, because a multiplexer was stopped or a link is dead. Bytes that it does not
//! take are queued here and written before any others.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{ffi::OsStringExt, fs::OpenOptionsExt},
    },
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    io::Errno,
    process::getpgrp,
    stdio::{stderr, stdin, stdout},
    termios::{
        LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetpgrp, tcgetsid, tcgetwinsize, tcsetattr, ttyname,
    },
};
use tokio::net::unix::pipe;

/// Switches on the alternate screen and bracketed paste, and hides the cursor. No focus reports, no keyboard flags.
const MODES_ON: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// Ends a synchronized update and its colours, which may have been cut short, and switches all modes off.
const MODES_OFF: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Switches on and off that the terminal reports clicks and the wheel, in decimal numbers (SGR).
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// Puts the title of the window on the terminal's stack, and takes it back from there. A terminal that does not know this
/// ignores it.
const SAVE_TITLE: &[u8] = b"\x1b[22;0t";
const RESTORE_TITLE: &[u8] = b"\x1b[23;0t";
/// CAN: cancels a sequence of which the terminal has read only a part.
const CANCEL: &[u8] = b"\x18";
/// How long giving back waits for a terminal that takes no bytes.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_millis(100);
/// The most bytes that are queued: a frame of the largest screen, and a copy.
const MAX_QUEUED: usize = 4 << 20;
/// The least time between two writes to a terminal that takes no bytes: it may report to be writable when it is not.
const MIN_RETRY_INTERVAL: Duration = Duration::from_millis(2);
/// The time between two writes if the system does not report when the terminal is writable.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How many bytes are written at once to a terminal that could not be opened a second time, because it may block.
const BLOCKING_WRITE_SIZE: usize = 64;
/// How long a signal that came together with a SIGCONT may take to be handled.
const SIGNAL_DELAY: Duration = Duration::from_millis(50);
/// The size of a terminal that does not know its own.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// The values of `TERM`, in lower case, of terminals that cannot draw.
const TERMS_WITHOUT_DRAWING: [&str; 5] = ["dumb", "unknown", "network", "dialup", "emacs"];

/// Whether the terminal is taken, so that its modes have to be switched off.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether the former title of the window is on the terminal's stack.
static TITLE_SAVED: AtomicBool = AtomicBool::new(false);
/// Whether the terminal reports the mouse.
static MOUSE_CAPTURED: AtomicBool = AtomicBool::new(false);
/// Whether it ever did.
static MOUSE_USED: AtomicBool = AtomicBool::new(false);
/// Whether another program has the terminal. Until it is taken again, the keys that interrupt and quit are for that program.
static LENT: AtomicBool = AtomicBool::new(false);
/// When the terminal was last taken from another program.
static TAKEN_AGAIN: Mutex<Option<Instant>> = Mutex::new(None);
/// How long a signal of a key that was pressed in the other program may take to arrive.
const LATE_SIGNAL_WINDOW: Duration = Duration::from_millis(250);
/// Whether the process is being terminated, so that it must not be stopped any more.
static TERMINATING: AtomicBool = AtomicBool::new(false);
/// The state to restore. The lock is held while the modes are switched, so that a second thread waits until that is done.
static SAVED: Mutex<Option<SavedTerminal>> = Mutex::new(None);

/// The terminal before it was taken, and the bytes that it has not taken yet.
struct SavedTerminal {
    settings: Termios,
    /// The terminal opened a second time. Only this file description is non-blocking; the shell's stays as it is.
    nonblocking: Option<File>,
    /// Bytes that the terminal has not taken yet. They are written before any others, so that no sequence is cut.
    queue: Vec<u8>,
}

impl SavedTerminal {
    fn save() -> io::Result<Self> {
        Ok(Self { settings: tcgetattr(stdin())?, nonblocking: open_again().ok(), queue: Vec::new() })
    }

    /// Writes what the terminal takes now, and queues the rest.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.queue.is_empty() {
            if self.queue.len() + bytes.len() > MAX_QUEUED {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "it takes no bytes"));
            }
            self.queue.extend_from_slice(bytes);
            return Ok(());
        }
        let written = self.write_some(bytes)?;
        self.queue.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes as much of the queue as the terminal takes now. Returns whether the queue is empty.
    fn flush(&mut self) -> io::Result<bool> {
        if !self.queue.is_empty() {
            let written = self.write_some(&self.queue)?;
            self.queue.drain(..written);
        }
        Ok(self.queue.is_empty())
    }

    /// Writes as much as the terminal takes now, and returns how many bytes that was.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let (fd, max) = self.output();
        let mut written = 0;
        while written < bytes.len() {
            if self.nonblocking.is_none() && !is_writable(fd, Duration::ZERO)? {
                break;
            }
            match rustix::io::write(fd, &bytes[written..bytes.len().min(written.saturating_add(max))]) {
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }

    /// Writes all bytes, and waits at most [`GIVE_BACK_TIMEOUT`] for the terminal to take them.
    fn write_with_timeout(&self, mut bytes: &[u8]) -> io::Result<()> {
        let started = Instant::now();
        loop {
            bytes = &bytes[self.write_some(bytes)?..];
            let left = GIVE_BACK_TIMEOUT.saturating_sub(started.elapsed());
            if bytes.is_empty() {
                return Ok(());
            }
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if is_writable(self.output().0, left)? {
                std::thread::sleep(MIN_RETRY_INTERVAL);
            }
        }
    }

    /// Returns where bytes are written, and how many at once.
    fn output(&self) -> (BorrowedFd<'_>, usize) {
        self.nonblocking.as_ref().map_or_else(|| (stdout(), BLOCKING_WRITE_SIZE), |file| (file.as_fd(), usize::MAX))
    }
}

/// Returns the standard stream that has to be a terminal but is not.
#[must_use]
pub fn missing_terminal() -> Option<&'static str> {
    [("standard input", stdin()), ("standard output", stdout())]
        .into_iter()
        .find_map(|(name, fd)| (!isatty(fd)).then_some(name))
}

/// Returns whether a terminal with this value of `TERM` can draw. One without a value counts as one that cannot.
#[must_use]
pub fn can_draw(term: &str) -> bool {
    let term = term.trim().to_ascii_lowercase();
    !term.is_empty() && !TERMS_WITHOUT_DRAWING.contains(&term.as_str()) && !term.starts_with("dumb-")
}

/// Takes the terminal: raw mode and [`MODES_ON`]. Its settings are saved the first time only, so that a program that gets
/// the terminal in between and leaves it in disorder does not change what is restored in the end.
///
/// A process in the background stops here until the shell gives it the terminal, unless it was continued only to be
/// terminated (`kill %1`).
pub(crate) fn take() -> io::Result<()> {
    if is_background() {
        std::thread::sleep(SIGNAL_DELAY);
        if TERMINATING.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    let mut saved = saved();
    if saved.is_none() {
        *saved = Some(SavedTerminal::save()?);
    }
    let Some(saved) = saved.as_mut() else { return Ok(()) };
    let mut raw = saved.settings.clone();
    raw.make_raw();
    // Set first: a signal may arrive at any point from here on.
    TAKEN.store(true, Ordering::SeqCst);
    let taken =
        tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(io::Error::from).and_then(|()| saved.write(MODES_ON));
    if taken.is_err() {
        restore(saved);
    }
    if LENT.load(Ordering::SeqCst) {
        *TAKEN_AGAIN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        LENT.store(false, Ordering::SeqCst);
    }
    taken
}

/// Tells [`take`] that the process is being terminated.
pub(super) fn announce_termination() {
    TERMINATING.store(true, Ordering::SeqCst);
}

/// Gives the terminal to another program until the next [`take`].
pub(crate) fn lend() {
    LENT.store(true, Ordering::SeqCst);
    give_back();
}

/// Returns whether a signal of the keyboard is for another program, which has the terminal or had it a moment ago.
pub(super) fn is_lent() -> bool {
    let taken_again = *TAKEN_AGAIN.lock().unwrap_or_else(PoisonError::into_inner);
    LENT.load(Ordering::SeqCst) || taken_again.is_some_and(|since| since.elapsed() < LATE_SIGNAL_WINDOW)
}

/// Restores the terminal. Any thread may call it, any number of times: only the first call after the terminal was taken has
/// an effect, and the others return when that is done. It waits only briefly for a terminal that takes no bytes.
pub fn give_back() {
    if let Some(saved) = saved().as_mut() {
        restore(saved);
    }
}

fn restore(saved: &mut SavedTerminal) {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let is_background = is_background();
    // The settings first, because changing them never blocks. In the background they are the shell's already, and changing
    // them would stop the process. A failure cannot be handled or reported here.
    if !is_background {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &saved.settings);
    }
    let is_cut = !std::mem::take(&mut saved.queue).is_empty();
    if !(is_background && stops_writers()) {
        let cancel = if is_cut { CANCEL } else { b"" };
        let title = if TITLE_SAVED.swap(false, Ordering::SeqCst) { RESTORE_TITLE } else { b"" };
        // What switched it off may be among the bytes that the terminal did not take.
        let is_captured = MOUSE_CAPTURED.swap(false, Ordering::SeqCst) || is_cut && MOUSE_USED.load(Ordering::SeqCst);
        let mouse = if is_captured { MOUSE_OFF } else { b"" };
        let _ = saved.write_with_timeout(&[cancel, mouse, title, MODES_OFF].concat());
    }
}

/// Returns whether the shell has given the terminal to another job.
fn is_background() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp())
}

/// Returns whether a job in the background is stopped when it writes (`stty tostop`).
fn stops_writers() -> bool {
    tcgetattr(stdin()).is_ok_and(|settings| settings.local_modes.contains(LocalModes::TOSTOP))
}

/// Sets the title of the window until the terminal is given back, and saves the former one before that. The text holds no
/// control characters. Does nothing while the terminal is not taken.
pub(crate) fn set_title(text: &str) -> io::Result<()> {
    // Under the lock, so that what is saved is restored, whichever thread gives the terminal back.
    if let Some(saved) = saved().as_mut().filter(|_| is_taken()) {
        let save = if TITLE_SAVED.load(Ordering::SeqCst) { b"" } else { SAVE_TITLE };
        saved.write(&[save, b"\x1b]2;", text.as_bytes(), b"\x1b\\"].concat())?;
        TITLE_SAVED.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// Has the terminal report the mouse until it is given back, or no longer. Does nothing while the terminal is not taken.
pub(crate) fn capture_mouse(is_on: bool) -> io::Result<()> {
    // Under the lock, as for the title.
    if let Some(saved) = saved().as_mut().filter(|_| is_taken() && MOUSE_CAPTURED.load(Ordering::SeqCst) != is_on) {
        saved.write(if is_on { MOUSE_ON } else { MOUSE_OFF })?;
        MOUSE_CAPTURED.store(is_on, Ordering::SeqCst);
        MOUSE_USED.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// Writes as much of the queue as the terminal takes now. Returns whether the queue is empty.
pub(crate) fn flush() -> io::Result<bool> {
    saved().as_mut().map_or(Ok(true), SavedTerminal::flush)
}

/// Returns whether bytes are queued.
pub(crate) fn is_behind() -> bool {
    saved().as_ref().is_some_and(|saved| !saved.queue.is_empty())
}

/// Waits until the terminal may take bytes again.
pub(crate) async fn writable() {
    let file = saved().as_ref().and_then(|saved| saved.nonblocking.as_ref()?.try_clone().ok());
    // A pipe in name only: tokio waits until the file is writable, which works for a terminal too.
    let watched = file.and_then(|file| pipe::Sender::from_file_unchecked(file).ok());
    match watched {
        Some(watched) => {
            // The next write returns the error.
            let _ = watched.writable().await;
            tokio::time::sleep(MIN_RETRY_INTERVAL).await;
        }
        None => tokio::time::sleep(RETRY_INTERVAL).await,
    }
}

/// Makes the next [`take`] save the settings again: during a stop the shell may have changed them.
pub(crate) fn forget_settings() {
    if !is_taken() {
        *saved() = None;
    }
}

/// Returns whether the terminal is taken now.
#[must_use]
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Returns columns and rows by one system call.
#[must_use]
pub fn size() -> (u16, u16) {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => DEFAULT_SIZE,
    }
}

/// Returns whether standard error can be written. After a hang-up it cannot, and `eprintln!` would panic.
#[must_use]
pub fn can_print() -> bool {
    let error = stderr();
    let polled = poll(&mut [PollFd::new(&error, PollFlags::empty())], Some(&Timespec::default()));
    !matches!(polled, Ok(1..) | Err(_))
}

/// Standard output of the dashboard. While the terminal is taken, a `write` is one write(2); afterwards it does nothing, so
/// that no frame appears on the shell's screen. It never blocks: bytes that the terminal does not take are queued.
#[derive(Debug, Default)]
pub struct TtyOutput;

impl Write for TtyOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Under the lock, so that nothing is written after another thread has given the terminal back.
        if let Some(saved) = saved().as_mut().filter(|_| is_taken()) {
            saved.write(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn saved() -> MutexGuard<'static, Option<SavedTerminal>> {
    SAVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the terminal by its name or, if that belongs to another user (`su`) or does not exist (in a container), as the
/// terminal of the session.
fn open_again() -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let open = |name: std::ffi::OsString| OpenOptions::new().write(true).custom_flags(flags).open(name);
    let by_name = ttyname(stdout(), Vec::new()).map_err(io::Error::from);
    by_name.and_then(|name| open(std::ffi::OsString::from_vec(name.into_bytes()))).or_else(|error| {
        // Only a controlling terminal has a session.
        if tcgetsid(stdout()).is_ok() { open("/dev/tty".into()) } else { Err(error) }
    })
}

/// Waits at most `limit` until the terminal is writable. Returns whether it is.
fn is_writable(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let limit = Timespec::try_from(limit).ok();
    match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], limit.as_ref()) {
        Ok(found) => Ok(found > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn can_draw_knows_terms_without_drawing() {
        for term in ["", " ", "dumb", "DUMB", "dumb-emacs-ansi", "unknown", "network", "dialup", "emacs"] {
            assert!(!can_draw(term), "{term:?}");
        }
        for term in ["xterm-256color", "tmux", "screen", "linux", "vt100", "eterm-color", "dumber"] {
            assert!(can_draw(term), "{term:?}");
        }
    }
}
