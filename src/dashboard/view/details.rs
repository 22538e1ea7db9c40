//! The details of a request: what was planned and done, and beside it what is known of it.

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::dashboard::draw::{
    Theme, draw_more_below, scroll,
    words::{age, columns, counted, cut, local, wrap},
};
use crate::{
    dashboard::{Closure, Model, Pane, Row, RowState, names::viewers},
    keys::{Action, Scope},
};
use mmd_elevate_core::{CallError, Field, MatchResult, Progress, ServiceTime, Untrusted, WriteState, visible};

/// How wide the labels of facts are.
const LABELS: usize = 10;

/// From this width on texts and facts stand side by side.
const SIDE_BY_SIDE: u16 = 96;

/// How many other requests of the device are named.
const NAMED: usize = 3;

/// Draws the details of a row. Returns how far they can be scrolled.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, row: Option<Row<'_>>) -> u16 {
    let focused = model.pane == Pane::Details && model.overlays.is_empty() || !model.overlays.is_empty();
    let Some(row) = row else {
        let block = theme.panel("Details", "", focused);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        frame.render_widget(Line::styled("The selected request is shown here.", Theme::dim()), inner);
        return 0;
    };
    let time = local(row.as_of, &model.time_zone, "%H:%M:%S");
    let as_of = if row.state.in_flight() { format!("since {time}") } else { format!("as of {time}") };
    let key = model.keymap.name(Scope::Panes, Action::ToggleDetails);
    let right = if focused || area.width < 60 { as_of } else { format!("{as_of}  {key} hides") };
    let width = usize::from(area.width.saturating_sub(8)).saturating_sub(columns(&right));
    let title = cut(&format!("{}  {}", row.text(Field::Ticket), row.text(Field::Title)), width);
    let block = theme.panel(&title, &right, focused);
    let inner = block.inner(area);
    if inner.width < SIDE_BY_SIDE {
        let mut lines = texts(&row, model, theme, usize::from(inner.width));
        lines.push(Line::default());
        lines.extend(facts(&row, model, theme, usize::from(inner.width)));
        return scroll::draw(frame, area, block, lines, model.details_scroll);
    }
    frame.render_widget(block, area);
    let [left, rule, right] =
        Layout::horizontal([Constraint::Percentage(54), Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
    for y in rule.y..rule.bottom() {
        frame.render_widget(Line::styled(theme.vertical_rule(), Theme::dim()), Rect { y, height: 1, ..rule });
    }
    let texts = texts(&row, model, theme, usize::from(left.width.saturating_sub(1)));
    let of_texts = scroll::draw_column(frame, left, texts, model.details_scroll);
    let facts = facts(&row, model, theme, usize::from(right.width));
    let of_facts = scroll::draw_column(frame, right, facts, model.details_scroll);
    let limit = of_texts.max(of_facts);
    let below = limit.saturating_sub(model.details_scroll);
    if below > 0 {
        draw_more_below(frame, area, below);
    }
    limit
}

/// A few lines about the selected request, for a list without a sheet.
pub(super) fn strip(model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let Some(row) = model.requests.selected() else { return Vec::new() };
    let state = format!("{} {}{}", theme.state_sign(row.state), model.state_word(&row), certainty(row.state));
    let device =
        model.devices.find(&row.text(Field::Device)).map_or_else(String::new, |device| format!("  {}", device.about));
    let band = model.requests.ages().of(&row, model.now).mark();
    let old = row
        .since
        .filter(|_| row.state.is_open())
        .map_or_else(String::new, |since| format!(" {}", age(since, model.now)));
    let old = if band.is_empty() { old } else { format!("{old} {band}") };
    let first = format!("{}  {state}{old}  {}{device}", row.text(Field::Ticket), row.text(Field::Device));
    let mut lines = vec![Line::styled(cut(&first, width), theme.state(row.state))];
    let problem = row.error.map(CallError::what).or_else(|| notes(&row, model).into_iter().next());
    lines.extend(problem.map(|problem| Line::styled(cut(&theme.uncertain(&problem), width), theme.doubt())));
    let unsent = row.unsent_text().map(|text| ("Your text", visible(text.first_line()).into_owned()));
    let taken = row.request.map(|request| &request.actions_taken).filter(|taken| !taken.is_blank());
    let taken = taken.map(|taken| ("Actions", taken.visible_lines().collect::<Vec<_>>().join(" ")));
    let planned = || plan(&row).visible_lines().collect::<Vec<_>>().join(" ");
    let (label, text) = unsent.or(taken).unwrap_or_else(|| ("Plan", planned()));
    lines.push(Line::from(vec![
        Span::styled(format!("{label} "), Theme::dim()),
        Span::raw(cut(&text, width.saturating_sub(label.len() + 1))),
    ]));
    let others = others_on_device(&row, model);
    lines.extend(
        (!others.is_empty()).then(|| {
            Line::styled(cut(&format!("Also open on this device: {}", others.join(", ")), width), theme.doubt())
        }),
    );
    lines
}

/// The other open requests that are known of the row's device: ticket, agent and age.
fn others_on_device(row: &Row<'_>, model: &Model) -> Vec<String> {
    let device = row.device();
    if device.is_blank() || row.state.is_past() {
        return Vec::new();
    }
    let others = model.requests.open_on(device.raw()).filter(|other| other.id != row.id);
    let others = others.map(|other| {
        let age = other.since.map_or_else(String::new, |since| format!(" {}", age(since, model.now)));
        format!("{} {}{age}", cut(&other.text(Field::Ticket), 16), model.opener(&other))
    });
    others.take(NAMED).collect()
}

fn plan(row: &Row<'_>) -> Untrusted {
    let stored = row.request.map(|request| request.plan_of_action.clone()).filter(|plan| !plan.is_blank());
    stored.unwrap_or_else(|| Untrusted::new(row.draft.map_or("", |draft| draft.get(Field::PlanOfAction))))
}

/// Collects lines: labelled values, and texts that wrap at words.
struct Sheet {
    lines: Vec<Line<'static>>,
    width: usize,
}

impl Sheet {
    const fn new(width: usize) -> Self {
        Self { lines: Vec::new(), width }
    }

    /// A value beside its label, on as many lines as it needs.
    fn value(&mut self, label: &str, value: &str, style: Style) {
        if value.trim().is_empty() {
            return;
        }
        for (index, line) in wrap(value, self.width.saturating_sub(LABELS)).into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let label = Span::styled(format!("{label:<LABELS$}"), Theme::dim());
            self.lines.push(Line::from(vec![label, Span::styled(line.into_owned(), style)]));
        }
    }

    fn text<'a>(&mut self, label: &'static str, text: impl Iterator<Item = Cow<'a, str>>) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(label, Theme::dim()));
        for line in text {
            let wrapped = wrap(&line, self.width.saturating_sub(1).max(1));
            self.lines.extend(wrapped.into_iter().map(|line| Line::raw(format!(" {line}"))));
        }
    }

    fn prose(&mut self, text: &str, style: Style) {
        let wrapped = wrap(text, self.width.max(1));
        self.lines.extend(wrapped.into_iter().map(|line| Line::styled(line.into_owned(), style)));
    }
}

