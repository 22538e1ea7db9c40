//! `mmd-elevate show`: shows one request as the service has it now. It changes nothing.

use std::process::ExitCode;

use color_eyre::eyre;
use mmd_elevate_core::{ElevationRequest, Field, Problem, Query, RequestId, ServiceTime, Untrusted, visible};

use super::{
    close::{SHORTEST, find, not_found},
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
};
use crate::{
    cli::{Flags, ShowArgs},
    exit::{CommandProblem, Exit},
    json,
    output::{Output, OutputForm, fail, plain_line, print_result},
};

/// Shows a request and returns the exit code.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: ShowArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    if args.id.trim().chars().count() < SHORTEST {
        let what = format!("the id {} is too short", visible(&args.id));
        return Ok(fail(Exit::Usage, &Problem::new(what, format!("give at least {SHORTEST} characters of it"))));
    }
    let settings = match CommandSettings::load(flags, output) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    tenant::run(async move {
        let mut tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let code = match look_up(&mut tenant, &args.id).await {
            Ok(request) => {
                let text = text(&tenant, &request, output.form);
                print_result(&mmd_elevate_engine::redact::redact(&text), ExitCode::SUCCESS)
            }
            Err(NotShown::Ambiguous(problem)) => fail(Exit::Usage, &problem),
            Err(NotShown::Problem(problem)) => tenant::fail(&problem),
        };
        tenant.end().await;
        code
    })
}

/// Why a request is not shown.
enum NotShown {
    /// The beginning of an id means several requests.
    Ambiguous(Problem),
    /// It was not found, or the service could not be asked.
    Problem(CommandProblem),
}

/// Returns the request as the service lists it.
async fn look_up(tenant: &mut OpenTenant, given: &str) -> Result<ElevationRequest, NotShown> {
    let ambiguous = |Problem { what, hint }: Problem| {
        NotShown::Ambiguous(Problem::new(what.trim_start_matches("nothing was sent: "), hint))
    };
    let known = find(given, tenant.known()).map_err(ambiguous)?.cloned();
    let begin = given.trim().to_lowercase();
    let exact = RequestId::new(given.trim());
    let is_meant = |request: &ElevationRequest| match &known {
        Some(known) => request.id == known.id,
        None => exact.as_ref() == Some(&request.id) || request.id.raw().to_lowercase().starts_with(&begin),
    };
    let queries = match &known {
        Some(known) => vec![Query::Device(known.device.raw().to_owned())],
        None => vec![Query::Open, Query::Closed],
    };
    let (mut found, mut incomplete) = (Vec::new(), None);
    for query in queries {
        let listed = tenant.list(query, |page| found.extend(page.into_iter().filter(&is_meant))).await;
        match listed {
            Ok(gaps) if gaps.is_empty() => {}
            Ok(gaps) => incomplete = incomplete.or(Some(mmd_elevate_core::CallError::not_reached(&gaps.describe()))),
            Err(error) => incomplete = incomplete.or(Some(error)),
        }
    }
    match (find(given, found.iter()).map_err(ambiguous)?.cloned(), incomplete) {
        (Some(request), _) => Ok(request),
        // The record knows the id by its beginning; the list has it in full.
        (None, Some(error)) => Err(NotShown::Problem(CommandProblem::from(error))),
        (None, None) => Err(NotShown::Problem(not_found(given))),
    }
}

fn text(tenant: &OpenTenant, request: &ElevationRequest, form: OutputForm) -> String {
    if form == OutputForm::Json {
        return json::document(&tenant.request_json(request));
    }
    let time = |time: &Option<ServiceTime>| match time {
        Some(ServiceTime { at: Some(at), .. }) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Some(ServiceTime { text, at: None }) => text.raw().to_owned(),
        None => String::new(),
    };
    let state = if request.closed.is_some() { "closed" } else { "open" };
    let texts: Vec<(&str, Untrusted)> = vec![
        ("id", request.id.text().clone()),
        ("state", Untrusted::new(state)),
        ("ticket", request.ticket.clone()),
        ("device", request.device.clone()),
        ("title", request.title.clone()),
        ("opened", Untrusted::new(time(&request.created))),
        ("by", request.requested_by.clone()),
        ("closed", Untrusted::new(time(&request.closed))),
        ("closed by", request.closed_by.clone()),
        ("category", request.category.clone()),
        ("subcategory", request.subcategory.clone()),
        ("plan", request.text(Field::PlanOfAction).clone()),
        ("actions", request.actions_taken.clone()),
    ];
    if form == OutputForm::Plain {
        return plain_line(texts.iter().map(|(_, text)| text.raw()));
    }
    let width = texts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = texts.iter().filter(|(_, text)| !text.is_blank()).flat_map(|(name, text)| {
        let names = std::iter::once(*name).chain(std::iter::repeat(""));
        let lines = text.visible_lines().map(std::borrow::Cow::into_owned).collect::<Vec<_>>();
        names
            .zip(lines)
            .map(|(name, line)| format!("{name:width$}  {line}").trim_end().to_owned() + "\n")
            .collect::<Vec<_>>()
    });
    lines.collect()
}
