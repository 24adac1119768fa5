//! Any way of cutting the input into pieces gives the same events, the same error, the same answer.

mod common;
#[path = "common/scripts.rs"]
mod scripts;

use bytes::BytesMut;
use common::*;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use scripts::{cuts, script};
use std::collections::BTreeMap;
use wskit_proto::handshake::{ClientOpening, ClientRequest, HeadLimits, Key, ServerOpening};
use wskit_proto::{Event, Kind, Limits, Message, PieceEvent, ProtocolError, Role};

/// Limits that the scripts reach.
fn small_limits() -> Limits {
    Limits {
        message_bytes_max: 300,
        piecewise_message_bytes_max: 300,
        frame_bytes_max: 250,
        fragments_max: 6,
        pong_bytes_max: 200,
        ..Limits::default()
    }
}

/// What an end made of its input: events, error, output.
type Outcome = (Vec<Message>, Option<ProtocolError>, Vec<u8>);

fn outcome(role: Role, pieces: &[&[u8]], feed: fn(&mut End, &[u8])) -> Outcome {
    let mut end = End::with_limits(role, small_limits());
    pieces.iter().for_each(|piece| feed(&mut end, piece));
    let output = waiting(&end.output);
    (end.events, end.error, output)
}

fn any_role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(SERVER), Just(CLIENT)]
}

fn role_and_script() -> impl Strategy<Value = (Role, Vec<u8>)> {
    any_role().prop_flat_map(|role| (Just(role), script(is_masked_to(role))))
}

#[test]
fn a_message_that_was_discarded_in_part_yields_no_more_pieces() {
    let mut end = End::with_limits(SERVER, small_limits());
    let message = frame(FIN | BINARY, true, b"begin, middle, end");
    let (begin, middle, rest) = (&message[..12], &message[12..20], &message[20..]);
    let mut seen = Vec::new();
    for (bytes, in_pieces) in [(begin, true), (middle, false), (rest, true)] {
        end.input.extend_from_slice(bytes);
        let End { connection, input, output, .. } = &mut end;
        if !in_pieces {
            assert!(connection.receive(input, output).unwrap().is_none());
        } else if let Some(PieceEvent::Piece(piece)) =
            connection.receive_piece(input, output).unwrap()
        {
            seen.extend_from_slice(&piece.payload);
        }
    }
    assert_eq!(seen, b"begin,");
    assert!(end.input.is_empty());
}

/// Says that the scripts reach what they are for.
#[test]
fn the_scripts_fail_in_every_way_and_often_not_at_all() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..3000 {
        let (role, script) = role_and_script().new_tree(&mut runner).unwrap().current();
        let (_, error, _) = outcome(role, &[&script], End::feed);
        let name =
            format!("{error:?}").split([' ', '{']).next().unwrap().replace(char::is_numeric, "");
        *seen.entry(name).or_insert(0) += 1;
    }
    // There are sixteen errors.
    assert!(seen.len() == 17 && seen["None"] > 1000, "{seen:#?}");
}

