//! The log: a private file in the state folder, written by a thread of its own so that no log line holds up a key.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use tracing::{Subscriber, level_filters::LevelFilter, subscriber};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry};

use mmd_elevate_core::visible;
use mmd_elevate_engine::redact::redact;

/// The name of the file in the state folder.
pub const FILE_NAME: &str = "mmd-elevate.log";

/// From this size on the next start begins a new file; the old one is kept once, as `mmd-elevate.log.old`.
const LARGEST: u64 = 4 << 20;

/// So many lines may wait for a slow disk; what comes then is dropped. Room for all of them is taken and touched at the
/// start, and the crate's own limit makes that 4 MB.
const LINES_WAITING: usize = 1_024;

/// How long the last lines may take. A disk that does not answer must not keep who has left.
const LAST_LINES: Duration = Duration::from_millis(150);

/// Keeps the log running; dropped, it writes what is left.
#[derive(Debug)]
#[must_use = "the log ends when this is dropped"]
pub struct LogGuard(Option<WorkerGuard>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (done, ended) = mpsc::channel();
        let flush = move || {
            drop(guard);
            // Nobody listens any more where it took too long.
            let _ = done.send(());
        };
        if thread::Builder::new().name("log-end".into()).spawn(flush).is_ok() {
            let _ = ended.recv_timeout(LAST_LINES);
        }
    }
}

/// Why there is no log. The program runs without one and says so.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Folder or file cannot be made or opened.
    #[error("there is no log: {} cannot be written: {}\nhint: {}name another folder with --state-dir or \
            MMD_ELEVATE_STATE_DIR", visible(&.path.to_string_lossy()), why(reason), what_first(reason))]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The process logs already.
    #[error("there is no second log: this process has one already\nhint: start another")]
    Started,
}

/// Why a file is not written: a disk is full in more ways than one.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "the disk is full".to_owned()
        }
        _ => error.to_string(),
    }
}

fn what_first(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk, or ",
        io::ErrorKind::FileTooLarge => "raise the limit on file sizes (ulimit -f), or ",
        _ => "",
    }
}

/// Starts the log of the process. Touches the disk: call it once the first frame is on the screen. `on_failure` is told
/// once, what happened and what to do, where a line cannot be written later.
///
/// # Errors
/// [`LogError`], which is a warning to show and no reason to stop.
pub fn start(
    state_dir: &Path,
    level: LevelFilter,
    on_failure: impl FnMut(String, String) + Send + 'static,
) -> Result<Option<LogGuard>, LogError> {
    if level == LevelFilter::OFF {
        return Ok(None);
    }
    let file = Watched { file: open(state_dir)?, path: state_dir.join(FILE_NAME), has_failed: false, on_failure };
    let (subscriber, guard) = writing_to(file, level);
    subscriber::set_global_default(subscriber).map_err(|_| LogError::Started)?;
    Ok(Some(LogGuard(Some(guard))))
}

/// Opens the file of the log, private whatever the umask.
///
/// # Errors
/// [`LogError::Unwritable`].
pub fn open(state_dir: &Path) -> Result<fs::File, LogError> {
    let unwritable = |path: &Path, reason| LogError::Unwritable { path: path.to_owned(), reason };
    mmd_elevate_files::create_folder(state_dir).map_err(|error| unwritable(state_dir, error))?;
    let path = state_dir.join(FILE_NAME);
    // A file that is not ours is not moved either; opening it says so.
    let is_long = || fs::symlink_metadata(&path).is_ok_and(|found| found.len() >= LARGEST);
    if matches!(mmd_elevate_files::is_ours(&path), Ok(true)) && is_long() {
        // A log that stays long is better than none.
        let _ = fs::rename(&path, state_dir.join(format!("{FILE_NAME}.old")));
    }
    mmd_elevate_files::open_to_append(&path).map_err(|error| unwritable(&path, error))
}

/// A file whose first failure is told.
struct Watched<W, F> {
    file: W,
    path: PathBuf,
    has_failed: bool,
    on_failure: F,
}

