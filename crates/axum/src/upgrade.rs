//! The extractor.

use crate::rejection::WebSocketUpgradeRejection;
use crate::{Compression, Limits, OriginPolicy, Timeouts, WebSocket};
use axum::{Error, body::Body, extract::FromRequestParts, response::Response};
use http::{HeaderValue, request::Parts};
use std::{borrow::Cow, fmt, future::Future};
use wskit::{Acceptance, Offer, Server, Subprotocol};
use wskit_hyper::PendingUpgrade;

/// A request for a WebSocket that keeps all rules, waiting for
/// [`on_upgrade`](WebSocketUpgrade::on_upgrade).
///
/// Extracting it answers other requests with the status that RFC 6455 asks for and a line that
/// names the fault. Its methods set up the connection. The defaults are those of the
/// [`wskit::Server`] in the request's extensions, which a layer may have put there for many routes, or
/// else of a new one:
///
/// ```
/// # use axum::{Extension, Router, routing::any};
/// # use wskit_axum::{OriginPolicy, WebSocketUpgrade, wskit::Server};
/// # async fn chat(upgrade: WebSocketUpgrade) {}
/// let server = Server::new().origins(OriginPolicy::Only(vec!["https://app.example".parse()?]));
/// let app: Router = Router::new().route("/chat", any(chat)).layer(Extension(server));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the connection opens only if the response of `on_upgrade` is returned"]
pub struct WebSocketUpgrade<F = DefaultOnFailedUpgrade> {
    pending: PendingUpgrade,
    server: Server,
    requested: Vec<HeaderValue>,
    /// Which of the requested ones is selected.
    selected: Option<usize>,
    on_failed_upgrade: F,
}

impl<F> WebSocketUpgrade<F> {
    /// The longest message: 64 MiB. A longer one fails the connection with 1009.
    pub fn max_message_size(self, bytes: usize) -> Self {
        self.limit(|limits| limits.message_bytes_max = bytes as u64)
    }

    /// The longest frame: no limit of its own, for no frame is longer than its message.
    pub fn max_frame_size(self, bytes: usize) -> Self {
        self.limit(|limits| limits.frame_bytes_max = bytes as u64)
    }

    /// How much may wait to be written before sending has to wait: 256 KiB.
    pub fn max_write_buffer_size(self, bytes: usize) -> Self {
        self.limit(|limits| limits.output_bytes_max = bytes)
    }

    /// Has no effect, for buffers belong to the threads and not to connections. It is here so that
    /// programs compile.
    pub fn read_buffer_size(self, _bytes: usize) -> Self {
        self
    }

    /// Has no effect: `send` writes at once, and `feed` when the program waits. It is here so that
    /// programs compile.
    pub fn write_buffer_size(self, _bytes: usize) -> Self {
        self
    }

