//! A connection in the shape that axum has it.

use crate::Message;
use axum::Error;
use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use http::HeaderValue;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// An open WebSocket connection.
///
/// Every future of it may be dropped at any time; nothing is lost or torn. For two tasks, take it
/// apart with `StreamExt::split` of `futures`, or at less cost with
/// [`into_inner`](WebSocket::into_inner) and [`split`](wskit::WebSocket::split).
#[derive(Debug)]
pub struct WebSocket {
    inner: wskit_hyper::WebSocket,
    protocol: Option<HeaderValue>,
}

impl WebSocket {
    pub(crate) fn new(inner: wskit_hyper::WebSocket) -> WebSocket {
        let protocol = inner.agreed().subprotocol.as_ref();
        let protocol = protocol.and_then(|name| HeaderValue::from_str(name.as_str()).ok());
        WebSocket { inner, protocol }
    }

    /// The next message, or the error that ended the connection, or `None` after its end. It also
    /// answers Pings, watches the timeouts and completes the closing handshake.
    ///
    /// Cancel safe.
    pub fn recv(&mut self) -> impl Future<Output = Option<Result<Message, Error>>> {
        std::future::poll_fn(|cx| self.poll_message(cx))
    }

    /// Sends a message and waits until it is written. Cancel safe.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        self.inner.send(wskit::Message::try_from(message)?).await.map_err(Error::new)
    }

    /// The subprotocol that is spoken.
    pub fn protocol(&self) -> Option<&HeaderValue> {
        self.protocol.as_ref()
    }

    /// The connection in wskit's own shape, with all that it can do: feeding messages, halves for
    /// two tasks, messages piece by piece, messages that are compressed once for many.
    pub fn into_inner(self) -> wskit_hyper::WebSocket {
        self.inner
    }

    #[inline]
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.inner
            .poll_recv(cx)
            .map(|message| message.map(|message| message.map(Message::from).map_err(Error::new)))
    }
}

impl Stream for WebSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(cx)
    }
}

impl FusedStream for WebSocket {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

/// Closing the sink sends a Close frame without a code; the stream then ends with the connection.
impl Sink<Message> for WebSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::new)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.inner.start_send(message.try_into()?).map_err(Error::new)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_flush(cx).map_err(Error::new)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(Error::new)
    }
}
