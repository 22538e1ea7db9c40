//! The first line: which tenant, what is open there, what is under way, whether the service can be called, the time.

use jiff::Timestamp;
use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::dashboard::draw::{
    Theme,
    words::{age, columns, cut, local},
};
use crate::{
    dashboard::{Age, CreateAttempt, CreateState, Model, Remains, Row, ServiceState},
    keys::{Action, Scope},
};
use mmd_elevate_core::{SignIn, visible};

/// With fewer minutes left than this something is not as it should be: a sign-in is renewed when five are left.
const SCARCE: i64 = 4;

/// What stands on every screen of a dashboard that opens and closes nothing.
pub(super) const READ_ONLY: &str = "READ-ONLY";

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let room = usize::from(area.width);
    // What matters least goes first where the line is short: the program's name, the tenant's id, the clock, a sign-in
    // with which all is well. Which tenant it is always has its place.
    let (left, right) = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4)]
        .map(|(of_left, of_right)| (left(model, theme, of_left, room / 3), right(model, theme, of_right)))
        .into_iter()
        .find(|(left, right)| left.width() + right.width() + 1 < room)
        .unwrap_or_else(|| (left(model, theme, 2, room / 5), right(model, theme, 4)));
    let ends = area.width.saturating_sub(u16::try_from(left.width()).unwrap_or(u16::MAX).saturating_add(1));
    frame.render_widget(Paragraph::new(left), area);
    let beside = Rect { x: area.right() - ends, width: ends, ..area };
    frame.render_widget(Paragraph::new(right.right_aligned()), beside);
}

fn left(model: &Model, theme: &Theme, omitted: usize, room: usize) -> Line<'static> {
    let tenant = &model.tenant;
    let mut spans = vec![Span::raw(" ")];
    if omitted < 1 {
        spans.push(Span::styled("mmd-elevate", Theme::dim()));
        spans.push(Span::raw("  "));
    }
    let id = visible(&tenant.id);
    let name = tenant.name.as_deref().map_or_else(|| short_id(&id), |name| visible(name).into_owned());
    spans.push(Span::styled(cut(&name, room), theme.tenant()));
    if omitted < 2 && tenant.name.is_some() {
        spans.push(Span::styled(format!(" {}", short_id(&id)), Theme::dim()));
    }
    if tenant.practice {
        spans.push(Span::raw("  "));
        spans.push(Span::styled("PRACTICE TENANT", theme.practice()));
    }
    if model.read_only {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(READ_ONLY, theme.read_only()));
    }
    Line::from(spans)
}

/// Makes it unmistakable in a text that is drawn here that nothing is written.
pub(super) fn mark_read_only(frame: &mut Frame, area: Rect, text: &str, theme: &Theme) {
    let Some(at) = text.find(READ_ONLY) else { return };
    let columns = |text: &str| u16::try_from(columns(text)).unwrap_or(u16::MAX);
    let mark = Rect { x: area.x.saturating_add(columns(&text[..at])), width: columns(READ_ONLY), ..area };
    let mark = mark.intersection(area);
    frame.buffer_mut().set_style(mark, theme.read_only());
}

/// Returns the two ends of an id: enough to know it by.
#[must_use]
pub fn short_id(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    match chars.len() {
        0..=12 => id.to_owned(),
        length => {
            format!("{}…{}", chars[..4].iter().collect::<String>(), chars[length - 4..].iter().collect::<String>())
        }
    }
}

fn right(model: &Model, theme: &Theme, omitted: usize) -> Line<'static> {
    let mut parts = Vec::new();
    // What needs the agent at another tenant is seen from here.
    parts.extend(model.trouble_elsewhere().into_iter().map(|text| Span::styled(text, theme.doubt())));
    parts.extend(open(model, theme, omitted));
    let calls = model.awaited_calls().count();
    if calls > 0 {
        let style = if model.slow_call().is_some() { theme.doubt() } else { Style::new() };
        parts.push(Span::styled(format!("{calls} in flight"), style));
    }
    match &model.service {
        ServiceState::Starting => parts.push(Span::styled("starting", Theme::dim())),
        ServiceState::Ready => parts.extend(model.sign_in.as_ref().and_then(|it| sign_in(it, model, theme, omitted))),
        ServiceState::NotReady(_) => parts.push(Span::styled("no service", theme.failure())),
    }
    if omitted < 1 {
        parts.push(Span::styled(local(model.now, &model.time_zone, "%H:%M"), Theme::dim()));
    }
    let last = parts.len().saturating_sub(1);
    let apart = |(index, part)| [part, Span::raw(if index < last { "  " } else { " " })];
    parts.into_iter().enumerate().flat_map(apart).collect()
}

