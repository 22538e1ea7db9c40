//! `mmd-elevate resolve`: looks for writes of unknown outcome. What it finds is settled in the record; what it does not find stays
//! unknown.

use std::process::ExitCode;

use color_eyre::eyre;
use mmd_elevate_core::{
    Call, CallError, CallResult, CloseElevationRequest, ErrorCode, Field, Operation, Problem, Progress, ReadBack,
    WriteId, WriteRecord, WriteState, visible,
};
use serde_json::json;

use super::{
    create::interpret_look,
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
    untold::Untold,
    write_result::{SCHEMA, WriteOutcome, WriteResult},
};
use crate::{
    cli::{Flags, ResolveArgs},
    exit::{CommandProblem, Exit, ProblemCode},
    json,
    output::{Output, OutputForm, fail, print_error, print_outcome},
};

/// Looks for writes of unknown outcome.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &ResolveArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    let settings = match CommandSettings::load(flags, output).and_then(CommandSettings::refuse_read_only) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    tenant::run(async {
        let tenant = match OpenTenant::open(settings, Leftovers::TakeOver, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let unresolved = match unresolved(&tenant, args.intent).await {
            Ok(Ok(unresolved)) => unresolved,
            Ok(Err(problem)) => return fail(Exit::Usage, &problem),
            Err(problem) => return tenant::fail(&problem),
        };
        if unresolved.is_empty() {
            output.message("there is nothing whose outcome is unknown");
        }
        let (mut results, mut unprinted) = (Vec::new(), Vec::new());
        for write in unresolved {
            let untold = Untold::new(String::new());
            let result = look_for(&tenant, &write, &untold).await;
            untold.has_ended(&result.summary(), result.unknown_intent());
            if let Some(problem) = &result.problem {
                print_error(&format!("mmd-elevate: intent {}: {problem}\n", write.id.0));
            }
            results.push((write, result));
            unprinted.push(untold);
        }
        let exit = Exit::of_several(&results.iter().map(|(_, result)| result.exit).collect::<Vec<_>>());
        let text = match output.form {
            OutputForm::Json => {
                let results: Vec<_> = results.iter().map(|(_, result)| result.fields()).collect();
                json::document(&json!({ "schema": SCHEMA, "results": results }))
            }
            OutputForm::Plain => results.iter().map(|(write, result)| line(write, result)).collect(),
            OutputForm::Human => results.iter().map(|(write, result)| sentence(write, result)).collect(),
        };
        let summary: Vec<_> = results.iter().map(|(_, result)| result.summary()).collect();
        let code = print_outcome(&text, exit.into(), &summary.join("; "));
        drop(unprinted);
        tenant.end().await;
        code
    })
}

/// Returns the writes to look for: all, or the one that is asked for, whatever became of it.
async fn unresolved(
    tenant: &OpenTenant,
    intent: Option<i64>,
) -> Result<Result<Vec<WriteRecord>, Problem>, CommandProblem> {
    let Some(id) = intent else { return Ok(Ok(tenant.record.unresolved().await?)) };
    Ok(match tenant.record.write(WriteId(id)).await? {
        Some(write) => Ok(vec![write]),
        None => Err(Problem::new(
            format!("the record has no intent {id} for this tenant"),
            "check the number and the tenant; mmd-elevate resolve without a number looks for all that is unknown",
        )),
    })
}

