//! Single requirements of RFC 6455 on frames, for both roles. `docs/rfc/rfc6455.md` lists them all.

mod common;

use common::*;
use std::cell::Cell;
use std::path::Path;
use wskit_proto::closing::State;
use wskit_proto::{Config, Message, ProtocolError, Role};

/// Feeds the frames and tells the error and the frames that were sent for it.
fn feed(role: Role, frames: &[Vec<u8>]) -> (End, Vec<u8>) {
    let mut end = End::new(role, Config::default());
    end.feed(&frames.concat());
    let output = waiting(&end.output);
    (end, output)
}

fn fails_with(role: Role, frames: &[Vec<u8>], error: ProtocolError) {
    let (end, _) = feed(role, frames);
    assert_eq!(end.error, Some(error));
    assert_eq!(last_close_code(role, &end.output), Some(error.close_code()));
    assert_eq!(end.connection.state(), State::Failed);
}

#[test]
fn masking_goes_one_way() {
    fails_with(SERVER, &[frame(FIN | TEXT, false, b"x")], ProtocolError::UnmaskedClientFrame);
    fails_with(CLIENT, &[frame(FIN | TEXT, true, b"x")], ProtocolError::MaskedServerFrame);
    fails_with(SERVER, &[frame(FIN | PING, false, b"")], ProtocolError::UnmaskedClientFrame);
    fails_with(CLIENT, &[frame(FIN | CLOSE, true, b"")], ProtocolError::MaskedServerFrame);
    for role in ROLES {
        let mut end = End::new(role, Config::default());
        for message in [Message::text("x"), Message::Ping(b"x"[..].into()), Message::Close(None)] {
            end.connection.send(message, &mut end.output).unwrap();
        }
        let frames = [(TEXT, &b"x"[..]), (PING, b"x"), (CLOSE, b"")];
        let frames = frames.map(|(opcode, payload)| frame_from(role, FIN | opcode, payload));
        assert_eq!(waiting(&end.output), frames.concat());
    }
}

#[test]
fn every_frame_of_a_client_has_a_key_of_its_own() {
    thread_local!(static COUNT: Cell<u8> = const { Cell::new(0) });
    let counting = Role::Client(|| {
        COUNT.set(COUNT.get() + 1);
        [COUNT.get(); 4]
    });
    let mut end = End::new(counting, Config::default());
    end.connection.send("a".into(), &mut end.output).unwrap();
    end.feed(&frame(FIN | PING, false, b"b"));
    end.connection.send(Message::Close(None), &mut end.output).unwrap();
    let expected = [0x81, 0x81, 1, 1, 1, 1, b'a' ^ 1, 0x8a, 0x81, 2, 2, 2, 2, b'b' ^ 2]
        .into_iter()
        .chain([0x88, 0x80, 3, 3, 3, 3]);
    assert_eq!(waiting(&end.output), expected.collect::<Vec<u8>>());
}

#[test]
fn reserved_bits_and_opcodes_fail() {
    for role in ROLES {
        for bits in [0x40, 0x20, 0x10, 0x70] {
            for opcode in [TEXT, BINARY, PING, PONG, CLOSE] {
                let frames = [frame_to(role, FIN | bits | opcode, b"")];
                fails_with(role, &frames, ProtocolError::ReservedBits);
            }
            let frames = [frame_to(role, TEXT, b"x"), frame_to(role, FIN | bits, b"")];
            fails_with(role, &frames, ProtocolError::ReservedBits);
        }
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            let frames = [frame_to(role, FIN | opcode, b"")];
            fails_with(role, &frames, ProtocolError::ReservedOpcode(opcode));
        }
    }
}

#[test]
fn fragments_of_one_message_stand_together() {
    for role in ROLES {
        let text = |first| frame_to(role, first, b"x");
        fails_with(role, &[text(CONTINUATION)], ProtocolError::UnexpectedContinuation);
        fails_with(role, &[text(FIN | TEXT), text(FIN)], ProtocolError::UnexpectedContinuation);
        fails_with(role, &[text(TEXT), text(FIN | TEXT)], ProtocolError::ContinuationExpected);
        fails_with(role, &[text(TEXT), text(0), text(BINARY)], ProtocolError::ContinuationExpected);
        let between = [text(TEXT), text(FIN | PONG), text(0), text(FIN | PONG), text(FIN)];
        let pong = Message::Pong(b"x"[..].into());
        assert_eq!(feed(role, &between).0.events, [pong.clone(), pong, Message::text("xxx")]);
    }
}

