//! An opening that is dropped, at any await point, leaves nothing behind.

mod common;

use common::{Trickle, at_most, client, for_every_await_point};
use std::time::Duration;
use tokio::io::{AsyncReadExt, duplex};
use tokio::time::timeout;
use wskit::{Client, Error};

#[tokio::test(start_paused = true)]
async fn an_opening_that_is_dropped_leaves_nothing_behind() {
    // The client's side.
    for_every_await_point(async |polls| {
        let (near, mut far) = duplex(16);
        let answering = tokio::spawn(async move {
            let mut request = Vec::new();
            far.read_to_end(&mut request).await.unwrap();
            request
        });
        let opened = at_most(polls, client().connect_on(Trickle::new(near, 30))).await;
        assert!(!matches!(opened, Some(Ok(_))), "nobody answers");
        let request = answering.await.unwrap();
        usize::from(!request.ends_with(b"\r\n\r\n"))
    })
    .await;
    // The server's.
    for_every_await_point(async |polls| {
        let (near, far) = duplex(16);
        let (near, far) = (Trickle::new(near, 3), Trickle::new(far, 3));
        let connecting = tokio::spawn(async move { client().connect_on(near).await });
        let accepted = at_most(polls, wskit::accept(far)).await;
        let dropped = usize::from(accepted.is_none());
        drop(accepted);
        // However far the server came, the client gets to know that it has gone.
        match connecting.await.unwrap() {
            Ok(mut socket) => assert!(matches!(socket.recv().await, Some(Err(Error::Lost(_))))),
            Err(error) => assert!(dropped == 1, "{error}"),
        }
        dropped
    })
    .await;
}

#[tokio::test]
async fn a_dial_that_is_dropped_leaves_nothing_behind() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&format!("ws://{}/", listener.local_addr().unwrap())).unwrap();
    let (connecting, accepted) =
        tokio::join!(timeout(Duration::from_millis(200), client.connect()), listener.accept(),);
    assert!(connecting.is_err(), "nobody answered");
    accepted.unwrap().0.read_to_end(&mut Vec::new()).await.unwrap();
}
