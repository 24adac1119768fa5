//! WebSockets over HTTP/2 (RFC 8441): many on one connection.
//!
//! Needs the feature `http2`, and a [`Server`](crate::Server) or a [`Client`](crate::Client) that was
//! told so.
//!
//! - [`Server::http2`](crate::Server::http2) serves HTTP/2 beside HTTP/1.1, on the same port:
//!   [`Server::requests`](crate::Server::requests) gives the requests of a connection, one or many.
//! - [`Client::http`](crate::Client::http) opens a WebSocket over HTTP/2, where the server takes it.
//!   An [`Http2Connection`] is opened once, for many of them.
//!
//! Inside of TLS the version is agreed on by ALPN; without it, the client knows beforehand that the
//! server speaks HTTP/2 ("prior knowledge"). Nothing else differs: a WebSocket is the same
//! [`WebSocket`](crate::WebSocket), and all that is said of it holds.

mod beneath;
mod connection;
mod limits;
mod live;
mod requests;
mod rewound;
mod stream;

pub use beneath::Beneath;
pub use connection::Http2Connection;
pub use limits::Http2Limits;
pub use requests::{Requests, ServerStream};
pub use stream::{Http2Reader, Http2Stream, Http2Writer};

use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::io;
use wskit_proto::handshake::is_secret;

/// Adds a header of a request or a response.
fn add_header(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    let is_secret = is_secret(name);
    // What can be a header for the handshake can be one here.
    if let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value))
    {
        // RFC 7541 §7.1.3: a secret is kept out of the table of what was sent before.
        value.set_sensitive(is_secret);
        headers.append(name, value);
    }
}

/// Whether the peer demands HTTP/1.1 instead (HTTP_1_1_REQUIRED, RFC 9113 §7).
pub(crate) fn demands_http_1_1(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<h2::Error>());
    error.and_then(h2::Error::reason) == Some(Reason::HTTP_1_1_REQUIRED)
}

/// The error of a stream or a connection, for those who read and write bytes.
fn broken(error: h2::Error) -> io::Error {
    let kind = match error.get_io() {
        Some(error) => error.kind(),
        None if error.is_reset() => io::ErrorKind::ConnectionReset,
        None if error.is_go_away() => io::ErrorKind::ConnectionAborted,
        None => io::ErrorKind::Other,
    };
    match error.is_io() {
        true => error.into_io().unwrap_or_else(|| kind.into()),
        false => io::Error::new(kind, error),
    }
}
