//! Which version of HTTP a client speaks.

/// Which version of HTTP a [`Client`](crate::Client) opens its WebSocket with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "http2"), allow(dead_code, unreachable_pub, reason = "one is spoken"))]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 (RFC 8441), and nothing else. Without TLS the server has to be known to speak it.
    Http2,
    /// With TLS, HTTP/2 if the server chooses it and takes WebSockets over it, and HTTP/1.1 otherwise;
    /// without TLS, HTTP/1.1.
    Auto,
}

#[cfg(feature = "rustls")]
impl HttpVersion {
    /// What the server is offered to speak inside of TLS.
    pub(super) fn protocols(self) -> &'static [&'static [u8]] {
        use crate::tls::{HTTP_1_1, HTTP_2};
        match self {
            HttpVersion::Http1 => &[HTTP_1_1],
            HttpVersion::Http2 => &[HTTP_2],
            HttpVersion::Auto => &[HTTP_2, HTTP_1_1],
        }
    }
}
