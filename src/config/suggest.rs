//! Finds the name that a mistyped name was meant to be. It knows no names of its own.

/// How similar a name has to be to be suggested; 1 means equal.
const MIN_SIMILARITY: f64 = 0.72;

/// Returns the known name that is most similar, if one is similar enough. Letter case and the kind of dash do not count.
pub(super) fn closest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let similar =
        known.into_iter().map(|known| (similarity(name, known), known)).filter(|(score, _)| *score >= MIN_SIMILARITY);
    similar.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, known)| known)
}

/// Returns how similar two names are, from 0 to 1 for equal ones.
pub(crate) fn similarity(name: &str, known: &str) -> f64 {
    let normalize = |text: &str| text.to_lowercase().replace('_', "-");
    let (name, known) = (normalize(name), normalize(known));
    let prefix = if known.starts_with(&name) && name.len() > 2 { 0.8 } else { 0.0 };
    strsim::normalized_damerau_levenshtein(&name, &known).max(prefix)
}

/// Returns the hint with "did you mean …?" before it, if a known name is similar.
pub(crate) fn suggest<'n>(text: &str, known: impl IntoIterator<Item = &'n str>, hint: &str) -> String {
    match closest(text, known) {
        Some(name) => format!("did you mean `{name}`? {hint}"),
        None => hint.to_owned(),
    }
}
