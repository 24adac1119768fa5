//! One connection's part in the chat.

use super::clock::Clock;
use super::line::{Line, Turn};
use super::session::Session;
use super::tokens::{Admitted, Denial};
use crate::accepting::{Goodbye, Stream};
use percent_encoding::percent_decode_str;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;
use tokio::time::{Instant, Sleep, sleep_until};
use wskit::{CloseCode, CloseFrame, Error, Message, Request, WebSocket};
use wskit_hub::{Closing, Connection, Had, Hub, Visit};

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
    line: &mut Arc<Line>,
    hub: &Hub,
    admitted: &Admitted,
    clock: Clock,
    mut session: Session<'_>,
) -> Result<(), Error> {
    let outcome = carry(line, hub, admitted, clock, &mut session).await;
    if let Err(error) = &outcome {
        session.failed(error);
    }
    session.count_savings(line.socket(|socket| socket.savings()));
    outcome
}

async fn carry(
    line: &mut Arc<Line>,
    hub: &Hub,
    Admitted { visit, expires }: &Admitted,
    clock: Clock,
    session: &mut Session<'_>,
) -> Result<(), Error> {
    let counters = session.counters;
    let opening = line.socket(|socket| describe(socket));
    let joined = Box::pin(hub.join(visit, &opening, clock.now())).await;
    let (mut membership, mailbox) = match joined {
        Ok(joined) => joined,
        // A page cannot see the status of a refused handshake, but it can see a close code.
        Err(refusal) => {
            let closing = session.refused(&refusal);
            return close(line, &closing).await;
        }
    };
    let seat = line.seat(mailbox);
    let mut expiry = expires.and_then(at);
    // The clock is read once for all that came together.
    let mut now = None;
    let closing = loop {
        let turn = poll_fn(|context| {
            let is_over = expiry.as_mut().is_some_and(|at| at.as_mut().poll(context).is_ready());
            if is_over {
                return Poll::Ready(Ok(Turn::Closing(Denial::Expired.closing())));
            }
            line.poll_turn(context, || {
                membership.deliver();
                now = None;
            })
        });
        match turn.await? {
            Turn::Received(Message::Text(text)) => {
                counters.received.count(text.len());
                membership.take_text(&text, *now.get_or_insert_with(|| clock.now()));
            }
            Turn::Received(Message::Binary(bytes)) => {
                counters.received.count(bytes.len());
                membership.receive_binary(&bytes, *now.get_or_insert_with(|| clock.now()));
            }
            Turn::Received(Message::Close(frame)) => session.closed_by_client(frame.as_ref()),
            Turn::Received(_) => {}
            Turn::Closing(closing) => break closing,
            Turn::Ended => return Ok(()),
        }
    };
    session.closed_by_server(closing.code, &closing.reason);
    // The others see at once that this member has left, however long the goodbye takes.
    drop((membership, seat));
    close(line, &closing).await
}

/// A timer for a moment, unless that is too far away to wait for.
fn at(moment: SystemTime) -> Option<Pin<Box<Sleep>>> {
    let left = moment.duration_since(SystemTime::now()).unwrap_or_default();
    Some(Box::pin(sleep_until(Instant::now().checked_add(left)?)))
}

async fn close(line: &mut Arc<Line>, closing: &Closing) -> Result<(), Error> {
    let code = CloseCode::new(closing.code).unwrap_or(CloseCode::POLICY_VIOLATION);
    let frame = CloseFrame::with_cut_reason(code, &closing.reason);
    line.close(frame.code(), frame.reason()).await
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
    use super::super::counters::Counters;
    use super::super::postmen::Postmen;
    use super::*;
    use crate::listener::Listener;
    use std::time::Duration;
    use tokio::task::JoinHandle;
    use wskit::tls::MaybeTls;
    use wskit::{Client, ClientStream, Compression};
    use wskit_hub::Limits;

    const WAITING: Duration = Duration::from_secs(30);

    fn visit_of(name: &str) -> Visit {
        Visit { room: LOBBY.into(), name: Some(name.into()), ..Visit::default() }
    }

    /// A client whose part in the chat is served meanwhile.
    async fn client(
        hub: &Hub,
        clock: Clock,
    ) -> (WebSocket<ClientStream>, JoinHandle<Result<(), Error>>) {
        let listener = Listener::bind("127.0.0.1:0", None).await.unwrap();
        let url = format!("{}chat", listener.address().unwrap().url("ws"));
        let hub = hub.clone();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let socket = wskit::accept(Stream::First(MaybeTls::First(stream))).await.unwrap();
            let (counters, postmen) = (Arc::<Counters>::default(), Arc::<Postmen>::default());
            tokio::spawn({
                let postmen = postmen.clone();
                async move { postmen.work().await }
            });
            let mut line = Arc::new(Line::new(socket, postmen, counters.clone()));
            let admitted = Admitted { visit: visit_of("slow"), expires: None };
            let session = Session::open(&counters, None, &admitted.visit);
            converse(&mut line, &hub, &admitted, clock, session).await
        });
        let client = Client::new(&url).unwrap().compression(Compression::off());
        let mut client = client.connect().await.unwrap();
        assert!(client.recv().await.unwrap().unwrap().is_text(), "the welcome");
        (client, served)
    }

    /// Says more in the lobby than the output and the buffers of TCP hold together.
    async fn talk(hub: &Hub, clock: Clock) {
        let talker = visit_of("talker");
        let joined = hub.join(&talker, &Connection::default(), clock.now()).await;
        let (mut talker, mut heard) = joined.unwrap();
        for number in 1..=2_000 {
            talker.say(&format!("{number:016000}"), clock.now()).unwrap();
            while heard.try_next().is_some() {}
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn who_reads_too_slowly_is_sent_away_and_nobody_waits() {
        tokio::time::timeout(WAITING, read_too_slowly()).await.expect("it takes too long");
    }

    async fn read_too_slowly() {
        let clock = Clock::start();
        let hub = Hub::new(Limits::default(), clock.entropy());
        let (mut slow, served) = client(&hub, clock).await;
        talk(&hub, clock).await;
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

    #[tokio::test]
    async fn all_is_delivered_in_order_where_the_socket_takes_nothing_for_a_while() {
        tokio::time::timeout(WAITING, read_late()).await.expect("it takes too long");
    }

    async fn read_late() {
        let clock = Clock::start();
        let mut limits = Limits::default();
        limits.mailbox_bytes_max = usize::MAX;
        let hub = Hub::new(limits, clock.entropy());
        let (mut late, served) = client(&hub, clock).await;
        talk(&hub, clock).await;
        let mut offset = 0;
        while offset < 2_000 {
            let message = late.recv().await.unwrap().unwrap();
            let text = message.as_text().unwrap();
            if text.starts_with(r#"{"event":"message""#) {
                offset += 1;
                assert!(text.contains(&format!(r#""offset":{offset},"#)), "{offset}");
                assert!(text.contains(&format!(r#"{offset:016000}"#)), "{offset}");
            }
        }
        late.close(CloseCode::NORMAL, "").await.unwrap();
        served.await.unwrap().unwrap();
    }
}