impl Model {
    /// What the title of the terminal's window says: the tenant, and what is open.
    #[must_use]
    pub fn title(&self) -> String {
        let tenant = self.tenant.name.as_deref().unwrap_or(&self.tenant.id);
        let open = open(self, &Theme::default(), 0).map_or_else(String::new, |open| format!(": {}", open.content));
        let count = |remains: &Remains| remains.open + remains.accepted + remains.unknown;
        let others = self.tenants.others().map(|(entry, summary)| (&entry.name, count(&summary.remains)));
        let others = others.filter(|(_, count)| *count > 0).map(|(name, count)| format!(", {name}: {count} open"));
        let read_only = if self.read_only { " (read-only)" } else { "" };
        format!("{}{read_only}{open}{} - mmd-elevate", visible(tenant), others.collect::<String>())
    }
}

/// How many of the agent's own requests are open, and the age of the oldest.
fn open(model: &Model, theme: &Theme, omitted: usize) -> Option<Span<'static>> {
    let is_open = |row: &Row<'_>| row.state.counts_as_open();
    // What may be open counts too.
    let is_unknown = |create: &CreateAttempt| matches!(create.state, CreateState::Unknown | CreateState::Looking(_));
    let unknown = model.requests.attempts().creates().filter(|(_, create)| is_unknown(create));
    let unknown = unknown.filter_map(|(row, _)| model.requests.get(row));
    let open: Vec<_> = model.requests.mine().filter(is_open).chain(unknown).collect();
    if open.is_empty() {
        return None;
    }
    let oldest = open.iter().filter_map(|row| Some((row.since?, row))).min_by_key(|(since, _)| *since);
    let (mut text, mut style) = (format!("{} open", open.len()), Style::new());
    if let Some((since, row)) = oldest {
        let band = model.requests.ages().of(row, model.now);
        let mark = if band.mark().is_empty() { String::new() } else { format!(" {}", band.mark()) };
        if omitted < 4 || band != Age::Fresh {
            text.push_str(&format!(" · oldest {}{mark}", age(since, model.now)));
        }
        if band != Age::Fresh {
            style = theme.age(band);
        }
    }
    Some(Span::styled(text, style))
}

/// What is wrong with signing in, in a word or two.
pub(super) fn sign_in_trouble(model: &Model) -> Option<String> {
    let minutes = |until: &Option<Timestamp>| until.map(|until| until.duration_since(model.now).as_mins().max(0));
    match model.sign_in.as_ref()? {
        SignIn::SignedOut(_) => Some("signed out".to_owned()),
        SignIn::NotRenewed { until, .. } => {
            Some(minutes(until).map_or("not renewed".to_owned(), |left| format!("{left} min left")))
        }
        SignIn::SignedIn { until } | SignIn::Renewing { until } => {
            minutes(until).filter(|left| *left < SCARCE).map(|left| format!("{left} min left"))
        }
        SignIn::SigningIn => None,
    }
}

/// Where signing in stands, in fewer words where there is less room. What the agent has to know stays.
fn sign_in(sign_in: &SignIn, model: &Model, theme: &Theme, omitted: usize) -> Option<Span<'static>> {
    let (what, until) = match sign_in {
        SignIn::SigningIn => ("signing in", None),
        SignIn::SignedIn { until } => ("signed in", *until),
        SignIn::Renewing { until } => ("renewing", *until),
        SignIn::NotRenewed { until, .. } => ("not renewed", *until),
        SignIn::SignedOut(_) => {
            let key = model.keymap.name(Scope::Panes, Action::SignIn);
            let text = if omitted > 2 { "signed out".to_owned() } else { format!("signed out, {key} signs in") };
            return Some(Span::styled(text, theme.failure()));
        }
    };
    // A token that the settings hold has been accepted by nobody yet.
    let is_untried = matches!(sign_in, SignIn::SignedIn { until: None }) && !model.was_accepted;
    let what = if is_untried { "token set, not tried" } else { what };
    let left = until.map(|until| until.duration_since(model.now).as_mins().max(0));
    let is_well = !matches!(sign_in, SignIn::NotRenewed { .. }) && left.is_none_or(|left| left >= SCARCE);
    if is_well && omitted > 2 {
        return None;
    }
    let text = match left {
        Some(left) if omitted > 1 => format!("{left} min left"),
        Some(left) => format!("{what}, {left} min left"),
        None => what.to_owned(),
    };
    Some(Span::styled(text, if is_well { Theme::dim() } else { theme.doubt() }))
}
