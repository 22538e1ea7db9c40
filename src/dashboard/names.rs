//! What agents are called in a word.

use super::{Model, Row};
use mmd_elevate_core::Untrusted;

/// The name of an agent without the domain, which is the same for all of a company.
pub(super) fn agent(upn: &Untrusted) -> String {
    let visible = upn.visible();
    visible.split('@').next().unwrap_or_default().to_owned()
}

/// Who has looked at the password, in a word or two.
pub(super) fn viewers(viewers: &[Untrusted]) -> String {
    if viewers.is_empty() {
        return "nobody".to_owned();
    }
    viewers.iter().map(agent).collect::<Vec<_>>().join(", ")
}

impl Model {
    /// Who opened the request: "you", or the agent's name.
    #[must_use]
    pub fn opener(&self, row: &Row<'_>) -> String {
        if row.mine {
            return "you".to_owned();
        }
        let name = row.request.map_or_else(String::new, |request| agent(&request.requested_by));
        if name.trim().is_empty() { "somebody".to_owned() } else { name }
    }
}
