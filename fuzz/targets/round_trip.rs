//! Any messages between ends with any settings (RFC 7692 §7.2): what is sent is received.
#![no_main]

mod common;

use arbitrary::Arbitrary;
use common::{AnyCompression, drain, open};
use libfuzzer_sys::fuzz_target;
use wskit_proto::{Event, Limits, Message, Output, PieceEvent, Prepared};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    client: AnyCompression,
    server: AnyCompression,
    messages: Vec<Sent<'a>>,
    /// How many bytes arrive at a time.
    cut_bytes: u16,
}

#[derive(Arbitrary, Debug)]
struct Sent<'a> {
    payload: &'a [u8],
    /// The payload stands there more than once, each time with its first byte changed.
    times: u8,
    how: How,
    to_server: bool,
    in_pieces: bool,
}

#[derive(Arbitrary, Debug)]
enum How {
    Auto,
    Plain,
    Prepared,
}

fuzz_target!(|input: Input<'_>| {
    let (client, server) = (input.client.get(), input.server.get());
    let (mut client, mut server) = open(client, server, Limits::default());
    let cut_bytes = usize::from(input.cut_bytes).max(1);
    for sent in &input.messages {
        let (from, to) =
            if sent.to_server { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let mut payload = Vec::new();
        for time in 0..=sent.times {
            payload.push(time);
            payload.extend_from_slice(sent.payload);
        }
        let mut output = Output::default();
        let message = Message::binary(payload.clone());
        match sent.how {
            How::Auto => from.send(message, &mut output).unwrap(),
            How::Plain => from.send_uncompressed(message, &mut output).unwrap(),
            How::Prepared => {
                from.send_prepared(&Prepared::binary(payload.clone()), &mut output).unwrap();
            }
        }
        let (mut arrived, mut received, mut ends) = (wskit_proto::Input::new(), Vec::new(), 0);
        for part in drain(&mut output).chunks(cut_bytes) {
            arrived.extend_from_slice(part);
            if sent.in_pieces {
                while let Some(event) = to.receive_piece(&mut arrived, &mut output).unwrap() {
                    let PieceEvent::Piece(piece) = event else { panic!("{event:?}") };
                    received.extend_from_slice(&piece.payload);
                    ends += usize::from(piece.last);
                }
            } else {
                while let Some(event) = to.receive(&mut arrived, &mut output).unwrap() {
                    let Event::Binary(whole) = event else { panic!("{event:?}") };
                    received.extend_from_slice(&whole);
                    ends += 1;
                }
            }
        }
        assert_eq!(ends, 1);
        assert!(received == payload, "{} bytes became {}", payload.len(), received.len());
    }
});
