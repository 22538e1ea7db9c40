//! Requests a token from Microsoft Entra ID and reads its answer (client credentials flow; documented by Microsoft,
//! contract).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Response, Url,
    header::{ACCEPT, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Application, Token,
    error::{SignInError, hint_for, text_for_code},
};
use crate::{
    http::{self, NoAnswer, Trust, retry_after, truncate},
    redact::{self, Kind},
};
use mmd_elevate_core::{Problem, visible};

/// How long connecting may take, and the whole request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer that is read, in bytes after decompression.
const LONGEST_BODY: usize = 64 << 10;
/// The longest plausible lifetime of a token, in seconds: a year.
const MAX_LIFETIME: i64 = 366 * 24 * 60 * 60;
/// The longest description of an error that is shown, in characters.
const MAX_DESCRIPTION: usize = 200;

/// The token endpoint of one application.
#[derive(Clone, Debug)]
pub(super) struct TokenEndpoint {
    http: reqwest::Client,
    url: Url,
    application: Application,
}

/// The credential of an application.
pub(super) enum Credential {
    Secret(SecretString),
    Assertion(SecretString),
}

impl Credential {
    /// Registers the credential for redaction: the token endpoint may repeat it.
    fn register(&self) {
        let (Self::Secret(secret) | Self::Assertion(secret)) = self;
        redact::register(Kind::Secret, secret.expose_secret());
    }
}

#[derive(Deserialize)]
struct TokenResponse {
    token_type: String,
    expires_in: Value,
    access_token: String,
}

impl TokenEndpoint {
    pub(super) fn new(application: Application, trust: &Trust) -> Result<Self, SignInError> {
        let http = http::client(&application.authority, CONNECT_TIMEOUT, trust).map_err(|_| {
            let what = "the HTTPS client for the sign-in could not be made";
            SignInError::permanent(what, "check that the system's CA certificates are installed")
        })?;
        let url = application.authority.join(&["oauth2", "v2.0", "token"]);
        Ok(Self { http, url, application })
    }

    /// Returns the URL, which is also the audience of an assertion.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(super) fn client_id(&self) -> &str {
        &self.application.client_id
    }

    /// Requests a token once. No redirect is followed, so that the credential goes to the authority only.
    pub(super) async fn request_token(
        &self,
        credential: &Credential,
        now: fn() -> Timestamp,
    ) -> Result<Token, SignInError> {
        credential.register();
        let mut form = vec![
            ("client_id", self.client_id()),
            ("scope", &self.application.scope),
            ("grant_type", "client_credentials"),
        ];
        match credential {
            Credential::Secret(secret) => form.push(("client_secret", secret.expose_secret())),
            Credential::Assertion(assertion) => {
                form.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                form.push(("client_assertion", assertion.expose_secret()));
            }
        }
        // The lifetime counts from before the request, so that a slow answer never extends it.
        let (asked, accept) = (now(), HeaderValue::from_static("application/json"));
        let request = self.http.post(self.url.clone()).header(ACCEPT, accept).form(&form).timeout(REQUEST_TIMEOUT);
        let answer = match request.send().await {
            Ok(response) => TokenAnswer::read(response, now).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.no_answer(&error))?;
        tracing::debug!(status = answer.status, "asked for a token");
        answer.token(asked)
    }

    fn no_answer(&self, error: &reqwest::Error) -> SignInError {
        let authority = self.application.authority.authority();
        let what = match http::classify(error, authority, CONNECT_TIMEOUT) {
            NoAnswer::NotReached(reason) => format!("the sign-in could not be reached: {}", visible(&reason)),
            NoAnswer::NotConnected(Problem { what, hint }) => {
                return SignInError::permanent(format!("the sign-in could not be reached: {}", visible(&what)), hint);
            }
            NoAnswer::TimedOut => format!("{authority} gave no token in time"),
            NoAnswer::Broken(reason) => {
                let what = format!("{authority} gave an answer that cannot be used: {reason}");
                return SignInError::permanent(what, "check the authority");
            }
            NoAnswer::NotSent(_) | NoAnswer::Cut => {
                format!("the connection to {authority} broke before the token came")
            }
        };
        SignInError::transient(what, "check the network and the authority")
    }
}

struct TokenAnswer {
    status: u16,
    retry_after: Option<Duration>,
    /// `None`: longer than [`LONGEST_BODY`].
    body: Option<Vec<u8>>,
}

