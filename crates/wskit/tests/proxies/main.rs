//! Clients behind proxies. Those here speak by hand, to do what real ones seldom do; real ones have a
//! CI job of their own.

#[path = "../common/mod.rs"]
mod common;
mod http;
mod socks;

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use wskit::{Client, Error, Message, ProxyError, Server};

/// An echo server that says where it listens, and whom it serves one after the other.
async fn echo(server: Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            #[cfg(feature = "tls-ring")]
            let stream = server.secure(stream).await.unwrap();
            let mut socket = server.accept(stream).await.unwrap();
            while let Some(Ok(message)) = socket.recv().await {
                if !matches!(message, Message::Close(_)) {
                    socket.send(message).await.unwrap();
                }
            }
        }
    });
    address
}

/// A proxy that does this with the one connection that it takes.
async fn proxy<F: Future<Output = ()> + Send + 'static>(
    scheme: &str,
    script: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}{}", listener.local_addr().unwrap());
    tokio::spawn(async move { script(listener.accept().await.unwrap().0).await });
    url
}

/// What a proxy does once the tunnel is open.
async fn carry(mut client: TcpStream, server: SocketAddr) {
    let mut server = TcpStream::connect(server).await.unwrap();
    copy_bidirectional(&mut client, &mut server).await.unwrap();
}

/// Says something to an echo server.
async fn says_hello(client: &Client) {
    let mut socket = client.connect().await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(common::next(&mut socket).await.as_text(), Some("hello"));
}

/// What the client makes of a proxy that it cannot use.
async fn fault(client: &Client) -> Box<ProxyError> {
    match client.connect().await {
        Err(Error::Proxy(error)) => error,
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn the_times_of_all_steps_are_told() {
    let server = echo(Server::new()).await;
    let proxy = proxy("http://", move |mut client| async move {
        let mut request = [0; 1024];
        let _read = tokio::io::AsyncReadExt::read(&mut client, &mut request).await.unwrap();
        let answer = b"HTTP/1.1 200 \r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut client, answer).await.unwrap();
        carry(client, server).await;
    })
    .await;
    let client =
        Client::new("ws://test.example/").unwrap().proxy(wskit::Proxy::new(&proxy).unwrap());
    let mut timings = wskit::Timings::default();
    client.connect_timed(&mut timings).await.unwrap();
    let wskit::Timings { lookup, connect, proxy, tls, handshake, redirects, .. } = timings;
    assert!([lookup, connect, proxy, handshake].iter().all(Option::is_some), "{timings:?}");
    assert_eq!((tls, redirects), (None, 0));
    // Those on the way to an error too.
    client.connect_timed(&mut timings).await.unwrap_err();
    assert!(timings.lookup.is_some() && timings.handshake.is_none(), "{timings:?}");
}
