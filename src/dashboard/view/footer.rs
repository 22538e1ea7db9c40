//! The last lines: what just happened, and the keys that work here.

use std::borrow::Cow;

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::dashboard::draw::{
    Theme, line_with_ends,
    words::{columns, cut, fit, wrap},
};
use crate::{
    dashboard::{Model, Notice, Overlay, Pane, RowState},
    keys::{Action, Scope, Tab},
};
use mmd_elevate_core::{Field, visible};

/// What just happened, in at most `most` lines of this width. Words that have no room are cut where that is seen, and never
/// push the hint out.
pub(super) fn notice_lines(model: &Model, theme: &Theme, width: usize, most: u16) -> Vec<Line<'static>> {
    let most = usize::from(most).max(1);
    let mut lines = Vec::new();
    let slow = model.slow_call().map(|(call, age)| {
        let text = format!("? Still {} after {} s; the keys work meanwhile", call.label, age.as_secs());
        Line::styled(cut(&format!(" {text}"), width), theme.doubt())
    });
    if let Some(notice) = model.notice.as_ref().filter(|_| !model.is_said_by_overlay()) {
        let beside = model.notices.beside.as_ref().filter(|_| most > 1);
        let room = most - usize::from(beside.is_some()) - usize::from(slow.is_some() && most > 1);
        lines.extend(beside.map(|notice| one_line(notice, theme, width)));
        lines.extend(notice_in(notice, model, theme, width, room.max(1)));
    } else if slow.is_none()
        && let Some(line) = standing_line(model, theme, width)
    {
        lines.push(line);
    }
    lines.extend(slow.filter(|_| lines.len() < most));
    lines
}

fn one_line(notice: &Notice, theme: &Theme, width: usize) -> Line<'static> {
    let text = format!(" {} {}", theme.tone_sign(notice.tone), notice.text);
    Line::styled(cut(&text, width), theme.tone(notice.tone))
}

/// A notice in at most so many lines: in one with its hint at the right end where both fit, or else its text and then its
/// hint.
fn notice_in(notice: &Notice, model: &Model, theme: &Theme, width: usize, most: usize) -> Vec<Line<'static>> {
    let text = format!("{} {}", theme.tone_sign(notice.tone), notice.text);
    let style = theme.tone(notice.tone);
    let Some(hint) = &notice.hint else {
        return wrapped(&text, width, most, model).into_iter().map(|line| Line::styled(line, style)).collect();
    };
    let hint = format!("hint: {hint}");
    if 1 + columns(&text) + 2 + columns(&hint) < width {
        let left = fit(&format!(" {text}"), width.saturating_sub(columns(&hint) + 1));
        return vec![Line::from(vec![Span::styled(left, style), Span::styled(format!("{hint} "), Theme::dim())])];
    }
    if most == 1 {
        // The hint has up to half of the line.
        let hint = cut(&hint, width / 2);
        let left = fit(&cut(&format!(" {text}"), width.saturating_sub(columns(&hint) + 2)), width - columns(&hint) - 1);
        return vec![Line::from(vec![Span::styled(left, style), Span::styled(format!("{hint} "), Theme::dim())])];
    }
    let hints = wrapped(&hint, width.saturating_sub(2), most - 1, model);
    let texts = wrapped(&text, width, most - hints.len().min(most - 1), model);
    let mut lines: Vec<_> = texts.into_iter().map(|line| Line::styled(line, style)).collect();
    lines.extend(hints.into_iter().map(|line| Line::styled(format!("  {line}"), Theme::dim())));
    lines
}

/// The text on at most so many lines, each behind a blank. What is cut says by which key it is seen whole.
fn wrapped(text: &str, width: usize, most: usize, model: &Model) -> Vec<String> {
    let room = width.saturating_sub(2).max(1);
    let mut lines: Vec<_> = wrap(text, room).into_iter().map(|line| format!(" {line}")).collect();
    if lines.len() > most {
        // Where the key types a character, it is not named.
        let is_reachable = model.scopes().contains(&Scope::Panes);
        let key = model.keymap.name(Scope::Panes, Action::ShowNotices);
        let more = if is_reachable { format!("… ({key} shows all)") } else { "…".to_owned() };
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let all = format!("{last} {}", "x".repeat(width));
            let kept =
                cut(&all, width.saturating_sub(columns(&more))).trim_end_matches(['x', '…']).trim_end().to_owned();
            *last = format!("{kept} {more}");
            *last = cut(last, width);
        }
    }
    lines
}