proptest! {
    #![proptest_config(tries(1000))]

    #[test]
    fn however_the_input_is_cut_it_means_the_same((role, script) in role_and_script(), cuts in cuts()) {
        let expected = outcome(role, &[&script], End::feed);
        prop_assert_eq!(&outcome(role, &cut(&script, &cuts), End::feed), &expected);
        prop_assert_eq!(&outcome(role, &cut(&script, &[1]), End::feed), &expected);
    }

    #[test]
    fn the_pieces_are_together_the_messages((role, script) in role_and_script(), cuts in cuts()) {
        let expected = outcome(role, &[&script], End::feed);
        prop_assert_eq!(&outcome(role, &[&script], End::feed_piecewise), &expected);
        prop_assert_eq!(&outcome(role, &cut(&script, &cuts), End::feed_piecewise), &expected);
    }

    #[test]
    fn whole_messages_and_pieces_can_be_mixed(
        (role, script) in role_and_script(),
        cuts in cuts(),
        turns in proptest::collection::vec(any::<bool>(), 1..40),
    ) {
        let (events, error, output) = outcome(role, &[&script], End::feed);
        let is_data = |message: &&Message| message.is_text() || message.is_binary();
        let mut expected = events.iter().filter(is_data);
        let mixed = Mixed::run(role, &cut(&script, &cuts), &turns);
        prop_assert_eq!(mixed.end.error, error);
        prop_assert_eq!(waiting(&mixed.end.output), output);
        let controls: Vec<&Message> = events.iter().filter(|event| !is_data(event)).collect();
        prop_assert_eq!(mixed.end.events.iter().collect::<Vec<_>>(), controls);
        for (place, (seen, complete)) in mixed.seen.iter().enumerate() {
            match expected.next() {
                Some(message) if *complete => prop_assert_eq!(seen, &content(message)),
                // The application stopped taking pieces: what it has is the message's beginning.
                Some(message) => {
                    let (kind, payload) = content(message);
                    prop_assert!(seen.0 == kind && payload.starts_with(&seen.1));
                }
                // The last message failed, or has no end.
                None => prop_assert!(!complete && place + 1 == mixed.seen.len()),
            }
        }
        prop_assert_eq!(expected.next(), None);
    }
}

/// An end whose application takes whole messages and pieces by turns.
struct Mixed {
    /// Holds the control frames in its events.
    end: End,
    /// Every message as far as it was taken, and whether that is to its end.
    seen: Vec<((Kind, Vec<u8>), bool)>,
}

impl Mixed {
    fn run(role: Role, pieces: &[&[u8]], turns: &[bool]) -> Mixed {
        let mut mixed = Mixed { end: End::with_limits(role, small_limits()), seen: Vec::new() };
        let mut turns = turns.iter().cycle();
        for piece in pieces {
            mixed.end.input.extend_from_slice(piece);
            // A turn that yields nothing does not mean that the other would not.
            let mut idle = 0;
            while idle < 3 {
                let took =
                    if *turns.next().unwrap() { mixed.take_whole() } else { mixed.take_piece() };
                idle = if took { 0 } else { idle + 1 };
            }
        }
        mixed
    }

    fn take_whole(&mut self) -> bool {
        let End { connection, input, output, events, error, .. } = &mut self.end;
        match connection.receive(input, output) {
            Ok(Some(Event::Control(control))) => events.push(control.into_message()),
            Ok(Some(event)) => self.seen.push((content(&event.into_message()), true)),
            Ok(None) => return false,
            Err(fault) => *error = Some(fault),
        }
        true
    }

    fn take_piece(&mut self) -> bool {
        let End { connection, input, output, events, error, .. } = &mut self.end;
        match connection.receive_piece(input, output) {
            Ok(Some(PieceEvent::Control(control))) => events.push(control.into_message()),
            Ok(Some(PieceEvent::Piece(piece))) => {
                if piece.first {
                    self.seen.push(((piece.kind, Vec::new()), false));
                }
                let ((kind, payload), complete) = self.seen.last_mut().expect("a piece begins");
                assert!(*kind == piece.kind && !*complete);
                payload.extend_from_slice(&piece.payload);
                *complete = piece.last;
            }
            Ok(None) => return false,
            Err(fault) => *error = Some(fault),
        }
        true
    }
}

fn content(message: &Message) -> (Kind, Vec<u8>) {
    match message {
        Message::Text(text) => (Kind::Text, text.as_bytes().to_vec()),
        Message::Binary(bytes) => (Kind::Binary, bytes.to_vec()),
        _ => unreachable!("data messages only"),
    }
}

