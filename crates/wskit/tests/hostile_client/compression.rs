//! Responses that agree to compression in a way that was not offered (RFC 7692 §7.1), and broken data.

use std::net::Shutdown;

use wskit::proto::handshake::{Check, ResponseError};
use wskit::{Client, Compression, CompressionMode, Error, Message, WindowBits};

use crate::script::{CLOSE, Script, TEXT, accept, frame, response_with, within_patience};

const SHARED: CompressionMode = CompressionMode::Shared;
const DEDICATED: CompressionMode = CompressionMode::Dedicated;

/// "Hello" as RFC 7692 §7.2.3.1 compresses it, and as it refers to a "Hello" before (§7.2.3.2).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const HELLO_AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

#[tokio::test]
async fn row_14_responses_that_were_not_offered_fail_the_handshake() {
    // What was asked of the server is not confirmed.
    for (mode, bits, parameters) in [
        (SHARED, 15, ""),
        (SHARED, 15, "; client_no_context_takeover"),
        (SHARED, 10, "; server_no_context_takeover"),
        (SHARED, 10, "; server_max_window_bits=10"),
        (DEDICATED, 10, ""),
        (DEDICATED, 10, "; server_max_window_bits=11"),
        (DEDICATED, 10, "; client_max_window_bits=10"),
    ] {
        assert_fails(&format!("permessage-deflate{parameters}"), Some((mode, bits))).await;
    }
    // All that was asked is confirmed, but not only that.
    for parameters in [
        "; server_max_window_bits",
        "; server_max_window_bits=0",
        "; server_max_window_bits=7",
        "; server_max_window_bits=16",
        "; server_max_window_bits=256",
        "; server_max_window_bits=010",
        "; server_max_window_bits=-9",
        "; server_max_window_bits=ten",
        "; server_max_window_bits=99999999999999999999999",
        "; client_max_window_bits",
        "; client_max_window_bits=7",
        "; client_max_window_bits=16",
        "; client_max_window_bits=08",
        "; server_no_context_takeover=1",
        "; client_no_context_takeover=0",
        "; server_max_window_bits=10; server_max_window_bits=10",
        "; client_max_window_bits=10; client_max_window_bits=9",
        "; client_no_context_takeover; client_no_context_takeover",
        "; unknown",
        "; unknown=1",
        ", permessage-deflate",
        ", x-unknown",
        ";",
        "; =1",
    ] {
        let agreed = format!("permessage-deflate; server_no_context_takeover{parameters}");
        assert_fails(&agreed, Some((SHARED, 15))).await;
        assert_fails(&agreed, Some((DEDICATED, 15))).await;
    }
    for other in ["x-unknown", "permessage-bzip2", "Permessage-Deflate", "x-webkit-deflate-frame"] {
        assert_fails(other, Some((SHARED, 15))).await;
        assert_fails(other, Some((DEDICATED, 15))).await;
    }
    let twice = "permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate";
    assert_fails(twice, Some((DEDICATED, 15))).await;
    assert_fails("permessage-deflate", None).await;
}

