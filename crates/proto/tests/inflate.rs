//! Compressed messages as peers may send them: what is right is understood, what is wrong fails, and nothing grows beyond
//! the limits.

#[path = "common/compressed.rs"]
mod compressed;

use bytes::{Bytes, BytesMut};
use compressed::{KEY, compression, drain, open, shared};
use proptest::prelude::*;
use wskit_proto::closing::State;
use wskit_proto::{
    Compression, CompressionMode, Connection, Event, Input, Limits, Message, Output, ProtocolError,
    mask,
};

/// A connection of a server that agreed to compression.
fn server(limits: Limits) -> Connection {
    open(shared(), shared(), limits).1
}

/// A client's frame, with an empty masking key, of a payload that is compressed already.
fn frame(first_byte: u8, payload: &[u8]) -> BytesMut {
    let mut frame = BytesMut::from(&[first_byte, 0x80 | 126][..]);
    frame.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    if payload.len() < 126 {
        frame.truncate(1);
        frame.extend_from_slice(&[0x80 | payload.len() as u8]);
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn receive(server: &mut Connection, input: BytesMut) -> Result<Option<Message>, ProtocolError> {
    let mut input = Input::from(input);
    let event = server.receive(&mut input, &mut Output::default())?;
    Ok(event.map(Event::into_message))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_deflate_panics_or_crosses_the_limit(
        payload in proptest::collection::vec(any::<u8>(), 0..400),
        in_pieces in any::<bool>(),
    ) {
        let limits = Limits { message_bytes_max: 10_000, ..Limits::default() };
        let mut server = server(limits);
        let mut input = Input::from(frame(0xc2, &payload));
        let mut output = Output::default();
        if in_pieces {
            while let Ok(Some(_)) = server.receive_piece(&mut input, &mut output) {}
        } else if let Ok(Some(Event::Binary(message))) = server.receive(&mut input, &mut output) {
            prop_assert!(message.len() <= 10_000);
        }
    }
}

#[test]
fn the_examples_of_the_rfc_are_understood() {
    // RFC 7692 §7.2.3: one block, a stored block, a block with BFINAL set, two blocks.
    let examples: [&[u8]; 4] = [
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
    ];
    for example in examples {
        let mut server = server(Limits::default());
        for _ in 0..2 {
            let message = receive(&mut server, frame(0xc1, example));
            assert_eq!(message, Ok(Some(Message::text("Hello"))), "{example:x?}");
        }
    }
    assert_eq!(
        receive(&mut server(Limits::default()), frame(0xc1, b"\x00")),
        Ok(Some(Message::text("")))
    );
}

#[test]
fn a_message_that_is_cut_within_a_block_is_not_whole() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for len in 1..hello.len() - 1 {
        let message = receive(&mut server(Limits::default()), frame(0xc1, &hello[..len]));
        assert_eq!(message, Err(ProtocolError::InvalidDeflate), "{len} bytes of it");
    }
}

#[test]
fn a_message_of_very_many_streams_fails() {
    for (streams, fits) in [(1000, true), (2000, false)] {
        // Each is a block of fixed codes with BFINAL set that holds nothing.
        let message =
            receive(&mut server(Limits::default()), frame(0xc1, &b"\x03\x00".repeat(streams)));
        assert_eq!(message.is_ok(), fits);
    }
}

#[test]
fn a_context_is_kept_where_it_was_agreed() {
    let dedicated = compression(CompressionMode::Dedicated, 15, 1);
    let (_, mut server) = open(dedicated, dedicated, Limits::default());
    // RFC 7692 §7.2.3.2: the second message refers to the first.
    let hello = Ok(Some(Message::text("Hello")));
    assert_eq!(receive(&mut server, frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00")), hello);
    assert_eq!(receive(&mut server, frame(0xc1, b"\xf2\x00\x11\x00\x00")), hello);
}

#[test]
fn an_empty_message_of_which_nothing_was_made_upsets_no_context() {
    let dedicated = compression(CompressionMode::Dedicated, 15, 1);
    for mode in [shared(), dedicated] {
        let (_, mut server) = open(mode, mode, Limits::default());
        for _ in 0..3 {
            let empty = receive(&mut server, frame(0xc1, b""));
            assert_eq!(empty, Ok(Some(Message::text(""))));
            let hello = receive(&mut server, frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00"));
            assert_eq!(hello, Ok(Some(Message::text("Hello"))));
        }
        let saved = server.savings().0;
        assert_eq!((saved.plain_bytes, saved.compressed_bytes), (15, 21));
    }
}

#[test]
fn a_reference_to_a_message_that_was_not_to_be_kept_fails() {
    let mut server = server(Limits::default());
    assert!(receive(&mut server, frame(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00")).is_ok());
    let refers = receive(&mut server, frame(0xc1, b"\xf2\x00\x11\x00\x00"));
    assert_eq!(refers, Err(ProtocolError::InvalidDeflate));
}

#[test]
fn control_frames_stand_between_compressed_fragments() {
    let mut server = server(Limits::default());
    let mut input = Input::from(frame(0x41, b"\xf2\x48\xcd"));
    input.extend_from_slice(&frame(0x89, b"?"));
    input.extend_from_slice(&frame(0x80, b"\xc9\xc9\x07\x00"));
    let mut output = Output::default();
    let ping = server.receive(&mut input, &mut output).unwrap().map(Event::into_message);
    assert_eq!(ping, Some(Message::Ping(Bytes::from_static(b"?"))));
    let text = server.receive(&mut input, &mut output).unwrap().map(Event::into_message);
    assert_eq!(text, Some(Message::text("Hello")));
}

#[test]
fn the_first_reserved_bit_stands_on_the_first_frame_of_a_message_only() {
    for wrong in [0xc9, 0xca, 0xc8] {
        let error = receive(&mut server(Limits::default()), frame(wrong, b""));
        assert_eq!(error, Err(ProtocolError::ReservedBits));
    }
    let mut server = server(Limits::default());
    let mut input = frame(0x41, b"\xf2\x48\xcd");
    input.extend_from_slice(&frame(0xc0, b"\xc9\xc9\x07\x00"));
    assert_eq!(receive(&mut server, input), Err(ProtocolError::ReservedBits));
    let (_, mut without) = open(Compression::off(), shared(), Limits::default());
    assert_eq!(receive(&mut without, frame(0xc1, b"\x00")), Err(ProtocolError::ReservedBits));
}

#[test]
fn a_message_may_be_as_long_as_the_limit_once_inflated_and_no_longer() {
    let limits = Limits { message_bytes_max: 100_000, ..Limits::default() };
    for (len, fits) in [(100_000, true), (100_001, false), (50_000_000, false)] {
        let (mut client, mut server) = open(shared(), shared(), limits);
        let mut output = Output::default();
        client.send(Message::binary(vec![0; len]), &mut output).unwrap();
        let mut input = Input::from(drain(&mut output));
        assert!(input.len() < len / 100);
        let received = server.receive(&mut input, &mut output).map(|event| event.is_some());
        match received {
            Ok(whole) => assert!(whole && fits),
            Err(error) => {
                assert!(!fits);
                assert_eq!(error.close_code().number(), 1009);
                assert_eq!(server.state(), State::Failed);
            }
        }
    }
}

/// Found by fuzzing: what was inflated before the second fault depended on how the bytes arrived.
#[test]
fn a_message_with_two_faults_fails_in_the_same_way_however_it_is_cut() {
    let limits = Limits { message_bytes_max: 100_000, ..Limits::default() };
    // Two stored blocks and one that crosses the limit, and then a reserved opcode.
    let stored = |len: u16| {
        let mut block = vec![0];
        block.extend_from_slice(&len.to_le_bytes());
        block.extend_from_slice(&(!len).to_le_bytes());
        block.resize(block.len() + usize::from(len), b'x');
        block
    };
    let (mut client, _) = open(shared(), shared(), limits);
    let mut output = Output::default();
    client.send(Message::binary(vec![b'x'; 60_000]), &mut output).unwrap();
    let mut compressed = drain(&mut output).split_off(6);
    mask(&mut compressed, KEY, 0);
    let mut wire = frame(0x42, &stored(60_000));
    wire.unsplit(frame(0x00, &[&stored(10_000)[..], &compressed].concat()));
    wire.unsplit(frame(0x8F, b""));
    let expected = receive(&mut server(limits), wire.clone());
    assert!(matches!(expected, Err(ProtocolError::ReservedOpcode(15))), "{expected:?}");
    for cut_bytes in [1, 1000, 65_000, 70_000] {
        let mut server = server(limits);
        let mut input = Input::new();
        let mut parts = wire.chunks(cut_bytes);
        let failed = loop {
            input.extend_from_slice(parts.next().expect("it fails before the end"));
            match server.receive(&mut input, &mut Output::default()) {
                Ok(None) => {}
                other => break other.map(|_| ()),
            }
        };
        assert_eq!(failed, expected.clone().map(|_| ()), "cut after each {cut_bytes}");
    }
}

#[test]
fn compressed_text_has_to_be_utf8_too() {
    let (mut client, mut server) = open(shared(), shared(), Limits::default());
    for (bytes, valid) in
        [(&b"caf\xc3\xa9caf\xc3\xa9caf\xc3\xa9"[..], true), (b"caf\xc3caf\xc3caf\xc3", false)]
    {
        let mut output = Output::default();
        client.send(Message::binary(Bytes::from_static(bytes)), &mut output).unwrap();
        let mut input = drain(&mut output);
        // The client masks with a known key, so that a binary message can be made a text.
        input[0] = input[0] & 0xf0 | 1;
        let received = receive(&mut server, input);
        assert_eq!(received.is_ok(), valid);
    }
}
