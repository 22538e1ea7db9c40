//! `mmd-elevate close`: closes requests and reads each of them back. An id may be shortened; what the record does not know is
//! looked up in the service's list.

use std::process::ExitCode;

use color_eyre::eyre;
use mmd_elevate_core::{
    Call, CallError, CallResult, CloseElevationRequest, ElevationRequest, ErrorCode, Field, Operation, Problem,
    Progress, Query, ReadBack, RequestId, Untrusted, WriteId, is_edge_blank, uuid, visible,
};
use serde_json::{Value, json};

use super::{
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
    texts::{edit_actions, read_argument, read_file},
    untold::Untold,
    write_result::{SCHEMA, WriteOutcome},
};
use crate::{
    cli::{CloseArgs, Flags},
    exit::{CommandProblem, Exit, ProblemCode},
    json,
    output::{Output, OutputForm, fail, plain_line, print_error, print_outcome},
};

/// The fewest characters of an id that is shortened.
pub(super) const SHORTEST: usize = 8;

/// Closes requests.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &CloseArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    let settings = match CommandSettings::load(flags, output).and_then(CommandSettings::refuse_read_only) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    let actions = match read_actions(args) {
        Ok(actions) => actions,
        Err(problem) => return Ok(fail(Exit::Usage, &problem)),
    };
    tenant::run(async {
        let tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let targets = match find_all(&tenant, &args.ids).await {
            Ok(targets) => targets,
            Err(problem) => return fail(Exit::Usage, &problem),
        };
        let (mut results, mut unprinted) = (Vec::new(), Vec::new());
        for target in targets {
            let untold = Untold::new(String::new());
            let result = match target {
                CloseTarget::Unknown { given, problem } => CloseResult::not_done(given, problem),
                CloseTarget::Found(target) if args.dry_run => target.dry_run(),
                CloseTarget::Found(target) => close(&tenant, target, &actions, &untold).await,
            };
            result.tell(output);
            results.push(result);
            unprinted.push(untold);
        }
        let exit = Exit::of_several(&results.iter().map(|result| result.exit).collect::<Vec<_>>());
        let mine = tenant.mine();
        let text = match output.form {
            OutputForm::Json => {
                let results: Vec<_> = results.iter().map(|result| result.json(|id| mine.contains(id))).collect();
                json::document(&json!({ "schema": SCHEMA, "results": results }))
            }
            OutputForm::Plain => results.iter().map(CloseResult::line).collect(),
            OutputForm::Human => results.iter().map(CloseResult::sentence).collect(),
        };
        let summary: Vec<_> = results.iter().map(CloseResult::summary).collect();
        let code = print_outcome(&text, exit.into(), &summary.join("; "));
        drop(unprinted);
        tenant.end().await;
        code
    })
}

/// Collects the text of the command line.
fn read_actions(args: &CloseArgs) -> Result<String, Problem> {
    let mut actions = match (&args.actions, &args.actions_file) {
        (Some(given), _) => read_argument("--actions", given)?,
        (None, Some(path)) => read_file("--actions-file", path)?,
        (None, None) => String::new(),
    };
    if args.editor {
        let ids: Vec<_> = args.ids.iter().map(|id| visible(id)).collect();
        actions = edit_actions(&actions, &[format!("What was done on the device. It closes {}.", ids.join(", "))])?;
    }
    if actions.trim_matches(is_edge_blank).is_empty() {
        let hint = "say what was done on the device with --actions, or add --editor";
        return Err(Problem::new("nothing was sent: --actions is missing or empty", hint));
    }
    Ok(actions)
}

/// A request that is to be closed.
enum CloseTarget {
    Found(FoundTarget),
    /// Nothing can be sent.
    Unknown {
        given: String,
        problem: CommandProblem,
    },
}

struct FoundTarget {
    id: RequestId,
    /// The request as the record or a list has it.
    request: Option<Box<ElevationRequest>>,
    /// Whether lists that were read to their ends do not hold it.
    is_absent: bool,
}

impl From<&ElevationRequest> for FoundTarget {
    fn from(request: &ElevationRequest) -> Self {
        Self { id: request.id.clone(), request: Some(Box::new(request.clone())), is_absent: false }
    }
}

impl FoundTarget {
    fn dry_run(self) -> CloseResult {
        CloseResult {
            id: self.id.raw().to_owned(),
            outcome: WriteOutcome::NotDone,
            exit: Exit::Done,
            is_verified: false,
            is_closed: self.request.as_ref().is_some_and(|request| request.closed.is_some()),
            request: self.request,
            problem: None,
        }
    }
}

