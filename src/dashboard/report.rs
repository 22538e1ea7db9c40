//! The report of the shift: made of the rows that the agent answers for, previewed, and handed over as a file or as a copy. It
//! changes no row.

use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{
    Closure, Effect, Model, Notice, Overlay, RecordState, ReportFile, Row, RowState, Tone,
    draw::{
        Theme, scroll,
        words::{columns, cut, cut_head, fit, local, wrap},
    },
};
use crate::{
    keys::{Action, Scope, Tab},
    report::{Format, Period, Reason, Report, ReportEntry, ReportGroup, ReportTenant, State, duration_text},
};
use mmd_elevate_core::{CallError, CallId, Draft, Field, MatchResult, Problem, Untrusted};

/// How long a copy may be at least in every terminal that takes copies, in bytes.
const LONGEST_COPY: usize = 74_000;

/// In a wider row the eye loses the line.
const WIDEST: usize = 120;

/// From this width on ticket and device have columns that hold them whole.
const ROOMY: usize = 76;

/// How wide the names of keys are before what they do.
const KEYS: usize = 7;

/// The report that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPanel {
    period: Period,
    format: Format,
    /// How far the preview is scrolled, in lines.
    pub(super) scroll: u16,
    report: Report,
    /// How long it is in its format, in bytes.
    length: usize,
    made_of: Basis,
}

impl ReportPanel {
    fn new(model: &Model, period: Period, format: Format) -> Self {
        let report = report(model, period);
        let length = report.render(format).len();
        Self { period, format, scroll: 0, report, length, made_of: basis(model) }
    }
}

/// What a report is made of: the changes of the rows, the minute, and what is known of the record.
type Basis = (u64, i64, RecordState);

fn basis(model: &Model) -> Basis {
    (model.requests.changes(), model.now.as_second().div_euclid(60), model.record)
}

/// Shows the report of today.
pub(super) fn show(model: &mut Model) {
    let panel = ReportPanel::new(model, Period::default(), Format::default());
    model.overlays.push(Overlay::Report(Box::new(panel)));
}

/// Shows the report in the next format.
pub(super) fn next_format(model: &mut Model) {
    if let Some(Overlay::Report(panel)) = model.overlays.last_mut() {
        panel.format = panel.format.next();
        panel.length = panel.report.render(panel.format).len();
    }
}

/// Shows the report of the next period.
pub(super) fn next_period(model: &mut Model) {
    if let Some(Overlay::Report(panel)) = model.overlays.last() {
        let panel = ReportPanel::new(model, panel.period.next(), panel.format);
        replace(model, panel);
    }
}

/// Makes the report anew that is shown, where it is not true any more.
pub(super) fn keep_true(model: &mut Model) {
    if let Some(Overlay::Report(panel)) = model.overlays.last()
        && panel.made_of != basis(model)
    {
        let scroll = panel.scroll;
        let panel = ReportPanel::new(model, panel.period, panel.format);
        replace(model, ReportPanel { scroll, ..panel });
    }
}

fn replace(model: &mut Model, panel: ReportPanel) {
    if let Some(Overlay::Report(shown)) = model.overlays.last_mut() {
        **shown = panel;
    }
}

/// Ends the panel and hands the report to the clipboard.
pub(super) fn copy(model: &mut Model) -> Vec<Effect> {
    let Some((text, _)) = take(model) else { return Vec::new() };
    vec![Effect::Copy(text)]
}

/// Ends the panel and has the report written to a file.
pub(super) fn write(model: &mut Model) -> Vec<Effect> {
    let Some((text, format)) = take(model) else { return Vec::new() };
    let (stem, extension) = (file_stem(model), format.extension());
    vec![Effect::WriteReport(ReportFile { stem, extension, text })]
}

fn take(model: &mut Model) -> Option<(String, Format)> {
    let Some(Overlay::Report(panel)) = model.overlays.last() else { return None };
    // As it is now, and not as of the beginning of the minute.
    let (text, format) = (report(model, panel.period).render(panel.format), panel.format);
    model.overlays.pop();
    Some((text, format))
}

fn file_stem(model: &Model) -> String {
    format!("mmd-elevate-{}-shift", local(model.now, &model.time_zone, "%Y-%m-%d"))
}

