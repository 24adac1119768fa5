//! Compressed messages: whatever the parameters and however the bytes are cut, what was sent is received.

#[path = "common/compressed.rs"]
mod compressed;

use compressed::{compression, drain, open};
use proptest::prelude::*;
use wskit_proto::{
    Compression, CompressionMode, Event, Input, Kind, Limits, Message, Output, PieceEvent, Prepared,
};

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
