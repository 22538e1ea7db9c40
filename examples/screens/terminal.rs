//! The program in a pseudo-terminal, and waiting for what it shows.

use std::{
    io::{Read, Write},
    num::NonZeroU16,
    path::Path,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{self, WrapErr, bail, ensure, eyre};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long to wait for what must come. Nobody waits for all of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a key may take to show something.
const KEY_PATIENCE: Duration = Duration::from_millis(400);
/// How long nothing comes once all is shown.
const QUIET: Duration = Duration::from_millis(40);
/// What ends each frame, so that no picture shows half of one.
const FRAME_END: &[u8] = b"\x1b[?2026l";

pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    tail: Vec<u8>,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts the program with nothing configured but this, in this home, on a screen of so many columns and rows.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        home: &Path,
        (columns, rows): (u16, u16),
    ) -> eyre::Result<Self> {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(|error| eyre!("failed to open a terminal: {error}"))?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.cwd(home);
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("LANG", "C.UTF-8");
        let failed = |error| eyre!("failed to start {}: {error}", program.display());
        let child = pair.slave.spawn_command(command).map_err(failed)?;
        let mut reader = pair.master.try_clone_reader().map_err(failed)?;
        let writer = pair.master.take_writer().map_err(failed)?;
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut chunk = [0; 16_384];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (rows, columns) = (NonZeroU16::new(rows), NonZeroU16::new(columns));
        let (Some(rows), Some(columns)) = (rows, columns) else { bail!("a screen has rows and columns") };
        let parser = vt100::Parser::new(rows, columns, 0);
        Ok(Self { child, writer, output, parser, tail: Vec::new(), _master: pair.master })
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub(crate) fn type_keys(&mut self, keys: &str) -> eyre::Result<()> {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).wrap_err("failed to type")
    }

    /// Waits until the text of a whole frame fulfils a condition.
    pub(crate) fn wait_for(&mut self, what: &str, condition: impl Fn(&str) -> bool) -> eyre::Result<()> {
        self.watch(what, condition, |_| ())
    }

    /// The same, and shows each whole frame on the way.
    pub(crate) fn watch(
        &mut self,
        what: &str,
        condition: impl Fn(&str) -> bool,
        mut each: impl FnMut(&vt100::Screen),
    ) -> eyre::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !(self.is_whole() && condition(&self.screen().contents())) {
            if self.is_whole() {
                each(self.screen());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.receive(left) {
                bail!("there is no sign of {what} on this screen:\n{}", self.screen().contents());
            }
        }
        Ok(())
    }

    /// Waits until the last key has shown what it shows at once.
    pub(crate) fn settle(&mut self) {
        let mut patience = KEY_PATIENCE;
        while self.receive(patience) {
            patience = QUIET;
        }
    }

    /// Whether the last frame has come to its end.
    fn is_whole(&self) -> bool {
        self.tail.ends_with(FRAME_END)
    }

    /// Takes what the program writes. Returns whether something came in time.
    fn receive(&mut self, limit: Duration) -> bool {
        let Ok(bytes) = self.output.recv_timeout(limit) else { return false };
        self.parser.process(&bytes);
        self.tail.extend(bytes);
        self.tail.drain(..self.tail.len().saturating_sub(FRAME_END.len()));
        true
    }

    /// Ends the program as a power cut would: it hears nothing of it.
    pub(crate) fn kill(mut self) -> eyre::Result<()> {
        let pid = self.child.process_id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or_else(|| eyre!("the program has ended already"))?;
        kill_process(pid, Signal::KILL).wrap_err("failed to kill the program")?;
        self.child.wait().wrap_err("failed to wait for the program's end")?;
        Ok(())
    }

    pub(crate) fn wait_for_end(mut self) -> eyre::Result<()> {
        // Its output ends with it.
        while self.output.recv_timeout(PATIENCE).is_ok() {}
        let status = self.child.wait().wrap_err("failed to wait for the program's end")?;
        ensure!(status.success(), "the program failed: {status}");
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
