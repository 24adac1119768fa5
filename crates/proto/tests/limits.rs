//! Every limit and every timeout at its edge, and failing as early as can be.

mod common;

use common::*;
use std::time::Duration;
use wskit_proto::closing::State;
use wskit_proto::{
    CloseCode, Config, Connection, Limits, Message, Missed, Output, ProtocolError, Role, Timeouts,
};

/// Feeds the frames and tells with which error, and which code in the Close frame, that failed.
fn fate(limits: Limits, frames: &[Vec<u8>]) -> Option<(ProtocolError, u16)> {
    let fate_of = |feed: fn(&mut End, &[u8])| {
        let mut end = End::with_limits(SERVER, limits);
        feed(&mut end, &frames.concat());
        let code = last_close_code(SERVER, &end.output).map_or(0, CloseCode::number);
        end.error.map(|error| (error, code))
    };
    let whole = fate_of(End::feed);
    assert_eq!(fate_of(End::feed_piecewise), whole);
    whole
}

fn masked(first: u8, payload_bytes: usize) -> Vec<u8> {
    frame(first, true, &vec![b'x'; payload_bytes])
}

#[test]
fn a_message_of_the_limit_passes_and_one_byte_more_is_1009() {
    let limits =
        Limits { message_bytes_max: 1000, piecewise_message_bytes_max: 1000, ..Limits::default() };
    assert_eq!(fate(limits, &[masked(FIN | BINARY, 1000)]), None);
    let error = ProtocolError::MessageTooBig { bytes: 1001, limit_bytes: 1000 };
    assert_eq!(fate(limits, &[header(FIN | BINARY, true, 1001)]), Some((error, 1009)));
}

#[test]
fn fragments_count_together_and_fail_when_the_header_that_crosses_arrives() {
    let limits =
        Limits { message_bytes_max: 1000, piecewise_message_bytes_max: 1000, ..Limits::default() };
    let begin = [masked(TEXT, 600), masked(CONTINUATION, 399)];
    let [first, second] = &begin;
    let with = |last| [first.clone(), second.clone(), last];
    assert_eq!(fate(limits, &with(masked(FIN, 1))), None);
    let error = ProtocolError::MessageTooBig { bytes: 1001, limit_bytes: 1000 };
    assert_eq!(fate(limits, &with(header(FIN, true, 2))), Some((error, 1009)));
}

#[test]
fn the_limit_of_pieces_is_another() {
    let limits =
        Limits { message_bytes_max: 10, piecewise_message_bytes_max: 20, ..Limits::default() };
    for (payload_bytes, fails) in [(20, false), (21, true)] {
        let mut end = End::with_limits(SERVER, limits);
        end.feed_piecewise(&masked(FIN | BINARY, payload_bytes));
        assert_eq!(end.error.is_some(), fails);
    }
}

#[test]
fn a_message_begun_in_pieces_is_not_put_together_beyond_the_limit() {
    let limits = Limits { message_bytes_max: 10, ..Limits::default() };
    for first in [FIN | BINARY, BINARY] {
        let mut end = End::with_limits(SERVER, limits);
        end.feed_piecewise(&header(first, true, 11));
        end.feed(b"");
        let error = ProtocolError::MessageTooBig { bytes: 11, limit_bytes: 10 };
        assert_eq!(end.error, Some(error));
    }
}

#[test]
fn what_is_left_of_a_message_taken_in_pieces_is_discarded_whatever_its_length() {
    let limits = Limits { message_bytes_max: 10, ..Limits::default() };
    let mut end = End::with_limits(SERVER, limits);
    let long = masked(FIN | BINARY, 1000);
    end.feed_piecewise(&long[..500]);
    end.feed(&long[500..]);
    end.feed(&masked(FIN | TEXT, 2));
    assert_eq!((end.events, end.error), (vec![Message::text("xx")], None));
}

#[test]
fn a_frame_of_the_limit_passes_and_one_byte_more_is_1009() {
    let limits = Limits { frame_bytes_max: 100, ..Limits::default() };
    assert_eq!(fate(limits, &[masked(BINARY, 100), masked(FIN, 100)]), None);
    let error = ProtocolError::FrameTooBig { bytes: 101, limit_bytes: 100 };
    assert_eq!(fate(limits, &[masked(BINARY, 100), header(FIN, true, 101)]), Some((error, 1009)));
}

#[test]
fn the_last_fragment_allowed_passes_and_one_more_is_1008() {
    let limits = Limits { fragments_max: 3, ..Limits::default() };
    let fragment = |first| masked(first, 0);
    let three = [fragment(TEXT), fragment(CONTINUATION), fragment(FIN)];
    // The count begins anew with each message.
    assert_eq!(fate(limits, &[three.concat(), three.concat()]), None);
    let four = [fragment(TEXT), fragment(0), fragment(0), header(FIN, true, 0)];
    let error = ProtocolError::TooManyFragments { limit: 3 };
    assert_eq!(fate(limits, &four), Some((error, 1008)));
}

