//! Any bytes, masked with any key: they are text where the standard library says so, at once and as
//! they arrive in pieces, and nothing else is done to them.
#![no_main]

use arbitrary::Arbitrary;
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use wskit_proto::{Payload, Utf8Validator, mask};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    key: [u8; 4],
    bytes: &'a [u8],
    /// The bytes stand there more than once, for vectors are long.
    times: u8,
    piece_bytes: u8,
}

fuzz_target!(|input: Input<'_>| {
    let bytes = input.bytes.repeat(1 + usize::from(input.times));
    let expected = std::str::from_utf8(&bytes);

    let mut masked = BytesMut::from(&bytes[..]);
    mask(&mut masked, input.key, 0);
    let len = masked.len();
    let text = Payload::front_of(&mut masked, len).unmask_into_text(input.key);
    assert_eq!(text.as_deref().ok(), expected.ok(), "at once");

    let piece_bytes = usize::from(input.piece_bytes).max(1);
    let mut arrived = wskit_proto::Input::new();
    let goes_on = bytes.chunks(piece_bytes).all(|piece| {
        let start = arrived.len();
        let mut masked = piece.to_vec();
        mask(&mut masked, input.key, start);
        arrived.extend_from_slice(&masked);
        arrived.unmask_text(start..start + piece.len(), input.key, start).is_ok()
    });
    let text = arrived.text_in_front(len);
    assert_eq!(text.as_deref().ok().filter(|_| goes_on), expected.ok(), "put together");

    let mut validator = Utf8Validator::default();
    let goes_on = bytes.chunks(piece_bytes).all(|piece| validator.push(piece).is_ok());
    assert_eq!(goes_on && validator.is_complete(), expected.is_ok(), "in pieces");
});
