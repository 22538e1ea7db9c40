//! `New request`: the fields beside the plan, what is wrong under each, and what is suggested.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Paragraph,
};

use crate::dashboard::draw::{
    Theme,
    words::{columns, cut, fit, wrap},
};
use crate::{
    dashboard::{Form, Model, Pane, PointerTarget, RecordState, Regions, suggest},
    keys::{Action, Scope},
};
use mmd_elevate_core::{Field, visible};

/// Labels stand in one column behind their mark, values in another.
const LABELS: u16 = 14;

/// From this width on the plan stands beside the fields.
const SIDE_BY_SIDE: u16 = 96;

/// How many rows what is wrong with a field may take.
const PROBLEM_ROWS: usize = 3;

/// How many suggestions are seen at once.
const SUGGESTIONS: usize = 5;

/// The fields of one line.
const LINES: [Field; 5] = [Field::Ticket, Field::Device, Field::Title, Field::Category, Field::Subcategory];

/// What an empty field says of itself.
const fn placeholder(field: Field) -> &'static str {
    match field {
        Field::Ticket => "the number in your ticket system",
        Field::Device => "the device's name, or its user",
        Field::Title => "what the user sees, in a few words",
        Field::Category | Field::Subcategory => "",
        Field::PlanOfAction => "What will you do as administrator, step by step?",
    }
}

pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, regions: &mut Regions) {
    let form = &model.form;
    let focused = model.pane == Pane::Form && model.overlays.is_empty();
    let right = match (form.sending().is_some(), model.record) {
        (true, _) => "sending",
        (false, RecordState::Failing | RecordState::NotRead) if form.holds_text() => "draft not saved",
        (false, _) if form.holds_text() && model.drafts_are_saved() => "draft saved",
        (false, _) => "",
    };
    let block = theme.panel("New request", right, focused);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let editable = focused && form.sending().is_none();
    if inner.width >= SIDE_BY_SIDE {
        let [left, rule, plan] =
            Layout::horizontal([Constraint::Percentage(54), Constraint::Length(2), Constraint::Fill(1)]).areas(inner);
        for y in rule.y..rule.bottom() {
            frame.render_widget(Line::styled(theme.vertical_rule(), Theme::dim()), Rect { y, height: 1, ..rule });
        }
        let left = Rect { width: left.width.saturating_sub(1), ..left };
        draw_fields(frame, left, model, theme, editable, regions);
        draw_plan(frame, plan, model, theme, editable);
        regions.add(plan, PointerTarget::Field(Field::PlanOfAction));
        return;
    }
    let above = Rect { height: inner.height.saturating_sub(3), ..inner };
    let used = draw_fields(frame, above, model, theme, editable, regions);
    let gap = u16::from(inner.height > used + 5);
    let y = (inner.y + used + gap).min(inner.bottom());
    let below = Rect { y, height: inner.bottom() - y, ..inner };
    draw_plan(frame, below, model, theme, editable);
    regions.add(below, PointerTarget::Field(Field::PlanOfAction));
}

/// What stands under a field: what is wrong with it, what is doubtful, or what is suggested.
fn under(model: &Model, theme: &Theme, field: Field, width: usize, editable: bool) -> Vec<Line<'static>> {
    let form = &model.form;
    let lines = |text: &str, style: Style| -> Vec<Line<'static>> {
        let wrapped = wrap(text, width).into_iter().take(PROBLEM_ROWS);
        wrapped.map(|line| Line::styled(line.into_owned(), style)).collect()
    };
    let mut under = Vec::new();
    if let Some(problem) = form.problem(field) {
        under.extend(lines(&theme.problem(problem), theme.failure()));
    } else if field == Field::Device
        && let Some(warning) = form.device_warning(&model.patterns, model.form_known_device())
    {
        under.extend(lines(&theme.uncertain(&warning), theme.doubt()));
    }
    if editable && form.focused == field {
        under.extend(suggestions(model, theme, width));
    }
    under
}

/// Which of the suggestions is seen first.
fn first_suggestion(form: &Form) -> usize {
    form.chosen().unwrap_or(0).saturating_sub(SUGGESTIONS - 1)
}

