//! Who sees the certificate of the server, whatever becomes of the handshake.

use crate::failure::Failure;
use crate::trust::TrustArguments;
use std::sync::{Arc, Mutex, PoisonError};
use wskit::Client;
use wskit::tls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use wskit::tls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use wskit::tls::rustls::{DigitallySignedStruct, Error, SignatureScheme};
use wskit::tls::{ClientTls, TlsError};

/// Verifies as the client would, and remembers the certificate and what is wrong with it.
#[derive(Debug)]
pub(super) struct Witness {
    verifier: Arc<dyn ServerCertVerifier>,
    /// Whether any certificate is taken, as `--insecure` asks.
    takes_any: bool,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The certificate of the server, as it came.
    pub(super) certificate: Option<CertificateDer<'static>>,
    /// What is wrong with it.
    pub(super) fault: Option<Error>,
}

impl Witness {
    /// The same client with a witness, if it speaks TLS.
    pub(super) fn of(
        client: Client,
        trust: &TrustArguments,
    ) -> Result<(Client, Option<Arc<Witness>>), Failure> {
        if !client.is_secure() {
            return Ok((client, None));
        }
        let tls = trust.tls()?;
        let verifier = match tls.verifier() {
            Err(_) if trust.insecure => ClientTls::new().dangerously_trust_anyone().verifier()?,
            verifier => verifier?,
        };
        let (takes_any, seen) = (trust.insecure, Mutex::default());
        let witness = Arc::new(Witness { verifier, takes_any, seen });
        let mut config = tls.dangerously_trust_anyone().config()?;
        config.dangerous().set_certificate_verifier(witness.clone());
        Ok((client.tls(config), Some(witness)))
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Seen {
    /// What is wrong with the certificate, in plain words.
    pub(super) fn explain(&self, host: &str) -> Option<String> {
        let fault = self.fault.clone()?;
        Some(TlsError::explain(host, fault).why().to_owned())
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            certificate: Some(end_entity.clone().into_owned()),
            fault: verdict.as_ref().err().cloned(),
        };
        if self.takes_any { Ok(ServerCertVerified::assertion()) } else { verdict }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
