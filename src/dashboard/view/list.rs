//! The list: its tabs in the frame, a heading, the rows of the tab that is shown, and what is new.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Paragraph, Wrap},
};

use super::{details, header};
use crate::dashboard::draw::{
    Columns, Theme, draw_more_below, line_with_ends, row_line,
    words::{columns, cut, local},
};
use crate::{
    dashboard::{Model, Pane, PointerTarget, RecordState, Regions, Sort},
    keys::{Action, Scope, Tab},
};
use mmd_elevate_core::visible;

/// How many lines of details stand below the list where there is no room for a sheet.
const STRIP: u16 = 4;

/// How many rows the list needs to show all that it has, with its frame.
pub(super) fn wanted_rows(model: &Model) -> u16 {
    let list = model.requests.list();
    let more = u16::from(is_filtered(model)) + u16::from(model.news().is_some() || is_over_unread_record(model));
    u16::try_from(list.shown().len()).unwrap_or(u16::MAX).max(1).saturating_add(3 + more)
}

/// Whether the list shows what this run knows, and the record may have more.
fn is_over_unread_record(model: &Model) -> bool {
    let is_of_record = matches!(model.requests.tab(), Tab::Mine | Tab::Attention);
    is_of_record && !model.record.is_read() && !model.requests.list().shown().is_empty()
}

/// What is said below the rows: what is new, or that there may be more.
fn line_below(model: &Model, theme: &Theme, width: usize) -> Option<Line<'static>> {
    if is_over_unread_record(model) {
        let text = match model.record {
            RecordState::Opening => "? Reading the record: more may be open",
            RecordState::NotRead | RecordState::Keeping | RecordState::Failing => "? Record not read: more may be open",
        };
        return Some(Line::styled(cut(text, width), theme.doubt()));
    }
    let news = model.news()?;
    let key = format!(" {} shows it", model.keymap.name(Scope::Panes, Action::Refresh));
    Some(line_with_ends((&format!("  + {news}"), theme.accent()), (&key, Theme::dim()), width))
}

fn is_filtered(model: &Model) -> bool {
    model.filtering || !model.requests.list().filter().is_empty()
}

/// Draws the list. `small`: the tenant's name stands in its frame. `strip`: details stand in its last lines.
pub(super) fn draw(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    small: bool,
    strip: bool,
    regions: &mut Regions,
) {
    regions.add(area, PointerTarget::List);
    let focused = model.pane == Pane::List && model.overlays.is_empty();
    let block = theme.frame(focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let strip_lines =
        if strip && inner.height >= 8 { details::strip(model, theme, usize::from(inner.width)) } else { Vec::new() };
    let strip_rows = u16::try_from(strip_lines.len()).unwrap_or(STRIP).min(STRIP);
    let line_below = line_below(model, theme, usize::from(inner.width));
    let [filter, heading, rows, row_below, rule, strip] = Layout::vertical([
        Constraint::Length(is_filtered(model).into()),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(line_below.is_some().into()),
        Constraint::Length(u16::from(strip_rows > 0)),
        Constraint::Length(strip_rows),
    ])
    .areas(inner);
    if is_filtered(model) {
        draw_filter(frame, filter, model, theme);
        regions.add(filter, PointerTarget::Filter);
    }
    if strip_rows > 0 {
        let [left, middle, right] = theme.horizontal_rule();
        let line = format!("{left}{}{right}", middle.repeat(usize::from(area.width.saturating_sub(2))));
        frame.render_widget(Line::styled(line, Theme::dim()), Rect { x: area.x, width: area.width, ..rule });
        frame.render_widget(Paragraph::new(strip_lines), strip);
        regions.add(strip, PointerTarget::Details);
    }
    if let Some(line) = line_below {
        frame.render_widget(line, row_below);
    }
    let list = model.requests.list();
    let (height, all) = (usize::from(rows.height), list.shown().len());
    let position = list.position().unwrap_or(0);
    // The list stays as it was when a row was clicked, as long as the selection is seen. Else the selection is in the middle
    // where there is more on both sides.
    let clicked = model.mouse.top.and_then(|top| list.position_of(top));
    let first = clicked.filter(|first| (*first..first + height).contains(&position));
    let first = first.unwrap_or_else(|| position.saturating_sub(height / 2)).min(all.saturating_sub(height));
    let end = (first + height).min(all);
    draw_title(frame, area, model, theme, (small, focused), (first, end), regions);
    let below = u16::try_from(all - end).unwrap_or(u16::MAX);
    if below > 0 && strip_rows == 0 {
        draw_more_below(frame, area, below);
    }
    if list.shown().is_empty() {
        let all = Rect { height: heading.height + rows.height, ..heading };
        frame.render_widget(Paragraph::new(empty(model, theme)).wrap(Wrap { trim: true }), all);
        return;
    }
    let columns = Columns::new(list_tab(model), usize::from(rows.width));
    frame.render_widget(Line::styled(columns.heading(), Theme::dim()), heading);
    // However long the list is, only the rows that are seen are put together.
    let seen = list.shown().iter().enumerate().skip(first).take(height);
    for (y, (_, row)) in (rows.y..).zip(seen.clone()) {
        // From border to border: nobody aims at the air beside a row.
        let line = Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 };
        regions.add(line, PointerTarget::Row { row: *row, top: list.shown()[first] });
    }
    let lines = seen.filter_map(|(index, id)| {
        let selected = (index == position).then_some(focused);
        let marked = list.is_marked(*id, index);
        Some(row_line(&model.requests.get(*id)?, selected, marked, model, theme, &columns))
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), rows);
}

