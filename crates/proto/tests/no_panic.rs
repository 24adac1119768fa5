//! No input panics, and none takes more memory than the limits say.

mod common;
#[path = "common/counting.rs"]
mod counting;

use bytes::{Bytes, BytesMut};
use common::*;
use counting::{held_bytes, peak_bytes};
use proptest::collection::vec;
use proptest::prelude::*;
use std::hint::black_box;
use wskit_proto::Compression;
use wskit_proto::frame::{FrameHeader, ParsedHeader};
use wskit_proto::handshake::{
    Acceptance, ClientOpening, ClientRequest, Field, Key, Origin, OriginPolicy, ServerOpening,
    Subprotocol,
};
use wskit_proto::{
    CloseCode, CloseFrame, Config, Connection, Input, Limits, Output, Payload, ProtocolError, Role,
    Text, Utf8Validator, mask,
};

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![any::<u8>(), Just(0x80), Just(0x81), Just(0)], 0..300)
}

/// Text with what matters to a parser of heads.
fn any_head() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        "[ \\t\\r\\n,;=\":%/\\\\\\[\\]?#@<-]{1,3}",
        "(GET|HTTP/1.1|101|200|Host|Upgrade|websocket|Connection|x|1)",
        "(Sec-WebSocket-(Key|Version|Protocol|Extensions|Accept)|Origin|http://|Content-Length)",
        "(: |\\r\\n|\\r\\n\\r\\n|13|dGhlIHNhbXBsZSBub25jZQ==)",
        "\\PC{0,3}",
    ];
    let good = Just("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n".to_owned());
    let start = prop_oneof![
        2 => Just(String::new()),
        2 => Just("HTTP/1.1 ".to_owned()),
        2 => Just("GET ".to_owned()),
        3 => good,
    ];
    (start, vec(word, 0..20), any::<bool>()).prop_map(|(start, words, whole)| {
        let end = if whole { "\r\n\r\n" } else { "" };
        [start, words.concat(), end.to_owned()].concat().into_bytes()
    })
}

fn offer(head: &[u8]) {
    let mut output = Output::default();
    match ServerOpening::default().receive(&mut BytesMut::from(head)) {
        Ok(Some(offer)) => {
            black_box(format!("{offer:?} {} {:?}", offer.path(), offer.request().query()));
            for policy in [OriginPolicy::SameHost, OriginPolicy::Only(vec![]), OriginPolicy::Any] {
                let _either = black_box(offer.check_origin(&policy));
            }
            offer.accept(Acceptance::default(), &Compression::off(), &mut output);
        }
        Ok(None) => {}
        Err(error) => {
            assert!((400..=505).contains(&error.status()), "{error}");
            error.write_response(&mut output);
        }
    }
}

fn answer(head: &[u8]) {
    let request = ClientRequest::new("example.com", "/").unwrap();
    let mut opening = ClientOpening::new(request, Key::from_entropy([0; 16]));
    let mut input = BytesMut::from(head);
    let error = match opening.receive(&mut input) {
        Ok(Some(_)) => panic!("nobody guesses the accept value"),
        Ok(None) => opening.end(&mut input),
        Err(error) => error,
    };
    let shown = format!("{error} {error:?} {:?} {:?}", error.status(), error.headers());
    assert!(!error.to_string().chars().any(char::is_control), "{shown}");
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn no_frames_panic(bytes in any_bytes(), more in any_bytes(), cuts in vec(1..40usize, 1..6)) {
        if let Ok(ParsedHeader::Whole(_, len)) = FrameHeader::parse(&bytes) {
            prop_assert!(len <= bytes.len());
        }
        for role in ROLES {
            for feed in [End::feed, End::feed_piecewise] {
                let mut end = End::with_limits(role, Limits { fragments_max: 9, ..Limits::default() });
                for piece in cut(&[&bytes[..], &more].concat(), &cuts) {
                    prop_assert!(end.connection.missing(&end.input) > 0);
                    feed(&mut end, piece);
                }
                end.connection.release();
                end.connection.end();
            }
        }
    }

    #[test]
    fn no_head_panics(head in any_head(), noise in any_bytes()) {
        offer(&head);
        offer(&noise);
        answer(&head);
        answer(&noise);
        answer(&[b"HTTP/1.1 ", &noise[..]].concat());
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}|[a-z:/.\\[\\]0-9@]{0,20}|\\PC{124}", bytes in any_bytes(), number: u16) {
        let _either = (Key::parse(&bytes), text.parse::<Key>().is_ok(), text.parse::<Origin>().is_ok());
        let _either = (Subprotocol::new(&*text).is_ok(), Text::try_from(Bytes::from(bytes.clone())));
        let _either = Field::new(&*text, bytes.clone()).map_err(|error| error.to_string());
        let _either = Field::new("X-Name", bytes.clone()).map_err(|error| error.to_string());
        let _either = ClientRequest::new(&*text, &*text).map_err(|error| error.to_string());
        let _either = ClientRequest::new("localhost", format!("/{text}")).is_ok();
        let code = CloseCode::new(number);
        prop_assert_eq!(CloseFrame::try_from((number, &*text)).is_ok(), code.is_some() && text.len() <= 123);
        let cut = CloseFrame::with_cut_reason(code.unwrap_or(CloseCode::NORMAL), &text);
        prop_assert!(text.starts_with(cut.reason()));
        let mut validator = Utf8Validator::default();
        let _either = bytes.chunks(3).try_for_each(|piece| validator.push(piece));
        let mut buffer = BytesMut::from(&bytes[..]);
        mask(&mut buffer, KEY, usize::from(number));
        prop_assert_eq!(Payload::front_of(&mut buffer, usize::from(number)).len(), bytes.len().min(number.into()));
    }
}

