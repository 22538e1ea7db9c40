//! `mmd-elevate create --from`: opens a request for each line, several at once, in one process.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, stdin},
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread, vec,
};

use color_eyre::eyre;
use futures_util::{StreamExt as _, stream::FuturesOrdered};
use mmd_elevate_core::{Draft, Field, NewElevationRequest, Patterns, Problem, Progress, normal_device_name, visible};
use serde::Deserialize;
use tokio::sync::{
    Notify,
    mpsc::{Receiver, channel},
};

use super::{create, option, tell, warn_of_device};
use crate::{
    cli::{CreateArgs, Flags},
    commands::{
        tenant::{self, CommandSettings, Leftovers, OpenTenant},
        untold::Untold,
        write_result::WriteResult,
    },
    exit::{CommandProblem, Exit, ProblemCode},
    json,
    output::{Output, OutputForm, print_error, print_outcome, print_result, warn},
};

/// How many lines are under way at once.
const AT_ONCE: usize = 16;

/// How many mistakes of a file are told.
const MOST_PROBLEMS: usize = 20;

/// Opens a request for each line.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub(super) fn run(args: &CreateArgs, flags: &Flags, output: Output, from: &Path) -> eyre::Result<ExitCode> {
    let settings = match CommandSettings::load(flags, output).and_then(CommandSettings::refuse_read_only) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    let lines = match Lines::open(from) {
        Ok(lines) => lines,
        Err(problems) => {
            problems.iter().for_each(warn);
            return Ok(Exit::Usage.into());
        }
    };
    let patterns = settings.patterns.clone();
    tenant::run(async {
        let tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let code = create_all(&tenant, lines, args, &patterns, output).await;
        tenant.end().await;
        code
    })
}

/// Opens the lines, several at once, and prints what came of each in their order.
///
/// Lines are begun in their order, and may be sent in another. A line waits for those of the same device, because it must see what
/// they have opened, and for all of them as long as one has to be looked for or sent again: what is wrong with that one may be
/// wrong with the next.
async fn create_all(
    tenant: &OpenTenant,
    mut lines: Lines,
    args: &CreateArgs,
    patterns: &Patterns,
    output: Output,
) -> ExitCode {
    let held_up = HeldUp::default();
    // Those of `devices` are of the lines that are under way or not printed yet.
    let (mut under_way, mut devices) = (FuturesOrdered::new(), VecDeque::new());
    let (mut next, mut is_at_end) = (None, false);
    let (mut ends, mut is_taken) = (Vec::new(), true);
    loop {
        let may_begin = devices.len() < AT_ONCE && held_up.lines.load(Ordering::Relaxed) == 0;
        let is_free = |line: &Line| device(line).is_none_or(|device| !devices.contains(&Some(device)));
        if let Some(line) = next.take_if(|line| may_begin && is_free(line)) {
            devices.push_back(device(&line));
            under_way.push_back(create_one(tenant, line, args, patterns, &held_up));
        }
        tokio::select! {
            biased;
            line = lines.next(), if next.is_none() && !is_at_end => match line {
                Some(line) => next = Some(line),
                None => is_at_end = true,
            },
            () = held_up.released.notified(), if next.is_some() => {}
            Some(ended) = under_way.next() => {
                devices.pop_front();
                ends.push(ended.result.exit);
                let text = ended.tell(output);
                if is_taken && print_outcome(&text, ExitCode::SUCCESS, &ended.result.summary()) != ExitCode::SUCCESS {
                    is_taken = false;
                }
            }
            else => break,
        }
    }
    if is_taken { print_result("", Exit::of_several(&ends).into()) } else { Exit::Failed.into() }
}

/// Returns the device of a line, as names of devices are compared.
fn device(line: &Line) -> Option<String> {
    line.as_ref().ok().map(|new| normal_device_name(new.get(Field::Device)))
}

/// What came of a line.
struct EndedLine {
    line: Line,
    result: WriteResult,
    /// Until it is printed.
    _untold: Untold,
}

impl EndedLine {
    /// Tells what is wrong, and returns the result for standard output.
    fn tell(&self, output: Output) -> String {
        let Self { line, result, .. } = self;
        let plain = match line {
            Ok(new) => {
                tell(output, result, new);
                result.line(new)
            }
            Err(problem) => {
                print_error(&format!("mmd-elevate: {problem}\n"));
                result.line_of("", "", "")
            }
        };
        if output.form == OutputForm::Json { json::line(&result.json()) } else { plain }
    }
}

