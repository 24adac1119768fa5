//! The server's side of TLS.

use super::{HTTP_1_1, HTTP_2, TlsError, pem, provider, wrong};
use crate::Error;
use std::{io, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsStream};

/// The configuration of a server with this certificate, which comes first in the PEM text and its
/// issuers after it, and this private key, for [`Server::tls`](crate::Server::tls).
///
/// It speaks TLS 1.2 and 1.3 and asks clients for no certificate. For more, make a [`ServerConfig`].
///
/// # Errors
///
/// [`Error::Argument`] where there is no certificate or no key in the text, or one of them is not whole, or they do not
/// belong together. It holds an [`EncryptedKey`](super::EncryptedKey) where the key is encrypted.
pub fn server_config(chain_pem: &[u8], key_pem: &[u8]) -> Result<ServerConfig, Error> {
    // The key first, for of all that may be wrong an encrypted one alone does not change by itself.
    let key = pem::private_key(key_pem)?;
    let chain = pem::certificates(chain_pem)?;
    let config = ServerConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                wrong("the private key does not belong to the certificate")
            }
            error => wrong(format!("the certificate cannot be used: {error}")),
        })?;
    Ok(config)
}

/// Names what is spoken inside of TLS, unless the application did.
pub(crate) fn with_protocols(
    mut config: Arc<ServerConfig>,
    speaks_http2: bool,
) -> Arc<ServerConfig> {
    if config.alpn_protocols.is_empty() {
        let names = if speaks_http2 { &[HTTP_2, HTTP_1_1][..] } else { &[HTTP_1_1] };
        Arc::make_mut(&mut config).alpn_protocols =
            names.iter().map(|name| name.to_vec()).collect();
    }
    config
}

/// What a client of a TLS port turned out to be.
pub(crate) enum Accepted<S> {
    Tls(Box<TlsStream<S>>),
    /// It sends HTTP without TLS.
    PlainHttp(S),
}

/// Does the TLS handshake with a client.
pub(crate) async fn accept<S>(
    config: Arc<ServerConfig>,
    mut stream: S,
) -> Result<Accepted<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let failed = |error| Error::Tls(Box::new(TlsError::of_client(error)));
    let first = stream.read_u8().await.map_err(failed)?;
    // A method of HTTP begins with a capital letter, and nothing in TLS does.
    if first.is_ascii_uppercase() {
        return Ok(Accepted::PlainHttp(stream));
    }
    let acceptor = TlsAcceptor::from(config);
    let mut given_back = io::Result::Ok(0);
    // Boxed, for it is large and soon over.
    let handshake = Box::pin(acceptor.accept_with(stream, |connection| {
        given_back = connection.read_tls(&mut &[first][..]);
    }));
    given_back.map_err(failed)?;
    let stream = handshake.await.map_err(failed)?;
    Ok(Accepted::Tls(Box::new(stream.into())))
}
