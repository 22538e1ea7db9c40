//! Removes the secrets of this process from answers of the service, and from log lines, errors, reports and copies. Each secret
//! is registered where it is loaded. No secret is ever shown, not even by `Debug`.
//!
//! A service may repeat a secret in another form. These forms are found too: JSON escapes, percent escapes in both letter
//! cases, and base64 in both alphabets, also inside a longer encoded text.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use mmd_elevate_core::visible;

/// From this length on, in characters, a secret is found inside words too. A shorter one is found as a whole word only, because
/// it may be part of many words; and only from [`SHORTEST`] on and if it is not letters only, because a secret that is a plain
/// word would remove that word from every sentence.
const LONG: usize = 8;
const SHORTEST: usize = 6;

/// How many bytes of a longer form identify it, so that a truncated secret is found too.
const HEAD: usize = 16;

/// The longest value that is repeated in an error, in characters.
const LONGEST_QUOTE: usize = 80;

/// The kind of a secret, which is shown in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bearer token.
    Token,
    /// A client secret, a private key, an assertion, a proxy's password.
    Secret,
}

impl Kind {
    const fn mark(self) -> &'static str {
        match self {
            Self::Token => "[token]",
            Self::Secret => "[secret]",
        }
    }
}

/// How many bytes at the start of each form are indexed. Every form has at least this length.
const START: usize = 6;

/// One form of a secret.
struct SecretForm {
    text: SecretString,
    mark: &'static str,
    whole_word: bool,
}

/// All forms of all secrets. They stay until the process ends, because a service may repeat a token long after its renewal. A
/// text is searched once for all of them.
struct Forms {
    all: Vec<SecretForm>,
    /// The indexes of the forms with this start.
    by_start: BTreeMap<[u8; START], Vec<usize>>,
    /// A bit for each pair of first bytes, which excludes most positions of a text.
    first_two: [u64; 1024],
}

static FORMS: RwLock<Forms> = RwLock::new(Forms { all: Vec::new(), by_start: BTreeMap::new(), first_two: [0; 1024] });

impl Forms {
    fn add(&mut self, form: SecretForm) {
        let Some(start) = form.text.expose_secret().as_bytes().first_chunk::<START>().copied() else { return };
        let (word, bit) = Self::bit(start[0], start[1]);
        self.first_two[word] |= bit;
        self.by_start.entry(start).or_default().push(self.all.len());
        self.all.push(form);
    }

    const fn bit(first: u8, second: u8) -> (usize, u64) {
        let index = ((first as usize) << 8) | second as usize;
        (index / 64, 1 << (index % 64))
    }

    /// Returns the longest form at a position, complete or truncated, and its length in the text.
    fn find_at(&self, text: &str, at: usize) -> Option<(&SecretForm, usize)> {
        let start = text.as_bytes().get(at..)?.first_chunk::<START>()?;
        let (word, bit) = Self::bit(start[0], start[1]);
        if self.first_two[word] & bit == 0 {
            return None;
        }
        let forms = self.by_start.get(start)?.iter().filter_map(|index| self.all.get(*index));
        forms.filter_map(|form| Some((form, form.length_at(text, at)?))).max_by_key(|(_, length)| *length)
    }
}

