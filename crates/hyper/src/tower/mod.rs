//! WebSockets in stacks of [tower](https://docs.rs/tower) services: axum's routers, hyper-util's
//! `TowerToHyperService`, and whatever else takes a service of HTTP requests.
//!
//! [`WebSocketService`] answers requests for WebSockets and calls a handler with each connection.
//! [`WebSocketLayer`] puts it in front of another service, which gets all other requests.
//!
//! ```
//! use http::request::Parts;
//! use wskit::{Error, Server};
//! use wskit_hyper::{WebSocket, tower::{WebSocketLayer, WebSocketService}};
//!
//! async fn echo(mut socket: WebSocket, path: String) -> Result<(), Error> {
//!     socket.send(format!("this is {path}")).await?;
//!     while let Some(message) = socket.recv().await {
//!         socket.feed(message?).await?;
//!     }
//!     Ok(())
//! }
//!
//! let service = WebSocketService::new(Server::new(), |socket, request: Parts| {
//!     echo(socket, request.uri.path().to_owned())
//! });
//! // `Router::route_service("/ws", service)`, or before everything else:
//! let layer = WebSocketLayer::new(service).at("/ws");
//! ```
//!
//! Whoever serves has to allow upgrades, as with [`upgrade`](crate::upgrade()); and for HTTP/2, to
//! say SETTINGS_ENABLE_CONNECT_PROTOCOL: `enable_connect_protocol` in hyper.

mod layer;
mod service;

pub use layer::{ResponseFuture, WebSocketLayer, WebSocketOrElse};
pub use service::WebSocketService;
