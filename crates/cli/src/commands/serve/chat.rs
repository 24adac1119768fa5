//! One connection's part in the chat.

use super::clock::Clock;
use super::counters::{Counted, Counters};
use crate::accepting::Stream;
use percent_encoding::percent_decode_str;
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
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Carries what the room tells to the client and what the client says to the room.
pub(super) async fn converse(
    socket: &mut WebSocket<Stream>,
    hub: &Hub,
    visit: &Visit,
    clock: Clock,
    counters: &Counters,
) -> Result<(), Error> {
    let _counted = Counted::new(counters);
    let opening = describe(socket);
    let joined = Box::pin(hub.join(visit, &opening, clock.now())).await;
    let (mut membership, mut mailbox) = match joined {
        Ok(joined) => joined,
        // A page cannot see the status of a refused handshake, but it can see a close code.
        Err(refusal) => {
            let closing = refusal.closing();
            counters.count_closing(closing.code);
            return close(socket, &closing).await;
        }
    };
    let closing = loop {
        tokio::select! {
            // What waits goes out before more is taken in. It is written when the socket waits.
            biased;
            delivery = mailbox.next() => match delivery {
                Ok(delivery) => {
                    counters.delivered.count(delivery.message().payload().len());
                    tokio::select! {
                        fed = socket.feed_prepared(delivery.message()) => fed?,
                        closing = mailbox.overrun() => break closing,
                    }
                }
                Err(closing) => break closing,
            },
            message = socket.recv() => match message.transpose()? {
                Some(Message::Text(text)) => {
                    counters.received.count(text.len());
                    membership.receive_text(&text, clock.now());
                }
                Some(Message::Binary(bytes)) => {
                    counters.received.count(bytes.len());
                    membership.receive_binary(&bytes, clock.now());
                }
                Some(_) => {}
                None => return Ok(()),
            },
        }
    };
    counters.count_closing(closing.code);
    // The others see at once that this member has left, however long the goodbye takes.
    drop(membership);
    close(socket, &closing).await
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
    use std::time::Duration;
    use tokio::net::TcpListener;
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/chat", listener.local_addr().unwrap());
        let served = tokio::spawn({
            let hub = hub.clone();
            async move {
                let stream = listener.accept().await.unwrap().0;
                let mut socket = wskit::accept(MaybeTls::First(stream)).await.unwrap();
                let visit = visit_of("slow");
                converse(&mut socket, &hub, &visit, clock, &Counters::default()).await
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
