//! How a command ends: the exit codes, the codes of problems, and what each error means for both. It is the only table of them.

use std::{fmt, process::ExitCode};

use mmd_elevate_core::{CallError, ErrorCode, Problem};
use mmd_elevate_engine::record::RecordError;
use serde_json::{Value, json};

use crate::config::ConfigError;

/// How a command ends. A signal ends it with 128 and the number of the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// It is done.
    Done,
    /// The result could not be printed, or a check has failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The service or the guard has refused it.
    Refused,
    /// There is no token, or the service does not accept it.
    SignIn,
    /// Of several, some are done and some are not.
    Partly,
    /// The outcome is unknown.
    Unknown,
    /// The service was not reached or failed, and nothing was changed.
    Unreachable,
    /// The record or the settings cannot be used, or no service is configured.
    Unusable,
}

impl Exit {
    /// All ends, in the order of their codes.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::SignIn,
        Self::Partly,
        Self::Unknown,
        Self::Unreachable,
        Self::Unusable,
    ];

    /// Returns the exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns what it means, for the help.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "the result could not be printed, or a check of doctor or config check failed",
            Self::Usage => "the command line is wrong",
            Self::Refused => "refused by the service, or because the device has open requests",
            Self::SignIn => "not signed in: no token, or the service does not accept it",
            Self::Partly => "of several, some are done and some are not",
            Self::Unknown => "the outcome is unknown: resolve looks for it",
            Self::Unreachable => "the service was not reached or failed; nothing was changed",
            Self::Unusable => "record or settings cannot be used, or no service is configured",
        }
    }

    /// Returns how a command ends that did several things.
    #[must_use]
    pub fn of_several(ends: &[Self]) -> Self {
        let is_done = |end: &&Self| **end == Self::Done;
        if ends.contains(&Self::Unknown) {
            return Self::Unknown;
        }
        match ends.iter().filter(is_done).count() {
            0 => ends.first().copied().unwrap_or(Self::Done),
            done if done == ends.len() => Self::Done,
            _ => Self::Partly,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The kind of a problem, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemCode {
    /// The device has as many open requests as it may have.
    TooManyOpen,
    /// The service does not know the device.
    DeviceNotFound,
    /// There is no such request.
    RequestNotFound,
    /// The request is closed already.
    AlreadyClosed,
    /// The device has open requests, and nothing was sent.
    OpenOnDevice,
    /// The token does not allow it.
    Unauthorized,
    /// There is no token that the service accepts.
    SignedOut,
    /// The service asks to wait.
    Throttled,
    /// The service was not reached, or failed.
    Unreachable,
    /// No answer came in time.
    TimedOut,
    /// The answer cannot be used.
    UnreadableAnswer,
    /// It was refused for another reason.
    Refused,
    /// The record cannot be used.
    Record,
    /// The settings cannot be used.
    Settings,
}

impl ProblemCode {
    /// All codes.
    pub const ALL: [Self; 14] = [
        Self::TooManyOpen,
        Self::DeviceNotFound,
        Self::RequestNotFound,
        Self::AlreadyClosed,
        Self::OpenOnDevice,
        Self::Unauthorized,
        Self::SignedOut,
        Self::Throttled,
        Self::Unreachable,
        Self::TimedOut,
        Self::UnreadableAnswer,
        Self::Refused,
        Self::Record,
        Self::Settings,
    ];

    /// Returns its word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooManyOpen => "too-many-open",
            Self::DeviceNotFound => "device-not-found",
            Self::RequestNotFound => "request-not-found",
            Self::AlreadyClosed => "already-closed",
            Self::OpenOnDevice => "open-on-device",
            Self::Unauthorized => "unauthorized",
            Self::SignedOut => "signed-out",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::UnreadableAnswer => "unreadable-answer",
            Self::Refused => "refused",
            Self::Record => "record",
            Self::Settings => "settings",
        }
    }

    /// Returns how a command ends that could not do anything because of such a problem.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::TooManyOpen
            | Self::DeviceNotFound
            | Self::RequestNotFound
            | Self::AlreadyClosed
            | Self::OpenOnDevice
            | Self::Unauthorized
            | Self::Refused => Exit::Refused,
            Self::SignedOut => Exit::SignIn,
            Self::Throttled | Self::Unreachable | Self::TimedOut | Self::UnreadableAnswer => Exit::Unreachable,
            Self::Record | Self::Settings => Exit::Unusable,
        }
    }
}

/// A problem with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandProblem {
    /// What happened, and what to do about it. Both are visible and harmless.
    pub problem: Problem,
    /// Its kind.
    pub code: ProblemCode,
    /// The service's id of the call, to quote to its operator. It is visible and harmless.
    pub service_request_id: Option<String>,
    /// Whether the service may have acted.
    pub may_have_happened: bool,
}

impl CommandProblem {
    /// Makes a problem of the program itself: nothing was done.
    pub fn new(code: ProblemCode, what: impl Into<String>, hint: impl Into<String>) -> Self {
        let problem = Problem::new(what, hint);
        Self { problem, code, service_request_id: None, may_have_happened: false }
    }

    /// Returns a problem with the settings.
    #[must_use]
    pub fn settings(problem: Problem) -> Self {
        Self { problem, code: ProblemCode::Settings, service_request_id: None, may_have_happened: false }
    }

