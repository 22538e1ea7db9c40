//! `Ctrl-T`: templates and recent texts for the text in focus. What is taken is inserted at the cursor as one step that can be
//! undone; it replaces nothing.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{
    EditTarget, Effect, Model, Notice, Overlay, RowState, TextField, Tone,
    draw::{
        Theme,
        words::{columns, counted, cut, fit, wrap},
    },
    fuzzy, text_field, update,
};
use crate::{
    keys::{Action, Motion, Scope, TextEdit},
    templates::{Purpose, Template, Templates, shipped},
};
use mmd_elevate_core::{Field, Problem, visible};

/// How many recent texts are offered.
const RECENT: usize = 8;

/// From this width on the preview stands beside the names.
const SIDE_BY_SIDE: u16 = 76;

/// What is called the first entry of the close dialog, and the last of all.
const AS_PLANNED: &str = "As planned";
const SAVE: &str = "Save this text as …";

/// What is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OfferedText {
    /// The plan of the request that is being closed.
    AsPlanned(String),
    /// A template.
    Template(Template),
    /// A text that was sent before.
    Recent { text: String, category: String },
    /// The text in the field, to be kept.
    Save,
}

impl OfferedText {
    fn text(&self) -> &str {
        match self {
            Self::AsPlanned(text) | Self::Recent { text, .. } => text,
            Self::Template(template) => &template.text,
            Self::Save => "",
        }
    }

    /// What it is found by.
    fn name(&self) -> &str {
        match self {
            Self::AsPlanned(_) => AS_PLANNED,
            Self::Template(template) => &template.name,
            Self::Recent { text, .. } => text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default(),
            Self::Save => SAVE,
        }
    }
}

/// The picker: for which text it is, what is typed to find an entry, and which one is chosen.
#[derive(Clone, Debug)]
pub struct TemplatePicker {
    target: EditTarget,
    search: TextField,
    chosen: usize,
    /// The name that a text is saved as, while that is typed.
    name: Option<TextField>,
    problem: Option<Problem>,
}

impl PartialEq for TemplatePicker {
    fn eq(&self, other: &Self) -> bool {
        let of = |picker: &Self| (picker.chosen, picker.search.text(), picker.name.as_ref().map(TextField::text));
        self.target == other.target && of(self) == of(other) && self.problem == other.problem
    }
}

impl Eq for TemplatePicker {}

impl TemplatePicker {
    /// Changes the text that has the keys: the name while one is typed, or else the search.
    pub(super) fn change_text<T>(&mut self, change: impl FnOnce(&mut TextField) -> T) -> T {
        self.problem = None;
        if let Some(name) = &mut self.name {
            return change(name);
        }
        let before = self.search.text();
        let result = change(&mut self.search);
        if self.search.text() != before {
            self.chosen = 0;
        }
        result
    }

    /// Goes back from the name to the entries. Returns whether a name was being typed.
    pub(super) fn leave_name(&mut self) -> bool {
        self.problem = None;
        self.name.take().is_some()
    }
}

/// Opens the picker for the long text in focus. The folder is read anew each time: what was edited meanwhile counts.
pub(super) fn open(model: &mut Model, target: EditTarget) -> Vec<Effect> {
    let (search, name) = (TextField::one_line(), None);
    model.overlays.push(Overlay::Templates(Box::new(TemplatePicker {
        target,
        search,
        chosen: 0,
        name,
        problem: None,
    })));
    vec![Effect::ReadTemplates]
}

/// Takes in what the folder holds.
pub(super) fn apply_read(model: &mut Model, templates: Templates) {
    let moved = picker(model).filter(|picker| picker.chosen > 0);
    let chosen = moved.and_then(|picker| entries(model, picker).into_iter().nth(picker.chosen));
    model.templates = Some(templates);
    // A choice that was made stays with its entry.
    let at =
        picker(model).and_then(|picker| entries(model, picker).iter().position(|entry| Some(entry) == chosen.as_ref()));
    if let (Some(Overlay::Templates(picker)), Some(at)) = (model.overlays.last_mut(), at) {
        picker.chosen = at;
    }
}

