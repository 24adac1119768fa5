//! Any future may be dropped at any await point: nothing is lost, doubled or torn.
//!
//! Both ends trickle, three bytes at a time. Each operation is polled at most k times and then
//! dropped, for every k up to where none of them is dropped any more.

mod common;

use common::{Trickle, at_most, client, for_every_await_point};
use tokio::io::{DuplexStream, duplex};
use wskit::{
    CloseCode, CloseFrame, Error, Kind, Limits, Message, MessagePiece, Prepared, Server, WebSocket,
};

type Socket = WebSocket<Trickle<DuplexStream>>;

/// Both ends; nobody may leave more than 16 bytes waiting, so that feeding has to wait too.
async fn open() -> (Socket, Socket) {
    let limits = Limits { output_bytes_max: 16, ..Limits::default() };
    let (near, far) = duplex(16);
    let ends = (Trickle::new(near, 3), Trickle::new(far, 3));
    common::open(&client().limits(limits), &Server::new().limits(limits), ends).await
}

fn messages() -> Vec<Message> {
    let texts = ["", "one", "zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich"];
    let mut messages: Vec<Message> = texts.into_iter().map(Message::from).collect();
    messages.push(Message::binary((0..150).collect::<Vec<u8>>()));
    messages.push(Message::text("two"));
    messages
}

fn bye() -> Option<CloseFrame> {
    Some(CloseFrame::new(CloseCode::NORMAL, "bye").unwrap())
}

/// Repeats an operation until it is done, and counts how often it was dropped.
macro_rules! until_done {
    ($polls:expr, $dropped:expr, $operation:expr) => {
        loop {
            match at_most($polls, $operation).await {
                Some(done) => break done,
                None => $dropped += 1,
            }
        }
    };
}

/// Everything that is received, to the end of the connection.
async fn receive_all(mut socket: Socket) -> Vec<Message> {
    let mut received = Vec::new();
    while let Some(message) = socket.recv().await {
        received.push(message.unwrap());
    }
    assert_eq!(received.pop(), Some(Message::Close(bye())));
    received
}

async fn send_all(mut socket: Socket) {
    for message in messages() {
        socket.send(message).await.unwrap();
    }
    assert_eq!(socket.close(CloseCode::NORMAL, "bye").await.unwrap(), bye());
}

fn check_received(received: &[Message]) {
    let expected = [messages(), vec![Message::Close(bye())]].concat();
    assert_eq!(received, expected);
}

/// Puts messages together again.
fn joined(pieces: Vec<MessagePiece>) -> Vec<(Kind, Vec<u8>)> {
    let mut messages: Vec<(Kind, Vec<u8>)> = Vec::new();
    for piece in pieces {
        if piece.first {
            messages.push((piece.kind, Vec::new()));
        }
        messages.last_mut().unwrap().1.extend_from_slice(&piece.bytes);
    }
    messages
}

fn contents() -> Vec<(Kind, Vec<u8>)> {
    let content = |message: Message| match message {
        Message::Text(text) => (Kind::Text, text.as_bytes().to_vec()),
        Message::Binary(bytes) => (Kind::Binary, bytes.to_vec()),
        other => panic!("{other:?} is no message"),
    };
    messages().into_iter().map(content).collect()
}

/// Whether `some` stand in `all`, in order and each once.
fn are_in_order(some: &[Message], all: &[Message]) -> bool {
    let mut all = all.iter();
    some.iter().all(|message| all.any(|other| other == message))
}

/// What became of messages whose sending was dropped now and then.
struct Sent {
    dropped: usize,
    /// Those whose sending was said to be done.
    done: Vec<Message>,
}

impl Sent {
    fn check(self, received: &[Message]) -> usize {
        assert!(are_in_order(received, &messages()), "torn or doubled: {received:?}");
        assert!(are_in_order(&self.done, received), "lost: {received:?}");
        self.dropped
    }
}

