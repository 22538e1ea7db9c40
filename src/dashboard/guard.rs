//! The device guard: before a request is sent, its device is listed, so that nobody opens a second one without knowing of the
//! first. What is open is told once; the same key again sends.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    Effect, Model, Notice, Overlay, Pane, PointerTarget, Regions, Row, RowId, RowState, ServiceState, Subject, create,
    draw::{
        Theme, draw_keys,
        words::{age, cut, fit, local},
    },
    leaving,
    names::viewers,
    refresh,
};
use crate::keys::{Action, Motion, Scope};
use jiff::{SignedDuration, Timestamp};
use mmd_elevate_core::{
    Call, CallError, CallId, ElevationRequest, ErrorCode, Field, Gaps, Query, RequestId, normal_device_name,
};

/// How long sending waits for the list of the device.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long a list of a device is recent.
const RECENT: SignedDuration = SignedDuration::from_secs(30);

/// How many requests are named in a notice.
const NAMED: usize = 2;

/// A list of a device that is being read.
#[derive(Clone, Debug)]
struct DeviceCheck {
    /// The device, as it is compared.
    device: String,
    /// The row that is sent once the list is known.
    row: Option<RowId>,
    /// When it began, as [`Model::elapsed`] stood then.
    began: Duration,
    /// The time of day then: what was learnt later is newer than the list.
    at: Timestamp,
    /// The open requests that the pages so far have of the device.
    listed: Vec<RequestId>,
    /// What the agent of the row was told of before.
    told: BTreeSet<RequestId>,
}

/// What is known of the requests that are open on the form's device.
#[derive(Clone, Debug, Default)]
pub struct DeviceGuard {
    checks: BTreeMap<CallId, DeviceCheck>,
    /// The device that was listed last, as it is compared.
    device: String,
    /// What that list had, and when.
    open: Option<(Vec<RequestId>, Timestamp)>,
    /// The requests that the agent was told of for the draft in the form.
    told: BTreeSet<RequestId>,
}

impl DeviceGuard {
    /// How long until sending waits no longer.
    pub(super) fn due_in(&self, model: &Model) -> Option<Duration> {
        let waiting = self.checks.values().filter(|check| check.row.is_some());
        waiting.map(|check| (check.began + PATIENCE).saturating_sub(model.elapsed)).min()
    }

    /// Whether this device is being listed.
    fn is_asking(&self, device: &str) -> bool {
        self.checks.values().any(|check| check.device == device)
    }
}

impl Model {
    /// The device in the form.
    fn form_device(&self) -> String {
        self.form.field(Field::Device).first_line().trim().to_owned()
    }

    /// Whether the device in the form is being listed.
    #[must_use]
    pub fn is_checking_device(&self) -> bool {
        self.guard.is_asking(&normal_device_name(&self.form_device()))
    }

    /// When the device in the form was listed last.
    #[must_use]
    pub fn device_checked_at(&self) -> Option<Timestamp> {
        let is_it = self.guard.device == normal_device_name(&self.form_device());
        self.guard.open.as_ref().filter(|_| is_it).map(|(_, at)| *at)
    }

    /// The requests that are known to be open on the form's device, the oldest first.
    #[must_use]
    pub fn open_on_device(&self) -> Vec<Row<'_>> {
        if self.guard.device != normal_device_name(&self.form_device()) {
            return Vec::new();
        }
        self.open_of(self.guard.open.as_ref().map_or(&[][..], |(ids, _)| ids))
    }

    /// Those of these requests that are open, the oldest first.
    fn open_of(&self, ids: &[RequestId]) -> Vec<Row<'_>> {
        let mut rows: Vec<_> =
            ids.iter().filter_map(|id| self.requests.find(id)).filter(|row| row.state.counts_as_open()).collect();
        rows.sort_by_key(|row| (row.since, row.id));
        rows
    }

    /// What is open on the form's device, where the agent was told of all of it: sending again sends all the same.
    pub(super) fn confirmable_device_requests(&self) -> Option<Vec<RequestId>> {
        let rows = self.open_on_device();
        let is_told = |row: &Row<'_>| row.request_id().is_some_and(|id| self.guard.told.contains(id));
        let is_asked = !rows.is_empty() && rows.iter().all(is_told) && self.form.sending().is_none();
        is_asked.then(|| rows.iter().filter_map(|row| row.request_id().cloned()).collect())
    }

    /// What is open on the form's device, in a sentence.
    #[must_use]
    pub fn describe_open_on_device(&self) -> Option<String> {
        let rows = self.open_on_device();
        (!rows.is_empty()).then(|| describe_all(self, &rows))
    }
}

