//! `mmd-elevate list`: lists requests as the pages of the service come, and keeps none of them. It changes nothing.

use std::{
    collections::{HashMap, HashSet},
    io,
    process::ExitCode,
    time::Duration,
};

use color_eyre::eyre;
use jiff::{Timestamp, tz::TimeZone};
use mmd_elevate_core::{ElevationRequest, Gaps, Problem, Query, RequestId};
use tokio::sync::Notify;

use super::{
    table::TableColumns,
    tenant::{self, CommandSettings, Leftovers, OpenTenant},
};
use crate::{
    cli::{Flags, ListArgs},
    dashboard::RequestFilter,
    exit::{CommandProblem, Exit},
    json,
    output::{Output, OutputForm, exit_code_after, fail, print, warn},
};

/// How often the service is asked with `--watch` where the settings say that it is asked only on request.
const REFRESH: Duration = Duration::from_secs(30);

/// The widest title in a table, in characters.
const WIDEST_TITLE: usize = 40;

const HEADINGS: [&str; 7] = ["ID", "STATE", "TICKET", "DEVICE", "TITLE", "OPENED", "BY"];

/// Lists requests and returns the exit code.
///
/// # Errors
/// The program itself fails. A problem that the user can fix is printed and makes its exit code.
pub fn run(args: ListArgs, flags: &Flags, output: Output) -> eyre::Result<ExitCode> {
    let filter = match RequestFilter::parse(&args.words, Timestamp::now(), &TimeZone::system()) {
        Ok(filter) => filter,
        Err(what) => {
            let hint = "mmd-elevate list --help shows the words; -- stands before a word that begins with -";
            return Ok(fail(Exit::Usage, &Problem::new(what, hint)));
        }
    };
    let settings = match CommandSettings::load(flags, output) {
        Ok(settings) => settings,
        Err(problem) => return Ok(tenant::fail(&problem)),
    };
    tenant::run(async move {
        let refresh = settings.refresh.unwrap_or(REFRESH);
        let mut tenant = match OpenTenant::open(settings, Leftovers::Leave, output).await {
            Ok(tenant) => tenant,
            Err(problem) => return tenant::fail(&problem),
        };
        let mut listing = ListPrinter::new(filter, &args, output, &tenant);
        let mut code = listing.list(&mut tenant).await;
        while args.watch && !listing.has_ended() {
            tokio::time::sleep(refresh).await;
            code = listing.list_changes(&mut tenant).await;
        }
        tenant.end().await;
        listing.error.map_or(code, |error| exit_code_after(&error, code))
    })
}

/// Returns which list of the service holds what the words ask for.
fn query(words: &[String]) -> Query {
    let is_closed = |word: &str| word == "closed" || word.starts_with("closed:") || word.starts_with("is:c");
    let asks = |word: &str| {
        let word = word.to_lowercase();
        match word.strip_prefix("not:").or_else(|| word.strip_prefix('-')) {
            Some(word) => word.starts_with("is:o"),
            None => is_closed(&word),
        }
    };
    let asks_for_closed = words.iter().flat_map(|line| line.split_whitespace()).any(asks);
    if asks_for_closed { Query::Closed } else { Query::Open }
}

/// A list that is being printed.
struct ListPrinter {
    query: Query,
    words: Vec<String>,
    filter: RequestFilter,
    output: Output,
    limit: usize,
    mine: HashSet<RequestId>,
    columns: TableColumns,
    /// How many were printed.
    count: usize,
    /// With `--watch`: the lines of what was printed, with its device.
    seen: Option<HashMap<RequestId, (String, String)>>,
    /// Why printing failed.
    error: Option<io::Error>,
}

impl ListPrinter {
    fn new(filter: RequestFilter, args: &ListArgs, output: Output, tenant: &OpenTenant) -> Self {
        Self {
            query: query(&args.words),
            words: args.words.clone(),
            filter,
            output,
            limit: if args.limit == 0 { usize::MAX } else { args.limit },
            mine: tenant.mine(),
            columns: TableColumns::default(),
            count: 0,
            seen: args.watch.then(HashMap::new),
            error: None,
        }
    }

    /// Whether nobody reads on.
    const fn has_ended(&self) -> bool {
        self.error.is_some()
    }

    /// Lists what matches, up to the limit, and returns the exit code.
    async fn list(&mut self, tenant: &mut OpenTenant) -> ExitCode {
        let (query, full) = (self.query.clone(), Notify::new());
        let mut is_cut = false;
        let result = {
            let listing = tenant.list(query, |page| {
                if !is_cut && !self.take(page) {
                    is_cut = true;
                    full.notify_one();
                }
            });
            tokio::select! {
                biased;
                result = listing => result,
                () = full.notified() => Ok(Gaps::default()),
            }
        };
        if is_cut && self.error.is_none() {
            self.output.message(&format!("there are more than {}: --limit 0 lists all", self.limit));
        }
        end(result)
    }