fn suggestions(model: &Model, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let (all, chosen) = (model.form.suggestions(), model.form.chosen());
    let first = first_suggestion(&model.form);
    let seen = all.iter().enumerate().skip(first).take(SUGGESTIONS);
    let longest = seen.clone().map(|(_, one)| columns(&suggest::shown(one).0)).max().unwrap_or(0).min(width / 2);
    let mut lines: Vec<_> = seen
        .map(|(index, suggestion)| {
            let (text, about) = suggest::shown(suggestion);
            let is_chosen = chosen == Some(index);
            let ground = if is_chosen { theme.selection(true) } else { Style::new() };
            let room = width.saturating_sub(longest + 4);
            let line = format!("{}  {}", fit(&text, longest), cut(about, room));
            Line::from(vec![
                Span::styled(theme.selected_mark(is_chosen), ground.patch(theme.accent())),
                Span::styled(fit(&line, width.saturating_sub(2)), ground),
            ])
        })
        .collect();
    let more = all.len().saturating_sub(first + lines.len());
    if more > 0
        && let Some(last) = lines.last_mut()
    {
        last.push_span(Span::styled(format!(" +{more}"), Theme::dim()));
    }
    lines
}

/// Draws the fields of one line, with air between them where there is room. Returns how many rows they took.
fn draw_fields(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    editable: bool,
    regions: &mut Regions,
) -> u16 {
    let width = usize::from(area.width.saturating_sub(LABELS)).max(1);
    let mut unders = LINES.map(|field| under(model, theme, field, width, editable));
    // What is suggested stands below what is wrong with the field in focus.
    let suggested = model.form.suggestions().len().saturating_sub(first_suggestion(&model.form)).min(SUGGESTIONS);
    let lines = LINES.iter().position(|field| *field == model.form.focused).map_or(0, |at| unders[at].len());
    let before = lines.saturating_sub(suggested);
    let rows = |unders: &[Vec<Line>; 5]| 5 + unders.iter().map(Vec::len).sum::<usize>();
    // Where there is too little room, what stands under the fields gives way, the longest first.
    while rows(&unders) > usize::from(area.height) {
        let Some(longest) = unders.iter_mut().max_by_key(|lines| lines.len()).filter(|lines| !lines.is_empty()) else {
            break;
        };
        longest.pop();
    }
    let air = u16::from(rows(&unders) + 4 <= usize::from(area.height));
    let mut y = area.y;
    // Where not even the fields have room, the one in focus is seen.
    let focused = LINES.iter().position(|field| *field == model.form.focused).unwrap_or(LINES.len() - 1);
    let hidden = (focused + 1)
        .saturating_sub(usize::from(area.height))
        .min(LINES.len().saturating_sub(usize::from(area.height)));
    for (field, under) in LINES.into_iter().zip(unders).skip(hidden) {
        if y >= area.bottom() {
            break;
        }
        let row = Rect { y, height: 1, ..area };
        let here = editable && model.form.focused == field;
        draw_label(frame, row, theme, field, here);
        let value = Rect { x: row.x + LABELS.min(row.width), width: row.width.saturating_sub(LABELS), ..row };
        draw_value(frame, value, model, theme, field, here);
        regions.add(row, PointerTarget::Field(field));
        y += 1;
        let count = u16::try_from(under.len()).unwrap_or(0).min(area.bottom().saturating_sub(y));
        let below = Rect { y, height: count, ..value };
        frame.render_widget(Paragraph::new(under), below);
        if here {
            add_suggestions(below, &model.form, before, regions);
        }
        y += count + air;
    }
    (y - area.y).saturating_sub(air).min(area.height)
}

/// Adds what is suggested below a field, `before` lines further down than the area begins.
fn add_suggestions(area: Rect, form: &Form, before: usize, regions: &mut Regions) {
    let seen = form.suggestions().iter().skip(first_suggestion(form));
    for (y, suggestion) in (area.y..area.bottom()).skip(before).zip(seen) {
        regions.add(Rect { y, height: 1, ..area }, PointerTarget::Suggestion(suggestion.text.clone()));
    }
}