/// A text was saved as a template, or could not be.
pub(super) fn apply_saved(model: &mut Model, result: Result<String, Problem>) -> Vec<Effect> {
    match result {
        Ok(path) => {
            if matches!(model.overlays.last(), Some(Overlay::Templates(_))) {
                model.overlays.pop();
            }
            model.notice = Some(Notice::success(format!("The text is saved as a template: {path}")));
            vec![Effect::ReadTemplates]
        }
        Err(problem) => {
            match model.overlays.last_mut() {
                Some(Overlay::Templates(picker)) => picker.problem = Some(problem),
                _ => model.notice = Some(Notice::from_problem(Tone::Failure, problem)),
            }
            Vec::new()
        }
    }
}

fn picker(model: &Model) -> Option<&TemplatePicker> {
    match model.overlays.last() {
        Some(Overlay::Templates(picker)) => Some(picker),
        _ => None,
    }
}

/// The text of the target, with the category and subcategory that it belongs to.
fn text_and_categories(model: &Model, target: EditTarget) -> (String, [String; 2]) {
    match target {
        EditTarget::PlanOfAction => {
            let field = |field| model.form.field(field).text();
            (field(Field::PlanOfAction), [Field::Category, Field::Subcategory].map(field))
        }
        EditTarget::ActionsTaken(row) => {
            let row = model.requests.get(row);
            let text = row.as_ref().and_then(|row| row.actions_taken).map_or_else(String::new, TextField::text);
            let of = |field| row.as_ref().map_or_else(String::new, |row| raw(row, field));
            (text, [Field::Category, Field::Subcategory].map(of))
        }
    }
}

fn raw(row: &super::Row<'_>, field: Field) -> String {
    let stored = row.request.map(|request| request.text(field).raw()).filter(|text| !text.trim().is_empty());
    stored.or_else(|| row.draft.map(|draft| draft.get(field))).unwrap_or_default().to_owned()
}

const fn purpose(target: EditTarget) -> Purpose {
    match target {
        EditTarget::PlanOfAction => Purpose::Plan,
        EditTarget::ActionsTaken(_) => Purpose::Actions,
    }
}

/// What is offered now, in its order: what was planned, the templates that fit the category, the agent's own, the most
/// used, the recent texts, and the way to keep this text.
fn entries(model: &Model, picker: &TemplatePicker) -> Vec<OfferedText> {
    let (text, [category, subcategory]) = text_and_categories(model, picker.target);
    let mut entries = Vec::new();
    if let EditTarget::ActionsTaken(row) = picker.target
        && let Some(row) = model.requests.get(row)
    {
        let plan = raw(&row, Field::PlanOfAction);
        entries.extend((!plan.trim().is_empty()).then_some(OfferedText::AsPlanned(plan)));
    }
    let is_same =
        |one: &str, other: &str| !other.trim().is_empty() && one.trim().to_lowercase() == other.trim().to_lowercase();
    let all = model.templates.as_ref().map_or_else(shipped, |templates| templates.all.clone());
    let mut templates: Vec<_> = all.into_iter().filter(|one| one.is_for(purpose(picker.target))).collect();
    templates.sort_by_cached_key(|one| {
        let fits = (is_same(&one.category, &category), is_same(&one.subcategory, &subcategory));
        (std::cmp::Reverse((fits, one.is_own, uses(model, &one.name))), one.name.to_lowercase())
    });
    entries.extend(templates.into_iter().map(OfferedText::Template));
    entries.extend(recent(model, picker.target, &category));
    let query = picker.search.first_line().trim();
    if !query.is_empty() {
        let items = entries.iter().map(|entry| (entry.clone(), entry.name(), ""));
        entries = fuzzy::rank(query, items);
    }
    if !text.trim().is_empty() {
        entries.push(OfferedText::Save);
    }
    entries
}