const fn list_tab(model: &Model) -> Tab {
    model.requests.tab()
}

/// The tabs at the left of the upper border, and what is seen of the list at its right.
fn draw_title(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    (small, focused): (bool, bool),
    seen: (usize, usize),
    regions: &mut Regions,
) {
    let room = usize::from(area.width.saturating_sub(4));
    let rights = right_titles(model, theme, small, seen);
    // What matters least goes first: how the list is sorted, and then what the other tabs are called.
    let in_turn = |shorts: [usize; 2]| rights.iter().flat_map(move |right| shorts.map(|short| (short, right.as_str())));
    let without = [0, 1, 2, 3].map(|short| (short, "")).into_iter().filter(|_| !small);
    let candidates = in_turn([0, 1]).chain(in_turn([2, 3])).chain(in_turn([4, 4])).chain(without);
    let fits = |short: usize, right: &str| tabs(model, theme, focused, short).0.width() + columns(right) + 2 <= room;
    let (short, right) = candidates.into_iter().find(|(short, right)| fits(*short, right)).unwrap_or((4, ""));
    let (tabs, places) = tabs(model, theme, focused, short);
    let width = u16::try_from(tabs.width()).unwrap_or(area.width).min(area.width.saturating_sub(2));
    let title = Rect { x: area.x + 1, width, height: 1, ..area };
    frame.render_widget(Paragraph::new(tabs), title);
    for (tab, (begin, end)) in Tab::ALL.into_iter().zip(places) {
        let column = |column: usize| u16::try_from(column).unwrap_or(width).min(width);
        let (begin, end) = (column(begin), column(end));
        if begin < end {
            regions.add(Rect { x: title.x + begin, width: end - begin, ..title }, PointerTarget::Tab(tab));
        }
    }
    if !right.is_empty() {
        let right = format!(" {right} ");
        let width = u16::try_from(columns(&right)).unwrap_or(0);
        let at = Rect { x: area.right().saturating_sub(width + 2), width, height: 1, ..area };
        frame.render_widget(Line::styled(right.as_str(), Theme::dim()), at);
        header::mark_read_only(frame, at, &right, theme);
    }
}

