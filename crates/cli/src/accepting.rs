//! Accepting connections until the program is told to stop, and ending each as it should.

use crate::entrance::{Entrance, Place, Refusal, ServedPlace, Visitor};
use crate::forwarded::Peer;
use crate::listener::{Connection, Listener};
use crate::refusals::Refusals;
use crate::shutdown::Shutdown;
use crate::streams::Streams;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::{future::Future, io, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use wskit::http2::ServerStream;
use wskit::tls::MaybeTls;
use wskit::{CloseCode, Error, PendingRequest, Server, WebSocket};

/// What a connection runs on.
pub(crate) type Transport = MaybeTls<Connection>;

/// What a WebSocket runs on: a whole connection, or a stream of one that speaks HTTP/2.
pub(crate) type Stream = ServerStream<Transport>;

/// What a command does with those who are let in.
pub(crate) trait Service: Send + Sync + 'static {
    /// An open WebSocket, and all that goes with it.
    type Opened: Send;

    /// Answers a request; gives what is open then, if something is.
    ///
    /// What this needs is let go of before the conversation begins, which may last for days.
    fn open(
        &self,
        request: PendingRequest<Stream>,
        visitor: Visitor,
    ) -> impl Future<Output = Option<Self::Opened>> + Send;

    /// Exchanges messages until the end of the WebSocket.
    fn converse(&self, opened: Self::Opened, shutdown: Shutdown)
    -> impl Future<Output = ()> + Send;
}

/// Accepts connections, and serves those for whom there is a place.
pub(crate) struct Accepting<S> {
    pub(crate) server: Server,
    pub(crate) entrance: Entrance,
    pub(crate) service: S,
}

/// What a connection has brought.
enum Arrival {
    /// The one request of HTTP/1.1.
    One(Result<PendingRequest<Stream>, Error>),
    Many(Box<Streams>),
}

/// What is open, and what the conversation on it needs.
pub(crate) struct Conversation<S: Service> {
    pub(crate) accepting: Arc<Accepting<S>>,
    pub(crate) opened: S::Opened,
    pub(crate) shutdown: Shutdown,
}

/// How long to wait before accepting again when the machine has no descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// When clients are advised to come back to a server that goes down, in tenths of a second.
const COME_BACK_TENTHS: std::ops::RangeInclusive<u64> = 10..=80;

impl<S: Service> Accepting<S> {
    /// Handles every connection in a task of its own.
    pub(crate) async fn accept_all(self: &Arc<Self>, listener: &Listener, shutdown: &Shutdown) {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                // The client has gone already.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                // The machine has no descriptor or memory left, which does not end the server.
                Err(_) => {
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    continue;
                }
            };
            let Some(place) = self.entrance.place(peer) else { continue };
            spawn(self.clone().open(stream, peer, place, shutdown.clone()));
        }
    }

    /// Receives the first request of a connection, and answers it; gives what is open then, if something is. All requests
    /// of HTTP/2 are handled elsewhere.
    async fn open(
        self: Arc<Self>,
        stream: Connection,
        peer: Peer,
        place: Place,
        mut shutdown: Shutdown,
    ) -> Option<Conversation<S>> {
        let arrival = tokio::select! {
            biased;
            arrival = self.receive(stream) => arrival?,
            () = shutdown.begun() => return None,
        };
        match (place, arrival) {
            (Place::Served(place), Arrival::One(Ok(request))) => {
                let (request, visitor) = self.let_in(request, peer, place).await?;
                let opened = self.service.open(request, visitor).await?;
                return Some(Conversation { accepting: self, opened, shutdown });
            }
            (Place::Served(_), Arrival::One(Err(error))) => {
                self.entrance.refusals.record_error(peer.address(), &error);
            }
            (Place::Served(place), Arrival::Many(streams)) => {
                // In a task of its own, for this one holds what only an opening needs.
                tokio::spawn(streams.handle(self, peer, place, shutdown));
            }
            (Place::Refused(_among_refused, refusal), arrival) => {
                // Who has no place does not hold up the end of the server.
                drop(shutdown);
                self.refuse_all(arrival, refusal, peer).await;
            }
        }
        None
    }

    /// Receives the first request.
    async fn receive(&self, stream: Connection) -> Option<Arrival> {
        let mut requests = match self.server.secure(stream).await {
            Ok(stream) => self.server.requests(stream),
            Err(error) => return Some(Arrival::One(Err(error))),
        };
        let first = requests.next().await?;
        Some(match requests.is_http2() {
            true => Arrival::Many(Box::new(Streams { first, requests })),
            false => Arrival::One(first),
        })
    }

    /// Lets the sender of a request in, or answers why not.
    pub(crate) async fn let_in(
        &self,
        mut request: PendingRequest<Stream>,
        peer: Peer,
        place: ServedPlace,
    ) -> Option<(PendingRequest<Stream>, Visitor)> {
        match self.entrance.admit(&mut request, peer, place) {
            Ok(visitor) => Some((request, visitor)),
            Err((refusal, address)) => {
                refuse(request, refusal, &self.entrance.refusals, address).await;
                None
            }
        }
    }

    /// Answers that there is no place. Who did not come as far as a request has been answered.
    async fn refuse_all(&self, arrival: Arrival, refusal: Refusal, peer: Peer) {
        let (refusals, address) = (&self.entrance.refusals, peer.address());
        match arrival {
            Arrival::One(Ok(request)) => refuse(request, refusal, refusals, address).await,
            Arrival::Many(streams) => Box::pin(streams.refuse(refusal, refusals, address)).await,
            Arrival::One(Err(_)) => {}
        }
    }
}

