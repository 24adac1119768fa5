//! What happens by time alone, in virtual time.

mod common;

use common::{BINARY, CLOSE, FIN, PING, PONG, Peer, TEXT, client, frame, next, pair};
use std::time::Duration;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};
use wskit::proto::Missed;
use wskit::{Error, Lost, Message, Server, Timeouts, WebSocket};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Which deadline the peer missed, and the code that stands for it.
fn missed(received: Option<Result<Message, Error>>) -> (Missed, Option<u16>) {
    match received {
        Some(Err(error @ Error::Lost(Lost::Missed(missed)))) => (missed, error.close_code()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_given_up_though_nobody_receives() {
    let (near, far) = duplex(1 << 10);
    let (peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let begun = Instant::now();
    let lost = server.send("x".repeat(1 << 20)).await;
    assert_eq!(missed(lost.err().map(Err)), (Missed::Keepalive, Some(1006)));
    assert!((seconds(20)..=seconds(60)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_is_waited_for() {
    let (near, far) = duplex(1 << 10);
    let (mut peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let sending = tokio::spawn(async move { server.send("x".repeat(20 << 10)).await });
    let reading = tokio::spawn(async move {
        for _ in 0..20 {
            sleep(seconds(15)).await;
            peer.stream.read_exact(&mut [0; 1 << 10]).await.unwrap();
        }
        peer
    });
    sending.await.unwrap().unwrap();
    drop(reading.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_then_given_up() {
    let (near, far) = duplex(1 << 16);
    let (mut peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let opened = Instant::now();
    let watching = tokio::spawn(async move { (server.recv().await, server) });
    assert_eq!(peer.frame().await, Some((PING, Vec::new())));
    assert!((seconds(20)..=seconds(40)).contains(&opened.elapsed()), "{:?}", opened.elapsed());
    let pinged = Instant::now();
    let (lost, mut server) = watching.await.unwrap();
    assert_eq!(pinged.elapsed().as_secs(), 20);
    assert_eq!(missed(lost), (Missed::Keepalive, Some(1006)));
    // The peer is told, should it be there after all.
    assert_eq!(peer.frame().await.unwrap().1[..2], 1001u16.to_be_bytes());
    drop(peer);
    assert!(server.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_is_kept_for_ever() {
    let (mut near, mut far) = pair().await;
    let listening = tokio::spawn(async move { near.recv().await });
    assert!(timeout(seconds(36_000), far.recv()).await.is_err());
    far.send("still here").await.unwrap();
    assert_eq!(listening.await.unwrap().unwrap().unwrap(), Message::text("still here"));
}

#[tokio::test(start_paused = true)]
async fn no_ping_is_sent_while_messages_flow() {
    let (near, far) = duplex(1 << 16);
    let (mut peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let listening = tokio::spawn(async move { while server.recv().await.is_some() {} });
    for _ in 0..50 {
        sleep(seconds(19)).await;
        peer.send(FIN | TEXT, b"tick").await;
        assert!(common::at_once(peer.frame()).await.is_none());
    }
    peer.send(CLOSE, &[]).await;
    assert_eq!(peer.frame().await, Some((CLOSE, Vec::new())));
    drop(peer);
    listening.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_has_to_arrive_whole_in_time() {
    let (near, far) = duplex(1 << 16);
    let (mut peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let listening = tokio::spawn(async move {
        let begun = Instant::now();
        assert_eq!(missed(server.recv().await), (Missed::Message, Some(1006)));
        begun.elapsed()
    });
    let message = frame(FIN | BINARY, &[7; 100], true);
    for byte in &message {
        peer.write(&[*byte]).await;
        sleep(seconds(10)).await;
        if listening.is_finished() {
            break;
        }
    }
    // The peer, which does not react, is given the close timeout to see why.
    assert_eq!(listening.await.unwrap().as_secs(), 300 + 5);
}

#[tokio::test(start_paused = true)]
async fn each_message_has_a_time_of_its_own() {
    let no_pings = Timeouts { keepalive_interval: None, ..Timeouts::default() };
    let server = Server::new().timeouts(no_pings);
    let (near, far) = duplex(1 << 16);
    let (mut peer, server) = tokio::join!(Peer::client(near), server.accept(far));
    let mut server = server.unwrap();
    let listening = tokio::spawn(async move {
        for _ in 0..20 {
            assert_eq!(next(&mut server).await, Message::binary(vec![7; 100]));
        }
    });
    // Whenever the server waits, some message has begun, but none takes longer than two minutes.
    let message = frame(FIN | BINARY, &[7; 100], true);
    let (front, back) = message.split_at(50);
    peer.write(front).await;
    for _ in 0..20 {
        sleep(seconds(120)).await;
        peer.write(&[back, front].concat()).await;
    }
    listening.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_close_is_waited_for_as_long_as_the_close_timeout() {
    let (near, far) = duplex(1 << 16);
    let (mut peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    let begun = Instant::now();
    server.feed(Message::Close(None)).await.unwrap();
    assert_eq!(missed(server.recv().await), (Missed::Close, Some(1006)));
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert!(server.recv().await.is_none());
    assert_eq!(peer.frame().await, Some((CLOSE, Vec::new())));
    assert_eq!(peer.frame().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_does_not_wait_longer_for_a_request_than_the_opening_timeout() {
    let (near, far) = duplex(1 << 16);
    let begun = Instant::now();
    let accepting = tokio::spawn(async move { wskit::accept(far).await });
    let mut peer = Peer::new(near, true);
    peer.write(b"GET / HTTP/1.1\r\n").await;
    let head = peer.head().await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    let body = String::from_utf8(peer.rest().await).unwrap();
    assert!(body.contains("longer than 10s"), "{body}");
    drop(peer);
    let error = accepting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::OpeningTimeout(_)) && error.status() == Some(408));
}

#[tokio::test(start_paused = true)]
async fn a_request_has_all_of_the_opening_timeout_and_the_connection_its_own_times() {
    let (near, far) = duplex(1 << 16);
    let accepting = tokio::spawn(async move { wskit::accept(far).await });
    let mut peer = Peer::new(near, true);
    let (first, rest) = common::REQUEST.as_bytes().split_at(20);
    peer.write(first).await;
    sleep(seconds(9)).await;
    peer.write(rest).await;
    peer.head().await;
    let mut server = accepting.await.unwrap().unwrap();
    let begun = Instant::now();
    assert_eq!(missed(server.recv().await), (Missed::Keepalive, Some(1006)));
    assert_eq!(begun.elapsed().as_secs(), 40);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn who_closes_at_once_waits_as_long_as_the_close_timeout() {
    let (near, far) = duplex(1 << 16);
    let (peer, server) = tokio::join!(Peer::client(near), wskit::accept(far));
    let mut server = server.unwrap();
    sleep(seconds(1)).await;
    let begun = Instant::now();
    server.feed(Message::Close(None)).await.unwrap();
    assert_eq!(missed(server.recv().await), (Missed::Close, Some(1006)));
    assert_eq!(begun.elapsed().as_secs(), 5);
    drop(peer);
}

/// A connection whose peer took its time before it sent its request.
async fn open_late(server: Server) -> (Peer<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(near, true);
    let accepting = tokio::spawn(async move { server.accept(far).await });
    sleep(seconds(1_000_000)).await;
    peer.write(common::REQUEST.as_bytes()).await;
    peer.head().await;
    (peer, accepting.await.unwrap().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_clock_can_tell_is_waited_for_ever() {
    let timeouts = Timeouts { close_timeout: Duration::MAX, ..Timeouts::default() };
    let server = Server::new().timeouts(timeouts).opening_timeout(Duration::MAX);
    let (peer, mut server) = open_late(server).await;
    server.feed(Message::Close(None)).await.unwrap();
    assert!(timeout(seconds(1_000_000), server.recv()).await.is_err());
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn an_opening_without_a_timeout_leaves_the_keepalive_as_it_is() {
    let (near, far) = duplex(16);
    let mut peer = Peer::new(near, true);
    let server = Server::new().opening_timeout(Duration::MAX);
    let accepting = tokio::spawn(async move { server.accept(far).await });
    peer.write(common::REQUEST.as_bytes()).await;
    let accepted = timeout(seconds(1000), accepting).await.expect("it gives up").unwrap();
    assert!(matches!(accepted, Err(Error::Lost(Lost::Missed(Missed::Keepalive)))), "{accepted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_does_not_wait_longer_for_its_answer_to_leave_than_the_opening_timeout() {
    let (near, far) = duplex(16);
    let mut peer = Peer::new(near, true);
    let accepting = tokio::spawn(async move { wskit::accept(far).await });
    peer.write(common::REQUEST.as_bytes()).await;
    let accepted = timeout(seconds(20), accepting).await.expect("it gives up").unwrap();
    assert!(matches!(accepted, Err(Error::OpeningTimeout(_))));
}

#[tokio::test(start_paused = true)]
async fn a_client_does_not_wait_longer_for_a_response_than_the_opening_timeout() {
    let (near, _far) = duplex(1 << 16);
    let begun = Instant::now();
    let error = client().opening_timeout(seconds(3)).connect_on(near).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert!(matches!(error, Error::OpeningTimeout(_)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_does_not_end_is_still_told_as_a_refusal() {
    let (near, far) = duplex(1 << 16);
    let mut peer = Peer::new(far, false);
    peer.write(b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n").await;
    let error = client().connect_on(near).await.unwrap_err();
    assert_eq!(error.status(), Some(401), "{error}");
}

#[tokio::test(start_paused = true)]
async fn who_sets_no_timeouts_waits_for_ever() {
    let none = Timeouts { keepalive_interval: None, message_timeout: None, ..Timeouts::default() };
    let server = Server::new().timeouts(none).opening_timeout(None);
    let (mut peer, mut server) = open_late(server).await;
    let message = frame(FIN | BINARY, b"late", true);
    peer.write(&message[..5]).await;
    assert!(timeout(seconds(1_000_000), server.recv()).await.is_err());
    assert!(common::at_once(peer.frame()).await.is_none(), "no Ping was sent");
    peer.write(&message[5..]).await;
    assert_eq!(next(&mut server).await, Message::binary("late"));
    peer.send(PING, b"").await;
    let _answered = common::at_once(server.recv()).await;
    assert_eq!(peer.frame().await, Some((PONG, Vec::new())));
}
