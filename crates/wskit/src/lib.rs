//! WebSockets on Tokio, for clients and servers.
//!
//! ```no_run
//! use wskit::Message;
//!
//! # async fn client() -> Result<(), wskit::Error> {
//! let mut socket = wskit::connect("ws://127.0.0.1:8080/chat").await?;
//! socket.send("hello").await?;
//! while let Some(message) = socket.recv().await {
//!     if let Message::Text(text) = message? {
//!         println!("{text}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`connect`] and [`Client`] open connections, [`accept`] and [`Server`] accept them on any
//!   stream of bytes.
//! - [`WebSocket`] carries messages. Every future of it may be dropped at any time; nothing is
//!   lost or torn.
//! - [`WebSocket::split`] makes two halves for two tasks.
//!
//! - Connecting again when a connection is lost: see [`reconnect`].
//! - Through proxies: see [`Client::proxy`] and [`Client::proxy_from_environment`].
//! - `wss://` and servers with TLS: see [`tls`], which also lists the features.
//!
//! Pings are answered, silent peers are noticed, and the closing handshake is completed without
//! the application's help, as long as somebody calls [`recv`](WebSocket::recv).

#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "rustls"), allow(rustdoc::broken_intra_doc_links, reason = "no TLS"))]

mod alarm;
mod buffers;
mod client;
mod dial;
mod either;
mod entropy;
mod error;
#[cfg(feature = "http2")]
pub mod http2;
#[cfg(not(feature = "http2"))]
#[path = "http2/absent.rs"]
mod http2;
mod network;
pub mod reconnect;
mod server;
mod socket;
mod split;
mod timings;
#[cfg(feature = "rustls")]
pub mod tls;
mod transient;

#[cfg(feature = "http2")]
pub use client::HttpVersion;
pub use client::{Client, ClientStream, Proxy, ProxyError, ProxyFault, connect};
pub use either::Either;
pub use error::{Error, Lost};
pub use network::{InvalidNetwork, Network};
pub use server::{PendingOffer, PendingRequest, Server, accept};
pub use socket::{MessagePiece, WebSocket};
pub use split::{ReceiveHalf, SendHalf, Split};
pub use timings::Timings;

pub use wskit_proto::handshake::{
    Acceptance, Agreed, Bootstrap, ControlData, Field, Offer, Origin, OriginPolicy, PseudoHeaders,
    Rejection, Request, RequestError, RequestLine, ResponseError, Subprotocol,
};
pub use wskit_proto::{
    CloseCode, CloseFrame, Compression, CompressionMode, Joined, Kind, Limits, Message, Prepared,
    ProtocolError, Savings, SendError, Text, Timeouts, WindowBits,
};

/// The protocol core, for those who need its parts.
pub use wskit_proto as proto;

/// The programs in the README compile.
#[cfg(all(doctest, feature = "tls"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