/// A head, good or damaged, and what follows it.
fn damaged(head: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..5u8, any::<(Index, u8)>());
    let behind = proptest::collection::vec(any::<u8>(), 0..20);
    (head, proptest::collection::vec(change, 0..3), behind).prop_map(|(head, changes, behind)| {
        let mut bytes = head.into_bytes();
        for (change, (place, byte)) in changes {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let line = place.index(lines.len());
            let place = place.index(bytes.len());
            match change {
                0 => drop(lines.remove(line)),
                1 => lines.insert(line, lines[line]),
                2 => lines.truncate(line + 1),
                3 => {
                    bytes[place] = byte;
                    continue;
                }
                _ => {
                    bytes.retain(|byte| *byte != b'\r');
                    continue;
                }
            }
            bytes = lines.concat();
            bytes.push(byte);
        }
        [bytes, behind].concat()
    })
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let start = "(GET|GET|GET|POST|x) {1,2}(/[a-z]{0,24}|/[a-z<]{18,24}) HTTP/1\\.[1110]";
    let fields = "(X-[a-z]{1,3}: [a-z]{0,40}\r\n){0,3}";
    damaged((start, fields).prop_map(|(start, fields)| {
        format!(
            "{start}\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        )
    }))
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let interim = "(HTTP/1\\.1 10[03] \r\n(Link: <[a-z]{0,9}>\r\n){0,2}\r\n){0,3}";
    let refusal =
        "HTTP/1\\.1 [2-5]0[0-4] .?\r\n(Content-Length: [0-9]{1,2}\r\n){0,2}\r\n[a-z]{0,60}";
    let chunked = "HTTP/1\\.[01] [2-5]0[0-4] .?\r\nTransfer-Encoding: chunked\r\n\r\n\
         (3\r\n[a-z]{3}\r\n){0,9}([3-9]\r\n|0\r\n\r\n)[a-z]{0,5}";
    let good = Just(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            .to_owned(),
    );
    let long = (16_250..16_350usize).prop_map(|len| {
        format!("HTTP/1.1 404 \r\nX: {}\r\nContent-Length: 3\r\n\r\nabcd", "x".repeat(len))
    });
    damaged(
        (interim, prop_oneof![5 => good, 5 => refusal, 3 => chunked, 1 => long])
            .prop_map(|(interim, last)| interim + &last),
    )
}

/// What a machine made of its input, and what it left in the buffer.
fn opening_outcome<T>(
    pieces: &[&[u8]],
    mut receive: impl FnMut(&mut BytesMut) -> Option<T>,
) -> (Option<T>, Vec<u8>) {
    let mut input = BytesMut::new();
    for (arrived, piece) in pieces.iter().enumerate() {
        input.extend_from_slice(piece);
        if let Some(result) = receive(&mut input) {
            return (Some(result), [&input, &*pieces[arrived + 1..].concat()].concat());
        }
    }
    (None, input.to_vec())
}

fn server_outcome(pieces: &[&[u8]]) -> (Option<String>, Vec<u8>) {
    let mut opening = ServerOpening::new(HeadLimits { head_bytes_max: 220, target_bytes_max: 20 });
    opening_outcome(pieces, |input| {
        opening.receive(input).transpose().map(|result| format!("{result:?}"))
    })
}

fn client_outcome(pieces: &[&[u8]]) -> (String, Vec<u8>) {
    let mut request = ClientRequest::new("example.com", "/").unwrap();
    request.body_bytes_max = 30;
    let mut opening = ClientOpening::new(request, Key::from_entropy(*b"the sample nonce"));
    let (result, rest) = opening_outcome(pieces, |input| {
        opening.receive(input).transpose().map(|result| format!("{result:?}"))
    });
    let mut rest = BytesMut::from(&rest[..]);
    (result.unwrap_or_else(|| format!("{:?}", opening.end(&mut rest))), rest.to_vec())
}

proptest! {
    #![proptest_config(tries(2000))]

    #[test]
    fn however_a_request_is_cut_it_means_the_same(request in request(), cuts in cuts()) {
        let expected = server_outcome(&[&request]);
        prop_assert_eq!(&server_outcome(&cut(&request, &cuts)), &expected);
        prop_assert_eq!(&server_outcome(&cut(&request, &[1])), &expected);
    }

    #[test]
    fn however_a_response_is_cut_it_means_the_same(response in response(), cuts in cuts()) {
        let expected = client_outcome(&[&response]);
        prop_assert_eq!(&client_outcome(&cut(&response, &cuts)), &expected);
    }
}
