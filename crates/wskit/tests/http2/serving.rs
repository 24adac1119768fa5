//! A server of both versions.

use crate::common::{CLOSE, FIN, Peer, TEXT, close_payload, frame};
use crate::raw::{RawClient, good, plus, served, server};
use bytes::Bytes;
use h2::Reason;
use tokio::io::duplex;
use wskit::http2::Http2Limits;
use wskit::{Rejection, Server};

/// The next bytes of a stream, as many.
async fn read(frames: &mut h2::RecvStream, bytes: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes {
        let data = frames.data().await.expect("more comes").unwrap();
        frames.flow_control().release_capacity(data.len()).unwrap();
        read.extend_from_slice(&data);
    }
    read
}

#[tokio::test]
async fn a_websocket_is_a_stream() {
    let mut client = RawClient::connect(served(&server(Http2Limits::default()))).await;
    let (mut data, mut frames) = client.open().await;
    data.send_data(Bytes::from(frame(FIN | TEXT, b"hello", true)), false).unwrap();
    assert_eq!(read(&mut frames, 7).await, b"\x81\x05hello");
    data.send_data(Bytes::from(frame(CLOSE, &close_payload(1000, ""), true)), false).unwrap();
    assert_eq!(read(&mut frames, 4).await, b"\x88\x02\x03\xe8");
    // Both ends end their side, and nothing is reset.
    while let Some(data) = frames.data().await {
        assert!(data.unwrap().is_empty());
    }
    data.send_data(Bytes::new(), true).unwrap();
    // The next one is opened on the same connection.
    let _opens = client.open().await;
}

#[tokio::test]
async fn both_versions_are_served_on_one_port() {
    for server in [server(Http2Limits::default()), Server::new()] {
        let mut peer = Peer::client(served(&server)).await;
        peer.send(FIN | TEXT, b"hello").await;
        assert_eq!(peer.frame().await, Some((FIN | TEXT, b"hello".to_vec())));
    }
}

#[tokio::test]
async fn faults_are_answered_and_the_connection_goes_on() {
    let mut client = RawClient::connect(served(&server(Http2Limits::default()))).await;
    for (request, status) in [
        (plus("sec-websocket-version", "8"), 400),
        (plus("sec-websocket-protocol", "a,,b"), 400),
        (plus("origin", "http://evil.example"), 403),
        (plus("host", "other.example"), 400),
    ] {
        let (found, headers) = client.status(request).await.unwrap();
        assert_eq!(found, status, "{headers:?}");
        assert!(!headers.contains_key("upgrade") && !headers.contains_key("connection"));
    }
    let mut get = good();
    *get.method_mut() = http::Method::GET;
    get.extensions_mut().clear();
    let (found, headers) = client.status(get).await.unwrap();
    assert_eq!((found, headers["allow"].as_bytes()), (405, &b"CONNECT"[..]));
    let _opens = client.open().await;
}

#[tokio::test]
async fn the_answer_to_head_has_no_content() {
    let mut client = RawClient::connect(served(&server(Http2Limits::default()))).await;
    let mut head = good();
    *head.method_mut() = http::Method::HEAD;
    head.extensions_mut().clear();
    let (response, _data) = client.send(head).await;
    let response = response.await.unwrap();
    assert_eq!(response.status(), 405);
    assert!(response.headers().contains_key("content-length"));
    assert!(response.into_body().is_end_stream());
}

#[tokio::test]
async fn a_page_is_served_beside() {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let page = "x".repeat(200_000);
    let body = page.clone();
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let request = request.unwrap();
            assert!(requests.is_http2() && !request.is_upgrade());
            assert_eq!(request.request().path(), "/page");
            let page = Rejection { status: 200, ..Rejection::new(200, body.clone()) };
            request.reject(page).await.unwrap();
        }
    });
    let mut client = RawClient::connect(near).await;
    let mut get = good();
    *get.method_mut() = http::Method::GET;
    *get.uri_mut() = http::Uri::from_static("http://test.example/page");
    get.extensions_mut().clear();
    let (response, mut data) = client.send(get).await;
    data.send_data(Bytes::new(), true).unwrap();
    let response = response.await.unwrap();
    assert_eq!(response.headers()["content-length"], "200001");
    let mut frames = response.into_body();
    assert_eq!(read(&mut frames, 200_001).await, (page + "\n").into_bytes());
    assert!(frames.is_end_stream());
}

#[tokio::test]
async fn a_server_that_goes_down_says_so_and_lets_what_is_open_end() {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let served = tokio::spawn(async move {
        let offer = requests.next().await.unwrap().unwrap().into_offer().await.unwrap();
        let mut socket = offer.accept().await.unwrap();
        let echoed = tokio::spawn(async move {
            while let Some(message) = socket.recv().await {
                socket.feed(message?).await?;
            }
            Ok::<_, wskit::Error>(())
        });
        requests.shut_down();
        assert!(requests.next().await.is_none());
        echoed.await.unwrap().unwrap();
    });
    let mut client = RawClient::connect(near).await;
    let (mut data, mut frames) = client.open().await;
    data.send_data(Bytes::from(frame(FIN | TEXT, b"hello", true)), false).unwrap();
    assert_eq!(read(&mut frames, 7).await, b"\x81\x05hello");
    let refused = client
        .requests
        .clone()
        .ready()
        .await
        .and_then(|mut requests| requests.send_request(good(), false).map(drop));
    assert!(refused.is_err_and(|error| error.reason() == Some(Reason::NO_ERROR)));
    data.send_data(Bytes::from(frame(CLOSE, &close_payload(1000, ""), true)), true).unwrap();
    assert_eq!(read(&mut frames, 4).await, b"\x88\x02\x03\xe8");
    served.await.unwrap();
}
