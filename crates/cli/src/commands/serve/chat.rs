//! One connection's part in the chat.

use super::clock::Clock;
use super::counters::Counters;
use super::session::Session;
use super::tokens::{Admitted, Denial};
use crate::accepting::Stream;
use percent_encoding::percent_decode_str;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;
use tokio::time::{Instant, Sleep, sleep_until};
use wskit::{CloseCode, CloseFrame, Error, Message, Request, WebSocket};
use wskit_hub::{Closing, Connection, Had, Hub, Mailbox, Visit};

/// The room of those who name none.
const LOBBY: &str = "lobby";

/// Reads `/chat`, `/chat/ROOM` and what the query says of the visitor. Other paths are no visit.
pub(super) fn visit(request: &Request) -> Option<Visit> {
    let room = match request.path().strip_prefix("/chat")? {
        "" | "/" => LOBBY,
        rest => rest.strip_prefix('/')?,
    };
    let value = |wanted| {
        request.query().unwrap_or_default().split('&').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == wanted).then(|| decode(&value.replace('+', " ")))
        })
    };
    let had = value("epoch").zip(value("offset").and_then(|offset| offset.parse().ok()));
    Some(Visit {
        room: decode(room),
        name: value("name"),
        client: value("client"),
        had: had.map(|(epoch, offset)| Had { epoch, offset }),
        ..Visit::default()
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Carries what the room tells to the client and what the client says to the room.
pub(super) async fn converse(
    socket: &mut WebSocket<Stream>,
    hub: &Hub,
    admitted: &Admitted,
    clock: Clock,
    mut session: Session<'_>,
) -> Result<(), Error> {
    let outcome = carry(socket, hub, admitted, clock, &mut session).await;
    if let Err(error) = &outcome {
        session.failed(error);
    }
    session.count_savings(socket.savings());
    outcome
}

async fn carry(
    socket: &mut WebSocket<Stream>,
    hub: &Hub,
    Admitted { visit, expires }: &Admitted,
    clock: Clock,
    session: &mut Session<'_>,
) -> Result<(), Error> {
    let counters = session.counters;
    let opening = describe(socket);
    let joined = Box::pin(hub.join(visit, &opening, clock.now())).await;
    let (mut membership, mut mailbox) = match joined {
        Ok(joined) => joined,
        // A page cannot see the status of a refused handshake, but it can see a close code.
        Err(refusal) => {
            let closing = session.refused(&refusal);
            return close(socket, &closing).await;
        }
    };
    let mut expiry = expires.and_then(at);
    let closing = loop {
        let turn = poll_fn(|context| {
            let is_over = expiry.as_mut().is_some_and(|at| at.as_mut().poll(context).is_ready());
            if is_over {
                return Poll::Ready(Ok(Turn::Closing(Denial::Expired.closing())));
            }
            poll_turn(socket, &mut mailbox, counters, context)
        });
        match turn.await? {
            Turn::Received(Message::Text(text)) => {
                counters.received.count(text.len());
                membership.receive_text(&text, clock.now());
            }
            Turn::Received(Message::Binary(bytes)) => {
                counters.received.count(bytes.len());
                membership.receive_binary(&bytes, clock.now());
            }
            Turn::Received(Message::Close(frame)) => session.closed_by_client(frame.as_ref()),
            Turn::Received(_) => {}
            Turn::Closing(closing) => break closing,
            Turn::Ended => return Ok(()),
        }
    };
    session.closed_by_server(closing.code, &closing.reason);
    // The others see at once that this member has left, however long the goodbye takes.
    drop(membership);
    close(socket, &closing).await
}

/// A timer for a moment, unless that is too far away to wait for.
fn at(moment: SystemTime) -> Option<Pin<Box<Sleep>>> {
    let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
    Some(Box::pin(sleep_until(Instant::now().checked_add(left)?)))
}

/// What a connection comes to next.
enum Turn {
    Received(Message),
    /// The server is to close it.
    Closing(Closing),
    Ended,
}

/// Takes what waits in the mailbox to the socket, and then receives. What was taken is written when the socket has
/// nothing to receive, so all that waited at a time leaves by one write.
fn poll_turn(
    socket: &mut WebSocket<Stream>,
    mailbox: &mut Mailbox,
    counters: &Counters,
    context: &mut Context<'_>,
) -> Poll<Result<Turn, Error>> {
    let mut delivered = counters.delivered.batch();
    loop {
        if socket.poll_ready(context)?.is_pending() {
            // A peer that reads nothing must not keep its place in the room.
            return mailbox.poll_overrun(context).map(|closing| Ok(Turn::Closing(closing)));
        }
        match mailbox.poll_next(context) {
            Poll::Ready(Ok(delivery)) => {
                delivered.count(delivery.message().payload().len());
                socket.start_send_prepared(delivery.message())?;
            }
            Poll::Ready(Err(closing)) => return Poll::Ready(Ok(Turn::Closing(closing))),
            Poll::Pending => break,
        }
    }
    let received = ready!(socket.poll_recv(context)).transpose()?;
    Poll::Ready(Ok(received.map_or(Turn::Ended, Turn::Received)))
}

async fn close(socket: &mut WebSocket<Stream>, closing: &Closing) -> Result<(), Error> {
    let code = CloseCode::new(closing.code).unwrap_or(CloseCode::POLICY_VIOLATION);
    let frame = CloseFrame::with_cut_reason(code, &closing.reason);
    socket.close(frame.code(), frame.reason()).await.map(drop)
}

/// How the connection was opened, for the member to see.
fn describe(socket: &WebSocket<Stream>) -> Connection {
    let agreed = socket.agreed();
    let key = agreed.bootstrap.key();
    Connection {
        http_version: if key.is_some() { "1.1" } else { "2" }.into(),
        key: key.map(|key| key.to_string()),
        accept: key.map(|key| key.accept().to_string()),
        subprotocol: agreed.subprotocol.as_ref().map(ToString::to_string),
        extensions: agreed.extensions().iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::Listener;
    use std::time::Duration;
    use wskit::tls::MaybeTls;
    use wskit::{Client, Compression};
    use wskit_hub::Limits;

    #[tokio::test]
    async fn who_reads_too_slowly_is_sent_away_and_nobody_waits() {
        let waiting = Duration::from_secs(30);
        tokio::time::timeout(waiting, read_too_slowly()).await.expect("it takes too long");
    }

    fn visit_of(name: &str) -> Visit {
        Visit { room: LOBBY.into(), name: Some(name.into()), ..Visit::default() }
    }

    async fn read_too_slowly() {
        let clock = Clock::start();
        let hub = Hub::new(Limits::default(), clock.entropy());
        let listener = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let url = format!("{}chat", listener.address().unwrap().url("ws"));
        let served = tokio::spawn({
            let hub = hub.clone();
            async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket =
                    wskit::accept(Stream::First(MaybeTls::First(stream))).await.unwrap();
                let admitted = Admitted { visit: visit_of("slow"), expires: None };
                let counters = Counters::default();
                let session = Session::open(&counters, None, &admitted.visit);
                converse(&mut socket, &hub, &admitted, clock, session).await
            }
        });
        let client = Client::new(&url).unwrap().compression(Compression::off());
        let mut slow = client.connect().await.unwrap();
        assert!(slow.recv().await.unwrap().unwrap().is_text(), "the welcome");
        let talker = visit_of("talker");
        let joined = hub.join(&talker, &Connection::default(), clock.now()).await;
        let (mut talker, mut heard) = joined.unwrap();
        // More than the mailbox, the output and the buffers of TCP hold together.
        for number in 0..2_000 {
            talker.say(&format!("{number:016000}"), clock.now()).unwrap();
            while heard.try_next().is_some() {}
            tokio::task::yield_now().await;
        }
        let closed = loop {
            match slow.recv().await.unwrap().unwrap() {
                Message::Close(frame) => break frame.unwrap(),
                _message => {}
            }
        };
        assert_eq!(closed.code().number(), 4013);
        assert!(closed.reason().contains("too slowly"), "{closed}");
        served.await.unwrap().unwrap();
    }
}