impl<W: Write, F: FnMut(String, String)> Write for Watched<W, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
            && !std::mem::replace(&mut self.has_failed, true)
        {
            let path = self.path.to_string_lossy();
            let what = format!("The log has gaps, {}: {}", visible(&path), why(error));
            let first = what_first(error).trim_end_matches(", or ");
            let hint = if first.is_empty() { "see whether the disk is well" } else { first };
            (self.on_failure)(what, hint.to_owned());
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn writing_to(file: impl Write + Send + 'static, level: LevelFilter) -> (impl Subscriber + Send + Sync, WorkerGuard) {
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING).finish(file);
    let harmless = move || Harmless(writer.clone());
    (registry().with(fmt::layer().with_ansi(false).with_writer(harmless).with_filter(filter(level))), guard)
}

/// Writes each line so that no secret is in it, a terminal that shows the log cannot be acted on, and the log is given no
/// lines that nobody wrote. The last line of defence: what is logged of foreign texts should be harmless before it comes here.
struct Harmless<W>(W);

impl<W: Write> Write for Harmless<W> {
    /// Takes one line, which is how the formatter hands them over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.0.write_all(format!("{}\n", visible(&redact(&text))).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// This program's own lines at the level asked for; of its dependencies never more than `info`, because below that they
/// write headers and bodies, the token among them.
fn filter(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_target(env!("CARGO_CRATE_NAME"), level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use mmd_elevate_core::invisible_characters;

    #[test]
    fn dependencies_stay_at_info_however_much_is_asked_for() {
        let all = filter(LevelFilter::TRACE);
        assert!(all.would_enable("mmd_elevate::worker", &Level::TRACE));
        for target in ["reqwest::connect", "hyper_util::client", "rustls::client", "h2::codec"] {
            assert!(all.would_enable(target, &Level::INFO), "{target}");
            assert!(!all.would_enable(target, &Level::DEBUG), "{target}");
        }
        assert!(!filter(LevelFilter::WARN).would_enable("hyper", &Level::INFO));
    }

    #[test]
    fn lines_are_in_the_file_once_the_guard_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (subscriber, guard) = writing_to(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!("ours");
            tracing::debug!(target: "hyper", "theirs");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(text.contains("ours") && !text.contains("theirs"), "{text}");
    }

    #[test]
    fn a_line_stays_one_line_that_nothing_acts_on() {
        let folder = tempfile::tempdir().unwrap();
        let (subscriber, guard) = writing_to(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!(foreign = %"a\x1b]0;b\x07\u{9b}2J\r\n2020-01-01 forged \u{202e}\u{200b}", "\x1b[31mc\nd");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!((text.lines().count(), invisible_characters(&text)), (1, 0), "{text:?}");
        assert!(text.contains("forged ‹U+202E›‹U+200B›"), "{text:?}");
    }

    /// Takes nothing, for this reason.
    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_told_once_with_its_reason() {
        for (kind, reason, hint) in [
            (io::ErrorKind::StorageFull, "the disk is full", "make room on the disk"),
            (io::ErrorKind::QuotaExceeded, "the disk is full", "make room on the disk"),
            (io::ErrorKind::FileTooLarge, "the disk is full", "raise the limit on file sizes (ulimit -f)"),
            (io::ErrorKind::PermissionDenied, "permission denied", "see whether the disk is well"),
        ] {
            let mut told = Vec::new();
            let on_failure = |what, hint| told.push((what, hint));
            let path = PathBuf::from("/logs\n/x.log");
            let mut file = Watched { file: Refusing(kind), path, has_failed: false, on_failure };
            assert!(file.write(b"one\n").is_err() && file.write(b"two\n").is_err());
            let [(what, said)] = &told[..] else { panic!("{told:?}") };
            assert!(what.contains(reason) && !what.contains('\n'), "{what}");
            assert_eq!(said, hint);
        }
    }

    #[test]
    fn a_line_holds_no_secret_in_any_form() {
        let folder = tempfile::tempdir().unwrap();
        mmd_elevate_engine::redact::register(mmd_elevate_engine::redact::Kind::Secret, "log-secret\"1");
        let (subscriber, guard) = writing_to(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!(debug = ?"log-secret\"1", display = %"log-secret\"1", "log-secret%221");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(text.matches("[secret]").count() == 3 && !text.contains("log-secret"), "{text:?}");
    }

    #[test]
    fn a_long_log_is_set_aside_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join(FILE_NAME)).unwrap().set_len(LARGEST).unwrap();
        assert_eq!(open(folder.path()).unwrap().metadata().unwrap().len(), 0);
        assert_eq!(fs::metadata(folder.path().join("mmd-elevate.log.old")).unwrap().len(), LARGEST);
    }
}
