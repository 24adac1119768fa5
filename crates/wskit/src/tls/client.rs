//! The client's side of TLS.

use super::{MaybeTls, TlsError, pem, provider, verifier, wrong};
use crate::{Either, Error};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// Whom a client trusts, and how it proves who it is. It makes the [`ClientConfig`] for
/// [`Client::tls`](crate::Client::tls).
///
/// ```no_run
/// # use wskit::tls::ClientTls;
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let tls = ClientTls::new()
///     .also_trust(&std::fs::read("company.pem")?)?
///     .client_certificate(&std::fs::read("ann.pem")?, &std::fs::read("ann.key")?)?
///     .config()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ClientTls {
    trust: Trust,
    roots: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Trust {
    /// What the features name, and the roots.
    #[default]
    Usual,
    /// The roots alone.
    Roots,
    Anyone,
}

impl ClientTls {
    /// Trusts what the features of this crate name (see [`tls`](super)), and shows no certificate of
    /// its own.
    pub fn new() -> ClientTls {
        ClientTls::default()
    }

    /// Trusts the authorities whose certificates stand in this PEM text too. The certificate of a
    /// server that signed it itself is an authority of its own.
    pub fn also_trust(mut self, pem: &[u8]) -> Result<ClientTls, Error> {
        self.roots.extend(pem::certificates(pem)?);
        Ok(self)
    }

    /// Trusts the authorities in this PEM text, and those that were [also](ClientTls::also_trust)
    /// named, and nobody else.
    pub fn trust_only(self, pem: &[u8]) -> Result<ClientTls, Error> {
        Ok(ClientTls { trust: Trust::Roots, ..self.also_trust(pem)? })
    }

    /// Takes the certificate of anyone. Whoever can get in between can then read and change all that
    /// is sent.
    #[must_use]
    pub fn dangerously_trust_anyone(self) -> ClientTls {
        ClientTls { trust: Trust::Anyone, ..self }
    }

    /// Shows servers that ask for it this certificate, which comes first in the PEM text and its
    /// issuers after it, and proves it with the key.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where there is no certificate or no key in the text, or one of them is not
    /// whole. It holds an [`EncryptedKey`](super::EncryptedKey) where the key is encrypted.
    pub fn client_certificate(self, chain_pem: &[u8], key_pem: &[u8]) -> Result<ClientTls, Error> {
        let identity = Some((pem::certificates(chain_pem)?, pem::private_key(key_pem)?));
        Ok(ClientTls { identity, ..self })
    }

    /// What decides on the certificates of servers: for a [`ClientConfig`] of your own.
    pub fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        let provider = provider()?;
        match self.trust {
            Trust::Usual => verifier::usual(&self.roots, provider),
            Trust::Roots => verifier::only(&self.roots, provider),
            Trust::Anyone => Ok(Arc::new(verifier::Anyone(provider))),
        }
    }

    /// The configuration, for TLS 1.2 and 1.3.
    pub fn config(&self) -> Result<ClientConfig, Error> {
        let config = ClientConfig::builder_with_provider(provider()?)
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .dangerous()
            .with_custom_certificate_verifier(self.verifier()?);
        match &self.identity {
            None => Ok(config.with_no_client_auth()),
            Some((chain, key)) => config
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| wrong(format!("the client certificate cannot be used: {error}"))),
        }
    }
}

/// The configuration of clients that were given none. It is made once, for reading all the roots of
/// a system takes time, and so that sessions can be resumed.
fn usual_config() -> Result<Arc<ClientConfig>, Error> {
    static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = USUAL.get() {
        return Ok(config.clone());
    }
    let config = Arc::new(ClientTls::new().config()?);
    Ok(USUAL.get_or_init(|| config).clone())
}

/// Does the TLS handshake with a server of this name, inside of which one of these protocols is to be
/// spoken. Of the protocols that the configuration names, if it does, only these are offered.
pub(crate) async fn connect<S>(
    config: Option<&Arc<ClientConfig>>,
    host: &str,
    protocols: &[&[u8]],
    stream: S,
) -> Result<MaybeTls<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = config.map_or_else(usual_config, |config| Ok(config.clone()))?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Error::Url(format!("{host:?} is no name that a certificate can have")))?;
    let failed = |error| Error::Tls(Box::new(TlsError::of_server(host, error)));
    let offered: Vec<Vec<u8>> = match &config.alpn_protocols[..] {
        [] => protocols.iter().map(|name| name.to_vec()).collect(),
        named => named.iter().filter(|name| protocols.contains(&&name[..])).cloned().collect(),
    };
    if offered.is_empty() {
        return Err(Error::Tls(Box::new(TlsError::nothing_offered(protocols))));
    }
    let connector = TlsConnector::from(config);
    // Boxed, for it is large and soon over.
    let handshake = Box::pin(connector.with_alpn(offered).connect(name, stream));
    let stream = handshake.await.map_err(failed)?;
    // What the server chose was offered, or rustls would have failed.
    Ok(Either::Second(Box::new(stream.into())))
}
