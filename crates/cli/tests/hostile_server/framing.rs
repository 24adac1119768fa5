//! Frames that RFC 6455 §5 forbids, and limits that hold before memory is taken.

use crate::raw::frame::{BINARY, CLOSE, PING, PONG, RSV1, RSV2, RSV3, TEXT};
use crate::raw::{Frame, LengthForm, Request, Server};

const PROTOCOL_ERROR: u16 = 1002;
const MESSAGE_TOO_BIG: u16 = 1009;

#[test]
fn row_23_unmasked_client_frames_are_1002() {
    let server = Server::echo(&[]);
    for opcode in [TEXT, BINARY, PING, PONG, CLOSE] {
        let payload: &[u8] = if opcode == CLOSE { &[3, 232] } else { b"bare" };
        server.fails(PROTOCOL_ERROR, Frame::new(opcode, payload).unmasked().encode());
        server.fails(PROTOCOL_ERROR, Frame::new(opcode, "").unmasked().encode());
    }
    let first = Frame::text("masked ").unfinished().encode();
    server.fails(PROTOCOL_ERROR, [first, Frame::continuation("bare").unmasked().encode()].concat());
}

#[test]
fn row_25_reserved_bits_without_meaning_are_1002() {
    let server = Server::echo(&[]);
    for bits in 1..=7 {
        server.fails(PROTOCOL_ERROR, Frame::text("x").reserved(bits).encode());
        server.fails(PROTOCOL_ERROR, Frame::binary("").reserved(bits).encode());
    }
    // An offer of compression, taken or not, gives RSV2 and RSV3 no meaning.
    for bits in [RSV2, RSV3, RSV1 | RSV2, RSV1 | RSV3] {
        let mut client = server.open_with(&offering_compression(&server));
        client.send_frame(&Frame::text("x").reserved(bits));
        client.expect_close(PROTOCOL_ERROR);
    }
}

#[test]
fn row_26_reserved_opcodes_are_1002() {
    let server = Server::echo(&[]);
    for opcode in (3..=7).chain(11..=15) {
        server.fails(PROTOCOL_ERROR, Frame::new(opcode, "x").encode());
        server.fails(PROTOCOL_ERROR, Frame::new(opcode, "").unfinished().encode());
        let first = Frame::text("within a message").unfinished().encode();
        server.fails(PROTOCOL_ERROR, [first, Frame::new(opcode, "").encode()].concat());
    }
}

#[test]
fn row_27_control_frames_fragmented_or_longer_than_125_fail_on_their_first_two_bytes() {
    let server = Server::echo(&[]);
    for opcode in [PING, PONG, CLOSE] {
        for too_long in [126, 127] {
            server.fails(PROTOCOL_ERROR, [0x80 | opcode, 0x80 | too_long]);
        }
        server.fails(PROTOCOL_ERROR, [opcode, 0x80 | 100]); // FIN clear
    }
    let mut client = server.open();
    client.send_frame(&Frame::ping([b'x'; 125]));
    client.expect(PONG, [b'x'; 125]);
}

#[test]
fn row_28_fragments_out_of_order_are_1002() {
    let server = Server::echo(&[]);
    let orphan = Frame::continuation("x");
    server.fails(PROTOCOL_ERROR, orphan.encode());
    server.fails(PROTOCOL_ERROR, orphan.clone().unfinished().encode());
    server.fails(PROTOCOL_ERROR, [Frame::text("whole").encode(), orphan.encode()].concat());
    for (first, second) in [(TEXT, TEXT), (TEXT, BINARY), (BINARY, TEXT), (BINARY, BINARY)] {
        let first = Frame::new(first, "x").unfinished().encode();
        server.fails(PROTOCOL_ERROR, [first.clone(), Frame::new(second, "y").encode()].concat());
        server
            .fails(PROTOCOL_ERROR, [first, Frame::new(second, "y").unfinished().encode()].concat());
    }

    let mut client = server.open();
    client.send_frame(&Frame::text("one, ").unfinished());
    client.send_frame(&Frame::ping("between"));
    client.send_frame(&Frame::continuation("").unfinished());
    client.send_frame(&Frame::continuation("two"));
    client.expect(PONG, "between");
    client.expect(TEXT, "one, two");
}

