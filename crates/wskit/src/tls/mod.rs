//! TLS with [rustls], for `wss://` URLs and for servers.
//!
//! A [`Client`](crate::Client) needs nothing but a `wss://` URL: it trusts what the system trusts.
//! [`ClientTls`] makes configurations that trust others, or that show a certificate of the client;
//! whoever knows rustls makes a [`ClientConfig`] of any kind.
//!
//! ```no_run
//! use wskit::{Client, tls::ClientTls};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = ClientTls::new().also_trust(&std::fs::read("company.pem")?)?.config()?;
//! let client = Client::new("wss://chat.company.example/")?.tls(tls);
//! let mut socket = client.connect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Server`](crate::Server) is given a certificate and its key, and [secures](crate::Server::secure)
//! each connection before it accepts a WebSocket on it:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = wskit::tls::server_config(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
//! let server = wskit::Server::new().tls(tls);
//! let listener = tokio::net::TcpListener::bind("[::]:443").await?;
//! loop {
//!     let (stream, _) = listener.accept().await?;
//!     let server = server.clone();
//!     tokio::spawn(async move {
//!         let stream = server.secure(stream).await?;
//!         let mut socket = server.accept(stream).await?;
//!         socket.send("welcome").await
//!     });
//! }
//! # }
//! ```
//!
//! # The end of a connection
//!
//! TLS tells the end of a connection from its being cut off (RFC 8446 §6.1). Both ends say
//! `close_notify` before they end the TCP connection. After a closing handshake it does not matter
//! whether the peer does, for the Close frames have told that all was said. Before it, a connection
//! that is cut off is [`Lost::Broken`](crate::Lost::Broken).
//!
//! # Features
//!
//! | feature | what it does |
//! |---|---|
//! | `tls` (default) | `tls-ring` and `tls-platform-roots` |
//! | `rustls` | this module alone, for those who bring cryptography and roots of their own |
//! | `tls-ring` | cryptography by ring |
//! | `tls-aws-lc-rs` | cryptography by aws-lc-rs; goes before ring where both are there |
//! | `tls-platform-roots` | trusts what the system trusts |
//! | `tls-webpki-roots` | trusts Mozilla's list, where the system has none or is not asked |
//!
//! A [`CryptoProvider`] that the program has installed goes before those of the features.

mod client;
mod error;
mod pem;
mod server;
mod verifier;

pub use client::ClientTls;
pub use error::TlsError;
pub use pem::EncryptedKey;
pub use server::server_config;
pub use tokio_rustls::{self, rustls};

pub(crate) use client::connect;
pub(crate) use error::{PLAIN_HTTP, is_tls};
pub(crate) use server::{Accepted, accept, with_protocols};

use crate::{Either, Error, Split};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf};
use tokio_rustls::TlsStream;
#[cfg(doc)]
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::CryptoProvider;

/// A stream of bytes with or without TLS. What TLS needs is boxed, so that a stream without it is no
/// larger than it was.
pub type MaybeTls<S> = Either<S, Box<TlsStream<S>>>;

/// What is spoken inside of TLS (RFC 7301 §6).
pub(crate) const HTTP_1_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";

impl<S> MaybeTls<S> {
    /// The stream beneath.
    pub fn transport(&self) -> &S {
        match self {
            Either::First(stream) => stream,
            Either::Second(tls) => tls.get_ref().0,
        }
    }

    /// What TLS agreed on, if there is TLS: its version, its cipher, the certificates of the peer.
    pub fn tls(&self) -> Option<&rustls::CommonState> {
        match self {
            Either::First(_) => None,
            Either::Second(tls) => Some(tls.get_ref().1),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Split for TlsStream<S> {
    type Reader = ReadHalf<TlsStream<S>>;
    type Writer = WriteHalf<TlsStream<S>>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        tokio::io::split(self)
    }
}

/// The cryptography: what the program has installed, or what the features name.
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    CryptoProvider::get_default().cloned().or_else(built_in_provider).ok_or_else(|| {
        wrong(
            "there is no cryptography for TLS; enable the feature tls-ring or tls-aws-lc-rs of \
             wskit, or install a CryptoProvider of rustls",
        )
    })
}

fn built_in_provider() -> Option<Arc<CryptoProvider>> {
    #[cfg(feature = "tls-aws-lc-rs")]
    return Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "tls-ring", not(feature = "tls-aws-lc-rs")))]
    return Some(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc-rs")))]
    None
}

/// The error of a configuration that cannot be.
fn wrong(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Argument(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[test]
    fn tls_costs_a_stream_without_it_nothing() {
        assert_eq!(size_of::<MaybeTls<TcpStream>>(), size_of::<TcpStream>());
        assert_eq!(size_of::<crate::ClientStream>(), size_of::<TcpStream>());
    }
}
