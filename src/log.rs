//! The log file in the state folder. A thread of its own writes it, so that no log line delays a key; it never holds a secret.

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

use mmd_elevate_core::{Problem, visible};
use mmd_elevate_engine::redact::redact;

/// The name of the file in the state folder.
pub const FILE_NAME: &str = "mmd-elevate.log";

/// The size from which the next start begins a new file. One old file is kept, as `mmd-elevate.log.old`.
const MAX_SIZE: u64 = 4 << 20;

/// How many lines may wait for a slow disk; further lines are dropped. The channel allocates all of them at the start, which
/// at the crate's own limit would be 4 MB.
const MAX_QUEUED_LINES: usize = 1_024;

/// How long the last lines may take at the end. A disk that does not answer must not keep the program from ending.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(150);

/// Keeps the log running. Dropping it writes the remaining lines.
#[derive(Debug)]
#[must_use = "the log ends when this is dropped"]
pub struct LogGuard(Option<WorkerGuard>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (done, flushed) = mpsc::channel();
        let flush = move || {
            drop(guard);
            // After the time-out nobody receives it.
            let _ = done.send(());
        };
        if thread::Builder::new().name("log-end".into()).spawn(flush).is_ok() {
            let _ = flushed.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Returns why a file cannot be written. A disk is full in more ways than one.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "the disk is full".to_owned()
        }
        _ => error.to_string(),
    }
}

/// Returns what makes room for the log, if that is what it lacks.
fn remedy(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room on the disk"),
        io::ErrorKind::FileTooLarge => Some("raise the limit on file sizes (ulimit -f)"),
        _ => None,
    }
}

/// Starts the log of the process. It touches the disk: call it once the first frame is on the screen. `on_failure` is called
/// once, if a line cannot be written later.
///
/// # Errors
/// The file cannot be opened, or the process has a log already. The program runs without a log and says so.
pub fn start(
    state_dir: &Path,
    level: LevelFilter,
    on_failure: impl FnMut(Problem) + Send + 'static,
) -> Result<Option<LogGuard>, Problem> {
    if level == LevelFilter::OFF {
        return Ok(None);
    }
    let path = state_dir.join(FILE_NAME);
    let file = ReportingWriter { writer: open(state_dir)?, path, has_failed: false, on_failure };
    let (subscriber, guard) = subscriber_for(file, level);
    subscriber::set_global_default(subscriber)
        .map_err(|_| Problem::new("there is no second log: this process has one already", "start another process"))?;
    Ok(Some(LogGuard(Some(guard))))
}

/// Opens the log file, which only its owner can read, whatever the umask.
///
/// # Errors
/// The folder or the file cannot be made or opened, or belongs to somebody else.
pub fn open(state_dir: &Path) -> Result<fs::File, Problem> {
    let unwritable = |path: &Path, error: &io::Error| {
        let path = path.to_string_lossy();
        let what = format!("there is no log: {} cannot be written: {}", visible(&path), reason(error));
        let remedy = remedy(error).map_or_else(String::new, |remedy| format!("{remedy}, or "));
        Problem::new(what, format!("{remedy}name another folder with --state-dir or MMD_ELEVATE_STATE_DIR"))
    };
    mmd_elevate_files::create_folder(state_dir).map_err(|error| unwritable(state_dir, &error))?;
    let path = state_dir.join(FILE_NAME);
    // A file of somebody else is not moved either; opening it fails.
    let is_long = || fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.len() >= MAX_SIZE);
    if matches!(mmd_elevate_files::is_ours(&path), Ok(true)) && is_long() {
        // If this fails, the log grows on.
        let _ = fs::rename(&path, state_dir.join(format!("{FILE_NAME}.old")));
    }
    mmd_elevate_files::open_to_append(&path).map_err(|error| unwritable(&path, &error))
}

/// Reports the first failed write.
struct ReportingWriter<W, F> {
    writer: W,
    path: PathBuf,
    has_failed: bool,
    on_failure: F,
}

