//! permessage-deflate (RFC 7692): offers, bombs, broken data, and data that only looks odd.

use crate::raw::deflate::{Compressor, Inflater, bomb, deflated};
use crate::raw::frame::{BINARY, CONTINUATION, PING, PONG, RSV1, TEXT};
use crate::raw::{Frame, RawClient, Request, Server};

const PROTOCOL_ERROR: u16 = 1002;
const INVALID_DATA: u16 = 1007;
const MESSAGE_TOO_BIG: u16 = 1009;
const MIB: usize = 1 << 20;

/// "Hello" as RFC 7692 §7.2.3.1 compresses it, and as it refers to a "Hello" before (§7.2.3.2).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const HELLO_AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

#[test]
fn row_12_offers_that_break_a_rule_are_declined_and_the_next_one_is_taken() {
    let server = Server::echo(&["--compression", "dedicated"]);
    for declined in [
        "permessage-deflate; unknown",
        "permessage-deflate; unknown=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=8", // 256 bytes: no compressor keeps to that
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=999999999999999999999",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        "x-webkit-deflate-frame",
        "permessage-bzip2",
    ] {
        assert_eq!(agreed(&server, declined), None, "{declined}");
        let taken = Some("permessage-deflate; server_max_window_bits=10");
        let next = format!("{declined}, permessage-deflate; server_max_window_bits=10");
        assert_eq!(agreed(&server, &next).as_deref(), taken, "{next}");
        let on_two_lines = offering(&server, declined)
            .and("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=10");
        let response = server.accepts(&on_two_lines);
        assert_eq!(response.header("Sec-WebSocket-Extensions"), taken, "{declined}");

        // Declined means that nothing is compressed.
        let mut client = server.open_with(&offering(&server, declined));
        client.send_frame(&Frame::text("the same ".repeat(100)));
        client.expect(TEXT, "the same ".repeat(100));
        client.send_frame(&Frame::text(HELLO).reserved(RSV1));
        client.expect_close(PROTOCOL_ERROR);
    }
}

#[test]
fn row_12_the_first_offer_that_can_be_met_is_taken() {
    let server = Server::echo(&["--compression", "dedicated"]);
    for (offers, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (
            "permessage-deflate; server_max_window_bits=\"10\"; client_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=8",
        ),
        (
            "permessage-deflate; server_no_context_takeover, permessage-deflate",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=15",
            "permessage-deflate; client_no_context_takeover; server_max_window_bits=15",
        ),
    ] {
        assert_eq!(agreed(&server, offers).as_deref(), Some(expected), "{offers}");
    }
    let server = Server::echo(&["--compression", "off"]);
    assert_eq!(agreed(&server, "permessage-deflate"), None);
}