fn draw_label(frame: &mut Frame, row: Rect, theme: &Theme, field: Field, here: bool) {
    let style = if here { theme.accent() } else { Theme::dim() };
    let label = format!("{}{}", theme.selected_mark(here), field.label());
    let width = u16::try_from(columns(&label)).unwrap_or(row.width).min(row.width);
    frame.render_widget(Line::styled(label, style), Rect { width, ..row });
}

fn draw_value(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, field: Field, here: bool) {
    let form = &model.form;
    let text = form.field(field);
    frame.buffer_mut().set_style(area, theme.field(here));
    if text.is_empty() {
        let hint = match field {
            Field::Category => model.categories.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(" · "),
            _ => placeholder(field).to_owned(),
        };
        let line = cut(&visible(&hint), usize::from(area.width));
        frame.render_widget(Line::styled(line, theme.field(here).patch(Theme::dim())), area);
    }
    if here {
        if !text.is_empty() {
            frame.render_widget(text.widget(), area);
            frame.buffer_mut().set_style(area, theme.field(true));
        }
        let cursor = text.cursor(area.width).filter(|_| !text.is_empty());
        frame.set_cursor_position(cursor.unwrap_or(ratatui::layout::Position { x: area.x, y: area.y }));
    } else if !text.is_empty() {
        let style = if form.sending().is_some() { Theme::dim() } else { Style::new() };
        let shown = cut(&visible(text.first_line()), usize::from(area.width));
        frame.render_widget(Line::styled(shown, theme.field(false).patch(style)), area);
    }
}

fn draw_plan(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, editable: bool) {
    if area.height < 2 {
        return;
    }
    let form = &model.form;
    let here = editable && form.focused == Field::PlanOfAction;
    let row = Rect { height: 1, ..area };
    draw_label(frame, row, theme, Field::PlanOfAction, here);
    let label = u16::try_from(columns(Field::PlanOfAction.label())).unwrap_or(0) + 4;
    let beside = Rect { x: (row.x + label).min(row.right()), width: row.width.saturating_sub(label), ..row };
    if let Some(problem) = form.problem(Field::PlanOfAction) {
        let line = cut(&theme.problem(problem), usize::from(beside.width));
        frame.render_widget(Line::styled(line, theme.failure()), beside);
    } else if here {
        let key = model.keymap.name(Scope::LongText, Action::OpenEditor);
        let templates = model.keymap.name(Scope::LongText, Action::ShowTemplates);
        let text = format!("{templates} texts  {key} editor");
        let width = u16::try_from(text.len()).unwrap_or(0);
        if beside.width >= width {
            let at = Rect { x: beside.right() - width, width, ..beside };
            frame.render_widget(Line::styled(text, Theme::dim()), at);
        }
    }
    let text = Rect {
        x: area.x + 2.min(area.width),
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height - 1,
    };
    frame.buffer_mut().set_style(text, theme.field(here));
    draw_long_text(frame, text, form, theme, here);
}

fn draw_long_text(frame: &mut Frame, area: Rect, form: &Form, theme: &Theme, here: bool) {
    let text = form.field(Field::PlanOfAction);
    if text.is_empty() {
        let line = cut(placeholder(Field::PlanOfAction), usize::from(area.width));
        frame.render_widget(Line::styled(line, theme.field(here).patch(Theme::dim())), Rect { height: 1, ..area });
        if here {
            frame.set_cursor_position((area.x, area.y));
        }
        return;
    }
    if here {
        frame.render_widget(text.widget(), area);
        frame.buffer_mut().set_style(area, theme.field(true));
        if let Some(cursor) = text.cursor(area.width) {
            frame.set_cursor_position(cursor);
        }
        return;
    }
    let style = theme.field(false).patch(if form.sending().is_some() { Theme::dim() } else { Style::new() });
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    // Only as much is wrapped as can be seen: the text may be long.
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().iter().take(height + 1) {
        let shown = visible(line);
        let head: String = shown.chars().take(width * (height + 1)).collect();
        lines.extend(wrap(&head, width).into_iter().map(std::borrow::Cow::into_owned));
    }
    if lines.len() > height {
        lines.truncate(height);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), width);
        }
    }
    let lines: Vec<_> = lines.into_iter().map(|line| Line::styled(line, style)).collect();
    frame.render_widget(Paragraph::new(lines), area);
}
