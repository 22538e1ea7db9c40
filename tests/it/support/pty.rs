//! A program in a real pseudo-terminal: its size, keys, screen, raw bytes, modes left switched on, and its end.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{Read, Write},
    num::NonZeroU16,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    io::ioctl_fionread,
    process::{Pid, Signal, kill_process},
    termios::{OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};

use super::modes::{settings, switched_modes};

/// How long a test waits for what must come. Generous, because the machine may be busy; nobody waits for all of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether this machine has no pseudo-terminals (some sandboxes), so that a test has to be skipped. Says so.
#[expect(clippy::print_stdout, reason = "a test that is skipped says why")]
pub(crate) fn missing() -> bool {
    let opened = native_pty_system().openpty(pty_size((80, 24)));
    if let Err(error) = &opened {
        println!("skipped: no pseudo-terminal can be had here: {error}");
    }
    opened.is_err()
}

/// What begins and ends a frame: a synchronized update.
const BEGIN_OF_FRAME: &str = "\x1b[?2026h";
const END_OF_FRAME: &str = "\x1b[?2026l";

/// What to run, and in what.
pub(crate) struct Program {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    clean: bool,
    size: (u16, u16),
    ignore_hang_up: bool,
}

impl Program {
    /// A program of 120 columns and 36 rows.
    pub(crate) fn new(program: &str) -> Self {
        Self { argv: vec![program.into()], env: Vec::new(), clean: false, size: (120, 36), ignore_hang_up: false }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.argv.push(argument.into());
        self
    }

    /// One more environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Takes nothing of the tests' own environment but where programs are.
    pub(crate) fn clean(mut self) -> Self {
        self.clean = true;
        self
    }

    /// Columns and rows.
    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// As under `nohup`.
    pub(crate) fn ignoring_hang_up(mut self) -> Self {
        self.ignore_hang_up = true;
        self
    }

    /// Starts it as the leader of a session of its own, as a terminal window does.
    pub(crate) fn start(self) -> Pty {
        let pair = native_pty_system().openpty(pty_size(self.size)).unwrap();
        let name = pair.master.tty_name().unwrap();
        let flags = OFlags::NOCTTY.bits().cast_signed();
        // Kept open, so that settings can be read after the program has gone and the reader sees no error before.
        let tty = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap();
        let (before, usual) = (settings(&tty), tcgetattr(&tty).unwrap());
        let mut argv = self.argv;
        if self.ignore_hang_up {
            argv.splice(0..0, ["sh", "-c", r#"trap "" HUP; exec "$0" "$@""#].map(String::from));
        }
        let mut command = CommandBuilder::from_argv(argv.into_iter().map(Into::into).collect());
        if self.clean {
            command.env_clear();
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        }
        command.env("TERM", "xterm-256color");
        // Whatever the locale of the tests is: without UTF-8 the program draws in ASCII.
        for name in ["LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command.env("LANG", "C.UTF-8");
        for (name, value) in self.env {
            command.env(name, value);
        }
        if let Ok(folder) = std::env::current_dir() {
            command.cwd(folder);
        }
        let output = Arc::new(Output::default());
        let reader = read_into(&output, pair.master.try_clone_reader().unwrap());
        let writer = pair.master.take_writer().unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        let open = Some(Open { master: pair.master, writer, tty, reader });
        Pty { open, child, output, before, usual, size: self.size, resized_at: 0 }
    }
}

/// A program that runs, or ran, in a pseudo-terminal. Dropping it kills the program.
pub(crate) struct Pty {
    open: Option<Open>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<Output>,
    before: String,
    usual: Termios,
    size: (u16, u16),
    /// How much had been written when it was resized last.
    resized_at: usize,
}

/// What keeps the terminal open on our side.
struct Open {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    tty: File,
    reader: JoinHandle<()>,
}

#[derive(Default)]
struct Output {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
    hung_up: AtomicBool,
    /// While it is set, nothing is read: the terminal takes no bytes once it is full.
    paused: AtomicBool,
}

impl Pty {
    /// Types, or pastes, or whatever the bytes are.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let open = self.open.as_mut().unwrap();
        open.writer.write_all(bytes.as_ref()).unwrap();
        open.writer.flush().unwrap();
    }

    /// Makes the terminal as large as that.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.size = (columns, rows);
        self.resized_at = self.output.bytes.lock().unwrap().len();
        self.open.as_ref().unwrap().master.resize(pty_size(self.size)).unwrap();
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).ok();
        kill_process(Pid::from_raw(id.unwrap()).unwrap(), signal).unwrap();
    }

