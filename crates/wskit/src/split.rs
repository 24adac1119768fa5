//! Two halves of a connection, for two tasks.
//!
//! The receiving half owns everything that receiving needs and never waits for the sending half.
//! What sending needs is shared: the sending half uses it, and the receiving half too, to answer
//! with a Pong or a Close frame, and to write what was fed before it waits for input. The lock
//! around it is held for the encoding or the writes that the socket takes at once, never while
//! anybody waits, and not while the socket is read.

use crate::socket::{Ends, Incoming, Inner, MessagePiece, Outgoing, WebSocket, broken};
use crate::{CloseCode, CloseFrame, Error, Joined, Kind, Message, Prepared};
use bytes::Bytes;
use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::{TcpStream, tcp};
use wskit_proto::closing::State;
use wskit_proto::handshake::Agreed;

/// A stream of bytes that can be taken apart into a reading and a writing half.
///
/// For a type of your own, [`tokio::io::split`] makes the halves.
pub trait Split: AsyncRead + AsyncWrite + Unpin {
    /// The half that is read from.
    type Reader: AsyncRead + Unpin;
    /// The half that is written to.
    type Writer: AsyncWrite + Unpin;

    /// Takes the stream apart.
    fn split(self) -> (Self::Reader, Self::Writer);
}

impl Split for TcpStream {
    type Reader = tcp::OwnedReadHalf;
    type Writer = tcp::OwnedWriteHalf;

    fn split(self) -> (Self::Reader, Self::Writer) {
        self.into_split()
    }
}

#[cfg(unix)]
impl Split for tokio::net::UnixStream {
    type Reader = tokio::net::unix::OwnedReadHalf;
    type Writer = tokio::net::unix::OwnedWriteHalf;

    fn split(self) -> (Self::Reader, Self::Writer) {
        self.into_split()
    }
}

impl<S: Split> Split for Box<S> {
    type Reader = S::Reader;
    type Writer = S::Writer;

    fn split(self) -> (Self::Reader, Self::Writer) {
        (*self).split()
    }
}

impl Split for DuplexStream {
    type Reader = ReadHalf<DuplexStream>;
    type Writer = WriteHalf<DuplexStream>;

    fn split(self) -> (Self::Reader, Self::Writer) {
        tokio::io::split(self)
    }
}

/// The receiving half of a [`WebSocket`]. It answers Pings, watches the timeouts and completes the
/// closing handshake while somebody waits for its [`recv`](ReceiveHalf::recv).
pub struct ReceiveHalf<S: Split> {
    reader: S::Reader,
    incoming: Incoming,
    shared: Arc<Shared<S::Writer>>,
    agreed: Box<Agreed>,
}

/// The sending half of a [`WebSocket`].
pub struct SendHalf<S: Split> {
    shared: Arc<Shared<S::Writer>>,
}

struct Shared<W> {
    sending: Mutex<(Outgoing, W)>,
    wakers: Arc<Wakers>,
}

/// A writer knows one task to wake, and here two may wait for it.
#[derive(Default)]
struct Wakers {
    receiving: Mutex<Option<Waker>>,
    sending: Mutex<Option<Waker>>,
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(&self.receiving);
        wake(&self.sending);
    }
}

fn wake(place: &Mutex<Option<Waker>>) {
    // Not under the lock: a waker may do anything.
    let waker = lock(place).take();
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(place: &Mutex<Option<Waker>>, waker: &Waker) {
    let mut place = lock(place);
    if !place.as_ref().is_some_and(|known| known.will_wake(waker)) {
        *place = Some(waker.clone());
    }
}

/// The ends of a connection whose sending half is shared.
struct Apart<'a, S: Split> {
    reader: &'a mut S::Reader,
    shared: &'a Shared<S::Writer>,
}

impl<S: Split> Ends for Apart<'_, S> {
    type Reader = S::Reader;
    type Writer = S::Writer;

    fn reader(&mut self) -> &mut S::Reader {
        self.reader
    }

    fn outgoing<T>(&mut self, act: impl FnOnce(&mut Outgoing, &mut S::Writer) -> T) -> T {
        let mut sending = lock(&self.shared.sending);
        let (outgoing, writer) = &mut *sending;
        act(outgoing, writer)
    }
}

impl<S: Split> WebSocket<S> {
    /// Takes the connection apart into two halves, for two tasks.
    ///
    /// Reading never waits for writing, nor writing for reading: a lock between them is held for a
    /// moment, never while either half waits.
    pub fn split(self) -> (SendHalf<S>, ReceiveHalf<S>) {
        let Inner { stream, incoming, outgoing, agreed } = *self.inner;
        let (reader, writer) = stream.split();
        let sending = Mutex::new((outgoing, writer));
        let shared = Arc::new(Shared { sending, wakers: Arc::default() });
        let receive_half =
            ReceiveHalf { reader, incoming, shared: shared.clone(), agreed: agreed.into() };
        (SendHalf { shared }, receive_half)
    }
}

