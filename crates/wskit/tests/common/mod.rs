//! What the tests share: pairs of ends, peers that speak by hand, streams that misbehave.

#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

#[cfg(feature = "tls-ring")]
mod authority;
mod peer;
mod streams;

#[cfg(feature = "tls-ring")]
pub(crate) use authority::{Authority, HOST, Issued};
pub(crate) use peer::{
    BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, Peer, REQUEST, TEXT, close_payload, frame,
};
pub(crate) use streams::{Counted, Endless, Trickle};

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use wskit::{Client, Message, Server, WebSocket};

/// A client that is given its stream.
pub(crate) fn client() -> Client {
    Client::new("ws://test.example/").unwrap()
}

/// Both ends of an open connection: the client's and the server's.
pub(crate) async fn open<A, B>(
    client: &Client,
    server: &Server,
    (near, far): (A, B),
) -> (WebSocket<A>, WebSocket<B>)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (near, far) = tokio::join!(client.connect_on(near), server.accept(far));
    (near.unwrap(), far.unwrap())
}

/// Both ends of an open connection in memory, with all defaults.
pub(crate) async fn pair() -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    open(&client(), &Server::new(), duplex(1 << 16)).await
}

/// Both ends of a TCP connection: the one that connected and the one that accepted.
pub(crate) async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.unwrap(), far.unwrap().0)
}

/// The next message, where one has to come.
pub(crate) async fn next<S>(socket: &mut WebSocket<S>) -> Message
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket.recv().await.expect("a message comes").expect("the connection is well")
}

/// Polls a future this often at most and then drops it.
pub(crate) async fn at_most<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let (mut left, mut future) = (polls, pin!(future));
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// What a future has to say without waiting.
pub(crate) async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Calls `attempt` with every k, until with some k nothing was dropped.
pub(crate) async fn for_every_await_point(mut attempt: impl AsyncFnMut(usize) -> usize) {
    let mut polls = 1;
    while attempt(polls).await > 0 {
        polls += 1;
    }
    assert!(polls > 2, "there was hardly a point to be dropped at");
}
