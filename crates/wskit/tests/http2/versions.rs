//! The version is agreed on inside of TLS.

use crate::common::{Authority, next};
use crate::raw::serve;
use tokio::net::TcpListener;
use wskit::http2::Http2Limits;
use wskit::{Client, Error, HttpVersion, Server};

/// A server for as many connections as come, and a client of it.
async fn serve_tls(server: Server) -> Client {
    let authority = Authority::new();
    let issued = authority.issue("127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    let server = server.tls(issued.server());
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            if let Ok(stream) = server.secure(stream).await {
                serve(&server, stream);
            }
        }
    });
    Client::new(&url).unwrap().tls(authority.client())
}

#[tokio::test]
async fn the_version_is_what_both_speak() {
    use HttpVersion::{Auto, Http1, Http2};
    let both = Server::new().http2(Http2Limits::default());
    for (server, cases) in [
        (both, &[(Http1, Some(false)), (Auto, Some(true)), (Http2, Some(true))][..]),
        (Server::new(), &[(Http1, Some(false)), (Auto, Some(false)), (Http2, None)]),
    ] {
        let client = serve_tls(server).await;
        for (version, is_http2) in cases {
            let connected = client.clone().http(*version).connect().await;
            let Some(is_http2) = is_http2 else {
                assert!(connected.is_err(), "{version:?}");
                continue;
            };
            let mut socket = connected.unwrap();
            assert_eq!(socket.stream().http2().is_some(), *is_http2, "{version:?}");
            socket.send("hello").await.unwrap();
            assert_eq!(next(&mut socket).await.as_text(), Some("hello"));
        }
    }
}

#[tokio::test]
async fn http_2_without_websockets_falls_back_to_http_1_1() {
    let authority = Authority::new();
    let mut config = authority.issue("127.0.0.1").server();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = Server::new().tls(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let stream = server.secure(listener.accept().await.unwrap().0).await.unwrap();
            if stream.tls().unwrap().alpn_protocol() != Some(b"h2") {
                serve(&server, stream);
                continue;
            }
            tokio::spawn(async {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                assert!(connection.accept().await.is_none(), "nothing is asked of it");
            });
        }
    });
    let client = Client::new(&url).unwrap().tls(authority.client());
    let auto = client.clone().http(HttpVersion::Auto);
    let mut socket = auto.connect().await.unwrap();
    assert!(socket.stream().http2().is_none());
    socket.send("hello").await.unwrap();
    assert_eq!(next(&mut socket).await.as_text(), Some("hello"));
    let error = client.http(HttpVersion::Http2).connect().await.unwrap_err();
    assert!(matches!(error, Error::Http2Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_connection_is_opened_once_for_many() {
    let client = serve_tls(Server::new().http2(Http2Limits::default())).await;
    let connection = client.connect_http2().await.unwrap();
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(connection.open(&client).await.unwrap());
    }
    for socket in &mut sockets {
        socket.send("hello").await.unwrap();
        assert_eq!(next(socket).await.as_text(), Some("hello"));
    }
}
