//! The version is agreed on inside of TLS.

use crate::common::{Authority, next};
use crate::raw::serve;
use bytes::Bytes;
use tokio::net::TcpListener;
use wskit::http2::Http2Limits;
use wskit::tls::rustls::ProtocolVersion;
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

/// A server of both versions that takes WebSockets over HTTP/1.1 alone. Asked for one over HTTP/2, it
/// says so if it `resets`; otherwise it is not asked.
async fn serve_http_1_1_websockets(authority: &Authority, resets: bool) -> String {
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
            tokio::spawn(async move {
                let mut builder = h2::server::Builder::new();
                if resets {
                    builder.enable_connect_protocol();
                }
                let mut connection = builder.handshake::<_, Bytes>(stream).await.unwrap();
                while let Some(Ok((_, mut answer))) = connection.accept().await {
                    assert!(resets, "nothing is asked of it");
                    answer.send_reset(h2::Reason::HTTP_1_1_REQUIRED);
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn http_2_without_websockets_falls_back_to_http_1_1() {
    let both = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    for (resets, named) in [(false, vec![]), (false, both), (true, vec![])] {
        let authority = Authority::new();
        let url = serve_http_1_1_websockets(&authority, resets).await;
        let mut config = authority.client();
        config.alpn_protocols = named;
        let client = Client::new(&url).unwrap().tls(config);
        for version in [HttpVersion::Auto, HttpVersion::Http1] {
            let mut socket = client.clone().http(version).connect().await.unwrap();
            assert!(socket.stream().http2().is_none());
            socket.send("hello").await.unwrap();
            assert_eq!(next(&mut socket).await.as_text(), Some("hello"));
        }
        let error = client.http(HttpVersion::Http2).connect().await.unwrap_err();
        match resets {
            false => assert!(matches!(error, Error::Http2Unavailable(_)), "{error}"),
            true => assert!(matches!(error, Error::Opening(_)), "{error}"),
        }
    }
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
        let beneath = socket.stream().http2().unwrap().beneath().unwrap();
        assert_eq!(beneath.peer_addr.unwrap().port(), client.port());
        assert_eq!(beneath.tls_version, Some(ProtocolVersion::TLSv1_3));
    }
}
