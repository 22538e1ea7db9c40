//! What the system tells the program: signals, and that the terminal has vanished.
//!
//! Both are seen by threads of their own that sleep in the kernel, because the loop may be computing and the input
//! thread is kept from reading while another program has the terminal. The loop is asked to end; if it does not, the thread that
//! saw the reason gives the terminal back and ends the process.

use std::{
    fmt, io,
    process::{Child, ExitStatus, exit},
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    process::{Pid, Signal, kill_process},
    stdio::{stdin, stdout},
};
use signal_hook::{
    consts::{
        SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP, SIGUSR1,
        SIGUSR2, SIGVTALRM, SIGXCPU,
    },
    iterator::Signals,
    low_level::signal_name,
};
use tokio::sync::mpsc::Sender;

use super::{job, tty};

/// A loop that draws or computes has this long to give the terminal back by itself.
const TERMINAL_BACK: Duration = Duration::from_millis(40);
/// After this long the process ends whatever it is doing: below the second that is promised.
const GONE: Duration = Duration::from_millis(900);

/// An editor that has the terminal gets this long to end, so that its file is not left behind.
const BORROWER_GONE: Duration = Duration::from_millis(200);

/// Whether the terminal is lent.
static LENT: AtomicBool = AtomicBool::new(false);
/// The process it is lent to, or [`NOBODY`].
static BORROWER: AtomicI32 = AtomicI32::new(NOBODY);
const NOBODY: i32 = 0;

/// Whether a reason to end the program was seen.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What the system wants of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemEvent {
    /// Give the terminal back, save and leave, within a second.
    End(Ending),
    /// Stop until the shell continues the job, as by `kill -TSTP`.
    Suspend,
    /// The process was stopped from outside and goes on: others may have used and changed the terminal meanwhile.
    Continued,
}

/// Why the system ends the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A signal, by its number.
    Signal(i32),
    /// The terminal is gone.
    HangUp,
}

impl Ending {
    /// The exit status by the shell's convention: 128 and the signal; a vanished terminal counts as SIGHUP.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Signal(number) => 128 + number,
            Self::HangUp => 128 + SIGHUP,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(number) => f.write_str(signal_name(*number).unwrap_or("a signal")),
            Self::HangUp => f.write_str("the terminal was closed"),
        }
    }
}

/// The signals that end a process that does not know them, but those that are faults of the processor (SEGV, ILL, FPE,
/// BUS), cannot be caught (KILL) or are survived (PIPE, XFSZ).
const DEADLY: [i32; 14] = [
    SIGHUP, SIGINT, SIGQUIT, SIGTRAP, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,
    SIGSYS,
];

/// Those that one system alone has: on Linux a failing power supply, a coprocessor's, and the real-time signals (the C
/// library keeps the first two of these for itself).
#[cfg(target_os = "linux")]
fn deadly_here() -> impl Iterator<Item = i32> {
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    let others = [Signal::POWER.as_raw(), Signal::STKFLT.as_raw()];
    #[cfg(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))]
    let others = [Signal::POWER.as_raw()];
    others.into_iter().chain(34..=64)
}

#[cfg(not(target_os = "linux"))]
fn deadly_here() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// Starts both watches. They last as long as the process.
///
/// SIGHUP is taken even where it was ignored at the start (`nohup`): a dashboard without a terminal is of no use to
/// anyone, and its drafts are saved on the way out.
///
/// # Errors
/// Where a handler or a thread cannot be had.
pub fn watch(events: Sender<SystemEvent>) -> io::Result<()> {
    let mut signals = Signals::new(DEADLY.into_iter().chain([SIGTSTP, SIGCONT]))?;
    for signal in deadly_here() {
        // One that this system does not have will not come.
        let _ = signals.add_signal(signal);
    }
    let on_hang_up = events.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            obey(signal, &events);
        }
    })?;
    thread::Builder::new().name("hang-up".into()).spawn(move || {
        match wait_for_hang_up() {
            Ok(()) => end(Ending::HangUp, &on_hang_up),
            // SIGHUP and the input thread still tell.
            Err(error) => tracing::error!(%error, "failed to watch the terminal for a hang-up"),
        }
    })?;
    Ok(())
}

/// While it lives, another program runs in the terminal. The keys that interrupt, quit and stop are that one's: Ctrl-C in
/// an editor must not end the program that waits for it. SIGTERM, SIGHUP and a hang-up still do: they end the borrower first and let the lender clear
/// up, then the loop is told.
#[derive(Debug)]
pub struct Loan(());

impl Loan {
    /// Begins before the other program starts.
    #[must_use]
    pub fn begin() -> Self {
        LENT.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Waits for the other program to end.
    ///
    /// # Errors
    /// Where its status cannot be had.
    pub fn wait_for(&self, child: &mut Child) -> io::Result<ExitStatus> {
        BORROWER.store(child.id().try_into().unwrap_or(NOBODY), Ordering::SeqCst);
        let status = child.wait();
        BORROWER.store(NOBODY, Ordering::SeqCst);
        status
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        LENT.store(false, Ordering::SeqCst);
    }
}

/// Ends the borrower and waits a little for the lender. One signal: an editor takes a second one for impatience.
fn call_in_loan() {
    let (started, mut told) = (Instant::now(), false);
    while LENT.load(Ordering::SeqCst) && started.elapsed() < BORROWER_GONE {
        if let Some(process) = Pid::from_raw(BORROWER.load(Ordering::SeqCst)).filter(|_| !told) {
            told = kill_process(process, Signal::TERM).is_ok();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn obey(signal: i32, events: &Sender<SystemEvent>) {
    match (signal, LENT.load(Ordering::SeqCst)) {
        (SIGTSTP, _) if job::is_own_stop() => {}
        // The editor stops, so its parent stops with it, or the shell never gets its turn.
        (SIGTSTP, true) => job::stop_along(),
        // A full channel holds an event that will do as well.
        (SIGTSTP, false) => drop(events.try_send(SystemEvent::Suspend)),
        (SIGCONT, _) if job::is_own_continuation() => {}
        (SIGCONT, true) => {}
        (SIGCONT, false) => drop(events.try_send(SystemEvent::Continued)),
        (SIGINT | SIGQUIT, _) if tty::is_lent() => {}
        _ => end(Ending::Signal(signal), events),
    }
}

/// Asks the loop to end, and sees to it that it does. Never returns.
fn end(ending: Ending, events: &Sender<SystemEvent>) {
    let began = Instant::now();
    ENDING.store(true, Ordering::SeqCst);
    call_in_loan();
    let _ = events.try_send(SystemEvent::End(ending));
    thread::sleep(TERMINAL_BACK);
    tty::give_back();
    thread::sleep(GONE.saturating_sub(began.elapsed()));
    tracing::error!(%ending, "the loop did not end in time");
    exit(ending.exit_code());
}

/// Whether the program ends, whatever the loop still does.
pub(super) fn has_begun() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// Blocks until the terminal hangs up. Asking for no readiness at all leaves hang-up and error, which are always told:
/// keys and output wake nobody here.
fn wait_for_hang_up() -> io::Result<()> {
    let (input, output) = (stdin(), stdout());
    loop {
        let mut watched = [&input, &output].map(|fd| PollFd::new(fd, PollFlags::empty()));
        match poll(&mut watched, None) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
