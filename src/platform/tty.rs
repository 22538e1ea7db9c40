//! The terminal device: taken once, given back once, from whatever thread gets there first, and never waited for.
//!
//! A terminal may take no bytes for any time: a multiplexer that was stopped, a dead link. What it does not take waits
//! here and goes out before anything else; nothing that calls this module blocks on it.

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

use super::ending;

/// Alternate screen and bracketed paste on, cursor hidden. No mouse, no focus reports, no keyboard flags, no title.
const ON: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// All of it off again; first the end of an update that may have been cut short, and of its colours.
const OFF: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// CAN: ends a sequence that the terminal has a part of.
const CANCEL: &[u8] = b"\x18";
/// How long leaving waits for a terminal that takes no bytes.
const PATIENCE: Duration = Duration::from_millis(100);
/// The most that may wait for a terminal: a frame of the largest screen, and a copy.
const MOST_WAITING: usize = 4 << 20;
/// The least time between two attempts at a terminal that takes no bytes: it may say that there is room and have none.
const PAUSE: Duration = Duration::from_millis(2);
/// The time between two attempts where the system does not tell when there is room.
const RETRY: Duration = Duration::from_millis(20);
/// How much is written at once to a terminal that could not be opened a second time, and may block.
const PIECE: usize = 64;
/// How long a signal that came with a SIGCONT may take to be seen.
const WITH_A_CONTINUATION: Duration = Duration::from_millis(50);
/// Assumed where the terminal does not know its own size.
const USUAL_SIZE: (u16, u16) = (80, 24);
/// Values of `TERM` that name no terminal that can draw, in small letters.
const NOT_DRAWING: [&str; 5] = ["dumb", "unknown", "network", "dialup", "emacs"];

/// Whether modes are switched on that have to be switched off.
static OURS: AtomicBool = AtomicBool::new(false);
/// Whether another program was given the terminal. The keys that interrupt and quit are its own until it is taken back.
static LENT: AtomicBool = AtomicBool::new(false);
/// When it was taken back.
static BACK_SINCE: Mutex<Option<Instant>> = Mutex::new(None);
/// A signal of the other program's keys may still be on its way for so long.
const STRAGGLERS: Duration = Duration::from_millis(250);
/// The settings to go back to. Held while switching, so that whoever comes second waits until it is done.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

struct Before {
    settings: Termios,
    /// The terminal opened a second time, because only a description of its own can be non-blocking without making the
    /// shell's so.
    unblocked: Option<File>,
    /// What the terminal has not taken yet. It goes out before anything else, so that no sequence is cut.
    waiting: Vec<u8>,
}

impl Before {
    fn record() -> io::Result<Self> {
        Ok(Self { settings: tcgetattr(stdin())?, unblocked: open_again().ok(), waiting: Vec::new() })
    }

