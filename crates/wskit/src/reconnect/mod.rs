//! A client that connects again.

mod ended;
mod retries;

pub use ended::Ended;
pub use retries::{Persistence, Retries};

use crate::{Client, ClientStream, CloseCode, CloseFrame, Error, Message, WebSocket};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};

/// A client that connects again when its connection is lost or does not come about, after growing,
/// jittered pauses.
///
/// ```no_run
/// use wskit::Client;
/// use wskit::reconnect::{Event, Reconnecting};
///
/// # async fn example() -> Result<(), wskit::Error> {
/// let mut chat = Reconnecting::new(Client::new("ws://127.0.0.1:8080/chat")?);
/// while let Some(event) = chat.recv().await {
///     match event {
///         // Each connection is a new one: say again what the server has to know.
///         Event::Open => chat.send("hello").await?,
///         Event::Message(message) => println!("{message:?}"),
///         Event::Waiting { why, pause } => println!("{why}; trying again in {pause:.1?}"),
///         Event::Ended(why) => println!("{why}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// What is tried again, and what not, is in [`Ended::is_transient`]; how often and when, in
/// [`Persistence`].
///
/// Nothing is sent twice. A message that was sent shortly before a connection was lost may have arrived
/// or not, and only the application can tell what that means; while there is no connection, sending is
/// an error.
pub struct Reconnecting<S = ClientStream> {
    connect: Box<dyn FnMut() -> Connecting<S> + Send>,
    retries: Retries,
    state: State<S>,
    /// Whether this end has begun to close the connection that is open: there is no other then.
    closes: bool,
}

type Connecting<S> = Pin<Box<dyn Future<Output = Result<WebSocket<S>, Error>> + Send>>;

enum State<S> {
    Connecting(Connecting<S>),
    Open(WebSocket<S>),
    Waiting(Pin<Box<Sleep>>),
    Ended,
}

/// What happens to a [`Reconnecting`] client.
#[derive(Debug)]
pub enum Event {
    /// A connection is open: the first, or the next.
    Open,
    /// A message has arrived; never a Close.
    Message(Message),
    /// The connection has ended, or none came about. After the pause comes the next try.
    Waiting {
        /// What happened.
        why: Ended,
        /// How long is waited.
        pause: Duration,
    },
    /// The connection has ended, or none came about, and there is no further try. Nothing follows.
    Ended(Ended),
}

impl Reconnecting {
    /// Connects as this client does.
    pub fn new(client: Client) -> Reconnecting {
        Reconnecting::with(move || {
            let client = client.clone();
            async move { client.connect().await }
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reconnecting<S> {
    /// Connects as this function does, which is called for every try: with a token that is fresh each
    /// time, over a transport of your own, or to another server.
    pub fn with<F, C>(mut connect: F) -> Reconnecting<S>
    where
        F: FnMut() -> C + Send + 'static,
        C: Future<Output = Result<WebSocket<S>, Error>> + Send + 'static,
    {
        let mut connect: Box<dyn FnMut() -> Connecting<S> + Send> =
            Box::new(move || Box::pin(connect()));
        let state = State::Connecting(connect());
        Reconnecting { connect, retries: Retries::default(), state, closes: false }
    }

    /// As persistent as this. See [`Persistence`] for the default.
    #[must_use]
    pub fn persistence(mut self, persistence: Persistence) -> Reconnecting<S> {
        self.retries = Retries::new(persistence);
        self
    }

    /// What happens next, or `None` after the end.
    ///
    /// Somebody has to be waiting here for connections to be made, for messages to arrive and for all
    /// that [`WebSocket::recv`] does.
    ///
    /// Cancel safe: a try, a pause or a message that has begun goes on with the next call.
    pub fn recv(&mut self) -> impl Future<Output = Option<Event>> {
        poll_fn(|cx| self.poll_recv(cx))
    }

    /// What happens next: [`recv`](Reconnecting::recv) for those who poll.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            let ended = match &mut self.state {
                State::Connecting(connecting) => match ready!(connecting.as_mut().poll(cx)) {
                    Ok(socket) => {
                        self.retries.opened();
                        self.state = State::Open(socket);
                        return Poll::Ready(Some(Event::Open));
                    }
                    Err(error) => Ended::Failed(error),
                },
                State::Open(socket) => match ready!(socket.poll_recv(cx)) {
                    // What follows is the end of the TCP connection.
                    Some(Ok(Message::Close(_))) => continue,
                    Some(Ok(message)) => return Poll::Ready(Some(Event::Message(message))),
                    Some(Err(error)) => Ended::Failed(error),
                    None => Ended::Closed(socket.peer_close().flatten().cloned()),
                },
                State::Waiting(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    self.state = State::Connecting((self.connect)());
                    continue;
                }
                State::Ended => return Poll::Ready(None),
            };
            let event = match self.retries.pause(&ended) {
                Some(pause) if !self.closes => {
                    self.state = State::Waiting(Box::pin(sleep(pause)));
                    Event::Waiting { why: ended, pause }
                }
                _ => {
                    self.state = State::Ended;
                    Event::Ended(ended)
                }
            };
            return Poll::Ready(Some(event));
        }
    }

    /// The connection, while one is open. Close it with [`close`](Reconnecting::close) or
    /// [`send`](Reconnecting::send): of a Close that is sent here nothing is known, and the peer's answer to
    /// it is taken for its own.
    pub fn socket(&mut self) -> Option<&mut WebSocket<S>> {
        match &mut self.state {
            State::Open(socket) => Some(socket),
            _ => None,
        }
    }

    /// Sends a message on the connection, as [`WebSocket::send`] does; an error if none is open.
    ///
    /// An error of the connection is no reason to give up: [`recv`](Reconnecting::recv) tells how it goes
    /// on. After a [`Message::Close`] no other connection is made, whatever the peer answers.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        match &mut self.state {
            State::Open(socket) => {
                let message = message.into();
                self.closes |= matches!(message, Message::Close(_));
                socket.send(message).await
            }
            _ => Err(Error::Send(crate::SendError::Closed)),
        }
    }

    /// Closes the connection, if one is open, as [`WebSocket::close`] does, and makes no other.
    ///
    /// Cancel safe: no other is made, and another call completes the closing handshake.
    pub async fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
    ) -> Result<Option<CloseFrame>, Error> {
        let State::Open(socket) = &mut self.state else {
            self.state = State::Ended;
            return Ok(None);
        };
        // A reason that is too long is an error that changes nothing.
        CloseFrame::new(code, reason)?;
        self.closes = true;
        let closed = socket.close(code, reason).await;
        self.state = State::Ended;
        closed
    }
}

impl<S> fmt::Debug for Reconnecting<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Connecting(_) => "connecting",
            State::Open(_) => "open",
            State::Waiting(_) => "waiting",
            State::Ended => "ended",
        };
        f.debug_struct("Reconnecting").field("state", &state).finish_non_exhaustive()
    }
}
