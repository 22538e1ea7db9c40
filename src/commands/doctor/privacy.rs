//! Removes from a report whose machine it is and which tenant exactly. Secrets are removed elsewhere, by `redact`.

use uuid::Uuid;

/// The length of a GUID with hyphens.
const GUID_LENGTH: usize = 36;

/// Replaces personal data: the home folder by `~`, the user's name in a path by `<user>`, a tenant's id by its two ends.
#[derive(Clone, Debug)]
pub struct Anonymizer {
    home: Option<String>,
    users: Vec<String>,
    tenant: Option<String>,
}

impl Anonymizer {
    pub(super) fn new(home: Option<String>, users: impl IntoIterator<Item = Option<String>>) -> Self {
        let home = home.map(|home| home.trim_end_matches('/').to_owned()).filter(|home| !home.is_empty());
        Self { home, users: users.into_iter().flatten().filter(|user| !user.is_empty()).collect(), tenant: None }
    }

    pub(super) fn with_tenant(self, id: &str) -> Self {
        Self { tenant: Some(id.to_owned()), ..self }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(home) = &self.home {
            text = replace_component(&text, home, "~");
        }
        for user in &self.users {
            text = replace_component(&text, &format!("/{user}"), "/<user>");
        }
        if let Some(tenant) = &self.tenant {
            text = replace_component(&text, tenant, &shorten(tenant));
        }
        shorten_guids(&text)
    }
}

/// Replaces a part of paths, unless a path component goes on after it.
fn replace_component(text: &str, part: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(part) {
        let (before, after) = (&rest[..at], &rest[at + part.len()..]);
        out.push_str(before);
        let continues = after.starts_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        out.push_str(if continues { part } else { with });
        rest = after;
    }
    out + rest
}

/// Returns the two ends of an id, as the dashboard's header shows them.
fn shorten(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    match chars.len() {
        0..=12 => id.to_owned(),
        length => chars[..4].iter().chain(&['…']).chain(&chars[length - 4..]).collect(),
    }
}

/// Shortens all GUIDs: each may be the id of a tenant that is named but not configured.
fn shorten_guids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let guid = rest.get(..GUID_LENGTH).filter(|guid| guid.contains('-') && Uuid::try_parse(guid).is_ok());
        if let Some(guid) = guid {
            out.push_str(&shorten(guid));
        } else {
            out.push(c);
        }
        rest = &rest[guid.map_or(c.len_utf8(), str::len)..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_removed_and_nothing_else() {
        let anonymizer =
            Anonymizer::new(Some("/home/ann/".into()), [Some("ann".into()), None]).with_tenant("long.tenant.example");
        for (text, anonymized) in [
            ("/home/ann/x: no", "~/x: no"),
            ("in /home/ann", "in ~"),
            ("/home/anna/x", "/home/anna/x"),
            ("/srv/ann/state", "/srv/<user>/state"),
            ("/srv/annual", "/srv/annual"),
            ("tenant long.tenant.example", "tenant long…mple"),
            ("é 7f3c2a10-0000-4000-8000-000000006677.", "é 7f3c…6677."),
        ] {
            assert_eq!(anonymizer.apply(text), anonymized);
        }
        assert_eq!(Anonymizer::new(Some("/".into()), []).apply("/a/b"), "/a/b");
    }
}
