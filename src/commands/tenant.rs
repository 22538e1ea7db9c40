//! Opens a tenant for a command: its service, its record and a session of both. A command joins the record, and leaves what dead
//! processes left to the next dashboard.

use std::{
    collections::HashSet,
    future,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use color_eyre::eyre::{self, WrapErr as _};
use jiff::Timestamp;
use mmd_elevate_core::{
    CALLS_WAITING, Call, CallError, CallResult, ElevationRequest, Event, Gaps, Patterns, Problem, Progress, Query,
    Recovered, RequestId, SignIn, Untrusted, WriteId,
};
use mmd_elevate_engine::{
    http::Trust,
    record::{Place, Record},
    session::Session,
    worker::Timing,
};
use mmd_elevate_practice as practice;
use serde_json::Value;
use tokio::{
    sync::mpsc::{Receiver, channel},
    time::{Instant, sleep_until},
};

use super::runtime;
use crate::{
    app::{open_service, practice::settings, tenant_key},
    cli::Flags,
    config::{self, Config, PracticeSettings, Target, variable},
    exit::{CommandProblem, ProblemCode},
    json,
    log::{self, LogGuard},
    output::{Output, print_error, warn},
    platform, report,
    templates::TemplateFolders,
};

/// The write that is on its way, by its number in the record, for the thread that watches for signals.
static IN_FLIGHT: AtomicI64 = AtomicI64::new(NOTHING);
const NOTHING: i64 = 0;

/// In its place as long as its number is not known here: it may be recorded and sent already.
const ABOUT_TO_BE_SENT: i64 = -1;

/// How long sending waits for the list of the device, as in the dashboard.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same as long as there is no token: signing in may take longer.
const SIGN_IN_PATIENCE: Duration = Duration::from_secs(60);

/// The settings of a command that works with a tenant.
#[derive(Debug)]
pub struct CommandSettings {
    target: Target,
    practice: PracticeSettings,
    place: Place,
    /// The forms of ticket and device names.
    pub patterns: Patterns,
    /// Whether no request is opened and none closed.
    pub read_only: bool,
    /// The places of templates.
    pub templates: TemplateFolders,
    /// How often the service is asked for changes. `None` means only when the agent asks.
    pub refresh: Option<Duration>,
    log: tracing::level_filters::LevelFilter,
    state_dir: PathBuf,
}

impl CommandSettings {
    /// Reads the settings. A command falls back to no practice tenant: that is for who asks for it.
    ///
    /// # Errors
    /// A setting is wrong, or no service is configured.
    pub fn load(flags: &Flags, output: Output) -> Result<Self, CommandProblem> {
        let config = config::load(flags, variable::from_process)?;
        let file = config::settings_file(flags, variable::from_process).map_err(CommandProblem::settings)?;
        if matches!(config.target, Target::Practice) && !flags.practice {
            return Err(CommandProblem::new(
                ProblemCode::Settings,
                "no service is configured",
                "name a tenant and give a token (mmd-elevate --help), or add --practice to work in the practice tenant",
            ));
        }
        let Config { target, practice, patterns, read_only, keep_days, state_dir, log, warnings, refresh, .. } = config;
        if !output.quiet {
            variable::warnings().iter().chain(&warnings).for_each(warn);
        }
        let tenant = tenant_key(&target);
        let place = Place { state_dir: state_dir.clone(), tenant, operator: platform::user(), keep_days };
        let templates = TemplateFolders { own: file.with_file_name("templates"), state: state_dir.clone() };
        Ok(Self { target, practice, place, patterns, read_only, templates, refresh, log, state_dir })
    }
}

impl CommandSettings {
    /// Refuses a command that would send something where nothing is to be sent.
    ///
    /// # Errors
    /// The settings are read-only.
    pub fn refuse_read_only(self) -> Result<Self, CommandProblem> {
        if self.read_only {
            let hint = "leave --read-only and the setting `read_only` out to send anything";
            return Err(CommandProblem::new(
                ProblemCode::Settings,
                "nothing was sent: this session is read-only",
                hint,
            ));
        }
        Ok(self)
    }
}

impl CommandSettings {
    /// Returns the tenant as a report names it.
    #[must_use]
    pub fn reported_tenant(&self) -> report::ReportTenant {
        let (name, id, is_practice) = match &self.target {
            Target::Practice => (None, practice::TENANT_ID, true),
            Target::Service(service) => (service.tenant.name.as_deref(), service.tenant.id.as_str(), false),
        };
        report::ReportTenant { name: name.map(Untrusted::new), id: Untrusted::new(id), is_practice }
    }

    /// Reads the record alone, and contacts no service. Returns `None` if there is no record yet; none is made.
    ///
    /// # Errors
    /// The record cannot be used.
    pub async fn look(&self) -> Result<Option<(Record, Recovered)>, CommandProblem> {
        if !self.state_dir.join("record.db").exists() {
            return Ok(None);
        }
        let (record, recovered) = Record::look(self.place.clone(), Timestamp::now).await?;
        recovered.warnings.iter().for_each(warn);
        Ok(Some((record, recovered)))
    }
}

/// What a command does with the writes that dead processes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay as they are.
    Leave,
    /// This process takes them over, to look for them.
    TakeOver,
}