impl<S: Split> ReceiveHalf<S> {
    /// The next message, or the error that ended the connection, or `None` after its end. As
    /// [`WebSocket::recv`], and cancel safe too.
    pub async fn recv(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// The next piece of a message. As [`WebSocket::recv_piece`], and cancel safe too.
    pub async fn recv_piece(&mut self) -> Option<Result<MessagePiece, Error>> {
        poll_fn(|cx| self.poll_item(cx)).await
    }

    /// The next message: [`recv`](ReceiveHalf::recv) for those who poll.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.poll_item(cx)
    }

    fn poll_item<T: crate::socket::Item>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<T, Error>>> {
        remember(&self.shared.wakers.receiving, cx.waker());
        let both = Waker::from(self.shared.wakers.clone());
        let mut ends = Apart::<S> { reader: &mut self.reader, shared: &self.shared };
        let item = self.incoming.poll_item(&mut ends, &mut Context::from_waker(&both));
        if !self.incoming.is_open() {
            // Who waits for room waits in vain.
            wake(&self.shared.wakers.sending);
        }
        item
    }

    /// What was agreed in the opening handshake.
    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// The Close frame that the peer sent, as [`WebSocket::peer_close`].
    pub fn peer_close(&self) -> Option<Option<&CloseFrame>> {
        self.incoming.peer_close()
    }
}

impl<S: Split> SendHalf<S> {
    /// Sends a message and waits until it is written. As [`WebSocket::send`], and cancel safe too.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.flush().await
    }

    /// Queues a message, to be written by the next [`flush`](SendHalf::flush). Cancel safe.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        poll_fn(|cx| self.poll_ready(cx)).await?;
        self.start_send(message)
    }

    /// Queues a message that is sent to many connections. As [`WebSocket::feed_prepared`], and
    /// cancel safe too.
    pub async fn feed_prepared(&mut self, message: &Prepared) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(lock(&self.shared.sending).0.encode_prepared(message)?)
    }

    /// Queues messages that are sent to many connections one after the other. As [`WebSocket::feed_joined`], and cancel
    /// safe too.
    pub async fn feed_joined(&mut self, joined: &Joined) -> Result<(), Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(lock(&self.shared.sending).0.encode_joined(joined)?)
    }

    /// Queues a part of a message. As [`WebSocket::feed_part`], and cancel safe too.
    pub async fn feed_part(
        &mut self,
        kind: Kind,
        part: impl Into<Bytes>,
        last: bool,
    ) -> Result<(), Error> {
        let part = part.into();
        poll_fn(|cx| self.poll_ready(cx)).await?;
        Ok(lock(&self.shared.sending).0.encode_part(kind, part, last)?)
    }

    /// Waits until everything that was fed is written. Cancel safe.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Sends a Close frame. The receiving half receives the peer's answer.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.start_send(Message::Close(Some(frame)))?;
        self.flush().await
    }

    /// Ready when there is room for another message.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let room = ready!(self.poll_outgoing(cx, Outgoing::poll_room));
        Poll::Ready(room.map_err(broken))
    }

    /// Queues a message, whether there is room or not.
    pub fn start_send(&mut self, message: Message) -> Result<(), Error> {
        let closes = {
            let outgoing = &mut lock(&self.shared.sending).0;
            let was_open = outgoing.sending.state() == State::Open;
            outgoing.encode(message)?;
            was_open && outgoing.sending.state() != State::Open
        };
        if closes {
            // The receiving half has a deadline from now on.
            wake(&self.shared.wakers.receiving);
        }
        Ok(())
    }

    /// Ready when everything that was queued is written.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed = ready!(self.poll_outgoing(cx, Outgoing::poll_flush));
        Poll::Ready(flushed.map_err(broken))
    }

    fn poll_outgoing<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut Outgoing, &mut S::Writer, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        remember(&self.shared.wakers.sending, cx.waker());
        let both = Waker::from(self.shared.wakers.clone());
        let (outgoing, writer) = &mut *lock(&self.shared.sending);
        act(outgoing, writer, &mut Context::from_waker(&both))
    }
}

impl<S: Split> fmt::Debug for ReceiveHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveHalf").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

impl<S: Split> fmt::Debug for SendHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendHalf").finish_non_exhaustive()
    }
}