#[test]
fn row_29_lengths_in_more_bits_than_needed_are_1002() {
    let server = Server::echo(&[]);
    for length in [0, 1, 125] {
        let frame = Frame::binary(vec![b'x'; length]);
        server.fails(PROTOCOL_ERROR, frame.clone().length_form(LengthForm::Sixteen).encode());
        server.fails(PROTOCOL_ERROR, frame.length_form(LengthForm::SixtyFour).encode());
    }
    for length in [126, 65_535] {
        server.fails(
            PROTOCOL_ERROR,
            Frame::binary(vec![b'x'; length]).length_form(LengthForm::SixtyFour).encode(),
        );
    }

    let mut client = server.open();
    for length in [0, 125, 126, 65_535, 65_536] {
        client.send_frame(&Frame::binary(vec![b'x'; length]));
        client.expect(BINARY, vec![b'x'; length]);
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn row_30_lengths_beyond_63_bits_or_the_limit_fail_on_the_header_alone() {
    let server = Server::echo(&["--max-message", "100000"]);
    server.assert_well();
    let before = server.memory("VmPeak");
    for opcode in [TEXT, BINARY] {
        let header = |length| Frame::new(opcode, "").declaring(length).encode();
        for top_bit_set in [1 << 63, u64::MAX] {
            server.fails(PROTOCOL_ERROR, header(top_bit_set));
        }
        for too_big in [100_001, 1 << 32, i64::MAX as u64] {
            server.fails(MESSAGE_TOO_BIG, header(too_big));
        }
        // 64 headers that together announce 256 GiB.
        let connections: Vec<_> = (0..64).map(|_| server.open()).collect();
        for mut client in connections {
            client.send(header(1 << 32));
            client.expect_close(MESSAGE_TOO_BIG);
        }
    }
    let grown = server.memory("VmPeak") - before;
    assert!(grown < 1 << 32, "address space grew by {grown} bytes");

    let mut client = server.open();
    client.send_frame(&Frame::binary([7; 100_000]));
    client.expect(BINARY, [7; 100_000]);
}

#[test]
fn row_32_fragments_beyond_the_limit_are_1009_where_they_cross_it() {
    let server = Server::echo(&["--max-message", "1000"]);
    let mut client = server.open();
    client.send_frame(&Frame::binary([1; 600]).unfinished());
    client.send_frame(&Frame::continuation([1; 400]));
    client.expect(BINARY, [1; 1000]);

    let first = Frame::binary([1; 600]).unfinished().encode();
    let crossing = Frame::continuation("").declaring(401).unfinished().encode();
    server.fails(MESSAGE_TOO_BIG, [first, crossing].concat());

    let mut client = server.open();
    client.send_frame(&Frame::text([b'x'; 100]).unfinished());
    for _ in 1..10 {
        client.send_frame(&Frame::continuation([b'x'; 100]).unfinished());
    }
    client.send_frame(&Frame::ping("at the limit"));
    client.expect(PONG, "at the limit");
    client.send_frame(&Frame::continuation("x").unfinished());
    client.expect_close(MESSAGE_TOO_BIG);
}

#[test]
fn row_43_rsv1_on_continuation_and_control_frames_is_1002() {
    let server = Server::echo(&[]);
    for request in [server.request(), offering_compression(&server)] {
        for opcode in [PING, PONG, CLOSE] {
            let mut client = server.open_with(&request);
            client.send_frame(&Frame::new(opcode, "").reserved(RSV1));
            client.expect_close(PROTOCOL_ERROR);
        }
        let mut client = server.open_with(&request);
        client.send_frame(&Frame::text("x").unfinished());
        client.send_frame(&Frame::continuation("y").reserved(RSV1));
        client.expect_close(PROTOCOL_ERROR);
    }
}

fn offering_compression(server: &Server) -> Request {
    server.request().and("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
}
