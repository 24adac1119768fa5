//! WebSockets for axum 0.8, in the shape of axum's own `axum::extract::ws`: change the import, and
//! the program compiles.
//!
//! ```
//! use axum::{Router, response::Response, routing::any};
//! use wskit_axum::{WebSocket, WebSocketUpgrade};
//!
//! let app: Router = Router::new().route("/ws", any(handler));
//!
//! async fn handler(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.on_upgrade(echo)
//! }
//!
//! async fn echo(mut socket: WebSocket) {
//!     while let Some(Ok(message)) = socket.recv().await {
//!         if socket.send(message).await.is_err() {
//!             return; // The client has gone.
//!         }
//!     }
//! }
//! ```
//!
//! What is different:
//!
//! - Web pages of other hosts are refused with 403 unless [`origins`](WebSocketUpgrade::origins)
//!   lets them in. Without a check, any page could talk to the server in its visitor's name.
//! - Messages are compressed if the client offers it: see
//!   [`compression`](WebSocketUpgrade::compression).
//! - The opening handshake is checked as RFC 6455 §4.2.1 tells, with the status and a line that
//!   names the fault.
//! - Silent clients are noticed: see [`timeouts`](WebSocketUpgrade::timeouts).
//!
//! Over HTTP/2 (RFC 8441) a WebSocket is asked for by CONNECT, so the route has to be one of
//! [`any`](axum::routing::any) method. `axum::serve` speaks HTTP/2 with axum's feature `http2`; who
//! serves with hyper calls `enable_connect_protocol`.
//!
//! [`WebSocket::into_inner`] gives the [`wskit::WebSocket`], with everything that it can do. Errors are
//! [`axum::Error`]s around a [`wskit::Error`], which knows the close code.

#![forbid(unsafe_code)]

mod message;
pub mod rejection;
mod socket;
mod text;
mod upgrade;

pub mod close_code;

pub use message::{CloseCode, CloseFrame, Message};
pub use socket::WebSocket;
pub use text::Utf8Bytes;
pub use upgrade::{DefaultOnFailedUpgrade, OnFailedUpgrade, WebSocketUpgrade};

pub use wskit::{Compression, Limits, Origin, OriginPolicy, Timeouts};

/// The library and the crate for hyper that this one stands on, for what is behind
/// [`WebSocket::into_inner`].
pub use {wskit, wskit_hyper};
