//! Lists that stand in an order, kept in it without sorting all of them anew.

/// Merges new items, which stand in the order already, into items that do. `place` says where an item belongs among some.
pub(super) fn merge<T: Copy>(items: &[T], new: &[T], mut place: impl FnMut(&[T], T) -> usize) -> Vec<T> {
    let mut merged = Vec::with_capacity(items.len() + new.len());
    let mut rest = items;
    for item in new {
        let (before, after) = rest.split_at(place(rest, *item));
        merged.extend_from_slice(before);
        merged.push(*item);
        rest = after;
    }
    merged.extend_from_slice(rest);
    merged
}