/// The lines that have to be looked for, sent again, or whose device is listed again.
#[derive(Default)]
struct HeldUp {
    lines: AtomicUsize,
    /// Told each time that one is not any more.
    released: Notify,
}

/// Opens the request of a line.
async fn create_one(
    tenant: &OpenTenant,
    line: Line,
    args: &CreateArgs,
    patterns: &Patterns,
    held_up: &HeldUp,
) -> EndedLine {
    let name = line.as_ref().map(|new| format!("{}: ", visible(new.get(Field::Ticket)))).unwrap_or_default();
    let (untold, mut is_held_up) = (Untold::new(name), false);
    let result = match &line {
        Ok(new) => {
            warn_of_device(new, patterns);
            let mut on_step = |step: &Progress| {
                let holds_up = matches!(step, Progress::Waiting { .. } | Progress::Looking(_) | Progress::LookingFirst);
                if holds_up && !is_held_up {
                    is_held_up = true;
                    held_up.lines.fetch_add(1, Ordering::Relaxed);
                }
            };
            create(tenant, new, args, &untold, &mut on_step).await
        }
        Err(Problem { what, hint }) => {
            let problem = CommandProblem::new(ProblemCode::Refused, what, hint);
            WriteResult { exit: Exit::Usage, ..WriteResult::not_done(problem) }
        }
    };
    if is_held_up {
        held_up.lines.fetch_sub(1, Ordering::Relaxed);
        held_up.released.notify_one();
    }
    EndedLine { line, result, _untold: untold }
}

/// A line to open, or why it cannot be read.
type Line = Result<NewElevationRequest, Problem>;

/// Where the lines come from.
enum Lines {
    /// A file, all of whose lines were checked.
    File(vec::IntoIter<NewElevationRequest>),
    /// Standard input, which is read as it comes.
    Input(Receiver<Line>),
}

impl Lines {
    /// Opens a file and checks all of its lines, or begins to read standard input.
    fn open(from: &Path) -> Result<Self, Vec<Problem>> {
        if from == Path::new("-") {
            let (sender, lines) = channel(1);
            let read = move || {
                for line in parse_lines(BufReader::new(stdin())) {
                    if sender.blocking_send(line).is_err() {
                        break;
                    }
                }
            };
            let started = thread::Builder::new().name("lines".to_owned()).spawn(read);
            let failed = |error| Problem::new(format!("failed to read standard input: {error}"), "give --from a file");
            return started.map(|_| Self::Input(lines)).map_err(|error| vec![failed(error)]);
        }
        let file = File::open(from).map_err(|error| {
            let what = format!("--from {}: it cannot be read: {error}", visible(&from.to_string_lossy()));
            vec![Problem::new(what, "check the path")]
        })?;
        let mut lines = Vec::new();
        let mut problems = Vec::new();
        for line in parse_lines(BufReader::new(file)) {
            match line {
                Ok(new) => lines.push(new),
                Err(problem) if problems.len() < MOST_PROBLEMS => problems.push(problem),
                Err(_) => break,
            }
        }
        if problems.is_empty() { Ok(Self::File(lines.into_iter())) } else { Err(problems) }
    }

    /// Returns the next line, `None` after the last.
    async fn next(&mut self) -> Option<Line> {
        match self {
            Self::File(lines) => lines.next().map(Ok),
            Self::Input(lines) => lines.recv().await,
        }
    }
}

/// Parses the lines that are not blank.
fn parse_lines(input: impl BufRead) -> impl Iterator<Item = Line> {
    let mut has_failed = false;
    let readable = input.lines().take_while(move |line| {
        // Behind an error of the disk nothing comes but the same error.
        let is_behind = has_failed;
        has_failed = line.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::InvalidData);
        !is_behind
    });
    let numbered = readable.enumerate().map(|(at, line)| (at + 1, line));
    let filled = numbered.filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    filled.map(|(number, line)| {
        let line = line.map_err(|error| {
            let is_encoding = error.kind() == io::ErrorKind::InvalidData;
            let hint = if is_encoding { "save it as UTF-8" } else { "check what is read" };
            Problem::new(format!("line {number}: it cannot be read: {error}"), hint)
        });
        line.and_then(|line| parse_line(number, &line))
    })
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

fn parse_line(number: usize, line: &str) -> Line {
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
