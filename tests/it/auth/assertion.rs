//! Signing in with a certificate, at a tenant that verifies the assertion.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use jiff::{SignedDuration, Timestamp};
use mmd_elevate_engine::auth::{CertificateFiles, Method, Source};
use mmd_elevate_practice::Settings;
use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;
use tempfile::TempDir;

use super::{application, fetched, shown, tenant};
use crate::support::{
    server::{Play, Server, http},
    within,
};

struct Pair {
    certificate: String,
    key: String,
    folder: TempDir,
}

/// RSA keys that open nothing: `ring` makes none.
const REGISTERED: &str = include_str!("keys/registered.pem");
const REGISTERED_PKCS1: &str = include_str!("keys/registered_pkcs1.pem");
const OTHER: &str = include_str!("keys/other.pem");

fn pair(key: &str) -> Pair {
    let key = KeyPair::from_pem(key).unwrap();
    let certificate = CertificateParams::new(["practice.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem(), folder: tempfile::tempdir().unwrap() }
}

impl Pair {
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn two_files(&self) -> CertificateFiles {
        CertificateFiles {
            certificate: self.file("certificate.pem", &self.certificate, 0o644),
            key: Some(self.file("key.pem", &self.key, 0o600)),
        }
    }

    fn one_file(&self, mode: u32) -> CertificateFiles {
        let text = format!("{}{}", self.certificate, self.key);
        CertificateFiles { certificate: self.file("both.pem", &text, mode), key: None }
    }

    fn registered(&self) -> Settings {
        Settings { client_certificate: Some(self.certificate.clone()), ..Settings::default() }
    }
}

fn source(authority: &str, files: CertificateFiles) -> Source {
    Source::new(Method::Certificate(application(authority), files)).unwrap()
}

#[tokio::test]
async fn who_has_the_key_of_the_registered_certificate_gets_a_token() {
    let pair = pair(REGISTERED);
    let tenant = tenant(pair.registered()).await;
    let pkcs1 = CertificateFiles {
        certificate: pair.file("pkcs1.pem", &pair.certificate, 0o644),
        key: Some(pair.file("pkcs1.key", REGISTERED_PKCS1, 0o600)),
    };
    for files in [pair.two_files(), pair.one_file(0o600), pkcs1] {
        assert!(fetched(&source(&tenant.authority, files)).await.unwrap().starts_with("practice."));
    }
}

#[tokio::test]
async fn another_certificate_key_audience_or_time_is_refused() {
    let (ours, other) = (pair(REGISTERED), pair(OTHER));
    let tenant = tenant(ours.registered()).await;
    let mixed = CertificateFiles {
        certificate: ours.file("ours.pem", &ours.certificate, 0o600),
        key: Some(ours.file("theirs.pem", &other.key, 0o600)),
    };
    for files in [other.two_files(), mixed] {
        let refused = fetched(&source(&tenant.authority, files)).await.unwrap_err();
        assert!(shown(&refused).contains("AADSTS700027"), "{refused}");
    }
    let elsewhere = tenant.authority.replace("127.0.0.1", "localhost");
    let refused = fetched(&source(&elsewhere, ours.two_files())).await.unwrap_err();
    assert!(shown(&refused).contains("AADSTS700023"), "{refused}");
    let late: fn() -> Timestamp = || Timestamp::now() - SignedDuration::from_mins(20);
    let refused = within(source(&tenant.authority, ours.two_files()).fetch(late)).await.unwrap_err();
    assert!(shown(&refused).contains("AADSTS700024"), "{refused}");
}

#[tokio::test]
async fn an_assertion_is_not_repeated_and_goes_nowhere_else() {
    let pair = pair(REGISTERED);
    let elsewhere = Server::start(Play::Hang(Vec::new())).await;
    for status in [301, 302, 307, 308] {
        let head = format!("{status} Moved\nlocation: http://{}/", elsewhere.address);
        let server = Server::start(Play::Answer(http(&head, ""))).await;
        let refused = fetched(&source(&format!("http://{}/t", server.address), pair.two_files())).await.unwrap_err();
        assert!(shown(&refused).contains("another address"), "{refused}");
        let sent = String::from_utf8(server.requests()[0].body.clone()).unwrap();
        assert!(sent.contains("&client_assertion=eyJ") && !sent.contains("PRIVATE"), "{sent}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[rstest]
#[case::no_certificate("key.pem", "key.pem", "no certificate")]
#[case::no_key("certificate.pem", "public.pem", "no private key")]
#[case::no_file("nothing.pem", "key.pem", "cannot be read")]
#[case::password("certificate.pem", "encrypted.pem", "has a password")]
#[case::elliptic("certificate.pem", "elliptic.pem", "not an RSA key")]
#[case::open("certificate.pem", "open.pem", "chmod 600")]
#[tokio::test]
async fn files_that_will_not_do_are_told_and_nothing_is_sent(
    #[case] certificate: &str,
    #[case] key: &str,
    #[case] words: &str,
) {
    let (pair, elliptic) = (pair(REGISTERED), KeyPair::generate().unwrap());
    pair.two_files();
    pair.file("elliptic.pem", &elliptic.serialize_pem(), 0o600);
    pair.file("encrypted.pem", &pair.key.replace("PRIVATE", "ENCRYPTED PRIVATE"), 0o600);
    pair.file("public.pem", &pair.certificate, 0o600);
    pair.file("open.pem", &pair.key, 0o640);
    let server = Server::start(Play::Slam).await;
    let files =
        CertificateFiles { certificate: pair.folder.path().join(certificate), key: Some(pair.folder.path().join(key)) };
    let refused = fetched(&source(&format!("http://{}/t", server.address), files)).await.unwrap_err();
    assert!(shown(&refused).contains(words) && !refused.is_transient, "{refused}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_certificate_beside_its_key_is_as_secret_as_that() {
    let pair = pair(REGISTERED);
    let refused = fetched(&source("http://127.0.0.1:1/t", pair.one_file(0o644))).await.unwrap_err();
    assert!(shown(&refused).contains("chmod 600"), "{refused}");
}
