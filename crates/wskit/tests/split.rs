//! Two halves of a connection in two tasks.

mod common;

use common::{BINARY, CLOSE, FIN, PING, PONG, Peer, TEXT, at_once, client, open, pair, tcp};
use futures_util::SinkExt;
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    task::{Context, Wake, Waker},
    time::Duration,
};
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, timeout};
use wskit::proto::Missed;
use wskit::{
    CloseCode, Error, Joined, Lost, Message, Prepared, ReceiveHalf, SendError, SendHalf, Server,
    Split, WebSocket,
};

const MESSAGES: usize = 10_000;

/// Sends and receives at once, in two tasks, until both ends are done.
async fn talk<S>(socket: WebSocket<S>, closes: bool)
where
    S: Split<Reader: Send + 'static, Writer: Send + 'static> + 'static,
{
    let (mut send_half, mut receive_half) = socket.split();
    let sending = tokio::spawn(async move {
        for number in 0..MESSAGES {
            // Now and then a long one, so that writing has to wait.
            let length = if number % 100 == 0 { 10_000 } else { number % 300 };
            let text = format!("{number}:{}", "x".repeat(length));
            if number % 7 == 0 {
                send_half.send(text).await.unwrap();
            } else {
                send_half.feed(text).await.unwrap();
            }
        }
        send_half.flush().await.unwrap();
        send_half
    });
    for number in 0..MESSAGES {
        let message = receive_half.recv().await.unwrap().unwrap();
        let (found, _) = message.as_text().unwrap().split_once(':').unwrap();
        assert_eq!(found, number.to_string());
    }
    let mut send_half = sending.await.unwrap();
    if closes {
        send_half.close(CloseCode::NORMAL, "done").await.unwrap();
    }
    assert!(matches!(receive_half.recv().await, Some(Ok(Message::Close(Some(_))))));
    assert!(receive_half.recv().await.is_none());
}

async fn talk_both<A, B>((one, other): (WebSocket<A>, WebSocket<B>))
where
    A: Split<Reader: Send + 'static, Writer: Send + 'static> + Send + 'static,
    B: Split<Reader: Send + 'static, Writer: Send + 'static> + Send + 'static,
{
    let both = async {
        let (one, other) = (tokio::spawn(talk(one, true)), tokio::spawn(talk(other, false)));
        one.await.unwrap();
        other.await.unwrap();
    };
    timeout(Duration::from_secs(60), both).await.expect("nobody is forgotten");
}