/// What stands where nothing has just happened: the draft that waits in the form, or how the list of the tab comes about.
fn standing_line(model: &Model, theme: &Theme, width: usize) -> Option<Line<'static>> {
    if let Some(Overlay::Close(_)) = model.overlays.last() {
        let text = " Closing ends the request; when the device takes the rights back is up to the service.";
        return Some(Line::styled(cut(text, width), Theme::dim()));
    }
    if model.pane == Pane::Form
        && model.overlays.is_empty()
        && let Some(open) = model.describe_open_on_device()
    {
        let key = model.keymap.name(Scope::Form, Action::ShowDevice);
        let (left, right) = (format!(" ? {open}"), format!(" {key} shows it "));
        return Some(line_with_ends((&left, theme.doubt()), (&right, Theme::dim()), width));
    }
    if model.form.holds_text() && !model.takes_text() && model.overlays.is_empty() {
        let draft = model.form.draft();
        let names = [Field::Ticket, Field::Device, Field::Title].map(|field| visible(draft.get(field)).into_owned());
        let names: Vec<_> = names.into_iter().filter(|name| !name.trim().is_empty()).collect();
        let left = format!(" {} Draft in the form: {}", theme.state_sign(RowState::Draft), names.join("  "));
        let right = format!(" {} goes on ", model.keymap.name(Scope::Panes, Action::NewRequest));
        return Some(line_with_ends((&left, Style::new()), (&right, Theme::dim()), width));
    }
    let tab = model.requests.tab();
    let listing = model.listings.get(tab).filter(|_| !model.takes_text())?;
    let key = model.keymap.name(Scope::Panes, Action::Refresh);
    let (left, style) = match (&listing.error, listing.is_loading()) {
        (_, true) if listing.as_of.is_none() => (format!(" Reading the list: {} so far", listing.read), Theme::dim()),
        (Some(error), _) => (format!(" ? Not up to date: {}", error.what()), theme.doubt()),
        (None, _) if !listing.gaps.is_empty() => (format!(" ? Not whole: {}", listing.gaps.describe()), theme.doubt()),
        (None, _) => match model.preferences.refresh.filter(|_| tab == Tab::Tenant) {
            Some(every) => (format!(" Listed every {} s", every.as_secs()), Theme::dim()),
            None => return None,
        },
    };
    let right = format!(" {key} asks now ");
    Some(line_with_ends((&left, style), (&right, Theme::dim()), width))
}

/// What the footer names, as much of it as fits; all keys stand last, at the right, and are always there.
pub(super) fn draw_keys(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    // What the mouse does is not what it does elsewhere in the terminal, and that is seen as long as it lasts.
    let mouse = if model.mouse.is_on { " mouse on " } else { "" };
    let width = usize::from(area.width).saturating_sub(mouse.len());
    let scopes = model.scopes();
    let mut entries: Vec<(Action, String, Cow<'static, str>)> = Vec::new();
    for (binding, keys) in model.keymap.reachable(scopes) {
        let Some(label) = binding.footer else { continue };
        let known = entries.iter().any(|(action, ..)| *action == binding.action);
        if !known && model.unavailable(binding.action).is_none() && model.is_worth_naming(binding.action) {
            entries.push((binding.action, keys[0].to_string(), model.footer_label(binding.action, label)));
        }
    }
    let at_end = |action: Action| matches!(action, Action::Help | Action::Quit);
    let length = |(_, key, label): &(Action, String, Cow<'_, str>)| columns(key) + label.len() + 3;
    while entries.iter().map(length).sum::<usize>() > width {
        // From the end, but never what sends and the way out; help, too, can be had by its key unseen.
        let is_needed = |action: Action| matches!(action, Action::Back | Action::Submit);
        let in_turn: [&dyn Fn(Action) -> bool; 3] =
            [&|action| !at_end(action) && !is_needed(action), &|action| action == Action::Quit, &|action| {
                !is_needed(action)
            }];
        let Some(least) =
            in_turn.iter().find_map(|is_least| entries.iter().rposition(|(action, ..)| is_least(*action)))
        else {
            break;
        };
        entries.remove(least);
    }
    let (right, left): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(action, ..)| at_end(*action));
    let spans = |entries: Vec<(Action, String, Cow<'static, str>)>| {
        let spans = entries.into_iter().flat_map(|(_, key, label)| {
            [Span::raw(" "), Span::styled(key, theme.accent()), Span::styled(format!(" {label} "), Theme::dim())]
        });
        Line::from(spans.collect::<Vec<_>>())
    };
    frame.render_widget(Paragraph::new(spans(left)), area);
    let mut right = spans(right);
    right.spans.insert(0, Span::styled(mouse, Theme::dim()));
    let right_width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let at = Rect { x: area.right() - right_width, width: right_width, ..area };
    frame.render_widget(Paragraph::new(right), at);
}
