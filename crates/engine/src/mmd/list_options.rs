//! The options of a list's query that the service accepts, as far as this run has found out.

use mmd_elevate_core::Query;

/// The requested page size for a device's requests (assumption: no limit is documented, and a service may have its own).
pub(super) const DEVICE_PAGE: usize = 100;

/// The requested page size for the tenant's requests (assumption).
const TENANT_PAGE: usize = 1_000;

/// The options of a list's query. Refused options are left out one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListOptions {
    /// The page size; `None` leaves `$top` out.
    pub(super) top: Option<usize>,
    /// Whether `$filter` selects open requests; otherwise closed ones are left out after listing.
    pub(super) filters_open: bool,
    /// Whether `$filter` selects closed requests; otherwise open ones are left out after listing. A service may understand
    /// `eq` and refuse `ne`, so one refusal says nothing of the other filter.
    pub(super) filters_closed: bool,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self { top: Some(TENANT_PAGE), filters_open: true, filters_closed: true }
    }
}

impl ListOptions {
    pub(super) fn for_query(self, query: &Query) -> Self {
        match query {
            Query::Device(_) => Self { top: self.top.map(|top| top.min(DEVICE_PAGE)), ..self },
            Query::Open | Query::Closed => self,
        }
    }

    /// Returns the options to try after a refusal: smaller pages, no page size, then no filter.
    pub(super) fn after_refusal(self, query: &Query) -> Option<Self> {
        match (self.top, query) {
            (Some(top), _) if top > DEVICE_PAGE => Some(Self { top: Some(DEVICE_PAGE), ..self }),
            (Some(_), _) => Some(Self { top: None, ..self }),
            (None, Query::Open) if self.filters_open => {
                Some(Self { top: Some(TENANT_PAGE), filters_open: false, ..self })
            }
            (None, Query::Closed) if self.filters_closed => {
                Some(Self { top: Some(TENANT_PAGE), filters_closed: false, ..self })
            }
            (None, _) => None,
        }
    }

    /// Takes over the options that a query has found out. The filters of other queries stay as they are: they may have been
    /// refused meanwhile.
    pub(super) fn learn(&mut self, query: &Query, found: Self) {
        self.top = found.top;
        match query {
            Query::Device(_) => {}
            Query::Open => self.filters_open = found.filters_open,
            Query::Closed => self.filters_closed = found.filters_closed,
        }
    }
}