#[test]
fn row_43_rsv1_within_a_compressed_message_and_on_control_frames_is_1002() {
    let server = Server::echo(&[]);
    for wrong in [CONTINUATION, PING, PONG] {
        let mut client = compressed(&server);
        client.send_frame(&Frame::text(&HELLO[..3]).reserved(RSV1).unfinished());
        client.send_frame(&Frame::new(wrong, &HELLO[3..]).reserved(RSV1));
        client.expect_close(PROTOCOL_ERROR);
    }
    let mut client = compressed(&server);
    client.send_frame(&Frame::text(&HELLO[..3]).reserved(RSV1).unfinished());
    client.send_frame(&Frame::ping("between"));
    client.send_frame(&Frame::continuation(&HELLO[3..]));
    client.expect(PONG, "between");
    client.expect(TEXT, "Hello");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_44_a_bomb_is_1009_and_costs_no_more_than_the_limit() {
    for mode in ["shared", "dedicated"] {
        let server = Server::echo(&["--max-message", "1048576", "--compression", mode]);
        fits(&server, &bomb(1), MIB);
        let bomb = bomb(64);
        assert!(bomb.len() < 64 * MIB / 900, "{} bytes are no bomb", bomb.len());
        let before = server.memory("VmRSS");
        for fragment in [bomb.len(), 1000, 10] {
            // Several at a time, half of each first.
            let frames = fragments(&bomb, fragment).concat();
            let mut clients: Vec<_> = (0..8).map(|_| compressed(&server)).collect();
            for half in [&frames[..frames.len() / 2], &frames[frames.len() / 2..]] {
                for client in &mut clients {
                    let _ = client.try_send(half); // it may have been failed already
                }
            }
            clients.iter_mut().for_each(|client| client.expect_close(MESSAGE_TOO_BIG));
        }
        let grown = server.memory("VmHWM") - before;
        assert!(grown < 16 * MIB, "{mode}: resident memory grew by {grown} bytes");
        server.assert_well();
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_44_a_bomb_is_1009_at_the_limit_that_nobody_set() {
    const LIMIT_MIB: usize = 64;
    let server = Server::echo(&[]);
    server.assert_well();
    let before = server.memory("VmRSS");
    let bomb = bomb(4 * LIMIT_MIB);
    for fragment in [bomb.len(), 1000] {
        let mut client = compressed(&server);
        let _ = client.try_send(fragments(&bomb, fragment).concat());
        client.expect_close(MESSAGE_TOO_BIG);
    }
    let grown = server.memory("VmHWM") - before;
    assert!(grown < (LIMIT_MIB + 16) * MIB, "resident memory grew by {grown} bytes");
    server.assert_well();
}

#[test]
fn row_45_broken_data_is_1007_and_harms_nobody_else() {
    let server = Server::echo(&["--threads", "1"]);
    // Long enough to be inflated while the rest is awaited.
    let long = noise(200_000);
    let (first, rest) = long.split_at(100_000);
    let (start, end) = {
        let mut compressor = Compressor::new();
        (compressor.flush(first), compressor.message(rest))
    };
    for broken in [
        &b"\x07"[..],                               // a block type that is reserved
        b"\x00\x05\x00\x00\x00Hello\x00",           // a stored block whose length is not confirmed
        b"\xfc\x1f\x00\x00\x00",                    // more codes than there are
        &[&[0x04][..], &[0; 40]].concat(),          // no code for the end of a block
        b"\x1a\x03\x00",                            // a length code that is none
        b"\x4a\x04\x3e\x00\x00",                    // a distance code that is none
        b"\x4a\x04\x42\x00\x00",                    // refers further back than the message begins
        &HELLO[..3],                                // ends inside a block
        &b"\x03\x00".repeat(1025),                  // more streams than anybody sends
        HELLO_AGAIN,                                // refers to a message that never was
        &[HELLO, b"\x00\x00\xff\xff\x07"].concat(), // a good block before a broken one
    ] {
        let mut other = compressed(&server);
        other.send_frame(&Frame::binary(&start).reserved(RSV1).unfinished());
        other.send_frame(&Frame::ping("arrived"));
        other.expect(PONG, "arrived");
        for fragment in [broken.len(), 1] {
            let mut client = compressed(&server);
            client.send(fragments(broken, fragment).concat());
            client.expect_close(INVALID_DATA);
        }
        other.send_frame(&Frame::continuation(&end));
        expect_echo(&mut other, &mut Inflater::new(), BINARY, &long);
        let mut fresh = compressed(&server);
        fresh.send_frame(&Frame::text(HELLO).reserved(RSV1));
        fresh.expect(TEXT, "Hello");
    }
}

#[test]
fn row_45_a_context_that_was_not_to_be_kept_is_1007() {
    let with = |server: &Server, offer: &str| {
        let mut client = server.open_with(&offering(server, offer));
        client.send_frame(&Frame::text(HELLO).reserved(RSV1));
        client.expect(TEXT, "Hello");
        client.send_frame(&Frame::text(HELLO_AGAIN).reserved(RSV1));
        client
    };
    let (shared, dedicated) =
        (Server::echo(&["--compression", "shared"]), Server::echo(&["--compression", "dedicated"]));
    with(&shared, "permessage-deflate").expect_close(INVALID_DATA);
    with(&dedicated, "permessage-deflate; client_no_context_takeover").expect_close(INVALID_DATA);
    with(&dedicated, "permessage-deflate").expect(TEXT, "Hello");
}

#[test]
fn row_45_text_that_is_no_utf_8_once_inflated_is_1007() {
    let server = Server::echo(&[]);
    for message in [&b"caf\xe9"[..], b"caf\xc3", b"\xed\xa0\x80"] {
        for fragment in [100, 1] {
            let mut client = compressed(&server);
            let frames = fragments(&deflated(message), fragment).concat();
            client.send([&[frames[0] & 0xf0 | TEXT], &frames[1..]].concat());
            client.expect_close(INVALID_DATA);
        }
    }
}

#[test]
fn row_46_valid_oddities_are_inflated() {
    let text = "one and two and three and one and two and three. ".repeat(3000);
    let mut compressor = Compressor::new();
    let mut many_blocks: Vec<u8> =
        text.as_bytes().chunks(100).flat_map(|part| compressor.flush(part)).collect();
    many_blocks.extend(b"\x00");
    let stored: Vec<u8> = text
        .as_bytes()
        .chunks(65_535)
        .flat_map(|part| {
            let len = part.len() as u16;
            [&[0], &len.to_le_bytes()[..], &(!len).to_le_bytes(), part].concat()
        })
        .chain([0])
        .collect();
    let oddities: [(&[u8], &str); 12] = [
        (b"", ""), // not even a block
        (b"\x00", ""),
        (b"\x02\x00", ""), // a block of nothing with fixed codes
        (HELLO, "Hello"),
        (b"\x00\x05\x00\xfa\xffHello\x00", "Hello"),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"), // BFINAL
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"),     // and nothing behind it
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHello"),
        (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"),
        (&[&b"\x00\x00\x00\xff\xff".repeat(5000)[..], HELLO].concat(), "Hello"),
        (&many_blocks, &text),
        (&stored, &text),
    ];
    for mode in ["shared", "dedicated"] {
        let server = Server::echo(&["--compression", mode]);
        let (mut client, mut inflater) = (compressed(&server), Inflater::new());
        for (payload, message) in &oddities {
            for fragment in [payload.len().max(1), payload.len().div_ceil(3).max(1), 1] {
                if fragment == 1 && payload.len() > 10_000 {
                    continue;
                }
                client.send(fragments(payload, fragment).concat());
                if mode == "shared" {
                    inflater = Inflater::new();
                }
                expect_echo(&mut client, &mut inflater, BINARY, message.as_bytes());
            }
        }
    }
}

fn offering(server: &Server, offers: &str) -> Request {
    server.request().and("Sec-WebSocket-Extensions", offers)
}

/// What the server agrees to.
fn agreed(server: &Server, offers: &str) -> Option<String> {
    let response = server.accepts(&offering(server, offers));
    response.header("Sec-WebSocket-Extensions").map(Into::into)
}

/// A connection on which both ends compress.
fn compressed(server: &Server) -> RawClient {
    server.open_with(&offering(server, "permessage-deflate"))
}

/// A compressed binary message in fragments of so many bytes.
fn fragments(payload: &[u8], fragment: usize) -> Vec<Vec<u8>> {
    let last = payload.len().div_ceil(fragment).max(1) - 1;
    let frame = |number: usize| {
        let part = payload.chunks(fragment).nth(number).unwrap_or_default();
        let frame = match number {
            0 => Frame::binary(part).reserved(RSV1),
            _ => Frame::continuation(part),
        };
        if number == last { frame.encode() } else { frame.unfinished().encode() }
    };
    (0..=last).map(frame).collect()
}

fn expect_echo(client: &mut RawClient, inflater: &mut Inflater, opcode: u8, message: &[u8]) {
    let frame = client.frame().expect("a frame, not the end of the stream");
    assert_eq!(frame.opcode, opcode);
    let echo = inflater.message(frame);
    // Compared without assert_eq!: nobody wants a megabyte printed.
    assert!(echo == message, "{} bytes came back as {}", message.len(), echo.len());
}

/// A compressed message of as many bytes as the limit allows is echoed.
fn fits(server: &Server, payload: &[u8], message_bytes: usize) {
    let mut client = compressed(server);
    client.send(fragments(payload, payload.len()).concat());
    expect_echo(&mut client, &mut Inflater::new(), BINARY, &vec![0; message_bytes]);
}

/// Bytes that hardly shrink.
fn noise(len: usize) -> Vec<u8> {
    let mut random = 1u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}
