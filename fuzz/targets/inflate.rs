//! Frames of any bytes, marked as compressed (RFC 7692 §6.2), taken whole and in pieces, however
//! they are cut: nothing panics, nothing grows beyond its limit, and all ways give the same.
#![no_main]

mod common;

use arbitrary::Arbitrary;
use common::{AnyCompression, open};
use libfuzzer_sys::fuzz_target;
use wskit_proto::{Connection, Event, Limits, Output, PieceEvent};

const MESSAGE_BYTES_MAX: u64 = 100_000;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    client: AnyCompression,
    server: AnyCompression,
    frames: Vec<Frame<'a>>,
    /// How many bytes arrive at a time.
    cut_bytes: u16,
}

#[derive(Arbitrary, Debug)]
struct Frame<'a> {
    first_byte: u8,
    payload: &'a [u8],
    /// The payload stands there more than once.
    times: u8,
}

fuzz_target!(|input: Input<'_>| {
    let mut wire = Vec::new();
    for frame in &input.frames {
        // RSV2 and RSV3 always fail, so that nothing would be learnt.
        let payload = frame.payload.repeat(1 + usize::from(frame.times));
        wire.extend_from_slice(&[frame.first_byte & 0xcf]);
        match payload.len() {
            len @ 0..=125 => wire.push(0x80 | len as u8),
            len @ 126..=0xffff => {
                wire.push(0x80 | 126);
                wire.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                wire.push(0x80 | 127);
                wire.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        wire.extend_from_slice(&[0; 4]);
        wire.extend_from_slice(&payload);
    }
    let server = || {
        let limits = Limits {
            message_bytes_max: MESSAGE_BYTES_MAX,
            piecewise_message_bytes_max: MESSAGE_BYTES_MAX,
            ..Limits::default()
        };
        open(input.client.get(), input.server.get(), limits).1
    };
    let cut_bytes = usize::from(input.cut_bytes).max(1);
    let at_once = whole(server(), &wire, wire.len().max(1));
    assert_eq!(at_once, whole(server(), &wire, cut_bytes), "cut and not cut");
    let in_pieces = pieces(server(), &wire, cut_bytes);
    // A text fails in pieces when its first bad byte arrives, which is no later; and a block with
    // BFINAL set begins a context anew that pieces, which are gone, are no part of.
    let common = at_once.0.len().min(in_pieces.0.len());
    assert_eq!(at_once.0[..common], in_pieces.0[..common], "whole and in pieces");
});

/// The messages, and the close code of the failure if there was one.
type Received = (Vec<Vec<u8>>, Option<u16>);

fn whole(mut server: Connection, wire: &[u8], cut_bytes: usize) -> Received {
    let (mut input, mut output, mut messages) =
        (wskit_proto::Input::new(), Output::default(), Vec::new());
    for part in wire.chunks(cut_bytes) {
        input.extend_from_slice(part);
        loop {
            match server.receive(&mut input, &mut output) {
                Ok(None) => break,
                Ok(Some(Event::Text(text))) => messages.push(text.as_bytes().to_vec()),
                Ok(Some(Event::Binary(bytes))) => messages.push(bytes.to_vec()),
                Ok(Some(Event::Control(_))) => {}
                Err(error) => return (messages, Some(error.close_code().number())),
            }
            let len = messages.last().map_or(0, Vec::len) as u64;
            assert!(len <= MESSAGE_BYTES_MAX);
        }
    }
    (messages, None)
}

fn pieces(mut server: Connection, wire: &[u8], cut_bytes: usize) -> Received {
    let (mut input, mut output) = (wskit_proto::Input::new(), Output::default());
    let (mut messages, mut message) = (Vec::new(), Vec::new());
    for part in wire.chunks(cut_bytes) {
        input.extend_from_slice(part);
        loop {
            match server.receive_piece(&mut input, &mut output) {
                Ok(None) => break,
                Ok(Some(PieceEvent::Piece(piece))) => {
                    assert!(piece.payload.len() <= 256 << 10);
                    message.extend_from_slice(&piece.payload);
                    assert!(message.len() as u64 <= MESSAGE_BYTES_MAX);
                    if piece.last {
                        messages.push(std::mem::take(&mut message));
                    }
                }
                Ok(Some(PieceEvent::Control(_))) => {}
                Err(error) => return (messages, Some(error.close_code().number())),
            }
        }
    }
    (messages, None)
}