/// "2 open on MMD-1: you 3 h INC-1 · ana 20 min INC-2".
fn describe_all(model: &Model, rows: &[Row<'_>]) -> String {
    let one = |row: &Row<'_>| {
        let since = row.since.map_or_else(String::new, |since| format!("{} ", age(since, model.now)));
        format!("{} {since}{}", model.opener(row), cut(&row.text(Field::Ticket), 16))
    };
    let named: Vec<_> = rows.iter().take(NAMED).map(one).collect();
    let more = if rows.len() > NAMED { format!(" and {} more", rows.len() - NAMED) } else { String::new() };
    let device = rows.first().map_or_else(String::new, |row| cut(&row.text(Field::Device), 20));
    format!("{} open on {device}: {}{more}", rows.len(), named.join(" · "))
}

/// The form's device was left: what is open on it is asked for, or told where it has just been listed.
pub(super) fn ask_after_leaving(model: &mut Model, had_focus: Option<Field>) -> Option<Effect> {
    let left = had_focus == Some(Field::Device) && super::paste::field_in_focus(model) != Some(Field::Device);
    if model.form.is_empty() {
        // The next draft is another one.
        model.guard.told.clear();
    }
    if left && model.form.sending().is_none() { ask_about_form(model) } else { None }
}

/// Tells what is open on the form's device where that has just been listed. Returns whether it has.
fn tell_recent(model: &mut Model) -> bool {
    let is_recent = model.device_checked_at().is_some_and(|at| model.now.duration_since(at).abs() < RECENT);
    if is_recent {
        tell(model);
    }
    is_recent
}

/// Lists the device of a draft that has just come into the form, unless it was listed lately.
pub(super) fn ask_about_form(model: &mut Model) -> Option<Effect> {
    let device = model.form_device();
    if device.is_empty() || model.is_checking_device() || tell_recent(model) {
        return None;
    }
    ask(model, &device, None)
}

/// Lists the device. `row` is the one that waits for it. `None`: the service cannot be asked now.
pub(super) fn ask(model: &mut Model, device: &str, row: Option<RowId>) -> Option<Effect> {
    if matches!(model.service, ServiceState::NotReady(_)) {
        return None;
    }
    let call = model.begin_call(Subject::Device(row), format!("looking what is open on {}", cut(device, 20)));
    // The next draft is another one.
    let told = if row.is_some() { std::mem::take(&mut model.guard.told) } else { BTreeSet::new() };
    let (began, at, listed) = (model.elapsed, model.now, Vec::new());
    model.guard.checks.insert(call, DeviceCheck { device: normal_device_name(device), row, began, at, listed, told });
    Some(Effect::Call(call, Call::List(Query::Device(device.to_owned()))))
}

/// The call that a row waits for before it is sent.
pub(super) fn call_of(model: &Model, row: RowId) -> Option<CallId> {
    model.guard.checks.iter().find(|(_, check)| check.row == Some(row)).map(|(call, _)| *call)
}

/// A row waits no longer: it is not to be sent.
pub(super) fn forget(model: &mut Model, row: RowId) {
    for check in model.guard.checks.values_mut().filter(|check| check.row == Some(row)) {
        check.row = None;
    }
}

/// A page of the device's requests.
pub(super) fn apply_page(model: &mut Model, call: CallId, page: Vec<ElevationRequest>) {
    let mut at = model.now;
    if let Some(check) = model.guard.checks.get_mut(&call) {
        at = check.at;
        let open = page
            .iter()
            .filter(|request| normal_device_name(request.device.raw()) == check.device && request.closed.is_none());
        check.listed.extend(open.map(|request| request.id.clone()));
    }
    refresh::take_listed(model, page, at);
}