/// The report was written, or not.
pub(super) fn apply_written(model: &mut Model, result: Result<String, Problem>) {
    model.notice = Some(match result {
        Ok(path) => Notice::success(format!("Report written: {path}")),
        Err(Problem { what, hint }) => {
            let show = model.keymap.name(Scope::Panes, Action::ShowReport);
            let copy = model.keymap.name(Scope::Report, Action::CopyReport);
            let hint = format!("{hint}; or {show} and {copy} hand it to the clipboard");
            Notice::from_problem(Tone::Failure, Problem::new(what, hint))
        }
    });
}

/// Makes the report of a period that ends now.
fn report(model: &Model, period: Period) -> Report {
    let agent = agent(model);
    let tenant = ReportTenant {
        name: model.tenant.name.as_deref().map(Untrusted::new),
        id: Untrusted::new(&*model.tenant.id),
        is_practice: model.tenant.practice,
    };
    let entries = rows(model).map(|row| entry(model, &row, agent.as_ref()));
    let entries = entries.chain(form_entry(model)).collect();
    let since = period.since(model.now, &model.time_zone);
    let report = Report::new(tenant, agent, since, model.now, entries);
    match model.record {
        RecordState::Opening => report.with_note("The record is still being read: earlier requests are missing"),
        RecordState::NotRead => report.with_note("The record could not be read: requests of earlier runs are missing"),
        RecordState::Keeping | RecordState::Failing => report,
    }
}

/// The rows that the agent answers for: one's own, and those of others that were closed from here.
fn rows(model: &Model) -> impl Iterator<Item = Row<'_>> {
    let requests = &model.requests;
    let is_over = |row: &Row<'_>| matches!(row.state, RowState::Closed(_));
    let was_sent = |row: &Row<'_>| row.sent_close.is_some() || matches!(row.state, RowState::Closing(_));
    let closing = requests.closes().filter(move |row| !row.mine && was_sent(row) && !is_over(row));
    let closed = requests.list_of(Tab::Closed).all().filter_map(|id| requests.get(id));
    let closed = closed.filter(|row| !row.mine && matches!(row.state, RowState::Closed(closure) if is_ours(closure)));
    requests.mine().chain(requests.creates()).chain(closing).chain(closed)
}

/// Whether a close of ours may have ended the request.
const fn is_ours(closure: Closure) -> bool {
    match closure {
        Closure::Verified | Closure::StoredDifferently | Closure::PerhapsOurs | Closure::OnWord => true,
        Closure::Already | Closure::Gone | Closure::Elsewhere | Closure::Recorded => false,
    }
}

/// Returns what the service calls the agent, as far as that is known: who opened what was opened here last, or else who has
/// both opened and closed a request of the record.
fn agent(model: &Model) -> Option<Untrusted> {
    let named = |row: &Row<'_>| row.request.is_some_and(|request| !request.requested_by.is_blank());
    let is_certain = |row: &Row<'_>| row.draft.is_some() || row.state.counts_as_open();
    let is_likely = |row: &Row<'_>| row.request.is_some_and(|request| request.requested_by == request.closed_by);
    let newest = |is: &dyn Fn(&Row<'_>) -> bool| {
        let rows = model.requests.mine().filter(|row| named(row) && is(row));
        rows.max_by_key(|row| row.since).and_then(|row| row.request)
    };
    newest(&is_certain).or_else(|| newest(&is_likely)).map(|request| request.requested_by.clone())
}

fn entry(model: &Model, row: &Row<'_>, agent: Option<&Untrusted>) -> ReportEntry {
    let text = |field: Field| {
        let stored = row.request.map(|request| request.text(field)).filter(|text| !text.is_blank()).cloned();
        stored.unwrap_or_else(|| Untrusted::new(row.draft.map_or("", |draft| draft.get(field))))
    };
    let request = row.request;
    let of_request = |part: fn(&mmd_elevate_core::ElevationRequest) -> &Untrusted| {
        request.map_or_else(Untrusted::default, |request| part(request).clone())
    };
    let stored = of_request(|request| &request.actions_taken);
    let sent = || row.sent_close.map_or_else(Untrusted::default, |sent| Untrusted::new(&*sent.text));
    let opened_by = of_request(|request| &request.requested_by);
    let is_of_another = agent.is_some_and(|agent| !opened_by.is_blank() && *agent != opened_by);
    ReportEntry {
        state: state(model, row),
        // The record also has requests of others that were closed from it.
        mine: row.mine && !is_of_another,
        id: of_request(|request| request.id.text()),
        ticket: text(Field::Ticket),
        device: text(Field::Device),
        title: text(Field::Title),
        category: text(Field::Category),
        subcategory: text(Field::Subcategory),
        plan: text(Field::PlanOfAction),
        actions: if stored.is_blank() { sent() } else { stored },
        opened_by,
        closed_by: of_request(|request| &request.closed_by),
        opened: request.and(row.since),
        closed: request.and_then(|request| request.closed.as_ref()?.at),
        as_of: row.as_of,
        reason: reason(model, row),
    }
}

