//! What an HTTP/2 connection runs on.

use crate::client::ClientStream;
#[cfg(feature = "rustls")]
use crate::tls::rustls::{CommonState, ProtocolVersion};
use std::net::SocketAddr;

/// What a client's HTTP/2 connection runs on. All its streams share that, so none of them owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Beneath {
    /// Where the TCP connection leads: to the server, or to the proxy if there is one. Through a
    /// Unix-domain socket there is none.
    pub peer_addr: Option<SocketAddr>,
    /// The version of TLS, if there is TLS.
    #[cfg(feature = "rustls")]
    pub tls_version: Option<ProtocolVersion>,
}

impl Beneath {
    pub(crate) fn of(stream: &ClientStream) -> Beneath {
        Beneath {
            peer_addr: stream.tcp().and_then(|tcp| tcp.peer_addr().ok()),
            #[cfg(feature = "rustls")]
            tls_version: stream.tls().and_then(CommonState::protocol_version),
        }
    }
}
