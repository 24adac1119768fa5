//! Both ends are ours.

use crate::common::{client, next};
use crate::raw::{serve, server};
use tokio::io::duplex;
use tokio::task::JoinSet;
use wskit::http2::{Http2Connection, Http2Limits};
use wskit::{
    Client, ClientStream, CloseCode, Compression, Error, Lost, Message, OriginPolicy, Server,
    Split, WebSocket,
};

async fn connect(server: &Server, limits: Http2Limits) -> Http2Connection {
    let (near, far) = duplex(1 << 16);
    serve(server, far);
    Http2Connection::begin(near, limits).await.unwrap()
}

async fn connect_simply() -> Http2Connection {
    connect(&server(Http2Limits::default()), Http2Limits::default()).await
}

async fn close(mut socket: WebSocket<ClientStream>) {
    let frame = socket.close(CloseCode::NORMAL, "enough").await.unwrap().unwrap();
    assert_eq!((frame.code(), frame.reason()), (CloseCode::NORMAL, "enough"));
}

#[tokio::test]
async fn many_websockets_share_a_connection() {
    let connection = connect_simply().await;
    let mut talking = JoinSet::new();
    for number in 0..50 {
        let connection = connection.clone();
        talking.spawn(async move {
            let mut socket = connection.open(&client()).await.unwrap();
            assert!(socket.agreed().bootstrap.key().is_none() && socket.stream().http2().is_some());
            for turn in 0..20 {
                socket.send(format!("{number} {turn}")).await.unwrap();
                assert_eq!(next(&mut socket).await.as_text(), Some(&*format!("{number} {turn}")));
            }
            close(socket).await;
        });
    }
    talking.join_all().await;
    // And the places are free again.
    close(connection.open(&client()).await.unwrap()).await;
}

#[tokio::test]
async fn large_messages_pass_through_small_windows_both_ways_at_once() {
    let limits = Http2Limits {
        window_bytes: 1000,
        output_bytes_max: 700,
        streams_max: 4,
        ..Http2Limits::default()
    };
    let connection = connect(&server(limits), limits).await;
    let mut talking = JoinSet::new();
    for number in 0..4_u8 {
        let connection = connection.clone();
        talking.spawn(async move {
            let client = client().compression(Compression::off());
            let socket = connection.open(&client).await.unwrap();
            let (mut sender, mut receiver) = socket.split();
            let sent = tokio::spawn(async move {
                for turn in 0..5 {
                    sender.send(vec![number ^ turn; 300_000]).await.unwrap();
                }
                sender.send(Message::Close(None)).await.unwrap();
            });
            for turn in 0..5 {
                let Some(Ok(Message::Binary(bytes))) = receiver.recv().await else {
                    panic!("no message")
                };
                assert_eq!(bytes, vec![number ^ turn; 300_000]);
            }
            assert!(receiver.recv().await.unwrap().unwrap().is_close());
            assert!(receiver.recv().await.is_none());
            sent.await.unwrap();
        });
    }
    talking.join_all().await;
}

#[tokio::test]
async fn a_websocket_that_nobody_reads_holds_up_no_other() {
    let connection = connect_simply().await;
    let client = client().compression(Compression::off());
    let mut stalled = connection.open(&client).await.unwrap();
    // As much as fits: the echo of it fills every window on the way back.
    let full = async {
        loop {
            stalled.send(vec![0; 10_000]).await.unwrap();
        }
    };
    let mut other = connection.open(&client).await.unwrap();
    let talk = async {
        for _ in 0..200 {
            other.send(vec![1; 10_000]).await.unwrap();
            assert_eq!(next(&mut other).await, Message::binary(vec![1; 10_000]));
        }
    };
    tokio::select! {
        () = full => {}
        () = talk => {}
    }
}

#[tokio::test]
async fn subprotocol_and_compression_are_agreed_on() {
    let server = server(Http2Limits::default()).subprotocol("b").unwrap();
    let connection = connect(&server, Http2Limits::default()).await;
    let client = client().subprotocol("a").unwrap().subprotocol("b").unwrap();
    let mut socket = connection.open(&client).await.unwrap();
    let agreed = socket.agreed();
    assert_eq!(agreed.subprotocol.as_ref().unwrap().as_str(), "b");
    assert_eq!(agreed.extensions().len(), 1);
    let text = "the same again, ".repeat(1000);
    socket.send(&*text).await.unwrap();
    assert_eq!(next(&mut socket).await.as_text(), Some(&*text));
    let (received, sent) = socket.savings();
    assert!(received.compressed_bytes < 1000 && sent.compressed_bytes < 1000);
}

#[tokio::test]
async fn a_refusal_has_its_status_and_its_body() {
    let server = server(Http2Limits::default()).origins(OriginPolicy::SameHost);
    let connection = connect(&server, Http2Limits::default()).await;
    let client = client().header("Origin", "http://evil.example").unwrap();
    let error = connection.open(&client).await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(error.to_string().contains("pages of this origin may not connect here"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_1006() {
    let (near, far) = duplex(1 << 16);
    let mut requests = server(Http2Limits::default()).requests(far);
    let served = tokio::spawn(async move {
        let offer = requests.next().await.unwrap().unwrap().into_offer().await.unwrap();
        let _socket = offer.accept().await.unwrap();
        let _more = requests.next().await;
    });
    let connection = Http2Connection::begin(near, Http2Limits::default()).await.unwrap();
    let mut socket = connection.open(&client()).await.unwrap();
    served.abort();
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost(Lost::Broken(_) | Lost::Ended)), "{error}");
    assert_eq!(error.close_code(), Some(1006));
    assert!(connection.open(&client()).await.is_err());
}

#[tokio::test]
async fn prior_knowledge_over_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let stream = listener.accept().await.unwrap().0;
            serve(&server(Http2Limits::default()), stream);
        }
    });
    for (version, is_http2) in [
        (wskit::HttpVersion::Http2, true),
        (wskit::HttpVersion::Http1, false),
        (wskit::HttpVersion::Auto, false),
    ] {
        let mut socket = Client::new(&url).unwrap().http(version).connect().await.unwrap();
        assert_eq!(socket.stream().http2().is_some(), is_http2, "{version:?}");
        assert_eq!(socket.stream().tcp().is_none(), is_http2);
        socket.send("hello").await.unwrap();
        assert_eq!(next(&mut socket).await.as_text(), Some("hello"));
        close(socket).await;
    }
}

/// What splits a WebSocket splits this one too.
#[expect(dead_code, reason = "it compiles")]
fn every_stream_can_be_split(stream: ClientStream) {
    let (_reader, _writer) = stream.split();
}