impl SecretForm {
    /// Returns how many bytes of the text match this form at a position; `None` for too few bytes or a part of a word.
    fn length_at(&self, text: &str, at: usize) -> Option<usize> {
        let secret = self.text.expose_secret();
        let (before, here) = text.split_at_checked(at)?;
        let same = here.chars().zip(secret.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
        let is_enough = same == secret.len() || (secret.len() > HEAD + HEAD / 2 && same >= HEAD);
        let is_part = |c: char| c.is_alphanumeric();
        let is_within = before.ends_with(is_part) || here[same..].starts_with(is_part);
        (is_enough && !(self.whole_word && is_within)).then_some(same)
    }
}

/// Registers a secret, which is removed from all texts from now on.
pub fn register(kind: Kind, secret: &str) {
    let secret = secret.trim();
    let length = secret.chars().count();
    let is_a_plain_word = secret.chars().all(char::is_alphabetic);
    if length < SHORTEST || (length < LONG && is_a_plain_word) {
        return;
    }
    let mut forms = FORMS.write().unwrap_or_else(PoisonError::into_inner);
    if forms.all.iter().any(|form| form.text.expose_secret() == secret) {
        return;
    }
    for text in forms_of(secret) {
        forms.add(SecretForm { text, mark: kind.mark(), whole_word: length < LONG });
    }
}

fn forms_of(secret: &str) -> Vec<SecretString> {
    let escaped = serde_json::to_string(secret).unwrap_or_default();
    let escaped = escaped.trim_matches('"').to_owned();
    let mut forms = vec![secret.to_owned(), escaped, percent_encode(secret, false), percent_encode(secret, true)];
    if secret.chars().count() >= LONG {
        forms.extend((0..3).flat_map(|before| {
            [STANDARD_NO_PAD.encode(with_offset(secret, before)), URL_SAFE_NO_PAD.encode(with_offset(secret, before))]
                .map(|encoded| stable_part(&encoded, secret.len(), before))
        }));
    }
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(SecretString::from).collect()
}

fn percent_encode(text: &str, small: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(char::from(byte)),
            byte if small => out.push_str(&format!("%{byte:02x}")),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// Returns the secret after this many other bytes, as in a longer text.
fn with_offset(secret: &str, before: usize) -> Vec<u8> {
    [&vec![0; before][..], secret.as_bytes()].concat()
}

/// Returns the encoded characters that depend on the secret only, and not on the text around it.
fn stable_part(encoded: &str, length: usize, before: usize) -> String {
    let begins = (before * 8).div_ceil(6);
    let ends = (before + length) * 8 / 6;
    encoded.get(begins..ends).unwrap_or_default().to_owned()
}

/// Returns the text with `[token]` or `[secret]` in place of each secret.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner);
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at < text.len() {
        match forms.find_at(text, at) {
            Some((form, length)) => {
                out.push_str(&text[copied..at]);
                out.push_str(form.mark);
                at += length;
                copied = at;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Removes secrets from every text and every key of a JSON value.
pub fn redact_json(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            if let Cow::Owned(redacted) = redact(text) {
                *text = redacted;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact_json),
        Value::Object(members) => {
            members.values_mut().for_each(redact_json);
            if members.keys().any(|key| matches!(redact(key), Cow::Owned(_))) {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(key, value)| (redact(&key).into_owned(), value))
                    .collect();
            }
        }
    }
}

/// Quotes a value for an error, in backticks and in visible form. A value that looks like a secret is not repeated.
#[must_use]
pub fn quoted(text: &str) -> String {
    if looks_secret(text) {
        return "a value that is not shown, because it looks like a secret,".to_owned();
    }
    let text = redact(text);
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("`{}…`", visible(&text[..end])),
        None => format!("`{}`", visible(&text)),
    }
}

/// Returns whether a text may be a token, a key or a generated secret: a JWT, PEM, or a long word of capital letters, small
/// letters and digits. A GUID is an id, not a secret.
#[must_use]
pub fn looks_secret(text: &str) -> bool {
    const LONG_WORD: usize = 20;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let mixes = |word: &str| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        let is_hex = word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        !is_hex && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit)
    };
    text.contains("-----BEGIN")
        || text
            .split(|c: char| !is_part(c))
            .any(|word| word.starts_with("eyJ") || (word.chars().count() >= LONG_WORD && mixes(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_secret_is_taken_out_in_each_of_its_forms() {
        let secret = "redact-1~\"\\/ä+Q9 x";
        register(Kind::Secret, &format!(" {secret}\n"));
        for form in forms_of(secret) {
            let text = format!("<{}>", form.expose_secret());
            assert_eq!(redact(&text), "<[secret]>", "{text}");
        }
        for around in ["", "a", "ab", "user:"] {
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(format!("{around}{secret}"));
                assert!(redact(&encoded).contains("[secret]"), "{encoded}");
                let encoded = engine.encode(format!("{around}{secret}.more"));
                assert!(redact(&encoded).contains("[secret]"), "{encoded}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_a_secret_all_the_same() {
        register(Kind::Token, "redact-2.abcdefghijklmnopqrstuvwxyz.0123456789");
        assert_eq!(redact("id redact-2.abcdefghijklm… next"), "id [token]… next");
        assert_eq!(redact("redact-2.abcdefghijklmnopqrstuvwxyz.0123456789!"), "[token]!");
        assert_eq!(redact("redact-2.ab"), "redact-2.ab", "too little to be of any use");
    }

    #[test]
    fn a_short_secret_is_a_word_of_its_own_and_a_plain_word_is_none() {
        for secret in ["", "t", "ab1", "token", "letters"] {
            register(Kind::Token, secret);
        }
        register(Kind::Token, "short7");
        assert_eq!(redact("t ab1 token letters: short7, x-short7"), "t ab1 token letters: [token], x-[token]");
        assert_eq!(redact("ashort7 short78"), "ashort7 short78");
    }

    #[test]
    fn a_secret_within_another_leaves_nothing_of_the_longer_one() {
        register(Kind::Secret, "redact-4-inner");
        register(Kind::Token, "redact-4-inner-and-outer");
        assert_eq!(redact("redact-4-inner-and-outer redact-4-inner"), "[token] [secret]");
    }

    #[test]
    fn json_is_redacted_in_texts_and_keys_at_any_depth() {
        register(Kind::Token, "redact-5-token");
        let mut value = serde_json::json!({"a": ["redact-5-token", {"redact-5-token": 1, "b": "x redact-5-token"}]});
        redact_json(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["[token]", {"[token]": 1, "b": "x [token]"}]}));
    }

    #[test]
    fn what_looks_like_a_secret_is_not_repeated() {
        for text in [
            "eyJhbGciOi.eyJzdWIi.c2ln",
            "abc8Q~Wdk2_xYz.01234567890abcdefGHIJ",
            "Bearer eyJhbGciOi",
            "-----BEGIN PRIVATE KEY-----\nMIIE",
            "x AbCdEfGhIjKlMnOpQrStUvWx12345+/== y",
        ] {
            assert!(!quoted(text).contains(text), "{text}");
            assert!(quoted(text).contains("not shown"), "{text}");
        }
        for text in
            ["puce", "Contoso", "7F3c2a10-0000-4000-8000-000000006677", "light-magenta", "contoso.onmicrosoft.com"]
        {
            assert_eq!(quoted(text), format!("`{text}`"));
        }
        assert_eq!(quoted("a\x1b[2J"), "`a␛[2J`");
    }
}