/// The tabs, each with its count; with fewer names where there is less room. Beside them the columns from and up to which each
/// stands.
fn tabs(model: &Model, theme: &Theme, focused: bool, short: usize) -> (Line<'static>, [(usize, usize); 4]) {
    let mut spans = vec![Span::raw(" ")];
    let (mut places, mut used) = ([(0, 0); 4], 1);
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        let is_shown = tab == model.requests.tab();
        let count = model.requests.list_of(tab).len();
        let is_unasked = model.listings.get(tab).is_some_and(|listing| listing.as_of.is_none()) && count == 0;
        let needs = tab == Tab::Attention && count > 0;
        let name = match short {
            0 => tab.name(),
            _ if is_shown => tab.name(),
            1 if tab != Tab::Attention => tab.name(),
            _ if needs => "!",
            _ => "",
        };
        let mut text = format!("{}", index + 1);
        if !name.is_empty() {
            text.push_str(&format!(" {name}"));
        }
        let is_counted = is_shown || (short < 3 && !(tab == Tab::Attention && count == 0 && short > 0));
        if !is_unasked && is_counted {
            text.push_str(&format!(" {count}"));
        }
        let style = match (is_shown, needs) {
            (true, _) if focused => theme.accent().patch(Theme::bold()),
            (true, _) => Theme::bold(),
            (false, true) => theme.doubt(),
            (false, false) => Theme::dim(),
        };
        if short > 3 && !is_shown {
            continue;
        }
        if index > 0 && short < 4 {
            let air = if short < 2 { " " } else { "" };
            let rule = Span::styled(format!("{air}{}{air}", theme.vertical_rule()), Theme::dim());
            used += rule.width();
            spans.push(rule);
        }
        let text = Span::styled(text, style);
        places[index] = (used, used + text.width());
        used += text.width();
        spans.push(text);
    }
    spans.push(Span::raw(" "));
    (Line::from(spans), places)
}

/// What is said of the list, from the most to the least.
fn right_titles(model: &Model, theme: &Theme, small: bool, seen: (usize, usize)) -> Vec<String> {
    let list = model.requests.list();
    let mut ends = Vec::new();
    match model.record {
        RecordState::Opening => ends.push("reading the record".to_owned()),
        RecordState::NotRead => ends.push("record not read".to_owned()),
        RecordState::Keeping | RecordState::Failing => {}
    }
    ends.extend(match list.marks() {
        (0, _) => None,
        (marked, 0) => Some(format!("{marked} marked")),
        (marked, hidden) => Some(format!("{marked} marked, {hidden} not shown")),
    });
    let is_whole = list.shown().len() == list.len();
    let count = (!list.shown().is_empty()).then(|| {
        let of = if is_whole { "" } else { " found" };
        let (first, end) = seen;
        format!("{}–{end} of {}{of}", first + 1, list.shown().len())
    });
    ends.extend(count.or_else(|| (!is_whole).then(|| "0 found".to_owned())));
    let sort = match list.sort() {
        Sort::Newest => "newest",
        Sort::Oldest => "oldest",
        Sort::Ticket => "ticket",
        Sort::Device => "device",
        Sort::State => "state",
    };
    let sort = format!("{sort} {}", theme.sorted_sign());
    let as_of = model.listings.get(list_tab(model)).map(|listing| match listing.as_of {
        _ if listing.is_loading() && listing.as_of.is_none() => "reading".to_owned(),
        None if listing.error.is_some() => "not read".to_owned(),
        None => "not asked yet".to_owned(),
        Some(at) => {
            let stale = if list_tab(model) == Tab::Tenant && model.is_stale(listing) { ", stale" } else { "" };
            format!("as of {}{stale}", local(at, &model.time_zone, "%H:%M:%S"))
        }
    });
    let tenant = small.then(|| tenant_words(model));
    let filter_problem = list.filter_problem().map(str::to_owned);
    let join = |parts: &[&Option<String>]| {
        let parts: Vec<_> = parts.iter().filter_map(|part| part.as_deref()).collect();
        parts.join("  ")
    };
    let ends = (!ends.is_empty()).then(|| ends.join("  "));
    let sort = (!list.is_empty()).then_some(sort);
    if filter_problem.is_some() {
        return vec![join(&[&filter_problem, &tenant]), join(&[&filter_problem])];
    }
    let mut titles = vec![
        join(&[&as_of, &sort, &ends, &tenant]),
        join(&[&as_of, &ends, &tenant]),
        join(&[&ends, &tenant]),
        join(&[&tenant]),
    ];
    titles.extend((small && model.read_only).then(|| read_only_words(model)));
    titles.retain(|title| !title.is_empty());
    titles
}

