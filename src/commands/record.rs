//! `mmd-elevate record`: shows and maintains the record on disk. It never deletes what is open or unresolved.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    path::Path,
    process::ExitCode,
};

use color_eyre::eyre::{self, WrapErr as _};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{CloseElevationRequest, Field, Operation, Problem, WriteState, visible};
use mmd_elevate_engine::{
    record::{self, Purged, RecordError, RecordedWrite},
    redact::{redact, redact_json},
};
use serde_json::{Value, json};

use super::table;
use crate::{
    cli::{Flags, PurgeArgs, RecordArgs, RecordCommand},
    config::{self, variable},
    exit::Exit,
    json,
    output::{Output, OutputForm, fail, plain_line, print_error, print_result},
};

const HEADINGS: [&str; 7] = ["INTENT", "SENT", "KIND", "STATE", "DEVICE", "WHAT", "REQUEST"];

/// Runs a subcommand of `record` and returns its exit code.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: &RecordArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    let folder = match config::state_dir(flags.state_dir.as_deref(), variable::from_process) {
        Ok(folder) => folder,
        Err(problem) => return Ok(fail(Exit::Unusable, &problem)),
    };
    let result = match &args.command {
        RecordCommand::Path => Ok(path(&folder, output.form)),
        RecordCommand::List => list(&folder, output.form),
        RecordCommand::Show { intent } => show(&folder, *intent, output.form),
        RecordCommand::Export => export(&folder),
        RecordCommand::Purge(args) => {
            let age = SignedDuration::from_hours(24 * i64::from(args.older_than));
            let before = Timestamp::now().saturating_sub(age).wrap_err("failed to compute the date")?;
            purge(&folder, before, args, output.form)
        }
    };
    Ok(result.unwrap_or_else(|error| fail(Exit::Unusable, &Problem::new(format!("failed to {error}"), error.hint()))))
}

fn path(folder: &Path, form: OutputForm) -> ExitCode {
    let path = folder.join("record.db");
    let text = if form == OutputForm::Json {
        json::document(&json!({ "schema": 1, "file": path.to_string_lossy(), "fileExists": path.exists() }))
    } else {
        format!("{}\n", visible(&path.to_string_lossy()))
    };
    print_result(&text, ExitCode::SUCCESS)
}

fn list(folder: &Path, form: OutputForm) -> Result<ExitCode, RecordError> {
    let writes = record::writes(folder)?;
    let text = if form == OutputForm::Json {
        writes.iter().map(|write| json::line(&write_json(write))).collect()
    } else if writes.is_empty() {
        String::new()
    } else {
        table::lines(form, &HEADINGS, &writes.iter().map(fields).collect::<Vec<_>>())
    };
    Ok(print_result(&redact(&text), ExitCode::SUCCESS))
}

fn show(folder: &Path, intent: i64, form: OutputForm) -> Result<ExitCode, RecordError> {
    let writes = record::writes(folder)?;
    let Some(write) = writes.iter().find(|write| write.write.id.0 == intent) else {
        let problem = Problem::new(format!("the record has no write {intent}"), "mmd-elevate record list shows all");
        return Ok(fail(Exit::Refused, &problem));
    };
    let value = write_json(write);
    let text = if form == OutputForm::Json {
        json::document(&value)
    } else {
        let members = value.as_object().into_iter().flatten();
        let members = members.filter(|(_, value)| !value.is_null()).map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.as_str(), text)
        });
        let members: Vec<_> = members.collect();
        if form == OutputForm::Plain {
            plain_line(fields(write).iter().map(String::as_str))
        } else {
            members.iter().map(|(name, text)| plain_line([*name, text.as_str()])).collect()
        }
    };
    Ok(print_result(&redact(&text), ExitCode::SUCCESS))
}

fn export(folder: &Path) -> Result<ExitCode, RecordError> {
    let writes: Vec<_> = record::writes(folder)?.iter().map(write_json).collect();
    Ok(print_result(&json::document(&json!({ "schema": 1, "writes": writes })), ExitCode::SUCCESS))
}

