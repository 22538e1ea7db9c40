//! The draft of a request, its fields and their validation. A request that can be sent is made only from a valid draft.

use std::fmt;

/// A field of the form. The order is that of the create document's request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The ticket number in the agent's own ticketing system: opaque text.
    Ticket,
    /// The name of the managed device.
    Device,
    /// One line that summarizes the problem.
    Title,
    /// Free text; the configuration suggests values.
    Category,
    /// Free text; the suggestions depend on the category.
    Subcategory,
    /// What the agent is going to do on the device.
    PlanOfAction,
}

impl Field {
    /// All fields, in the order of the form.
    pub const ALL: [Self; 6] =
        [Self::Ticket, Self::Device, Self::Title, Self::Category, Self::Subcategory, Self::PlanOfAction];

    /// Returns the label beside the field.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ticket => "Ticket",
            Self::Device => "Device",
            Self::Title => "Title",
            Self::Category => "Category",
            Self::Subcategory => "Subcategory",
            Self::PlanOfAction => "Plan of action",
        }
    }

    /// Returns whether the field holds one line.
    #[must_use]
    pub const fn is_one_line(self) -> bool {
        !matches!(self, Self::PlanOfAction)
    }

    /// Returns the next field; the first one follows the last.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// Returns the previous field; the last one precedes the first.
    #[must_use]
    pub const fn previous(self) -> Self {
        Self::ALL[(self as usize + Self::ALL.len() - 1) % Self::ALL.len()]
    }
}

/// The six texts of the form, valid or not.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft([String; 6]);

impl Draft {
    /// Returns the text of a field.
    #[must_use]
    pub fn get(&self, field: Field) -> &str {
        &self.0[field as usize]
    }

    /// Sets the text of a field.
    pub fn set(&mut self, field: Field, text: impl Into<String>) {
        self.0[field as usize] = text.into();
    }

    /// Returns whether nothing has been typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }

    /// Converts the draft to a request that can be sent. A field of one line is sent without the blanks around it, a long
    /// text unchanged.
    ///
    /// Every field is mandatory (assumption: no public document says which are).
    ///
    /// # Errors
    /// All problems, in the order of the fields.
    pub fn validate(&self) -> Result<NewElevationRequest, Vec<FieldProblem>> {
        let problems: Vec<_> = Field::ALL
            .into_iter()
            .filter(|field| self.get(*field).trim_matches(is_edge_blank).is_empty())
            .map(|field| FieldProblem { field, text: hint_for_missing(field).to_owned() })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(NewElevationRequest(self.trimmed()))
    }

    /// Returns the texts as they are sent: a field of one line without the blanks around it.
    fn trimmed(&self) -> Self {
        let mut draft = self.clone();
        for field in Field::ALL.into_iter().filter(|field| field.is_one_line()) {
            draft.set(field, self.get(field).trim_matches(is_edge_blank));
        }
        draft
    }

    /// Returns whether both drafts are sent as the same request.
    #[must_use]
    pub fn is_sent_as(&self, other: &Self) -> bool {
        self.trimmed() == other.trimmed()
    }
}

/// Returns whether a character means nothing at the ends of a line: blanks and line ends of any kind, and invisible
/// characters. A joiner or a variation selector belongs to the character before it and is not one of them.
#[must_use]
pub fn is_edge_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Shows lengths only: the texts describe a person's device, and must not reach logs and panic messages.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Draft").field(&self.0.each_ref().map(String::len)).finish()
    }
}

/// Returns a hint that fits into the narrowest form beside the list.
const fn hint_for_missing(field: Field) -> &'static str {
    match field {
        Field::Ticket => "type its number",
        Field::Device => "type its name",
        Field::Title => "type a title",
        Field::Category | Field::Subcategory => "choose or type one",
        Field::PlanOfAction => "say what you plan",
    }
}

/// A problem with a field, and what the agent can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field.
    pub field: Field,
    /// What to do about it.
    pub text: String,
}

/// A valid draft, as it is sent. Only [`Draft::validate`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewElevationRequest(Draft);

impl NewElevationRequest {
    /// Returns the text of a field, as it is sent.
    #[must_use]
    pub fn get(&self, field: Field) -> &str {
        self.0.get(field)
    }

    /// Returns the draft, as it is sent.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_names_all_its_problems_at_once_in_the_order_of_the_form() {
        let mut draft = Draft::default();
        draft.set(Field::Title, "Excel crashes");
        draft.set(Field::Category, " \t ");
        let problems = draft.validate().unwrap_err();
        let fields: Vec<_> = problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [Field::Ticket, Field::Device, Field::Category, Field::Subcategory, Field::PlanOfAction]);
    }

    #[test]
    fn a_valid_draft_is_sent_without_blanks_around_its_lines_and_its_long_text_to_the_letter() {
        for around in ["", " ", "\n", "\r\n", "\u{a0}", "\u{3000}\t", "\u{feff}", "\u{200b} \u{2060}"] {
            let mut draft = Draft::default();
            for field in Field::ALL {
                draft.set(field, format!("{around}{} \"x\"\u{200d}{around}", field.label()));
            }
            let request = draft.validate().unwrap();
            for field in Field::ALL {
                let text = format!("{} \"x\"\u{200d}", field.label());
                let sent = if field.is_one_line() { text } else { format!("{around}{text}{around}") };
                assert_eq!(request.get(field), sent, "{around:?}");
            }
        }
    }

    #[test]
    fn debug_tells_lengths_and_no_texts() {
        let mut draft = Draft::default();
        draft.set(Field::PlanOfAction, "canary");
        assert!(!format!("{draft:?}").contains("canary"));
    }
}