/// The tenant in a frame, for want of a header; before it what is wrong with signing in.
pub(super) fn tenant_words(model: &Model) -> String {
    let name = model.tenant.name.as_deref().unwrap_or(&model.tenant.id);
    let practice = if model.tenant.practice { " PRACTICE" } else { "" };
    match header::sign_in_trouble(model) {
        Some(trouble) if model.read_only => format!("{} {trouble} {}", header::READ_ONLY, cut(&visible(name), 8)),
        Some(trouble) => format!("{trouble} {}", cut(&visible(name), 8)),
        None if model.read_only => read_only_words(model),
        None => format!("{}{practice}", cut(&visible(name), 12)),
    }
}

/// That nothing is written here, and the tenant, in as few words as can be.
fn read_only_words(model: &Model) -> String {
    let name = model.tenant.name.as_deref().unwrap_or(&model.tenant.id);
    let name = if model.tenant.practice { "PRACTICE".to_owned() } else { cut(&visible(name), 12) };
    format!("{} {name}", header::READ_ONLY)
}

fn draw_filter(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme) {
    let filter = model.requests.list().filter();
    frame.render_widget(Line::styled("/", theme.accent()), area);
    let mut text = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
    if filter.is_empty() {
        let examples = "try  by:ana  age:>2h";
        let examples_width = u16::try_from(examples.len()).unwrap_or(0);
        if text.width > examples_width + 10 {
            let at = Rect { x: text.right() - examples_width, width: examples_width, ..text };
            frame.render_widget(Line::styled(examples, Theme::dim()), at);
            text.width -= examples_width;
        }
    }
    frame.render_widget(filter.widget(), text);
    if model.filtering
        && model.overlays.is_empty()
        && let Some(cursor) = filter.cursor(text.width)
    {
        frame.set_cursor_position(cursor);
    }
}

/// What an empty tab says: why it is empty, and what to do.
fn empty(model: &Model, theme: &Theme) -> Line<'static> {
    let list = model.requests.list();
    let key = |scope, action| Span::styled(model.keymap.name(scope, action), theme.accent());
    if !list.filter().is_empty() && !list.is_empty() {
        let clear = key(Scope::Filter, Action::Back);
        return Line::from(vec![Span::raw("Nothing matches the filter. "), clear, Span::raw(" clears it.")]);
    }
    let tab = list_tab(model);
    let record = match model.record {
        RecordState::Opening => Some(Line::raw("Reading the record of what is open.")),
        RecordState::NotRead => Some(Line::styled(
            "Record not read: what was opened before may still be open and is not shown here.",
            theme.doubt(),
        )),
        RecordState::Keeping | RecordState::Failing => None,
    };
    let new = || key(Scope::Panes, Action::NewRequest);
    let asks = || key(Scope::Panes, Action::Refresh);
    match (tab, record, model.listings.get(tab)) {
        (Tab::Mine | Tab::Attention, Some(record), _) => record,
        (Tab::Mine, None, _) if model.read_only => Line::raw("No open requests."),
        (Tab::Mine, None, _) => Line::from(vec![Span::raw("No open requests. "), new(), Span::raw(" opens one.")]),
        (Tab::Attention, None, _) => Line::raw("Nothing needs you."),
        (_, _, Some(listing)) if listing.is_loading() => {
            Line::raw(format!("Reading the tenant's list: {} so far.", listing.read))
        }
        (_, _, Some(listing)) => match (&listing.error, listing.as_of) {
            (Some(error), None) => Line::from(vec![
                Span::styled(format!("The list could not be read: {} ", error.what()), theme.failure()),
                asks(),
                Span::raw(" asks again."),
            ]),
            (_, None) => Line::from(vec![Span::raw("The service was not asked yet. "), asks(), Span::raw(" asks it.")]),
            (_, Some(_)) if tab == Tab::Closed => Line::raw("Nothing was closed in the last 90 days."),
            (_, Some(_)) if model.read_only => Line::raw("The tenant has no open requests."),
            (_, Some(_)) => {
                Line::from(vec![Span::raw("The tenant has no open requests. "), new(), Span::raw(" opens one.")])
            }
        },
        (Tab::Tenant | Tab::Closed, _, None) => Line::default(),
    }
}