/// What is in doubt, what was planned, and what was done.
fn texts(row: &Row<'_>, model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(width);
    if let Some(error) = row.error {
        let style = if error.may_have_happened() { theme.doubt() } else { theme.failure() };
        let style = if matches!(row.state, RowState::Closed(_)) { Style::new() } else { style };
        sheet.prose(&error.what(), style);
        sheet.prose(&format!("hint: {}", error.hint()), Style::new());
    }
    for note in notes(row, model) {
        sheet.prose(&note, theme.doubt());
    }
    if let Some(unsent) = row.unsent_text() {
        let label = match row.state {
            RowState::Closed(Closure::StoredDifferently) => "Your text, as you typed it",
            RowState::Closed(Closure::PerhapsOurs) => "Your text, which the service may not have stored",
            _ => "Your text, which the service did not store",
        };
        sheet.text(label, unsent.lines().iter().map(|line| visible(line)));
    }
    let taken = row.request.map(|request| &request.actions_taken).filter(|taken| !taken.is_blank());
    // Two texts of one close stand side by side.
    let beside = row.unsent_text().is_some();
    if let Some(taken) = taken.filter(|_| beside) {
        sheet.text("Actions taken", taken.visible_lines());
    }
    sheet.text("Plan of action", plan(row).visible_lines());
    match taken.filter(|_| !beside) {
        Some(taken) => sheet.text("Actions taken", taken.visible_lines()),
        None if !beside && row.request.is_some() && row.state.is_open() => {
            let typed = row.actions_taken.filter(|text| !text.is_blank());
            match typed {
                Some(typed) => {
                    sheet.text("Actions taken, not sent yet", typed.lines().iter().map(|line| visible(line)));
                }
                None => sheet.text("Actions taken", std::iter::once("– still open –".into())),
            }
        }
        None => {}
    }
    sheet.lines
}