/// The draft in the form, while it has no row.
fn form_entry(model: &Model) -> Option<ReportEntry> {
    if model.form_row.is_some() {
        return None;
    }
    let is_waiting = model.form.holds_text() && model.form.sending().is_none();
    let draft: Draft = is_waiting.then(|| model.form.draft())?;
    Some(ReportEntry {
        state: State::Draft,
        reason: Some(Reason::new("typed in the form and not sent")),
        ..ReportEntry::typed(|field| Untrusted::new(draft.get(field)), model.now)
    })
}

fn state(model: &Model, row: &Row<'_>) -> State {
    match row.state {
        RowState::Sending(call) if model.is_waiting(call) => State::Draft,
        RowState::Checking(_) | RowState::Draft => State::Draft,
        RowState::Sending(_) => State::Sending,
        RowState::Refused => State::Refused,
        RowState::Looking(_) | RowState::Unknown => State::Unknown,
        RowState::SetAside => State::SetAside,
        RowState::Open => State::Open,
        RowState::Closing(_) => State::Closing,
        RowState::CloseUnknown => State::CloseUnknown,
        RowState::Accepted => State::Accepted,
        RowState::Closed(_) => State::Closed,
    }
}

/// Returns why the row is in its state, as far as there is more to say than the state itself.
fn reason(model: &Model, row: &Row<'_>) -> Option<Reason> {
    let what = row.error.map(CallError::what).map(|what| what.trim_end_matches('.').to_owned());
    let because = |text: &str| what.as_ref().map_or_else(|| text.to_owned(), |what| format!("{text}: {what}"));
    Some(match row.state {
        RowState::Checking(_) => Reason::new("what is open on its device is being listed before it is sent"),
        RowState::Draft => Reason::new("typed and not sent"),
        RowState::Sending(call) if model.is_waiting(call) => Reason::new("it waits to be sent"),
        RowState::Sending(_) => Reason::at("no answer yet; sent", row.since.unwrap_or(row.as_of)),
        RowState::Refused => Reason::new(what.unwrap_or_else(|| "the service did not take it".to_owned())),
        RowState::Looking(_) | RowState::Unknown => unknown_reason(row, what),
        RowState::SetAside => Reason::at("nobody looks for it any more; sent", row.since.unwrap_or(row.as_of)),
        RowState::Open => return open_reason(row, what.is_some().then(|| because("its close was not done"))),
        RowState::Closing(call) => {
            let at = model.calls.get(&call).map_or(row.as_of, |call| call.at);
            Reason::at("no list shows it as closed yet; its close was sent", at)
        }
        RowState::CloseUnknown => {
            let at = row.sent_close.map_or(row.as_of, |sent| sent.at);
            Reason::at(format!("{}; its close was sent", because("it is unknown whether it was closed")), at)
        }
        RowState::Accepted => match row.sent_close.map(|sent| (sent.listed_open, sent.accepted.unwrap_or(sent.at))) {
            Some((Some(at), _)) => Reason::at("its close was accepted, and it is still listed as open", at),
            Some((None, at)) => Reason::at("no list shows it as closed yet; its close was accepted", at),
            None => Reason::new("its close was accepted, and no list shows it as closed yet"),
        },
        RowState::Closed(closure) => {
            let is_lost = matches!(closure, Closure::Already | Closure::Gone | Closure::Elsewhere);
            let unsent = row.unsent_text().filter(|_| is_lost).map(|_| "a text that was typed for it was not stored");
            let parts: Vec<_> = closed_reason(closure).into_iter().chain(unsent).collect();
            return (!parts.is_empty()).then(|| Reason::new(parts.join("; ")));
        }
    })
}