/// Opens a WebSocket and converses on it, in a task of its own.
pub(crate) fn spawn<S: Service>(
    opening: impl Future<Output = Option<Conversation<S>>> + Send + 'static,
) {
    // Boxed, so that what only the opening needs is not part of the task for as long as it lasts; and of one type,
    // so that the conversations of all openings are compiled once, into their task.
    let opening: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(opening);
    tokio::spawn(async {
        let Some(Conversation { accepting, opened, shutdown }) = opening.await else { return };
        accepting.service.converse(opened, shutdown).await;
    });
}

pub(crate) async fn refuse(
    request: PendingRequest<Stream>,
    refusal: Refusal,
    refusals: &Refusals,
    address: Option<IpAddr>,
) {
    let rejection = refusal.rejection();
    let words = String::from_utf8_lossy(&rejection.body);
    refusals.record(address, rejection.status, refusal.reason(), &words.trim_end());
    let _the_client_may_have_gone = request.reject(rejection).await;
}

/// Accepts the request if it is one for a WebSocket, and refuses it otherwise.
pub(crate) async fn accept(
    request: PendingRequest<Stream>,
    visitor: &Visitor,
) -> Option<WebSocket<Stream>> {
    let accepted = request.accept().await;
    accepted.inspect_err(|error| visitor.refusals.record_error(visitor.address, error)).ok()
}

/// A connection that can be ended in good order.
pub(crate) trait Goodbye {
    /// Says goodbye, and waits for the other end to do so.
    fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Goodbye for WebSocket<Stream> {
    async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        WebSocket::close(self, code, reason).await.map(drop)
    }
}

/// Runs the handler of one connection to its end. If it panics, the client is told 1011 and no
/// other connection is harmed; if the server goes down, the client is told so, and when to come back.
#[expect(clippy::manual_async_fn, reason = "an async one would hold its arguments twice")]
pub(crate) fn converse<S: Goodbye, H>(
    socket: &mut S,
    shutdown: &mut Shutdown,
    handler: H,
) -> impl Future<Output = ()>
where
    H: AsyncFnOnce(&mut S) -> Result<(), Error>,
{
    async move {
        let goes_down = {
            let handled = pin!(AssertUnwindSafe(handler(&mut *socket)).catch_unwind());
            match select(handled, pin!(shutdown.begun())).await {
                Either::Left((Ok(_), _)) => return,
                Either::Left((Err(_), _)) => false,
                Either::Right(((), _)) => true,
            }
        };
        let (code, reason) = match goes_down {
            true => (shutdown.code(), come_back()),
            false => (CloseCode::INTERNAL_ERROR, "internal error".into()),
        };
        let _the_client_may_have_gone = socket.close(code, &reason).await;
    }
}

/// Advises each client to come back at another moment, so that not all come at once.
fn come_back() -> String {
    let chance =
        RandomState::new().hash_one(()) % (COME_BACK_TENTHS.end() - COME_BACK_TENTHS.start());
    let tenths = COME_BACK_TENTHS.start() + chance;
    format!("the server goes down; come back in {}.{} s", tenths / 10, tenths % 10)
}

/// Ends when the user or the system asks the program to stop, with the close code that says which: who presses Ctrl-C
/// wants it gone (1001), and the system will start it again, or another in its place (1012).
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = CloseCode>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => CloseCode::GOING_AWAY,
                _ = terminate.recv() => CloseCode::SERVICE_RESTART,
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _cannot_be_waited_for = tokio::signal::ctrl_c().await;
        CloseCode::GOING_AWAY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client of a server whose handler does this.
    async fn client_of<H>(handler: H) -> WebSocket<wskit::ClientStream>
    where
        H: AsyncFnOnce(&mut WebSocket<Stream>) -> Result<(), Error> + 'static,
    {
        let listener = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let url = listener.address().unwrap().url("ws");
        tokio::task::spawn_local(async move {
            let stream = Transport::First(listener.accept().await.unwrap().0);
            let stream = Stream::First(stream);
            let mut socket = wskit::accept(stream).await.unwrap();
            let (_stays_up, mut shutdown) = crate::shutdown::shutdown();
            converse(&mut socket, &mut shutdown, handler).await;
        });
        wskit::connect(&url).await.unwrap()
    }

    // Row 48 of the hostile input: a handler that panics.
    #[tokio::test]
    async fn row_48_a_handler_that_panics_costs_its_own_connection_only() {
        tokio::task::LocalSet::new().run_until(one_handler_panics()).await;
    }

    async fn one_handler_panics() {
        let mut doomed = client_of(async |_| panic!("as this test wants")).await;
        let mut other = client_of(async |socket| {
            let message = socket.recv().await.unwrap()?;
            socket.send(message).await
        })
        .await;
        let Some(Ok(wskit::Message::Close(Some(frame)))) = doomed.recv().await else {
            panic!("no Close frame");
        };
        assert_eq!(frame.code(), CloseCode::INTERNAL_ERROR);
        other.send("still here").await.unwrap();
        assert_eq!(other.recv().await.unwrap().unwrap().as_text(), Some("still here"));
    }
}