/// The device was listed, or could not be.
pub(super) fn apply(model: &mut Model, call: CallId, result: Result<(Gaps, Timestamp), CallError>) -> Vec<Effect> {
    let Some(check) = model.guard.checks.remove(&call) else { return Vec::new() };
    let row = check.row.filter(|row| model.requests.get(*row).is_some_and(|row| row.state == RowState::Checking(call)));
    let unchecked = match result {
        Ok((gaps, at)) => {
            let is_new = |row: &Row<'_>| row.request_id().is_some_and(|id| !check.told.contains(id));
            let has_new = model.open_of(&check.listed).iter().any(is_new);
            let is_of_form = row.is_some() || check.device == normal_device_name(&model.form_device());
            if is_of_form {
                (model.guard.device, model.guard.open) = (check.device, Some((check.listed.clone(), at)));
            }
            if let (Some(row), true) = (row, has_new) {
                hold_and_tell(model, row, &check.listed);
                return Vec::new();
            }
            (!gaps.is_empty()).then(|| gaps.describe())
        }
        Err(error) if error.code == Some(ErrorCode::Crashed) && row.is_none() => None,
        Err(error) => Some(error.what()),
    };
    if let Some(row) = row {
        return create::send_checked(model, row, unchecked);
    }
    if model.pane == Pane::Form && model.overlays.is_empty() {
        let is_told = tell(model);
        if let Some(why) = unchecked.filter(|_| !is_told) {
            let device = cut(&model.form_device(), 20);
            model.notice = Some(
                Notice::doubt(format!("What is open on {device} was not checked: {why}"))
                    .hint("it may have open requests; the service refuses too many"),
            );
        }
    }
    Vec::new()
}

/// Sending waits no longer for a list that does not come.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    let is_due = |check: &&DeviceCheck| check.began + PATIENCE <= model.elapsed;
    let due = model.guard.checks.iter().filter(|(_, check)| is_due(check));
    let due: Vec<_> = due.filter_map(|(call, check)| Some((*call, check.row?))).collect();
    let mut effects = Vec::new();
    for (call, row) in due {
        model.guard.checks.remove(&call);
        effects.push(Effect::Abandon(call));
        let why = format!("the service has not listed it for {} s", PATIENCE.as_secs());
        effects.extend(create::send_checked(model, row, Some(why)));
    }
    effects
}

/// Does not send the row, and tells what is open on its device.
fn hold_and_tell(model: &mut Model, row: RowId, listed: &[RequestId]) {
    let rows = model.open_of(listed);
    let what = format!("Not sent yet: {}", describe_all(model, &rows));
    let ids: Vec<_> = rows.iter().filter_map(|row| row.request_id().cloned()).collect();
    create::hold(model, row);
    // Who was on the way out has to read this.
    leaving::stay(model);
    let hint = if model.pane == Pane::Form {
        model.guard.told.extend(ids);
        let key = |action| model.keymap.name(Scope::Form, action);
        format!("{} shows them; {} again sends all the same", key(Action::ShowDevice), key(Action::Submit))
    } else if model.requests.get(row).is_some() {
        format!("{} on its row takes it up again", model.keymap.name(Scope::List, Action::Open))
    } else {
        format!("{} goes back to the draft", model.keymap.name(Scope::Panes, Action::NewRequest))
    };
    model.notice = Some(Notice::doubt(what).hint(hint));
}

/// Tells what is open on the form's device where the agent was not told yet. Returns whether it did.
fn tell(model: &mut Model) -> bool {
    let rows = model.open_on_device();
    let is_new = |row: &Row<'_>| row.request_id().is_some_and(|id| !model.guard.told.contains(id));
    if !rows.iter().any(is_new) {
        return false;
    }
    let (what, key) = (describe_all(model, &rows), model.keymap.name(Scope::Form, Action::ShowDevice));
    let ids: Vec<_> = rows.iter().filter_map(|row| row.request_id().cloned()).collect();
    model.notice = Some(Notice::doubt(what).hint(format!("{key} shows them")));
    model.guard.told.extend(ids);
    true
}

