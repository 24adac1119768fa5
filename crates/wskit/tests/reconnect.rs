//! A client that connects again. Time is virtual, and the transports are in memory.

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;
use wskit::reconnect::{Ended, Event, Persistence, Reconnecting};
use wskit::{Client, CloseCode, CloseFrame, Error, Lost, Message, SendError, Server, WebSocket};

/// What becomes of one try.
enum Try {
    /// No connection.
    Nowhere,
    /// This response, and the end.
    Response(&'static str),
    /// A connection, with its other end to be taken.
    Open,
}

/// The other ends of what was connected.
type Servers = Arc<Mutex<VecDeque<WebSocket<DuplexStream>>>>;

/// A client whose tries go like this, one after the other.
fn reconnecting(tries: Vec<Try>) -> (Reconnecting<DuplexStream>, Servers) {
    let servers = Servers::default();
    let accepted = servers.clone();
    let mut tries = VecDeque::from(tries);
    let client = Reconnecting::with(move || {
        let (planned, accepted) = (tries.pop_front().expect("another try"), accepted.clone());
        async move {
            let client = Client::new("ws://test.example/").unwrap().opening_timeout(None);
            let (near, mut far) = duplex(1 << 16);
            match planned {
                Try::Nowhere => Err(Error::Connect(std::io::ErrorKind::ConnectionRefused.into())),
                Try::Response(response) => {
                    let answer = async {
                        far.read_u8().await.unwrap();
                        far.write_all(response.as_bytes()).await.unwrap();
                        far.shutdown().await.unwrap();
                    };
                    tokio::join!(client.connect_on(near), answer).0
                }
                Try::Open => {
                    let (near, far) = common::open(&client, &Server::new(), (near, far)).await;
                    accepted.lock().unwrap().push_back(far);
                    Ok(near)
                }
            }
        }
    });
    (client, servers)
}

fn take(servers: &Servers) -> WebSocket<DuplexStream> {
    servers.lock().unwrap().pop_front().expect("a connection")
}

/// The pause that is made now, and why.
async fn waits(client: &mut Reconnecting<DuplexStream>) -> (Ended, Duration) {
    match client.recv().await {
        Some(Event::Waiting { why, pause }) => (why, pause),
        event => panic!("{event:?}"),
    }
}

async fn opens(client: &mut Reconnecting<DuplexStream>) {
    assert!(matches!(client.recv().await, Some(Event::Open)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_comes_about_after_pauses_and_is_made_again_when_it_is_lost() {
    let (mut client, servers) = reconnecting(vec![Try::Nowhere, Try::Open, Try::Open]);
    let start = Instant::now();
    let (why, pause) = waits(&mut client).await;
    assert!(matches!(why, Ended::Failed(Error::Connect(_))) && pause <= Duration::from_secs(1));
    assert!(matches!(client.send("early").await, Err(Error::Send(SendError::Closed))));
    opens(&mut client).await;
    // A timer rings at the next whole millisecond.
    assert!(start.elapsed() >= pause && start.elapsed() <= pause + Duration::from_millis(2));
    let mut first = take(&servers);
    client.send("hello").await.unwrap();
    assert_eq!(common::next(&mut first).await.as_text(), Some("hello"));
    first.send("welcome").await.unwrap();
    let Some(Event::Message(message)) = client.recv().await else { panic!() };
    assert_eq!(message.as_text(), Some("welcome"));
    drop(first);
    let (why, _) = waits(&mut client).await;
    assert!(matches!(why, Ended::Failed(Error::Lost(Lost::Ended))), "{why:?}");
    opens(&mut client).await;
    // Nothing of what was said before is said again.
    let mut second = take(&servers);
    client.send("again").await.unwrap();
    assert_eq!(common::next(&mut second).await.as_text(), Some("again"));
}

#[tokio::test(start_paused = true)]
async fn the_code_of_the_peer_decides() {
    for (code, comes_back) in [(1012, true), (1001, true), (1000, false), (4001, false)] {
        let (mut client, servers) = reconnecting(vec![Try::Open, Try::Open]);
        opens(&mut client).await;
        let mut server = take(&servers);
        let code = CloseCode::new(code).unwrap();
        let closing = tokio::spawn(async move { server.close(code, "as planned").await });
        match client.recv().await.unwrap() {
            Event::Waiting { why: Ended::Closed(Some(frame)), .. } if comes_back => {
                assert_eq!(frame.code(), code);
                opens(&mut client).await;
            }
            Event::Ended(Ended::Closed(Some(frame))) if !comes_back => {
                assert_eq!(frame.code(), code);
                assert!(client.recv().await.is_none() && client.socket().is_none());
            }
            event => panic!("{code:?}: {event:?}"),
        }
        closing.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_of_the_server_decides_and_it_may_ask_for_time() {
    let (mut client, _) = reconnecting(vec![
        Try::Response("HTTP/1.1 503 \r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n"),
        Try::Response("HTTP/1.1 429 \r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n"),
        Try::Response("HTTP/1.1 401 \r\nContent-Length: 0\r\n\r\n"),
    ]);
    let (why, pause) = waits(&mut client).await;
    assert_eq!(why.retry_after(), Some(Duration::from_secs(20)));
    assert!((20..=21).contains(&pause.as_secs()), "{pause:?}");
    let (_, pause) = waits(&mut client).await;
    assert!((300..=302).contains(&pause.as_secs()), "{pause:?}");
    let Some(Event::Ended(Ended::Failed(error))) = client.recv().await else { panic!() };
    assert_eq!(error.status(), Some(401));
    assert!(client.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn tries_end_where_they_are_bounded() {
    let tries = (0..3).map(|_| Try::Nowhere).collect();
    let (client, _) = reconnecting(tries);
    let bounded = Persistence { retries_max: Some(2), ..Persistence::default() };
    let mut client = client.persistence(bounded);
    waits(&mut client).await;
    waits(&mut client).await;
    assert!(matches!(client.recv().await, Some(Event::Ended(Ended::Failed(Error::Connect(_))))));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_goes_on() {
    let (mut client, servers) = reconnecting(vec![Try::Nowhere, Try::Open]);
    waits(&mut client).await;
    let mut dropped = 0;
    // Dropped at every point where it waits, the tries and the pause still come to their end.
    while !matches!(common::at_once(client.recv()).await, Some(Some(Event::Open))) {
        dropped += 1;
        assert!(dropped < 10_000, "it does not get on");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(dropped > 0);
    let mut server = take(&servers);
    server.send("hello").await.unwrap();
    assert!(matches!(client.recv().await, Some(Event::Message(Message::Text(_)))));
}

#[tokio::test(start_paused = true)]
async fn who_closes_is_not_connected_again() {
    let (mut client, servers) = reconnecting(vec![Try::Open]);
    opens(&mut client).await;
    let mut server = take(&servers);
    tokio::spawn(async move { while server.recv().await.is_some() {} });
    let answer = client.close(CloseCode::GOING_AWAY, "").await.unwrap();
    assert_eq!(answer.unwrap().code(), CloseCode::GOING_AWAY);
    assert!(client.recv().await.is_none());
    let (mut waiting, _) = reconnecting(vec![Try::Nowhere]);
    waits(&mut waiting).await;
    assert!(waiting.close(CloseCode::NORMAL, "").await.unwrap().is_none());
    assert!(waiting.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_close_of_its_own_is_not_taken_for_the_peers() {
    for code in [CloseCode::GOING_AWAY, CloseCode::SERVICE_RESTART] {
        let (mut client, servers) = reconnecting(vec![Try::Open]);
        opens(&mut client).await;
        let mut server = take(&servers);
        tokio::spawn(async move { while server.recv().await.is_some() {} });
        let frame = CloseFrame::new(code, "").unwrap();
        client.send(Message::Close(Some(frame))).await.unwrap();
        let Some(Event::Ended(Ended::Closed(Some(answer)))) = client.recv().await else { panic!() };
        assert_eq!(answer.code(), code);
        assert!(client.recv().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_is_too_long_closes_nothing() {
    let (mut client, servers) = reconnecting(vec![Try::Open, Try::Open]);
    opens(&mut client).await;
    let mut server = take(&servers);
    client.close(CloseCode::NORMAL, &"long ".repeat(25)).await.unwrap_err();
    server.send("hello").await.unwrap();
    assert!(matches!(client.recv().await, Some(Event::Message(Message::Text(_)))));
    // It still comes back.
    drop(server);
    waits(&mut client).await;
    opens(&mut client).await;
}
