//! Opens a tenant for a command: its service, its record and a session of both. A command joins the record, and leaves what dead
//! processes left to the next dashboard.

use std::{
    collections::HashSet,
    future::{self, pending},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use color_eyre::eyre::{self, WrapErr as _};
use jiff::Timestamp;
use mmd_elevate_core::{
    CALLS_WAITING, Call, CallError, CallResult, ElevationRequest, Event, Gaps, Patterns, Problem, Progress, Query,
    Recovered, RequestId, SignIn, Untrusted,
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
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
        watch,
    },
    time::{Instant, sleep_until, timeout},
};

use super::{
    runtime,
    untold::{self, Untold},
};
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
    /// Whoever waits for the session holds it, and tells what happens meanwhile.
    events: Mutex<Receiver<Event>>,
    signed_in: watch::Sender<bool>,
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
        let (session_events, events) = channel(CALLS_WAITING);
        // The service is made ready, and a token is fetched, while the record is opened.
        let service = tokio::spawn(open_service(target, trust, practice, session_events.clone()));
        let (record, mut recovered) = Record::join(place, Timestamp::now).await?;
        if leftovers == Leftovers::TakeOver {
            recovered.unresolved = record.take_over_writes().await?;
        }
        let service = async { service.await.unwrap_or_else(|_| Err(CallError::crashed())) };
        let opened = (record.clone(), recovered.clone());
        let opening = move || future::ready(Ok(opened.clone()));
        let handle = tokio::runtime::Handle::current();
        let session = Session::open(&handle, service, opening, Timing::default(), session_events);
        for warning in &recovered.warnings {
            warn(warning);
        }
        let (events, signed_in) = (Mutex::new(events), watch::Sender::new(false));
        Ok(Self { session, record, recovered, events, signed_in, output, _log: log })
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

    /// Sends a call for a write and waits for its reply. What happens meanwhile is told, and passed to `on_step`.
    ///
    /// # Errors
    /// The error of the call.
    pub async fn call(
        &self,
        untold: &Untold,
        call: Call,
        on_step: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<CallResult, CallError> {
        match call {
            Call::Look(write) => {
                untold.number().set(write);
                untold.is_about_to_be_sent();
            }
            Call::Send(_) | Call::SendUnlessUnknown(_) => untold.is_about_to_be_sent(),
            Call::List(_)
            | Call::SearchDevices(_)
            | Call::SetAside(_)
            | Call::Adopt(..)
            | Call::Check(_)
            | Call::TakeAsClosed(_)
            | Call::History { .. } => {}
        }
        let mut on_step = |step| {
            tell_step(self.output, untold.name(), &step);
            on_step(step);
        };
        self.telling(self.session.call_with_progress(call, untold.number(), &mut on_step)).await
    }

    /// Lists requests and hands over each page. Returns what could not be read of the list.
    ///
    /// # Errors
    /// The error of the call: nothing was listed.
    pub async fn list(
        &self,
        query: Query,
        mut page: impl FnMut(Vec<ElevationRequest>) + Send,
    ) -> Result<Gaps, CallError> {
        self.list_to(query, &mut page).await
    }

    async fn list_to(
        &self,
        query: Query,
        page: &mut (dyn FnMut(Vec<ElevationRequest>) + Send),
    ) -> Result<Gaps, CallError> {
        self.telling(self.session.list(query, page)).await
    }

    /// Lists the requests of a device for a write, as [`Self::call`] does. Once there is a token, the list may take two seconds, and
    /// longer if the service asks to wait; `None` means that it took longer.
    pub async fn list_device(
        &self,
        device: &str,
        untold: &Untold,
        on_step: &mut (dyn FnMut(&Progress) + Send),
    ) -> Option<Result<(Vec<ElevationRequest>, Gaps), CallError>> {
        let (mut listed, asked_to_wait) = (Vec::new(), watch::Sender::new(Duration::ZERO));
        let mut take = |step| {
            on_step(&step);
            match step {
                Progress::Page(page) => listed.extend(page),
                Progress::Waiting { until, .. } => {
                    let wait = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
                    asked_to_wait.send_modify(|all| *all += wait);
                }
                _ => {}
            }
        };
        let listing = self.call(untold, Call::List(Query::Device(device.to_owned())), &mut take);
        let patience = async {
            let mut signed_in = self.signed_in.subscribe();
            let _ = timeout(SIGN_IN_PATIENCE, signed_in.wait_for(|is_signed_in| *is_signed_in)).await;
            let since = Instant::now();
            loop {
                let until = since + PATIENCE + *asked_to_wait.borrow();
                if Instant::now() >= until {
                    break;
                }
                sleep_until(until).await;
            }
        };
        let reply = tokio::select! {
            biased;
            reply = listing => reply,
            () = patience => return None,
        };
        Some(reply.and_then(|reply| match reply {
            CallResult::Listed { gaps, .. } => Ok((listed, gaps)),
            _ => Err(CallError::crashed()),
        }))
    }

    /// Tells what happens beside what is awaited.
    async fn telling<T>(&self, awaited: impl Future<Output = T>) -> T {
        let tell = async {
            let mut events = self.events.lock().await;
            while let Some(event) = events.recv().await {
                self.tell(event);
            }
            pending::<T>().await
        };
        let result = tokio::select! {
            biased;
            result = tell => result,
            result = awaited => result,
        };
        // What was sent before the reply. Somebody else who waits tells it too.
        if let Ok(mut events) = self.events.try_lock() {
            while let Ok(event) = events.try_recv() {
                self.tell(event);
            }
        }
        result
    }

    /// Tells an event that no call has taken.
    fn tell(&self, event: Event) {
        match event {
            Event::Progress(_, step) => tell_step(self.output, "", &step),
            Event::Warning(problem) | Event::NotSaved(problem) => warn(&problem),
            Event::Recovered(recovered) => recovered.warnings.iter().for_each(warn),
            Event::SignIn(SignIn::SignedIn { .. }) => drop(self.signed_in.send_replace(true)),
            Event::RecordChanged(_)
            | Event::Ready
            | Event::SignIn(_)
            | Event::NotReady(_)
            | Event::Reply(_)
            | Event::Saved => {}
        }
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

/// Tells what a call does.
fn tell_step(output: Output, name: &str, step: &Progress) {
    let text = match step {
        Progress::Waiting { until, error, .. } => {
            let seconds = until.duration_since(Timestamp::now()).as_secs().max(1);
            format!("{} It is tried again in {seconds} s.", error.what())
        }
        Progress::Looking(error) => format!("{} Looking for what came of it ...", error.what()),
        Progress::LookingFirst => "Looking whether it was done all the same ...".to_owned(),
        Progress::ReadingBack => "Accepted. Reading it back ...".to_owned(),
        Progress::NotRead(error) => format!("It could not be read back: {}", error.what()),
        Progress::Recorded(_) | Progress::Page(_) | Progress::ClosedBy(_) => return,
    };
    output.progress(&format!("{name}{text}"));
}

/// Runs a command that waits. What it began and did not end does not keep the process from ending.
///
/// # Errors
/// The runtime cannot be started.
pub fn run(command: impl Future<Output = ExitCode>) -> eyre::Result<ExitCode> {
    platform::end_on_signals(untold::tell).wrap_err("failed to watch for signals")?;
    let runtime = runtime()?;
    let code = runtime.block_on(command);
    runtime.shutdown_background();
    Ok(code)
}

/// Prints a problem of a command that has no result, and returns its exit code.
#[must_use]
pub fn fail(problem: &CommandProblem) -> ExitCode {
    print_error(&format!("mmd-elevate: {problem}\n"));
    problem.exit().into()
}
