//! Clients and servers on Unix-domain sockets.

#![cfg(unix)]

mod common;

use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use wskit::{Client, CloseCode, Error, Message, Proxy, Server};

/// A socket of its own for each test.
fn listen(name: &str) -> (UnixListener, PathBuf) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sock"));
    let _there_may_be_none = std::fs::remove_file(&path);
    (UnixListener::bind(&path).unwrap(), path)
}

/// A server that does this with its one client.
async fn serve<F>(name: &str, script: impl FnOnce(UnixStream) -> F + Send + 'static) -> PathBuf
where
    F: Future<Output = ()> + Send,
{
    let (listener, path) = listen(name);
    tokio::spawn(async move { script(listener.accept().await.unwrap().0).await });
    path
}

/// Sends the messages of one client back.
async fn echo(stream: UnixStream) {
    let mut socket = Server::new().accept(stream).await.unwrap();
    while let Some(Ok(message)) = socket.recv().await {
        if !matches!(message, Message::Close(_)) {
            socket.send(message).await.unwrap();
        }
    }
}

#[tokio::test]
async fn messages_come_and_go_and_the_end_is_orderly() {
    let path = serve("orderly", echo).await;
    // Nothing listens at the host of the URL, nor at the proxy.
    let client = Client::new("ws://chat.test.example:9/").unwrap();
    let client = client.proxy(Proxy::new("http://127.0.0.1:9").unwrap()).unix_socket(&path);
    assert!(client.chosen_proxy().unwrap().is_none());
    let mut socket = client.connect().await.unwrap();
    assert!(socket.stream().tcp().is_none());
    let peer = socket.stream().unix().unwrap().peer_addr().unwrap();
    assert_eq!(peer.as_pathname(), Some(&*path));
    socket.send("hello").await.unwrap();
    assert_eq!(common::next(&mut socket).await.as_text(), Some("hello"));
    let answer = socket.close(CloseCode::NORMAL, "").await.unwrap();
    assert_eq!(answer.unwrap().code(), CloseCode::NORMAL);
}

#[tokio::test]
async fn halves_carry_more_than_the_socket_holds() {
    let path = serve("halves", echo).await;
    let client = Client::new("ws://localhost/").unwrap().unix_socket(path);
    let (mut sender, mut receiver) = client.connect().await.unwrap().split();
    let long = vec![7; 3 << 20];
    let sent = long.clone();
    tokio::spawn(async move { sender.send(sent).await.unwrap() });
    let received = receiver.recv().await.unwrap().unwrap();
    assert!(received == Message::from(long));
}

#[tokio::test]
async fn the_request_asks_for_what_the_url_says() {
    let path = serve("request", async |mut stream| {
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8(request[..count].to_vec()).unwrap();
        assert!(
            request.starts_with("GET /chat?x=1 HTTP/1.1\r\nHost: test.example:81\r\n"),
            "{request}"
        );
        stream.write_all(b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n").await.unwrap();
    })
    .await;
    let client = Client::new("ws://test.example:81/chat?x=1").unwrap().unix_socket(path);
    assert_eq!(client.connect().await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn redirects_stay_with_the_server() {
    let (listener, path) = listen("redirects");
    tokio::spawn(async move {
        for location in ["/two", "http://other.example/"] {
            let mut stream = listener.accept().await.unwrap().0;
            let mut request = [0; 4096];
            let _count = stream.read(&mut request).await.unwrap();
            let response = format!("HTTP/1.1 302 \r\nLocation: {location}\r\n\r\n");
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    let client = Client::new("ws://test.example/one").unwrap().unix_socket(path);
    let Err(Error::Redirect { why, .. }) = client.connect().await else { panic!() };
    assert_eq!(why, "that would lead to another server than that of the socket");
}

#[tokio::test]
async fn what_does_not_listen_is_named() {
    let (listener, dead) = listen("dead");
    drop(listener);
    let nowhere = dead.with_extension("nowhere");
    for path in [dead, nowhere] {
        let client = Client::new("ws://localhost/").unwrap().unix_socket(&path);
        let Err(Error::Connect(error)) = client.connect().await else { panic!() };
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
