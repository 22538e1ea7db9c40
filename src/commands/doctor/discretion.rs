//! What is left out of what is pasted into tickets: whose machine it is, and which tenant exactly.

use uuid::Uuid;

/// As long as a GUID is written with its hyphens.
const GUID: usize = 36;

/// Takes out what is personal: the home folder becomes `~`, the user's name in a path `<user>`, a tenant's id its two ends.
#[derive(Clone, Debug)]
pub struct Discretion {
    home: Option<String>,
    users: Vec<String>,
    tenant: Option<String>,
}

impl Discretion {
    pub(super) fn new(home: Option<String>, users: impl IntoIterator<Item = Option<String>>) -> Self {
        let home = home.map(|home| home.trim_end_matches('/').to_owned()).filter(|home| !home.is_empty());
        Self { home, users: users.into_iter().flatten().filter(|user| !user.is_empty()).collect(), tenant: None }
    }

    pub(super) fn and_tenant(self, id: &str) -> Self {
        Self { tenant: Some(id.to_owned()), ..self }
    }

    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(home) = &self.home {
            text = exchange(&text, home, "~");
        }
        for user in &self.users {
            text = exchange(&text, &format!("/{user}"), "/<user>");
        }
        if let Some(tenant) = &self.tenant {
            text = exchange(&text, tenant, &short(tenant));
        }
        without_guids(&text)
    }
}

/// Exchanges a part of paths where it ends with a component.
fn exchange(text: &str, part: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(part) {
        let (before, after) = (&rest[..at], &rest[at + part.len()..]);
        out.push_str(before);
        let goes_on = after.starts_with(|c: char| c.is_alphanumeric() || "-_.".contains(c));
        out.push_str(if goes_on { part } else { with });
        rest = after;
    }
    out + rest
}

/// The two ends of an id, as the dashboard's header shows them.
fn short(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    match chars.len() {
        0..=12 => id.to_owned(),
        length => chars[..4].iter().chain(&['…']).chain(&chars[length - 4..]).collect(),
    }
}

/// A tenant that was named and is not configured is a tenant all the same.
fn without_guids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let guid = rest.get(..GUID).filter(|guid| guid.contains('-') && Uuid::try_parse(guid).is_ok());
        if let Some(guid) = guid {
            out.push_str(&short(guid));
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
    fn what_is_personal_is_left_out_and_nothing_else() {
        let discretion =
            Discretion::new(Some("/home/ann/".into()), [Some("ann".into()), None]).and_tenant("long.tenant.example");
        for (text, left) in [
            ("/home/ann/x: no", "~/x: no"),
            ("in /home/ann", "in ~"),
            ("/home/anna/x", "/home/anna/x"),
            ("/srv/ann/state", "/srv/<user>/state"),
            ("/srv/annual", "/srv/annual"),
            ("tenant long.tenant.example", "tenant long…mple"),
            ("é 7f3c2a10-0000-4000-8000-000000006677.", "é 7f3c…6677."),
        ] {
            assert_eq!(discretion.text(text), left);
        }
        assert_eq!(Discretion::new(Some("/".into()), []).text("/a/b"), "/a/b");
    }
}
