//! Certificates made for one test, and a server on loopback that shows them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A certificate that signed nothing, where the system may have none at all and the platform's verifier needs one.
pub(crate) const UNUSED_CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/unused_ca.pem");

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

/// What a certificate says of itself.
pub(crate) fn params(host: &str, years: (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params
}

/// Long before and long after every test.
pub(crate) const VALID: (i32, i32) = (2020, 2100);

/// A certificate that has signed itself.
pub(crate) fn self_signed(params: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    Identity { certificate: params.self_signed(&key).unwrap().into(), key }
}

/// An organisation's own CA.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params("ca.example", VALID);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap().into(), key }
    }
}

/// A server that answers every request in the same way. It ends with the runtime of its test.
pub(crate) struct TlsServer {
    pub(crate) address: SocketAddr,
    served: Arc<AtomicUsize>,
}

impl TlsServer {
    pub(crate) async fn start(identity: Identity, answer: Vec<u8>) -> Self {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.serialize_der()));
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![identity.certificate], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), served: Arc::default() };
        let count = Arc::clone(&server.served);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, answer, count) = (acceptor.clone(), answer.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    // A client that does not trust the certificate hangs up here.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut came = Vec::new();
                    while !came.windows(4).any(|end| end == b"\r\n\r\n") {
                        if stream.read_buf(&mut came).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    // What is left of the request is read: closing before that could cost the answer.
                    if stream.write_all(&answer).await.is_ok() && stream.shutdown().await.is_ok() {
                        let _ = stream.read_to_end(&mut came).await;
                    }
                });
            }
        });
        server
    }

    /// How many requests came through.
    pub(crate) fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}
