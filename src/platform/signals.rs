//! Watches for signals and for a hang-up of the terminal. A termination never waits for the loop longer than a second.
//!
//! Two threads watch, because the loop may be busy, and the input thread does not read while another program has the
//! terminal. They ask the loop to end. If it does not, the watching thread gives the terminal back and ends the process.

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

/// How long the loop has to give the terminal back by itself.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_millis(40);
/// After how long the process ends in any case: less than the promised second.
const EXIT_TIMEOUT: Duration = Duration::from_millis(900);

/// How long an editor that has the terminal may take to end, so that its file is not left behind.
const CHILD_EXIT_TIMEOUT: Duration = Duration::from_millis(200);

/// Whether a [`ForegroundProgram`] lives.
static HAS_FOREGROUND_PROGRAM: AtomicBool = AtomicBool::new(false);
/// The process id of the foreground program, or [`NO_PROCESS`].
static FOREGROUND_PROCESS: AtomicI32 = AtomicI32::new(NO_PROCESS);
const NO_PROCESS: i32 = 0;

/// What the system asks of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemEvent {
    /// Give the terminal back, save the drafts and end, within a second.
    Terminate(Termination),
    /// Stop until the shell continues the job, as by `kill -TSTP`.
    Suspend,
    /// The process was stopped from outside and continued: other programs may have changed the terminal meanwhile.
    Continued,
}

/// Why the system ends the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// A signal, by its number.
    Signal(i32),
    /// The terminal is gone.
    HangUp,
}

impl Termination {
    /// Returns the exit code by the shell's convention: 128 and the signal. A hang-up counts as SIGHUP.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Signal(number) => 128 + number,
            Self::HangUp => 128 + SIGHUP,
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(number) => f.write_str(signal_name(*number).unwrap_or("a signal")),
            Self::HangUp => f.write_str("the terminal was closed"),
        }
    }
}

/// The signals that end a process by default, except those that are processor faults (SEGV, ILL, FPE, BUS), that cannot be
/// caught (KILL) or that do not end this program (PIPE, XFSZ).
const TERMINATING: [i32; 14] = [
    SIGHUP, SIGINT, SIGQUIT, SIGTRAP, SIGABRT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO,
    SIGSYS,
];

/// Returns the signals of this kind that only one system has: on Linux power failure, the coprocessor's, and the real-time
/// signals (the C library reserves the first two of them).
#[cfg(target_os = "linux")]
fn system_specific_signals() -> impl Iterator<Item = i32> {
    #[cfg(not(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64")))]
    let others = [Signal::POWER.as_raw(), Signal::STKFLT.as_raw()];
    #[cfg(any(target_arch = "mips", target_arch = "mips64", target_arch = "sparc64"))]
    let others = [Signal::POWER.as_raw()];
    others.into_iter().chain(34..=64)
}

#[cfg(not(target_os = "linux"))]
fn system_specific_signals() -> impl Iterator<Item = i32> {
    std::iter::empty()
}

/// Starts both watches. They last as long as the process.
///
/// SIGHUP is handled even if it was ignored at the start (`nohup`): a dashboard without a terminal is useless, and its
/// drafts are saved when it ends.
///
/// # Errors
/// A handler or a thread cannot be started.
pub fn watch(events: Sender<SystemEvent>) -> io::Result<()> {
    let mut signals = Signals::new(TERMINATING.into_iter().chain([SIGTSTP, SIGCONT]))?;
    for signal in system_specific_signals() {
        // A signal that this system does not have never comes.
        let _ = signals.add_signal(signal);
    }
    let on_hang_up = events.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            handle(signal, &events);
        }
    })?;
    thread::Builder::new().name("hang-up".into()).spawn(move || {
        match wait_for_hang_up() {
            Ok(()) => terminate(Termination::HangUp, &on_hang_up),
            // SIGHUP and the input thread still report a hang-up.
            Err(error) => tracing::error!(%error, "failed to watch the terminal for a hang-up"),
        }
    })?;
    Ok(())
}

