//! `mmd-elevate create`: opens a request, as safely as the dashboard does. It is recorded before it is sent, its device is
//! listed first, and nothing is sent twice by itself. `lines` opens one for each line of a file.

mod lines;

use std::{process::ExitCode, time::Duration};

use color_eyre::eyre;
use mmd_elevate_core::{
    Call, CallError, CallResult, DeviceNameWarning, Draft, ElevationRequest, ErrorCode, Field, Gaps, MatchResult,
    NewElevationRequest, Operation, Patterns, Problem, Progress, WriteId, normal_device_name, visible,
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
    texts::{edit_draft, read_argument, read_file, refuse_blanks, use_template},
    untold::Untold,
    write_result::{WriteOutcome, WriteResult},
};
use crate::{
    cli::{CreateArgs, Flags},
    exit::{CommandProblem, Exit, ProblemCode},
    json,
    output::{Output, OutputForm, fail, print_error, print_outcome, warn},
};

/// The pause between two look-ups while the agent waits.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How many open requests are named.
const NAMED: usize = 3;

/// Opens a request, or one for each line.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &CreateArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    if let Some(from) = &args.from {
        return lines::run(args, flags, output, from);
    }
    let settings = match CommandSettings::load(flags, output).and_then(CommandSettings::refuse_read_only) {
        Ok(settings) => settings,
        Err(problem) => return Ok(print_refused(output, problem)),
    };
    let new = match read_draft(args, &settings).and_then(|draft| validate(&draft)) {
        Ok(new) => new,
        Err(problem) => return Ok(fail(Exit::Usage, &problem)),
    };
    warn_of_device(&new, &settings.patterns);
    tenant::run(async {
        let tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return print_refused(output, problem),
        };
        let untold = Untold::new(String::new());
        let result = create(&tenant, &new, args, &untold, &mut |_| ()).await;
        tell(output, &result, &new);
        let code = print_outcome(&result.render(output.form, &new), result.exit.into(), &result.summary());
        drop(untold);
        tenant.end().await;
        code
    })
}

/// Prints that nothing could be sent.
fn print_refused(output: Output, problem: CommandProblem) -> ExitCode {
    print_error(&format!("mmd-elevate: {problem}\n"));
    let result = WriteResult::not_done(problem);
    match output.form {
        OutputForm::Json => print_outcome(&json::document(&result.json()), result.exit.into(), &result.summary()),
        OutputForm::Plain | OutputForm::Human => result.exit.into(),
    }
}

/// Collects the texts of the command line.
fn read_draft(args: &CreateArgs, settings: &CommandSettings) -> Result<Draft, Problem> {
    let mut draft = Draft::default();
    for (field, text) in [
        (Field::Ticket, &args.ticket),
        (Field::Device, &args.device),
        (Field::Title, &args.title),
        (Field::Category, &args.category),
        (Field::Subcategory, &args.subcategory),
    ] {
        draft.set(field, text.as_deref().unwrap_or_default());
    }
    if let Some(given) = &args.plan {
        draft.set(Field::PlanOfAction, read_argument("--plan", given)?);
    } else if let Some(path) = &args.plan_file {
        draft.set(Field::PlanOfAction, read_file("--plan-file", path)?);
    } else if let Some(name) = &args.template {
        use_template(&mut draft, name, &settings.templates)?;
    }
    if args.editor {
        draft = edit_draft(&draft)?;
    }
    if let Some(name) = &args.template {
        refuse_blanks(name, draft.get(Field::PlanOfAction))?;
    }
    Ok(draft)
}

/// Returns the option of a field.
const fn option(field: Field) -> &'static str {
    match field {
        Field::Ticket => "--ticket",
        Field::Device => "--device",
        Field::Title => "--title",
        Field::Category => "--category",
        Field::Subcategory => "--subcategory",
        Field::PlanOfAction => "--plan",
    }
}

fn validate(draft: &Draft) -> Result<NewElevationRequest, Problem> {
    draft.validate().map_err(|problems| {
        let missing: Vec<_> = problems.iter().map(|problem| option(problem.field)).collect();
        let (is, each) = if missing.len() == 1 { ("is", "it") } else { ("are", "each of them") };
        let what = format!("nothing was sent: {} {is} missing or empty", missing.join(", "));
        Problem::new(what, format!("give {each} a text, or add --editor to fill in a form"))
    })
}

