//! `mmd-elevate report`: the report of a shift, made of the record alone. It contacts no service and changes no row.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use color_eyre::eyre;
use jiff::{Timestamp, tz::TimeZone};
use mmd_elevate_core::{
    ElevationRequest, NewElevationRequest, Operation, Problem, Recovered, RequestId, Untrusted, WriteRecord,
    WriteState, visible,
};
use mmd_elevate_engine::{
    record::{Record, RecordError, Unclaimed},
    redact::redact,
};

use super::tenant::{self, CommandSettings};
use crate::{
    cli::{Flags, ReportArgs, Since},
    config::{self, variable},
    exit::{CommandProblem, Exit},
    output::{Output, OutputForm, fail, print_result},
    report::{Format, Reason, Report, ReportEntry, State},
};

/// What the report may lack.
const NOTE: &str = "Made of the record alone: what was changed elsewhere since the last look is not in it";

/// Prints the report, or writes it to a file, and returns the exit code.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &ReportArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    let settings = match CommandSettings::load(flags, output) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    let format = match (args.format, output.form) {
        (Some(format), _) => format.into(),
        (None, OutputForm::Json) => Format::Json,
        (None, OutputForm::Human | OutputForm::Plain) => Format::Markdown,
    };
    let now = Timestamp::now();
    let since = match args.since {
        Since::Period(period) => period.since(now, &TimeZone::system()),
        Since::Date(date) => date.to_zoned(TimeZone::system()).ok().map(|day| day.timestamp()),
    };
    tenant::run(async move {
        let report = match read(&settings, since, now).await {
            Ok(report) => report,
            Err(problem) => return tenant::fail(&problem),
        };
        let text = report.render(format);
        let text = redact(&text);
        match &args.output {
            Some(path) => write(path, &text, output),
            None => print_result(&text, ExitCode::SUCCESS),
        }
    })
}

async fn read(settings: &CommandSettings, since: Option<Timestamp>, now: Timestamp) -> Result<Report, CommandProblem> {
    let entries = match settings.look().await? {
        Some((record, recovered)) => {
            let entries = entries(&record, recovered, now).await?;
            record.close().await;
            entries
        }
        None => Vec::new(),
    };
    // Who has opened what is open has not changed since.
    let opened_by = |entry: &&ReportEntry| entry.mine && !entry.opened_by.is_blank();
    let agent = entries.iter().filter(opened_by).max_by_key(|entry| entry.opened).map(|entry| entry.opened_by.clone());
    Ok(Report::new(settings.reported_tenant(), agent, since, now, entries).with_note(NOTE))
}

async fn entries(record: &Record, recovered: Recovered, now: Timestamp) -> Result<Vec<ReportEntry>, RecordError> {
    let unresolved = record.unresolved().await?;
    let creates = record.unclaimed_creates().await?;
    let close_of = |writes: &[WriteRecord], id: &RequestId| {
        let closes = |write: &&WriteRecord| matches!(&write.operation, Operation::Close(close) if close.id == *id);
        writes.iter().rfind(closes).map(|write| write.at)
    };
    let open = recovered.open.iter().map(|request| {
        let accepted = close_of(&recovered.accepted, &request.id);
        let unknown = close_of(&unresolved, &request.id);
        let (state, reason) = match (unknown, accepted) {
            (Some(at), _) => {
                (State::CloseUnknown, Some(Reason::at("it is unknown whether it was closed; its close was sent", at)))
            }
            (None, Some(at)) => {
                (State::Accepted, Some(Reason::at("no list shows it as closed yet; its close was sent", at)))
            }
            (None, None) => (State::Open, None),
        };
        ReportEntry { state, reason, mine: true, ..entry(request, now) }
    });
    let is_mine: HashSet<_> = recovered.open.iter().map(|request| request.requested_by.clone()).collect();
    let closed = recovered.closed.iter().map(|ended| ReportEntry {
        state: State::Closed,
        // The record also has requests of others that were closed from it.
        mine: is_mine.is_empty()
            || is_mine.contains(&ended.request.requested_by)
            || ended.request.requested_by == ended.request.closed_by,
        as_of: ended.at,
        reason: ended.on_word.then(|| Reason::new("taken as closed on the agent's word: no list has shown it")),
        ..entry(&ended.request, now)
    });
    let is_unresolved = |create: &Unclaimed| unresolved.iter().any(|write| write.id == create.id);
    let creates = creates.iter().map(|create| {
        let (state, reason) = match create.state {
            WriteState::SetAside => (State::SetAside, "nobody looks for it any more; sent"),
            _ if is_unresolved(create) => (State::Unknown, "it is unknown whether it was opened; sent"),
            _ => (State::Sending, "another process is sending it; since"),
        };
        ReportEntry { state, reason: Some(Reason::at(reason, create.at)), ..typed(&create.request, create.at) }
    });
    let drafts = recovered.drafts.iter().filter_map(|saved| {
        let text = |field| Untrusted::new(saved.draft.get(field));
        let is_new = !matches!(saved.target, mmd_elevate_core::DraftTarget::Close(_));
        is_new.then(|| ReportEntry {
            state: State::Draft,
            reason: Some(Reason::new("typed and not sent")),
            ..ReportEntry::typed(text, saved.at)
        })
    });
    Ok(open.chain(closed).chain(creates).chain(drafts).collect())
}

/// Returns what is known of a request.
fn entry(request: &ElevationRequest, as_of: Timestamp) -> ReportEntry {
    ReportEntry {
        id: request.id.text().clone(),
        actions: request.actions_taken.clone(),
        opened_by: request.requested_by.clone(),
        closed_by: request.closed_by.clone(),
        opened: request.created.as_ref().and_then(|time| time.at),
        closed: request.closed.as_ref().and_then(|time| time.at),
        ..ReportEntry::typed(|field| request.text(field).clone(), as_of)
    }
}

/// Returns what is known of a create that has no request.
fn typed(request: &NewElevationRequest, at: Timestamp) -> ReportEntry {
    ReportEntry::typed(|field| Untrusted::new(request.get(field)), at)
}

/// Writes the report to a new file that only its owner can read, and returns the exit code.
fn write(path: &Path, text: &str, output: Output) -> ExitCode {
    let path = match config::expand_path("--output", Some(path), variable::from_process) {
        Ok(path) => path.unwrap_or_default(),
        Err(problem) => return fail(Exit::Usage, &problem),
    };
    let shown = visible(&path.to_string_lossy()).into_owned();
    match write_new(&path, text) {
        Ok(()) => {
            output.message(&format!("the report was written to {shown}"));
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let what = format!("the file {shown} exists, and the report was not written");
            fail(Exit::Failed, &Problem::new(what, "name a new file, or remove this one"))
        }
        Err(error) => {
            let what = format!("the report was not written to {shown}: {error}");
            fail(Exit::Failed, &Problem::new(what, "name a file in a folder that you may write to"))
        }
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = mmd_elevate_files::create_new(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A part of a report would pass for all of it.
        let _ = fs::remove_file(path);
    }
    written
}