/// State, who opened and closed it, the device, who looked at the password, the history of its writes.
fn facts(row: &Row<'_>, model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(width);
    let mut state = format!("{} {}{}", theme.state_sign(row.state), model.state_word(row), certainty(row.state));
    let band = model.requests.ages().of(row, model.now);
    if let (true, Some(since)) = (row.state.is_open(), row.since) {
        state.push_str(&format!(" for {} {}", age(since, model.now), band.mark()));
    }
    sheet.value("State", state.trim_end(), theme.state(row.state));
    let device =
        model.devices.find(&row.text(Field::Device)).map_or_else(String::new, |device| format!(" · {}", device.about));
    sheet.value("Device", &format!("{}{device}", row.text(Field::Device)), Style::new());
    for other in others_on_device(row, model) {
        sheet.value("", &format!("also open here: {other}"), theme.doubt());
    }
    sheet.value("Ticket", &row.text(Field::Ticket), Style::new());
    sheet.value("Title", &row.text(Field::Title), Style::new());
    sheet.value("Category", &row.categories(" / "), Style::new());
    if let Some(request) = row.request {
        let by = |upn: &Untrusted| if upn.is_blank() { String::new() } else { format!(" by {}", upn.visible()) };
        if let Some(created) = &request.created {
            sheet.value("Opened", &format!("{}{}", time(created, model), by(&request.requested_by)), Style::new());
        } else {
            sheet.value("Opened by", &request.requested_by.visible(), Style::new());
        }
        if let Some(closed) = &request.closed {
            sheet.value("Closed", &format!("{}{}", time(closed, model), by(&request.closed_by)), Style::new());
        }
        let viewed = match viewers(&request.viewers) {
            nobody if request.viewers.is_empty() => format!("{nobody} has looked at the password"),
            names => names,
        };
        sheet.value("Viewed by", &viewed, Style::new());
        sheet.value("Id", &request.id.text().visible(), Style::new());
    }
    if let Some(error) = row.error {
        if let Some(id) = &error.ids.service {
            sheet.value("Service's", &format!("id {}", id.visible()), Theme::dim());
        }
        if let Some(id) = &error.ids.client {
            sheet.value("Call's", &format!("id {id}"), Theme::dim());
        }
    }
    history(row, model, &mut sheet);
    sheet.lines
}

/// What a step of a write is called.
const fn step_word(state: WriteState) -> &'static str {
    match state {
        WriteState::Intended => "recorded",
        WriteState::Sending => "sent",
        WriteState::Waiting => "waits to be sent again",
        WriteState::Unknown => "unknown",
        WriteState::Done => "confirmed",
        WriteState::NotDone => "not done",
        WriteState::SetAside => "set aside",
    }
}

/// When each write of the request was recorded, sent, unknown, confirmed, and why.
fn history(row: &Row<'_>, model: &Model, sheet: &mut Sheet) {
    let writes = match model.histories.get(row.id) {
        Some(Ok(writes)) => writes,
        Some(Err(error)) => return sheet.value("Record", &format!("not read: {}", error.what()), Theme::dim()),
        None => return,
    };
    for write in writes {
        for (index, step) in write.steps.iter().enumerate() {
            let label = if index == 0 { write.kind } else { "" };
            let time = local(step.at, &model.time_zone, "%b %d %H:%M:%S");
            let why = step.why.as_ref().map_or_else(String::new, |why| format!(": {}", why.visible()));
            sheet.value(label, &format!("{time} {}{why}", step_word(step.state)), Theme::dim());
        }
    }
}

