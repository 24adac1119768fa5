//! What waits to leave is bounded, whatever the peer does, and leaves in as few writes as it can.

mod common;

use common::{Counted, FIN, PING, PONG, Peer, TEXT, at_once, client, frame, next, open};
use tokio::io::{DuplexStream, duplex};
use wskit::{Limits, Message, Server, WebSocket};

const OUTPUT_BYTES_MAX: usize = 1000;
const PIPE_BYTES: usize = 256;

/// A server that may leave little waiting, and a client by hand.
async fn server() -> (WebSocket<DuplexStream>, Peer<DuplexStream>) {
    let limits = Limits { output_bytes_max: OUTPUT_BYTES_MAX, ..Limits::default() };
    let (near, far) = duplex(PIPE_BYTES);
    let server = Server::new().limits(limits);
    let (server, peer) = tokio::join!(server.accept(far), Peer::client(near));
    (server.unwrap(), peer)
}

#[tokio::test(start_paused = true)]
async fn feeding_waits_while_the_peer_does_not_read_and_receiving_goes_on() {
    let (mut server, mut peer) = server().await;
    let text = |number: usize| format!("{number:098}");
    let mut fed = 0;
    while let Some(result) = at_once(server.feed(text(fed))).await {
        result.unwrap();
        fed += 1;
    }
    // Each is a frame of 100 bytes; one may stand above the limit.
    assert!(fed * 100 <= OUTPUT_BYTES_MAX + 100 + PIPE_BYTES, "{fed} messages wait");
    assert!(fed * 100 >= OUTPUT_BYTES_MAX, "only {fed} messages wait");
    for _ in 0..100 {
        peer.send(FIN | TEXT, b"still talking").await;
        assert_eq!(next(&mut server).await, Message::text("still talking"));
    }
    // When the peer reads again, everything arrives, in order.
    let reading = tokio::spawn(async move {
        for number in 0..fed + 1 {
            assert_eq!(peer.frame().await, Some((FIN | TEXT, text(number).into_bytes())));
        }
    });
    server.send(text(fed)).await.unwrap();
    reading.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn pongs_do_not_pile_up_while_the_peer_does_not_read() {
    let (mut server, mut peer) = server().await;
    let serving = tokio::spawn(async move { server.recv().await });
    for number in 0..2000 {
        peer.send(PING, format!("{number:0100}").as_bytes()).await;
    }
    tokio::task::yield_now().await;
    let (mut pongs, mut latest) = (0, 0);
    while latest < 1999 {
        let (first, payload) = peer.frame().await.unwrap();
        let number = String::from_utf8(payload).unwrap().parse().unwrap();
        assert!(first == PONG && (pongs == 0 || number > latest), "in order");
        (pongs, latest) = (pongs + 1, number);
    }
    let most = (Limits::default().pong_bytes_max + PIPE_BYTES) / 102 + 2;
    assert!(pongs <= most, "{pongs} Pongs waited");
    drop(peer);
    assert!(serving.await.unwrap().unwrap().is_err());
}

/// A server whose writes are counted, and a client by hand.
async fn counted() -> (WebSocket<Counted<DuplexStream>>, Peer<DuplexStream>) {
    let (near, far) = duplex(1 << 16);
    let far = Counted::new(far);
    let (server, peer) = tokio::join!(wskit::accept(far), Peer::client(near));
    (server.unwrap(), peer)
}

#[tokio::test(start_paused = true)]
async fn what_is_fed_is_written_before_recv_waits_and_not_earlier() {
    let (mut server, mut peer) = counted().await;
    let before = server.stream().writes();
    server.feed("one").await.unwrap();
    server.feed("two").await.unwrap();
    assert_eq!(server.stream().writes(), before);
    assert!(at_once(server.recv()).await.is_none());
    assert_eq!(server.stream().writes(), before + 1);
    assert_eq!(peer.frame().await.unwrap().1, b"one");
    assert_eq!(peer.frame().await.unwrap().1, b"two");
}

#[tokio::test(start_paused = true)]
async fn messages_that_arrived_together_are_answered_together() {
    let (mut server, mut peer) = counted().await;
    let before = server.stream().writes();
    peer.write(&frame(FIN | TEXT, b"again", true).repeat(32)).await;
    let mut echoed = 0;
    while let Some(message) = at_once(server.recv()).await {
        server.feed(message.unwrap().unwrap()).await.unwrap();
        echoed += 1;
    }
    assert_eq!(echoed, 32);
    assert_eq!(server.stream().writes(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_any_size_passes_a_narrow_pipe() {
    let (mut near, mut far) = open(&client(), &Server::new(), duplex(100)).await;
    let message = Message::binary((0..3_000_000u32).map(|n| n as u8).collect::<Vec<u8>>());
    let sent = message.clone();
    let sending = tokio::spawn(async move { near.send(sent).await.map(|()| near) });
    assert_eq!(next(&mut far).await, message);
    sending.await.unwrap().unwrap();
}