/// A tenant that is open for a command.
#[derive(Debug)]
pub struct OpenTenant {
    /// The session with its service.
    pub session: Session,
    /// Its record.
    pub record: Record,
    /// What the record holds: the requests that are open and those closed lately. The writes that were taken over are in it.
    pub recovered: Recovered,
    events: Receiver<Event>,
    is_signed_in: bool,
    output: Output,
    _log: Option<LogGuard>,
}

impl OpenTenant {
    /// Opens the record, and begins to make the service ready.
    ///
    /// # Errors
    /// The record cannot be used, or settings of the service are wrong.
    pub async fn open(settings: CommandSettings, leftovers: Leftovers, output: Output) -> Result<Self, CommandProblem> {
        let CommandSettings { target, practice, place, state_dir, log, .. } = settings;
        let log = log::start(&state_dir, log, drop).unwrap_or_else(|problem| {
            warn(&problem);
            None
        });
        let trust = match &target {
            Target::Practice => Ok(Trust::default()),
            Target::Service(service) => Trust::with_file(service.ca_file.as_deref()),
        };
        let trust = trust.map_err(CommandProblem::settings)?;
        let practice = self::practice_settings(&place, &practice).map_err(CommandProblem::settings)?;
        let (record, mut recovered) = Record::join(place, Timestamp::now).await?;
        if leftovers == Leftovers::TakeOver {
            recovered.unresolved = record.take_over_writes().await?;
        }
        let (session_events, events) = channel(CALLS_WAITING);
        let service = open_service(target, trust, practice, session_events.clone());
        let opened = (record.clone(), recovered.clone());
        let opening = move || future::ready(Ok(opened.clone()));
        let handle = tokio::runtime::Handle::current();
        let session = Session::open(&handle, service, opening, Timing::default(), session_events);
        for warning in &recovered.warnings {
            warn(warning);
        }
        Ok(Self { session, record, recovered, events, is_signed_in: false, output, _log: log })
    }

    /// Returns the requests that the record knows, those that are open first.
    pub fn known(&self) -> impl Iterator<Item = &ElevationRequest> + Clone {
        self.recovered.open.iter().chain(self.recovered.closed.iter().map(|ended| &ended.request))
    }

    /// Returns the ids of the agent's own requests: those that were opened or closed from this record.
    #[must_use]
    pub fn mine(&self) -> HashSet<RequestId> {
        self.known().map(|request| request.id.clone()).collect()
    }

    /// Returns a request of the agent's or of others as JSON.
    #[must_use]
    pub fn request_json(&self, request: &ElevationRequest) -> Value {
        let is_ended = self.recovered.closed.iter().any(|ended| ended.request.id == request.id);
        let mine = self.known().any(|known| known.id == request.id);
        json::request(request, request.closed.is_some() || is_ended, mine)
    }

