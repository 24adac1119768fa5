//! Compressed messages: whatever the parameters and however the bytes are cut, what was sent is
//! received, and nothing grows beyond the limits.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use wskit_proto::closing::State;
use wskit_proto::handshake::{Acceptance, ClientOpening, ClientRequest, Key, ServerOpening};
use wskit_proto::{
    Compression, CompressionMode, Config, Connection, Event, Input, Joined, Kind, Limits, Message,
    Output, PieceEvent, Prepared, ProtocolError, Role, SendError, WindowBits, mask,
};

const CLIENT: Role = Role::Client(|| [0x37, 0xfa, 0x21, 0x3d]);

fn compression(mode: CompressionMode, window_bits: u8, level: u8) -> Compression {
    let window_bits = WindowBits::new(window_bits).unwrap();
    Compression { mode, window_bits, level, message_bytes_min: 1 }
}

/// Two ends that opened a connection with these settings: client and server.
fn open(client: Compression, server: Compression, limits: Limits) -> (Connection, Connection) {
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
    (Connection::with_agreed(CLIENT, config(client), &agreed), server)
}

fn drain(output: &mut Output) -> BytesMut {
    let bytes: BytesMut = output.chunks().flatten().copied().collect();
    output.advance(bytes.len());
    bytes
}

fn shared() -> Compression {
    compression(CompressionMode::Shared, 15, 1)
}

/// A connection of a server that agreed to compression, and the frames of a client that says so.
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

fn any_compression() -> impl Strategy<Value = Compression> {
    let mode = prop_oneof![
        Just(CompressionMode::Off),
        Just(CompressionMode::Shared),
        Just(CompressionMode::Dedicated)
    ];
    (mode, 9..=15u8, 0..=10u8).prop_map(|(mode, bits, level)| compression(mode, bits, level))
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::collection::vec(0..6usize, 0..2000).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|word| {
                [b"one " as &[u8], b"two ", b"three ", b"{\"a\":", b"}, ", b"\xc3\xa9"][word]
                    .to_vec()
            })
            .collect()
    });
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let long = (any::<u8>(), 0..200_000usize).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![3 => words, 2 => noise, 1 => long]
}

#[derive(Clone, Copy, Debug)]
enum How {
    Auto,
    Plain,
    Prepared,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_received_with_every_setting(
        (client, server) in (any_compression(), any_compression()),
        messages in proptest::collection::vec(
            (any_payload(), prop_oneof![Just(How::Auto), Just(How::Plain), Just(How::Prepared)], any::<bool>()),
            1..8,
        ),
        cut_bytes in 1..5000usize,
        in_pieces in any::<bool>(),
    ) {
        let (mut client, mut server) = open(client, server, Limits::default());
        for (payload, how, to_server) in messages {
            let (from, to) = if to_server { (&mut client, &mut server) } else { (&mut server, &mut client) };
            let mut output = Output::default();
            let message = Message::binary(payload.clone());
            match how {
                How::Auto => from.send(message, &mut output).unwrap(),
                How::Plain => from.send_uncompressed(message, &mut output).unwrap(),
                How::Prepared => {
                    let prepared = Prepared::binary(payload.clone());
                    from.send_prepared(&prepared, &mut output).unwrap();
                }
            }
            let wire = drain(&mut output);
            let mut input = Input::new();
            let mut received = Vec::new();
            let mut ends = 0;
            for part in wire.chunks(cut_bytes) {
                input.extend_from_slice(part);
                if in_pieces {
                    while let Some(event) = to.receive_piece(&mut input, &mut output).unwrap() {
                        let PieceEvent::Piece(piece) = event else { panic!("{event:?}") };
                        prop_assert_eq!(piece.kind, Kind::Binary);
                        prop_assert!(piece.payload.len() <= 256 << 10);
                        received.extend_from_slice(&piece.payload);
                        ends += usize::from(piece.last);
                    }
                } else {
                    while let Some(event) = to.receive(&mut input, &mut output).unwrap() {
                        let Event::Binary(whole) = event else { panic!("{event:?}") };
                        received.extend_from_slice(&whole);
                        ends += 1;
                    }
                }
            }
            prop_assert_eq!(ends, 1);
            prop_assert!(received == payload, "{} bytes became {}", payload.len(), received.len());
        }
    }

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
fn long_messages_of_all_kinds_survive_every_level() {
    for level in 0..=10 {
        let settings = compression(CompressionMode::Dedicated, 15, level);
        let (mut client, mut server) = open(settings, settings, Limits::default());
        let mut random = 1u32;
        for letters in [2, 16, 64, 200, 256] {
            let payload: Vec<u8> = (0..700_000)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((random >> 16) % letters) as u8
                })
                .collect();
            let mut output = Output::default();
            client.send(Message::binary(payload.clone()), &mut output).unwrap();
            let mut input = Input::from(drain(&mut output));
            let received = server.receive(&mut input, &mut output).unwrap().unwrap().into_message();
            assert!(received == Message::binary(payload), "level {level}, {letters} letters");
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
    mask(&mut compressed, [0x37, 0xfa, 0x21, 0x3d], 0);
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

#[test]
fn any_number_of_messages_that_do_not_shrink_goes_out() {
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 32) as u8
    };
    for mode in [CompressionMode::Shared, CompressionMode::Dedicated] {
        for (window_bits, level) in [(15, 2), (9, 2), (15, 6), (15, 9)] {
            let ours = compression(mode, window_bits, level);
            let (_, mut server) = open(ours, ours, Limits::default());
            let mut output = Output::default();
            // Beyond the 64 KiB that a compressor has for what has not left it.
            for (len, count) in [(64, 1_200), (1_000, 80), (16_000, 8), (40_000, 4)] {
                for _ in 0..count {
                    let message: Vec<u8> = (0..len).map(|_| next()).collect();
                    server.send(Message::Binary(message.into()), &mut output).unwrap();
                    assert!(drain(&mut output).len() > len);
                }
            }
        }
    }
}

