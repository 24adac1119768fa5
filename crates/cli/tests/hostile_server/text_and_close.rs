//! Text that is no UTF-8 (RFC 6455 §8.1) and closing handshakes that go wrong (§5.5.1, §7).

use std::time::{Duration, Instant};

use crate::raw::frame::{BINARY, CLOSE, TEXT};
use crate::raw::{Ending, Frame, Server, close_payload};

const PROTOCOL_ERROR: u16 = 1002;
const INVALID_PAYLOAD: u16 = 1007;

/// Sequences that no UTF-8 decoder may accept, each wrong at its last byte.
const INVALID_UTF8: &[&[u8]] = &[
    b"\x80",     // a continuation byte alone
    b"\xc3\x28", // a lead byte without its continuation
    b"\xc0",     // overlong, two bytes
    b"\xe0\x80", // overlong, three bytes
    b"\xf0\x80", // overlong, four bytes
    b"\xed\xa0", // a surrogate
    b"\xf4\x90", // beyond U+10FFFF
    b"\xf5",     // lead bytes that begin nothing
    b"\xf8",
    b"\xfe",
    b"\xff",
    b"\xe2\x82\x28", // a sequence broken off in the middle
    b"\xf0\x9f\x92\xc3",
];

#[test]
fn row_35_invalid_utf8_is_1007_at_its_first_byte() {
    let server = Server::echo(&["--max-message", "1073741824"]);
    let good = "κόσμε ".as_bytes();
    for bad in INVALID_UTF8 {
        let payload = [good, bad].concat();
        server.fails(INVALID_PAYLOAD, Frame::text(&payload).encode());
        // The frame goes on for a gigabyte, the message for longer: neither is waited for.
        server
            .fails(INVALID_PAYLOAD, Frame::text(&payload).declaring(1 << 30).unfinished().encode());
        // Cut anywhere, in two fragments or in two TCP segments.
        for cut in good.len() + 1..payload.len() {
            let (first, second) =
                (Frame::text(&payload[..cut]).unfinished(), Frame::continuation(&payload[cut..]));
            server.fails(INVALID_PAYLOAD, [first.encode(), second.unfinished().encode()].concat());
        }
    }
    for truncated in [&b"\xce"[..], b"\xe2\x82", b"\xf0\x9f\x92"] {
        let payload = [good, truncated].concat();
        server.fails(INVALID_PAYLOAD, Frame::text(&payload).encode());
        let first = Frame::text(&payload).unfinished();
        server.fails(INVALID_PAYLOAD, [first.encode(), Frame::continuation("").encode()].concat());
    }
}

#[test]
fn row_35_valid_utf8_is_echoed_however_it_is_cut() {
    let server = Server::echo(&[]);
    let mut client = server.open();
    // The last of each length, both neighbours of the surrogates, noncharacters, NUL.
    let text =
        "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}\u{fdd0}κόσμε 🔑";
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        client.send_frame(&Frame::text(first).unfinished());
        client.send_frame(&Frame::continuation(second));
        client.expect(TEXT, text);
    }
    for bad in INVALID_UTF8 {
        client.send_frame(&Frame::binary(bad));
        client.expect(BINARY, bad);
    }
}

#[test]
fn row_36_close_payload_of_one_byte_is_1002() {
    let server = Server::echo(&[]);
    server.fails(PROTOCOL_ERROR, Frame::new(CLOSE, [3]).encode());
}

#[test]
fn row_37_close_codes_that_may_not_be_sent_are_1002() {
    let server = Server::echo(&[]);
    let (reserved, unassigned) =
        ([1004, 1005, 1006, 1015], [0, 1, 999, 1016, 1100, 2000, 2999, 5000, 65_535]);
    for code in reserved.into_iter().chain(unassigned) {
        server.fails(PROTOCOL_ERROR, Frame::close(code, "").encode());
    }
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999,
    ] {
        server.fails(code, Frame::close(code, "as registered").encode());
    }
    let mut client = server.open();
    client.send_frame(&Frame::new(CLOSE, ""));
    let reply = client.frame().expect("a Close frame");
    // §7.1.5: no code was sent, and 1005 must never be; 1000 says the same.
    assert!(matches!(reply.close_code(), None | Some(1000)), "{reply:?}");
    assert_eq!(client.frame(), None);
    assert_eq!(*client.ending(), Ending::Closed);
}

#[test]
fn row_38_close_reason_that_is_no_utf8_is_1007() {
    let server = Server::echo(&[]);
    for bad in INVALID_UTF8 {
        server.fails(
            INVALID_PAYLOAD,
            Frame::new(CLOSE, [&close_payload(1000, "bye "), *bad].concat()).encode(),
        );
    }
    server.fails(
        INVALID_PAYLOAD,
        Frame::new(CLOSE, [&close_payload(1000, ""), &b"\xe2\x82"[..]].concat()).encode(),
    );
    let longest = "é".repeat(61) + "!"; // 123 bytes, all that a control frame holds beside the code
    server.fails(1000, Frame::close(1000, &longest).encode());
}

#[test]
fn row_39_frames_after_close_are_ignored_for_a_bounded_time() {
    let server = Server::echo(&["--close-timeout", "0.5"]);
    for after in [
        Frame::text("late"),
        Frame::ping("late"),
        Frame::close(1001, "late"),
        Frame::text("x").reserved(7),
    ] {
        // expect_close sees exactly one Close frame, with the first code, and nothing after it.
        server.fails(1000, [Frame::close(1000, "").encode(), after.encode()].concat());
    }

    // Whoever never stops sending is cut off.
    let mut client = server.open();
    client.send_frame(&Frame::close(1000, ""));
    let (started, late) = (Instant::now(), Frame::binary([0; 1000]).encode());
    while client.try_send(&late).is_ok() {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "still read from after the close timeout"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn row_40_close_within_a_fragmented_message_is_answered_with_its_code() {
    let server = Server::echo(&[]);
    for code in [1000, 1001, 4321] {
        let first = Frame::text("never finish").unfinished().encode();
        server.fails(code, [first, Frame::close(code, "changed my mind").encode()].concat());
    }
}
