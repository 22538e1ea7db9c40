//! Whom https trusts, and the words for what it does not.

use std::{fs, path::PathBuf};

use mmd_elevate_core::{Disposition, ErrorCode};
use mmd_elevate_engine::{
    http::{BaseUrl, Trust},
    mmd::{Client, Timeouts},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa};
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{
    server::{Play, Server, http},
    session, shown_in_a_process_of_its_own,
    tls::{Authority, Identity, TlsServer, UNUSED_CA, VALID, params, self_signed},
    within,
};

const CREATED: &str = r#"{"id": "3f2b", "title": "Excel"}"#;

fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// Why a list of the service with this certificate cannot be had, with HOST for its address, and the hint.
async fn refused(trust: &Trust, host: &str, identity: Identity) -> (String, String) {
    let server = TlsServer::start(identity, http("200 OK", r#"{"value": []}"#)).await;
    let address = format!("{host}:{}", server.address.port());
    let client = client(trust, &address);
    let fault = within(client.probe_list()).await.unwrap_err();
    assert!(fault.code == Some(ErrorCode::NotConnected), "{fault:?}");
    assert_eq!(fault.disposition, Disposition::NotDone, "no try mends it, and nothing was sent");
    assert_eq!(server.served(), 0);
    (fault.what().replace(&address, "HOST"), fault.hint().to_owned())
}

fn client(trust: &Trust, address: &str) -> Client {
    let base = BaseUrl::parse(&format!("https://{address}/v1")).unwrap();
    Client::with_trust(trust, &base, "tenant.example", session("canary-token"), Timeouts::default()).unwrap()
}

fn ca(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

#[tokio::test]
async fn a_certificate_that_will_not_do_is_told_with_its_reason_and_what_to_do() {
    const NAME: &str = "tls::a_certificate_that_will_not_do_is_told_with_its_reason_and_what_to_do";
    if shown_in_a_process_of_its_own(NAME, &[("SSL_CERT_FILE", UNUSED_CA)]) {
        return;
    }
    let authority = Authority::new();
    let (_folder, path) = file(&authority.pem);
    let (platform, both) = (Trust::default(), Trust::with_file(Some(&path)).unwrap());
    let ip = "127.0.0.1";
    let at_self = self_signed(&params(ip, VALID));
    let as_a_ca = self_signed(&ca(params(ip, VALID)));
    let [valid, other] = [ip, "other.example"].map(|host| authority.sign(&params(host, VALID)));
    let [old, new] = [(2020, 2021), (2099, 2100)].map(|years| authority.sign(&params(ip, years)));
    for (trust, identity, what, hint) in [
        (&platform, at_self, "the certificate of HOST is self-signed, or its issuer is not known here", "as ca_file"),
        (&platform, as_a_ca, "the certificate of HOST is self-signed: it is a CA's own", "given a certificate"),
        (&platform, valid, "the certificate of HOST is self-signed, or its issuer is not known here", "as ca_file"),
        (&both, old, "the certificate of HOST expired on 2021-01-01.", "clock"),
        (&both, new, "the certificate of HOST is not valid yet: it begins on 2099-01-01.", "clock"),
        (&both, other, "the certificate of HOST is for other.example.", "base URL"),
    ] {
        let (said, to_do) = refused(trust, ip, identity).await;
        assert!(said.starts_with(&format!("The service could not be reached: {what}")), "{said}");
        assert!(to_do.contains(hint), "{said} {to_do}");
    }
    // By name, and by an address that the certificate does not hold.
    let (said, _) = refused(&both, "localhost", authority.sign(&params(ip, VALID))).await;
    assert!(said.ends_with("the certificate of HOST is for 127.0.0.1."), "{said}");
}

#[tokio::test]
async fn a_private_ca_is_trusted_once_it_is_named() {
    if shown_in_a_process_of_its_own("tls::a_private_ca_is_trusted_once_it_is_named", &[("SSL_CERT_FILE", UNUSED_CA)]) {
        return;
    }
    let (authority, second) = (Authority::new(), Authority::new());
    let (_folder, path) = file(format!("What comes before is no matter.\n{}{}", second.pem, authority.pem));
    let trust = Trust::with_file(Some(&path)).unwrap();
    for (host, authority) in [("127.0.0.1", &authority), ("localhost", &second)] {
        let server = TlsServer::start(authority.sign(&params(host, VALID)), http("201 Created", CREATED)).await;
        let client = client(&trust, &format!("{host}:{}", server.address.port()));
        within(client.create(&crate::support::record::new_request("T-1 MMD-1 Excel"))).await.unwrap();
        assert_eq!(server.served(), 1);
    }
}

#[tokio::test]
async fn what_does_not_speak_tls_is_said_so() {
    if shown_in_a_process_of_its_own("tls::what_does_not_speak_tls_is_said_so", &[("SSL_CERT_FILE", UNUSED_CA)]) {
        return;
    }
    // A server hears a hello that is no HTTP, and says so in clear.
    let server = Server::start_with(|_| Some(Play::Slam)).await;
    let fault = within(client(&Trust::default(), &server.address.to_string()).probe_list()).await.unwrap_err();
    assert!(fault.code == Some(ErrorCode::NotConnected), "a broken connection may pass: {fault:?}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let plain = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&http("400 Bad Request", "")).await.unwrap();
        stream
    });
    let fault = within(client(&Trust::default(), &address).probe_list()).await.unwrap_err();
    assert!(fault.what().contains("find no TLS in common") && fault.hint().contains("port"), "{fault:?}");
    drop(plain.await.unwrap());
}

#[rstest]
#[case::empty("", "holds no certificate in PEM form")]
#[case::not_pem(b"\x30\x82\x01\x0a\x00\xff", "holds no certificate in PEM form")]
#[case::a_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate in PEM form")]
#[case::cut_off("-----BEGIN CERTIFICATE-----\nAAAA\n", "is damaged")]
#[case::not_base64("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "is damaged")]
#[case::not_a_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is damaged")]
fn a_ca_file_that_will_not_do_is_named(#[case] text: impl AsRef<[u8]>, #[case] why: &str) {
    let (_folder, path) = file(text);
    let error = Trust::with_file(Some(&path)).unwrap_err().to_string();
    let (what, hint) = error.split_once("\nhint: ").unwrap();
    assert!(what.contains(path.to_str().unwrap()) && what.contains(why), "{error}");
    assert!(!hint.is_empty());
}

#[test]
fn a_ca_file_that_is_not_there_or_no_file_is_named() {
    let (folder, path) = file("");
    let missing = path.with_extension("missing");
    for path in [folder.path(), &missing] {
        let error = Trust::with_file(Some(path)).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()) && error.contains("\nhint: correct the path"), "{error}");
    }
}