/// Returns the word for a state.
const fn word(state: WriteState) -> &'static str {
    match state {
        WriteState::Intended | WriteState::Sending => "sending",
        WriteState::Waiting => "waiting",
        WriteState::Unknown => "unknown",
        WriteState::Done => "done",
        WriteState::NotDone => "not-done",
        WriteState::SetAside => "set-aside",
    }
}

fn fields(recorded: &RecordedWrite) -> Vec<String> {
    let write = &recorded.write;
    let (device, what, request) = match &write.operation {
        Operation::Create(new) => {
            let made = recorded.made.as_ref().map(|id| id.raw().to_owned());
            (new.get(Field::Device), new.get(Field::Title), made.unwrap_or_default())
        }
        Operation::Close(CloseElevationRequest { id, device, actions_taken }) => {
            (device.raw(), actions_taken.as_str(), id.raw().to_owned())
        }
    };
    // The first line of a text says what it is about.
    let what = what.lines().next().unwrap_or_default();
    vec![
        write.id.0.to_string(),
        write.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        write.operation.kind().to_owned(),
        word(write.state).to_owned(),
        device.to_owned(),
        what.to_owned(),
        request,
    ]
}

fn write_json(recorded: &RecordedWrite) -> Value {
    let write = &recorded.write;
    let mut value = json!({
        "intent": write.id.0.to_string(),
        "kind": write.operation.kind(),
        "state": word(write.state),
        "sentAt": write.at.to_string(),
        "changedAt": recorded.changed_at.to_string(),
        "operator": recorded.operator,
        "baseUrl": recorded.tenant.base_url,
        "tenantId": recorded.tenant.tenant_id,
        "why": recorded.why.as_ref().map(mmd_elevate_core::Untrusted::raw),
        "serviceRequestId": recorded.service_request_id.as_ref().map(mmd_elevate_core::Untrusted::raw),
    });
    let texts = match &write.operation {
        Operation::Create(new) => json!({
            "requestId": recorded.made.as_ref().map(mmd_elevate_core::RequestId::raw),
            "partnerTicketId": new.get(Field::Ticket),
            "deviceName": new.get(Field::Device),
            "title": new.get(Field::Title),
            "category": new.get(Field::Category),
            "subcategory": new.get(Field::Subcategory),
            "planOfAction": new.get(Field::PlanOfAction),
        }),
        Operation::Close(CloseElevationRequest { id, device, actions_taken }) => json!({
            "requestId": id.raw(),
            "deviceName": device.raw(),
            "actionsTaken": actions_taken,
        }),
    };
    if let (Some(members), Value::Object(texts)) = (value.as_object_mut(), texts) {
        members.extend(texts);
    }
    redact_json(&mut value);
    value
}

/// Deletes settled entries that are older than the arguments say, once that was confirmed.
fn purge(folder: &Path, before: Timestamp, args: &PurgeArgs, form: OutputForm) -> Result<ExitCode, RecordError> {
    let shown = visible(&folder.to_string_lossy()).into_owned();
    if !args.yes && !args.dry_run {
        if !io::stdin().is_terminal() {
            let problem = Problem::new(
                "nothing was deleted: there is no terminal to ask on",
                "add --yes to delete, or --dry-run to count what would be deleted",
            );
            return Ok(fail(Exit::Usage, &problem));
        }
        let counts = counted(record::count_purged(folder, before)?);
        print_error(&format!("Delete {counts} of the record in {shown}? Type y to delete.\n"));
        let mut answer = String::new();
        // Without an answer nothing is deleted.
        let _ = io::stdin().lock().read_line(&mut answer);
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            print_error("Nothing was deleted.\n");
            return Ok(ExitCode::SUCCESS);
        }
    }
    let purged = if args.dry_run { record::count_purged(folder, before)? } else { record::purge(folder, before)? };
    let text = if form == OutputForm::Json {
        let Purged { writes, requests } = purged;
        json::document(&json!({ "schema": 1, "dryRun": args.dry_run, "writes": writes, "requests": requests }))
    } else {
        let verb = if args.dry_run { "Would delete" } else { "Deleted" };
        format!("{verb} {} of the record in {shown}.\n", counted(purged))
    };
    Ok(print_result(&text, ExitCode::SUCCESS))
}

fn counted(Purged { writes, requests }: Purged) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    format!("{} and {}", counted(writes, "settled write"), counted(requests, "closed request"))
}
