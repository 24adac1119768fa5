//! Two ends of a connection that compresses.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use bytes::BytesMut;
use wskit_proto::handshake::{Acceptance, ClientOpening, ClientRequest, Key, ServerOpening};
use wskit_proto::{
    Compression, CompressionMode, Config, Connection, Limits, Output, Role, WindowBits,
};

/// The key of every masked frame. Real ones are unpredictable.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub fn compression(mode: CompressionMode, window_bits: u8, level: u8) -> Compression {
    let window_bits = WindowBits::new(window_bits).unwrap();
    Compression { mode, window_bits, level, message_bytes_min: 1 }
}

pub fn shared() -> Compression {
    compression(CompressionMode::Shared, 15, 1)
}

/// Two ends that opened a connection with these settings: client and server.
pub fn open(client: Compression, server: Compression, limits: Limits) -> (Connection, Connection) {
    let mut request = ClientRequest::new("example.com", "/").unwrap();
    request.set_compression(client);
    let mut opening = ClientOpening::new(request, Key::from_entropy([7; 16]));
    let mut input = BytesMut::from(opening.request_bytes());
    let offer = ServerOpening::default().receive(&mut input).unwrap().unwrap();
    let mut output = Output::default();
    let agreed = offer.accept(Acceptance::default(), &server, &mut output);
    let config = |compression| Config { compression, limits, ..Config::default() };
    let server = Connection::with_agreed(Role::Server, config(server), &agreed);
    let mut input = drain(&mut output);
    let agreed = opening.receive(&mut input).unwrap().unwrap();
    (Connection::with_agreed(Role::Client(|| KEY), config(client), &agreed), server)
}

/// What leaves.
pub fn drain(output: &mut Output) -> BytesMut {
    let bytes: BytesMut = output.chunks().flatten().copied().collect();
    output.advance(bytes.len());
    bytes
}