#[test]
fn endless_empty_fragments_end() {
    let mut end = End::new(SERVER, Config::default());
    end.feed(&masked(TEXT, 0));
    let many = masked(CONTINUATION, 0).repeat(1 << 17);
    end.feed(&many);
    assert_eq!(end.error.map(|error| error.close_code()), Some(CloseCode::POLICY_VIOLATION));
}

#[test]
fn a_text_fails_at_its_first_bad_byte() {
    for first in [FIN | TEXT, TEXT] {
        for role in ROLES {
            let mut end = End::new(role, Config::default());
            let mut bytes = header(first, is_masked_to(role), 1 << 20);
            let key = if is_masked_to(role) { KEY } else { [0; 4] };
            bytes.extend([b'o' ^ key[0], b'k' ^ key[1]]);
            end.feed(&bytes);
            assert_eq!(end.error, None);
            end.feed(&[0xff ^ key[2]]);
            assert_eq!(end.error, Some(ProtocolError::InvalidUtf8));
            assert_eq!(last_close_code(role, &end.output), Some(CloseCode::INVALID_PAYLOAD));
        }
    }
}

#[test]
fn a_text_that_ends_inside_a_character_fails() {
    for cut in 1..4 {
        let text = &"\u{1f980}".as_bytes()[..cut];
        for bytes in [
            frame(FIN | TEXT, true, text),
            [frame(TEXT, true, text), frame(FIN, true, b"")].concat(),
        ] {
            assert_eq!(fate(Limits::default(), &[bytes]), Some((ProtocolError::InvalidUtf8, 1007)));
        }
    }
}

/// How many Pongs wait after as many Pings of 10 bytes came, and one of `last`.
fn pongs(role: Role, pong_bytes_max: usize, pings: usize, last: &[u8]) -> (End, usize) {
    let mut end = End::with_limits(role, Limits { pong_bytes_max, ..Limits::default() });
    (0..pings).for_each(|_| end.feed(&frame_to(role, FIN | PING, &[7; 10])));
    end.feed(&frame_to(role, FIN | PING, last));
    let pong_bytes = frame_from(role, FIN | PONG, &[7; 10]).len();
    let count = end.output.len() / pong_bytes;
    (end, count)
}

#[test]
fn pongs_wait_up_to_the_limit_and_then_the_latest_is_remembered() {
    for role in ROLES {
        let pong_bytes = frame_from(role, FIN | PONG, &[7; 10]).len();
        assert_eq!(pongs(role, 3 * pong_bytes, 2, &[7; 10]).1, 3);
        let (mut end, count) = pongs(role, 3 * pong_bytes - 1, 1000, b"the latest");
        assert_eq!(count, 2);
        end.output.advance(end.output.len() - 1);
        end.connection.resume(&mut end.output);
        assert_eq!(end.output.len(), 1, "the last of them has not left");
        end.output.advance(1);
        end.connection.resume(&mut end.output);
        assert_eq!(waiting(&end.output), frame_from(role, FIN | PONG, b"the latest"));
        end.output.advance(end.output.len());
        end.connection.resume(&mut end.output);
        assert!(end.output.is_empty(), "it is answered once");
    }
}

#[test]
fn a_ping_is_answered_however_small_the_limit() {
    for pong_bytes_max in [0, 1, 126] {
        let (mut end, _) = pongs(SERVER, pong_bytes_max, 0, &[7; 125]);
        end.connection.resume(&mut end.output);
        assert_eq!(waiting(&end.output), frame_from(SERVER, FIN | PONG, &[7; 125]));
    }
}

#[test]
fn no_older_pong_follows_a_newer_one() {
    // The first fills the limit, the second has to wait, the third would fit.
    let mut end = End::with_limits(SERVER, Limits { pong_bytes_max: 100, ..Limits::default() });
    for payload in [&[1; 90][..], &[2; 90], &[3; 1]] {
        end.feed(&frame(FIN | PING, true, payload));
    }
    let mut pongs = waiting(&end.output);
    end.output.advance(end.output.len());
    end.connection.resume(&mut end.output);
    pongs.extend(waiting(&end.output));
    let sent = |payload: &[u8]| frame(FIN | PONG, false, payload);
    assert_eq!(pongs, [sent(&[1; 90]), sent(&[3; 1])].concat());
}