    /// Writes at once what the terminal takes, and keeps the rest.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.waiting.is_empty() {
            if self.waiting.len() + bytes.len() > MOST_WAITING {
                return Err(io::Error::new(io::ErrorKind::WouldBlock, "it takes no bytes just now"));
            }
            self.waiting.extend_from_slice(bytes);
            return Ok(());
        }
        let written = self.write_some(bytes)?;
        self.waiting.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what has waited, as far as the terminal takes it. Says whether that was all.
    fn catch_up(&mut self) -> io::Result<bool> {
        if !self.waiting.is_empty() {
            let written = self.write_some(&self.waiting)?;
            self.waiting.drain(..written);
        }
        Ok(self.waiting.is_empty())
    }

    /// Writes as much as there is room for, and says how much that was.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let (fd, piece) = self.output();
        let mut written = 0;
        while written < bytes.len() {
            if self.unblocked.is_none() && !has_room(fd, Duration::ZERO)? {
                break;
            }
            match rustix::io::write(fd, &bytes[written..bytes.len().min(written.saturating_add(piece))]) {
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(written)
    }

    /// Writes all of it, and waits for room as long as [`PATIENCE`].
    fn write_patiently(&self, mut bytes: &[u8]) -> io::Result<()> {
        let started = Instant::now();
        loop {
            bytes = &bytes[self.write_some(bytes)?..];
            let left = PATIENCE.saturating_sub(started.elapsed());
            if bytes.is_empty() {
                return Ok(());
            }
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if has_room(self.output().0, left)? {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Where bytes go, and how many at once.
    fn output(&self) -> (BorrowedFd<'_>, usize) {
        self.unblocked.as_ref().map_or_else(|| (stdout(), PIECE), |file| (file.as_fd(), usize::MAX))
    }
}

/// Which of the two standard streams a dashboard needs is not a terminal.
#[must_use]
pub fn missing_terminal() -> Option<&'static str> {
    [("standard input", stdin()), ("standard output", stdout())]
        .into_iter()
        .find_map(|(name, fd)| (!isatty(fd)).then_some(name))
}

/// Whether a terminal that `TERM` calls by this name can draw. One without a name cannot be known to.
#[must_use]
pub fn can_draw(term: &str) -> bool {
    let term = term.trim().to_ascii_lowercase();
    !term.is_empty() && !NOT_DRAWING.contains(&term.as_str()) && !term.starts_with("dumb-")
}

/// Raw mode and [`ON`]. What the terminal was like is recorded the first time and kept: a program that borrows the
/// terminal in between and leaves it askew does not change what is restored in the end.
///
/// The process stops here while it is in the background, until the shell gives it the terminal. One that is continued
/// to be ended (`kill %1`) is not stopped again.
pub(crate) fn take() -> io::Result<()> {
    if is_background() {
        std::thread::sleep(WITH_A_CONTINUATION);
        if ending::has_begun() {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
    let mut before = before();
    if before.is_none() {
        *before = Some(Before::record()?);
    }
    let Some(before) = before.as_mut() else { return Ok(()) };
    let mut raw = before.settings.clone();
    raw.make_raw();
    // From here on something may be switched on, and a signal may come at any point.
    OURS.store(true, Ordering::SeqCst);
    let taken = tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(io::Error::from).and_then(|()| before.write(ON));
    if taken.is_err() {
        switch_off(before);
    }
    if LENT.load(Ordering::SeqCst) {
        *BACK_SINCE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        LENT.store(false, Ordering::SeqCst);
    }
    taken
}

/// Gives the terminal back for another program to have until the next [`take`].
pub(crate) fn lend() {
    LENT.store(true, Ordering::SeqCst);
    give_back();
}

/// Whether a signal of the keyboard is meant for another program: one that has the terminal, is about to have it, or had
/// it a moment ago.
pub(super) fn is_lent() -> bool {
    let back_since = *BACK_SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    LENT.load(Ordering::SeqCst) || back_since.is_some_and(|since| since.elapsed() < STRAGGLERS)
}

/// Gives the terminal back as it was found. Any thread may call it, any number of times: only the first call after the
/// terminal was taken does something, and the others return when that is done. It does not wait for a terminal that
/// takes no bytes.
pub fn give_back() {
    if let Some(before) = before().as_mut() {
        switch_off(before);
    }
}

fn switch_off(before: &mut Before) {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let is_background = is_background();
    // The settings first: they never block. In the background they are the shell's already, and changing them would
    // stop the process. Nothing can be done about a failure of any of it, and nobody told.
    if !is_background {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before.settings);
    }
    let is_cut = !std::mem::take(&mut before.waiting).is_empty();
    if !(is_background && stops_writers()) {
        let off = if is_cut { [CANCEL, OFF].concat() } else { OFF.to_vec() };
        let _ = before.write_patiently(&off);
    }
}

/// Whether the shell has given the terminal to another job.
fn is_background() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp())
}

/// Whether a job in the background is stopped when it writes (`stty tostop`).
fn stops_writers() -> bool {
    tcgetattr(stdin()).is_ok_and(|settings| settings.local_modes.contains(LocalModes::TOSTOP))
}

/// Writes what the terminal has not taken yet, as far as it takes it now. Says whether nothing waits any more.
pub(crate) fn catch_up() -> io::Result<bool> {
    before().as_mut().map_or(Ok(true), Before::catch_up)
}

/// Whether the terminal has not taken everything.
pub(crate) fn is_behind() -> bool {
    before().as_ref().is_some_and(|before| !before.waiting.is_empty())
}

/// Waits until the terminal may take bytes again.
pub(crate) async fn room() {
    let file = before().as_ref().and_then(|before| before.unblocked.as_ref()?.try_clone().ok());
    // Tokio calls it a pipe; what it does is to ask the system for room in a file, of which a terminal is one.
    let watched = file.and_then(|file| pipe::Sender::from_file_unchecked(file).ok());
    match watched {
        Some(watched) => {
            // An error is told by the next write.
            let _ = watched.writable().await;
            tokio::time::sleep(PAUSE).await;
        }
        None => tokio::time::sleep(RETRY).await,
    }
}

/// Lets the next [`take`] record the settings afresh: after a stop they are the shell's to change.
pub(crate) fn forget_settings() {
    if !is_ours() {
        *before() = None;
    }
}

/// Whether the terminal is taken now.
#[must_use]
pub fn is_ours() -> bool {
    OURS.load(Ordering::SeqCst)
}

/// Columns and rows. One system call, and no subprocess where it fails.
#[must_use]
pub fn size() -> (u16, u16) {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => USUAL_SIZE,
    }
}

/// Whether standard error still leads somewhere. After a hang-up it does not, and `eprintln!` would panic.
#[must_use]
pub fn can_print() -> bool {
    let error = stderr();
    let gone = poll(&mut [PollFd::new(&error, PollFlags::empty())], Some(&Timespec::default()));
    !matches!(gone, Ok(1..) | Err(_))
}

/// Standard output as the dashboard uses it: a `write` is one write(2) while the terminal is taken, and nothing at all
/// once it was given back, so that no frame lands on the shell's screen. It never blocks: what the terminal does not
/// take waits, and `catch_up` writes it.
#[derive(Debug, Default)]
pub struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Under the lock, so that nothing is written behind a thread that gives the terminal back.
        if let Some(before) = before().as_mut().filter(|_| is_ours()) {
            before.write(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn before() -> MutexGuard<'static, Option<Before>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By its name, or, where that belongs to another user (`su`) or is not here (a container), as the terminal of the session.
fn open_again() -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let open = |name: std::ffi::OsString| OpenOptions::new().write(true).custom_flags(flags).open(name);
    let by_name = ttyname(stdout(), Vec::new()).map_err(io::Error::from);
    by_name.and_then(|name| open(std::ffi::OsString::from_vec(name.into_bytes()))).or_else(|error| {
        // Only the controlling terminal has a session to tell.
        if tcgetsid(stdout()).is_ok() { open("/dev/tty".into()) } else { Err(error) }
    })
}

/// Waits for room, at most that long. Says whether there is some.
fn has_room(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
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
    fn terminals_that_cannot_draw_are_known_by_their_name() {
        for term in ["", " ", "dumb", "DUMB", "dumb-emacs-ansi", "unknown", "network", "dialup", "emacs"] {
            assert!(!can_draw(term), "{term:?}");
        }
        for term in ["xterm-256color", "tmux", "screen", "linux", "vt100", "eterm-color", "dumber"] {
            assert!(can_draw(term), "{term:?}");
        }
    }
}
