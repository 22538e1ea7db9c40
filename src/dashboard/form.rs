//! The form: six texts, the field in focus, the problems of the fields, and what is suggested.

use super::{RowId, TextField, text_field::Dropped};
use crate::keys::TextEdit;
use mmd_elevate_core::{CallError, DeviceNameWarning, Draft, ErrorCode, Field, FieldProblem, Patterns};

/// A category that is suggested, with its subcategories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The category.
    pub name: String,
    /// What is suggested for the subcategory when this is the category.
    pub subcategories: Vec<String>,
}

/// The form and the draft in it.
#[derive(Clone, Debug)]
pub struct Form {
    fields: [TextField; 6],
    /// The field that has, or will have, the focus.
    pub focused: Field,
    problems: Vec<FieldProblem>,
    /// The device's name that the agent was warned of on submitting it.
    warned_of: Option<String>,
    sending: Option<RowId>,
    discarded: Option<Draft>,
    chosen: Option<usize>,
}

impl Default for Form {
    fn default() -> Self {
        let field = |field: Field| if field.is_one_line() { TextField::one_line() } else { TextField::multi_line() };
        Self {
            fields: Field::ALL.map(field),
            focused: Field::Ticket,
            problems: Vec::new(),
            warned_of: None,
            sending: None,
            discarded: None,
            chosen: None,
        }
    }
}

impl Form {
    /// A form that holds this draft.
    #[must_use]
    pub fn from_draft(draft: &Draft) -> Self {
        let mut form = Self::default();
        for field in Field::ALL {
            form.fields[field as usize].restore(draft.get(field));
        }
        form
    }

    /// Begins another form: what was discarded can be brought back in it too.
    pub(super) fn replace_with(&mut self, next: Self) {
        let discarded = self.discarded.take();
        *self = Self { discarded, ..next };
    }

    /// The text of a field.
    #[must_use]
    pub const fn field(&self, field: Field) -> &TextField {
        &self.fields[field as usize]
    }

