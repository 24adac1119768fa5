//! How connections end, over real TCP.

mod common;

use common::{CLOSE, Endless, FIN, Peer, TEXT, client, close_payload, next, open, tcp};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wskit::{
    CloseCode, CloseFrame, Error, Lost, Message, ProtocolError, SendError, Server, Timeouts,
    WebSocket,
};

/// Far less than the close timeout of these tests, and far more than TCP on one machine takes.
const PROMPTLY: Duration = Duration::from_secs(60);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3600);
/// Long enough for something that should not happen to happen.
const A_WHILE: Duration = Duration::from_millis(100);

type Socket = WebSocket<TcpStream>;

fn patient() -> Timeouts {
    Timeouts { close_timeout: CLOSE_TIMEOUT, ..Timeouts::default() }
}

async fn pair() -> (Socket, Socket) {
    let (client, server) = (client().timeouts(patient()), Server::new().timeouts(patient()));
    open(&client, &server, tcp().await).await
}

/// A server and a client that speaks by hand.
async fn server() -> (Socket, Peer<TcpStream>) {
    let (near, far) = tcp().await;
    let server = Server::new().timeouts(patient());
    let (server, peer) = tokio::join!(server.accept(far), Peer::client(near));
    (server.unwrap(), peer)
}

fn close_frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame::try_from((code, reason)).unwrap()
}

fn closed_with(code: u16, reason: &str) -> Message {
    Message::Close(Some(close_frame(code, reason)))
}