    /// Prints those of a page that match. Returns whether more are wanted.
    fn take(&mut self, page: Vec<ElevationRequest>) -> bool {
        let is_closed = self.query == Query::Closed;
        let matching =
            page.into_iter().filter(|request| self.filter.matches(request, is_closed, self.mine.contains(&request.id)));
        let mut matching: Vec<_> = matching.collect();
        // A request that a list repeats is one.
        if let Some(seen) = &self.seen {
            matching.retain(|request| !seen.contains_key(&request.id));
        }
        let room = self.limit - self.count;
        let is_full = matching.len() > room;
        matching.truncate(room);
        self.print(&matching, is_closed);
        !is_full && self.error.is_none()
    }

    fn print(&mut self, requests: &[ElevationRequest], is_closed: bool) {
        self.count += requests.len();
        let mine = |request: &ElevationRequest| self.mine.contains(&request.id);
        let text = if self.output.form == OutputForm::Json {
            requests.iter().map(|request| json::line(&json::request(request, is_closed, mine(request)))).collect()
        } else {
            let records: Vec<_> = requests.iter().map(|request| fields(request, is_closed, self.output.form)).collect();
            if records.is_empty() { String::new() } else { self.columns.lines(self.output.form, &HEADINGS, &records) }
        };
        if let Some(seen) = &mut self.seen {
            let line = |request| fields(request, is_closed, OutputForm::Plain).join("  ");
            seen.extend(
                requests.iter().map(|request| (request.id.clone(), (line(request), request.device.raw().to_owned()))),
            );
        }
        if !text.is_empty() && self.error.is_none() {
            self.error = print(&mmd_elevate_engine::redact::redact(&text)).err();
        }
    }

    /// Lists what is new or changed since the list before.
    async fn list_changes(&mut self, tenant: &mut OpenTenant) -> ExitCode {
        let is_closed = self.query == Query::Closed;
        // `age:` and `closed:today` mean another time now.
        if let Ok(filter) = RequestFilter::parse(&self.words, Timestamp::now(), &TimeZone::system()) {
            self.filter = filter;
        }
        let mut listed = HashSet::new();
        let result = tenant
            .list(self.query.clone(), |page| {
                listed.extend(page.iter().map(|request| request.id.clone()));
                let is_news = |request: &ElevationRequest| {
                    let line = fields(request, is_closed, OutputForm::Plain).join("  ");
                    let before = self.seen.as_ref().and_then(|seen| seen.get(&request.id));
                    before.is_none_or(|(before, _)| *before != line)
                        && self.filter.matches(request, is_closed, self.mine.contains(&request.id))
                };
                let news: Vec<_> = page.into_iter().filter(is_news).collect();
                self.print(&news, is_closed);
            })
            .await;
        // What a whole list of open requests does not hold any more may be closed: only its device's list says so.
        if matches!(&result, Ok(gaps) if gaps.is_empty()) && self.query == Query::Open {
            let gone = |seen: &HashMap<RequestId, (String, String)>| {
                let gone = seen.iter().filter(|(id, _)| !listed.contains(*id));
                gone.map(|(id, (_, device))| (id.clone(), device.clone())).collect::<Vec<_>>()
            };
            for (id, device) in self.seen.as_ref().map(gone).unwrap_or_default() {
                let mut found = None;
                let is_it = |request: &ElevationRequest| request.id == id && request.closed.is_some();
                let listing = tenant
                    .list(Query::Device(device), |page| found = found.take().or_else(|| page.into_iter().find(is_it)));
                if listing.await.is_ok()
                    && let Some(request) = found
                {
                    self.print(&[request], true);
                    if let Some(seen) = &mut self.seen {
                        seen.remove(&id);
                    }
                }
            }
        }
        end(result)
    }
}

/// Tells what is missing of a list, and returns the exit code.
fn end(result: Result<Gaps, mmd_elevate_core::CallError>) -> ExitCode {
    match result {
        Ok(gaps) if gaps.is_empty() => ExitCode::SUCCESS,
        Ok(gaps) => {
            let exit = if gaps.cut.is_some() { Exit::Unreachable } else { Exit::Partly };
            warn(&Problem::new(format!("the list is not whole: {}", gaps.describe()), "try again later"));
            exit.into()
        }
        Err(error) => tenant::fail(&CommandProblem::from(error)),
    }
}

fn fields(request: &ElevationRequest, is_closed: bool, form: OutputForm) -> Vec<String> {
    let opened = request.created.as_ref().map(|time| match time.at {
        Some(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        None => time.text.raw().to_owned(),
    });
    let title = request.title.visible();
    let title = match title.char_indices().nth(WIDEST_TITLE).filter(|_| form == OutputForm::Human) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title.into_owned(),
    };
    vec![
        request.id.raw().to_owned(),
        if is_closed { "closed" } else { "open" }.to_owned(),
        request.ticket.raw().to_owned(),
        request.device.raw().to_owned(),
        title,
        opened.unwrap_or_default(),
        request.requested_by.raw().to_owned(),
    ]
}
