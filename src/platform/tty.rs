//! The terminal device: taken once, given back once, from whatever thread gets there first.

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
    stdio::{stderr, stdin, stdout},
    termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr, ttyname},
};

/// Alternate screen and bracketed paste on, cursor hidden. No mouse, no focus reports, no keyboard flags, no title.
const ON: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// All of it off again; first the end of an update that may have been cut short, and of its colours.
const OFF: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// How long switching waits for a terminal that takes no bytes. Leaving must not hang on it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Assumed where the terminal does not know its own size.
const USUAL_SIZE: (u16, u16) = (80, 24);

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
    /// shell's so. It writes where standard output is stuck.
    unblocked: Option<File>,
}

impl Before {
    fn record() -> io::Result<Self> {
        Ok(Self { settings: tcgetattr(stdin())?, unblocked: open_again().ok() })
    }

    /// Writes what it can within [`PATIENCE`].
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let fd = self.unblocked.as_ref().map_or_else(|| stdout(), AsFd::as_fd);
        write_within(fd, bytes, Some(PATIENCE))
    }
}

/// Which of the two standard streams a dashboard needs is not a terminal.
#[must_use]
pub fn missing_terminal() -> Option<&'static str> {
    [("standard input", stdin()), ("standard output", stdout())]
        .into_iter()
        .find_map(|(name, fd)| (!isatty(fd)).then_some(name))
}

/// Raw mode and [`ON`]. What the terminal was like is recorded the first time and kept: a program that borrows the
/// terminal in between and leaves it askew does not change what is restored in the end.
pub(crate) fn take() -> io::Result<()> {
    let mut before = before();
    if before.is_none() {
        *before = Some(Before::record()?);
    }
    let Some(before) = before.as_ref() else { return Ok(()) };
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
    if let Some(before) = before().as_ref() {
        switch_off(before);
    }
}

fn switch_off(before: &Before) {
    if OURS.swap(false, Ordering::SeqCst) {
        // The settings first: they never block. Nothing can be done about a failure of either, and nobody told.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before.settings);
        let _ = before.write(OFF);
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
/// once it was given back, so that no frame lands on the shell's screen.
#[derive(Debug, Default)]
pub struct Output;

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_ours() {
            write_within(stdout(), bytes, None)?;
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

fn open_again() -> io::Result<File> {
    let name = std::ffi::OsString::from_vec(ttyname(stdout(), Vec::new())?.into_bytes());
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new().write(true).custom_flags(flags).open(name)
}

/// Writes all of it, waiting for room as long as it may: a terminal that was left non-blocking by another program says
/// `EAGAIN` where a blocking one waits.
fn write_within(fd: BorrowedFd<'_>, mut bytes: &[u8], limit: Option<Duration>) -> io::Result<()> {
    let started = Instant::now();
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
                if left == Some(Duration::ZERO) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                wait_for_room(fd, left)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_for_room(fd: BorrowedFd<'_>, limit: Option<Duration>) -> io::Result<()> {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    match poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], limit.as_ref()) {
        // Room, but another write holds the line: it is not worth a spinning core.
        Ok(1..) => std::thread::sleep(Duration::from_millis(1)),
        Ok(0) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