impl TokenAnswer {
    async fn read(mut response: Response, now: fn() -> Timestamp) -> Result<Self, reqwest::Error> {
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers(), now));
        let mut bytes = Vec::new();
        // A redirect is not followed, so its body is not read.
        while !(300..400).contains(&status)
            && let Some(chunk) = response.chunk().await?
        {
            if bytes.len() + chunk.len() > LONGEST_BODY {
                return Ok(Self { status, retry_after, body: None });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { status, retry_after, body: Some(bytes) })
    }

    fn token(self, asked: Timestamp) -> Result<Token, SignInError> {
        match self.status {
            200 => self.read_token(asked),
            status @ 300..=399 => Err(SignInError::permanent(
                format!("the sign-in points to another address (HTTP {status})"),
                "check the authority; redirects are not followed, so that secrets stay where they belong",
            )),
            429 => Err(SignInError {
                retry_after: self.retry_after,
                ..SignInError::transient("the sign-in has too many requests just now (HTTP 429)", "wait a little")
            }),
            status @ (408 | 500..=599) => Err(SignInError {
                retry_after: self.retry_after,
                ..SignInError::transient(format!("the sign-in failed (HTTP {status})"), "wait a little")
            }),
            _ => Err(self.read_refusal()),
        }
    }

    fn read_token(self, asked: Timestamp) -> Result<Token, SignInError> {
        let unusable = |why: &str| {
            let what = format!("the sign-in gave an answer that cannot be used: {why}");
            SignInError::permanent(what, "check the authority")
        };
        let body = self.body.ok_or_else(|| unusable("it is longer than 64 KiB"))?;
        let granted: TokenResponse = serde_json::from_slice(&body).map_err(|_| unusable("it holds no token"))?;
        if !granted.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(unusable("its token is not a bearer token"));
        }
        let life = match &granted.expires_in {
            Value::String(text) => text.parse().ok(),
            number => number.as_i64(),
        };
        let life = life.filter(|life| (1..=MAX_LIFETIME).contains(life));
        let ends = life.and_then(|life| asked.checked_add(SignedDuration::from_secs(life)).ok());
        let ends = ends.ok_or_else(|| unusable("it does not say for how long its token lasts"))?;
        Token::new(granted.access_token, Some(ends)).map_err(|_| unusable("its token is none that can be sent"))
    }

    /// Reads an error of OAuth 2.0 (RFC 6749, section 5.2) with the codes of Entra ID.
    fn read_refusal(self) -> SignInError {
        let json: Option<Value> = self.body.and_then(|body| serde_json::from_slice(&body).ok());
        let text = |key| json.as_ref().and_then(|json| json.get(key)).and_then(Value::as_str);
        let Some(error) = text("error") else {
            let what = format!("the sign-in gave no answer that can be understood (HTTP {})", self.status);
            return SignInError::permanent(what, "check the authority");
        };
        let description = text("error_description").unwrap_or_default();
        let codes = json.as_ref().and_then(|json| json.get("error_codes")).and_then(Value::as_array);
        let code = codes.into_iter().flatten().find_map(Value::as_u64).or_else(|| parse_code(description));
        let tag = code.map_or_else(String::new, |code| format!(" (AADSTS{code})"));
        let refused = if let Some((what, hint)) = code.and_then(text_for_code) {
            SignInError::permanent(format!("{what}{tag}"), hint)
        } else {
            let words = sanitize(&first_sentence(&redact::redact(description)));
            let error = sanitize(error);
            let what = match words.as_str() {
                "" => format!("the sign-in was refused: {error}{tag}"),
                words => format!("the sign-in was refused: {words}{tag}"),
            };
            SignInError::permanent(what, hint_for(&error))
        };
        SignInError { is_transient: error == "temporarily_unavailable", retry_after: self.retry_after, ..refused }
    }
}

/// Parses the code of a description such as `AADSTS7000215: …`, if the list of codes is missing.
fn parse_code(description: &str) -> Option<u64> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// Returns a description without its code and ids.
fn first_sentence(description: &str) -> String {
    let text = match description.split_once(": ") {
        Some((code, text)) if code.starts_with("AADSTS") => text,
        _ => description,
    };
    let text = text.lines().next().unwrap_or_default();
    let text = text.split_once(" Trace ID:").map_or(text, |(text, _)| text);
    text.trim().trim_end_matches('.').to_owned()
}

/// Removes secrets from a text of the endpoint, and makes it safe to show.
fn sanitize(text: &str) -> String {
    let text = truncate(redact::redact(text).into_owned());
    let mut text = visible(&text).into_owned();
    if let Some((end, _)) = text.char_indices().nth(MAX_DESCRIPTION) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Reads an answer of a token endpoint. For the fuzz targets, which have no network.
///
/// # Errors
/// The answer holds no token.
#[doc(hidden)]
pub fn read_token_answer(status: u16, body: &[u8]) -> Result<Token, SignInError> {
    let body = (body.len() <= LONGEST_BODY).then(|| body.to_vec());
    Credential::Secret(SecretString::from("canary-secret")).register();
    TokenAnswer { status, retry_after: None, body }.token(Timestamp::UNIX_EPOCH)
}