    /// Sends a call and waits for its reply. What happens meanwhile is handed to `progress`.
    ///
    /// # Errors
    /// The error of the call.
    pub async fn call(&mut self, call: Call, mut progress: impl FnMut(Progress)) -> Result<CallResult, CallError> {
        let Self { session, events, output, is_signed_in, .. } = self;
        match call {
            Call::Look(WriteId(id)) => IN_FLIGHT.store(id, Ordering::SeqCst),
            Call::Send(_) | Call::SendUnlessUnknown(_) => IN_FLIGHT.store(ABOUT_TO_BE_SENT, Ordering::SeqCst),
            Call::List(_)
            | Call::SearchDevices(_)
            | Call::SetAside(_)
            | Call::Adopt(..)
            | Call::Check(_)
            | Call::TakeAsClosed(_)
            | Call::History { .. } => {}
        }
        let reply = session.call(call);
        tokio::pin!(reply);
        let result = loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => tell(*output, event, is_signed_in, &mut progress),
                result = &mut reply => break result,
            }
        };
        // What was sent before the reply.
        while let Ok(event) = events.try_recv() {
            tell(*output, event, is_signed_in, &mut progress);
        }
        IN_FLIGHT.store(NOTHING, Ordering::SeqCst);
        result
    }

    /// Lists requests and hands over each page. Returns what could not be read of the list.
    ///
    /// # Errors
    /// The error of the call: nothing was listed.
    pub async fn list(&mut self, query: Query, page: impl FnMut(Vec<ElevationRequest>)) -> Result<Gaps, CallError> {
        let Self { session, events, output, is_signed_in, .. } = self;
        let listing = session.list(query, page);
        tokio::pin!(listing);
        loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => tell(*output, event, is_signed_in, &mut |_| ()),
                result = &mut listing => return result,
            }
        }
    }

    /// Lists the requests of a device. Once there is a token, the list may take two seconds; `None` means that it took longer.
    pub async fn list_device(&mut self, device: &str) -> Option<Result<(Vec<ElevationRequest>, Gaps), CallError>> {
        let mut listed = Vec::new();
        let Self { session, events, output, is_signed_in, .. } = self;
        let gaps = {
            let listing = session.list(Query::Device(device.to_owned()), |page| listed.extend(page));
            tokio::pin!(listing);
            let mut until = Instant::now() + if *is_signed_in { PATIENCE } else { SIGN_IN_PATIENCE };
            loop {
                tokio::select! {
                    biased;
                    Some(event) = events.recv() => {
                        let was_signed_in = *is_signed_in;
                        tell(*output, event, is_signed_in, &mut |_| ());
                        if *is_signed_in && !was_signed_in {
                            until = Instant::now() + PATIENCE;
                        }
                    }
                    gaps = &mut listing => break gaps,
                    () = sleep_until(until) => return None,
                }
            }
        };
        Some(gaps.map(|gaps| (listed, gaps)))
    }

    /// Ends the session. Calls that nobody awaits any more are dropped.
    pub async fn end(self) {
        let Self { session, record, events, _log, .. } = self;
        drop((events, record));
        session.end().await;
    }
}

fn practice_settings(place: &Place, practice: &PracticeSettings) -> Result<practice::Settings, Problem> {
    let settings = settings(&place.state_dir, practice.fresh, practice.rules.as_deref())?;
    Ok(practice::Settings { colleagues: practice.colleagues, ..settings })
}

/// Tells an event that is no reply.
fn tell(output: Output, event: Event, is_signed_in: &mut bool, progress: &mut impl FnMut(Progress)) {
    match event {
        Event::Progress(_, step) => {
            match &step {
                Progress::Waiting { until, error, .. } => {
                    let seconds = until.duration_since(Timestamp::now()).as_secs().max(1);
                    output.progress(&format!("{} It is tried again in {seconds} s.", error.what()));
                }
                Progress::Looking(error) => {
                    output.progress(&format!("{} Looking for what came of it ...", error.what()));
                }
                Progress::LookingFirst => output.progress("Looking whether it was done all the same ..."),
                Progress::ReadingBack => output.progress("Accepted. Reading it back ..."),
                Progress::NotRead(error) => output.progress(&format!("It could not be read back: {}", error.what())),
                Progress::Recorded(WriteId(id)) => IN_FLIGHT.store(*id, Ordering::SeqCst),
                Progress::Page(_) | Progress::ClosedBy(_) => {}
            }
            progress(step);
        }
        Event::Warning(problem) | Event::NotSaved(problem) => warn(&problem),
        Event::Recovered(recovered) => recovered.warnings.iter().for_each(warn),
        Event::SignIn(SignIn::SignedIn { .. }) => *is_signed_in = true,
        Event::RecordChanged(_)
        | Event::Ready
        | Event::SignIn(_)
        | Event::NotReady(_)
        | Event::Reply(_)
        | Event::Saved => {}
    }
}

/// Runs a command that waits. What it began and did not end does not keep the process from ending.
///
/// # Errors
/// The runtime cannot be started.
pub fn run(command: impl Future<Output = ExitCode>) -> eyre::Result<ExitCode> {
    platform::end_on_signals(tell_in_flight).wrap_err("failed to watch for signals")?;
    let runtime = runtime()?;
    let code = runtime.block_on(command);
    runtime.shutdown_background();
    Ok(code)
}

/// Tells at a signal what is left in the record.
fn tell_in_flight() {
    let (what, hint) = match IN_FLIGHT.load(Ordering::SeqCst) {
        NOTHING => return,
        ABOUT_TO_BE_SENT => (
            "ended while it was unknown whether anything was sent".to_owned(),
            "mmd-elevate resolve looks for it; do not send it a second time before".to_owned(),
        ),
        id => (
            format!("ended while the outcome of intent {id} was unknown"),
            format!("mmd-elevate resolve {id} looks for it; do not send it a second time"),
        ),
    };
    warn(&Problem::new(what, hint));
}

/// Prints a problem of a command that has no result, and returns its exit code.
#[must_use]
pub fn fail(problem: &CommandProblem) -> ExitCode {
    print_error(&format!("mmd-elevate: {problem}\n"));
    problem.exit().into()
}
