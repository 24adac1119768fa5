//! Frames that a server must not send (RFC 6455 §5), and servers that close badly or not at all (§7).

use std::net::Shutdown;
use std::time::{Duration, Instant};

use wskit::{Client, CloseCode, Error, Message, Timeouts};

use crate::script::{CLOSE, PING, PONG, SHORT, Script, TEXT, frame, within_patience};

#[tokio::test]
async fn row_24_masked_server_frames_are_1002() {
    for opcode in [TEXT, 2, CLOSE, PING, PONG] {
        client_fails(1002, &[0x80 | opcode, 0x80, 1, 2, 3, 4]).await;
    }
}

#[tokio::test]
async fn row_25_reserved_bits_are_1002() {
    for bits in 1..=7 {
        client_fails(1002, &[0x80 | bits << 4 | TEXT, 1, b'x']).await;
    }
}

#[tokio::test]
async fn row_26_reserved_opcodes_are_1002() {
    for opcode in (3..=7).chain(11..=15) {
        client_fails(1002, &[0x80 | opcode, 0]).await;
    }
}

#[tokio::test]
async fn row_27_control_frames_fragmented_or_longer_than_125_are_1002() {
    for opcode in [CLOSE, PING, PONG] {
        client_fails(1002, &[opcode, 0]).await;
        client_fails(1002, &[0x80 | opcode, 126]).await;
    }
}

#[tokio::test]
async fn row_30_lengths_beyond_63_bits_or_the_limit_fail_on_the_header_alone() {
    client_fails(1002, &[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]).await;
    client_fails(1009, &[0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).await;
}

#[tokio::test]
async fn row_39_frames_after_the_servers_close_are_ignored() {
    let server = Script::play(|peer| {
        let late =
            [frame(TEXT, b"late"), frame(PING, b"late"), frame(CLOSE, &[3, 233]), vec![0xff, 0xff]]
                .concat();
        peer.open([frame(CLOSE, &[3, 232]), late].concat());
        assert_eq!(peer.frame(), Some((CLOSE, vec![3, 232])));
        peer.stream.shutdown(Shutdown::Write).ok();
        assert_eq!(peer.frame(), None, "a frame after the client's Close frame");
    });
    let mut socket = Client::new(&server.url).unwrap().connect().await.unwrap();
    let first = within_patience(socket.recv()).await;
    assert!(matches!(first, Some(Ok(Message::Close(Some(_))))), "{first:?}");
    let second = within_patience(socket.recv()).await;
    assert!(second.is_none(), "{second:?}");
    drop(socket);
    server.finish();
}

#[tokio::test]
async fn row_42_servers_that_vanish_are_told_apart_from_servers_that_close() {
    // FIN between messages, within a message, within a frame; each after a message that still arrives.
    for left_behind in [vec![], vec![TEXT, 1, b'x'], vec![0x80 | TEXT, 100, b'x']] {
        let server =
            Script::play(move |peer| peer.open([frame(TEXT, b"last words"), left_behind].concat()));
        let mut socket = Client::new(&server.url).unwrap().connect().await.unwrap();
        let message = within_patience(socket.recv()).await;
        assert!(matches!(message, Some(Ok(Message::Text(_)))), "{message:?}");
        let end = within_patience(socket.recv()).await;
        assert!(matches!(end, Some(Err(_))), "{end:?}");
        let nothing = within_patience(socket.recv()).await;
        assert!(nothing.is_none(), "{nothing:?}");
        server.finish();
    }

    // No reply to the client's Close frame: given up after the close timeout.
    let server = Script::play(|peer| {
        peer.open([]);
        assert_eq!(peer.frame(), Some((CLOSE, [&[3, 232], &b"bye"[..]].concat())));
        assert_eq!(peer.frame(), None, "the client must end the TCP connection");
    });
    let mut socket = impatient(&server.url).connect().await.unwrap();
    let started = Instant::now();
    let _ = within_patience(socket.close(CloseCode::NORMAL, "bye")).await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    drop(socket);
    server.finish();

    // A black hole: the keepalive ping is not answered.
    let server = Script::play(|peer| {
        peer.open([]);
        assert_eq!(peer.frame().map(|(opcode, _)| opcode), Some(PING));
        while peer.frame().is_some() {}
    });
    let mut socket = impatient(&server.url).connect().await.unwrap();
    let end = within_patience(socket.recv()).await;
    assert!(matches!(end, Some(Err(_))), "{end:?}");
    drop(socket);
    server.finish();
}

/// The client fails the connection on these bytes: the application gets the error, the server a Close frame with
/// the same code, and then the end.
async fn client_fails(code: u16, bytes: &[u8]) {
    let bytes = bytes.to_owned();
    let server = Script::play(move |peer| {
        peer.open(bytes);
        let (opcode, payload) = peer.frame().expect("a Close frame");
        assert_eq!((opcode, payload.first_chunk()), (CLOSE, Some(&code.to_be_bytes())));
        peer.stream.shutdown(Shutdown::Write).ok();
        peer.wait_for_end();
    });
    let mut socket = Client::new(&server.url).unwrap().connect().await.unwrap();
    match within_patience(socket.recv()).await {
        Some(Err(error @ Error::Protocol(_))) => assert_eq!(error.close_code(), Some(code)),
        other => panic!("{other:?}"),
    }
    let nothing = within_patience(socket.recv()).await;
    assert!(nothing.is_none(), "{nothing:?}");
    drop(socket);
    server.finish();
}

/// A client whose timeouts a test can wait for.
fn impatient(url: &str) -> Client {
    Client::new(url).unwrap().timeouts(Timeouts {
        keepalive_interval: Some(SHORT),
        keepalive_timeout: SHORT,
        close_timeout: SHORT,
        ..Timeouts::default()
    })
}