fn unknown_reason(row: &Row<'_>, what: Option<String>) -> Reason {
    let what = what.unwrap_or_else(|| "there was no answer".to_owned());
    match row.seen {
        Some((MatchResult::Possible(possible), at)) => {
            let count = possible.len();
            let may_be =
                if count == 1 { "1 request may be it".to_owned() } else { format!("{count} requests may be it") };
            Reason::at(format!("{what}; {may_be}, as listed"), *at)
        }
        Some((MatchResult::NotSeen | MatchResult::Found { .. }, at)) => {
            Reason::at(format!("{what}; not seen, which proves nothing; looked"), *at)
        }
        Some((MatchResult::Unclear(gaps), at)) => {
            Reason::at(format!("{what}; not seen in a list that is not whole ({}); looked", gaps.describe()), *at)
        }
        None => Reason::at(format!("{what}; sent"), row.since.unwrap_or(row.as_of)),
    }
}

fn open_reason(row: &Row<'_>, not_done: Option<String>) -> Option<Reason> {
    let is_typed = row.actions_taken.is_some_and(|text| !text.is_blank());
    let typed = is_typed.then(|| "a text for its close is typed and not sent".to_owned());
    let surplus = row.surplus.then(|| "it equals another request, and counts against the device's limit".to_owned());
    let unlisted = row.unlisted.map(|_| "the service did not list it".to_owned());
    let parts: Vec<_> = not_done.into_iter().chain(surplus).chain(typed).chain(unlisted).collect();
    (!parts.is_empty()).then(|| Reason { text: parts.join("; "), at: row.unlisted })
}

const fn closed_reason(closure: Closure) -> Option<&'static str> {
    match closure {
        Closure::Verified | Closure::Recorded => None,
        Closure::StoredDifferently => Some("the service stored the text in another form"),
        Closure::PerhapsOurs => Some("closed perhaps from here: it has another text than was sent"),
        Closure::Already => Some("it was closed already when its close came"),
        Closure::Gone => Some("the service says that it does not exist"),
        Closure::Elsewhere => Some("closed elsewhere"),
        Closure::OnWord => Some("taken as closed on the agent's word: no list has shown it"),
    }
}

/// Draws the report and the choices. Returns how far it can be scrolled.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, panel: &ReportPanel) -> u16 {
    let at = local(model.now, &model.time_zone, "%H:%M");
    let block = theme.panel("Report of the shift", &format!("as of {at}"), true);
    let width = usize::from(block.inner(area).width);
    let mut lines = choices(model, theme, panel, width);
    lines.push(Line::default());
    lines.extend(preview(model, theme, &panel.report, width.min(WIDEST)));
    scroll::draw(frame, area, block, lines, panel.scroll)
}

/// What can be chosen, and what each key does with it.
fn choices(model: &Model, theme: &Theme, panel: &ReportPanel, width: usize) -> Vec<Line<'static>> {
    let key = |action| Span::styled(fit(&model.keymap.name(Scope::Report, action), KEYS), theme.accent());
    let choice = |name: &str, is_chosen: bool| {
        let (text, style) = if is_chosen {
            (format!("[{name}] "), theme.accent().patch(Theme::bold()))
        } else {
            (format!(" {name}  "), Style::new())
        };
        Span::styled(text, style)
    };
    let mut format = vec![key(Action::NextReportFormat)];
    format.extend(Format::ALL.map(|format| choice(format.name(), format == panel.format)));
    let mut period = vec![key(Action::NextReportPeriod)];
    period.extend(Period::ALL.map(|period| choice(period.name(), period == panel.period)));
    if let Some(since) = panel.report.since() {
        period.push(Span::styled(format!(" since {}", short_time(model, since)), Theme::dim()));
    }
    let does = |action, text: String| Line::from(vec![key(action), Span::raw(text)]);
    let file = format!("{}/{}.{}", model.report_folder, file_stem(model), panel.format.extension());
    let room = width.saturating_sub(KEYS + "writes ".len());
    let limit = if panel.length > LONGEST_COPY {
        format!("; it has {} KB, and some terminals take no more than {}", panel.length / 1_000, LONGEST_COPY / 1_000)
    } else {
        String::new()
    };
    vec![
        Line::from(format),
        Line::from(period),
        does(Action::WriteReport, format!("writes {}", cut_head(&file, room))),
        does(Action::CopyReport, cut(&format!("hands it to the clipboard{limit}"), width.saturating_sub(KEYS))),
    ]
}

