//! A connection on a stream of bytes.
//!
//! `incoming` and `outgoing` are its two halves; this file joins them on one stream, `split` on
//! two.

mod incoming;
mod input;
mod item;
mod outgoing;
mod streams;

pub(crate) use incoming::{Ends, Incoming};
pub(crate) use input::Input;
pub(crate) use item::Item;
pub use item::MessagePiece;
pub(crate) use outgoing::Outgoing;

use crate::alarm::Alarm;
use crate::{Error, Lost, entropy};
use bytes::{Bytes, BytesMut};
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite};
use wskit_proto::closing::State;
use wskit_proto::handshake::Agreed;
use wskit_proto::{
    CloseCode, CloseFrame, Config, Connection, Joined, Kind, Message, Output, Prepared, Role,
    Savings,
};

/// An open WebSocket connection on a stream of bytes `S`.
///
/// # Receiving and sending
///
/// [`recv`](WebSocket::recv) gives one message after the other. [`send`](WebSocket::send) writes
/// one at once; [`feed`](WebSocket::feed) only queues it, to leave together with others at the next
/// [`flush`](WebSocket::flush) or when `recv` has to wait. So the simplest echo is a quick one too:
///
/// ```
/// # use wskit::{Error, WebSocket};
/// # use tokio::io::{AsyncRead, AsyncWrite};
/// async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> Result<(), Error> {
///     while let Some(message) = socket.recv().await {
///         socket.feed(message?).await?;
///     }
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
///
/// Every future of this type may be dropped at any time. A message is received whole by a later
/// call, or was received; a message is sent whole, or not at all. A message that was given to a
/// `send` or `feed` that had not begun to send it is dropped with the future.
///
/// # The end
///
/// When the peer closes, [`Message::Close`] is received last, then `None`. When the connection is
/// lost or the peer breaks the protocol, one error is received, then `None`. By then the TCP
/// connection has ended as RFC 6455 §7.1.1 asks, so that what was sent last has arrived; a peer that
/// does not end its side delays this by the close timeout at most. To end a connection yourself,
/// call [`close`](WebSocket::close).
///
/// Dropping it ends the connection without a Close frame, which the peer sees as 1006. So does a panic of the task
/// that has it. Who wants to say 1011 then keeps it out of what may panic:
///
/// ```
/// # use wskit::{CloseCode, Error, Message, WebSocket};
/// # use tokio::io::{AsyncRead, AsyncWrite};
/// # async fn answer(question: Message) -> Message { question }
/// async fn serve<S>(mut socket: WebSocket<S>) -> Result<(), Error>
/// where
///     S: AsyncRead + AsyncWrite + Unpin,
/// {
///     while let Some(question) = socket.recv().await {
///         match tokio::spawn(answer(question?)).await {
///             Ok(answer) => socket.send(answer).await?,
///             Err(_panicked) => drop(socket.close(CloseCode::INTERNAL_ERROR, "").await?),
///         }
///     }
///     Ok(())
/// }
/// ```
pub struct WebSocket<S> {
    // Boxed, so that it moves from future to future at the price of a pointer.
    pub(crate) inner: Box<Inner<S>>,
}

// In this order, so that what sending needs lies together: where thousands are sent to in turn, it comes from far away.
#[repr(C)]
pub(crate) struct Inner<S> {
    pub(crate) stream: S,
    pub(crate) outgoing: Outgoing,
    pub(crate) incoming: Incoming,
    pub(crate) agreed: Agreed,
}

/// The ends of a connection that is in one hand.
struct Both<'a, S> {
    stream: &'a mut S,
    outgoing: &'a mut Outgoing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ends for Both<'_, S> {
    type Reader = S;
    type Writer = S;

    #[inline]
    fn reader(&mut self) -> &mut S {
        self.stream
    }

    #[inline]
    fn outgoing<T>(&mut self, act: impl FnOnce(&mut Outgoing, &mut S) -> T) -> T {
        act(self.outgoing, self.stream)
    }
}

/// How a connection behaves, for both roles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) config: Arc<Config>,
    pub(crate) shows_control: bool,
}

impl Options {
    /// The configuration, to be changed for connections to come.
    pub(crate) fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }
}

/// Everything that is left of an opening handshake.
pub(crate) struct Opened<S> {
    pub(crate) stream: S,
    pub(crate) input: BytesMut,
    pub(crate) output: Output,
    pub(crate) agreed: Agreed,
    pub(crate) alarm: Alarm,
}

