//! `mmd-elevate create`: opens a request, as safely as the dashboard does. It is recorded before it is sent, its device is
//! listed first, and nothing is sent twice by itself.

use std::{
    fs::File,
    io::{BufRead, BufReader, stdin},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use color_eyre::eyre;
use mmd_elevate_core::{
    Call, CallError, CallResult, DeviceNameWarning, Draft, ElevationRequest, Field, Gaps, MatchResult,
    NewElevationRequest, Operation, Patterns, Problem, Progress, WriteId, are_equivalent, visible,
};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
    texts::{edit_draft, read_argument, read_file, refuse_blanks, use_template},
    write_result::{WriteOutcome, WriteResult},
};
use crate::{
    cli::{CreateArgs, Flags},
    exit::{CommandProblem, Exit, ProblemCode},
    json,
    output::{Output, OutputForm, fail, print_error, print_outcome, print_result, warn},
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
        return run_lines(args, flags, output, from);
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
        let mut tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return print_refused(output, problem),
        };
        let result = create(&mut tenant, &new, args).await;
        tell(output, &result, &new);
        let code = print_outcome(&result.render(output.form, &new), result.exit.into(), &result.summary());
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

/// Opens a request.
async fn create(tenant: &mut OpenTenant, new: &NewElevationRequest, args: &CreateArgs) -> WriteResult {
    let began = Instant::now();
    if !args.again {
        match equal_unknown(tenant, new).await {
            Ok(None) => {}
            Ok(Some(WriteId(id))) => {
                let hint = format!("mmd-elevate resolve {id} looks for it; --again sends another one all the same");
                let what = format!("nothing was sent: it is unknown whether the same was opened before (intent {id})");
                let problem = CommandProblem::new(ProblemCode::Refused, what, hint);
                return WriteResult::unknown(Some(WriteId(id)), problem);
            }
            Err(problem) => return WriteResult::not_done(problem),
        }
    }
    if !args.allow_open
        && let Some(problem) = open_on_device(tenant, new.get(Field::Device)).await
    {
        return WriteResult::not_done(problem);
    }
    if args.dry_run {
        return WriteResult { outcome: WriteOutcome::NotDone, ..WriteResult::done(None, None) };
    }
    let mut intent = None;
    let sent = tenant.call(Call::Send(Operation::Create(new.clone())), |progress| {
        if let Progress::Recorded(id) = progress {
            intent = Some(id);
        }
    });
    let mut result = interpret(sent.await, &mut intent);
    if let (Some(seconds), Some(write)) = (args.wait, intent) {
        let until = began + Duration::from_secs(seconds);
        while result.outcome == WriteOutcome::Unknown
            && let Ok(looked) = timeout_at(until, tenant.call(Call::Look(write), |_| ())).await
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

/// Returns an equal create of unknown outcome.
async fn equal_unknown(tenant: &OpenTenant, new: &NewElevationRequest) -> Result<Option<WriteId>, CommandProblem> {
    let has_equal = tenant.record.unclaimed_creates().await?.iter().any(|other| are_equivalent(&other.request, new));
    if !has_equal {
        return Ok(None);
    }
    let unresolved = tenant.record.unresolved().await?;
    let equal = unresolved
        .into_iter()
        .find(|write| matches!(&write.operation, Operation::Create(other) if are_equivalent(other, new)));
    Ok(equal.map(|write| write.id))
}

/// Returns the problem of a device that has open requests. Where that cannot be found out, it is told and keeps nothing from
/// being sent.
async fn open_on_device(tenant: &mut OpenTenant, device: &str) -> Option<CommandProblem> {
    let unchecked = |why: &str| {
        let what = format!("what is open on {} was not checked: {why}", visible(device));
        warn(&Problem::new(what, "it may have open requests; the service refuses too many"));
        None
    };
    let (listed, gaps) = match tenant.list_device(device).await {
        Some(Ok(listed)) => listed,
        // The create says so too.
        Some(Err(error)) if CommandProblem::from(&error).code == ProblemCode::SignedOut => return None,
        Some(Err(error)) => return unchecked(&error.what()),
        None => return unchecked("the service has not listed it in time"),
    };
    let name = |text: &str| text.trim().to_lowercase();
    let open: Vec<_> = (listed.iter())
        .filter(|request| request.closed.is_none() && name(request.device.raw()) == name(device))
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
fn interpret(sent: Result<CallResult, CallError>, intent: &mut Option<WriteId>) -> WriteResult {
    match sent {
        Ok(CallResult::Created { request, surplus }) => {
            WriteResult { surplus, ..WriteResult::done(*intent, Some(request)) }
        }
        Ok(CallResult::Looked { seen, error, .. }) => not_found(*intent, seen, &error),
        Ok(_) => WriteResult::unknown(*intent, with_way_out(CallError::crashed().into(), *intent)),
        Err(error) if error.may_have_happened() => WriteResult::unknown(*intent, with_way_out(error.into(), *intent)),
        Err(error) => WriteResult { intent: *intent, ..WriteResult::not_done(error.into()) },
    }
}

/// Returns what came of looking for a create.
pub(super) fn interpret_look(looked: Result<CallResult, CallError>, write: WriteId) -> WriteResult {
    match looked {
        // The outcome is unknown, whatever the error of the look-up.
        Err(error) => WriteResult::unknown(Some(write), with_way_out(error.into(), Some(write))),
        looked => interpret(looked, &mut Some(write)),
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

/// A line of `--from`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputLine {
    #[serde(rename = "partnerTicketId", alias = "ticket")]
    ticket: String,
    #[serde(rename = "deviceName", alias = "device")]
    device: String,
    title: String,
    category: String,
    subcategory: String,
    #[serde(rename = "planOfAction", alias = "plan")]
    plan: String,
}

fn parse_line(number: usize, line: &str) -> Result<NewElevationRequest, Problem> {
    let hint = "a line is an object with ticket, device, title, category, subcategory and plan";
    let failed = |why: &str| Problem::new(format!("line {number}: {}", visible(why)), hint);
    let InputLine { ticket, device, title, category, subcategory, plan } =
        serde_json::from_str(line).map_err(|error| failed(&error.to_string()))?;
    let mut draft = Draft::default();
    for (field, text) in Field::ALL.into_iter().zip([ticket, device, title, category, subcategory, plan]) {
        draft.set(field, text);
    }
    draft.validate().map_err(|problems| {
        let empty: Vec<_> = problems.iter().map(|problem| option(problem.field).trim_start_matches("--")).collect();
        failed(&format!("nothing was sent: {} is empty", empty.join(", ")))
    })
}

/// The lines to open, with their numbers. A line that cannot be read has its problem.
type Lines = Box<dyn Iterator<Item = (usize, Result<NewElevationRequest, Problem>)>>;

fn parse_lines(input: impl BufRead + 'static) -> Lines {
    let numbered = input.lines().enumerate().map(|(at, line)| (at + 1, line));
    let filled = numbered.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    Box::new(filled.map(|(number, line)| {
        let unreadable = |error| Problem::new(format!("line {number}: it cannot be read: {error}"), "save it as UTF-8");
        (number, line.map_err(unreadable).and_then(|line| parse_line(number, &line)))
    }))
}

/// Opens the lines of a file, all of which are checked first, or those of standard input as they come.
fn open_lines(from: &Path) -> Result<Lines, Vec<Problem>> {
    if from == Path::new("-") {
        return Ok(parse_lines(BufReader::new(stdin())));
    }
    let file = File::open(from).map_err(|error| {
        let what = format!("--from {}: it cannot be read: {error}", visible(&from.to_string_lossy()));
        vec![Problem::new(what, "check the path")]
    })?;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in parse_lines(BufReader::new(file)) {
        match line {
            Ok(new) => lines.push((number, Ok(new))),
            // An error of the disk would come again and again.
            Err(problem) if problems.len() < 20 => problems.push(problem),
            Err(_) => break,
        }
    }
    if problems.is_empty() { Ok(Box::new(lines.into_iter())) } else { Err(problems) }
}

/// Opens a request for each line, in one process.
fn run_lines(args: &CreateArgs, flags: &Flags, output: Output, from: &Path) -> eyre::Result<ExitCode> {
    let settings = match CommandSettings::load(flags, output).and_then(CommandSettings::refuse_read_only) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    let lines = match open_lines(from) {
        Ok(lines) => lines,
        Err(problems) => {
            problems.iter().for_each(warn);
            return Ok(Exit::Usage.into());
        }
    };
    let patterns = settings.patterns.clone();
    tenant::run(async {
        let mut tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let mut ends = Vec::new();
        let mut is_taken = true;
        for (_, line) in lines {
            let (text, result) = match &line {
                Ok(new) => {
                    warn_of_device(new, &patterns);
                    let result = create(&mut tenant, new, args).await;
                    tell(output, &result, new);
                    (result.line(new), result)
                }
                Err(Problem { what, hint }) => {
                    let problem = CommandProblem::new(ProblemCode::Refused, what, hint);
                    print_error(&format!("mmd-elevate: {problem}\n"));
                    let result = WriteResult { exit: Exit::Usage, ..WriteResult::not_done(problem) };
                    (result.line_of("", "", ""), result)
                }
            };
            ends.push(result.exit);
            let text = if output.form == OutputForm::Json { json::line(&result.json()) } else { text };
            if is_taken && print_outcome(&text, ExitCode::SUCCESS, &result.summary()) != ExitCode::SUCCESS {
                is_taken = false;
            }
        }
        tenant.end().await;
        if is_taken { print_result("", Exit::of_several(&ends).into()) } else { Exit::Failed.into() }
    })
}
