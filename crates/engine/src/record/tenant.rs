//! The key of a tenant in the record. It normalizes spellings for comparison only, never what is written or sent.

use std::hash::{Hash, Hasher};

use mmd_elevate_core::uuid;

/// The tenant that a row belongs to.
///
/// Two keys are equal if they mean the same service and tenant, whatever the spelling: a tenant's UUID in capitals or in
/// braces, the letter case of a domain or host, the default port of the base URL. Keys are stored as they are in the
/// settings, so that rows with an earlier spelling are still found.
#[derive(Clone, Debug)]
pub struct TenantKey {
    /// The base URL of the service. The practice tenant has its name here, because its port changes with each start.
    pub base_url: String,
    /// The tenant's id.
    pub tenant_id: String,
}

impl TenantKey {
    /// Returns the normalized form, which is compared and hashed.
    fn canonical(&self) -> (String, String) {
        let id = uuid(&self.tenant_id).map_or_else(|| self.tenant_id.trim().to_lowercase(), |id| format!("{id:032x}"));
        (canonical_url(&self.base_url), id)
    }
}

impl PartialEq for TenantKey {
    fn eq(&self, other: &Self) -> bool {
        let is_spelled_alike = self.base_url == other.base_url && self.tenant_id == other.tenant_id;
        is_spelled_alike || self.canonical() == other.canonical()
    }
}

impl Eq for TenantKey {}

impl Hash for TenantKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

fn canonical_url(url: &str) -> String {
    let Some((scheme, rest)) = url.trim().split_once("://") else { return url.trim().to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, authority) = (scheme.to_lowercase(), authority.to_lowercase());
    let default = if scheme == "http" { ":80" } else { ":443" };
    let authority = authority.strip_suffix(default).unwrap_or(&authority).replace(".:", ":");
    format!("{scheme}://{}{}", authority.trim_end_matches('.'), path.trim_end_matches('/'))
}