impl<S> WebSocket<S> {
    pub(crate) fn server(opened: Opened<S>, options: &Options) -> WebSocket<S> {
        WebSocket::new(Role::Server, opened, options)
    }

    pub(crate) fn client(opened: Opened<S>, options: &Options) -> WebSocket<S> {
        WebSocket::new(Role::Client(entropy::masking_key), opened, options)
    }

    fn new(role: Role, opened: Opened<S>, options: &Options) -> WebSocket<S> {
        let Opened { stream, input, output, agreed, alarm } = opened;
        let (receiving, sending, deadlines) =
            Connection::with_agreed(role, options.config.clone(), &agreed).into_parts();
        let is_server = matches!(role, Role::Server);
        let incoming =
            Incoming::new(receiving, deadlines, input, alarm, is_server, options.shows_control);
        let outgoing = Outgoing::new(sending, output);
        WebSocket { inner: Box::new(Inner { stream, incoming, outgoing, agreed }) }
    }

    /// What wakes it at its deadlines.
    pub(crate) fn alarm(&mut self) -> &mut Alarm {
        self.inner.incoming.alarm()
    }

    /// What was agreed in the opening handshake: subprotocol, extensions, and the headers of the
    /// peer.
    pub fn agreed(&self) -> &Agreed {
        &self.inner.agreed
    }

    /// What compression has saved so far, of what was received and of what was sent.
    pub fn savings(&self) -> (Savings, Savings) {
        (self.inner.incoming.savings(), self.inner.outgoing.sending.savings())
    }

    /// The Close frame that the peer sent, once it has arrived: with its code and reason, or
    /// `Some(None)` if it had none.
    pub fn peer_close(&self) -> Option<Option<&CloseFrame>> {
        self.inner.incoming.peer_close()
    }

    /// Whether messages can still be sent: the closing handshake has not begun, and the connection
    /// has not ended.
    pub fn is_open(&self) -> bool {
        self.inner.outgoing.sending.state() == State::Open
    }

    /// The stream that the connection runs on, to ask it for addresses and the like.
    pub fn stream(&self) -> &S {
        &self.inner.stream
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The next message, or the error that ended the connection, or `None` after its end.
    ///
    /// Before it waits it writes what was [fed](WebSocket::feed). It also answers Pings, sends
    /// keepalive Pings, watches the timeouts and completes the closing handshake, so somebody has
    /// to be waiting here for these things to happen.
    ///
    /// Text, binary messages and the peer's Close are received; Pings and Pongs only if asked for
    /// with `shows_control_frames`.
    ///
    /// Cancel safe: a message that has arrived in part is received whole by a later call.
    pub fn recv(&mut self) -> impl Future<Output = Option<Result<Message, Error>>> {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// The next piece of a message, as it arrives, so that a message of any length can be received
    /// without holding it whole. `None` after the end; see [`peer_close`](WebSocket::peer_close)
    /// for the peer's code.
    ///
    /// It may be mixed with [`recv`](WebSocket::recv), which discards the rest of a message that
    /// was begun here.
    ///
    /// Cancel safe.
    pub async fn recv_piece(&mut self) -> Option<Result<MessagePiece, Error>> {
        poll_fn(|cx| {
            let Inner { stream, incoming, outgoing, .. } = &mut *self.inner;
            incoming.poll_item(&mut Both { stream, outgoing }, cx)
        })
        .await
    }

    /// Sends a message and waits until it is written.
    ///
    /// Cancel safe: the message is sent whole, by a later call, or not at all.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message, to be written by the next [`flush`](WebSocket::flush) or before
    /// [`recv`](WebSocket::recv) waits. Waits only while more than
    /// [`output_bytes_max`](wskit_proto::Limits::output_bytes_max) wait already, and fails where the
    /// peer takes nothing for as long as the [keepalive](wskit_proto::Timeouts) lets it be silent.
    ///
    /// Feeding a Close frame begins the closing handshake; nothing can be sent after it.
    ///
    /// Cancel safe, as [`send`](WebSocket::send) is.
    pub fn feed(&mut self, message: impl Into<Message>) -> impl Future<Output = Result<(), Error>> {
        // Not a function that is async: the message would be moved from one future to the next.
        let mut message = Some(message.into());
        poll_fn(move |cx| {
            ready!(self.poll_ready(cx))?;
            Poll::Ready(message.take().map_or(Ok(()), |message| self.start_send(message)))
        })
    }

    /// Queues a message that is sent to many connections, and is held and compressed once for all of
    /// them. Waits as [`feed`](WebSocket::feed) does, and is cancel safe too.
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        self.start_send_prepared(message)
    }

    /// Queues messages that are sent to many connections one after the other, whose frames are joined once for all of them.
    /// Waits as [`feed`](WebSocket::feed) does, and is cancel safe too.
    pub async fn feed_joined(&mut self, joined: &Joined) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        self.start_send_joined(joined)
    }