/// Sends every message once, by an operation that is dropped after `polls`.
async fn send_once<S>(
    socket: &mut S,
    polls: usize,
    mut send: impl AsyncFnMut(&mut S, Message) -> Result<(), Error>,
) -> Sent {
    let mut sent = Sent { dropped: 0, done: Vec::new() };
    for message in messages() {
        match at_most(polls, send(socket, message.clone())).await {
            None => sent.dropped += 1,
            Some(result) => {
                result.unwrap();
                sent.done.push(message);
            }
        }
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn recv_may_be_dropped() {
    for_every_await_point(async |polls| {
        let (near, mut far) = open().await;
        let sending = tokio::spawn(send_all(near));
        let (mut dropped, mut received) = (0, Vec::new());
        while let Some(message) = until_done!(polls, dropped, far.recv()) {
            received.push(message.unwrap());
        }
        check_received(&received);
        drop(far);
        sending.await.unwrap();
        dropped
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn recv_piece_may_be_dropped() {
    for_every_await_point(async |polls| {
        let (near, mut far) = open().await;
        let sending = tokio::spawn(send_all(near));
        let (mut dropped, mut received) = (0, Vec::new());
        while let Some(piece) = until_done!(polls, dropped, far.recv_piece()) {
            received.push(piece.unwrap());
        }
        assert_eq!(joined(received), contents());
        assert_eq!(far.peer_close().flatten().cloned(), bye());
        drop(far);
        sending.await.unwrap();
        dropped
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_receive_half_may_be_dropped_from() {
    for_every_await_point(async |polls| {
        let (near, far) = open().await;
        let sending = tokio::spawn(send_all(near));
        let (send_half, mut receive_half) = far.split();
        let (mut dropped, mut received) = (0, Vec::new());
        while let Some(message) = until_done!(polls, dropped, receive_half.recv()) {
            received.push(message.unwrap());
        }
        check_received(&received);
        drop((send_half, receive_half));
        sending.await.unwrap();
        dropped
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn send_may_be_dropped() {
    for_every_await_point(async |polls| {
        let (mut near, far) = open().await;
        let receiving = tokio::spawn(receive_all(far));
        let sent = send_once(&mut near, polls, async |near, message| near.send(message).await);
        let sent = sent.await;
        near.close(CloseCode::NORMAL, "bye").await.unwrap();
        drop(near);
        sent.check(&receiving.await.unwrap())
    })
    .await;
}

/// Feeds in one of the ways there are.
async fn drop_feeding(feed: impl AsyncFn(&mut Socket, Message) -> Result<(), Error>) {
    for_every_await_point(async |polls| {
        let (mut near, far) = open().await;
        let receiving = tokio::spawn(receive_all(far));
        let sent = send_once(&mut near, polls, &feed).await;
        near.close(CloseCode::NORMAL, "bye").await.unwrap();
        drop(near);
        let received = receiving.await.unwrap();
        assert_eq!(received, sent.done, "a dropped feed feeds nothing");
        sent.check(&received)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn feed_may_be_dropped() {
    drop_feeding(async |near, message| near.feed(message).await).await;
}

#[tokio::test(start_paused = true)]
async fn feed_uncompressed_may_be_dropped() {
    drop_feeding(async |near, message| near.feed_uncompressed(message).await).await;
}

fn prepared(message: Message) -> Prepared {
    match message {
        Message::Text(text) => Prepared::text(text),
        Message::Binary(bytes) => Prepared::binary(bytes),
        control => panic!("{control:?} is no message"),
    }
}

#[tokio::test(start_paused = true)]
async fn feed_prepared_may_be_dropped() {
    drop_feeding(async |near, message| near.feed_prepared(&prepared(message)).await).await;
}

#[tokio::test(start_paused = true)]
async fn feed_joined_may_be_dropped() {
    drop_feeding(async |near, message| near.feed_joined(&vec![prepared(message)].into()).await)
        .await;
}

#[tokio::test(start_paused = true)]
async fn feed_part_may_be_dropped() {
    for_every_await_point(async |polls| {
        let (mut near, far) = open().await;
        let receiving = tokio::spawn(receive_all(far));
        let text = "zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich";
        let mut dropped = 0;
        for (number, part) in text.as_bytes().chunks(11).enumerate() {
            let last = 11 * number + part.len() == text.len();
            until_done!(polls, dropped, near.feed_part(Kind::Text, part.to_vec(), last)).unwrap();
        }
        near.close(CloseCode::NORMAL, "bye").await.unwrap();
        drop(near);
        assert_eq!(receiving.await.unwrap(), [Message::text(text)]);
        dropped
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn flush_and_close_may_be_dropped() {
    for_every_await_point(async |polls| {
        let (mut near, far) = open().await;
        let receiving = tokio::spawn(receive_all(far));
        let mut dropped = 0;
        for message in messages() {
            near.feed(message).await.unwrap();
            until_done!(polls, dropped, near.flush()).unwrap();
        }
        let close = until_done!(polls, dropped, near.close(CloseCode::NORMAL, "bye"));
        assert_eq!(close.unwrap(), bye());
        drop(near);
        assert_eq!(receiving.await.unwrap(), messages());
        dropped
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_send_half_may_be_dropped_from() {
    for_every_await_point(async |polls| {
        let (near, far) = open().await;
        let receiving = tokio::spawn(receive_all(far));
        let (mut send_half, mut receive_half) = near.split();
        let answers = tokio::spawn(async move {
            while let Some(message) = receive_half.recv().await {
                assert_eq!(message.unwrap(), Message::Close(bye()));
            }
        });
        let sent = send_once(&mut send_half, polls, async |half, message| half.send(message).await);
        let mut sent = sent.await;
        until_done!(polls, sent.dropped, send_half.flush()).unwrap();
        until_done!(polls, sent.dropped, send_half.close(CloseCode::NORMAL, "bye")).unwrap();
        answers.await.unwrap();
        drop(send_half);
        sent.check(&receiving.await.unwrap())
    })
    .await;
}
