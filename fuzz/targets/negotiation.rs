//! Any bytes as `Sec-WebSocket-Extensions`, in a request and in a response (RFC 7692 §5 and §7.1).
#![no_main]

mod common;

use bytes::{Bytes, BytesMut};
use common::{AnyCompression, drain, opening};
use libfuzzer_sys::fuzz_target;
use wskit_proto::handshake::{Acceptance, Agreed, DeflateParameters, ServerOpening};
use wskit_proto::{Compression, CompressionMode, Output, WindowBits};

fuzz_target!(|input: (AnyCompression, AnyCompression, &[u8])| {
    let (client, server, extensions) = (input.0.get(), input.1.get(), input.2);
    request(client, server, extensions);
    response(client, extensions);
});

/// Whatever is offered, what the server agrees to is in its power, and its own words for it are
/// understood as it meant them by a client that could have made the offer.
fn request(client: Compression, server: Compression, extensions: &[u8]) {
    let lines: [&[u8]; 3] = [
        b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        b"Sec-WebSocket-Key: BwcHBwcHBwcHBwcHBwcHBw==\r\nSec-WebSocket-Version: 13\r\n",
        b"Sec-WebSocket-Extensions: ",
    ];
    let mut input = BytesMut::from(&[&lines.concat(), extensions, b"\r\n\r\n"].concat()[..]);
    let Ok(Some(offer)) = ServerOpening::default().receive(&mut input) else { return };
    let mut output = Output::default();
    let agreed = offer.accept(Acceptance::default(), &server, &mut output);
    let Some(deflate) = check(&agreed, server) else { return };
    assert!(deflate.server_max_window_bits >= WindowBits::COMPRESSIBLE_MIN);
    assert!(deflate.server_max_window_bits <= server.window_bits);
    let mut response = drain(&mut output);
    if let Ok(agreed) = opening(client).receive(&mut response) {
        let agreed = agreed.expect("the response is whole");
        let understood = agreed.deflate.expect("what was agreed");
        assert_eq!(understood.server_no_context_takeover, deflate.server_no_context_takeover);
        assert_eq!(understood.server_max_window_bits, deflate.server_max_window_bits);
        assert!(understood.client_no_context_takeover || !deflate.client_no_context_takeover);
        assert!(understood.client_max_window_bits <= deflate.client_max_window_bits);
    }
}

/// Whatever a server answers, what the client agrees to is no more than it offered.
fn response(client: Compression, extensions: &[u8]) {
    let mut opening = opening(client);
    let accept = opening.key().accept().to_string();
    let lines: [&[u8]; 4] = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        b"Sec-WebSocket-Accept: ",
        accept.as_bytes(),
        b"\r\nSec-WebSocket-Extensions: ",
    ];
    let mut input = BytesMut::from(&[&lines.concat(), extensions, b"\r\n\r\n"].concat()[..]);
    let Ok(Some(agreed)) = opening.receive(&mut input) else { return };
    let Some(deflate) = check(&agreed, client) else { return };
    assert!(deflate.client_max_window_bits <= client.window_bits);
    assert!(deflate.server_max_window_bits <= client.window_bits);
    if client.mode == CompressionMode::Shared {
        assert!(deflate.server_no_context_takeover && deflate.client_no_context_takeover);
    }
}

fn check(agreed: &Agreed, own: Compression) -> Option<DeflateParameters> {
    assert_eq!(agreed.deflate.is_some(), !agreed.extensions().is_empty());
    let deflate = agreed.deflate?;
    assert_ne!(own.mode, CompressionMode::Off);
    let written = agreed.extensions()[0].to_string();
    assert!(Bytes::from(written).starts_with(b"permessage-deflate"));
    Some(deflate)
}