    /// Returns how a command ends that read something, or could not do anything.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.code.exit()
    }

    /// Returns how a write ends with this problem.
    #[must_use]
    pub const fn exit_of_write(&self) -> Exit {
        if self.may_have_happened { Exit::Unknown } else { self.code.exit() }
    }

    /// Returns it as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "what": self.problem.what,
            "hint": self.problem.hint,
            "code": self.code.word(),
            "service_request_id": self.service_request_id,
        })
    }
}

impl fmt::Display for CommandProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)?;
        match &self.service_request_id {
            Some(id) => write!(f, "\nThe service's id of the call: {id}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CommandProblem {}

impl From<&CallError> for CommandProblem {
    fn from(error: &CallError) -> Self {
        let code = match error.code {
            Some(ErrorCode::TooManyOpen) => ProblemCode::TooManyOpen,
            Some(ErrorCode::NoSuchDevice) => ProblemCode::DeviceNotFound,
            Some(ErrorCode::NoSuchRequest) => ProblemCode::RequestNotFound,
            Some(ErrorCode::AlreadyClosed) => ProblemCode::AlreadyClosed,
            Some(ErrorCode::NotAllowed) => ProblemCode::Unauthorized,
            Some(ErrorCode::NotSignedIn | ErrorCode::SignInFailed) => ProblemCode::SignedOut,
            Some(ErrorCode::Throttled) => ProblemCode::Throttled,
            Some(ErrorCode::TimedOut) => ProblemCode::TimedOut,
            Some(ErrorCode::BrokenAnswer) => ProblemCode::UnreadableAnswer,
            Some(ErrorCode::Declined | ErrorCode::NotAccepted | ErrorCode::EqualsUnknown(_)) => ProblemCode::Refused,
            Some(ErrorCode::NotRecorded) => ProblemCode::Record,
            Some(ErrorCode::NotConnected | ErrorCode::Abandoned | ErrorCode::Crashed) | None => {
                ProblemCode::Unreachable
            }
        };
        Self {
            problem: Problem::new(error.what(), error.hint()),
            code,
            service_request_id: error.ids.service.as_ref().map(|id| id.visible().into_owned()),
            may_have_happened: error.may_have_happened(),
        }
    }
}

impl From<CallError> for CommandProblem {
    fn from(error: CallError) -> Self {
        Self::from(&error)
    }
}

impl From<RecordError> for CommandProblem {
    fn from(error: RecordError) -> Self {
        Self::new(ProblemCode::Record, format!("failed to {error}"), error.hint())
    }
}

impl From<ConfigError> for CommandProblem {
    fn from(error: ConfigError) -> Self {
        let text = error.to_string();
        let (what, hint) = text.rsplit_once("\nhint: ").unwrap_or((&text, ""));
        Self::settings(Problem::new(what, hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_table() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn of_several_any_unknown_counts_then_whether_all_are_done() {
        for (ends, exit) in [
            (&[][..], Exit::Done),
            (&[Exit::Done, Exit::Done], Exit::Done),
            (&[Exit::Done, Exit::Refused], Exit::Partly),
            (&[Exit::Refused, Exit::Refused], Exit::Refused),
            (&[Exit::Refused, Exit::Unreachable], Exit::Refused),
            (&[Exit::Done, Exit::Unknown, Exit::Refused], Exit::Unknown),
        ] {
            assert_eq!(Exit::of_several(ends), exit, "{ends:?}");
        }
    }

    #[test]
    fn each_error_of_a_call_has_its_code_and_its_end() {
        for (error, code, exit) in [
            (CallError::too_many_open(), "too-many-open", Exit::Refused),
            (CallError::no_such_device(), "device-not-found", Exit::Refused),
            (CallError::no_such_request(), "request-not-found", Exit::Refused),
            (CallError::already_closed(), "already-closed", Exit::Refused),
            (CallError::not_allowed(), "unauthorized", Exit::Refused),
            (CallError::declined(), "refused", Exit::Refused),
            (CallError::not_accepted(400, None), "refused", Exit::Refused),
            (CallError::not_signed_in(), "signed-out", Exit::SignIn),
            (CallError::sign_in_failed(&Problem::new("no", "yes")), "signed-out", Exit::SignIn),
            (CallError::throttled(None), "throttled", Exit::Unreachable),
            (CallError::not_reached("no"), "unreachable", Exit::Unreachable),
            (CallError::redirected(302), "unreachable", Exit::Unreachable),
            (CallError::not_recorded(Problem::new("no", "yes")), "record", Exit::Unusable),
            (CallError::timed_out(), "timed-out", Exit::Unknown),
            (CallError::server_failed(500), "unreachable", Exit::Unknown),
            (CallError::broken_answer("no"), "unreadable-answer", Exit::Unknown),
            (CallError::crashed(), "unreachable", Exit::Unknown),
        ] {
            let problem = CommandProblem::from(&error);
            assert_eq!((problem.code.word(), problem.exit_of_write()), (code, exit), "{error:?}");
        }
        assert_eq!(CommandProblem::from(CallError::timed_out()).exit(), Exit::Unreachable, "a read changes nothing");
    }
}