#[test]
fn every_close_payload_has_its_answer() {
    for role in ROLES {
        let close = |payload: &[u8]| [frame_to(role, FIN | CLOSE, payload)];
        for code in [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999] {
            let payload = close_payload(code, "caf\u{e9}".as_bytes());
            let (end, output) = feed(role, &close(&payload));
            let [Message::Close(Some(frame))] = &end.events[..] else { panic!("{code}") };
            assert_eq!((frame.code().number(), frame.reason()), (code, "caf\u{e9}"));
            assert_eq!(output, frame_from(role, FIN | CLOSE, &payload));
            assert_eq!(end.connection.state(), State::CloseComplete);
        }
        let (end, output) = feed(role, &close(b""));
        assert_eq!(end.events, [Message::Close(None)]);
        assert_eq!(output, frame_from(role, FIN | CLOSE, b""));
        fails_with(role, &close(b"\x03"), ProtocolError::ClosePayloadOfOneByte);
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] {
            let error = ProtocolError::ReservedCloseCode(code);
            fails_with(role, &close(&close_payload(code, b"")), error);
        }
        let bad_reason = close_payload(1000, b"caf\xe9");
        fails_with(role, &close(&bad_reason), ProtocolError::InvalidUtf8);
        let longest = close_payload(1000, &[b'x'; 123]);
        assert_eq!(feed(role, &close(&longest)).1, frame_from(role, FIN | CLOSE, &longest));
    }
}

#[test]
fn a_close_inside_a_message_is_answered_all_the_same() {
    for role in ROLES {
        let payload = close_payload(1001, b"");
        let frames = [frame_to(role, TEXT, b"x"), frame_to(role, FIN | CLOSE, &payload)];
        let (end, output) = feed(role, &frames);
        assert!(end.events.iter().all(Message::is_close) && end.error.is_none());
        assert_eq!(output, frame_from(role, FIN | CLOSE, &payload));
    }
}

#[test]
fn a_ping_is_answered_until_the_peers_close() {
    for role in ROLES {
        let mut end = End::new(role, Config::default());
        end.connection.send(Message::Close(None), &mut end.output).unwrap();
        let ping = frame_to(role, FIN | PING, b"still there?");
        end.feed(&ping);
        end.feed(&frame_to(role, FIN | CLOSE, b""));
        end.feed(&ping);
        let sent = [(CLOSE, &b""[..]), (PONG, b"still there?")];
        let sent = sent.map(|(opcode, payload)| frame_from(role, FIN | opcode, payload));
        assert_eq!(waiting(&end.output), sent.concat());
    }
}

#[test]
fn a_pong_is_not_answered() {
    for role in ROLES {
        let (end, output) = feed(role, &[frame_to(role, FIN | PONG, b"here I am")]);
        assert_eq!((end.events.len(), end.error, output), (1, None, vec![]));
    }
}

/// The tests that the requirement tables name: `file::test`, in backquotes.
#[test]
fn every_test_that_the_tables_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (table, tests_min) in [("rfc6455.md", 50), ("rfc7692.md", 20), ("rfc8441.md", 8)] {
        let table = std::fs::read_to_string(root.join("../../docs/rfc").join(table)).unwrap();
        let named: Vec<_> = table.split('`').filter_map(|word| word.split_once("::")).collect();
        assert!(named.len() > tests_min, "the table names {} tests", named.len());
        for (file, test) in named {
            let file = format!("{file}.rs");
            let folders = [
                "tests",
                "src",
                "../wskit/tests",
                "../wskit/src",
                "../wskit/tests/hostile_client",
                "../wskit/tests/http2",
                "../cli/tests/hostile_server",
                "../hyper/tests",
            ];
            let exists = folders.into_iter().any(|folder| {
                std::fs::read_to_string(root.join(folder).join(&file))
                    .is_ok_and(|code| code.contains(&format!("fn {test}(")))
            });
            assert!(exists, "{file} has no test {test}");
        }
    }
}
