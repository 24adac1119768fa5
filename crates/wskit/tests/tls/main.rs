//! WebSockets inside of TLS, in both roles.

#![cfg(feature = "tls-ring")]

mod certificates;
mod closing;
#[path = "../common/mod.rs"]
mod common;
mod handshake;
mod narrow;

use common::{Authority, HOST};
use tokio::net::TcpListener;
use wskit::{Client, Message, Server};

/// A client of the host that the certificates are for.
fn client(authority: &Authority) -> Client {
    Client::new(&format!("wss://{HOST}/")).unwrap().tls(authority.client())
}

/// A server of that host.
fn server(authority: &Authority) -> Server {
    Server::new().tls(authority.issue(HOST).server())
}

#[tokio::test]
async fn messages_of_all_lengths_go_both_ways_whole_and_split() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    let echo = Server::new().tls(authority.issue("127.0.0.1").server());
    let serving = tokio::spawn(async move {
        let stream = echo.secure(listener.accept().await.unwrap().0).await.unwrap();
        let mut socket = echo.accept(stream).await.unwrap();
        while let Some(message) = socket.recv().await {
            socket.feed(message.unwrap()).await.unwrap();
        }
    });
    let client = Client::new(&url).unwrap().tls(authority.client());
    let mut socket = client.connect().await.unwrap();
    let tls = socket.stream().tls().expect("there is TLS");
    assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
    let text = |length| "aß".repeat(length);
    for length in [0, 1, 5000, 6000, 400_000] {
        socket.send(text(length)).await.unwrap();
        assert_eq!(common::next(&mut socket).await.as_text(), Some(&*text(length)));
    }
    let (mut sending, mut receiving) = socket.split();
    let sent = tokio::spawn(async move {
        for length in (0..200).map(|number| number * 997) {
            sending.feed(text(length)).await.unwrap();
        }
        sending.close(wskit::CloseCode::NORMAL, "").await.unwrap();
    });
    let mut lengths = (0..200).map(|number| number * 997);
    while let Some(message) = receiving.recv().await {
        match message.unwrap() {
            Message::Close(frame) => assert_eq!(frame.unwrap().code().number(), 1000),
            message => assert_eq!(message.as_text(), Some(&*text(lengths.next().unwrap()))),
        }
    }
    assert_eq!(lengths.next(), None);
    sent.await.unwrap();
    serving.await.unwrap();
}