    /// What the form holds, valid or not.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let mut draft = Draft::default();
        for field in Field::ALL {
            draft.set(field, self.field(field).text());
        }
        draft
    }

    /// Whether nothing has been typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.iter().all(TextField::is_empty)
    }

    /// Whether the form holds a text that would be lost with it. A draft that is being sent lives in its row too.
    #[must_use]
    pub fn holds_text(&self) -> bool {
        self.sending.is_none() && !self.is_empty()
    }

    /// The row of the draft that is being sent, while the form shows it and cannot be changed.
    #[must_use]
    pub const fn sending(&self) -> Option<RowId> {
        self.sending
    }

    /// What is wrong with this field.
    #[must_use]
    pub fn problem(&self, field: Field) -> Option<&str> {
        self.problems.iter().find(|problem| problem.field == field).map(|problem| problem.text.as_str())
    }

    /// The warning about the device's name: from when its field is left, or it was submitted.
    #[must_use]
    pub fn device_warning(&self, patterns: &Patterns) -> Option<DeviceNameWarning> {
        let was_warned = self.warned_of.as_deref() == Some(self.field(Field::Device).first_line());
        let due = self.sending.is_none() && (was_warned || self.focused != Field::Device);
        if due { self.check_device(patterns) } else { None }
    }

    fn check_device(&self, patterns: &Patterns) -> Option<DeviceNameWarning> {
        DeviceNameWarning::check(
            self.field(Field::Device).first_line(),
            self.field(Field::Ticket).first_line(),
            patterns,
        )
    }

    /// The doubtful name in the form that the agent was warned of on submitting it: submitting it again sends it.
    pub(super) fn confirmable_device(&self, patterns: &Patterns) -> Option<&str> {
        let name = self.field(Field::Device).first_line();
        let was_warned = self.sending.is_none() && self.warned_of.as_deref() == Some(name);
        (was_warned && self.check_device(patterns).is_some()).then_some(name)
    }

    /// The warning that the agent has not been given on submitting this name; from here on it counts as given.
    pub(super) fn warn_of_device(&mut self, patterns: &Patterns) -> Option<DeviceNameWarning> {
        let name = self.field(Field::Device).first_line().to_owned();
        let warning = self.check_device(patterns).filter(|_| self.warned_of.as_deref() != Some(&name))?;
        self.warned_of = Some(name);
        self.focus(Field::Device);
        Some(warning)
    }

    /// Shows these problems, each beside its field, and focuses the first.
    pub(super) fn show_problems(&mut self, problems: Vec<FieldProblem>) {
        if let Some(first) = problems.first() {
            self.focus(first.field);
        }
        self.problems = problems;
    }

    /// Locks the form: its draft is being sent as this row.
    pub(super) fn lock(&mut self, row: RowId) {
        self.problems.clear();
        self.sending = Some(row);
    }

    /// The service refused the draft: it can be changed again, and the field that caused it has the focus.
    pub(super) fn show_refusal(&mut self, error: &CallError) {
        self.sending = None;
        // A reason of the service's own is about the device where it says so; without words it is most likely.
        let names_device =
            || error.service_message.as_ref().is_none_or(|words| words.raw().to_lowercase().contains("device"));
        let is_about_device = match error.code {
            Some(ErrorCode::TooManyOpen | ErrorCode::NoSuchDevice) => true,
            Some(ErrorCode::Declined) => names_device(),
            _ => false,
        };
        if is_about_device {
            self.show_problems(vec![FieldProblem { field: Field::Device, text: error.what() }]);
        }
    }

    /// Goes to another field.
    pub(super) fn focus(&mut self, field: Field) {
        self.focused = field;
        self.chosen = None;
    }

    /// Drops the blanks around the text of a field that is left. Returns whether there were any.
    pub(super) fn trim(&mut self, field: Field) -> bool {
        self.sending.is_none() && self.fields[field as usize].trim()
    }

    /// The text that has the focus, for a change: what was wrong with it may not hold any longer.
    fn focused_text(&mut self) -> &mut TextField {
        let focused = self.focused;
        self.problems.retain(|problem| problem.field != focused);
        self.chosen = None;
        &mut self.fields[focused as usize]
    }

    pub(super) fn type_text(&mut self, text: &str) {
        self.focused_text().type_text(text);
    }

    pub(super) fn paste(&mut self, text: &str) -> Dropped {
        self.focused_text().paste(text)
    }

    pub(super) fn edit(&mut self, edit: TextEdit) {
        if edit == TextEdit::Undo
            && self.is_empty()
            && let Some(discarded) = self.discarded.take()
        {
            let focused = self.focused;
            *self = Self { focused, ..Self::from_draft(&discarded) };
            return;
        }
        self.focused_text().edit(edit);
    }

    /// Replaces the plan of action with what the agent's editor left.
    pub(super) fn set_plan(&mut self, text: &str) -> Dropped {
        self.problems.retain(|problem| problem.field != Field::PlanOfAction);
        self.fields[Field::PlanOfAction as usize].replace(text)
    }

    /// Empties the form; undo brings it back.
    pub(super) fn discard(&mut self) {
        let discarded = self.draft();
        *self = Self { discarded: Some(discarded), ..Self::default() };
    }

    /// What is suggested for the field that has the focus: what begins like the text first, then what contains it.
    #[must_use]
    pub fn suggestions<'a>(&self, categories: &'a [Category]) -> Vec<&'a str> {
        let typed = self.field(self.focused).text().trim().to_lowercase();
        let names: Vec<&str> = match self.focused {
            Field::Category => categories.iter().map(|category| category.name.as_str()).collect(),
            Field::Subcategory => {
                let of = self.field(Field::Category).text().trim().to_lowercase();
                let category = categories.iter().find(|category| category.name.to_lowercase() == of);
                category.map_or_else(Vec::new, |category| category.subcategories.iter().map(String::as_str).collect())
            }
            Field::Ticket | Field::Device | Field::Title | Field::PlanOfAction => Vec::new(),
        };
        if names.iter().any(|name| name.to_lowercase() == typed) {
            return Vec::new();
        }
        let (begins, rest): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.to_lowercase().starts_with(&typed));
        begins.into_iter().chain(rest.into_iter().filter(|name| name.to_lowercase().contains(&typed))).collect()
    }

    /// Which of the suggestions Enter takes: the one that was chosen, or the best match of what was typed.
    #[must_use]
    pub fn highlighted(&self, categories: &[Category]) -> Option<usize> {
        let count = self.suggestions(categories).len();
        let best = (!self.field(self.focused).is_blank()).then_some(0);
        self.chosen.or(best).filter(|index| *index < count)
    }

    pub(super) fn choose_suggestion(&mut self, categories: &[Category], forward: bool) {
        let count = self.suggestions(categories).len();
        if count == 0 {
            return;
        }
        self.chosen = Some(match self.highlighted(categories) {
            None if forward => 0,
            None => count - 1,
            Some(index) if forward => (index + 1) % count,
            Some(index) => (index + count - 1) % count,
        });
    }

    /// Takes the highlighted suggestion, if there is one, and goes on.
    pub(super) fn take_suggestion(&mut self, categories: &[Category]) {
        if let Some(index) = self.highlighted(categories) {
            let name = self.suggestions(categories)[index].to_owned();
            self.focused_text().replace(&name);
        }
        self.focus(self.focused.next());
    }
}
