//! The form: six texts, the field in focus, the problems of the fields, and what is suggested.

use super::{RowId, TextField, devices::KnownDevice, suggest::Suggestion, text_field::Dropped};
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
    /// The blanks of a template that the agent was warned of on submitting the form.
    warned_blanks: Vec<String>,
    sending: Option<RowId>,
    discarded: Option<Draft>,
    /// What is suggested for the field in focus, and what that was found from.
    suggestions: Vec<Suggestion>,
    basis: Option<Basis>,
    chosen: Option<usize>,
    /// The field that was just completed on leaving it: undo goes back to it.
    completed: Option<Field>,
    /// The device that the service does not know.
    unknown_device: Option<String>,
}

/// What suggestions are found from: the field, its text, and how much is known of devices.
type Basis = (Field, String, u64);

impl Default for Form {
    fn default() -> Self {
        let field = |field: Field| if field.is_one_line() { TextField::one_line() } else { TextField::multi_line() };
        Self {
            fields: Field::ALL.map(field),
            focused: Field::Ticket,
            problems: Vec::new(),
            warned_of: None,
            warned_blanks: Vec::new(),
            sending: None,
            discarded: None,
            suggestions: Vec::new(),
            basis: None,
            chosen: None,
            completed: None,
            unknown_device: None,
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

    /// What is doubtful about the device: from when its field is left, or it was submitted.
    #[must_use]
    pub fn device_warning(&self, patterns: &Patterns, known: Option<&KnownDevice>) -> Option<String> {
        let was_warned = self.warned_of.as_deref() == Some(self.field(Field::Device).first_line());
        let due = self.sending.is_none() && (was_warned || self.focused != Field::Device);
        if due { self.check_device(patterns, known) } else { None }
    }

    fn check_device(&self, patterns: &Patterns, known: Option<&KnownDevice>) -> Option<String> {
        let (device, ticket) = (self.field(Field::Device).first_line(), self.field(Field::Ticket).first_line());
        let name = DeviceNameWarning::check(device, ticket, patterns).map(|warning| warning.to_string());
        name.or_else(|| {
            let is_test = known.is_some_and(|known| known.is_in_test_ring);
            is_test.then(|| "it is in the Test group, for which the service offers no elevation".to_owned())
        })
    }

    /// The doubtful device in the form that the agent was warned of on submitting it: submitting it again sends it.
    pub(super) fn confirmable_device(&self, patterns: &Patterns, known: Option<&KnownDevice>) -> Option<&str> {
        let name = self.field(Field::Device).first_line();
        let was_warned = self.sending.is_none() && self.warned_of.as_deref() == Some(name);
        (was_warned && self.check_device(patterns, known).is_some()).then_some(name)
    }

    /// The warning that the agent has not been given on submitting this device; from here on it counts as given.
    pub(super) fn warn_of_device(&mut self, patterns: &Patterns, known: Option<&KnownDevice>) -> Option<String> {
        let name = self.field(Field::Device).first_line().to_owned();
        let warning = self.check_device(patterns, known).filter(|_| self.warned_of.as_deref() != Some(&name))?;
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
        if error.code == Some(ErrorCode::NoSuchDevice) {
            self.unknown_device = Some(self.field(Field::Device).first_line().to_owned());
        }
        if is_about_device {
            self.show_problems(vec![FieldProblem { field: Field::Device, text: error.what() }]);
        }
    }

    /// The draft was not sent: it can be changed again.
    pub(super) const fn unlock(&mut self) {
        self.sending = None;
    }

    /// Whether the service does not know the device in the form.
    #[must_use]
    pub fn names_unknown_device(&self) -> bool {
        self.unknown_device.as_deref() == Some(self.field(Field::Device).first_line())
    }

    /// Goes to another field.
    pub(super) fn focus(&mut self, field: Field) {
        self.focused = field;
        (self.chosen, self.completed) = (None, None);
    }

    /// Drops the blanks around the text of a field that is left. Returns whether there were any.
    pub(super) fn trim(&mut self, field: Field) -> bool {
        self.sending.is_none() && self.fields[field as usize].trim()
    }

    /// The text that has the focus, for a change: what was wrong with it may not hold any longer.
    fn focused_text(&mut self) -> &mut TextField {
        let focused = self.focused;
        self.problems.retain(|problem| problem.field != focused);
        (self.chosen, self.completed) = (None, None);
        &mut self.fields[focused as usize]
    }

    /// Changes the text that has the focus.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut TextField) -> T) -> T {
        change(self.focused_text())
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
        if edit == TextEdit::Undo
            && let Some(field) = self.completed.take()
        {
            self.focus(field);
            // What was put in, and then what was taken out for it.
            self.fields[field as usize].edit(TextEdit::Undo);
        }
        self.focused_text().edit(edit);
    }

    /// Replaces the plan of action with what the agent's editor left.
    pub(super) fn set_plan(&mut self, text: &str) -> Dropped {
        self.problems.retain(|problem| problem.field != Field::PlanOfAction);
        self.fields[Field::PlanOfAction as usize].replace(text)
    }

    /// Inserts a text at the cursor of the plan. Returns how many blanks it has.
    pub(super) fn insert(&mut self, text: &str, has_blanks: bool) -> usize {
        self.problems.retain(|problem| problem.field != Field::PlanOfAction);
        self.fields[Field::PlanOfAction as usize].insert(text, has_blanks)
    }

    /// Fills in category and subcategory where both are empty. Returns whether it did.
    pub(super) fn fill_categories(&mut self, category: &str, subcategory: &str) -> bool {
        let fields = [(Field::Category, category), (Field::Subcategory, subcategory)];
        if category.is_empty() || fields.iter().any(|(field, _)| !self.field(*field).is_blank()) {
            return false;
        }
        for (field, text) in fields {
            self.problems.retain(|problem| problem.field != field);
            self.fields[field as usize].replace(text);
        }
        true
    }

    /// Goes to the next blank of a template in the plan, if the plan has the focus and one is behind the cursor.
    pub(super) fn next_blank(&mut self) -> bool {
        self.focused == Field::PlanOfAction && self.fields[Field::PlanOfAction as usize].select_next_blank()
    }

    /// The blanks of the plan for which sending it was put off, while they are still there: sending again sends them.
    pub(super) fn confirmable_blanks(&self) -> Vec<&str> {
        let left = self.field(Field::PlanOfAction).unfilled_blanks();
        if self.sending.is_none() && left == self.warned_blanks { left } else { Vec::new() }
    }

    /// The blanks of the plan that the agent was not told of on submitting it; from here on they count as told.
    pub(super) fn warn_of_blanks(&mut self) -> Option<String> {
        let left: Vec<_> = self.field(Field::PlanOfAction).unfilled_blanks().into_iter().map(str::to_owned).collect();
        if left.is_empty() || left == self.warned_blanks {
            return None;
        }
        let told = left.join(", ");
        self.warned_blanks = left;
        self.focus(Field::PlanOfAction);
        self.fields[Field::PlanOfAction as usize].select_first_blank();
        Some(told)
    }

    /// Empties the form; undo brings it back.
    pub(super) fn discard(&mut self) {
        let discarded = self.draft();
        *self = Self { discarded: Some(discarded), ..Self::default() };
    }

    /// Whether what is suggested was found from this.
    pub(super) fn is_suggested_for(&self, basis: &Basis) -> bool {
        self.basis.as_ref() == Some(basis)
    }

    /// Takes what is suggested, as it was found from `basis`.
    pub(super) fn suggest(&mut self, basis: Basis, suggestions: Vec<Suggestion>) {
        // The choice stays with its text.
        let chosen =
            self.chosen.and_then(|index| self.suggestions.get(index)).map(|suggestion| suggestion.text.clone());
        self.chosen = chosen.and_then(|text| suggestions.iter().position(|suggestion| suggestion.text == text));
        (self.basis, self.suggestions) = (Some(basis), suggestions);
    }

    /// What is suggested for the field that has the focus.
    #[must_use]
    pub fn suggestions(&self) -> &[Suggestion] {
        if self.sending.is_some() { &[] } else { &self.suggestions }
    }

    /// Which of the suggestions is chosen.
    #[must_use]
    pub fn chosen(&self) -> Option<usize> {
        self.chosen.filter(|index| *index < self.suggestions.len())
    }

    /// Chooses the next suggestion, or the one before; where there is none, goes to the field below or above.
    pub(super) fn choose_suggestion(&mut self, forward: bool) {
        let last = self.suggestions.len().checked_sub(1);
        match (last, self.chosen(), forward) {
            (Some(_), None, true) => self.chosen = Some(0),
            (Some(last), Some(index), true) => self.chosen = Some((index + 1).min(last)),
            (Some(_), Some(index), false) => self.chosen = index.checked_sub(1),
            (None, _, true) => self.focus(self.focused.next()),
            (_, _, false) => self.focus(self.focused.previous()),
        }
    }

    /// Chooses the suggestion of this text. Returns whether there is one.
    pub(super) fn choose(&mut self, text: &str) -> bool {
        self.chosen = self.suggestions().iter().position(|suggestion| suggestion.text == text);
        self.chosen.is_some()
    }

    /// Hides the suggestions until more is typed. Returns whether there were any.
    pub(super) fn hide_suggestions(&mut self) -> bool {
        self.chosen = None;
        !std::mem::take(&mut self.suggestions).is_empty()
    }

    /// Takes the suggestion that is chosen, if there is one, and goes on.
    pub(super) fn take_suggestion(&mut self) {
        if let Some(suggestion) = self.chosen().and_then(|index| self.suggestions.get(index)) {
            let text = suggestion.text.clone();
            self.focused_text().replace(&text);
        }
        self.focus(self.focused.next());
    }

    /// Completes the text of the field in focus and goes on. Undo goes back to it.
    pub(super) fn complete(&mut self, text: &str) {
        let field = self.focused;
        self.focused_text().replace(text);
        self.focus(field.next());
        self.completed = Some(field);
    }
}