const LIMITS: Limits = Limits {
    message_bytes_max: 1 << 20,
    piecewise_message_bytes_max: u64::MAX,
    frame_bytes_max: u64::MAX,
    fragments_max: 1 << 17,
    output_bytes_max: 64 << 10,
    pong_bytes_max: 4 << 10,
};

/// A connection and the bytes it holds at the most while this arrives; the input buffer counts.
fn cost(role: Role, reads: &[Vec<u8>]) -> (Option<ProtocolError>, usize) {
    let mut connection = Connection::new(role, Config { limits: LIMITS, ..Config::default() });
    let mut error = None;
    let peak = peak_bytes(|| {
        let (mut input, mut output) = (Input::new(), Output::default());
        for read in reads {
            input.extend_from_slice(read);
            loop {
                match connection.receive(&mut input, &mut output) {
                    Ok(Some(event)) => drop(event),
                    Ok(None) => break,
                    Err(fault) => error = Some(fault),
                }
            }
        }
    });
    (error, peak)
}

#[test]
fn a_length_that_is_only_declared_costs_nothing() {
    for role in ROLES {
        for declared in [1 << 20, 1 << 21, 1 << 40, i64::MAX as u64, u64::MAX] {
            for first in [FIN | BINARY, BINARY, FIN | TEXT, TEXT] {
                let mut bytes = header(first, is_masked_to(role), declared);
                let ten = frame_to(role, first, &[b'x'; 10]);
                bytes.extend(&ten[ten.len() - 10..]);
                let (error, peak) = cost(role, &[bytes]);
                assert_eq!(error.is_some(), declared > 1 << 20, "{error:?}");
                assert!(peak < 1024, "{declared} bytes declared, {peak} held");
            }
        }
    }
}

#[test]
fn memory_follows_what_has_arrived() {
    for role in ROLES {
        let mut reads = vec![header(BINARY, is_masked_to(role), 1 << 19)];
        reads.extend(vec![vec![0; 1000]; 100]);
        let (error, peak) = cost(role, &reads);
        assert_eq!(error, None);
        assert!(peak < 300_000, "100 kB arrived, {peak} bytes held");
    }
}

#[test]
fn fragments_hold_no_more_than_twice_the_limit() {
    for role in ROLES {
        let mut reads = vec![frame_to(role, BINARY, &[0; 1000])];
        reads.extend(vec![frame_to(role, CONTINUATION, &[0; 1000]); 2000]);
        let (error, peak) = cost(role, &reads);
        assert_eq!(
            error,
            Some(ProtocolError::MessageTooBig { bytes: 1_049_000, limit_bytes: 1 << 20 })
        );
        assert!(peak < (2 << 20) + 16_384, "{peak} bytes held");
    }
}

#[test]
fn a_flood_of_pings_that_nobody_reads_costs_little() {
    for role in ROLES {
        let (error, peak) = cost(role, &vec![frame_to(role, FIN | PING, &[0; 125]); 20_000]);
        assert_eq!(error, None);
        assert!(peak < 16_384, "{peak} bytes held");
    }
}

#[test]
fn a_failed_connection_discards_whatever_comes() {
    for role in ROLES {
        let mut reads = vec![vec![0xff]];
        reads.extend(vec![vec![0; 4096]; 1000]);
        let (error, peak) = cost(role, &reads);
        assert_eq!(error, Some(ProtocolError::ReservedBits));
        assert!(peak < 16_384, "{peak} bytes held");
    }
}

#[test]
fn a_connection_that_ends_gives_its_memory_back() {
    let (fault, close) = (vec![0xff], frame(FIN | CLOSE, true, b""));
    for last in [fault, close] {
        let mut end = End::new(SERVER, Config::default());
        let before = held_bytes();
        end.feed(&frame(BINARY, true, &[0; 100_000]));
        end.feed(&last);
        end.input = Input::new();
        let held = held_bytes() - before;
        assert!(held < 1024, "{held} bytes held");
    }
}