/// Tells what may be wrong with the name of the device. It keeps nothing from being sent.
fn warn_of_device(new: &NewElevationRequest, patterns: &Patterns) {
    let device = new.get(Field::Device);
    if let Some(warning) = DeviceNameWarning::check(device, new.get(Field::Ticket), patterns) {
        let what = format!("the device {} may not be the one that is meant: {warning}", visible(device));
        warn(&Problem::new(what, "the service decides; check the name if it refuses"));
    }
}

/// Opens a request. What happens meanwhile is told, and passed to `on_step`.
async fn create(
    tenant: &OpenTenant,
    new: &NewElevationRequest,
    args: &CreateArgs,
    untold: &Untold,
    on_step: &mut (dyn FnMut(&Progress) + Send),
) -> WriteResult {
    let result = check_and_send(tenant, new, args, untold, on_step).await;
    untold.has_ended(&result.summary(), result.unknown_intent());
    result
}

async fn check_and_send(
    tenant: &OpenTenant,
    new: &NewElevationRequest,
    args: &CreateArgs,
    untold: &Untold,
    on_step: &mut (dyn FnMut(&Progress) + Send),
) -> WriteResult {
    let began = Instant::now();
    // What is sent is checked with the record again. This comes before the list of the device, which may hold that other one.
    if !args.again && (args.dry_run || !args.allow_open) {
        match tenant.record.unknown_create(new).await {
            Ok(None) => {}
            Ok(Some(write)) => return equals_unknown(write),
            Err(error) => return WriteResult::not_done(error.into()),
        }
    }
    if !args.allow_open
        && let Some(problem) = open_on_device(tenant, new.get(Field::Device), untold, on_step).await
    {
        return WriteResult::not_done(problem);
    }
    if args.dry_run {
        return WriteResult { outcome: WriteOutcome::NotDone, ..WriteResult::done(None, None) };
    }
    let call =
        if args.again { Call::Send(Operation::Create(new.clone())) } else { Call::SendUnlessUnknown(new.clone()) };
    let sent = tenant.call(untold, call, &mut |step| on_step(&step)).await;
    let intent = untold.number().get();
    let mut result = interpret(sent, intent);
    if let (Some(seconds), Some(write)) = (args.wait, intent) {
        let until = began + Duration::from_secs(seconds);
        while result.outcome == WriteOutcome::Unknown
            && let Ok(looked) = timeout_at(until, tenant.call(untold, Call::Look(write), &mut drop)).await
        {
            let has_failed = looked.is_err();
            result = interpret_look(looked, write);
            if has_failed && timeout_at(until, sleep(LOOK_AGAIN)).await.is_err() {
                break;
            }
        }
    }
    result
}

/// Returns what came of a create that was not sent, because it equals this one of unknown outcome.
fn equals_unknown(WriteId(id): WriteId) -> WriteResult {
    let hint = format!("mmd-elevate resolve {id} looks for it; --again sends another one all the same");
    let what = format!("nothing was sent: it is unknown whether the same was opened before (intent {id})");
    WriteResult::unknown(Some(WriteId(id)), CommandProblem::new(ProblemCode::Refused, what, hint))
}

