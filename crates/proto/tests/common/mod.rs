//! What the tests share: frames written by hand, not by the code under test, and ways to drive a
//! connection.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use bytes::Bytes;
use proptest::test_runner::Config as ProptestConfig;
use wskit_proto::{
    CloseCode, Config, Connection, Input, Kind, Limits, Message, Output, PieceEvent, ProtocolError,
    Role, Text,
};

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;
pub const FIN: u8 = 0x80;

/// The key of every masked frame in the tests. Real ones are unpredictable.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub const SERVER: Role = Role::Server;
pub const CLIENT: Role = Role::Client(|| KEY);
pub const ROLES: [Role; 2] = [SERVER, CLIENT];

/// Whether frames to an end of this role are masked.
pub fn is_masked_to(role: Role) -> bool {
    matches!(role, Role::Server)
}

/// How often a property is tried. What was found stands in tests of its own, not in files.
pub fn tries(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A frame header as RFC 6455 §5.2 draws it.
pub fn header(first: u8, masked: bool, payload_bytes: u64) -> Vec<u8> {
    let mask_bit = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload_bytes {
        0..126 => bytes.push(mask_bit | payload_bytes as u8),
        126..65_536 => {
            bytes.push(mask_bit | 126);
            bytes.extend((payload_bytes as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 127);
            bytes.extend(payload_bytes.to_be_bytes());
        }
    }
    if masked {
        bytes.extend(KEY);
    }
    bytes
}

/// A frame, masked or not.
pub fn frame(first: u8, masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, masked, payload.len() as u64);
    bytes.extend(
        payload.iter().enumerate().map(
            |(place, byte)| {
                if masked { byte ^ KEY[place % 4] } else { *byte }
            },
        ),
    );
    bytes
}

/// A frame as the peer of an end of this role sends it.
pub fn frame_to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, is_masked_to(role), payload)
}

/// A frame as an end of this role sends it.
pub fn frame_from(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, !is_masked_to(role), payload)
}

/// The payload of a Close frame.
pub fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// All that waits in the output.
pub fn waiting(output: &Output) -> Vec<u8> {
    output.chunks().flatten().copied().collect()
}

/// The code in the Close frame that ends `output`, which an end of this role wrote.
pub fn last_close_code(role: Role, output: &Output) -> Option<CloseCode> {
    let mut peer = End::new(if is_masked_to(role) { CLIENT } else { SERVER }, Config::default());
    peer.feed(&waiting(output));
    match peer.events.pop() {
        Some(Message::Close(frame)) => frame.map(|frame| frame.code()),
        _ => None,
    }
}

/// A connection with its buffers and all that came of it.
pub struct End {
    pub connection: Connection,
    pub input: Input,
    pub output: Output,
    pub events: Vec<Message>,
    pub error: Option<ProtocolError>,
    /// The message whose pieces are arriving.
    partial: Option<(Kind, Vec<u8>)>,
}

impl End {
    pub fn new(role: Role, config: Config) -> End {
        End {
            connection: Connection::new(role, config),
            input: Input::new(),
            output: Output::default(),
            events: Vec::new(),
            error: None,
            partial: None,
        }
    }

    pub fn with_limits(role: Role, limits: Limits) -> End {
        End::new(role, Config { limits, ..Config::default() })
    }

    /// Takes in the bytes and whatever whole messages come of them.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        loop {
            match self.connection.receive(&mut self.input, &mut self.output) {
                Ok(Some(event)) => self.events.push(event.into_message()),
                Ok(None) => return,
                Err(error) => assert_eq!(self.error.replace(error), None, "one error is enough"),
            }
        }
    }

    /// Takes in the bytes piece by piece and puts the pieces together.
    pub fn feed_piecewise(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        loop {
            let piece = match self.connection.receive_piece(&mut self.input, &mut self.output) {
                Ok(Some(PieceEvent::Piece(piece))) => piece,
                Ok(Some(PieceEvent::Control(control))) => {
                    self.events.push(control.into_message());
                    continue;
                }
                Ok(None) => return,
                Err(error) => {
                    assert_eq!(self.error.replace(error), None, "one error is enough");
                    continue;
                }
            };
            assert_eq!(piece.first, self.partial.is_none());
            let (kind, message) = self.partial.get_or_insert((piece.kind, Vec::new()));
            assert_eq!(*kind, piece.kind);
            message.extend_from_slice(&piece.payload);
            if piece.last {
                self.events.extend(self.partial.take().map(whole));
            } else {
                assert!(!piece.payload.is_empty());
            }
        }
    }
}

/// The message that the pieces make together.
pub fn whole((kind, payload): (Kind, Vec<u8>)) -> Message {
    let payload = Bytes::from(payload);
    match kind {
        Kind::Binary => Message::Binary(payload),
        Kind::Text => Message::Text(Text::try_from(payload).expect("the pieces are UTF-8")),
    }
}

/// Cuts the bytes into pieces of these lengths, over and over.
pub fn cut<'a>(bytes: &'a [u8], piece_bytes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    for len in piece_bytes.iter().cycle() {
        if rest.is_empty() {
            return pieces;
        }
        let (piece, behind) = rest.split_at((*len).clamp(1, rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
