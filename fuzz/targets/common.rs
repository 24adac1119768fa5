//! What the targets share: settings that a fuzzer can choose, and two ends with them.

// Each target uses a part of this.
#![allow(dead_code)]

use arbitrary::Arbitrary;
use bytes::BytesMut;
use wskit_proto::handshake::{Acceptance, ClientOpening, ClientRequest, Key, ServerOpening};
use wskit_proto::{
    Compression, CompressionMode, Config, Connection, Limits, Output, Role, WindowBits,
};

pub(crate) const CLIENT: Role = Role::Client(|| [0x37, 0xfa, 0x21, 0x3d]);

/// Any [`Compression`].
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct AnyCompression {
    mode: Mode,
    window_bits: u8,
    level: u8,
    message_bytes_min: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Mode {
    Off,
    Shared,
    Dedicated,
}

impl AnyCompression {
    pub(crate) fn get(self) -> Compression {
        Compression {
            mode: match self.mode {
                Mode::Off => CompressionMode::Off,
                Mode::Shared => CompressionMode::Shared,
                Mode::Dedicated => CompressionMode::Dedicated,
            },
            window_bits: WindowBits::new(8 + self.window_bits % 8).unwrap(),
            level: self.level % 12,
            message_bytes_min: self.message_bytes_min.into(),
        }
    }
}

pub(crate) fn opening(compression: Compression) -> ClientOpening {
    let mut request = ClientRequest::new("example.com", "/").unwrap();
    request.set_compression(compression);
    ClientOpening::new(request, Key::from_entropy([7; 16]))
}

/// Two ends that opened a connection with these settings: client and server.
pub(crate) fn open(
    client: Compression,
    server: Compression,
    limits: Limits,
) -> (Connection, Connection) {
    let mut opening = opening(client);
    let mut input = BytesMut::from(opening.request_bytes());
    let offer = ServerOpening::default().receive(&mut input).unwrap().unwrap();
    let mut output = Output::default();
    let agreed = offer.accept(Acceptance::default(), &server, &mut output);
    let config = |compression| Config { compression, limits, ..Config::default() };
    let server = Connection::with_agreed(Role::Server, config(server), &agreed);
    let mut input = drain(&mut output);
    let agreed = opening.receive(&mut input).unwrap().unwrap();
    (Connection::with_agreed(CLIENT, config(client), &agreed), server)
}

pub(crate) fn drain(output: &mut Output) -> BytesMut {
    let bytes: BytesMut = output.chunks().flatten().copied().collect();
    output.advance(bytes.len());
    bytes
}