/// What the report says, in local time.
fn preview(model: &Model, theme: &Theme, report: &Report, width: usize) -> Vec<Line<'static>> {
    let counts = report.counts();
    let agent = report.agent().map_or_else(|| "agent not known".to_owned(), |agent| agent.visible().into_owned());
    let mut head = vec![agent];
    for (count, what) in [
        (counts.opened, "opened"),
        (counts.closed, "closed"),
        (counts.still_open, "still open"),
        (counts.unknown, "unknown"),
        (counts.not_opened, "not opened"),
    ] {
        if count > 0 {
            head.push(format!("{count} {what}"));
        }
    }
    let head = head.join(" · ");
    let mut lines: Vec<_> = wrap(&head, width).into_iter().map(|line| Line::raw(line.into_owned())).collect();
    lines.extend(report.notes().iter().map(|note| Line::styled(cut(&theme.uncertain(note), width), theme.doubt())));
    for group in ReportGroup::ALL {
        let count = report.entries(group).count();
        if count > 0 {
            lines.push(Line::default());
            lines.push(Line::styled(format!("{} ({count})", group.heading()), Theme::bold()));
        }
        for entry in report.entries(group) {
            lines.extend(entry_lines(model, theme, report, entry, width));
        }
    }
    if counts == crate::report::Counts::default() {
        lines.push(Line::default());
        lines.push(Line::styled("Nothing was opened or closed in this time, and nothing is left.", Theme::dim()));
    }
    lines
}

fn entry_lines(model: &Model, theme: &Theme, report: &Report, entry: &ReportEntry, width: usize) -> Vec<Line<'static>> {
    let time = |at| short_time(model, at);
    let duration = report.duration(entry).map(duration_text);
    let right = match (entry.state.group(), entry.closed) {
        (ReportGroup::Closed, Some(closed)) => {
            let open_for = duration.map_or_else(String::new, |duration| format!(" after {duration}"));
            format!("  {}{open_for}", time(closed))
        }
        _ => duration.map_or_else(String::new, |duration| format!("  {duration}")),
    };
    let (ticket, device) = if width >= ROOMY { (13, 17) } else { (11, 12) };
    let names = format!(
        "{}{}{}",
        fit(&cut(&entry.ticket.visible(), ticket - 1), ticket),
        fit(&cut_head(&entry.device.visible(), device - 1), device),
        entry.title.visible()
    );
    let state = row_state(entry.state);
    let names = fit(&names, width.saturating_sub(2 + columns(&right)));
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} ", theme.state_sign(state)), theme.state(state)),
        Span::raw(names),
        Span::styled(right, Theme::dim()),
    ])];
    if let Some(reason) = &entry.reason {
        let text = reason.sentence(time);
        let wrapped = wrap(&text, width.saturating_sub(2)).into_iter().map(|line| format!("  {line}"));
        lines.extend(wrapped.map(|line| Line::styled(line, Theme::dim())));
    }
    lines
}

/// Local time, with its day where that is another one.
fn short_time(model: &Model, at: Timestamp) -> String {
    let is_today = local(at, &model.time_zone, "%F") == local(model.now, &model.time_zone, "%F");
    local(at, &model.time_zone, if is_today { "%H:%M" } else { "%b %d %H:%M" })
}

/// The state of a row that has the same sign and colour.
const fn row_state(state: State) -> RowState {
    match state {
        State::Open => RowState::Open,
        State::Closing | State::Accepted => RowState::Accepted,
        State::CloseUnknown => RowState::CloseUnknown,
        State::Sending => RowState::Sending(CallId(0)),
        State::Unknown => RowState::Unknown,
        State::SetAside => RowState::SetAside,
        State::Refused => RowState::Refused,
        State::Draft => RowState::Draft,
        State::Closed => RowState::Closed(Closure::Verified),
    }
}
