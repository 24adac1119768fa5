//! WebSockets on hyper 1.
//!
//! hyper receives a request and writes the response; [`upgrade`] makes a [`wskit`] connection of
//! them. The request is held to the same rules as one that [`wskit::Server`] receives itself, and a
//! faulty one gets the same answer.
//!
//! ```no_run
//! use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
//! use hyper_util::rt::TokioIo;
//! use std::convert::Infallible;
//! use wskit_hyper::Body;
//!
//! async fn answer(mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
//!     let server = wskit::Server::new();
//!     Ok(match wskit_hyper::upgrade(&mut request, &server) {
//!         Ok((response, opening)) => {
//!             tokio::spawn(async {
//!                 let mut socket = opening.await?;
//!                 socket.send("welcome").await
//!             });
//!             response
//!         }
//!         Err(refusal) => refusal,
//!     })
//! }
//!
//! # async fn serve(stream: tokio::net::TcpStream) -> Result<(), hyper::Error> {
//! http1::Builder::new()
//!     .serve_connection(TokioIo::new(stream), service_fn(answer))
//!     .with_upgrades() // Without it no connection opens.
//!     .await
//! # }
//! ```
//!
//! To look at the request first, choose a subprotocol or add headers, see [`PendingUpgrade`].
//!
//! # HTTP/2
//!
//! With the feature `http2`, a request may also come by HTTP/2 (RFC 8441), if the server says so to
//! clients: hyper's `enable_connect_protocol`. Many WebSockets share a connection then. Set
//! `initial_stream_window_size` well below `initial_connection_window_size`, so that one that is not
//! read does not hold up the others.
//!
//! # tower
//!
//! With the feature `tower` there are a service that does all of this, and a layer: see the module
//! `tower`.

#![forbid(unsafe_code)]

mod error;
mod opening;
mod pending;
mod stream;
#[cfg(feature = "tower")]
pub mod tower;

pub use error::UpgradeError;
pub use opening::Opening;
pub use pending::{PendingUpgrade, upgrade};
pub use stream::{Stream, Upgraded};

/// A WebSocket connection on what hyper leaves of an HTTP connection.
pub type WebSocket = wskit::WebSocket<Stream>;

/// The body of a response: nothing, or the line that tells why a request is refused.
pub type Body = http_body_util::Full<bytes::Bytes>;
