//! What is suggested for the field that has the focus. Nothing is chosen until the agent chooses.

use super::{Category, Model, devices, fuzzy};
use mmd_elevate_core::Field;

/// How many are offered.
const MOST: usize = 50;

/// How many names that look like one that does not exist are offered.
const NEAREST: usize = 3;

/// From how many letters on tickets and devices are suggested: before that, everything would be.
const SHORTEST: usize = 2;

/// A text that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The text, as it is put into the field.
    pub text: String,
    /// What it is, where that is known; harmless to a terminal.
    pub about: String,
}

/// The texts that fit what was typed, each with what is known about it, the best first.
fn rank<'a>(typed: &str, texts: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Suggestion> {
    let ranked = fuzzy::rank(typed, texts.map(|(text, about)| ((text, about), text, about)));
    let one = |(text, about): (&str, &str)| Suggestion { text: text.to_owned(), about: about.to_owned() };
    ranked.into_iter().take(MOST).map(one).collect()
}

/// The names of categories, or of the subcategories of the one that was typed.
fn category_names<'a>(model: &'a Model, field: Field) -> Vec<&'a str> {
    let names = |categories: &'a [Category]| categories.iter().map(|category| category.name.as_str()).collect();
    if field == Field::Category {
        return names(&model.categories);
    }
    let of = model.form.field(Field::Category).text().trim().to_lowercase();
    let category = model.categories.iter().find(|category| category.name.to_lowercase() == of);
    category.map_or_else(Vec::new, |category| category.subcategories.iter().map(String::as_str).collect())
}

/// What is suggested now.
fn suggestions(model: &Model) -> Vec<Suggestion> {
    let field = model.form.focused;
    let typed = model.form.field(field).text().trim().to_owned();
    let plain = |name: &str| Suggestion { text: name.to_owned(), about: String::new() };
    let suggested = match field {
        Field::Category | Field::Subcategory => {
            let names = category_names(model, field);
            if typed.is_empty() {
                names.into_iter().map(plain).collect()
            } else {
                rank(&typed, names.into_iter().map(|name| (name, "")))
            }
        }
        Field::Device if model.form.names_unknown_device() => {
            model.devices.nearest(&typed, NEAREST).iter().map(|name| plain(name)).collect()
        }
        Field::Device if typed.chars().count() >= SHORTEST => rank(&typed, model.devices.all()),
        Field::Ticket if typed.chars().count() >= SHORTEST => {
            let tickets: std::collections::BTreeSet<_> =
                model.requests.mine().map(|row| row.text(Field::Ticket).into_owned()).collect();
            rank(&typed, tickets.iter().map(|ticket| (ticket.as_str(), "")))
        }
        Field::Ticket | Field::Device | Field::Title | Field::PlanOfAction => Vec::new(),
    };
    // Who has typed one of them wants no other.
    let is_typed = |suggestion: &Suggestion| suggestion.text.eq_ignore_ascii_case(&typed);
    if suggested.iter().any(is_typed) { Vec::new() } else { suggested }
}

/// The only category or subcategory that begins like what was typed.
pub(super) fn only_beginning(model: &Model) -> Option<String> {
    let field = model.form.focused;
    if !matches!(field, Field::Category | Field::Subcategory) {
        return None;
    }
    let typed = model.form.field(field).text().trim().to_lowercase();
    let names = category_names(model, field);
    if typed.is_empty() || names.iter().any(|name| name.to_lowercase() == typed) {
        return None;
    }
    let mut beginning = names.into_iter().filter(|name| name.to_lowercase().starts_with(&typed));
    match (beginning.next(), beginning.next()) {
        (Some(name), None) => Some(name.to_owned()),
        _ => None,
    }
}

/// Finds anew what is suggested, where what was typed or what is known has changed.
pub(super) fn update(model: &mut Model) {
    let field = model.form.focused;
    let basis = (field, model.form.field(field).first_line().to_owned(), model.devices.version);
    if model.form.is_suggested_for(&basis) {
        return;
    }
    let suggested = suggestions(model);
    model.form.suggest(basis, suggested);
}

/// How a suggestion is shown.
pub(super) fn shown(suggestion: &Suggestion) -> (String, &str) {
    (devices::shown(&suggestion.text), &suggestion.about)
}