    /// Queues a message that is not to be compressed, because it would not shrink or because it
    /// holds a secret together with what others chose. Otherwise as [`feed`](WebSocket::feed).
    pub async fn feed_uncompressed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(self.inner.outgoing.encode_uncompressed(message)?)
    }

    /// Queues a part of a message, which leaves as a frame of its own, so that a message of any
    /// length can be sent without holding it whole. `kind` matters for the first part only.
    ///
    /// The parts of a text may be cut anywhere, but have to be UTF-8 together. Cancel safe.
    pub async fn feed_part(
        &mut self,
        kind: Kind,
        part: impl Into<Bytes>,
        last: bool,
    ) -> Result<(), Error> {
        let part = part.into();
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(self.inner.outgoing.encode_part(kind, part, last)?)
    }

    /// Waits until everything that was fed is written. Cancel safe.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes the connection: sends a Close frame, waits for the peer's and for the end of the TCP
    /// connection, each no longer than the close timeout, and returns what the peer's Close frame
    /// said. Messages that still arrive are discarded.
    ///
    /// To receive them, send a [`Message::Close`] and go on calling [`recv`](WebSocket::recv).
    ///
    /// Cancel safe: call it, or `recv`, again to complete the closing handshake.
    pub async fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
    ) -> Result<Option<CloseFrame>, Error> {
        if !self.inner.incoming.has_ended() {
            let frame = CloseFrame::new(code, reason)?;
            self.inner.outgoing.encode(Message::Close(Some(frame)))?;
        }
        while let Some(message) = poll_fn(|cx| self.poll_until_end(cx)).await {
            message?;
        }
        Ok(self.peer_close().flatten().cloned())
    }

    /// The next message: [`recv`](WebSocket::recv) for those who poll.
    #[inline(always)]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        let Inner { stream, incoming, outgoing, .. } = &mut *self.inner;
        incoming.poll_item(&mut Both { stream, outgoing }, cx)
    }

    /// `poll_recv` for messages that nobody wants. Apart from it, so that it is inlined where they
    /// are wanted.
    #[inline(never)]
    fn poll_until_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.poll_recv(cx)
    }

    /// Ready when there is room for another message.
    #[inline(always)]
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.inner.outgoing.has_room() { Poll::Ready(Ok(())) } else { self.poll_room(cx) }
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Inner { stream, outgoing, .. } = &mut *self.inner;
        let room = outgoing.poll_room(stream, cx);
        self.unless_stalled(room, cx)
    }

    /// Queues a message, whether there is room or not.
    #[inline(always)]
    pub fn start_send(&mut self, message: Message) -> Result<(), Error> {
        Ok(self.inner.outgoing.encode(message)?)
    }

    /// Queues a message for many connections, whether there is room or not.
    #[inline]
    pub fn start_send_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        Ok(self.inner.outgoing.encode_prepared(message)?)
    }

    /// Queues messages for many connections, one after the other, whether there is room or not.
    #[inline]
    pub fn start_send_joined(&mut self, joined: &Joined) -> Result<(), Error> {
        Ok(self.inner.outgoing.encode_joined(joined)?)
    }

    /// Ready when everything that was queued is written.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Inner { stream, outgoing, .. } = &mut *self.inner;
        let flushed = outgoing.poll_flush(stream, cx);
        self.unless_stalled(flushed, cx)
    }

    /// Waits no longer for a peer that does not read than for one that does not send.
    fn unless_stalled(
        &mut self,
        written: Poll<io::Result<()>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if let Poll::Ready(written) = written {
            return Poll::Ready(written.map_err(broken));
        }
        let Inner { stream, incoming, outgoing, .. } = &mut *self.inner;
        incoming.poll_stalled(&mut Both { stream, outgoing }, cx).map(Err)
    }
}

pub(crate) fn broken(error: io::Error) -> Error {
    Error::Lost(Lost::Broken(error))
}

impl<S> fmt::Debug for WebSocket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket").field("agreed", &self.inner.agreed).finish_non_exhaustive()
    }
}