/// Returns the problem of a device that has open requests. Where that cannot be found out, it is told and keeps nothing from
/// being sent.
async fn open_on_device(
    tenant: &OpenTenant,
    device: &str,
    untold: &Untold,
    on_step: &mut (dyn FnMut(&Progress) + Send),
) -> Option<CommandProblem> {
    let unchecked = |why: &str| {
        let what = format!("what is open on {} was not checked: {why}", visible(device));
        warn(&Problem::new(what, "it may have open requests; the service refuses too many"));
        None
    };
    let (listed, gaps) = match tenant.list_device(device, untold, on_step).await {
        Some(Ok(listed)) => listed,
        // The create says so too.
        Some(Err(error)) if CommandProblem::from(&error).code == ProblemCode::SignedOut => return None,
        Some(Err(error)) => return unchecked(&error.what()),
        None => return unchecked("the service has not listed it in time"),
    };
    let name = normal_device_name(device);
    let open: Vec<_> = (listed.iter())
        .filter(|request| request.closed.is_none() && normal_device_name(request.device.raw()) == name)
        .collect();
    if open.is_empty() {
        return if Gaps::is_empty(&gaps) { None } else { unchecked(&gaps.describe()) };
    }
    let one = |request: &&ElevationRequest| {
        format!("{} by {} ({})", request.ticket.visible(), request.requested_by.visible(), request.id.text().visible())
    };
    let mut named: Vec<_> = open.iter().take(NAMED).map(one).collect();
    if open.len() > NAMED {
        named.push(format!("{} more", open.len() - NAMED));
    }
    let what = format!("nothing was sent: {} open on {}: {}", open.len(), visible(device), named.join(", "));
    let hint = "close what is open there, or add --allow-open to open another one";
    Some(CommandProblem::new(ProblemCode::OpenOnDevice, what, hint))
}

/// Returns what came of a create.
fn interpret(sent: Result<CallResult, CallError>, intent: Option<WriteId>) -> WriteResult {
    match sent {
        Ok(CallResult::Created { request, surplus }) => {
            WriteResult { surplus, ..WriteResult::done(intent, Some(request)) }
        }
        Ok(CallResult::Looked { seen, error, .. }) => not_found(intent, seen, &error),
        Ok(_) => WriteResult::unknown(intent, with_way_out(CallError::crashed().into(), intent)),
        Err(CallError { code: Some(ErrorCode::EqualsUnknown(write)), .. }) => equals_unknown(write),
        Err(error) if error.may_have_happened() => WriteResult::unknown(intent, with_way_out(error.into(), intent)),
        Err(error) => WriteResult { intent, ..WriteResult::not_done(error.into()) },
    }
}

/// Returns what came of looking for a create.
pub(super) fn interpret_look(looked: Result<CallResult, CallError>, write: WriteId) -> WriteResult {
    match looked {
        // The outcome is unknown, whatever the error of the look-up.
        Err(error) => WriteResult::unknown(Some(write), with_way_out(error.into(), Some(write))),
        looked => interpret(looked, Some(write)),
    }
}

fn not_found(intent: Option<WriteId>, seen: MatchResult, error: &CallError) -> WriteResult {
    let mut problem = with_way_out(error.into(), intent);
    let mut surplus = Vec::new();
    let seen = match seen {
        MatchResult::Possible(possible) => {
            surplus = possible;
            format!("{} listed may be it", surplus.len())
        }
        MatchResult::NotSeen => "it is not listed so far".to_owned(),
        MatchResult::Unclear(gaps) => gaps.describe(),
        MatchResult::Found { .. } => String::new(),
    };
    problem.problem.what = format!("it is unknown whether it was opened: {} Looked for: {seen}", problem.problem.what);
    WriteResult { surplus, ..WriteResult::unknown(intent, problem) }
}

fn with_way_out(mut problem: CommandProblem, intent: Option<WriteId>) -> CommandProblem {
    if let Some(WriteId(id)) = intent {
        problem.problem.hint = format!("mmd-elevate resolve {id} looks for it again; do not send it a second time");
    }
    problem
}

/// Tells what is beside the result.
fn tell(output: Output, result: &WriteResult, new: &NewElevationRequest) {
    if let Some(problem) = &result.problem {
        print_error(&format!("mmd-elevate: {problem}\n"));
    } else if result.outcome == WriteOutcome::NotDone {
        let (title, device) = (visible(new.get(Field::Title)), visible(new.get(Field::Device)));
        output.message(&format!("nothing was sent: without --dry-run, \"{title}\" is opened on {device}"));
    }
    if !result.surplus.is_empty() {
        let ids: Vec<_> = result.surplus.iter().map(|request| request.id.text().visible()).collect();
        let what = format!("{} equal what was sent: {}", result.surplus.len(), ids.join(", "));
        warn(&Problem::new(what, "close what is too much, because it counts against the device's limit"));
    }
}
