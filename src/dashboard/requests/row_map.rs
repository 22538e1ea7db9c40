//! Row ids, and values that are found by them.

/// What a row is called within this run: a request, or an attempt that has not become one. It is never used again, and a
/// create keeps it when the service opens its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u64);

impl RowId {
    fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Values by row. Ids are given one after the other, so a vector finds each value at once and wastes little.
#[derive(Clone, Debug)]
pub(super) struct RowMap<T>(Vec<Option<T>>);

impl<T> Default for RowMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> RowMap<T> {
    pub(super) fn get(&self, row: RowId) -> Option<&T> {
        self.0.get(row.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, row: RowId) -> Option<&mut T> {
        self.0.get_mut(row.index())?.as_mut()
    }

    pub(super) fn insert(&mut self, row: RowId, value: T) {
        let index = row.index();
        if index >= self.0.len() {
            self.0.resize_with(index + 1, || None);
        }
        self.0[index] = Some(value);
    }

    pub(super) fn remove(&mut self, row: RowId) -> Option<T> {
        self.0.get_mut(row.index())?.take()
    }

    /// All values with their rows, the oldest row first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowId, &T)> {
        (0..).zip(&self.0).filter_map(|(row, value)| Some((RowId(row), value.as_ref()?)))
    }
}
