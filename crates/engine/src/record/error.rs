//! The errors of the record, with their texts and hints. A path or a text of the system is never shown raw.

use std::{io, path::Path, path::PathBuf};

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

use mmd_elevate_core::{WriteId, WriteState, visible};

/// An error of the record. Its text follows "failed to".
///
/// After an error of [`Record::begin`](super::Record::begin), nothing is durable and nothing may be sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    /// The folder, a lock or the database cannot be opened, or belongs to another user.
    #[error("open the record at {}: {}", display_path(path), visible(why))]
    CannotOpen {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The disk is full, or a quota or the limit on the size of files is reached.
    #[error("write to the record at {}: the disk is full", display_path(path))]
    FullDisk {
        /// The file or folder.
        path: PathBuf,
    },
    /// The folder or the file cannot be written.
    #[error("write to the record at {}: it is read-only", display_path(path))]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// Another process has not released the record in time.
    #[error("get at the record at {}: another program keeps it busy", display_path(path))]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The database is damaged, and cannot be set aside because another process uses it.
    #[error("read the record at {}: it is damaged ({})", display_path(path), visible(why))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the record is not the one that was opened, so that a write would be lost.
    #[error("write to the record: {} {}", display_path(path), visible(why))]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What happened to it.
        why: String,
    },
    /// A record in this folder is not safe: it might not survive a power cut, or several processes could write to it at once.
    #[error("keep a record at {}: {}", display_path(path), visible(why))]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A later version of the program has written the record.
    #[error("read the record at {}: a later version of this program wrote it (format {version})", display_path(path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: i64,
    },
    /// The database failed for another reason.
    #[error("use the record at {}: {}", display_path(path), visible(why))]
    Failed {
        /// The file.
        path: PathBuf,
        /// The message of the database.
        why: String,
    },
    /// The record has no such write for this tenant.
    #[error("find {0} in the record")]
    UnknownWrite(WriteId),
    /// Another process owns the write, and only that process may settle it.
    #[error("settle {0}: another dashboard owns it")]
    NotOwner(WriteId),
    /// The row of the write is invalid.
    #[error("read {0}: its row in the record is damaged")]
    UnreadableWrite(WriteId),
    /// The state machine of a write does not allow this transition.
    #[error("settle {id}: it is {from:?} and cannot become {to:?}")]
    InvalidTransition {
        /// The write.
        id: WriteId,
        /// The current state.
        from: WriteState,
        /// The rejected state.
        to: WriteState,
    },
    /// The outcome of this create is unknown, and it equals the one that was to be recorded.
    #[error("record it: it is unknown whether the same was opened before ({0})")]
    EqualsUnknown(WriteId),
    /// The outcome of a create that is done lacks the request.
    #[error("settle {0}: what it has made is not named")]
    MissingRequest(WriteId),
    /// The request belongs to another write: a request cannot settle two writes.
    #[error("settle {id}: the request that was found belongs to {owner}")]
    RequestOwned {
        /// The write that was to be settled.
        id: WriteId,
        /// The write that the request belongs to.
        owner: WriteId,
    },
    /// The record's thread has ended.
    #[error("use the record: it is closed")]
    Ended,
}

/// Why a transaction failed.
pub(super) enum TransactionError {
    Sql(rusqlite::Error),
    Record(RecordError),
}

