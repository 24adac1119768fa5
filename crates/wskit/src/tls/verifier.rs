//! Whom a client trusts.

use super::wrong;
use crate::Error;
use std::sync::Arc;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, DigitallySignedStruct, RootCertStore, SignatureScheme};

type Verifier = Arc<dyn ServerCertVerifier>;

/// Trusts these authorities and no others.
pub(super) fn only(
    roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, Error> {
    let mut store = RootCertStore::empty();
    add(&mut store, roots)?;
    from_store(store, provider)
}

fn add(store: &mut RootCertStore, roots: &[CertificateDer<'static>]) -> Result<(), Error> {
    roots.iter().try_for_each(|root| {
        let added = store.add(root.clone());
        added.map_err(|error| wrong(format!("the certificate cannot be trusted: {error}")))
    })
}

fn from_store(store: RootCertStore, provider: Arc<CryptoProvider>) -> Result<Verifier, Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), provider).build();
    Ok(verifier.map_err(wrong)?)
}

/// Trusts what the features name, and these authorities too.
pub(super) fn usual(
    extra_roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, Error> {
    #[cfg(feature = "tls-platform-roots")]
    match platform(extra_roots, provider.clone()) {
        Err(_) if cfg!(feature = "tls-webpki-roots") => {}
        verifier => return verifier,
    }
    let mut store = built_in();
    add(&mut store, extra_roots)?;
    if store.is_empty() {
        return Err(wrong(
            "nobody is trusted, so no certificate can be; enable the feature tls-platform-roots or \
             tls-webpki-roots of wskit, or name roots of your own",
        ));
    }
    from_store(store, provider)
}

/// Mozilla's list, or nobody.
fn built_in() -> RootCertStore {
    #[cfg(feature = "tls-webpki-roots")]
    return webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    #[cfg(not(feature = "tls-webpki-roots"))]
    RootCertStore::empty()
}

#[cfg(feature = "tls-platform-roots")]
fn platform(
    extra_roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, Error> {
    use rustls_platform_verifier::Verifier;
    let unknown = |error| wrong(format!("the system does not tell whom it trusts: {error}"));
    if extra_roots.is_empty() {
        return Ok(Arc::new(Verifier::new(provider).map_err(unknown)?));
    }
    #[cfg(target_os = "android")]
    return Err(wrong("Android takes no further roots; trust yours alone, or install them"));
    #[cfg(not(target_os = "android"))]
    {
        // A system that trusts nobody is found out before the others hide it.
        #[cfg(feature = "tls-webpki-roots")]
        Verifier::new(provider.clone()).map_err(unknown)?;
        let verifier = Verifier::new_with_extra_roots(extra_roots.iter().cloned(), provider);
        let refused = |error| wrong(format!("the certificate cannot be trusted: {error}"));
        Ok(Arc::new(verifier.map_err(refused)?))
    }
}

/// Takes every certificate. The peer still has to show that it has the key.
#[derive(Debug)]
pub(super) struct Anyone(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