/// Ends the process at SIGINT and SIGTERM with the exit code of the signal, after `last`, which tells what is left. For a command:
/// nothing of it has to be saved, because what it sends is in the record before. SIGHUP keeps its default, or is ignored as by
/// `nohup`.
///
/// # Errors
/// The handler or the thread cannot be started.
pub fn end_on_signals(last: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            last();
            exit(Termination::Signal(signal).exit_code());
        }
    })?;
    Ok(())
}

/// While it lives, another program runs in the terminal, and the keys that interrupt, quit and stop are for that program:
/// Ctrl-C in an editor must not end the dashboard that waits for it. SIGTERM, SIGHUP and a hang-up end that program first,
/// so that its result can be saved, and then this one.
#[derive(Debug)]
pub struct ForegroundProgram(());

impl ForegroundProgram {
    /// Begins. Call it before the other program starts.
    #[must_use]
    pub fn begin() -> Self {
        HAS_FOREGROUND_PROGRAM.store(true, Ordering::SeqCst);
        Self(())
    }

    /// Waits for the other program to end.
    ///
    /// # Errors
    /// Its status cannot be read.
    pub fn wait_for(&self, child: &mut Child) -> io::Result<ExitStatus> {
        FOREGROUND_PROCESS.store(child.id().try_into().unwrap_or(NO_PROCESS), Ordering::SeqCst);
        let status = child.wait();
        FOREGROUND_PROCESS.store(NO_PROCESS, Ordering::SeqCst);
        status
    }
}

impl Drop for ForegroundProgram {
    fn drop(&mut self) {
        HAS_FOREGROUND_PROGRAM.store(false, Ordering::SeqCst);
    }
}

/// Ends the foreground program and waits a little for the thread that reads its result. It gets one signal, because editors
/// exit without saving after a second one.
fn terminate_foreground_program() {
    let (started, mut is_signalled) = (Instant::now(), false);
    while HAS_FOREGROUND_PROGRAM.load(Ordering::SeqCst) && started.elapsed() < CHILD_EXIT_TIMEOUT {
        if let Some(process) = Pid::from_raw(FOREGROUND_PROCESS.load(Ordering::SeqCst)).filter(|_| !is_signalled) {
            is_signalled = kill_process(process, Signal::TERM).is_ok();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn handle(signal: i32, events: &Sender<SystemEvent>) {
    match (signal, HAS_FOREGROUND_PROGRAM.load(Ordering::SeqCst)) {
        (SIGTSTP, _) if job::take_own_stop() => {}
        // The editor stops, and its parent has to stop too, or the shell does not continue.
        (SIGTSTP, true) => job::stop_with_group(),
        // If the channel is full, the loop wakes anyway.
        (SIGTSTP, false) => drop(events.try_send(SystemEvent::Suspend)),
        (SIGCONT, _) if job::take_own_continuation() => {}
        (SIGCONT, true) => {}
        (SIGCONT, false) => drop(events.try_send(SystemEvent::Continued)),
        (SIGINT | SIGQUIT, _) if tty::is_lent() => {}
        _ => terminate(Termination::Signal(signal), events),
    }
}

/// Asks the loop to end, and ends the process if it does not. Never returns.
fn terminate(termination: Termination, events: &Sender<SystemEvent>) {
    let began = Instant::now();
    tty::announce_termination();
    terminate_foreground_program();
    let _ = events.try_send(SystemEvent::Terminate(termination));
    thread::sleep(GIVE_BACK_TIMEOUT);
    tty::give_back();
    thread::sleep(EXIT_TIMEOUT.saturating_sub(began.elapsed()));
    tracing::error!(%termination, "the loop did not end in time");
    exit(termination.exit_code());
}

/// Blocks until the terminal hangs up. `poll` always reports hang-up and error; without other flags, keys and output do not
/// wake this thread.
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
