//! Pages of a list, and what can be wrong with them.

use super::{
    known::splitmix,
    rules::{Fate, ListFault},
};

/// Which part of a list is asked for.
#[derive(Default)]
pub(super) struct Page {
    pub(super) skip: usize,
    pub(super) top: Option<usize>,
    /// Where the link of the page before says that this one begins.
    pub(super) token: Option<usize>,
}

/// A page, and where the next begins, if the answer is to say so.
pub(super) struct Part<T> {
    pub(super) entries: Vec<T>,
    pub(super) next: Option<usize>,
}

/// Cuts a page of at most `most` out of the list, with the faults of the call's fate.
pub(super) fn cut<T: Clone>(mut all: Vec<&T>, page: &Page, most: Option<usize>, fate: &Fate) -> Part<T> {
    let (mut most, mut has_links, mut overlap) = (most.unwrap_or(usize::MAX), false, 0);
    let mut drawn = fate.drawn;
    let mut below = |bound: usize| {
        drawn = splitmix(drawn);
        usize::try_from(drawn % bound.max(1) as u64).unwrap_or_default()
    };
    for fault in &fate.list {
        match *fault {
            ListFault::Cap(entries) => most = most.min(entries),
            ListFault::NextLink(entries) => (most, has_links) = (most.min(entries), true),
            ListFault::Overlap(entries) => overlap = entries,
            ListFault::Vanish(entries) => {
                for _ in 0..entries.min(all.len()) {
                    all.remove(below(all.len()));
                }
            }
            ListFault::Shuffle => (1..all.len()).for_each(|at| all.swap(at, below(at + 1))),
            // These are about what there is to cut, and what may be asked.
            ListFault::Unfiltered | ListFault::RefuseTop(_) | ListFault::Stale(_) => {}
        }
    }
    let length = page.top.unwrap_or(most).min(most);
    let start = if has_links { page.token.unwrap_or_default() } else { page.skip };
    // A page that brought nothing new would be an endless list.
    let start = start.saturating_sub(overlap.min(length.saturating_sub(1)));
    let entries: Vec<T> = all.iter().skip(start).take(length).copied().cloned().collect();
    let end = start + entries.len();
    Part { next: (has_links && end < all.len()).then_some(end), entries }
}