/// The agent's own texts of this kind, the newest first, those of the same category before others.
fn recent(model: &Model, target: EditTarget, category: &str) -> Vec<OfferedText> {
    let field_text = |row: &super::Row<'_>| match target {
        EditTarget::PlanOfAction => raw(row, Field::PlanOfAction),
        EditTarget::ActionsTaken(_) => {
            let is_closed = matches!(row.state, RowState::Closed(_));
            row.request.filter(|_| is_closed).map_or_else(String::new, |request| request.actions_taken.raw().to_owned())
        }
    };
    let mut rows: Vec<_> = model
        .requests
        .mine()
        .filter_map(|row| {
            let text = field_text(&row);
            (!text.trim().is_empty()).then(|| (row.since, row.id, raw(&row, Field::Category), text))
        })
        .collect();
    rows.sort_by_key(|(since, row, of, _)| std::cmp::Reverse((of == category && !category.is_empty(), *since, *row)));
    let mut texts: Vec<String> = Vec::new();
    let mut entries = Vec::new();
    for (_, _, category, text) in rows {
        if entries.len() == RECENT {
            break;
        }
        if !texts.iter().any(|known| known.trim() == text.trim()) {
            texts.push(text.clone());
            entries.push(OfferedText::Recent { text, category });
        }
    }
    entries
}

fn uses(model: &Model, name: &str) -> u64 {
    model.templates.as_ref().and_then(|templates| templates.uses.get(name).copied()).unwrap_or_default()
}

/// Chooses among the entries.
pub(super) fn choose(model: &mut Model, motion: Motion) {
    let Some(last) = picker(model).map(|picker| entries(model, picker).len().saturating_sub(1)) else { return };
    let Some(Overlay::Templates(picker)) = model.overlays.last_mut() else { return };
    if picker.name.is_some() {
        return;
    }
    picker.chosen = motion.from(picker.chosen, last);
}

/// Takes the chosen entry: its text is inserted, or the name for the text is asked for, or saved.
pub(super) fn take(model: &mut Model) -> Vec<Effect> {
    let Some(this) = picker(model) else { return Vec::new() };
    let target = this.target;
    if let Some(name) = &this.name {
        return save(model, target, name.first_line().trim().to_owned());
    }
    let Some(entry) = entries(model, this).into_iter().nth(this.chosen) else { return Vec::new() };
    let (text, template) = match entry {
        OfferedText::Save => {
            if let Some(Overlay::Templates(picker)) = model.overlays.last_mut() {
                picker.name = Some(TextField::one_line());
            }
            return Vec::new();
        }
        OfferedText::AsPlanned(text) | OfferedText::Recent { text, .. } => (text, None),
        OfferedText::Template(template) => (template.text.clone(), Some(template)),
    };
    model.overlays.pop();
    let key = model.keymap.name(Scope::Text, Action::Edit(TextEdit::Undo));
    let mut said = format!("Inserted: {}", template.as_ref().map_or("the text", |template| template.name.as_str()));
    let blanks = insert(model, target, &text, template.is_some());
    if let (EditTarget::PlanOfAction, Some(template)) = (target, &template)
        && model.form.fill_categories(&template.category, &template.subcategory)
    {
        said.push_str("; the category is filled in too");
    }
    let hint = if blanks == 0 {
        format!("{key} takes it back")
    } else {
        let next = next_blank_key(model, target);
        format!("{} to fill in: {next} goes to the next; {key} takes it back", counted(blanks, "blank", "blanks"))
    };
    model.notice = Some(Notice::info(visible(&said).into_owned()).hint(hint));
    let Some(template) = template else { return Vec::new() };
    if let Some(templates) = &mut model.templates {
        *templates.uses.entry(template.name.clone()).or_default() += 1;
    }
    vec![Effect::CountTemplate(template.name)]
}

fn next_blank_key(model: &Model, target: EditTarget) -> String {
    match target {
        EditTarget::PlanOfAction => model.keymap.name(Scope::Form, Action::NextField),
        EditTarget::ActionsTaken(_) => model.keymap.name(Scope::CloseDialog, Action::SkipClose),
    }
}