#[test]
fn the_output_is_full_at_its_limit() {
    let limits = Limits { output_bytes_max: 102, ..Limits::default() };
    let (mut connection, mut output) =
        (Connection::new(SERVER, Config { limits, ..Config::default() }), Output::default());
    connection.send(Message::binary(vec![0; 99]), &mut output).unwrap();
    assert!(!connection.is_output_full(&output));
    output.copy(b"x");
    assert!(connection.is_output_full(&output));
    output.advance(1);
    assert!(!connection.is_output_full(&output));
}

const SECOND: Duration = Duration::from_secs(1);
const INSTANT: Duration = Duration::from_nanos(1);

fn timed(timeouts: Timeouts) -> End {
    End::new(SERVER, Config { timeouts, ..Config::default() })
}

/// What is missed at this time.
fn missed(end: &mut End, now: Duration) -> Option<Missed> {
    let missed = end.connection.handle_deadline(now, &mut end.output);
    end.connection.next_deadline(now);
    missed
}

#[test]
fn a_ping_leaves_at_the_interval_and_its_timeout_is_1001() {
    let mut end = timed(Timeouts {
        keepalive_interval: Some(3 * SECOND),
        keepalive_timeout: 2 * SECOND,
        ..Timeouts::default()
    });
    assert_eq!(end.connection.next_deadline(Duration::ZERO), Some(3 * SECOND));
    assert_eq!(missed(&mut end, 3 * SECOND - INSTANT), None);
    assert!(end.output.is_empty());
    assert_eq!(missed(&mut end, 3 * SECOND), None);
    assert_eq!(waiting(&end.output), frame(FIN | PING, false, b""));
    assert_eq!(missed(&mut end, 5 * SECOND - INSTANT), None);
    assert_eq!(missed(&mut end, 5 * SECOND), Some(Missed::Keepalive));
    assert_eq!(last_close_code(SERVER, &end.output), Some(CloseCode::GOING_AWAY));
    assert_eq!(end.connection.state(), State::Failed);
}

#[test]
fn a_message_has_its_timeout_and_then_it_is_1008() {
    let mut end = timed(Timeouts { message_timeout: Some(3 * SECOND), ..Timeouts::default() });
    end.feed(&masked(FIN | BINARY, 10)[..8]);
    assert_eq!(end.connection.next_deadline(SECOND), Some(4 * SECOND));
    assert_eq!(missed(&mut end, 4 * SECOND - INSTANT), None);
    assert_eq!(missed(&mut end, 4 * SECOND), Some(Missed::Message));
    assert_eq!(last_close_code(SERVER, &end.output), Some(CloseCode::POLICY_VIOLATION));
}

#[test]
fn each_message_has_a_timeout_of_its_own() {
    let mut end = timed(Timeouts { message_timeout: Some(3 * SECOND), ..Timeouts::default() });
    let message = masked(FIN | BINARY, 100);
    let (front, back) = message.split_at(50);
    let message_from_the_middle = [back, front].concat();
    // Every read ends inside a message, and every message takes one second.
    end.feed(front);
    for now in (0..10).map(|second| second * SECOND) {
        assert_eq!(end.connection.handle_deadline(now, &mut end.output), None, "{now:?}");
        end.feed(&message_from_the_middle);
        if end.connection.is_deadline_stale() {
            end.connection.next_deadline(now);
        }
    }
}

#[test]
fn the_closing_handshake_and_the_end_after_it_have_a_timeout_each() {
    let mut end = timed(Timeouts { close_timeout: 3 * SECOND, ..Timeouts::default() });
    end.connection.send(Message::Close(None), &mut end.output).unwrap();
    assert!(end.connection.is_deadline_stale());
    assert_eq!(end.connection.next_deadline(SECOND), Some(4 * SECOND));
    end.feed(&frame(FIN | CLOSE, true, b""));
    assert!(end.connection.is_deadline_stale());
    assert_eq!(end.connection.next_deadline(2 * SECOND), Some(5 * SECOND));
    assert_eq!(missed(&mut end, 5 * SECOND - INSTANT), None);
    assert_eq!(missed(&mut end, 5 * SECOND), Some(Missed::Close));
}

#[test]
fn a_timeout_may_be_as_long_as_can_be() {
    let mut end = timed(Timeouts {
        keepalive_interval: Some(Duration::MAX),
        keepalive_timeout: Duration::MAX,
        message_timeout: Some(Duration::MAX),
        close_timeout: Duration::MAX,
    });
    assert_eq!(end.connection.next_deadline(SECOND), Some(Duration::MAX));
    end.connection.send(Message::Close(None), &mut end.output).unwrap();
    assert_eq!(end.connection.next_deadline(SECOND), Some(Duration::MAX));
}
