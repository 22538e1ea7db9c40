//! Finds what is meant by a few letters.

use std::cmp::Reverse;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

/// Ranks items, each with a text and what is known about it, by how well they fit what was typed: letters in their order,
/// together and at beginnings first, and of equals the shorter text. Those that do not fit are left out.
pub(super) fn rank<'a, T>(typed: &str, items: impl Iterator<Item = (T, &'a str, &'a str)>) -> Vec<T> {
    let mut config = Config::DEFAULT;
    // Who begins to type a name begins with its beginning.
    config.prefer_prefix = true;
    let mut matcher = Matcher::new(config);
    let pattern = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let mut buffer = Vec::new();
    let mut ranked: Vec<_> = items
        .filter_map(|(item, text, about)| {
            let all = if about.is_empty() { text.to_owned() } else { format!("{text} {about}") };
            let score = pattern.score(Utf32Str::new(&all, &mut buffer), &mut matcher)?;
            Some((Reverse(score), text.len(), item))
        })
        .collect();
    // The order of equals is that in which they came.
    ranked.sort_by_key(|(score, length, _)| (*score, *length));
    ranked.into_iter().map(|(.., item)| item).collect()
}