#[tokio::test]
async fn row_14_a_window_too_small_to_compress_in_leaves_the_client_sending_plain() {
    for (agreed, mode, is_compressed) in [
        ("; client_max_window_bits=8", DEDICATED, false),
        ("; server_no_context_takeover; client_max_window_bits=8", SHARED, false),
        ("; client_max_window_bits=9", DEDICATED, true),
        ("; server_max_window_bits=8", DEDICATED, true),
        ("; server_no_context_takeover; client_max_window_bits=\"15\"", SHARED, true),
        ("; client_no_context_takeover; server_max_window_bits=9", DEDICATED, true),
    ] {
        let response = format!("Sec-WebSocket-Extensions: permessage-deflate{agreed}");
        let server = Script::play(move |peer| {
            let key = peer.key();
            let head = response_with("", &response).replace("ACCEPT", &accept(&key));
            // What the server compresses is inflated all the same.
            peer.send([head.as_bytes(), &frame(0x40 | TEXT, HELLO)].concat());
            let (first, payload) = peer.frame_as_it_is().expect("a message");
            assert_eq!(first, if is_compressed { 0xc1 } else { 0x81 }, "{response}");
            assert_eq!(payload == "x".repeat(100).as_bytes(), !is_compressed);
            peer.send(frame(CLOSE, &[3, 232]));
            peer.stream.shutdown(Shutdown::Write).ok();
            peer.wait_for_end();
        });
        let mut socket = client(&server.url, Some((mode, 15))).connect().await.unwrap();
        assert_eq!(within_patience(socket.recv()).await.unwrap().unwrap(), Message::text("Hello"));
        socket.send("x".repeat(100)).await.unwrap();
        assert!(within_patience(socket.recv()).await.unwrap().unwrap().is_close());
        drop(socket);
        server.finish();
    }
}

#[tokio::test]
async fn row_45_broken_data_and_contexts_that_were_not_to_be_kept_are_1007() {
    for (mode, agreed, payloads) in [
        (SHARED, "; server_no_context_takeover", vec![HELLO, HELLO_AGAIN]),
        (DEDICATED, "; server_no_context_takeover", vec![HELLO, HELLO_AGAIN]),
        (DEDICATED, "", vec![HELLO_AGAIN]),
        (DEDICATED, "", vec![HELLO, HELLO_AGAIN, b"\x07"]),
    ] {
        let response = format!("Sec-WebSocket-Extensions: permessage-deflate{agreed}");
        let frames: Vec<_> = payloads.iter().map(|payload| frame(0x40 | TEXT, payload)).collect();
        let server = Script::play(move |peer| {
            let key = peer.key();
            let head = response_with("", &response).replace("ACCEPT", &accept(&key));
            peer.send([head.as_bytes(), &frames.concat()].concat());
            let (opcode, payload) = peer.frame().expect("a Close frame");
            assert_eq!((opcode, payload.first_chunk()), (CLOSE, Some(&1007u16.to_be_bytes())));
            peer.stream.shutdown(Shutdown::Write).ok();
            peer.wait_for_end();
        });
        let mut socket = client(&server.url, Some((mode, 15))).connect().await.unwrap();
        for _ in &payloads[1..] {
            let message = within_patience(socket.recv()).await.unwrap();
            assert_eq!(message.unwrap(), Message::text("Hello"));
        }
        match within_patience(socket.recv()).await {
            Some(Err(error @ Error::Protocol(_))) => assert_eq!(error.close_code(), Some(1007)),
            other => panic!("{other:?}"),
        }
        drop(socket);
        server.finish();
    }
}

/// A client that offers compression like this, or none.
fn client(url: &str, offer: Option<(CompressionMode, u8)>) -> Client {
    let (mode, bits) = offer.unwrap_or((CompressionMode::Off, 15));
    let window_bits = WindowBits::new(bits).unwrap();
    let compression = Compression { mode, window_bits, ..Compression::default() };
    Client::new(url).unwrap().compression(compression)
}

/// The handshake fails because of the extensions that the server names.
async fn assert_fails(extensions: &str, offer: Option<(CompressionMode, u8)>) {
    let response = response_with("", &format!("Sec-WebSocket-Extensions: {extensions}"));
    let server = Script::play(move |peer| {
        let key = peer.key();
        peer.send(response.replace("ACCEPT", &accept(&key)));
        peer.wait_for_end();
    });
    let outcome = within_patience(client(&server.url, offer).connect()).await.map(drop);
    let is_for_extensions = matches!(
        &outcome,
        Err(Error::Handshake(error))
            if matches!(**error, ResponseError::Check { check: Check::Extensions, .. })
    );
    assert!(is_for_extensions, "{extensions}, offered {offer:?}: {outcome:?}");
    server.finish();
}
