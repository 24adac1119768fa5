//! What a client makes of servers that do not do as they should.

use crate::common::client;
use crate::frames::{DATA, ENABLE_CONNECT, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM};
use std::time::Duration;
use tokio::io::duplex;
use wskit::http2::{Http2Connection, Http2Limits};
use wskit::{Error, Lost, WebSocket};

/// A connection, and the server's end of it.
async fn begin() -> (Http2Connection, Frames) {
    let (near, far) = duplex(1 << 16);
    let (connection, server) = tokio::join!(
        Http2Connection::begin(near, Http2Limits::default()),
        Frames::server(far, Some(&ENABLE_CONNECT)),
    );
    (connection.unwrap(), server)
}

/// `:status: 200` by the static table.
const OK: &[u8] = &[0x88];

type Opened = Result<WebSocket<wskit::ClientStream>, Error>;

/// The outcome of an opening to which the server answers so.
async fn opened_by(act: impl AsyncFnOnce(&mut Frames)) -> (Opened, Frames) {
    let (connection, mut server) = begin().await;
    let client = client().opening_timeout(Duration::from_secs(60));
    let answer = async {
        assert_eq!(server.next(HEADERS).await.stream, 1);
        act(&mut server).await;
    };
    let (opened, ()) = tokio::join!(connection.open(&client), answer);
    (opened, server)
}

#[tokio::test]
async fn row_49_nothing_is_asked_of_a_server_that_does_not_enable_it() {
    for settings in [&[][..], &[0, 8, 0, 0, 0, 0]] {
        let (near, far) = duplex(1 << 16);
        let begun = Http2Connection::begin(near, Http2Limits::default());
        let seen = async {
            let mut server = Frames::server(far, Some(settings)).await;
            while let Some(frame) = server.any().await {
                assert_ne!(frame.kind, HEADERS);
            }
        };
        let (begun, ()) = tokio::join!(begun, seen);
        assert!(matches!(begun, Err(Error::Http2Unavailable(_))), "{begun:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_49_nothing_is_asked_before_the_settings_have_come() {
    let (near, far) = duplex(1 << 16);
    let begun = tokio::spawn(Http2Connection::begin(near, Http2Limits::default()));
    let mut server = Frames::server(far, None).await;
    server.answers = false;
    // Its preface is there, and nothing that asks for a stream.
    while let Ok(frame) = tokio::time::timeout(Duration::from_secs(3), server.any()).await {
        assert_ne!(frame.unwrap().kind, HEADERS);
    }
    assert!(!begun.is_finished());
    server.send(crate::frames::SETTINGS, 0, 0, &ENABLE_CONNECT).await;
    begun.await.unwrap().unwrap();
}

#[tokio::test]
async fn row_50_the_end_of_a_stream_is_1006() {
    let (opened, mut server) = opened_by(async |server| {
        server.send(HEADERS, END_HEADERS, 1, OK).await;
    })
    .await;
    let mut socket = opened.unwrap();
    server.send(DATA, END_STREAM, 1, b"").await;
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost(Lost::Ended)), "{error}");
    assert_eq!(error.close_code(), Some(1006));
}

#[tokio::test]
async fn row_50_a_reset_is_an_error() {
    let (opened, mut server) = opened_by(async |server| {
        server.send(HEADERS, END_HEADERS, 1, OK).await;
    })
    .await;
    let mut socket = opened.unwrap();
    server.send(RST_STREAM, 0, 1, &8_u32.to_be_bytes()).await;
    let error = socket.recv().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost(Lost::Broken(_))), "{error}");
    // Before the response too.
    let (opened, _) = opened_by(async |server| {
        server.send(RST_STREAM, 0, 1, &7_u32.to_be_bytes()).await;
    })
    .await;
    assert!(matches!(opened, Err(Error::Opening(_))), "{opened:?}");
}

#[tokio::test]
async fn row_50_what_is_dropped_is_reset_with_cancel() {
    // An open WebSocket.
    let (opened, mut server) = opened_by(async |server| {
        server.send(HEADERS, END_HEADERS, 1, OK).await;
    })
    .await;
    drop(opened.unwrap());
    let reset = server.next(RST_STREAM).await;
    assert_eq!((reset.stream, reset.code()), (1, 8));
    // An opening, at its timeout or because its future is dropped.
    let (connection, mut server) = begin().await;
    let client = client().opening_timeout(Duration::from_millis(10));
    let late = connection.open(&client).await.unwrap_err();
    assert!(matches!(late, Error::OpeningTimeout(_)), "{late}");
    let reset = server.next(RST_STREAM).await;
    assert_eq!((reset.stream, reset.code()), (1, 8));
}

#[tokio::test]
async fn a_response_that_breaks_a_rule_fails_the_handshake() {
    for (header, words) in [
        (("sec-websocket-protocol", "b"), "Sec-WebSocket-Protocol"),
        (("sec-websocket-extensions", "x-other"), "Sec-WebSocket-Extensions"),
    ] {
        let (opened, mut server) = opened_by(async |server| {
            server.headers(0, 1, &[(":status", "200"), header]).await;
        })
        .await;
        let error = opened.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.status(), Some(200));
        assert_eq!(server.next(RST_STREAM).await.code(), 8);
    }
    let (opened, _) = opened_by(async |server| {
        server.headers(0, 1, &[(":status", "200"), ("connection", "upgrade")]).await;
    })
    .await;
    assert!(matches!(opened, Err(Error::Opening(_))), "{opened:?}");
}

#[tokio::test]
async fn row_52_another_status_is_a_refusal_with_the_start_of_its_body() {
    for status in ["302", "401", "404", "503"] {
        let (opened, _) = opened_by(async |server| {
            server.headers(0, 1, &[(":status", "103"), ("x", "y")]).await;
            server.headers(0, 1, &[(":status", status), ("location", "/there")]).await;
            server.send(DATA, END_STREAM, 1, &[b'x'; 10_000]).await;
        })
        .await;
        let Err(Error::Handshake(error)) = opened else { panic!("{opened:?}") };
        assert_eq!(error.status().unwrap().to_string(), status);
        assert_eq!(error.headers().unwrap().get("location"), Some(&b"/there"[..]));
        assert_eq!(error.body(), &[b'x'; 4096]);
    }
}

#[tokio::test]
async fn a_secret_enters_no_table_for_compression() {
    let (connection, mut server) = begin().await;
    let client = client().header("Authorization", "Bearer 1").unwrap();
    let asked = async { server.next(HEADERS).await.payload };
    let (payload, opened) = tokio::join!(asked, async {
        tokio::time::timeout(Duration::from_millis(10), connection.open(&client)).await
    });
    assert!(opened.is_err());
    // RFC 7541 §6.2.3: never indexed, with the name that stands at 23 in the static table.
    assert!(payload.windows(2).any(|bytes| bytes == [0x1f, 0x08]), "{payload:x?}");
}