/// Why the connection was lost; nothing comes after that.
async fn lost(socket: &mut Socket) -> Lost {
    match socket.recv().await {
        Some(Err(error @ Error::Lost(_))) => {
            assert_eq!(error.close_code(), Some(1006));
            assert!(socket.recv().await.is_none());
            let Error::Lost(lost) = error else { unreachable!() };
            lost
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_server_ends_tcp_first_when_the_client_closes() {
    let (mut server, mut peer) = server().await;
    let serving = tokio::spawn(async move { (next(&mut server).await, server.recv().await) });
    peer.close(1000, "bye").await;
    assert_eq!(peer.frame().await, Some((CLOSE, close_payload(1000, "bye"))));
    // The end of the stream comes though this side has not ended.
    assert_eq!(timeout(PROMPTLY, peer.frame()).await, Ok(None));
    drop(peer);
    let (close, end) = timeout(PROMPTLY, serving).await.unwrap().unwrap();
    assert_eq!(close, closed_with(1000, "bye"));
    assert!(end.is_none());
}

#[tokio::test]
async fn the_server_ends_tcp_first_when_it_closes() {
    let (mut server, mut peer) = server().await;
    let serving = tokio::spawn(async move { server.close(CloseCode::GOING_AWAY, "noon").await });
    assert_eq!(peer.frame().await, Some((CLOSE, close_payload(1001, "noon"))));
    assert!(timeout(A_WHILE, peer.fill()).await.is_err(), "the answer is awaited first");
    peer.close(4000, "good night").await;
    assert_eq!(timeout(PROMPTLY, peer.frame()).await, Ok(None));
    drop(peer);
    let answer = timeout(PROMPTLY, serving).await.unwrap().unwrap().unwrap();
    assert_eq!(answer, Some(close_frame(4000, "good night")));
}

#[tokio::test]
async fn the_client_waits_for_the_server_to_end_tcp() {
    let (near, far) = tcp().await;
    let client = client().timeouts(patient());
    let (client, mut peer) = tokio::join!(client.connect_on(near), Peer::server(far));
    let mut client = client.unwrap();
    let closing =
        tokio::spawn(async move { (client.close(CloseCode::NORMAL, "bye").await, client) });
    assert_eq!(peer.frame().await, Some((CLOSE, close_payload(1000, "bye"))));
    peer.close(1000, "bye").await;
    assert!(timeout(A_WHILE, peer.fill()).await.is_err(), "the client ended TCP first");
    tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
    let (closed, _still_held) = timeout(PROMPTLY, closing).await.unwrap().unwrap();
    assert_eq!(closed.unwrap(), Some(close_frame(1000, "bye")));
    // The server need not wait until the application lets go of the connection.
    assert_eq!(timeout(PROMPTLY, peer.frame()).await, Ok(None));
}

#[tokio::test]
async fn code_and_reason_reach_both_ends_promptly_whoever_closes() {
    for from_server in [false, true] {
        let (mut one, mut other) = pair().await;
        if from_server {
            std::mem::swap(&mut one, &mut other);
        }
        let begun = Instant::now();
        let (closed, received) = tokio::join!(one.close(CloseCode::NORMAL, "done"), async {
            (next(&mut other).await, other.recv().await.is_none())
        });
        assert_eq!(closed.unwrap(), Some(close_frame(1000, "done")));
        assert_eq!(received, (closed_with(1000, "done"), true));
        assert_eq!(one.peer_close(), other.peer_close());
        assert!(begun.elapsed() < PROMPTLY);
    }
}

#[tokio::test]
async fn both_may_close_at_once() {
    let (mut client, mut server) = pair().await;
    let (from_server, from_client) = tokio::join!(
        client.close(CloseCode::NORMAL, "I go"),
        server.close(CloseCode::GOING_AWAY, "so do I"),
    );
    assert_eq!(from_server.unwrap(), Some(close_frame(1001, "so do I")));
    assert_eq!(from_client.unwrap(), Some(close_frame(1000, "I go")));
}

#[tokio::test]
async fn what_is_in_flight_is_still_received_by_who_wants_it() {
    let (mut client, mut server) = pair().await;
    for number in 0..100 {
        client.feed(number.to_string()).await.unwrap();
        server.feed(number.to_string()).await.unwrap();
    }
    let (closed, received) = tokio::join!(client.close(CloseCode::NORMAL, ""), async {
        let mut received = Vec::new();
        while let Some(message) = server.recv().await {
            received.push(message.unwrap());
        }
        received
    });
    assert_eq!(closed.unwrap(), Some(CloseCode::NORMAL.into()));
    assert_eq!(received.len(), 101);
    assert_eq!(received[99], Message::text("99"));

    let (mut client, mut server) = pair().await;
    for number in 0..100 {
        server.feed(number.to_string()).await.unwrap();
    }
    client.feed(Message::Close(None)).await.unwrap();
    let serving = tokio::spawn(async move { while server.recv().await.is_some() {} });
    for number in 0..100 {
        assert_eq!(next(&mut client).await, Message::text(number.to_string()));
    }
    assert_eq!(next(&mut client).await, Message::Close(None));
    assert!(client.recv().await.is_none());
    serving.await.unwrap();
}

#[tokio::test]
async fn nothing_can_be_sent_after_close() {
    let (mut client, mut server) = pair().await;
    client.feed(Message::Close(None)).await.unwrap();
    let refused = |sent| matches!(sent, Err(Error::Send(SendError::Closed)));
    assert!(refused(client.send("late").await));
    assert_eq!(tokio::join!(next(&mut server), next(&mut client)).0, Message::Close(None));
    assert!(refused(server.send("late").await));
    assert!(server.recv().await.is_none() && client.recv().await.is_none());
    assert!(refused(server.send("later").await) && refused(client.send("later").await));
    // Closing what is closed changes nothing.
    assert_eq!(client.close(CloseCode::NORMAL, "again").await.unwrap(), None);
}

#[tokio::test]
async fn a_peer_that_goes_without_close_is_told_as_1006_with_the_reason() {
    let (mut server, peer) = server().await;
    drop(peer);
    assert!(matches!(lost(&mut server).await, Lost::Ended));

    // Who goes without reading what was sent resets the connection.
    let (mut server, peer) = self::server().await;
    server.send("never read").await.unwrap();
    peer.stream.readable().await.unwrap();
    drop(peer);
    assert!(matches!(lost(&mut server).await, Lost::Broken(_)));
    assert!(matches!(server.send("late").await, Err(Error::Send(SendError::Closed))));
}

#[tokio::test]
async fn dropping_a_connection_without_close_is_no_clean_end() {
    let (client, mut server) = pair().await;
    drop(client);
    assert!(matches!(lost(&mut server).await, Lost::Ended));
}

#[tokio::test]
async fn a_broken_protocol_is_one_error_and_the_peer_sees_the_code() {
    let (mut server, mut peer) = server().await;
    let serving = tokio::spawn(async move {
        let error = server.recv().await.unwrap().unwrap_err();
        assert_eq!(error.close_code(), Some(1007));
        assert!(matches!(error, Error::Protocol(ProtocolError::InvalidUtf8)));
        assert!(server.recv().await.is_none());
    });
    peer.send(FIN | TEXT, b"\xff").await;
    let (first, payload) = peer.frame().await.unwrap();
    assert_eq!((first, &payload[..2]), (CLOSE, &1007u16.to_be_bytes()[..]));
    assert!(!payload[2..].is_empty(), "the reason is told");
    assert_eq!(timeout(PROMPTLY, peer.frame()).await, Ok(None));
    drop(peer);
    timeout(PROMPTLY, serving).await.unwrap().unwrap();
}

/// Sends until it cannot any more.
async fn flood(mut stream: TcpStream, bytes: Vec<u8>) {
    while tokio::io::AsyncWriteExt::write_all(&mut stream, &bytes).await.is_ok() {}
}

#[tokio::test]
async fn a_peer_that_floods_instead_of_closing_is_left() {
    let hasty = Timeouts { close_timeout: Duration::from_millis(300), ..Timeouts::default() };
    // Instead of answering our Close, or after its own.
    for (start, answers) in [(Vec::new(), false), (common::frame(CLOSE, &[], true), true)] {
        let (near, far) = tcp().await;
        let server = Server::new().timeouts(hasty);
        let (server, mut peer) = tokio::join!(server.accept(far), Peer::client(near));
        peer.write(&start).await;
        let message = common::frame(FIN | TEXT, &[b'x'; 1000], true);
        let flooding = tokio::spawn(flood(peer.stream, message.repeat(100)));
        let mut server = server.unwrap();
        let closed = timeout(PROMPTLY, server.close(CloseCode::NORMAL, "")).await;
        assert_eq!(closed.expect("it is not kept").is_ok(), answers);
        drop(server);
        flooding.await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_never_pauses_is_left_too() {
    let hasty = Timeouts { close_timeout: Duration::from_millis(50), ..Timeouts::default() };
    let message = common::frame(FIN | TEXT, &[b'x'; 1000], true);
    let stream = Endless::new(common::REQUEST.as_bytes(), message);
    let mut server = Server::new().timeouts(hasty).accept(stream).await.unwrap();
    assert!(server.close(CloseCode::NORMAL, "").await.is_err());
    assert!(server.recv().await.is_none());
}
