//! Reads tokens and secrets from the output of other programs. It never repeats what they print on standard error.

use std::{path::Path, time::Duration};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{
    SignInError, Token,
    text::{self, SecretTextError},
};
use crate::{
    process::{DetachedError, MOST_PRINTED, Printed, run_detached},
    redact::{self, Kind},
};
use mmd_elevate_core::visible;

/// How long a program may take.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// What keeps the Azure CLI to its answer (documented), and other programs from asking where they honour it.
const QUIET: [(&str, &str); 5] = [
    ("AZURE_CORE_NO_COLOR", "true"),
    ("AZURE_CORE_ONLY_SHOW_ERRORS", "true"),
    ("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("NO_COLOR", "1"),
];

const AZURE_HINT: &str = "run `az login` in another terminal, then sign in again";

/// Asks the Azure CLI for a token: `az account get-access-token` (documented).
pub(super) async fn azure_cli(
    program: &str,
    scope: &str,
    tenant_id: &str,
    limit: Duration,
) -> Result<Token, SignInError> {
    let arguments =
        ["account", "get-access-token", "--scope", scope, "--tenant", tenant_id, "--output", "json"].map(str::to_owned);
    let text = run("the Azure CLI", AZURE_HINT, program, &arguments, limit).await?;
    from_json(text.expose_secret()).unwrap_or_else(|| Err(unusable("the Azure CLI", "update the Azure CLI")))
}

/// Asks the organisation's command for a token: one line that is the token, or the Azure CLI's JSON.
pub(super) async fn token(program: &str, arguments: &[String], limit: Duration) -> Result<Token, SignInError> {
    let who = "the command for a token";
    let hint = "run the command yourself to see what it says, then sign in again";
    let text = run(who, hint, program, arguments, limit).await?;
    let text = text.expose_secret();
    if let Some(token) = from_json(text.trim()) {
        return token;
    }
    let hint = "let it print one line that is the token, or the JSON that the Azure CLI prints";
    let text = text::token(text).map_err(|unfit| unfit_output(who, unfit, hint))?;
    Token::with_end_from_jwt(text).map_err(|_| unusable(who, hint))
}

/// Asks a command for a client secret: one line.
pub(super) async fn secret(program: &str, arguments: &[String], limit: Duration) -> Result<SecretString, SignInError> {
    let who = "the command for the client secret";
    let text = run(who, "run the command yourself to see what it says", program, arguments, limit).await?;
    let hint = "let it print one line that is the secret";
    let secret = text::client_secret(text.expose_secret()).map_err(|unfit| unfit_output(who, unfit, hint))?;
    redact::register(Kind::Secret, secret);
    Ok(secret.into())
}

/// What to do about what was printed: where a word says what is wrong, that is said.
fn unfit_output(who: &str, unfit: SecretTextError, hint: &str) -> SignInError {
    let hint = match unfit {
        SecretTextError::Quoted | SecretTextError::Bearer | SecretTextError::Utf16 => unfit.hint(),
        SecretTextError::Empty | SecretTextError::NotText | SecretTextError::Lines | SecretTextError::Blank => hint,
    };
    SignInError::permanent(format!("{who} printed something that cannot be used: {unfit}"), hint)
}

fn unusable(who: &str, hint: &str) -> SignInError {
    SignInError::permanent(format!("{who} printed something that cannot be used"), hint)
}

/// What a program prints. `who` is what it is called in an error. What it says on standard error is never repeated: a
/// shell's trace or a careless program writes secrets there.
async fn run(
    who: &str,
    hint: &str,
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<SecretString, SignInError> {
    let printed = run_detached(program, arguments, &QUIET, limit).await.map_err(|error| match error {
        DetachedError::NotStarted(error) => SignInError::permanent(
            format!("{who} could not be started{} ({})", absent(program), error.kind()),
            "check the first word of the command (it may be a secret, and is not shown), and that the program is in PATH",
        ),
        DetachedError::TimedOut => {
            SignInError::transient(format!("{who} did not end within {} s", limit.as_secs()), hint)
        }
        DetachedError::TooMuch => {
            SignInError::permanent(format!("{who} printed more than {} KiB", MOST_PRINTED >> 10), hint)
        }
        DetachedError::Unreadable(error) => {
            SignInError::permanent(format!("{who} could not be read ({})", error.kind()), hint)
        }
    })?;
    let Printed { status, stdout, .. } = printed;
    let stdout = SecretBox::new(Box::new(stdout));
    if status.success() {
        let text = text::decoded(stdout.expose_secret()).map_err(|unfit| unfit_output(who, unfit, hint))?;
        return Ok(text.into());
    }
    let how = status.code().map_or_else(|| "was stopped".to_owned(), |code| format!("failed with exit code {code}"));
    // It has run, so this is a program's name and nothing else.
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    Err(SignInError::permanent(format!("{who} ({}) {how}", visible(&name)), hint))
}

/// The name of a program that could not be started, where it is surely none of a secret that stands in its place: a path
/// of plain words.
fn absent(program: &str) -> String {
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(&byte));
    let is_a_path = program.starts_with('/') && program.matches('/').count() > 1 && program.split('/').all(plain);
    if is_a_path { format!(": {program}") } else { String::new() }
}

/// What the Azure CLI prints (documented). `expiresOn` is what versions before 2.54 alone have, in local time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Printout {
    access_token: String,
    #[serde(rename = "expires_on")]
    ends: Option<Value>,
    expires_on: Option<String>,
}

/// `None` where the text is not JSON of this shape.
fn from_json(text: &str) -> Option<Result<Token, SignInError>> {
    let Printout { access_token, ends, expires_on } = serde_json::from_str(text).ok()?;
    let ends = match ends {
        Some(seconds) => {
            seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok()).and_then(|at| Timestamp::from_second(at).ok())
        }
        None => expires_on.and_then(|text| local(&text)),
    };
    let refused = |_| unusable("the Azure CLI", AZURE_HINT);
    Some(match ends {
        Some(ends) => Token::new(access_token, Some(ends)).map_err(refused),
        None => Token::with_end_from_jwt(access_token).map_err(refused),
    })
}

/// Where an hour comes twice in autumn, the first is meant, so that the token is renewed too early and not too late.
fn local(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.parse().ok()?;
    at.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_azure_clis_json_is_read_in_all_its_versions() {
        let ends = |text: &str| from_json(text).unwrap().unwrap().ends();
        let at = Timestamp::from_second(1_700_000_000).ok();
        assert_eq!(ends(r#"{"accessToken": "t", "expires_on": 1700000000, "expiresOn": "2001-01-01 00:00:00.0"}"#), at);
        assert_eq!(ends(r#"{"accessToken": "t", "expires_on": "1700000000"}"#), at);
        let local = at.unwrap().to_zoned(TimeZone::system()).datetime();
        assert_eq!(
            ends(&format!(r#"{{"accessToken": "t", "expiresOn": "{} {}.000000"}}"#, local.date(), local.time())),
            at
        );
        assert_eq!(ends(r#"{"accessToken": "t", "tokenType": "Bearer"}"#), None);
        assert!(from_json(r#"{"accessToken": "a b"}"#).unwrap().is_err());
        for junk in ["t", "[]", "{}", r#"{"accessToken": 5}"#, "{\"accessToken\": \"t\"} x"] {
            assert!(from_json(junk).is_none(), "{junk}");
        }
    }
}