impl From<rusqlite::Error> for TransactionError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<RecordError> for TransactionError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl RecordError {
    /// Returns what to do about it. It is shown after `hint: `.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::CannotOpen { .. } => {
                "check that the folder is yours and that nothing else stands in the file's place"
            }
            Self::FullDisk { .. } => {
                "make room on the disk, or raise its quota or the limit on file sizes (ulimit -f), then do it again"
            }
            Self::ReadOnly { .. } => "make the folder writable or choose another state folder, then do it again",
            Self::Busy { .. } => "close what else uses the file, then do it again",
            Self::Damaged { .. } => "leave every dashboard that uses it, then start again: the file is set aside then",
            Self::NotDurable { .. } => "wait a moment, then do it again: the record is being written anew in its place",
            Self::Unsuitable { .. } => {
                "choose another state folder, on a local disk and with a short path, then start again"
            }
            Self::Newer { .. } => "use the later version, or move the file to another folder",
            Self::Failed { .. } => "the log says more; start again, or move the file to another folder and keep it",
            Self::UnknownWrite(_) | Self::InvalidTransition { .. } | Self::MissingRequest(_) => {
                "this is a mistake in the program: please report it"
            }
            Self::EqualsUnknown(_) => "look for what came of that one first",
            Self::NotOwner(_) => "settle it in the dashboard that sent it",
            Self::UnreadableWrite(_) => "look in the list for what became of it; the row is kept",
            Self::RequestOwned { .. } => "choose another one of those that were found, or set the write aside",
            Self::Ended => "start again",
        }
    }

    /// Returns what to do about a record that cannot be opened. After a transient error it is opened automatically.
    #[must_use]
    pub const fn hint_on_opening(&self) -> &'static str {
        match self {
            Self::CannotOpen { .. } => {
                "check that the folder is there and yours; the record is opened as soon as it can be"
            }
            Self::FullDisk { .. } => {
                "make room on the disk, or raise its quota or the limit on file sizes (ulimit -f); the record is opened then"
            }
            Self::ReadOnly { .. } => "make the folder writable; the record is opened as soon as it is",
            Self::Busy { .. } => "close what else uses the file; the record is opened as soon as it is free",
            Self::NotDurable { .. } => {
                "leave the other dashboard, or type something there: it writes the record anew, which is opened then"
            }
            Self::Failed { .. } => "the log says more; the record is opened as soon as it can be",
            _ => self.hint(),
        }
    }

    /// Describes what happened to the file, without the action that failed.
    pub(super) fn file_event(&self) -> String {
        match self {
            Self::NotDurable { path, why } => format!("{} {}", display_path(path), visible(why)),
            other => other.to_string(),
        }
    }

    /// Returns whether a retry may succeed without a restart, such as after a lock is released, space is freed, or a disk is
    /// mounted.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::CannotOpen { .. }
                | Self::FullDisk { .. }
                | Self::ReadOnly { .. }
                | Self::Busy { .. }
                | Self::NotDurable { .. }
                | Self::Failed { .. }
        )
    }

    /// Converts an error of the system on this path.
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::FullDisk { path }
            }
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::InvalidFilename => Self::Unsuitable { path, why: error.to_string() },
            // `ReadOnly` is for a file that exists and cannot be written.
            io::ErrorKind::PermissionDenied if path.exists() => Self::ReadOnly { path },
            io::ErrorKind::PermissionDenied if path.parent().is_some_and(Path::is_dir) => Self::ReadOnly { path },
            _ => Self::CannotOpen { path, why: error.to_string() },
        }
    }

    /// Converts an error of the database at this path.
    pub(super) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let why = error.to_string();
        let path = path.to_owned();
        if is_damage(error) {
            return Self::Damaged { path, why };
        }
        let rusqlite::Error::SqliteFailure(failure, _) = error else { return Self::Failed { path, why } };
        match failure.code {
            ErrorCode::DiskFull => Self::FullDisk { path },
            // SQLite reports a full disk as various I/O errors, and a read-only folder as a file that cannot be opened, so the
            // file system is checked.
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen if mmd_elevate_files::is_full(&path) => {
                Self::FullDisk { path }
            }
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly { path },
            ErrorCode::CannotOpen if mmd_elevate_files::is_read_only(&path) => Self::ReadOnly { path },
            ErrorCode::CannotOpen => Self::CannotOpen { path, why },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path },
            ErrorCode::FileLockingProtocolFailed => {
                Self::Unsuitable { path, why: "the file system does not lock files".to_owned() }
            }
            _ => Self::Failed { path, why },
        }
    }
}

/// Formats a path for an error. A long path is shortened in the middle, so that the rest of the error stays visible.
pub(super) fn display_path(path: &Path) -> String {
    let text = visible(&path.to_string_lossy()).into_owned();
    let length = text.chars().count();
    if length <= 100 {
        return text;
    }
    let (begin, end): (String, String) = (text.chars().take(20).collect(), text.chars().skip(length - 25).collect());
    format!("{begin}…{end}")
}

/// Returns whether an error means that the database is damaged. An invalid statement means that a table or a column is missing.
fn is_damage(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return matches!(error, rusqlite::Error::SqlInputError { .. });
    };
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
        ErrorCode::SystemIoFailure => {
            matches!(failure.extended_code, ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS)
        }
        _ => false,
    }
}