/// Opens the panel. What it shows is told.
pub(super) fn open_panel(model: &mut Model) {
    let rows = model.open_on_device();
    let Some(first) = rows.first().map(|row| row.id) else { return };
    let ids: Vec<_> = rows.iter().filter_map(|row| row.request_id().cloned()).collect();
    model.guard.told.extend(ids);
    model.overlays.push(Overlay::Device(first));
}

/// Chooses among the requests of the panel.
pub(super) fn choose(model: &mut Model, motion: Motion) {
    let rows: Vec<_> = model.open_on_device().iter().map(|row| row.id).collect();
    let Some(Overlay::Device(chosen)) = model.overlays.last_mut() else { return };
    let at = rows.iter().position(|row| row == chosen).unwrap_or(0);
    let last = rows.len().saturating_sub(1);
    if let Some(row) = rows.get(motion.from(at, last)) {
        *chosen = *row;
    }
}

/// Draws the panel.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, chosen: RowId, regions: &mut Regions) {
    let rows = model.open_on_device();
    let device = cut(&model.form_device(), 24);
    let checked = model.device_checked_at();
    let checked = checked.map_or_else(String::new, |at| format!("checked {}", local(at, &model.time_zone, "%H:%M:%S")));
    let title = format!("Already open on {device}");
    let block = theme.panel(&title, &checked, true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let count =
        if rows.len() == 1 { "1 request is open".to_owned() } else { format!("{} requests are open", rows.len()) };
    let mut lines = vec![Line::raw(format!("{count} on this device. Nothing was sent."))];
    let (ticket, by, old, viewed) = (13, 9, 9, 14);
    let title_width = width.saturating_sub(2 + ticket + by + old + viewed);
    let heading = format!(
        "  {}{}{}{}{}",
        fit("Ticket", ticket),
        fit("By", by),
        fit("Age", old),
        fit("Viewed by", viewed),
        fit("Title", title_width)
    );
    lines.push(Line::styled(cut(&heading, width), Theme::dim()));
    let keys = draw_keys(model, theme, width);
    let room = usize::from(inner.height).saturating_sub(lines.len() + keys.len());
    let at = rows.iter().position(|row| row.id == chosen).unwrap_or(0);
    for row in rows.iter().skip(at.saturating_sub(room.saturating_sub(1))).take(room) {
        let marked = row.id == chosen;
        let old_text = row.since.map_or_else(|| "–".to_owned(), |since| age(since, model.now));
        let mark = model.requests.ages().of(row, model.now);
        let text = format!(
            "{}{}{}{}{}",
            fit(&cut(&row.text(Field::Ticket), ticket - 1), ticket),
            fit(&cut(&model.opener(row), by - 1), by),
            fit(&format!("{old_text} {}", mark.mark()), old),
            fit(&cut(&row.request.map_or_else(String::new, |r| viewers(&r.viewers)), viewed - 1), viewed),
            cut(&row.text(Field::Title), title_width)
        );
        let y = inner.y.saturating_add(u16::try_from(lines.len()).unwrap_or(u16::MAX));
        regions.add(Rect { y, height: 1, ..inner }.intersection(inner), PointerTarget::DeviceRow(row.id));
        let style = if marked { theme.selection(true) } else { ratatui::style::Style::new() };
        lines.push(Line::from(vec![
            Span::styled(theme.selected_mark(marked), theme.accent()),
            Span::styled(fit(&text, width.saturating_sub(2)), style),
        ]));
    }
    let above = Rect { height: inner.height.saturating_sub(u16::try_from(keys.len()).unwrap_or(0)), ..inner };
    let below = Rect { y: above.bottom(), height: inner.height - above.height, ..inner };
    frame.render_widget(ratatui::widgets::Paragraph::new(lines), above);
    frame.render_widget(ratatui::widgets::Paragraph::new(keys), below);
}
