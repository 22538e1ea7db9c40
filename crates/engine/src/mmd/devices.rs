//! The devices operation: searching the managed devices of the tenant.

use reqwest::Method;
use serde_json::{Map, Value};

use super::{Client, answer::HttpAnswer, failure, list::percent_encode, wire};
use mmd_elevate_core::{CallError, Device, Untrusted};

/// How many devices a search asks for: more than anybody reads through.
const MOST_DEVICES: usize = 50;

impl Client {
    /// Searches devices: `GET /tenants/{tenantId}/devices` with `$searchText`, `$skip` and `$top` (contract).
    ///
    /// # Errors
    /// A [`CallError`]. Nothing was changed.
    pub(super) async fn devices(&self, text: &str) -> Result<Vec<Device>, CallError> {
        let mut url = self.base.join(&["tenants", &self.tenant_id, "devices"]);
        url.set_query(Some(&format!("$searchText={}&$skip=0&$top={MOST_DEVICES}", percent_encode(text))));
        let answer = self.ask(Method::GET, url, None, self.timeouts.read).await;
        answer.and_then(HttpAnswer::read_devices).map_err(failure::presentable_for_reading)
    }
}

/// Reads the devices of a page. An entry that is no object is left out: a search proves nothing.
pub(super) fn parse(page: &Value) -> Option<Vec<Device>> {
    let list = match page.as_object() {
        Some(object) => wire::members(object, "value").find_map(Value::as_array)?,
        None => page.as_array()?,
    };
    Some(list.iter().filter_map(Value::as_object).map(device).collect())
}

fn device(entry: &Map<String, Value>) -> Device {
    let text = |key| wire::text(entry, key);
    let (user, assigned) = (text("userUpn"), text("assignedUser"));
    let (manufacturer, model) = (text("manufacturer"), text("model"));
    let model = match (manufacturer.is_blank(), model.is_blank()) {
        (_, true) => manufacturer,
        (true, false) => model,
        (false, false) => Untrusted::new(format!("{} {}", manufacturer.raw(), model.raw())),
    };
    Device {
        name: text("name"),
        serial_number: text("serialNumber"),
        user: if user.is_blank() { assigned } else { user },
        model,
        update_ring: text("primaryUpdateRing"),
    }
}