/// Inserts a text at the cursor of the target. Returns how many blanks came with it.
fn insert(model: &mut Model, target: EditTarget, text: &str, has_blanks: bool) -> usize {
    match target {
        EditTarget::PlanOfAction => model.form.insert(text, has_blanks),
        EditTarget::ActionsTaken(row) => {
            update::change_dialog(model, row, |field| field.insert(text, has_blanks)).unwrap_or_default()
        }
    }
}

fn save(model: &mut Model, target: EditTarget, name: String) -> Vec<Effect> {
    if name.is_empty() {
        if let Some(Overlay::Templates(picker)) = model.overlays.last_mut() {
            picker.problem = Some(Problem::new("The template has no name", "type one"));
        }
        return Vec::new();
    }
    let (text, [category, subcategory]) = text_and_categories(model, target);
    let purpose = Some(purpose(target));
    vec![Effect::SaveTemplate(Template { name, purpose, category, subcategory, text, is_own: true })]
}

/// Draws the picker.
pub(super) fn draw(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, picker: &TemplatePicker) {
    let entries = entries(model, picker);
    let what = match picker.target {
        EditTarget::PlanOfAction => "Texts for the plan",
        EditTarget::ActionsTaken(_) => "Texts for the actions taken",
    };
    let folder = model.templates.as_ref().map_or("", |templates| templates.folder.as_str());
    let room = usize::from(area.width).saturating_sub(columns(what) + 10);
    let block = theme.panel(what, &if folder.is_empty() { String::new() } else { cut(folder, room) }, true);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(foot_rows(model, picker))])
            .areas(inner);
    draw_head(frame, head, picker, theme);
    if inner.width >= SIDE_BY_SIDE {
        let [left, rule, right] =
            Layout::horizontal([Constraint::Percentage(40), Constraint::Length(2), Constraint::Fill(1)]).areas(body);
        for y in rule.y..rule.bottom() {
            frame.render_widget(Line::styled(theme.vertical_rule(), Theme::dim()), Rect { y, height: 1, ..rule });
        }
        draw_entries(frame, left, model, theme, &entries, picker);
        draw_preview(frame, right, &entries, picker);
    } else {
        let rows = u16::try_from(entries.len()).unwrap_or(u16::MAX).min(body.height.saturating_sub(3).max(1));
        let [above, below] = Layout::vertical([Constraint::Length(rows), Constraint::Fill(1)]).areas(body);
        draw_entries(frame, above, model, theme, &entries, picker);
        let below = Rect { y: below.y + 1.min(below.height), height: below.height.saturating_sub(1), ..below };
        draw_preview(frame, below, &entries, picker);
    }
    draw_foot(frame, foot, model, theme, picker);
}

fn foot_rows(model: &Model, picker: &TemplatePicker) -> u16 {
    let has_problem =
        picker.problem.is_some() || model.templates.as_ref().is_some_and(|read| !read.problems.is_empty());
    u16::from(has_problem)
}

fn draw_foot(frame: &mut Frame, area: Rect, model: &Model, theme: &Theme, picker: &TemplatePicker) {
    let unread = model.templates.as_ref().and_then(|read| Some((read.problems.first()?, read.problems.len())));
    let line = match (&picker.problem, unread) {
        (Some(problem), _) => {
            Line::styled(theme.problem(&format!("{}; {}", problem.what, problem.hint)), theme.failure())
        }
        (None, Some((problem, count))) => {
            let more = if count > 1 { format!(" ({} more)", count - 1) } else { String::new() };
            Line::styled(theme.uncertain(&format!("{}{more}", problem.what)), theme.doubt())
        }
        (None, None) => return,
    };
    frame.render_widget(line, area);
}

