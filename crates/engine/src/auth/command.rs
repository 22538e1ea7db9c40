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
    process::{DetachedError, MAX_OUTPUT, ProgramOutput, run_detached},
    redact::{self, Kind},
};
use mmd_elevate_core::visible;

/// How long a program may run.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// Makes the Azure CLI print its result only (documented), and other programs not prompt if they support it.
const QUIET: [(&str, &str); 5] = [
    ("AZURE_CORE_NO_COLOR", "true"),
    ("AZURE_CORE_ONLY_SHOW_ERRORS", "true"),
    ("AZURE_CORE_LOGIN_EXPERIENCE_V2", "off"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("NO_COLOR", "1"),
];

const AZURE_HINT: &str = "run `az login` in another terminal, then sign in again";

/// Runs the Azure CLI for a token: `az account get-access-token` (documented).
pub(super) async fn azure_cli(
    program: &str,
    scope: &str,
    tenant_id: &str,
    limit: Duration,
) -> Result<Token, SignInError> {
    let arguments =
        ["account", "get-access-token", "--scope", scope, "--tenant", tenant_id, "--output", "json"].map(str::to_owned);
    let text = run("the Azure CLI", AZURE_HINT, program, &arguments, limit).await?;
    parse_json(text.expose_secret()).unwrap_or_else(|| Err(unusable("the Azure CLI", "update the Azure CLI")))
}

/// Runs the configured command for a token: it prints the token on one line, or the JSON of the Azure CLI.
pub(super) async fn token(program: &str, arguments: &[String], limit: Duration) -> Result<Token, SignInError> {
    let who = "the command for a token";
    let hint = "run the command yourself to see what it says, then sign in again";
    let text = run(who, hint, program, arguments, limit).await?;
    let text = text.expose_secret();
    if let Some(token) = parse_json(text.trim()) {
        return token;
    }
    let hint = "let it print one line that is the token, or the JSON that the Azure CLI prints";
    let text = text::parse_token(text).map_err(|unfit| unfit_output(who, unfit, hint))?;
    Token::with_end_from_jwt(text).map_err(|_| unusable(who, hint))
}

/// Runs the configured command for a client secret, which it prints on one line.
pub(super) async fn secret(program: &str, arguments: &[String], limit: Duration) -> Result<SecretString, SignInError> {
    let who = "the command for the client secret";
    let text = run(who, "run the command yourself to see what it says", program, arguments, limit).await?;
    let hint = "let it print one line that is the secret";
    let secret = text::parse_client_secret(text.expose_secret()).map_err(|unfit| unfit_output(who, unfit, hint))?;
    redact::register(Kind::Secret, secret);
    Ok(secret.into())
}

/// Returns the error for unusable output: with the hint for its form if there is one, or else with the hint for the command.
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

/// Runs a program and returns its standard output. `who` names the program in errors. Standard error is never repeated: a
/// trace of a shell may write secrets there.
async fn run(
    who: &str,
    hint: &str,
    program: &str,
    arguments: &[String],
    limit: Duration,
) -> Result<SecretString, SignInError> {
    let output = run_detached(program, arguments, &QUIET, limit).await.map_err(|error| match error {
        DetachedError::NotStarted(error) => SignInError::permanent(
            format!("{who} could not be started{} ({})", name_if_plain(program), error.kind()),
            "check the first word of the command (it may be a secret, and is not shown), and that the program is in PATH",
        ),
        DetachedError::TimedOut => {
            SignInError::transient(format!("{who} did not end within {} s", limit.as_secs()), hint)
        }
        DetachedError::TooMuch => {
            SignInError::permanent(format!("{who} printed more than {} KiB", MAX_OUTPUT >> 10), hint)
        }
        DetachedError::Unreadable(error) => {
            SignInError::permanent(format!("{who} could not be read ({})", error.kind()), hint)
        }
    })?;
    let ProgramOutput { status, stdout } = output;
    let stdout = SecretBox::new(Box::new(stdout));
    if status.success() {
        let text = text::decode(stdout.expose_secret()).map_err(|unfit| unfit_output(who, unfit, hint))?;
        return Ok(text.into());
    }
    let how = status.code().map_or_else(|| "was stopped".to_owned(), |code| format!("failed with exit code {code}"));
    // The program has run, so its name is no secret.
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    Err(SignInError::permanent(format!("{who} ({}) {how}", visible(&name)), hint))
}

/// Returns the name of a program that could not be started, if it is a path of plain words and so surely no secret.
fn name_if_plain(program: &str) -> String {
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(&byte));
    let is_a_path = program.starts_with('/') && program.matches('/').count() > 1 && program.split('/').all(plain);
    if is_a_path { format!(": {program}") } else { String::new() }
}

/// The JSON of the Azure CLI (documented). Versions before 2.54 have only `expiresOn`, in local time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureToken {
    access_token: String,
    #[serde(rename = "expires_on")]
    ends: Option<Value>,
    expires_on: Option<String>,
}

/// Parses the JSON of the Azure CLI. Returns `None` for any other text.
fn parse_json(text: &str) -> Option<Result<Token, SignInError>> {
    let AzureToken { access_token, ends, expires_on } = serde_json::from_str(text).ok()?;
    let ends = match ends {
        Some(seconds) => {
            seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok()).and_then(|at| Timestamp::from_second(at).ok())
        }
        None => expires_on.and_then(|text| parse_local_time(&text)),
    };
    let refused = |_| unusable("the Azure CLI", AZURE_HINT);
    Some(match ends {
        Some(ends) => Token::new(access_token, Some(ends)).map_err(refused),
        None => Token::with_end_from_jwt(access_token).map_err(refused),
    })
}

/// Parses a local time. An ambiguous time is taken for the first one, so that the token is renewed too early, not too late.
fn parse_local_time(text: &str) -> Option<Timestamp> {
    let at: DateTime = text.parse().ok()?;
    at.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_azure_clis_json_is_read_in_all_its_versions() {
        let ends = |text: &str| parse_json(text).unwrap().unwrap().ends();
        let at = Timestamp::from_second(1_700_000_000).ok();
        assert_eq!(ends(r#"{"accessToken": "t", "expires_on": 1700000000, "expiresOn": "2001-01-01 00:00:00.0"}"#), at);
        assert_eq!(ends(r#"{"accessToken": "t", "expires_on": "1700000000"}"#), at);
        let local = at.unwrap().to_zoned(TimeZone::system()).datetime();
        assert_eq!(
            ends(&format!(r#"{{"accessToken": "t", "expiresOn": "{} {}.000000"}}"#, local.date(), local.time())),
            at
        );
        assert_eq!(ends(r#"{"accessToken": "t", "tokenType": "Bearer"}"#), None);
        assert!(parse_json(r#"{"accessToken": "a b"}"#).unwrap().is_err());
        for junk in ["t", "[]", "{}", r#"{"accessToken": 5}"#, "{\"accessToken\": \"t\"} x"] {
            assert!(parse_json(junk).is_none(), "{junk}");
        }
    }
}
