//! The devices operation: searching the managed devices of the tenant.

use reqwest::Method;

use super::{answer::HttpAnswer, client::Client, failure, wire::percent_encode};
use mmd_elevate_core::{CallError, Device};

/// How many devices a search returns at most: more than an agent reads.
const MOST_DEVICES: usize = 50;

impl Client {
    /// Searches devices: `GET /tenants/{tenantId}/devices` with `$searchText`, `$skip` and `$top` (contract).
    ///
    /// # Errors
    /// A [`CallError`]: nothing was changed.
    pub(super) async fn devices(&self, text: &str) -> Result<Vec<Device>, CallError> {
        let mut url = self.base.join(&["tenants", &self.tenant_id, "devices"]);
        url.set_query(Some(&format!("$searchText={}&$skip=0&$top={MOST_DEVICES}", percent_encode(text))));
        let answer = self.request(Method::GET, url, None, self.timeouts.read).await;
        answer.and_then(HttpAnswer::read_devices).map_err(failure::sanitize_read)
    }
}