fn draw_head(frame: &mut Frame, area: Rect, picker: &TemplatePicker, theme: &Theme) {
    let (sign, field, hint) = match &picker.name {
        Some(name) => ("Name ", name, "what the template is called"),
        None => ("/", &picker.search, "type to find one"),
    };
    let width = u16::try_from(sign.len()).unwrap_or(0);
    frame.render_widget(Line::styled(sign, theme.accent()), area);
    let text = Rect { x: area.x + width.min(area.width), width: area.width.saturating_sub(width), ..area };
    frame.buffer_mut().set_style(text, theme.field(true));
    if field.is_empty() {
        frame.render_widget(
            Line::styled(cut(hint, usize::from(text.width)), theme.field(true).patch(Theme::dim())),
            text,
        );
        frame.set_cursor_position((text.x, text.y));
    } else {
        frame.render_widget(field.widget(), text);
        frame.buffer_mut().set_style(text, theme.field(true));
        if let Some(cursor) = field.cursor(text.width) {
            frame.set_cursor_position(cursor);
        }
    }
}

fn draw_entries(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    theme: &Theme,
    entries: &[OfferedText],
    picker: &TemplatePicker,
) {
    let (height, width) = (usize::from(area.height), usize::from(area.width).saturating_sub(3));
    let first = picker.chosen.saturating_sub(height.saturating_sub(1));
    let lines = entries.iter().enumerate().skip(first).take(height).map(|(index, entry)| {
        let is_chosen = index == picker.chosen;
        let about = match entry {
            OfferedText::Template(template) => match uses(model, &template.name) {
                0 if template.is_own => "yours".to_owned(),
                0 => String::new(),
                count => format!("{count}×"),
            },
            OfferedText::Recent { category, .. } => format!("recent {}", visible(category)),
            OfferedText::AsPlanned(_) | OfferedText::Save => String::new(),
        };
        let about = cut(&about, width / 3);
        let name = fit(
            &cut(&visible(entry.name()), width.saturating_sub(columns(&about) + 1)),
            width.saturating_sub(columns(&about)),
        );
        let ground = if is_chosen { theme.selection(true) } else { ratatui::style::Style::new() };
        Line::from(vec![
            Span::styled(theme.selected_mark(is_chosen), ground.patch(theme.accent())),
            Span::styled(name, ground),
            Span::styled(about, ground.patch(Theme::dim())),
        ])
    });
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        frame.render_widget(Line::styled("Nothing fits what is typed.", Theme::dim()), area);
    } else {
        frame.render_widget(Paragraph::new(lines), area);
    }
}

fn draw_preview(frame: &mut Frame, area: Rect, entries: &[OfferedText], picker: &TemplatePicker) {
    let Some(entry) = entries.get(picker.chosen) else { return };
    let width = usize::from(area.width).max(1);
    let mut lines = Vec::new();
    let (category, subcategory) = match entry {
        OfferedText::Template(template) => (template.category.as_str(), template.subcategory.as_str()),
        OfferedText::Recent { category, .. } => (category.as_str(), ""),
        OfferedText::AsPlanned(_) | OfferedText::Save => ("", ""),
    };
    if !category.is_empty() {
        let all = if subcategory.is_empty() { category.to_owned() } else { format!("{category} / {subcategory}") };
        lines.push(Line::styled(cut(&visible(&all), width), Theme::dim()));
    }
    let shown = match entry {
        OfferedText::Save => {
            "Keeps the text of the field as a template of your own: a file in the folder above, which you can edit."
                .to_owned()
        }
        _ => entry.text().lines().map(|line| visible(line).into_owned()).collect::<Vec<_>>().join("\n"),
    };
    lines.extend(
        shown.lines().flat_map(|line| {
            wrap(line, width).into_iter().map(|line| Line::raw(line.into_owned())).collect::<Vec<_>>()
        }),
    );
    let blanks = if matches!(entry, OfferedText::Template(_)) { text_field::blanks(entry.text()).len() } else { 0 };
    if blanks > 0 {
        lines.push(Line::default());
        lines.push(Line::styled(counted(blanks, "blank to fill in", "blanks to fill in"), Theme::dim()));
    }
    frame.render_widget(Paragraph::new(lines), area);
}