impl<W: Write, F: FnMut(Problem)> Write for ReportingWriter<W, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes);
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
            && !std::mem::replace(&mut self.has_failed, true)
        {
            let path = self.path.to_string_lossy();
            let what = format!("Lines are missing from the log {}: {}", visible(&path), reason(error));
            (self.on_failure)(Problem::new(what, remedy(error).unwrap_or("check the disk")));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn subscriber_for(
    file: impl Write + Send + 'static,
    level: LevelFilter,
) -> (impl Subscriber + Send + Sync, WorkerGuard) {
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(MAX_QUEUED_LINES).finish(file);
    let sanitized = move || SanitizingWriter(writer.clone());
    (registry().with(fmt::layer().with_ansi(false).with_writer(sanitized).with_filter(filter(level))), guard)
}

/// Removes secrets from each line, and marks what a terminal would act on or what would begin a forged line. It is the last
/// line of defence: foreign text should be sanitized before it is logged.
struct SanitizingWriter<W>(W);

impl<W: Write> Write for SanitizingWriter<W> {
    /// Writes one line, which is what the formatter passes in each call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line));
        self.0.write_all(format!("{}\n", visible(&redact(&text))).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Filters lines: the program's own at the given level, those of its dependencies at `info` at most, because below that they
/// write headers and bodies with the token.
fn filter(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_target(env!("CARGO_CRATE_NAME"), level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;
    use mmd_elevate_core::invisible_characters;

    #[test]
    fn dependencies_stay_at_info_at_any_level() {
        let all = filter(LevelFilter::TRACE);
        assert!(all.would_enable("mmd_elevate::worker", &Level::TRACE));
        for target in ["reqwest::connect", "hyper_util::client", "rustls::client", "h2::codec"] {
            assert!(all.would_enable(target, &Level::INFO), "{target}");
            assert!(!all.would_enable(target, &Level::DEBUG), "{target}");
        }
        assert!(!filter(LevelFilter::WARN).would_enable("hyper", &Level::INFO));
    }

    #[test]
    fn dropped_guard_has_written_all_lines() {
        let folder = tempfile::tempdir().unwrap();
        let (subscriber, guard) = subscriber_for(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!("ours");
            tracing::debug!(target: "hyper", "theirs");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(text.contains("ours") && !text.contains("theirs"), "{text}");
    }

    #[test]
    fn hostile_text_stays_one_harmless_line() {
        let folder = tempfile::tempdir().unwrap();
        let (subscriber, guard) = subscriber_for(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!(foreign = %"a\x1b]0;b\x07\u{9b}2J\r\n2020-01-01 forged \u{202e}\u{200b}", "\x1b[31mc\nd");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!((text.lines().count(), invisible_characters(&text)), (1, 0), "{text:?}");
        assert!(text.contains("forged ‹U+202E›‹U+200B›"), "{text:?}");
    }

    /// Fails every write.
    struct FailingWriter(io::ErrorKind);

    impl Write for FailingWriter {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn failed_write_is_reported_once_with_its_reason() {
        for (kind, reason, hint) in [
            (io::ErrorKind::StorageFull, "the disk is full", "make room on the disk"),
            (io::ErrorKind::QuotaExceeded, "the disk is full", "make room on the disk"),
            (io::ErrorKind::FileTooLarge, "the disk is full", "raise the limit on file sizes (ulimit -f)"),
            (io::ErrorKind::PermissionDenied, "permission denied", "check the disk"),
        ] {
            let mut problems = Vec::new();
            let on_failure = |problem| problems.push(problem);
            let path = PathBuf::from("/logs\n/x.log");
            let mut file = ReportingWriter { writer: FailingWriter(kind), path, has_failed: false, on_failure };
            assert!(file.write(b"one\n").is_err() && file.write(b"two\n").is_err());
            let [problem] = &problems[..] else { panic!("{problems:?}") };
            assert!(problem.what.contains(reason) && !problem.what.contains('\n'), "{problem}");
            assert_eq!(problem.hint, hint);
        }
    }

    #[test]
    fn line_holds_no_secret_in_any_form() {
        let folder = tempfile::tempdir().unwrap();
        mmd_elevate_engine::redact::register(mmd_elevate_engine::redact::Kind::Secret, "log-secret\"1");
        let (subscriber, guard) = subscriber_for(open(folder.path()).unwrap(), LevelFilter::DEBUG);
        subscriber::with_default(subscriber, || {
            tracing::debug!(debug = ?"log-secret\"1", display = %"log-secret\"1", "log-secret%221");
        });
        drop(guard);
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert!(text.matches("[secret]").count() == 3 && !text.contains("log-secret"), "{text:?}");
    }

    #[test]
    fn long_log_is_renamed_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join(FILE_NAME)).unwrap().set_len(MAX_SIZE).unwrap();
        assert_eq!(open(folder.path()).unwrap().metadata().unwrap().len(), 0);
        assert_eq!(fs::metadata(folder.path().join("mmd-elevate.log.old")).unwrap().len(), MAX_SIZE);
    }
}
