//! Makes the signed assertion of a client certificate (documented by Microsoft; contract).

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CertificateFiles, SignInError, secret};
use crate::redact::{self, Kind};
use mmd_elevate_core::visible;

/// The lifetime of an assertion, in seconds (contract: 5 to 10 minutes).
const LIFETIME_SECONDS: i64 = 10 * 60;

/// Returns a signed assertion for the token endpoint. The files are read each time, so that a certificate can be replaced
/// while the program runs.
pub(super) async fn assertion(
    files: &CertificateFiles,
    client_id: &str,
    endpoint: &str,
    now: Timestamp,
) -> Result<SecretString, SignInError> {
    // A file that also holds the key is a secret.
    let certificate = match &files.key {
        None => secret::read_secret_text(&files.certificate, "the file of certificate and key").await?,
        Some(_) => secret::read_public_text(&files.certificate, "the file of the certificate").await?,
    };
    let key = match &files.key {
        None => certificate.clone(),
        Some(path) => secret::read_secret_text(path, "the file of the private key").await?,
    };
    let key_path = files.key.as_ref().unwrap_or(&files.certificate);
    let thumbprint = thumbprint(&certificate, &files.certificate)?;
    let key = private_key(&key, key_path)?;
    let (nbf, exp) = (now.as_second(), now.as_second().saturating_add(LIFETIME_SECONDS));
    let header = json!({ "typ": "JWT", "alg": "PS256", "x5t#S256": thumbprint });
    let claims = json!({
        "aud": endpoint, "iss": client_id, "sub": client_id, "jti": Uuid::new_v4().to_string(), "nbf": nbf, "exp": exp,
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(&header), encode(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| no_key(key_path, "the private key cannot sign"))?;
    Ok(SecretString::from(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Returns `x5t#S256`: SHA-256 of the certificate's DER (RFC 7515, section 4.1.8). The first certificate is the application's.
fn thumbprint(text: &str, path: &Path) -> Result<String, SignInError> {
    let blocks = pem::parse_many(text).unwrap_or_default();
    let certificate = blocks.iter().find(|block| block.tag() == "CERTIFICATE").ok_or_else(|| {
        let what = format!("there is no certificate in {}", display_path(path));
        SignInError::permanent(what, "give a PEM file that holds -----BEGIN CERTIFICATE-----")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.contents())))
}

fn private_key(text: &str, path: &Path) -> Result<RsaKeyPair, SignInError> {
    let blocks = pem::parse_many(text).unwrap_or_default();
    let key = blocks.iter().find(|block| block.tag().ends_with("PRIVATE KEY"));
    match key {
        Some(block) if block.tag().starts_with("ENCRYPTED") => {
            let what = format!("the private key in {} has a password", display_path(path));
            Err(SignInError::permanent(what, "give a key without one, in a file that only you can read"))
        }
        Some(block) => parse_key(block, path),
        None => Err(no_key(path, "there is no private key")),
    }
}

fn parse_key(block: &pem::Pem, path: &Path) -> Result<RsaKeyPair, SignInError> {
    let encoded = SecretString::from(pem::encode(block));
    let lines = || encoded.expose_secret().lines().filter(|line| !line.starts_with("-----"));
    redact::register(Kind::Secret, &lines().collect::<String>());
    let key = if block.tag() == "RSA PRIVATE KEY" {
        RsaKeyPair::from_der(block.contents())
    } else {
        RsaKeyPair::from_pkcs8(block.contents())
    };
    key.map_err(|_| no_key(path, "the private key is not an RSA key of 2048 to 4096 bits"))
}

fn no_key(path: &Path, what: &str) -> SignInError {
    let what = format!("{what} in {}", display_path(path));
    SignInError::permanent(what, "give a PEM file with the RSA key of the certificate (PKCS #8 or PKCS #1)")
}

fn display_path(path: &Path) -> String {
    visible(&path.to_string_lossy()).into_owned()
}