/// Looks for a write.
async fn look_for(tenant: &OpenTenant, write: &WriteRecord, untold: &Untold) -> WriteResult {
    let id = write.id;
    let settled = match write.state {
        WriteState::Done => Some(WriteResult::done(Some(id), None)),
        WriteState::NotDone => Some(WriteResult {
            intent: Some(id),
            ..WriteResult::not_done(settled("it was not done, as the record has it"))
        }),
        WriteState::SetAside => {
            Some(WriteResult::unknown(Some(id), settled("it was set aside: nobody looks for it any more")))
        }
        WriteState::Intended | WriteState::Sending | WriteState::Waiting | WriteState::Unknown => None,
    };
    if let Some(settled) = settled {
        return with_known_request(tenant, write, settled);
    }
    if !tenant.recovered.unresolved.iter().any(|own| own.id == id) {
        let what = "it belongs to another process that is still running";
        let problem = CommandProblem::new(ProblemCode::Refused, what, "settle it there, or end that process first");
        return WriteResult::unknown(Some(id), problem);
    }
    let mut closed_by = None;
    let mut on_step = |step| {
        if let Progress::ClosedBy(request) = step {
            closed_by = Some(request);
        }
    };
    let looked = tenant.call(untold, Call::Look(id), &mut on_step).await;
    match &write.operation {
        Operation::Create(_) => interpret_look(looked, id),
        Operation::Close(_) => {
            let mut result = interpret_close(looked, id);
            result.request = result.request.or(closed_by);
            with_known_request(tenant, write, result)
        }
    }
}

/// Makes the problem of a write that the record has as settled.
fn settled(what: &str) -> CommandProblem {
    CommandProblem::new(ProblemCode::Refused, what, "nothing is left to look for")
}

/// Adds what the record knows of the request of a close.
fn with_known_request(tenant: &OpenTenant, write: &WriteRecord, mut result: WriteResult) -> WriteResult {
    if let (Operation::Close(CloseElevationRequest { id, .. }), None) = (&write.operation, &result.request) {
        result.request = tenant.known().find(|request| request.id == *id).cloned().map(Box::new);
        result.is_closed |= tenant.recovered.closed.iter().any(|ended| ended.request.id == *id);
    }
    result
}

fn interpret_close(looked: Result<CallResult, CallError>, id: WriteId) -> WriteResult {
    match looked {
        Ok(CallResult::Closed(
            ReadBack::Verified(request) | ReadBack::StoredDifferently(request) | ReadBack::PerhapsOurs(request),
        )) => WriteResult { is_closed: true, ..WriteResult::done(Some(id), Some(request)) },
        Ok(CallResult::Closed(ReadBack::NotYetVisible)) => WriteResult::done(Some(id), None),
        Ok(CallResult::StillOpen(request)) => {
            let (what, hint) = ("it was not closed: the request is still open", "close it again");
            let problem = CommandProblem::new(ProblemCode::Unreachable, what, hint);
            WriteResult { intent: Some(id), request: Some(request), ..WriteResult::not_done(problem) }
        }
        Err(error) if error.code == Some(ErrorCode::AlreadyClosed) => {
            let mut problem = CommandProblem::from(error);
            problem.may_have_happened = false;
            WriteResult { intent: Some(id), is_closed: true, ..WriteResult::not_done(problem) }
        }
        looked => {
            let error = looked.err().unwrap_or_else(CallError::crashed);
            let mut problem = CommandProblem::from(error);
            problem.problem = Problem::new(problem.problem.what, "closing it again is harmless");
            WriteResult::unknown(Some(id), problem)
        }
    }
}

fn line(write: &WriteRecord, result: &WriteResult) -> String {
    match &write.operation {
        Operation::Create(new) => result.line(new),
        Operation::Close(CloseElevationRequest { device, .. }) => {
            let text = |field| result.request.as_ref().map_or("", |request| request.text(field).raw());
            result.line_of(text(Field::Ticket), device.raw(), text(Field::Title))
        }
    }
}

fn sentence(write: &WriteRecord, result: &WriteResult) -> String {
    let name = match &write.operation {
        Operation::Create(new) => format!("opening {} on {}", new.get(Field::Title), new.get(Field::Device)),
        Operation::Close(CloseElevationRequest { id, .. }) => format!("closing {}", id.raw()),
    };
    let outcome = match result.outcome {
        WriteOutcome::Done => "done",
        WriteOutcome::NotDone => "not done",
        WriteOutcome::Unknown => "still unknown",
    };
    let request = result.request.as_ref().filter(|_| matches!(write.operation, Operation::Create(_)));
    let request = request.map_or_else(String::new, |request| format!(", request {}", request.id.text().visible()));
    format!("Intent {}, {}: {outcome}{request}\n", write.id.0, visible(&name))
}
