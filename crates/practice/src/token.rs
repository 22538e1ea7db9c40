//! The token endpoint: the client credentials flow of Microsoft Entra ID (documented by Microsoft), as far as clients can
//! observe it.
//!
//! The error codes are documented; which request gets which code is inferred.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Form, Path, State, rejection::FormRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use uuid::Uuid;
use webpki::{EndEntityCert, ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY};

use super::{
    identity::{CLIENT_ID, SCOPE, TENANT_ID},
    state::ServerState,
};

/// The path under an authority (documented).
pub(super) const PATH: &str = "/oauth2/v2.0/token";

/// How far the clocks of client and tenant may differ, in seconds (assumption).
const LEEWAY: i64 = 60;

/// The values of `alg` in a JWS with a signature (RFC 7518, section 3.1; RFC 8037, section 3.1).
const ALGORITHMS: [&str; 12] =
    ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "PS384", "PS512", "EdDSA"];

const NOT_THE_CLIENT: &str = "Client assertion application identifier doesn't match 'client_id' parameter.";

/// `POST /{tenantId}/oauth2/v2.0/token`
pub(super) async fn token(
    State(shared): State<Arc<ServerState>>,
    Path(tenant): Path<String>,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, TokenRefusal> {
    let Form(form) = form.map_err(|_| {
        let message = "The request body must contain the following parameter: 'grant_type'.";
        TokenRefusal("invalid_request", 900_144, message.to_owned())
    })?;
    if !tenant.eq_ignore_ascii_case(TENANT_ID) {
        let message = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(TokenRefusal("invalid_request", 90_002, message));
    }
    authenticate(&shared, &TokenForm(form))?;
    let lifetime = shared.settings.token_lifetime;
    let (expires_in, token) = (lifetime.as_secs(), shared.tokens().issue(lifetime));
    let body = json!({ "token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in, "access_token": token });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

struct TokenForm(Vec<(String, String)>);

impl TokenForm {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    fn require(&self, name: &str) -> Result<&str, TokenRefusal> {
        self.get(name).ok_or_else(|| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            TokenRefusal("invalid_request", 900_144, message)
        })
    }
}

fn authenticate(shared: &ServerState, form: &TokenForm) -> Result<(), TokenRefusal> {
    let grant_type = form.require("grant_type")?;
    if grant_type != "client_credentials" {
        let message = "The app requested an unsupported grant type.".to_owned();
        return Err(TokenRefusal("unsupported_grant_type", 70_003, message));
    }
    let client_id = form.require("client_id")?;
    if !client_id.eq_ignore_ascii_case(CLIENT_ID) {
        let message = format!("Application with identifier '{client_id}' was not found in the directory 'Contoso'.");
        return Err(TokenRefusal("unauthorized_client", 700_016, message));
    }
    let scope = form.require("scope")?;
    let Some(resource) = scope.strip_suffix("/.default") else {
        let message =
            format!("The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.");
        return Err(TokenRefusal("invalid_scope", 70_011, message));
    };
    if scope != SCOPE {
        let message = format!("The resource principal named {resource} was not found in the tenant named Contoso.");
        return Err(TokenRefusal("invalid_resource", 500_011, message));
    }
    match (form.get("client_secret"), form.get("client_assertion")) {
        (Some(secret), None) if secret == shared.tokens().client_secret => Ok(()),
        (Some(_), None) => Err(invalid_client(
            7_000_215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID.",
        )),
        (None, Some(assertion)) => {
            let wanted = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            if form.require("client_assertion_type")? != wanted {
                return Err(invalid_client(700_021, "The client assertion type is not supported."));
            }
            check_assertion(shared, assertion)
        }
        _ => Err(invalid_client(
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
        )),
    }
}

/// Checks the thumbprint of the certificate, then the signature, then the claims.
fn check_assertion(shared: &ServerState, assertion: &str) -> Result<(), TokenRefusal> {
    let malformed = || invalid_client(50_027, "JWT token is invalid or malformed.");
    let unsigned = || invalid_client(700_027, "Client assertion failed signature validation.");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let parse = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok();
    let (message, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = message.split_once('.').ok_or_else(malformed)?;
    let header = parse(header).filter(|header| ALGORITHMS.iter().any(|name| header["alg"] == *name));
    let header = header.ok_or_else(malformed)?;
    let certificate = shared.settings.client_certificate.clone().ok_or_else(unsigned)?;
    let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| unsigned())?;
    if header["x5t#S256"] != URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)) {
        return Err(invalid_client(
            700_027,
            "Client assertion failed signature validation. The certificate with identifier used to sign the client \
             assertion is not registered on application.",
        ));
    }
    let certificate = EndEntityCert::try_from(&der).map_err(|_| unsigned())?;
    let signature = decode(signature).filter(|_| header["alg"] == "PS256").ok_or_else(unsigned)?;
    certificate
        .verify_signature(RSA_PSS_2048_8192_SHA256_LEGACY_KEY, message.as_bytes(), &signature)
        .map_err(|_| unsigned())?;
    let claims = parse(claims).ok_or_else(unsigned)?;
    let now = Timestamp::now().as_second();
    let is_client = |name: &str| claims[name] == CLIENT_ID;
    let names_all = ["aud", "iss", "sub"].iter().all(|name| !claims[*name].is_null());
    let (true, Some(begins), Some(ends)) = (names_all, claims["nbf"].as_i64(), claims["exp"].as_i64()) else {
        return Err(invalid_client(700_021, NOT_THE_CLIENT));
    };
    if begins > now.saturating_add(LEEWAY) || ends < now.saturating_sub(LEEWAY) {
        return Err(invalid_client(700_024, "Client assertion is not within its valid time range."));
    }
    if !is_client("iss") || !is_client("sub") {
        return Err(invalid_client(700_021, NOT_THE_CLIENT));
    }
    if claims["aud"] != shared.authority() + PATH {
        return Err(invalid_client(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    match claims["jti"].as_str() {
        Some(id) if !id.is_empty() => Ok(()),
        _ => Err(malformed()),
    }
}

/// An error: `error`, its code, and its message.
pub(super) struct TokenRefusal(&'static str, u32, String);

fn invalid_client(code: u32, message: &str) -> TokenRefusal {
    TokenRefusal("invalid_client", code, message.to_owned())
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        let Self(error, code, message) = self;
        let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let (trace_id, correlation_id) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let timestamp = Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let description = format!(
            "AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
        );
        let answer = json!({
            "error": error, "error_description": description, "error_codes": [code], "timestamp": timestamp,
            "trace_id": trace_id, "correlation_id": correlation_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        (status, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
    }
}