#[tokio::test]
async fn joined_messages_come_one_after_the_other() {
    let news = Joined::from(vec![Prepared::text("one"), Prepared::text("two")]);
    let (mut near, mut far) = open(&client(), &Server::new(), tcp().await).await;
    near.feed_joined(&news).await.unwrap();
    near.flush().await.unwrap();
    for text in ["one", "two"] {
        assert_eq!(far.recv().await.unwrap().unwrap().as_text(), Some(text));
    }
    let (mut send_half, _receive_half) = far.split();
    send_half.feed_joined(&news).await.unwrap();
    send_half.flush().await.unwrap();
    for text in ["one", "two"] {
        assert_eq!(near.recv().await.unwrap().unwrap().as_text(), Some(text));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_messages_pass_both_ways_at_once() {
    talk_both(open(&client(), &Server::new(), tcp().await).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_forgotten_where_every_write_has_to_wait() {
    talk_both(open(&client(), &Server::new(), duplex(512)).await).await;
}

type Halves = (SendHalf<DuplexStream>, ReceiveHalf<DuplexStream>);

/// The halves of a server, and a client by hand that has read nothing since the opening.
async fn halves() -> (Halves, Peer<DuplexStream>) {
    let (near, far) = duplex(1000);
    let (server, peer) = tokio::join!(wskit::accept(far), Peer::client(near));
    (server.unwrap().split(), peer)
}

/// Feeds until there is no room any more.
async fn fill(send_half: &mut SendHalf<DuplexStream>) {
    let message = Message::binary(vec![0; 1000]);
    while let Some(fed) = at_once(send_half.feed(message.clone())).await {
        fed.unwrap();
    }
}

fn is_closed(result: &Result<(), Error>) -> bool {
    matches!(result, Err(Error::Send(SendError::Closed)))
}

#[tokio::test(start_paused = true)]
async fn receiving_goes_on_and_pings_are_answered_while_sending_is_blocked() {
    let ((mut send_half, mut receive_half), mut peer) = halves().await;
    fill(&mut send_half).await;
    let sending = tokio::spawn(async move { send_half.send("last").await });
    peer.send(PING, b"are you there?").await;
    peer.send(FIN | TEXT, b"hello").await;
    assert_eq!(receive_half.recv().await.unwrap().unwrap(), Message::text("hello"));
    let receiving = tokio::spawn(async move { receive_half.recv().await });
    // Both find their way out when the peer reads again.
    let mut found = Vec::new();
    while found.len() < 2 {
        match peer.frame().await.unwrap() {
            (first, _) if first == FIN | BINARY => {}
            frame => found.push(frame),
        }
    }
    assert!(found.contains(&(PONG, b"are you there?".to_vec())));
    assert!(found.contains(&(FIN | TEXT, b"last".to_vec())));
    sending.await.unwrap().unwrap();
    drop(peer);
    assert!(matches!(receiving.await.unwrap(), Some(Err(Error::Lost(Lost::Ended)))));
}

#[tokio::test(start_paused = true)]
async fn closing_by_the_send_half_sets_the_receive_half_a_deadline() {
    let ((mut send_half, mut receive_half), _peer) = halves().await;
    let begun = Instant::now();
    let receiving = tokio::spawn(async move { receive_half.recv().await });
    tokio::task::yield_now().await;
    send_half.close(CloseCode::NORMAL, "").await.unwrap();
    let lost = receiving.await.unwrap();
    assert!(matches!(lost, Some(Err(Error::Lost(Lost::Missed(Missed::Close))))));
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_gets_to_know_that_the_peer_closed() {
    let ((mut send_half, mut receive_half), mut peer) = halves().await;
    fill(&mut send_half).await;
    let sending = tokio::spawn(async move { send_half.feed("in vain").await });
    tokio::task::yield_now().await;
    let begun = Instant::now();
    peer.send(CLOSE, &[]).await;
    let receiving = tokio::spawn(async move { receive_half.recv().await });
    assert!(is_closed(&sending.await.unwrap()));
    assert_eq!(begun.elapsed().as_secs(), 0, "at once");
    assert_eq!(receiving.await.unwrap().unwrap().unwrap(), Message::Close(None));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_not_said_to_be_sent() {
    let ((mut send_half, mut receive_half), _peer) = halves().await;
    let sending = tokio::spawn(async move { send_half.send(vec![0; 2000]).await });
    // The peer neither reads nor says anything.
    let lost = receive_half.recv().await;
    assert!(matches!(lost, Some(Err(Error::Lost(Lost::Missed(Missed::Keepalive))))));
    assert!(sending.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_half_goes_on_without_the_other() {
    let (near, mut far) = pair().await;
    let (mut send_half, receive_half) = near.split();
    drop(receive_half);
    send_half.send("only sending").await.unwrap();
    assert_eq!(common::next(&mut far).await, Message::text("only sending"));
    drop(send_half);
    assert!(matches!(far.recv().await, Some(Err(Error::Lost(Lost::Ended)))));

    let ((send_half, mut receive_half), mut peer) = halves().await;
    drop(send_half);
    peer.send(PING, b"?").await;
    peer.send(CLOSE, &[]).await;
    let receiving = tokio::spawn(async move { receive_half.recv().await });
    assert_eq!(peer.frame().await, Some((PONG, b"?".to_vec())));
    assert_eq!(peer.frame().await, Some((CLOSE, Vec::new())));
    drop(peer);
    assert_eq!(receiving.await.unwrap().unwrap().unwrap(), Message::Close(None));
}

#[derive(Default)]
struct Wakeups(AtomicUsize);

impl Wake for Wakeups {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn closing_a_sink_that_is_blocked_waits_without_spinning() {
    let ((mut send_half, _receive_half), _peer) = halves().await;
    fill(&mut send_half).await;
    let wakeups = Arc::new(Wakeups::default());
    let waker = Waker::from(wakeups.clone());
    // Not `SendHalf::close`, which sends a code.
    let mut closing = pin!(SinkExt::close(&mut send_half));
    for _ in 0..10 {
        assert!(closing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(wakeups.0.load(SeqCst), 0);
}