/// What is in doubt about the request, or what the agent should know of it.
fn notes(row: &Row<'_>, model: &Model) -> Vec<String> {
    let mut notes = Vec::new();
    match row.seen {
        Some((MatchResult::Possible(possible), _)) => {
            let count = counted(possible.len(), "request", "requests");
            let key = model.keymap.name(Scope::List, Action::Open);
            let decides =
                if row.state == RowState::Unknown { format!("; {key} on its row decides") } else { String::new() };
            notes.push(format!("{count} at the service may be it{decides}."));
        }
        Some((MatchResult::NotSeen | MatchResult::Found { .. }, at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            notes.push(format!("Not seen at {at}; that does not prove that it is not there."));
        }
        Some((MatchResult::Unclear(gaps), at)) => {
            let at = local(*at, &model.time_zone, "%H:%M:%S");
            notes.push(format!("Looked at {at}, and it may be there unseen: {}.", gaps.describe()));
            notes.extend(gaps.hint().map(|hint| format!("hint: {hint}")));
        }
        None => {}
    }
    if row.state.call().is_some_and(|call| model.is_waiting(call)) {
        let key = model.keymap.name(Scope::Panes, Action::Abandon);
        notes.push(format!("It waits until one of four writes has ended; {key} takes it back."));
    }
    match row.state.call().and_then(|call| model.calls.get(&call)?.progress.as_ref()) {
        Some(Progress::Waiting { until, attempt, error }) => {
            let at = local(*until, &model.time_zone, "%H:%M:%S");
            let key = model.keymap.name(Scope::Panes, Action::Abandon);
            notes.push(format!("{} It goes out again at {at}, attempt {attempt}; {key} abandons it.", error.what()));
        }
        Some(Progress::LookingFirst) => {
            notes.push("The service asked to wait. The device is listed before it goes out again.".to_owned());
        }
        Some(Progress::ReadingBack) => notes.push("The service took the close; it is being read back.".to_owned()),
        _ => {}
    }
    if let Some(accepted) = row.sent_close.filter(|_| row.state == RowState::Accepted) {
        let time = |at| local(at, &model.time_zone, "%H:%M");
        let key = model.keymap.name(Scope::Panes, Action::Refresh);
        let word = model.keymap.name(Scope::List, Action::TakeAsClosed);
        notes.push(match (accepted.listed_open, accepted.accepted) {
            (Some(at), _) => format!(
                "The close was accepted, but the request is still listed as open at {}. {key} looks again; closing it once \
                 more is harmless.",
                time(at)
            ),
            (None, at) => format!(
                "The close was accepted{}, and no list has shown it yet: it counts as open until one does. {key} looks again, \
                 {word} takes it as closed.",
                at.map_or_else(String::new, |at| format!(" at {}", time(at)))
            ),
        });
    }
    if row.surplus {
        notes.push("Surplus: it equals another one, and counts against the device's limit.".to_owned());
    }
    if let Some(at) = row.unlisted {
        let at = local(at, &model.time_zone, "%H:%M:%S");
        notes.push(format!("The service did not list it at {at}."));
    }
    if let Some(why) = row.unread {
        notes.push(format!("The list could not be read: {}", why.what()));
        notes.push(format!("hint: {}", why.hint()));
    }
    notes
}

/// How sure it is that the request is in this state.
const fn certainty(state: RowState) -> &'static str {
    match state {
        RowState::Closed(Closure::Verified) => ", verified",
        RowState::Closed(Closure::StoredDifferently) => ", stored differently",
        RowState::Closed(Closure::PerhapsOurs) => ", perhaps by this program",
        RowState::Accepted => ", not yet visible",
        RowState::Closed(Closure::OnWord) => ", on your word",
        RowState::Closed(Closure::Elsewhere) => " elsewhere",
        RowState::Closed(Closure::Gone) => ": does not exist",
        RowState::Looking(_) => ", being looked for",
        _ => "",
    }
}

/// Local time, and the time in UTC; a time that no calendar holds is shown as it came.
fn time(time: &ServiceTime, model: &Model) -> String {
    time.at.map_or_else(
        || time.text.visible().into_owned(),
        |at| {
            let here = local(at, &model.time_zone, "%Y-%m-%d %H:%M");
            format!("{here} ({})", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        },
    )
}
