//! Scripts for a peer: what it sends, right and wrong, as bytes.

use super::common::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// One step of a script: bytes to send, given whether frames are masked.
type Step = BoxedStrategy<Vec<u8>>;

/// What a peer sends, most of it good.
pub(crate) fn script(masked: bool) -> impl Strategy<Value = Vec<u8>> {
    let step = prop_oneof![
        30 => message(masked),
        12 => ping_or_pong(masked),
        2 => fault(masked),
        1 => close(masked),
    ];
    vec(step, 0..12).prop_map(|steps| steps.concat())
}

/// Lengths of the pieces in which the script arrives; byte by byte is among them.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![1]), vec(1..6usize, 1..8), vec(1..200usize, 1..8)]
}

fn payload(text: bool) -> BoxedStrategy<Vec<u8>> {
    let valid_text = "\\PC{0,60}".prop_map(String::into_bytes);
    let any_text = (valid_text.clone(), any::<(prop::sample::Index, u8)>()).prop_map(
        |(mut bytes, (place, byte))| {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        },
    );
    if text {
        prop_oneof![12 => valid_text, 1 => any_text].boxed()
    } else {
        prop_oneof![vec(any::<u8>(), 0..130), vec(any::<u8>(), 0..5)].boxed()
    }
}

/// A message in one frame or in fragments, cut anywhere, with control frames between them.
fn message(masked: bool) -> Step {
    let content = any::<bool>().prop_flat_map(|text| (Just(text), payload(text)));
    let fragments = prop_oneof![
        2 => Just(Vec::new()),
        1 => vec((any::<prop::sample::Index>(), proptest::option::of(ping_or_pong(masked))), 1..6),
    ];
    (content, fragments)
        .prop_map(move |((text, payload), mut cuts)| {
            let place = |cut: &prop::sample::Index| cut.index(payload.len() + 1);
            cuts.sort_by_key(|(cut, _)| place(cut));
            let mut opcode = if text { TEXT } else { BINARY };
            let (mut bytes, mut start) = (Vec::new(), 0);
            for (cut, control) in &cuts {
                bytes.extend(frame(opcode, masked, &payload[start..place(cut)]));
                bytes.extend(control.iter().flatten());
                (opcode, start) = (CONTINUATION, place(cut));
            }
            bytes.extend(frame(FIN | opcode, masked, &payload[start..]));
            bytes
        })
        .boxed()
}

fn ping_or_pong(masked: bool) -> Step {
    let opcode = prop_oneof![Just(PING), Just(PONG)];
    let payload = prop_oneof![vec(any::<u8>(), 0..10), vec(any::<u8>(), 120..=125)];
    (opcode, payload)
        .prop_map(move |(opcode, payload)| frame(FIN | opcode, masked, &payload))
        .boxed()
}

fn close(masked: bool) -> Step {
    let code = prop_oneof![3 => 1000..1016u16, 1 => any::<u16>()];
    let reason = prop_oneof![3 => payload(true), 1 => vec(any::<u8>(), 0..20)];
    let payload = prop_oneof![
        1 => vec(any::<u8>(), 0..2),
        4 => (code, reason).prop_map(|(code, reason)| close_payload(code, &reason)),
    ];
    payload
        .prop_map(move |payload| frame(FIN | CLOSE, masked, &payload[..payload.len().min(125)]))
        .boxed()
}

/// Something that a peer must not send, or the beginning of it.
fn fault(masked: bool) -> Step {
    let any_first = (any::<u8>(), vec(any::<u8>(), 0..20))
        .prop_map(move |(first, payload)| frame(first, masked, &payload));
    let wrong_masking =
        payload(false).prop_map(move |payload| frame(FIN | BINARY, !masked, &payload));
    let huge = any::<u64>().prop_map(move |len| header(FIN | BINARY, masked, len));
    let long = (200..400usize).prop_map(move |len| frame(FIN | BINARY, masked, &vec![7; len]));
    let not_minimal = any::<u8>().prop_map(|len| vec![FIN | BINARY, 0xfe, 0, len, 1, 2, 3, 4]);
    let misplaced = (prop_oneof![Just(CONTINUATION), Just(FIN), Just(TEXT)], message(masked))
        .prop_map(move |(first, message)| [frame(first, masked, b"x"), message].concat());
    let broken_control = (prop_oneof![Just(FIN | PING), Just(PONG), Just(CLOSE)], 0..200usize)
        .prop_map(move |(first, len)| frame(first, masked, &vec![0; len]));
    let fragments = (0..100usize, 3..9usize).prop_map(move |(len, count)| {
        let fragment = frame(CONTINUATION, masked, &vec![0; len]);
        [frame(TEXT, masked, b""), fragment.repeat(count)].concat()
    });
    let noise = vec(any::<u8>(), 0..40);
    let unfinished = (any::<bool>(), any::<prop::sample::Index>(), message(masked)).prop_map(
        |(front, cut, mut bytes)| {
            let cut = cut.index(bytes.len());
            if front { bytes.split_off(cut) } else { bytes[..cut].to_vec() }
        },
    );
    prop_oneof![
        prop_oneof![any_first, wrong_masking, huge, long, not_minimal],
        prop_oneof![misplaced, broken_control, fragments, noise, unfinished],
    ]
    .boxed()
}