    /// All limits together. See [`Limits`] for the defaults.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.server = self.server.limits(limits);
        self
    }

    /// Whether and how messages are compressed if the client offers it: see [`Compression`] for the
    /// default.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.server = self.server.compression(compression);
        self
    }

    /// Which web pages may connect: those of the same host. Others are answered 403.
    pub fn origins(mut self, policy: OriginPolicy) -> Self {
        self.server = self.server.origins(policy);
        self
    }

    /// How long a client is waited for. See [`Timeouts`] for the defaults.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.server = self.server.timeouts(timeouts);
        self
    }

    /// Selects the first of these subprotocols that the client offers.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        self.selected =
            protocols.into_iter().find_map(|name| self.position(name.into().as_bytes()));
        self
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn requested_protocols(&self) -> impl Iterator<Item = &HeaderValue> {
        self.requested.iter()
    }

    /// Selects a subprotocol. One that the client did not offer is not selected, for the client
    /// would have to fail the connection.
    #[expect(clippy::needless_pass_by_value, reason = "the shape is axum's")]
    pub fn set_selected_protocol(&mut self, protocol: HeaderValue) {
        self.selected = self.position(protocol.as_bytes());
    }

    /// The subprotocol that was selected.
    pub fn selected_protocol(&self) -> Option<&HeaderValue> {
        self.selected.map(|index| &self.requested[index])
    }

    /// Everything that the client asks for.
    pub fn offer(&self) -> &Offer {
        self.pending.offer()
    }

    /// Is called if the connection does not open after all: it broke before the response was
    /// written, that took longer than the opening timeout, or its origin was refused.
    pub fn on_failed_upgrade<C: OnFailedUpgrade>(self, callback: C) -> WebSocketUpgrade<C> {
        let WebSocketUpgrade { pending, server, requested, selected, .. } = self;
        let on_failed_upgrade = callback;
        WebSocketUpgrade { pending, server, requested, selected, on_failed_upgrade }
    }

    /// Accepts the request: gives the response to return, and calls `callback` with the connection,
    /// in a task of its own, when the response has been written.
    ///
    /// The response is 403 if the request comes from a page that [`origins`](Self::origins) does
    /// not allow.
    ///
    /// A panic of `callback` ends its connection and nothing else, without a Close frame, as with axum: see
    /// [the end](wskit::WebSocket#the-end) for how to say 1011 first.
    #[must_use = "the connection opens only if this response is returned"]
    pub fn on_upgrade<C, Fut>(self, callback: C) -> Response
    where
        C: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
        F: OnFailedUpgrade,
    {
        let subprotocol = self.selected.map(|index| self.subprotocols()[index].clone());
        let acceptance = Acceptance { subprotocol, ..Acceptance::default() };
        let on_failed = self.on_failed_upgrade;
        match self.pending.accept_with(&self.server, acceptance) {
            Ok((response, opening)) => {
                tokio::spawn(async move {
                    match opening.await {
                        Ok(socket) => callback(WebSocket::new(socket)).await,
                        Err(error) => on_failed.call(Error::new(error)),
                    }
                });
                response.map(Body::new)
            }
            Err(error) => {
                let response = error.to_response();
                on_failed.call(Error::new(error));
                response.map(Body::new)
            }
        }
    }

    fn limit(self, change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = self.server.chosen_limits();
        change(&mut limits);
        self.limits(limits)
    }

    fn subprotocols(&self) -> &[Subprotocol] {
        self.pending.offer().subprotocols()
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        self.requested.iter().position(|requested| requested.as_bytes() == name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let server = parts.extensions.get::<Server>().cloned().unwrap_or_default();
        // As with axum, Pings and Pongs are received too.
        let server = server.shows_control_frames(true);
        let pending = PendingUpgrade::from_parts(parts, &server);
        let pending = pending.map_err(WebSocketUpgradeRejection)?;
        let offered = pending.offer().subprotocols();
        // A token can always be the value of a header.
        let value = |name: &Subprotocol| HeaderValue::from_str(name.as_str()).ok();
        let requested = offered.iter().filter_map(value).collect();
        let chosen = server.choose(pending.offer()).subprotocol;
        let selected = offered.iter().position(|name| Some(name) == chosen.as_ref());
        let on_failed_upgrade = DefaultOnFailedUpgrade;
        Ok(WebSocketUpgrade { pending, server, requested, selected, on_failed_upgrade })
    }
}

impl<F> fmt::Debug for WebSocketUpgrade<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("pending", &self.pending)
            .field("limits", &self.server.chosen_limits())
            .field("selected_protocol", &self.selected_protocol())
            .finish_non_exhaustive()
    }
}

/// What to do when a connection does not open: any function that takes the error.
pub trait OnFailedUpgrade: Send + 'static {
    /// Is called with the error.
    fn call(self, error: Error);
}

impl<F: FnOnce(Error) + Send + 'static> OnFailedUpgrade for F {
    fn call(self, error: Error) {
        self(error);
    }
}

/// Does nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct DefaultOnFailedUpgrade;

impl OnFailedUpgrade for DefaultOnFailedUpgrade {
    fn call(self, _: Error) {}
}