/// Finds the request of an id or of its beginning.
pub(super) fn find<'r>(
    given: &str,
    known: impl Iterator<Item = &'r ElevationRequest> + Clone,
) -> Result<Option<&'r ElevationRequest>, Problem> {
    let exact = RequestId::new(given);
    if let Some(request) = known.clone().find(|request| exact.as_ref() == Some(&request.id)) {
        return Ok(Some(request));
    }
    let begin = given.trim().to_lowercase();
    if begin.chars().count() < SHORTEST {
        return Ok(None);
    }
    let mut found = known.filter(|request| request.id.raw().to_lowercase().starts_with(&begin));
    let Some(first) = found.next() else { return Ok(None) };
    match found.find(|other| other.id != first.id) {
        None => Ok(Some(first)),
        Some(other) => {
            let (given, one, other) = (visible(given), first.id.text().visible(), other.id.text().visible());
            let what = format!("nothing was sent: several requests begin with {given}, such as {one} and {other}");
            Err(Problem::new(what, "give more of the id"))
        }
    }
}

/// Finds the requests of these ids, each once.
///
/// # Errors
/// An id is too short, or means several requests.
async fn find_all(tenant: &OpenTenant, given: &[String]) -> Result<Vec<CloseTarget>, Problem> {
    let mut targets = Vec::new();
    let mut missing = Vec::new();
    for given in given {
        match find(given, tenant.known())? {
            Some(request) => targets.push(Some(CloseTarget::Found(request.into()))),
            None if given.trim().chars().count() < SHORTEST => {
                let what = format!("nothing was sent: the id {} is too short", visible(given));
                return Err(Problem::new(what, format!("give at least {SHORTEST} characters of it")));
            }
            None => {
                missing.push((targets.len(), given));
                targets.push(None);
            }
        }
    }
    let (mut listed, mut failed) = (Vec::new(), None);
    for query in [Query::Open, Query::Closed] {
        missing = look_for(missing, &listed, &mut targets)?;
        if missing.is_empty() {
            break;
        }
        match tenant.list(query, |page| listed.extend(page)).await {
            Ok(gaps) if gaps.is_empty() => {}
            Ok(gaps) => failed = failed.or(Some(CallError::not_reached(&gaps.describe()))),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    for (at, given) in look_for(missing, &listed, &mut targets)? {
        let id = RequestId::new(given.trim()).filter(|_| uuid(given).is_some());
        targets[at] = Some(match (id, &failed) {
            (Some(id), failed) => CloseTarget::Found(FoundTarget { id, request: None, is_absent: failed.is_none() }),
            (None, Some(error)) => {
                let mut problem = CommandProblem::from(error);
                problem.may_have_happened = false;
                problem.problem.hint = format!("a whole id can be closed without the list; {}", problem.problem.hint);
                CloseTarget::Unknown { given: given.clone(), problem }
            }
            (None, None) => CloseTarget::Unknown { given: given.clone(), problem: not_found(given) },
        });
    }
    let mut seen = Vec::new();
    targets.retain(|target| match target {
        Some(CloseTarget::Found(FoundTarget { id, .. })) => {
            let is_new = !seen.contains(id);
            seen.push(id.clone());
            is_new
        }
        Some(CloseTarget::Unknown { .. }) | None => true,
    });
    Ok(targets.into_iter().flatten().collect())
}

/// Fills in those that the list holds, and returns the others.
fn look_for<'g>(
    missing: Vec<(usize, &'g String)>,
    listed: &[ElevationRequest],
    targets: &mut [Option<CloseTarget>],
) -> Result<Vec<(usize, &'g String)>, Problem> {
    let mut left = Vec::new();
    for (at, given) in missing {
        match find(given, listed.iter())? {
            Some(request) => targets[at] = Some(CloseTarget::Found(request.into())),
            None => left.push((at, given)),
        }
    }
    Ok(left)
}

pub(super) fn not_found(given: &str) -> CommandProblem {
    let what = format!("there is no request {}", visible(given));
    CommandProblem::new(ProblemCode::RequestNotFound, what, "check the id; mmd-elevate list shows what is open")
}

/// What came of a close.
struct CloseResult {
    id: String,
    outcome: WriteOutcome,
    exit: Exit,
    /// Whether a list shows the request as closed by this close.
    is_verified: bool,
    is_closed: bool,
    request: Option<Box<ElevationRequest>>,
    problem: Option<CommandProblem>,
}

/// Closes a request.
async fn close(tenant: &OpenTenant, target: FoundTarget, actions: &str, untold: &Untold) -> CloseResult {
    let FoundTarget { id, request, is_absent } = target;
    let device = request.as_ref().map_or_else(Untrusted::default, |request| request.device.clone());
    let closing = CloseElevationRequest { id: id.clone(), device, actions_taken: actions.to_owned() };
    let (mut closed_by, mut doubt) = (None, None);
    let mut on_step = |step| match step {
        Progress::ClosedBy(request) => closed_by = Some(request),
        Progress::Looking(error) => doubt = Some(error),
        Progress::Recorded(_)
        | Progress::Waiting { .. }
        | Progress::LookingFirst
        | Progress::ReadingBack
        | Progress::NotRead(_)
        | Progress::Page(_) => {}
    };
    let sent = tenant.call(untold, Call::Send(Operation::Close(closing)), &mut on_step).await;
    let (given, intent) = (id.raw().to_owned(), untold.number().get());
    let mut result = interpret(given, sent, request, closed_by, doubt);
    if let Some(problem) = &mut result.problem {
        if is_absent && problem.code == ProblemCode::Refused {
            *problem = CommandProblem { service_request_id: problem.service_request_id.take(), ..not_found(id.raw()) };
        }
        if let (Exit::Unknown, Some(WriteId(id))) = (result.exit, intent) {
            problem.problem.hint = format!("mmd-elevate resolve {id} looks for it again; closing it again is harmless");
        }
    }
    untold.has_ended(&result.summary(), intent.filter(|_| result.exit == Exit::Unknown));
    result
}

/// Returns what came of a close. `known` is the request as it was known before, `closed_by` as it was closed by another close,
/// `doubt` why it had to be looked for.
fn interpret(
    id: String,
    sent: Result<CallResult, CallError>,
    known: Option<Box<ElevationRequest>>,
    closed_by: Option<Box<ElevationRequest>>,
    doubt: Option<CallError>,
) -> CloseResult {
    let done = |is_verified, is_closed, request| CloseResult {
        id: id.clone(),
        outcome: WriteOutcome::Done,
        exit: Exit::Done,
        is_verified,
        is_closed,
        request,
        problem: None,
    };
    match sent {
        Ok(CallResult::Closed(ReadBack::Verified(request) | ReadBack::StoredDifferently(request))) => {
            done(true, true, Some(request))
        }
        Ok(CallResult::Closed(ReadBack::PerhapsOurs(request))) => done(false, true, Some(request)),
        Ok(CallResult::Closed(ReadBack::NotYetVisible)) => done(false, false, known),
        Ok(CallResult::StillOpen(request)) => {
            let mut problem = CommandProblem::from(doubt.unwrap_or_else(CallError::crashed));
            problem.may_have_happened = false;
            problem.problem = Problem::new(
                format!("it was not closed, and is still open: {}", problem.problem.what),
                "close it again; its text was not stored by the service",
            );
            CloseResult { request: Some(request), ..CloseResult::not_done(id, problem) }
        }
        Ok(_) => CloseResult { request: known, ..CloseResult::not_done(id, CallError::crashed().into()) },
        Err(error) => {
            let is_closed = matches!(error.code, Some(ErrorCode::AlreadyClosed | ErrorCode::NoSuchRequest));
            let request = closed_by.or(known);
            CloseResult { is_closed, request, ..CloseResult::not_done(id, error.into()) }
        }
    }
}

impl CloseResult {
    /// Makes the result of a close that was not done, or of which that is unknown.
    fn not_done(id: String, problem: CommandProblem) -> Self {
        Self {
            id,
            outcome: if problem.may_have_happened { WriteOutcome::Unknown } else { WriteOutcome::NotDone },
            exit: problem.exit_of_write(),
            is_verified: false,
            is_closed: false,
            request: None,
            problem: Some(problem),
        }
    }

    fn text(&self, field: Field) -> &str {
        self.request.as_ref().map_or("", |request| request.text(field).raw())
    }

    fn json(&self, is_mine: impl Fn(&RequestId) -> bool) -> Value {
        let request = self
            .request
            .as_ref()
            .map(|request| json::request(request, self.is_closed || request.closed.is_some(), is_mine(&request.id)));
        json!({
            "id": self.id,
            "outcome": self.outcome.word(),
            "verified": self.is_verified,
            "request": request,
            "problem": self.problem.as_ref().map(CommandProblem::json),
        })
    }

    /// Outcome, id, whether it was verified, ticket, device and title.
    fn line(&self) -> String {
        let verified = if self.is_verified { "verified" } else { "not-verified" };
        let [ticket, device, title] = [Field::Ticket, Field::Device, Field::Title].map(|field| self.text(field));
        plain_line([self.outcome.word(), &self.id, verified, ticket, device, title])
    }

    /// What is not done is a problem, and told as such.
    fn sentence(&self) -> String {
        if self.outcome != WriteOutcome::Done {
            return String::new();
        }
        let title = self.text(Field::Title);
        let name = visible(if title.trim().is_empty() { &self.id } else { title });
        let how = match (self.is_verified, self.is_closed) {
            (true, _) => "verified",
            (false, true) => "perhaps by this close: the stored text differs",
            (false, false) => "accepted, not yet visible: it counts as open until the service lists it as closed",
        };
        format!("Request closed: {name}, {how}\n")
    }

    fn summary(&self) -> String {
        format!("the outcome of closing {} is {}", visible(&self.id), self.outcome.word())
    }

    /// Tells what is beside the result.
    fn tell(&self, output: Output) {
        let id = visible(&self.id);
        match &self.problem {
            Some(problem) => print_error(&format!("mmd-elevate: {id}: {problem}\n")),
            None if self.outcome == WriteOutcome::NotDone => {
                output.message(&format!("nothing was sent: without --dry-run, {id} is closed"));
            }
            None if !self.is_verified && output.form != OutputForm::Human => {
                output.message(&format!("{id}: the close was accepted, and no list shows it as closed by it"));
            }
            None => {}
        }
    }
}