    /// Stops reading what the program writes, as a stopped multiplexer does, or goes on.
    pub(crate) fn pause(&self, paused: bool) {
        self.output.paused.store(paused, Ordering::SeqCst);
    }

    /// Whether the terminal takes no more bytes.
    pub(crate) fn is_full(&self) -> bool {
        let tty = &self.open.as_ref().unwrap().tty;
        poll(&mut [PollFd::new(tty, PollFlags::OUT)], Some(&Timespec::default())).unwrap() == 0
    }

    /// Writes to the terminal, as another program does, as long as there is room.
    pub(crate) fn fill(&self) {
        let mut tty = &self.open.as_ref().unwrap().tty;
        while !self.is_full() {
            tty.write_all(b".\r").unwrap();
        }
    }

    /// Types, and waits until the program has read it and waits for more. What is written to a terminal takes a moment to
    /// come out of it, so that an empty queue alone says nothing.
    pub(crate) fn send_and_wait_until_read(&mut self, text: &str) {
        let before = self.reads();
        self.send(text);
        let deadline = Instant::now() + PATIENCE;
        let is_read = || ioctl_fionread(&self.open.as_ref().unwrap().tty).unwrap() == 0;
        while !is_read() || (before.is_some() && self.reads() == before) {
            assert!(Instant::now() < deadline, "the keys were not read");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How often the thread that reads the terminal has gone to sleep. `None` where the system does not tell.
    fn reads(&self) -> Option<u64> {
        let is_reader =
            |path: &PathBuf| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "input");
        voluntary_switches(&self.threads()?.into_iter().find(is_reader)?)
    }

    /// How often each thread of the program has gone to sleep so far. `None` where the system does not tell.
    pub(crate) fn sleeps(&self) -> Option<Sleeps> {
        let threads = self.threads()?;
        // A thread may end meanwhile.
        let told: Sleeps =
            threads.into_iter().filter_map(|thread| Some((thread.clone(), voluntary_switches(&thread)?))).collect();
        (!told.is_empty()).then_some(told)
    }

    /// How many calls to write the program has made so far, all its threads together: to the terminal, to files, and to wake
    /// its own threads. `None` where the system does not tell.
    pub(crate) fn write_calls(&self) -> Option<u64> {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.process_id()?)).ok()?;
        io.lines().find_map(|line| line.strip_prefix("syscw:"))?.trim().parse().ok()
    }

    /// What the system tells of each thread.
    fn threads(&self) -> Option<Vec<PathBuf>> {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.process_id()?)).ok()?;
        Some(threads.filter_map(|thread| Some(thread.ok()?.path())).collect())
    }

    /// Types, and waits for the end of the frame that shows it.
    pub(crate) fn send_and_wait_for_frame(&mut self, text: &str) {
        let before = self.output.bytes.lock().unwrap().len();
        self.send(text);
        self.wait_for_bytes("a frame", |bytes| bytes.len() > before && bytes.ends_with(END_OF_FRAME.as_bytes()));
    }

    /// Everything the program has written, once no more of it comes.
    pub(crate) fn settled(&self) -> Vec<u8> {
        self.output.settled()
    }

    /// Gives the terminal the settings that it had before, as a shell does to a job that was stopped.
    pub(crate) fn reset(&self) {
        let tty = &self.open.as_ref().unwrap().tty;
        tcsetattr(tty, OptionalActions::Now, &self.usual).unwrap();
    }

    /// Whether the program is stopped. `None` where the system does not tell.
    pub(crate) fn is_stopped(&self) -> Option<bool> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id()?)).ok()?;
        Some(stat.rsplit_once(')')?.1.trim_start().starts_with('T'))
    }

    /// Everything the program has written so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.output.bytes.lock().unwrap().clone()
    }

    /// The screen as a person sees it now.
    pub(crate) fn screen(&self) -> String {
        parse(&self.bytes(), self.size).contents()
    }

    /// The screen without its first line, where the clock goes on, and without blanks at the ends of lines, which may
    /// have been drawn or not. It is taken once the tenant's list has come: that changes the tabs.
    pub(crate) fn panes(&self) -> Vec<String> {
        let is_listed = |screen: &vt100::Screen| {
            screen
                .contents()
                .split_once("Tenant ")
                .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        self.wait_for("how many requests the tenant has", is_listed);
        panes(&parse(&self.bytes(), self.size))
    }

    /// The screen as it was after each frame.
    pub(crate) fn frames(&self) -> Vec<String> {
        let bytes = self.bytes();
        let mut parser = new_parser(self.size);
        let mut frames = Vec::new();
        for frame in String::from_utf8_lossy(&bytes).split_inclusive(END_OF_FRAME) {
            parser.process(frame.as_bytes());
            frames.push(parser.screen().contents());
        }
        frames
    }

    /// Whether any frame showed this text, however short a time.
    pub(crate) fn has_shown(&self, text: &str) -> bool {
        self.frames().iter().any(|frame| frame.contains(text))
    }

    /// Waits until the program has taken the terminal so many times: again after each loan and each stop.
    pub(crate) fn wait_until_taken(&self, times: usize) {
        self.wait_for_bytes("taking the terminal", |bytes| {
            String::from_utf8_lossy(bytes).matches("\x1b[?1049h").count() >= times
        });
    }

    /// What the program wrote after it gave the terminal back for the last time.
    pub(crate) fn said_after(&self) -> String {
        let bytes = self.output.settled();
        let text = String::from_utf8_lossy(&bytes);
        text.rsplit_once("\x1b[?1049l").map_or_else(String::new, |(_, after)| after.to_owned())
    }

    /// Waits for the program's end, which must come within the limit, and returns all that it has written: `end` is the
    /// last of it.
    pub(crate) fn wait_for_output(&mut self, end: &str, limit: Duration) -> String {
        self.wait_for_exit(limit);
        self.wait_for_bytes("the end of the output", |bytes| bytes.ends_with(end.as_bytes()));
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// How much processor time the program has used so far, dead or alive, as long as nobody waited for it. `None`
    /// where the system has no such file.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id()?)).ok()?;
        // User and system time, in ticks of 10 ms; the name before them may hold blanks.
        let after_name = stat.rsplit_once(')')?.1;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or(0));
        Some(Duration::from_millis(10 * ticks.sum::<u64>()))
    }

    /// How much memory the program has had at most, in KiB. `None` where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.process_id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.split_whitespace().next()?.parse().ok()
    }

    /// Waits until the screen fulfils a condition; fails with the screen where it never does.
    pub(crate) fn wait_for(&self, what: &str, condition: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = self.output.bytes.lock().unwrap();
        let mut screen = parse(&bytes, self.size);
        while !condition(&screen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(bytes);
                panic!("no {what} on this screen:\n{}", screen.contents());
            }
            bytes = self.output.more.wait_timeout(bytes, left).unwrap().0;
            screen = parse(&bytes, self.size);
        }
    }

    fn wait_for_bytes(&self, what: &str, condition: impl Fn(&[u8]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = self.output.bytes.lock().unwrap();
        while !condition(&bytes) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{what} did not come; the end of what did:\n{}",
                parse(&bytes, self.size).contents()
            );
            bytes = self.output.more.wait_timeout(bytes, left).unwrap().0;
        }
    }

    /// Waits for a text on the screen.
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait_for(&format!("{text:?}"), |screen| screen.contents().contains(text));
    }

    /// Waits for the program's end, which must come within the limit.
    pub(crate) fn wait_for_exit(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {limit:?}:\n{}", self.screen());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Closes the terminal under the program, as closing the window does.
    pub(crate) fn hang_up(&mut self) {
        let Open { master, writer, tty, reader } = self.open.take().unwrap();
        // The writer would type an end of file as it is closed. A terminal without such a key spares the program that.
        let mut settings = tcgetattr(&tty).unwrap();
        settings.special_codes[SpecialCodeIndex::VEOF] = 0;
        tcsetattr(&tty, OptionalActions::Now, &settings).unwrap();
        drop(writer);
        // The reader has the terminal open as well. Output wakes it, and it leaves.
        self.output.hung_up.store(true, Ordering::SeqCst);
        (&tty).write_all(b"\0").unwrap();
        reader.join().unwrap();
        drop(master);
    }

    /// Waits until the program has died, and leaves it to be waited for.
    pub(crate) fn wait_until_dead(&mut self, limit: Duration) {
        let Some(id) = self.child.process_id() else { return };
        let deadline = Instant::now() + limit;
        let is_dead = || {
            // Without such a file there is nothing to look at between death and burial.
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
            stat.map_or(true, |stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
        };
        while !is_dead() {
            assert!(Instant::now() < deadline, "still running after {limit:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until a whole frame has come since the last resize.
    pub(crate) fn wait_for_size_taken(&self) {
        let resized_at = self.resized_at;
        self.wait_for_bytes("a frame of the new size", |bytes| {
            bytes.len() > resized_at && bytes.ends_with(END_OF_FRAME.as_bytes())
        });
    }

    /// Fails where the terminal's settings are not as they were, or a mode was left switched on. The program need not
    /// have come so far as to take the terminal.
    pub(crate) fn assert_as_before(&self) {
        if String::from_utf8_lossy(&self.output.settled()).contains("\x1b[?1049h") {
            self.assert_given_back();
        } else {
            assert_eq!(settings(&self.open.as_ref().unwrap().tty), self.before, "terminal settings");
        }
    }

    /// Fails where the terminal is not as it was: its settings, and every mode the program switched. Each mode that was
    /// switched on must have been switched off exactly once, but for those of every frame (cursor, synchronized update).
    pub(crate) fn assert_given_back(&self) {
        let open = self.open.as_ref().unwrap();
        assert_eq!(settings(&open.tty), self.before, "terminal settings");
        let switched = switched_modes(&self.output.settled());
        assert!(switched.contains_key("?1049"), "the program never took the terminal");
        for (mode, history) in &switched {
            let at_rest = if mode == "?25" { 'h' } else { 'l' };
            assert!(history.ends_with(at_rest), "{mode} was left switched: {history}");
            if !matches!(mode.as_str(), "?25" | "?2026") {
                let count = |wanted| history.matches(wanted).count();
                assert_eq!(count('h'), count('l'), "{mode} was not switched off once: {history}");
            }
        }
        let bytes = self.output.settled();
        let text = String::from_utf8_lossy(&bytes);
        let count = |wanted| text.matches(wanted).count();
        assert_eq!(count("\x1b[22;0t"), count("\x1b[23;0t"), "a title that was saved was not restored once");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.pause(false);
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    /// The bytes once no more of them come: the program may be gone before its last ones are read.
    fn settled(&self) -> Vec<u8> {
        let mut bytes = self.bytes.lock().unwrap();
        loop {
            let known = bytes.len();
            bytes = self.more.wait_timeout(bytes, Duration::from_millis(100)).unwrap().0;
            if bytes.len() == known {
                return bytes.clone();
            }
        }
    }
}

fn read_into(output: &Arc<Output>, mut reader: Box<dyn Read + Send>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        let mut chunk = [0; 16_384];
        loop {
            while output.paused.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            let Ok(length @ 1..) = reader.read(&mut chunk) else { return };
            if output.hung_up.load(Ordering::SeqCst) {
                return;
            }
            output.bytes.lock().unwrap().extend_from_slice(&chunk[..length]);
            output.more.notify_all();
        }
    })
}

/// Of each thread how often it has gone to sleep.
pub(crate) type Sleeps = BTreeMap<PathBuf, u64>;

/// How often threads were woken from one time to another, all together. One that is gone was woken to end.
pub(crate) fn wakes(before: &Sleeps, after: &Sleeps) -> u64 {
    let of_present = after.iter().map(|(thread, sleeps)| sleeps - before.get(thread).unwrap_or(&0));
    let gone = before.keys().filter(|thread| !after.contains_key(*thread)).map(|_| 1);
    of_present.chain(gone).sum()
}

/// How often a thread has gone to sleep.
fn voluntary_switches(thread: &Path) -> Option<u64> {
    let status = std::fs::read_to_string(thread.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
}

/// How many frames begin in these bytes.
pub(crate) fn count_frames(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches(BEGIN_OF_FRAME).count()
}

/// As [`Pty::panes`].
pub(crate) fn panes(screen: &vt100::Screen) -> Vec<String> {
    screen.contents().lines().skip(1).map(|line| line.trim_end().to_owned()).collect()
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

/// What a terminal shows of the bytes: nothing of a frame that has begun and not ended.
fn parse(bytes: &[u8], (columns, rows): (u16, u16)) -> vt100::Screen {
    let last = |sequence: &str| bytes.windows(sequence.len()).rposition(|found| found == sequence.as_bytes());
    let shown = match (last(BEGIN_OF_FRAME), last(END_OF_FRAME)) {
        (Some(begin), end) if end.is_none_or(|end| end < begin) => &bytes[..begin],
        _ => bytes,
    };
    let mut parser = new_parser((columns, rows));
    parser.process(shown);
    parser.screen().clone()
}

fn new_parser((columns, rows): (u16, u16)) -> vt100::Parser {
    vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap(), 0)
}