#[test]
fn what_is_short_or_does_not_shrink_goes_out_plain_and_upsets_no_context() {
    let dedicated = compression(CompressionMode::Dedicated, 15, 6);
    let settings = Compression { message_bytes_min: 64, ..dedicated };
    let (mut client, mut server) = open(settings, settings, Limits::default());
    let noise: Vec<u8> = (0..500u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let prose = "the same words again and again, the same words again and again".repeat(3);
    let mut output = Output::default();
    let mut sizes = Vec::new();
    for payload in
        [&prose.as_bytes()[..63], prose.as_bytes(), &noise, prose.as_bytes(), prose.as_bytes()]
    {
        server.send(Message::binary(payload.to_vec()), &mut output).unwrap();
        let mut input = Input::from(drain(&mut output));
        sizes.push((input[0] & 0x40 != 0, input.len()));
        let Some(Event::Binary(received)) = client.receive(&mut input, &mut output).unwrap() else {
            panic!("a binary message");
        };
        assert_eq!(*received, *payload);
    }
    assert_eq!(
        sizes.iter().map(|(compressed, _)| *compressed).collect::<Vec<_>>(),
        [false, true, false, true, true]
    );
    assert!(sizes[4].1 < sizes[3].1, "the context is kept: {sizes:?}");
    let (_, saved) = server.savings();
    assert_eq!(saved.plain_bytes, 3 * prose.len() as u64);
}

#[test]
fn joined_messages_are_sent_as_each_by_itself_would_be() {
    let messages = ["news", "", "other news, and other news, and other news"].map(Prepared::text);
    let joined = Joined::from(messages.to_vec());
    for (one_by_one, together) in [
        (open(shared(), shared(), Limits::default()), open(shared(), shared(), Limits::default())),
        (
            open(shared(), Compression::off(), Limits::default()),
            open(shared(), Compression::off(), Limits::default()),
        ),
    ] {
        for (mut one_by_one, mut together) in
            [(one_by_one.0, together.0), (one_by_one.1, together.1)]
        {
            let (mut expected, mut output) = Default::default();
            messages.iter().for_each(|one| one_by_one.send_prepared(one, &mut expected).unwrap());
            together.send_joined(&joined, &mut output).unwrap();
            assert_eq!(drain(&mut output), drain(&mut expected));
            together.send(Message::Close(None), &mut output).unwrap();
            assert_eq!(together.send_joined(&joined, &mut output), Err(SendError::Closed));
        }
    }
}

#[test]
fn long_joined_messages_are_shared_and_not_copied() {
    let joined = Joined::from(vec![Prepared::binary(vec![7; 30_000]); 2]);
    let places = [(); 2].map(|()| {
        let (_, mut server) = open(shared(), Compression::off(), Limits::default());
        let mut output = Output::default();
        server.send_joined(&joined, &mut output).unwrap();
        assert_eq!((output.len(), output.chunks().count()), (2 * (4 + 30_000), 1));
        output.chunks().next().unwrap().as_ptr()
    });
    assert_eq!(places[0], places[1], "they are joined once");
}

#[test]
fn a_prepared_message_is_compressed_once_for_all() {
    let news =
        Prepared::text("all the news that fits, and all the news that does not fit".repeat(200));
    let mut frames = Vec::new();
    for _ in 0..3 {
        let (_, mut server) = open(shared(), shared(), Limits::default());
        let mut output = Output::default();
        server.send_prepared(&news, &mut output).unwrap();
        frames.push(drain(&mut output));
    }
    assert!(frames.iter().all(|frame| *frame == frames[0] && frame.len() < 400));
    // So long even when compressed that it is shared, not copied.
    let numbers: String = (0..4000_u64).map(|n| (n * n * 48_271 % 99_991).to_string()).collect();
    let long = Prepared::text(numbers);
    let places = [(); 2].map(|()| {
        let (_, mut server) = open(shared(), shared(), Limits::default());
        let mut output = Output::default();
        server.send_prepared(&long, &mut output).unwrap();
        assert!(output.len() < 12_000, "it is compressed");
        output.chunks().last().unwrap().as_ptr()
    });
    assert_eq!(places[0], places[1], "it is compressed once");
    let (_, mut plain) = open(Compression::off(), shared(), Limits::default());
    let mut output = Output::default();
    plain.send_prepared(&news, &mut output).unwrap();
    let shared_memory = output.chunks().last().unwrap().as_ptr();
    let (_, mut plain) = open(Compression::off(), shared(), Limits::default());
    let mut output = Output::default();
    plain.send_prepared(&news, &mut output).unwrap();
    assert_eq!(output.chunks().last().unwrap().as_ptr(), shared_memory, "nothing is copied");
}
